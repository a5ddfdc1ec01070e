//! Certificate types of the sample network.
//!
//! Eight fields each, one or two of them in the everyday code, and short ones: what has no bound
//! in life, such as the name of a firm, is shown by a profile. The everyday code then fits a QR
//! code of version 20 together with its path, whatever a certificate says.

use std::collections::BTreeMap;

use fengni_core::record::HolderKind;

use crate::document::{ActsEntry, ClaimEntry, DerivedEntry, SERIAL_BYTES, TypeEntry};

/// Short names, in the order of the type numbers.
/// Type code of certificates of title.
pub(super) const PROPERTY: &str = "11100000XN00000473002";

pub(super) const TYPES: [&str; 4] = ["T-DL", "T-BL", "T-CL", "T-RE"];

const DAY_SECS: u32 = 86_400;

/// The types, in the order of their numbers.
pub(super) fn entries() -> Vec<TypeEntry> {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let kind = |place: usize, code: &str, name: &str, holder: HolderKind, claims: [(&str, u16); 8]| TypeEntry {
        key: TYPES[place].to_owned(),
        code: code.to_owned(),
        name: name.to_owned(),
        holder,
        enabled: true,
        sensitive: false,
        code_lifetime_secs: 120,
        offline_age_secs: DAY_SECS,
        acts: ActsEntry::All,
        suspenders: Vec::new(),
        revokers: Vec::new(),
        consumers: Vec::new(),
        purposes: Vec::new(),
        grant_purposes: Vec::new(),
        assurance: None,
        claims: claims.into_iter().map(claim).collect(),
        profiles: BTreeMap::new(),
        serial_bytes: SERIAL_BYTES,
    };
    vec![
        TypeEntry {
            suspenders: names(&["PSB", "GOV"]),
            revokers: names(&["PSB"]),
            profiles: profiles(&[("成年", &["准驾车型", "年满18周岁"]), ("租车", &["准驾车型", "姓名", "证件号码"])]),
            ..kind(
                0,
                "11100000XN0000012G001",
                "机动车驾驶证",
                HolderKind::Person,
                [
                    ("+准驾车型", 20),
                    ("+有效期止", 10),
                    ("姓名", 60),
                    ("!证件号码", 30),
                    ("!住址", 300),
                    ("出生日期", 10),
                    ("年满18周岁", 3),
                    ("?文件摘要", 64),
                ],
            )
        },
        TypeEntry {
            suspenders: names(&["AMR", "GOV"]),
            revokers: names(&["AMR"]),
            profiles: profiles(&[("企业名称", &["统一社会信用代码", "名称"])]),
            ..kind(
                1,
                "11100000XN0000020B001",
                "营业执照",
                HolderKind::Body,
                [
                    ("+统一社会信用代码", 18),
                    ("名称", 120),
                    ("类型", 60),
                    ("法定代表人", 60),
                    ("注册资本", 60),
                    ("住所", 300),
                    ("经营范围", 512),
                    ("?文件摘要", 64),
                ],
            )
        },
        TypeEntry {
            code_lifetime_secs: 300,
            offline_age_secs: DAY_SECS / 4,
            suspenders: names(&["CIQ"]),
            consumers: names(&["GOV"]),
            purposes: names(&["入境通关"]),
            profiles: profiles(&[("货物", &["数量重量", "统一社会信用代码", "货物名称"])]),
            ..kind(
                2,
                "11100000XN00000398017",
                "入境货物通关单(示例)",
                HolderKind::Body,
                [
                    ("+数量重量", 18),
                    ("+统一社会信用代码", 18),
                    ("货物名称", 90),
                    ("报检单位", 120),
                    ("输出国家", 60),
                    ("入境口岸", 60),
                    ("报检日期", 10),
                    ("?文件摘要", 64),
                ],
            )
        },
        TypeEntry {
            suspenders: names(&["GOV"]),
            profiles: profiles(&[("坐落", &["坐落", "面积"])]),
            serial_bytes: 16,
            ..kind(
                3,
                PROPERTY,
                "不动产权证书",
                HolderKind::Person,
                [
                    ("+权利类型", 27),
                    ("+共有情况", 12),
                    ("权利人", 120),
                    ("!证件号码", 30),
                    ("!坐落", 300),
                    ("不动产单元号", 28),
                    ("面积", 40),
                    ("?文件摘要", 64),
                ],
            )
        },
    ]
}

/// A label and the bytes of its longest value. `+` marks a field of the everyday code, `!` a
/// sensitive one, `?` an optional one; the age is derived.
fn claim((text, max_bytes): (&str, u16)) -> ClaimEntry {
    let label = text.trim_start_matches(['+', '!', '?']).to_owned();
    let derived = (label == OVER_18).then(|| DerivedEntry { from: BORN.to_owned(), age: 18 });
    ClaimEntry {
        label,
        required: !text.starts_with('?'),
        everyday: text.starts_with('+'),
        sensitive: text.starts_with('!'),
        max_bytes: Some(max_bytes),
        derived,
    }
}

fn profiles(profiles: &[(&str, &[&str])]) -> BTreeMap<String, Vec<String>> {
    let owned = |labels: &[&str]| labels.iter().map(|label| (*label).to_owned()).collect();
    profiles.iter().map(|(name, labels)| ((*name).to_owned(), owned(labels))).collect()
}

/// Says that the holder was of age on the day of issue, without the birth date.
const OVER_18: &str = "年满18周岁";
/// What it follows from.
const BORN: &str = "出生日期";
