//! Certificate types of the sample network.
//!
//! Eight fields each, two of them in the everyday code: the code then carries two siblings and
//! fits a QR code of version 20 together with its path.

use fengni_core::record::HolderKind;

use crate::document::{ActsEntry, ClaimEntry, TypeEntry};

/// Short names, in the order of the type numbers.
pub(super) const TYPES: [&str; 4] = ["T-DL", "T-BL", "T-CL", "T-RE"];

const DAY_SECS: u32 = 86_400;

/// The types, in the order of their numbers.
pub(super) fn entries() -> Vec<TypeEntry> {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let kind = |place: usize, code: &str, name: &str, holder: HolderKind, claims: [&str; 8]| TypeEntry {
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
        claims: claims.into_iter().map(claim).collect(),
    };
    vec![
        TypeEntry {
            suspenders: names(&["PSB", "GOV"]),
            revokers: names(&["PSB"]),
            ..kind(
                0,
                "11100000XN0000012G001",
                "机动车驾驶证",
                HolderKind::Person,
                ["+准驾车型", "+有效期止", "姓名", "!证件号码", "!住址", "出生日期", "初次领证日期", "?文件摘要"],
            )
        },
        TypeEntry {
            suspenders: names(&["AMR", "GOV"]),
            revokers: names(&["AMR"]),
            ..kind(
                1,
                "11100000XN0000020B001",
                "营业执照",
                HolderKind::Body,
                ["+统一社会信用代码", "+名称", "类型", "法定代表人", "注册资本", "住所", "经营范围", "?文件摘要"],
            )
        },
        TypeEntry {
            code_lifetime_secs: 300,
            offline_age_secs: DAY_SECS / 4,
            suspenders: names(&["CIQ"]),
            consumers: names(&["GOV"]),
            purposes: names(&["入境通关"]),
            ..kind(
                2,
                "11100000XN00000398017",
                "入境货物通关单(示例)",
                HolderKind::Body,
                [
                    "+货物名称",
                    "+数量重量",
                    "报检单位",
                    "统一社会信用代码",
                    "输出国家",
                    "入境口岸",
                    "报检日期",
                    "?文件摘要",
                ],
            )
        },
        TypeEntry {
            suspenders: names(&["GOV"]),
            ..kind(
                3,
                "11100000XN00000473002",
                "不动产权证书",
                HolderKind::Person,
                ["+权利类型", "+共有情况", "权利人", "!证件号码", "!坐落", "不动产单元号", "面积", "?文件摘要"],
            )
        },
    ]
}

/// `+` marks a field of the everyday code, `!` a sensitive one, `?` an optional one.
fn claim(text: &str) -> ClaimEntry {
    let label = text.trim_start_matches(['+', '!', '?']).to_owned();
    ClaimEntry {
        label,
        required: !text.starts_with('?'),
        everyday: text.starts_with('+'),
        sensitive: text.starts_with('!'),
    }
}
