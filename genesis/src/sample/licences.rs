//! More fictitious driving licences than anybody could write down, each by its index alone.

use fengni_core::Day;
use fengni_core::certificate::{ClaimValue, fill_derived};
use fengni_core::id::check;
use fengni_core::record::{ClaimSpec, Schema};

/// A fictitious driving licence (T-DL), as a row of an issuing file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Licence {
    /// The issuer's number for it.
    pub serial: String,
    /// Its version.
    pub version: &'static str,
    /// Day of issue, `YYYY-MM-DD`.
    pub issued: String,
    /// First day.
    pub from: String,
    /// Last day.
    pub until: String,
    /// Label and value of each claim that is entered, in the order of the type; the optional one is
    /// absent.
    pub claims: Vec<(&'static str, String)>,
}

/// Columns in front of the claims.
const COLUMNS: [&str; 5] = ["serial", "version", "issued", "from", "until"];

impl Licence {
    /// The columns of a file of such rows: five, then a column a label.
    pub fn header(&self) -> Vec<&'static str> {
        COLUMNS.into_iter().chain(self.claims.iter().map(|(label, _)| *label)).collect()
    }

    /// The row's values, in the order of the header.
    pub fn row(&self) -> Vec<&str> {
        let front = [self.serial.as_str(), self.version, &self.issued, &self.from, &self.until];
        front.into_iter().chain(self.claims.iter().map(|(_, value)| value.as_str())).collect()
    }
}

const SURNAMES: [&str; 16] =
    ["林", "陈", "周", "沈", "陆", "顾", "方", "贺", "简", "乔", "温", "景", "项", "莫", "向", "岑"];
const GIVEN: [&str; 25] = [
    "知", "远", "清", "和", "望", "舒", "安", "宁", "若", "谷", "怀", "瑾", "听", "澜", "亦", "川", "思", "齐", "言",
    "蹊", "云", "深", "见", "微", "禾",
];
const CLASSES: [&str; 6] = ["C1", "C2", "C1D", "B2", "A2", "C1E"];

/// Holders are born within these days from 1970-01-01 on, the last in 2004.
const BIRTH_DAYS: u64 = 12_600;
/// Regions 319901 to 319999.
const REGIONS: u64 = 99;

/// The fictitious driving licence with an index, from 0. The same index gives the same licence,
/// and no two indexes below 1,247 million give one resident number.
pub fn licence(index: u64) -> Licence {
    // Neighbours in the file differ in every column: a step prime to the range visits all of it.
    let (sequence, rest) = (index % 1_000, index / 1_000);
    let birth = (rest % BIRTH_DAYS * 7_919 + sequence * 6_007) % BIRTH_DAYS;
    let region = rest / BIRTH_DAYS % REGIONS + 1;
    let born = day_after("1970-01-01", birth);
    // Sequence numbers run from 000 to 999; odd ones are men's.
    let body = format!("3199{region:02}{}{sequence:03}", born.to_string().replace('-', ""));
    let number = format!("{body}{}", check::mod_11_2(&body).expect("17 digits"));
    Licence {
        // The letter keeps a serial from looking like a resident number (ID-11), which one in
        // eleven plain counters beyond ten million would.
        serial: format!("20260302N{:011}", index + 1),
        version: "001",
        issued: "2026-03-02".to_owned(),
        from: "2026-03-02".to_owned(),
        until: "2032-03-01".to_owned(),
        claims: vec![
            ("准驾车型", pick(&CLASSES, index).to_owned()),
            ("有效期止", "2032-03-01".to_owned()),
            (
                "姓名",
                format!("{}{}{}", pick(&SURNAMES, index), pick(&GIVEN, index / 16), pick(&GIVEN, index / 400 + 7)),
            ),
            ("证件号码", number),
            ("住址", format!("东海省海隅区示例路{}号(虚构)", 10_000 + index % 80_000)),
            ("出生日期", born.to_string()),
        ],
    }
}

/// Values for a test certificate of any type: each field repeats its label as far as it fits, and
/// what others follow from is a date of birth.
pub fn values(schema: &Schema, issued: Day) -> Vec<Option<ClaimValue>> {
    let source =
        |place: usize| schema.claims.iter().any(|spec| spec.derived.is_some_and(|it| usize::from(it.from) == place));
    let value = |(place, spec): (usize, &ClaimSpec)| {
        let mut text = if source(place) { "1990-03-07".to_owned() } else { spec.label.clone() };
        while text.len() > usize::from(spec.max_bytes) {
            text.pop();
        }
        // A field of fewer bytes than a character has is left empty.
        ClaimValue::new(text).ok().filter(|_| spec.derived.is_none())
    };
    let mut values: Vec<_> = schema.claims.iter().enumerate().map(value).collect();
    fill_derived(schema, issued, &mut values).expect("the sources are dates");
    values
}

fn pick(words: &[&'static str], index: u64) -> &'static str {
    let place = index % words.len() as u64;
    words[usize::try_from(place).expect("a place in a short list")]
}

fn day_after(start: &str, days: u64) -> Day {
    let start = Day::parse(start).expect("a real date");
    Day(start.0 + u32::try_from(days).expect("within a lifetime"))
}
