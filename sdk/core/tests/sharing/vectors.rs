//! Vectors of what is beside the ledger, shared with other languages.

use fengni_core::code::CodeError;
use fengni_core::sharing::*;
use fengni_core::*;
use serde_json::{Map, Value, json};

use crate::common::{domain, hex_of, vectors};
use crate::judging::{ALLOWED, stories};
use crate::receipts::{found, question, receipt, signed};
use crate::sample::{self, filler};
use crate::scene::*;

fn grant(terms: GrantTerms, algorithm: KeyAlgorithm) -> Value {
    let key = sample::key(algorithm, 31);
    let content = GrantContent::new(GrantTerms { holder: key.public(), ..terms }).expect("a whole notice");
    let secret = Secret([0x5e; 32]);
    let withdrawal = secret.withdrawal(&domain());
    let line = content.line(&domain(), &withdrawal);
    json!({
        "content": content,
        "encoded": hex::encode(codec::encode(&content)),
        "digest": content.digest(&domain()),
        "secret": secret,
        "withdrawal": withdrawal,
        "commitment": line.commitment,
        "tag": line.tag,
        "message": hex::encode(content.message(&domain(), &withdrawal)),
        "signature": content.sign(&domain(), &withdrawal, &key),
    })
}

fn grants() -> Value {
    let any_case = GrantTerms { case: None, separate_consent: false, ..grant_terms() };
    json!([grant(grant_terms(), KeyAlgorithm::P256), grant(any_case, KeyAlgorithm::Ed25519)])
}

type Change = fn(&mut GrantTerms);

fn refused_grants() -> Value {
    let changes: [(&str, Change); 9] = [
        ("nobody to reach", |g| g.contact.clear()),
        ("blanks for whom to reach", |g| g.contact = "\u{3000} ".into()),
        ("no item", |g| g.item.clear()),
        ("no method", |g| g.method.clear()),
        ("no kinds", |g| g.kinds.clear()),
        ("a kind twice", |g| g.kinds.push(g.kinds[1].clone())),
        ("no use", |g| g.kinds[0].uses = 0),
        ("an end before its beginning", |g| g.until = g.from),
        ("more than a year and a day", |g| g.until = Millis(g.from.0 + 366 * 86_400_000 + 1)),
    ];
    let refused = changes.map(|(why, change)| {
        let mut terms = grant_terms();
        change(&mut terms);
        assert!(GrantContent::new(terms.clone()).is_err(), "{why}");
        json!({ "why": why, "content": terms, "rule": "I-3" })
    });
    json!(refused)
}

fn identity() -> Value {
    let (world, file) = register();
    let identity = Identity::of(&domain(), &file, &[NUMBER]).expect("the file has the claim");
    let proven = world.prove(&[file.place]).verify(&domain(), &world.validators()).expect("a proof");
    let person = identity.open(&domain(), &proven, Some(&naming()), NOW).expect("in force");
    json!({
        "text": identity.to_text(),
        "place": identity.place(),
        "identifier": person.identifier.to_string(),
        "line": hex::encode(proven.line(file.place).expect("proven").bytes()),
        "key": person.key,
        "named": person.named,
    })
}

fn use_codes() -> Value {
    let code = |lifetime_secs| {
        let terms = UseTerms { lifetime_secs, ..use_terms() };
        let (digest, message) = (terms.digest(&domain()), terms.message(&domain()));
        let encoded = hex::encode(codec::encode(&terms));
        let text = terms.sign(&domain(), &holder()).expect("right terms").to_text();
        json!({ "text": text, "encoded": encoded, "digest": digest, "message": hex::encode(message) })
    };
    json!([code(120), code(300)])
}

/// A use code's text with other bytes in it.
fn refused_codes() -> Value {
    let code = use_terms().sign(&domain(), &holder()).expect("right terms").to_text();
    let bytes = base45::decode(&code[4..]).expect("base45");
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = bytes.clone();
        change(&mut bytes);
        format!("FU1:{}", base45::encode(&bytes))
    };
    let cases = [
        ("another prefix", code.replacen("FU1", "FC1", 1), "Y-1"),
        ("another version", with(&|bytes| bytes[1] = 2), "I-6"),
        ("fields that do not rise", with(&|bytes| (bytes[5], bytes[6]) = (2, 0)), "I-1"),
        ("a byte too many", with(&|bytes| bytes.push(0)), "X-2"),
        ("a byte too few", with(&|bytes| bytes.truncate(bytes.len() - 1)), "X-2"),
    ];
    let cases = cases.map(|(why, text, rule)| {
        let error = UseCode::parse(&text).err();
        assert!(matches!(error, Some(CodeError::Prefix { .. } | CodeError::Encoding(_))), "{why}: {error:?}");
        json!({ "why": why, "text": text, "rule": rule })
    });
    json!(cases)
}

fn access(scene: &Scene) -> Value {
    let signed = scene.signed();
    json!({
        "access": signed,
        "key": scene.signer.public(),
        "encoded": hex::encode(codec::encode(&signed.access)),
        "digest": signed.access.digest(&domain()),
        "message": hex::encode(signed.access.message(&domain())),
    })
}

/// What judging looks at, each part under its name.
fn facts(scene: &Scene) -> Map<String, Value> {
    let cited = scene.request.as_ref();
    let line = scene.line.map(|found| {
        json!({
            "commitment": found.line.commitment,
            "opener": found.opener,
            "is_withdrawn": found.is_withdrawn,
            "is_suspended": found.is_suspended,
        })
    });
    let person = scene.person.as_ref().map(|person| {
        json!({
            "identifier": person.identifier.to_string(),
            "certificate_type": person.certificate_type,
            "kind": person.kind,
            "named": person.named,
            "key": person.key,
        })
    });
    let facts = json!({
        "access": scene.signed(),
        "provider": scene.provider,
        "now": scene.now,
        "height": 1300,
        "is_fresh": scene.is_fresh,
        "requester": scene.requester,
        "request": cited.map(|cited| &cited.0),
        "resource": cited.map(|cited| &cited.1),
        "item": cited.map(|cited| &cited.2),
        "line": line,
        "person": person,
        "used": scene.used,
    });
    let Value::Object(facts) = facts else { unreachable!("written as an object") };
    facts
}

fn case(name: &str, start: &str, base: &Map<String, Value>, scene: &Scene, refusal: Option<AccessRefusal>) -> Value {
    let changed: Map<String, Value> = facts(scene).into_iter().filter(|(name, value)| base[name] != *value).collect();
    let counted = scene.outcome().ok().flatten();
    let counted = counted.map(|(counter, number)| json!([counter.warrant, counter.kind, number]));
    json!({ "name": name, "start": start, "changed": changed, "refusal": refusal, "counted": counted })
}

fn judged() -> Value {
    let starts = [
        ("grant", facts(&Scene::new())),
        ("use-code", facts(&Scene::with_code())),
        ("function", facts(&Scene::by_function())),
    ];
    // A story names the scene that it begins with by what its question rests on.
    let start_of = |scene: &Scene| match scene.access.questions[0].warrant {
        Warrant::Grant(_) => 0,
        Warrant::UseCode { .. } => 1,
        Warrant::None => 2,
    };
    let mut cases = Vec::new();
    let mut tell = |name, start: fn() -> Scene, change: fn(&mut Scene), refusal| {
        let mut scene = start();
        let (word, base) = &starts[start_of(&scene)];
        change(&mut scene);
        cases.push(case(name, word, base, &scene, refusal));
    };
    for (name, start, change) in ALLOWED {
        tell(name, start, change, None);
    }
    for (start, (name, change, refusal)) in stories() {
        tell(name, start, change, Some(refusal));
    }
    let starts: Map<String, Value> =
        starts.into_iter().map(|(name, facts)| (name.to_owned(), Value::Object(facts))).collect();
    json!({ "starts": starts, "cases": cases })
}

fn receipts() -> Value {
    let subject = value(SUBJECT);
    let mut queried = Scene::new();
    queried.access.mode = record::Mode::Batch;
    queried.access.questions[0].tests.clear();
    let refused = ResultCode::Refused(AccessRefusal::GrantWithdrawn);
    let of = |scene: &Scene, number, result| {
        let signed = signed(receipt(scene, number, result));
        let values = (!matches!(result, ResultCode::Refused(_) | ResultCode::NotFound)).then(found);
        let warrant = scene.access.questions[0].warrant.digest(&domain());
        json!({
            "receipt": signed,
            "encoded": hex::encode(codec::encode(&signed.receipt)),
            "digest": signed.receipt.digest(&domain()),
            "leaf": signed.receipt.leaf(&domain()),
            "subject": subject,
            "values": values,
            "warrant": warrant,
            "keys": { "provider": application(HRS).public(), "requester": application(YHR).public() },
        })
    };
    json!([
        of(&Scene::new(), 3, ResultCode::Yes),
        of(&queried, 4, ResultCode::Answered),
        of(&Scene::by_function(), 5, ResultCode::NotFound),
        of(&Scene::with_code(), 6, refused),
        of(&Scene::by_function(), 7, ResultCode::Refused(AccessRefusal::NoAnswer)),
    ])
}

fn batch() -> Value {
    let receipt = receipt(&Scene::new(), 3, ResultCode::Yes);
    let mut leaves: Vec<Digest> = filler(&domain(), 7).iter().map(|line| line.commitment).collect();
    leaves[2] = receipt.leaf(&domain());
    let batch = Batch::of(&domain(), 1, &leaves);
    let path = ReceiptPath::of(&domain(), 1, &leaves, receipt.number).expect("it is there");
    json!({
        "leaves": leaves,
        "number": receipt.number,
        "leaf": leaves[2],
        "path": path,
        "line": hex::encode(batch.line().bytes()),
    })
}

fn questions() -> Value {
    let bare = HolderQuestion { identity: None, ..question() };
    let told = [question(), bare].map(|question| {
        let message = hex::encode(question.message(&domain()));
        json!({ "signed": question.sign(&domain(), &holder()), "message": message })
    });
    json!(told)
}

#[test]
fn i1_to_i17_the_vectors_are_what_this_code_makes() {
    let made = json!({
        "network": domain().network,
        "grants": grants(),
        "refused_grants": refused_grants(),
        "identity": identity(),
        "use_codes": use_codes(),
        "refused_use_codes": refused_codes(),
        "accesses": [access(&Scene::new()), access(&Scene::with_code()), access(&Scene::by_function())],
        "judged": judged(),
        "receipts": receipts(),
        "batch": batch(),
        "holder_questions": questions(),
    });
    let stored = vectors("sharing", &made);
    // What is read from the file encodes to what the file says.
    for case in crate::common::cases(&stored, "grants") {
        let content: GrantContent = serde_json::from_value(case["content"].clone()).expect("a whole notice");
        assert_eq!(codec::encode(&content), hex_of(case, "encoded"));
    }
}
