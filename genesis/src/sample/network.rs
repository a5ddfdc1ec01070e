//! The founding document of the sample network.

use fengni_core::certificate::Grade;
use fengni_core::record::KeyPurpose;
use fengni_core::record::Role::{
    self, Auditor, Identity, Issuer, Observer, Provider, Regulator, Requester, Validator, Verifier,
};
use fengni_core::record::{AgreementTerms, Term};
use fengni_core::{Day, MemberNumber, Millis, PublicKey, PurposeCode, TypeNumber};

use super::bodies::find;
use super::codes::{self, PURPOSES};
use super::keys::slots_of;
use super::types::{self, TYPES};
use crate::document::{AuthorityEntry, Document, KeyEntry, MemberEntry, NetworkEntry, ValidatorEntry};
use crate::founded;

/// Founding members in the order of their numbers: short name, superior, roles.
pub(super) const MEMBERS: [(&str, Option<&str>, &[Role]); 8] = [
    ("GOV", None, &[Validator, Verifier, Regulator, Auditor, Identity]),
    ("PSB", Some("GOV"), &[Validator, Issuer, Provider, Verifier]),
    ("AMR", Some("GOV"), &[Validator, Issuer, Provider, Verifier]),
    ("HRS", Some("GOV"), &[Validator, Provider, Requester, Verifier]),
    ("CIQ", Some("GOV"), &[Observer, Issuer, Verifier]),
    ("RES", Some("GOV"), &[Observer, Issuer, Provider, Verifier]),
    ("YGOV", None, &[Observer, Verifier, Regulator, Auditor, Identity]),
    ("YHD", Some("YGOV"), &[Observer, Requester, Verifier]),
];

/// Who issues what, and the rule it rests on.
const AUTHORITIES: [(&str, &str, &str); 4] = [
    ("PSB", "T-DL", "机动车驾驶证申领和使用规定(示例)"),
    ("AMR", "T-BL", "市场主体登记管理条例(示例)"),
    ("CIQ", "T-CL", "进出口商品检验法实施条例(示例)"),
    ("RES", "T-RE", "不动产登记暂行条例(示例)"),
];

/// The sample network's founding document.
///
/// - `founded`: when; the first block must be later.
/// - `key`: the public key of a member for a purpose, counted from 0: see
///   [`super::key_slots`]. [`super::test_key`] serves for tests.
///
/// Authorities run from 2020 to 2045. There are no agreements: the demonstration proposes and
/// signs [`agreement_terms`] on the ledger.
pub fn network(founded: Millis, key: &dyn Fn(&str, KeyPurpose, usize) -> PublicKey) -> Document {
    let authority = |(member, kind, basis): (&str, &str, &str)| AuthorityEntry {
        member: member.to_owned(),
        certificate_type: kind.to_owned(),
        division: find(member).division.to_owned(),
        from: "2020-01-01".to_owned(),
        until: "2045-12-31".to_owned(),
        basis: basis.to_owned(),
    };
    let validators = MEMBERS.iter().filter(|(_, _, roles)| roles.contains(&Validator));
    Document {
        codes: codes::sets(),
        members: MEMBERS.iter().map(|(member, superior, roles)| entry(member, *superior, roles, key)).collect(),
        types: types::entries(),
        authorities: AUTHORITIES.into_iter().map(authority).collect(),
        validators: validators.map(|(member, ..)| ValidatorEntry { member: (*member).to_owned(), power: 1 }).collect(),
        ..Document::new(NetworkEntry {
            name: "东海云山电子证照互认示例网络(虚构)".to_owned(),
            suite: "standard".to_owned(),
            founded: founded::write(founded),
        })
    }
}

/// The member that joins the running network in journey J1: YHR, below YGOV.
pub fn joining(key: &dyn Fn(&str, KeyPurpose, usize) -> PublicKey) -> MemberEntry {
    entry("YHR", Some("YGOV"), &[Validator, Requester, Verifier], key)
}

fn entry(
    member: &'static str,
    superior: Option<&str>,
    roles: &[Role],
    key: &dyn Fn(&str, KeyPurpose, usize) -> PublicKey,
) -> MemberEntry {
    let body = find(member);
    let slots = slots_of(member).into_iter();
    let keys = slots
        .map(|slot| KeyEntry { purpose: slot.purpose, key: key(slot.member, slot.purpose, slot.index).to_string() });
    MemberEntry {
        key: body.key.to_owned(),
        code: body.code.to_owned(),
        name: body.name.to_owned(),
        division: body.division.to_owned(),
        superior: superior.map(ToOwned::to_owned),
        roles: roles.to_vec(),
        keys: keys.collect(),
    }
}

/// Number of a founding member of the sample network, by short name.
pub fn member(key: &str) -> Option<MemberNumber> {
    (0..).map(MemberNumber).zip(MEMBERS).find(|(_, (found, ..))| *found == key).map(|(number, _)| number)
}

/// Number of a certificate type of the sample network, by short name.
pub fn certificate_type(key: &str) -> Option<TypeNumber> {
    (0..).map(TypeNumber).zip(TYPES).find(|(_, found)| *found == key).map(|(number, _)| number)
}

/// Code of a purpose of the sample network, by name.
pub fn purpose(name: &str) -> Option<PurposeCode> {
    PURPOSES.into_iter().find(|(_, found)| *found == name).map(|(code, _)| PurposeCode(code))
}

/// What GOV and YGOV agree in journey J5: RA-2026-001, from 2026-01-01 to 2027-12-31.
///
/// For a network with another calendar, change `from` and `until`.
pub fn agreement_terms() -> AgreementTerms {
    let term = |kind: &str, name: &str| Term {
        certificate_type: certificate_type(kind).expect("a type of the sample"),
        purposes: vec![purpose(name).expect("a purpose of the sample")],
    };
    let party = |key: &str| member(key).expect("a member of the sample");
    AgreementTerms {
        label: "RA-2026-001".to_owned(),
        parties: vec![party("GOV"), party("YGOV")],
        terms: vec![term("T-DL", "交通执法"), term("T-BL", "企业开办"), term("T-RE", "住房补贴")],
        divisions: Vec::new(),
        min_grade: Grade::A,
        from: Day::from_ymd(2026, 1, 1).expect("a real date"),
        until: Day::from_ymd(2027, 12, 31).expect("a real date"),
    }
}
