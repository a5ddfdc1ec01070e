//! Sample certificates: the fictitious people, bodies and types of the domain documents.

// Four test programs share this file, and none of them needs all of it.
#![allow(dead_code)]

use fengni_core::assurance::{Assurance, Statement};
use fengni_core::book::Line;
use fengni_core::certificate::{Certificate, CertificateFile, ClaimValue, Facts, Grade, PagePath, Salt};
use fengni_core::code::Terms;
use fengni_core::id::{CertificateId, Serial, Version};
use fengni_core::record::{ClaimSpec, Schema};
use fengni_core::{
    BookNumber, Day, Digest, Domain, KeyAlgorithm, KeyNumber, LineNumber, LinePlace, MemberNumber, NetworkId,
    PurposeCode, SecretKey, Suite,
};

pub const C1: &str = "1.2.156.3005.2.11100000XN0000012G001.11319900XN0100021G.20260302000000000001.001.N";
pub const C2: &str = "1.2.156.3005.2.11100000XN0000020B001.11319900XN010003X8.319900202600004712.001.J";
pub const C4: &str = "1.2.156.3005.2.11100000XN00000473002.12319900XN0100064T.2026XN0000044690.001.M";

/// Fields of a driving licence, the everyday ones first.
pub const LICENCE: [(&str, &str); 8] = [
    ("准驾车型", "C1"),
    ("有效期止", "2036-03-01"),
    ("姓名", "林晓禾"),
    ("证号", "319901199003070029"),
    ("住址", "东海省示例市(虚构)示例路1号"),
    ("初次领证日期", "2016-03-01"),
    ("照片摘要", "b1c5"),
    ("档案编号", "319900001234"),
];
pub const BUSINESS: [(&str, &str); 7] = [
    ("名称", "元海物流有限公司"),
    ("统一社会信用代码", "91319901MAXN00016B"),
    ("类型", "有限责任公司"),
    ("法定代表人", "周砚"),
    ("注册资本", "伍佰万元整"),
    ("成立日期", "2019-06-01"),
    ("文件摘要", "77aa"),
];
/// The address is not an everyday field: with it the code would grow above 644 bytes.
pub const ESTATE: [(&str, &str); 6] = [
    ("权利人", "林晓禾"),
    ("面积", "88.50平方米"),
    ("坐落", "东海省示例市示例区示例路9号2幢501室"),
    ("用途", "城镇住宅用地/住宅"),
    ("使用期限", "2076-05-31"),
    ("附图摘要", "01ff"),
];

/// Labels and values of a certificate.
pub type Fields = [(&'static str, &'static str)];

pub fn domain() -> Domain {
    Domain { suite: Suite::Standard, network: NetworkId(Digest([7; 32])) }
}

/// A key for each seed; P-256 and ed25519 alike take these bytes.
pub fn key(algorithm: KeyAlgorithm, seed: u8) -> SecretKey {
    SecretKey::from_seed(algorithm, &[seed; 32]).expect("small numbers are scalars of either curve")
}

pub fn day(text: &str) -> Day {
    Day::parse(text).expect("a real date")
}

/// A schema with these labels; all are required but the last, the first two are everyday.
pub fn schema(fields: &[(&str, &str)]) -> Schema {
    let spec = |(place, (label, _)): (usize, &(&str, &str))| ClaimSpec {
        label: (*label).to_owned(),
        required: place + 1 < fields.len(),
        everyday: place < 2,
        sensitive: false,
        max_bytes: 512,
        derived: None,
    };
    Schema { claims: fields.iter().enumerate().map(spec).collect(), profiles: vec![], serial_bytes: 32 }
}

pub fn facts(serial: &str, holder: &SecretKey) -> Facts {
    Facts {
        schema: 1,
        serial: Serial::parse(serial).expect("a serial"),
        version: Version::FIRST,
        issued: day("2026-03-02"),
        from: day("2026-03-02"),
        until: Some(day("2036-03-01")),
        grade: Grade::A,
        holder: holder.public(),
    }
}

/// Salts that a test can repeat; a wallet's are random.
pub fn salts(count: usize, seed: u8) -> Vec<Salt> {
    let salt = |place: usize| {
        let mut salt = [seed; 16];
        salt[0] = u8::try_from(place).expect("few claims");
        Salt(salt)
    };
    (0..count).map(salt).collect()
}

pub fn certificate(domain: &Domain, fields: &[(&str, &str)], facts: Facts, seed: u8) -> Certificate {
    let values = fields.iter().map(|(_, value)| Some(ClaimValue::new(*value).expect("short text"))).collect();
    Certificate::new(domain, &schema(fields), facts, values, &salts(fields.len(), seed)).expect("a certificate")
}

/// A file whose page is full: line 417 of 1,024, with a path that is only as long as a real one.
pub fn file(domain: &Domain, identifier: &str, fields: &[(&str, &str)], holder: &SecretKey) -> CertificateFile {
    let identifier = CertificateId::parse(identifier).expect("a sample identifier");
    CertificateFile {
        network: domain.network,
        certificate_type: identifier.type_code(),
        issuer: identifier.issuer(),
        certificate: certificate(domain, fields, facts(identifier.serial().as_str(), holder), 9),
        place: LinePlace { book: BookNumber(3), line: LineNumber(29_999 * 1024 + 417) },
        path: PagePath { lines: 1024, hashes: vec![Digest([0xab; 32]); 10] },
    }
}

pub fn terms(issued_secs: u64) -> Terms {
    Terms { issued_secs, lifetime_secs: 120, nonce: [3; 8], purpose: PurposeCode(2), challenge: None, assertion: None }
}

/// Makes the key with which the identity service signs for applications: its key 1.
pub const SERVICE_SEED: u8 = 21;

/// What the identity service, member 6, says of a phone ten minutes before a code is made.
pub fn statement(holder: &SecretKey, level: Assurance, issued_secs: u64) -> Statement {
    Statement {
        holder: holder.public(),
        service: MemberNumber(6),
        key: KeyNumber(1),
        level,
        time_secs: issued_secs - 600,
        valid_secs: 1800,
        token: [0x61; 16],
    }
}

/// Compares a value with a vector file; `FENGNI_WRITE_VECTORS=1` writes the file instead.
pub fn check_vectors(name: &str, value: &serde_json::Value) {
    let path = format!("{}/../spec/vectors/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = format!("{value:#}\n");
    if std::env::var_os("FENGNI_WRITE_VECTORS").is_some() {
        std::fs::write(&path, &text).expect("the vector folder is writable");
    }
    let kept = std::fs::read_to_string(&path).expect("the vector file is there");
    assert!(kept == text, "{name}.json differs from what this code computes");
}

/// Lines that stand around the ones a test is about.
pub fn filler(domain: &Domain, count: u64) -> Vec<Line> {
    let line = |number: u64| {
        let commitment = domain.digest("filler", &[&number.to_be_bytes()]);
        let mut line = Line::from_bytes(&[0; 48]);
        line.tag.0.copy_from_slice(&commitment.0[16..]);
        line.commitment = commitment;
        line
    };
    (0..count).map(line).collect()
}
