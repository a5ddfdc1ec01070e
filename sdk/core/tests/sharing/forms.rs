//! Forms: what is no grant, no use code and no access, and what hostile bytes come to. Rules I-1 to I-9.

use std::fmt::Debug;

use fengni_core::code::CodeError;
use fengni_core::record::{AccessBasis, Mode};
use fengni_core::sharing::*;
use fengni_core::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::common::domain;
use crate::common::random::{Random, number};
use crate::receipts::{question, receipt, signed};
use crate::scene::*;

type Change<'a, T> = &'a dyn Fn(&mut T);

#[test]
fn i3_a_grant_says_all_that_its_holder_has_to_be_told() {
    let kind = |fields: &[u16], uses| GrantedKind {
        what: Granted::Resource { resource: MONTHS, fields: fields.to_vec(), mode: Mode::Verify },
        uses,
    };
    let day = 86_400_000;
    let (of, wrong) = (kind, |change: &dyn Fn(&mut GrantTerms)| {
        let mut terms = grant_terms();
        change(&mut terms);
        GrantContent::new(terms).err()
    });
    let cases: [(Option<GrantError>, Change<'_, GrantTerms>); 22] = [
        (None, &|_| ()),
        (None, &|g| g.case = None),
        (None, &|g| g.until = Millis(g.from.0 + 366 * day)),
        (None, &|g| g.contact = "一".repeat(100)),
        (Some(GrantError::Contact), &|g| g.contact.clear()),
        (Some(GrantError::Contact), &|g| g.contact = " \u{3000}".into()),
        (Some(GrantError::Contact), &|g| g.contact = "一".repeat(101)),
        (Some(GrantError::Contact), &|g| g.contact.push('\n')),
        (Some(GrantError::Item), &|g| g.item.clear()),
        (Some(GrantError::Item), &|g| g.item.push('-')),
        (Some(GrantError::Item), &|g| g.case = Some(String::new())),
        (Some(GrantError::Method), &|g| g.method.clear()),
        (Some(GrantError::Kinds), &|g| g.kinds.clear()),
        (Some(GrantError::Kinds), &|g| g.kinds = (0..17).map(|_| of(&[0], 1)).collect()),
        (Some(GrantError::Kinds), &|g| g.kinds = vec![of(&[0], 1), of(&[1], 1)]),
        (Some(GrantError::Kinds), &|g| g.kinds.push(g.kinds[0].clone())),
        (Some(GrantError::Kinds), &|g| g.kinds = vec![of(&[], 1)]),
        (Some(GrantError::Kinds), &|g| g.kinds = vec![of(&[1, 1], 1)]),
        (Some(GrantError::Uses), &|g| g.kinds[0].uses = 0),
        (Some(GrantError::Uses), &|g| g.kinds[0].uses = 10_001),
        (Some(GrantError::Period), &|g| g.until = g.from),
        (Some(GrantError::Period), &|g| g.until = Millis(g.from.0 + 366 * day + 1)),
    ];
    for (at, (expected, change)) in cases.into_iter().enumerate() {
        assert_eq!(wrong(change), expected, "{at}");
    }
}

#[test]
fn i5_a_presented_grant_has_no_secret_and_leads_to_its_line() {
    let file = grant_file(grant_terms());
    let presented = file.present(&domain());
    assert_eq!(presented.check(&domain()), Ok(()));
    let line = file.content.line(&domain(), &presented.withdrawal);
    assert_eq!(line.commitment, presented.commitment(&domain()));
    assert_eq!(line.commitment, grant_commitment(&domain(), &file.content.digest(&domain()), &[0x5e; 32]));
    let tag = domain().digest("grant-tag", &[&line.commitment.0]);
    assert_eq!(line.tag.0[..], tag.0[..16], "whoever knows the grant finds its line");
    let text = serde_json::to_string(&presented).expect("plain data");
    assert!(!text.contains(&hex::encode([0x5e; 32])));
    let other = Domain { network: NetworkId(Digest([8; 32])), ..domain() };
    assert_eq!(presented.check(&other), Err(GrantError::OtherNetwork));
    let resealed = PresentedGrant { withdrawal: secret_digest(&domain(), &[0x5f; 32]), ..presented.clone() };
    assert_eq!(resealed.check(&domain()), Err(GrantError::Signature), "signed with one secret");
    let elsewhere = PresentedGrant { network: other.network, ..presented };
    assert_eq!(elsewhere.check(&other), Err(GrantError::Signature), "signed for one network");
}

#[test]
fn i6_a_use_code_is_its_holders_word_for_a_short_time() {
    let sign = |change: fn(&mut UseTerms)| {
        let mut terms = use_terms();
        change(&mut terms);
        terms.sign(&domain(), &holder()).map(drop)
    };
    assert_eq!(sign(|_| ()), Ok(()));
    for change in
        [(|c| c.item.clear()) as fn(&mut UseTerms), |c| c.case.clear(), |c| c.fields.clear(), |c| c.fields = vec![1, 0]]
    {
        assert_eq!(sign(change), Err(UseCodeError::Form));
    }
    for secs in [0, 301] {
        let terms = UseTerms { lifetime_secs: secs, ..use_terms() };
        assert_eq!(terms.sign(&domain(), &holder()).map(drop), Err(UseCodeError::Lifetime));
    }
    assert_eq!(use_terms().sign(&domain(), &application(YHR)).map(drop), Err(UseCodeError::Signature));
    let wide = UseTerms { fields: (256..512).map(|field| field * 3).collect(), ..use_terms() };
    assert!(matches!(wide.sign(&domain(), &holder()), Err(UseCodeError::TooLarge { .. })));
    let code = use_terms().sign(&domain(), &holder()).expect("right terms");
    assert_eq!(UseCode::parse(&code.to_text()), Ok(code.clone()));
    assert!(matches!(UseCode::parse(&code.to_text().to_lowercase()), Err(CodeError::Prefix { .. })));
    assert!(matches!(Identity::parse(&code.to_text()), Err(CodeError::Prefix { .. })));
    let at = |secs: u64| code.check_time(Millis::from_secs(secs));
    let issued = use_terms().issued_secs;
    assert_eq!((at(issued - 30), at(issued + 150)), (Ok(()), Ok(())));
    assert_eq!((at(issued - 31), at(issued + 151)), (Err(UseCodeError::Early), Err(UseCodeError::Expired)));
}

#[test]
fn i8_an_access_whose_parts_disagree_is_none() {
    let function = |scene: &mut Scene| scene.access.basis = AccessBasis::Function;
    let batch = |scene: &mut Scene, count: usize| {
        scene.access.mode = Mode::Batch;
        scene.access.questions[0].tests.clear();
        scene.access.questions = vec![scene.access.questions[0].clone(); count];
    };
    let cases: [(Result<(), AccessError>, Change<'_, Scene>); 16] = [
        (Ok(()), &|_| ()),
        (Ok(()), &|s| batch(s, 100)),
        (Ok(()), &|s| s.access.questions[0].warrant = Warrant::None),
        (Err(AccessError::Case), &|s| s.access.item.clear()),
        (Err(AccessError::Case), &|s| s.access.case.clear()),
        (Err(AccessError::Case), &|s| s.access.case = "9".repeat(51)),
        (Err(AccessError::Fields), &|s| s.access.fields.clear()),
        (Err(AccessError::Fields), &|s| s.access.fields = vec![1, 0]),
        (Err(AccessError::Questions), &|s| s.access.questions.clear()),
        (Err(AccessError::Questions), &|s| s.access.questions.push(s.access.questions[0].clone())),
        (Err(AccessError::Questions), &|s| batch(s, 101)),
        (Err(AccessError::Tests), &|s| s.access.questions[0].tests.clear()),
        (Err(AccessError::Tests), &|s| s.access.questions[0].tests[0].field = 1),
        (Err(AccessError::Tests), &|s| s.access.mode = Mode::Query),
        (Err(AccessError::Tests), &|s| {
            let tests = &mut s.access.questions[0].tests;
            *tests = vec![tests[0].clone(); 33];
        }),
        (Err(AccessError::Warrant), &function),
    ];
    for (at, (expected, change)) in cases.into_iter().enumerate() {
        let mut scene = Scene::new();
        change(&mut scene);
        let written = serde_json::to_string(&scene.access).expect("plain data");
        assert_eq!(Access::new(scene.access).map(drop), expected, "{at}");
        assert_eq!(serde_json::from_str::<Access>(&written).is_ok(), expected.is_ok(), "{at}: read as it is made");
    }
}

/// A form's name, a right one, and what reads it and writes it back.
type Door = (&'static str, Value, fn(&str) -> Option<String>);

/// Every form that is sent as JSON.
fn doors() -> Vec<Door> {
    fn written<T: Serialize>(value: &T) -> Value {
        serde_json::to_value(value).expect("plain data")
    }
    fn read<T: DeserializeOwned + Serialize>(text: &str) -> Option<String> {
        serde_json::from_str::<T>(text).ok().map(|value| written(&value).to_string())
    }
    let file = grant_file(grant_terms());
    let asked = question();
    vec![
        ("grant file", written(&file), read::<GrantFile>),
        ("presented grant", written(&file.present(&domain())), read::<PresentedGrant>),
        ("access by a grant", written(&Scene::new().signed()), read::<SignedAccess>),
        ("access by a use code", written(&Scene::with_code().signed()), read::<SignedAccess>),
        ("receipt", written(&signed(receipt(&Scene::new(), 17, ResultCode::Yes))), read::<SidedReceipt>),
        ("holder's question", written(&asked.sign(&domain(), &holder())), read::<SignedHolderQuestion>),
        ("answer", written(&Answer { result: ResultCode::Answered, values: crate::receipts::found() }), read::<Answer>),
    ]
}

#[test]
fn i1_every_form_is_read_as_it_is_written_and_with_no_more() {
    for (name, value, read) in doors() {
        assert_eq!(read(&value.to_string()), Some(value.to_string()), "{name}");
        let mut more = value.clone();
        more["name"] = "A".into();
        assert_eq!(read(&more.to_string()), None, "{name}: with a field more");
        let fields = value.as_object().expect("an object");
        for field in fields.keys() {
            let mut fewer = fields.clone();
            fewer.remove(field);
            let text = Value::Object(fewer).to_string();
            // What may be left out says the same as when it is null.
            if let Some(again) = read(&text) {
                assert_ne!(again, value.to_string(), "{name}: without {field}");
                assert!(["provider", "requester"].contains(&field.as_str()), "{name}: without {field}");
            }
        }
    }
}

#[test]
fn i1_hostile_texts_end_in_an_answer() {
    let mut random = Random::new(number("FENGNI_SEED", 6));
    let rounds = number("FENGNI_MUTATIONS", 600);
    for (name, value, read) in doors() {
        let right = value.to_string();
        for _ in 0..rounds {
            let mut bytes = right.clone().into_bytes();
            random.harm(&mut bytes);
            let Ok(text) = String::from_utf8(bytes) else { continue };
            if let Some(again) = read(&text) {
                assert_eq!(read(&again), Some(again.clone()), "{name}: {text}");
            }
        }
    }
    let code = use_terms().sign(&domain(), &holder()).expect("right terms");
    let identity = grant_file(grant_terms()).identity;
    for _ in 0..rounds {
        for right in [code.to_text(), identity.to_text()] {
            let mut bytes = right.clone().into_bytes();
            random.harm(&mut bytes);
            let Ok(text) = String::from_utf8(bytes) else { continue };
            // What is read has that text and no other.
            if let Ok(code) = UseCode::parse(&text) {
                assert_eq!(code.to_text(), text);
                assert_eq!(code.check_signature(&domain()).is_ok(), text == right);
            }
            if let Ok(identity) = Identity::parse(&text) {
                assert_eq!(identity.to_text(), text);
            }
        }
    }
    for text in ["FU1:", "FI1:", "", "FU1:%%%", &format!("FI1:{}", "A".repeat(1 << 20))] {
        assert!(UseCode::parse(text).is_err() && Identity::parse(text).is_err());
    }
}

/// Every leaf of a JSON value, altered: a digit, a letter, a number, a truth.
fn altered(value: &Value, path: &mut Vec<String>, out: &mut Vec<(String, Value)>) {
    let put = |out: &mut Vec<(String, Value)>, new: Value| out.push((path.join("/"), new));
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| {
            path.push(name.clone());
            altered(value, path, out);
            path.pop();
        }),
        Value::Array(entries) => entries.iter().enumerate().for_each(|(at, value)| {
            path.push(at.to_string());
            altered(value, path, out);
            path.pop();
        }),
        Value::Number(number) => put(out, (number.as_u64().expect("unsigned") + 1).into()),
        Value::Bool(truth) => put(out, (!truth).into()),
        Value::String(text) => {
            // Digits after the algorithm's number, so that it stays a key or a signature where it can.
            for at in [0, 2, text.chars().count() / 2, text.chars().count() - 1] {
                let letter = |(place, letter): (usize, char)| match letter {
                    letter if place != at => letter,
                    '0' => '1',
                    '1' => '0',
                    'a' => 'b',
                    _ => '0',
                };
                put(out, text.chars().enumerate().map(letter).collect::<String>().into());
            }
        }
        Value::Null => (),
    }
}

fn replaced(value: &Value, path: &str, new: Value) -> Value {
    let mut value = value.clone();
    *value.pointer_mut(&format!("/{path}")).expect("it is there") = new;
    value
}

/// Changes each part of a form in turn; whatever is still read must be found out.
fn no_change_passes<T: Serialize + DeserializeOwned + PartialEq + Debug>(right: &T, holds: impl Fn(&T) -> bool) {
    let written = serde_json::to_value(right).expect("plain data");
    assert!(holds(right));
    let mut changes = Vec::new();
    altered(&written, &mut Vec::new(), &mut changes);
    assert!(changes.len() > 20);
    for (path, new) in changes {
        let changed = replaced(&written, &path, new.clone());
        if let Ok(changed) = serde_json::from_value::<T>(changed)
            && changed != *right
        {
            assert!(!holds(&changed), "{path} became {new}");
        }
    }
}

#[test]
fn i5_no_part_of_a_grant_can_be_altered() {
    let presented = grant_file(grant_terms()).present(&domain());
    let commitment = presented.commitment(&domain());
    let person = person();
    no_change_passes(&presented, |grant| {
        // Place and identity are held against the ledger: the line, and the certificate's.
        let of_ledger = grant.place == presented.place && grant.identity == presented.identity;
        grant.check(&domain()).is_ok() && grant.commitment(&domain()) == commitment && of_ledger
    });
    assert_eq!(person.key, *presented.identity.key());
}

#[test]
fn i9_no_part_of_an_access_can_be_altered() {
    for scene in [Scene::new(), Scene::with_code(), Scene::by_function()] {
        let digest = Access::new(scene.access.clone()).expect("an access").digest(&domain());
        let requester = member(YHR);
        no_change_passes(&scene.signed(), |access| {
            access.is_signed_by(&domain(), &requester, Height(1300)) && access.access.digest(&domain()) == digest
        });
    }
}

#[test]
fn i13_no_part_of_a_receipt_can_be_altered() {
    let both = signed(receipt(&Scene::new(), 17, ResultCode::Yes));
    let leaf = both.receipt.leaf(&domain());
    no_change_passes(&both, |receipt| {
        receipt.sides(&domain(), &member(HRS), &member(YHR), Height(1300)) == Sides::Both
            && receipt.receipt.leaf(&domain()) == leaf
    });
}

#[test]
fn i1_what_is_somebodys_is_never_printed() {
    let scene = Scene::new();
    let file = grant_file(grant_terms());
    let printed = [
        format!("{file:?} {:?} {:?} {:?}", file.present(&domain()), file.content, file.secret),
        format!("{:?} {:?} {:?}", scene.signed(), scene.access, scene.access.questions),
        format!("{:?} {:?}", scene.person, use_terms()),
        format!("{:?}", signed(receipt(&scene, 17, ResultCode::Yes))),
    ];
    for text in printed {
        for secret in [SUBJECT, CASE, ITEM, "林晓禾", "0990", "5e5e", "5a5a"] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}
