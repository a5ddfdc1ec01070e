//! Encoding and digests: exact bytes of every kind of value. Rules C-1 to C-4, D-1 to D-4, T-1 to
//! T-4, S-2: `sdk/spec/encoding.md`, `digests.md`, `transactions.md`, `standings.md`.

// Numbers in tests are small.
#![allow(clippy::cast_possible_truncation)]

mod common;

use std::fmt::Debug;

use common::world::{self, World};
use common::{cases, domain, governed, hex_of, shared, variant, vectors};
use fengni_core::block::{Block, Header, outcomes_digest, transactions_digest};
use fengni_core::book::{Book, Line, Seal, Subject, Tag};
use fengni_core::bytes::Bytes;
use fengni_core::codec::{self, DecodeError};
use fengni_core::id::{CertificateId, Division};
use fengni_core::operation::{Cause, Ground, Operation, StandingChange};
use fengni_core::outcome::{Decision, Effect, Outcome, Refusal};
use fengni_core::record::*;
use fengni_core::standing::{Act, ActHeads, Exception, Hold, Page, Standing, State};
use fengni_core::transaction::{Transaction, TransactionBody, TransactionError};
use fengni_core::*;
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

const LIMIT: usize = 1 << 20;

fn value<T: Serialize + bincode::Encode>(kind: &str, value: &T) -> Value {
    json!({ "type": kind, "value": value, "hex": hex::encode(codec::encode(value)) })
}

fn operations() -> Vec<Operation> {
    let ground = Ground { reason: ReasonCode(2), decision: Digest([0xd0; 32]) };
    let place = LinePlace { book: BookNumber(1), line: LineNumber(1025) };
    let (into, new, old) = (BookNumber(2), world::line(9), place);
    let change = |change| Operation::Change { place, change, ground };
    vec![
        Operation::OpenBook {
            subject: Subject::Certificates { certificate_type: TypeNumber(3) },
            division: Division::parse("3199").expect("right"),
        },
        Operation::Seal { book: BookNumber(1), lines: vec![world::line(0), world::line(1)] },
        change(StandingChange::Suspend { until: None }),
        change(StandingChange::Suspend { until: Some(Millis(1_772_500_000_000)) }),
        change(StandingChange::Return { hold: MemberNumber(4) }),
        change(StandingChange::Cancel),
        change(StandingChange::Annul),
        change(StandingChange::Revoke),
        change(StandingChange::TransferOut { target: MemberNumber(5) }),
        change(StandingChange::CancelTransfer),
        change(StandingChange::Expire),
        change(StandingChange::Dispute),
        change(StandingChange::ClearDispute),
        change(StandingChange::BlockKey),
        Operation::Supersede { old, into, new, cause: Cause::Renew, ground },
        Operation::Supersede { old, into, new, cause: Cause::Change, ground },
        Operation::Supersede { old, into, new, cause: Cause::Correct, ground },
        Operation::Rekey { old, new, ground },
        Operation::TransferIn { old, into, new, ground },
        Operation::Consume { place, ground },
        Operation::ProposeAgreement { terms: world::agreement().terms },
        Operation::SignAgreement { agreement: AgreementNumber(6), digest: Digest([0xee; 32]) },
        Operation::SuspendAgreement { agreement: AgreementNumber(6), ground },
        Operation::ResumeAgreement { agreement: AgreementNumber(6), ground },
        Operation::RevokeKey { member: MemberNumber(4), key: KeyNumber(5), from: Height(1200), ground },
        Operation::SuspendAuthority { authority: AuthorityNumber(6), ground },
        Operation::ResumeAuthority { authority: AuthorityNumber(6), ground },
        Operation::FileApplication { applicant: Box::new(governed::applicant()) },
        Operation::ReviewApplication { application: ApplicationNumber(2), confirm: true, ground },
        Operation::Vote { proposal: ProposalNumber(3), digest: Digest([0xee; 32]), approve: false },
        Operation::Withdraw { proposal: ProposalNumber(3) },
        Operation::RotateKey { key: Box::new(governed::new_key(KeyPurpose::Peer, 4)), from: Height(1300), ends: None },
        Operation::RotateKey {
            key: Box::new(governed::new_key(KeyPurpose::Issuing, 5)),
            from: Height(1300),
            ends: Some((KeyNumber(1), Height(1310))),
        },
        Operation::LiftOrder { order: OrderNumber(4), ground },
        Operation::Confirm { book: BookNumber(1), first: LineNumber(7), last: LineNumber(9), ground },
        Operation::Accuse { proof: Box::new(governed::double_signing()) },
        Operation::OpenBook { subject: Subject::Cases, division: Division::parse("3199").expect("right") },
        Operation::Step { place, ground, closes: true },
        Operation::DatedSeal { book: BookNumber(1), acted: Day(20_514), lines: vec![world::line(0)] },
    ]
    .into_iter()
    .chain(governed::measures().into_iter().map(|measure| Operation::Propose {
        measure: Box::new(measure),
        effective: Height(1400),
        ground,
    }))
    .chain(governed::scopes().into_iter().map(|scope| Operation::Order { scope, ground }))
    .chain(shared::operations())
    .collect()
}

fn effects() -> Vec<Effect> {
    vec![
        Effect::BookOpened { book: BookNumber(1) },
        Effect::Sealed { book: BookNumber(1), seal: SealNumber(2), first: LineNumber(1024), count: 3 },
        Effect::Acted {
            act: ActNumber(4),
            standing: Standing { state: State::Revoked, disputed: true, key_blocked: true },
        },
        Effect::Replaced { act: ActNumber(4), book: BookNumber(1), line: LineNumber(7) },
        Effect::Agreement { agreement: AgreementNumber(6), in_force: true },
        Effect::KeyRevoked { member: MemberNumber(4), key: KeyNumber(5), from: Height(1200), lines: 1025 },
        Effect::Authority { authority: AuthorityNumber(6), suspended: true },
        Effect::Application {
            application: ApplicationNumber(2),
            status: ApplicationStatus::Confirmed { by: MemberNumber(1), height: Height(12) },
        },
        Effect::Proposal { proposal: ProposalNumber(3), status: ProposalStatus::Open },
        Effect::KeyAdded { member: MemberNumber(4), key: KeyNumber(5), from: Height(1300) },
        Effect::Order { order: OrderNumber(4), lines: 1025, lifted: true },
        Effect::Confirmed { book: BookNumber(1), lines: 3 },
        Effect::Offence { offence: OffenceNumber(5) },
        Effect::Recovered { validators: 4 },
        Effect::DatedSealed {
            book: BookNumber(1),
            seal: SealNumber(2),
            first: LineNumber(1024),
            count: 3,
            due: Some(Day(20_521)),
        },
        Effect::DatedSealed { book: BookNumber(1), seal: SealNumber(2), first: LineNumber(0), count: 1, due: None },
    ]
}

/// Every type that stands on the ledger or travels in a proof, by the name vectors give it.
fn made() -> Value {
    let world = World::new(Suite::Standard);
    let domain = world.domain;
    let mut values = vec![
        value("parameters", &world::parameters()),
        value("member", &world::member(Suite::Standard, 1)),
        value("certificate-type", &world::certificate_type()),
        value("authority", &world::authority()),
        value("authority", &Authority { suspended: Some(MemberNumber(0)), ..world::authority() }),
        value("agreement", &world::agreement()),
        value("code-set", &world::code_set()),
        value("order", &governed::order()),
        value("offence", &governed::offence()),
        value("validator", world::validators(Suite::Standard).iter().next().expect("four")),
        value("header", &world.header),
        value("commit-certificate", &world.certificate()),
        value("seal", &world::seals()[1]),
        value("heads", &world::heads()[0]),
    ];
    values.extend(world::pages(&domain).iter().map(|page| value("page", page)));
    values.extend(shared::resources().iter().map(|resource| value("resource", resource)));
    values.extend(shared::items().iter().map(|item| value("item", item)));
    values.extend(shared::requests().iter().map(|request| value("request", request)));
    values.extend(shared::objections().iter().map(|objection| value("objection", objection)));
    values.extend(governed::applications().iter().map(|application| value("application", application)));
    values.extend(governed::proposals().iter().map(|proposal| value("proposal", proposal)));
    values.extend(world::acts().iter().map(|act| value("act", act)));
    let book = world.prove(&world::everywhere()[..4]).entries[3].bytes.0.clone();
    values.push(value("book", &Book::decode(&book).expect("a book")));
    values.extend(operations().iter().map(|operation| value("operation", operation)));
    let decisions = effects().into_iter().chain(shared::effects()).map(Decision::Done);
    let refused = [
        Decision::Refused { refusal: Refusal::DuplicateTag, detail: 3 },
        Decision::Refused { refusal: Refusal::MemberInactive, detail: 0 },
    ];
    let transaction = fengni_core::transaction::TransactionId(Digest([0x77; 32]));
    values.extend(decisions.chain(refused).map(|decision| value("outcome", &Outcome { transaction, decision })));
    values.push(value("transaction", &world::transaction(&domain, 0)));
    let block = Block {
        header: world.header.clone(),
        parent_certificate: None,
        transactions: vec![Bytes(world::transaction(&domain, 0).encode())],
    };
    values.push(value("block", &block));
    json!({
        "about": "Rules C-1 to C-4: one byte string for one value. Network: 32 bytes 46.",
        "values": values,
        "refused": refused_bytes(&domain),
    })
}

/// Bytes that are no value, with the rule that says so.
fn refused_bytes(domain: &Domain) -> Vec<Value> {
    let mut cases = Vec::new();
    let mut refuse = |kind: &str, why: &str, rule: &str, bytes: Vec<u8>| {
        let error = refusal_of(kind, &bytes).unwrap_or_else(|| panic!("{kind}: {why} is accepted"));
        cases.push(json!({ "type": kind, "why": why, "rule": rule, "hex": hex::encode(bytes), "error": error }));
    };
    let hold = |by: u32| Hold { by: MemberNumber(by), until: None };
    let odd = |place: u16, standing: Standing, holds: Vec<Hold>| Exception { place, standing, holds };
    let page =
        |lines: u16, exceptions: Vec<Exception>| codec::encode(&Page { lines, root: Digest([1; 32]), exceptions });
    let disputed = Standing { disputed: true, ..Standing::ACTIVE };
    let seal = world::seals()[0].encode();
    refuse("seal", "a byte too many", "C-3", [seal.clone(), vec![0]].concat());
    refuse("seal", "a byte too few", "C-2", seal[..seal.len() - 1].to_vec());
    let mut huge = seal.clone();
    let at = huge.len() - 4 - 8;
    huge[at..at + 8].fill(0xff);
    refuse("seal", "a length beyond the bytes", "C-2", huge);
    let act = world::acts()[0].encode();
    let mut bad = act.clone();
    bad[8] = 19;
    refuse("act", "no act has number 19", "C-2", bad);
    let mut bad = act.clone();
    bad[12] = 0x0b;
    refuse("act", "no state has nibble 11", "C-2", bad);
    let mut bad = act.clone();
    bad[12] = 0x40;
    refuse("act", "no flag has bit 6", "C-2", bad);
    let mut bad = act;
    let at = bad.len() - 1;
    bad[at] = 2;
    refuse("act", "an option that is neither 0 nor 1", "C-2", bad);
    refuse("page", "an exception twice", "S-2", page(9, vec![odd(3, disputed, vec![]), odd(3, disputed, vec![])]));
    refuse("page", "exceptions out of order", "S-2", page(9, vec![odd(4, disputed, vec![]), odd(3, disputed, vec![])]));
    refuse("page", "an exception beyond the lines", "S-2", page(3, vec![odd(3, disputed, vec![])]));
    refuse("page", "an exception that is none", "S-2", page(9, vec![odd(3, Standing::ACTIVE, vec![])]));
    refuse("page", "a body holds twice", "S-2", page(9, vec![odd(3, disputed, vec![hold(1), hold(1)])]));
    refuse("page", "holds out of order", "S-2", page(9, vec![odd(3, disputed, vec![hold(2), hold(1)])]));
    let heads = |places: &[u16]| {
        codec::encode(&ActHeads { heads: places.iter().map(|place| (*place, ActNumber(0))).collect() })
    };
    refuse("heads", "a line twice", "S-6", heads(&[3, 3]));
    refuse("heads", "lines out of order", "S-6", heads(&[4, 3]));
    let mut header = codec::encode(&World::new(Suite::Standard).header);
    header[2] = 9;
    refuse("header", "no suite has number 9", "D-4", header);
    let mut bad = codec::encode(&world::authority());
    bad[20] = b'x';
    refuse("authority", "a division with a letter", "ID-7", bad);
    let mut bad = codec::encode(&Effect::Agreement { agreement: AgreementNumber(6), in_force: true });
    let at = bad.len() - 1;
    bad[at] = 2;
    let done = [vec![0x77; 32], vec![0; 4], bad].concat();
    refuse("outcome", "a boolean that is neither 0 nor 1", "C-2", done);
    let transaction = world::transaction(domain, 0);
    let mut unsigned = transaction.clone();
    unsigned.signatures.clear();
    refuse("transaction", "no signature", "T-4", codec::encode(&unsigned));
    let mut reversed = transaction.clone();
    reversed.signatures.reverse();
    refuse("transaction", "keys out of order", "T-4", codec::encode(&reversed));
    let mut twice = transaction.clone();
    twice.signatures[1] = twice.signatures[0].clone();
    refuse("transaction", "one key twice", "T-4", codec::encode(&twice));
    let mut five = transaction.clone();
    five.signatures = (0..5)
        .map(|key| fengni_core::transaction::TransactionSignature { key: KeyNumber(key), ..five.signatures[0].clone() })
        .collect();
    refuse("transaction", "five signatures", "T-4", codec::encode(&five));
    let mut unknown = codec::encode(&transaction);
    unknown[32 + 4 + 8 + 16] = 99;
    refuse("transaction", "no operation has number 99", "C-2", unknown);
    let mut algorithm = codec::encode(&transaction);
    let at = algorithm.len() - 65;
    algorithm[at] = 9;
    refuse("transaction", "a signature of an unknown algorithm", "K-1", algorithm);
    cases
}

/// Why bytes are no value of a kind; `None` where they are one.
fn refusal_of(kind: &str, bytes: &[u8]) -> Option<String> {
    fn name<T>(read: Result<T, DecodeError>) -> Option<String> {
        read.err().map(|error| variant(&error))
    }
    fn plain<T: bincode::Encode + bincode::Decode<()>>(bytes: &[u8]) -> Option<String> {
        name(codec::decode::<T>(bytes, LIMIT))
    }
    match kind {
        "parameters" => name(Parameters::decode(bytes)),
        "member" => name(Member::decode(bytes)),
        "certificate-type" => name(CertificateType::decode(bytes)),
        "authority" => name(Authority::decode(bytes)),
        "agreement" => name(Agreement::decode(bytes)),
        "code-set" => name(CodeSet::decode(bytes)),
        "application" => name(Application::decode(bytes)),
        "proposal" => name(Proposal::decode(bytes)),
        "order" => name(Order::decode(bytes)),
        "offence" => name(Offence::decode(bytes)),
        "resource" => name(Resource::decode(bytes)),
        "item" => name(ServiceItem::decode(bytes)),
        "request" => name(Request::decode(bytes)),
        "objection" => name(Objection::decode(bytes)),
        "book" => name(Book::decode(bytes)),
        "page" => name(Page::decode(bytes)),
        "act" => name(Act::decode(bytes)),
        "heads" => name(ActHeads::decode(bytes)),
        "seal" => name(Seal::decode(bytes)),
        "block" => name(Block::decode(bytes)),
        "header" => plain::<Header>(bytes),
        "commit-certificate" => plain::<CommitCertificate>(bytes),
        "validator" => plain::<Validator>(bytes),
        "operation" => plain::<Operation>(bytes),
        "outcome" => plain::<Outcome>(bytes),
        "transaction" => match Transaction::decode(bytes) {
            Ok(_) => None,
            Err(TransactionError::Encoding(error)) => Some(variant(&error)),
            Err(error) => Some(variant(&error)),
        },
        other => panic!("no kind {other}"),
    }
}

/// Reads a vector's value from what people read, and holds it against its bytes.
fn same_both_ways(case: &Value) {
    fn check<T: bincode::Encode + bincode::Decode<()> + DeserializeOwned + PartialEq + Debug>(case: &Value) {
        let bytes = hex_of(case, "hex");
        let from_text: T =
            serde_json::from_value(case["value"].clone()).unwrap_or_else(|error| panic!("{case}: {error}"));
        let from_bytes: T = codec::decode(&bytes, LIMIT).unwrap_or_else(|error| panic!("{case}: {error}"));
        assert_eq!(from_text, from_bytes, "{case}");
        assert_eq!(codec::encode(&from_text), bytes, "{case}");
    }
    match case["type"].as_str().expect("a type") {
        "parameters" => check::<Parameters>(case),
        "member" => check::<Member>(case),
        "certificate-type" => check::<CertificateType>(case),
        "authority" => check::<Authority>(case),
        "agreement" => check::<Agreement>(case),
        "code-set" => check::<CodeSet>(case),
        "application" => check::<Application>(case),
        "proposal" => check::<Proposal>(case),
        "order" => check::<Order>(case),
        "offence" => check::<Offence>(case),
        "resource" => check::<Resource>(case),
        "item" => check::<ServiceItem>(case),
        "request" => check::<Request>(case),
        "objection" => check::<Objection>(case),
        "book" => check::<Book>(case),
        "page" => check::<Page>(case),
        "act" => check::<Act>(case),
        "heads" => check::<ActHeads>(case),
        "seal" => check::<Seal>(case),
        "block" => check::<Block>(case),
        "header" => check::<Header>(case),
        "commit-certificate" => check::<CommitCertificate>(case),
        "validator" => check::<Validator>(case),
        "operation" => check::<Operation>(case),
        "outcome" => check::<Outcome>(case),
        "transaction" => check::<Transaction>(case),
        other => panic!("no kind {other}"),
    }
}

#[test]
fn c1_to_c4_vectors_hold() {
    let file = vectors("encoding", &made());
    for case in cases(&file, "values") {
        same_both_ways(case);
        let kind = case["type"].as_str().expect("a type");
        let bytes = hex_of(case, "hex");
        assert_eq!(refusal_of(kind, &bytes), None, "{case}");
        // C-2 and C-3: no shorter and no longer string is a value.
        for cut in [1, bytes.len() / 2, bytes.len()] {
            assert!(refusal_of(kind, &bytes[..bytes.len() - cut]).is_some(), "{case}");
        }
        assert!(refusal_of(kind, &[bytes, vec![0]].concat()).is_some(), "{case}");
    }
    for case in cases(&file, "refused") {
        let kind = case["type"].as_str().expect("a type");
        let error = refusal_of(kind, &hex_of(case, "hex"));
        assert_eq!(error.as_deref(), case["error"].as_str(), "{case}");
    }
}

#[test]
fn c1_each_kind_has_its_limit() {
    let over = |limit: usize| vec![0; limit + 1];
    let too_long = |found: Option<String>| assert_eq!(found.as_deref(), Some("TooLong"));
    too_long(refusal_of("transaction", &over(limits::TRANSACTION_BYTES)));
    too_long(refusal_of("page", &over(limits::RECORD_BYTES)));
    too_long(refusal_of("member", &over(limits::RECORD_BYTES)));
    too_long(refusal_of("block", &over(limits::BLOCK_BYTES)));
}

#[test]
fn s2_the_fullest_page_still_fits_its_limit() {
    let holds: Vec<Hold> =
        (0..limits::HOLDS as u32).map(|by| Hold { by: MemberNumber(by), until: Some(Millis(u64::MAX)) }).collect();
    let standing = Standing { state: State::Active, disputed: true, key_blocked: true };
    let exceptions = (0..1024).map(|place| Exception { place, standing, holds: holds.clone() }).collect();
    let page = Page { lines: 1024, root: Digest::default(), exceptions };
    assert_eq!(Page::decode(&page.encode()), Ok(page));
}

#[test]
fn t1_a_full_seal_with_four_signatures_fits_its_limit() {
    let body = TransactionBody {
        network: domain().network,
        member: MemberNumber(1),
        valid_until: Height(9),
        salt: [0; 16],
        operation: Operation::Seal { book: BookNumber(0), lines: (0..1024).map(world::line).collect() },
    };
    let keys: Vec<SecretKey> = (0..4).map(|key| world::secret(Suite::Standard, 1, key)).collect();
    let numbered: Vec<_> = keys.iter().zip(0..).map(|(key, number)| (KeyNumber(number), key)).collect();
    let transaction = body.sign(&domain(), &numbered);
    assert_eq!(Transaction::decode(&transaction.encode()), Ok(transaction));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn standings_are_one_byte_each_way(byte in any::<u8>()) {
        match Standing::try_from(byte) {
            Ok(standing) => prop_assert_eq!(u8::from(standing), byte),
            Err(_) => prop_assert!(byte & 0x0f > 8 || byte & 0xc0 != 0),
        }
    }

    #[test]
    fn a_page_keeps_what_is_put_on_it(
        puts in prop::collection::vec((0u16..40, 0u8..0x40, prop::collection::btree_map(0u32..6, any::<Option<u64>>(), 0..4)), 0..60),
    ) {
        let mut page = Page { lines: 40, root: Digest::default(), exceptions: vec![] };
        let mut plain = vec![(Standing::ACTIVE, vec![]); 40];
        for (place, byte, holds) in puts {
            let Ok(standing) = Standing::try_from(byte) else { continue };
            let holds: Vec<Hold> = holds.into_iter().map(|(by, until)| Hold { by: MemberNumber(by), until: until.map(Millis) }).collect();
            page.set(place, standing, holds.clone());
            plain[usize::from(place)] = (standing, holds);
            let read = Page::decode(&page.encode());
            prop_assert_eq!(read.as_ref(), Ok(&page));
            for (at, (standing, holds)) in plain.iter().enumerate() {
                let found = page.standing(at as u16);
                prop_assert_eq!((found.0, found.1.to_vec()), (*standing, holds.clone()));
            }
        }
    }
}

// --- digests ----------------------------------------------------------------------------------

fn made_digests() -> Value {
    let (domain, suite) = (domain(), Suite::Standard);
    let digest = |kind: &str, parts: &[&[u8]]| {
        let message = domain.message(kind, parts);
        assert_eq!(domain.digest(kind, parts), suite.hash(&[&message]));
        json!({ "kind": kind, "parts": parts.iter().map(hex::encode).collect::<Vec<_>>(), "message": hex::encode(&message), "digest": domain.digest(kind, parts) })
    };
    let world = World::new(suite);
    let identifier: CertificateId =
        "1.2.156.3005.2.11100000XN0000012G001.11319900XN0100021G.20260302000000000001.001.N".parse().expect("right");
    let (left, right) = (suite.leaf(b"left"), suite.leaf(b"right"));
    let transactions: Vec<Bytes> = (0..3).map(|number| Bytes(world::transaction(&domain, number).encode())).collect();
    let hexes = |bytes: &[Bytes]| bytes.iter().map(|bytes| hex::encode(&bytes.0)).collect::<Vec<_>>();
    let outcomes: Vec<Bytes> = world.outcomes.iter().map(|outcome| Bytes(outcome.encode())).collect();
    let pages = [1u64, 2, 5, 1024].map(|count| {
        let lines: Vec<Line> = (0..count).map(world::line).collect();
        json!({ "lines": count, "root": fengni_core::book::page_root(&domain, &lines) })
    });
    let days = [0u64, 57_599_999, 57_600_000, 1_772_380_799_999, 1_772_380_800_000].map(|millis| {
        let day = Day::of(Millis(millis));
        json!({ "millis": millis, "day": day, "date": day.to_string() })
    });
    json!({
        "about": "Rules D-1 to D-4, B-2, B-3, H-2 to H-4, R-1. Network: 32 bytes 46.",
        "network": domain.network.to_string(),
        "domain": [
            digest("list", &[&[2], &5u64.to_be_bytes(), &[0xaa; 32]]),
            digest("tag", &[identifier.to_string().as_bytes()]),
            digest("header", &[&codec::encode(&world.header)]),
            digest("commit-certificate", &[&codec::encode(&world.certificate())]),
            digest("transaction", &[&codec::encode(&world::transaction(&domain, 0).body)]),
            digest("agreement", &[&codec::encode(&world::agreement().terms)]),
            digest("sign-transaction", &[&[0x77; 32]]),
        ],
        "founding": {
            "about": "before there is a network, its id is 32 zero bytes",
            "parts": ["67656e65736973"],
            "digest": Domain::founding(suite).digest("genesis", &[b"genesis"]),
        },
        "leaves": [
            { "entry": "", "digest": suite.leaf(b"") },
            { "entry": hex::encode(b"left"), "digest": left },
            { "entry": hex::encode(world::line(0).bytes()), "digest": world::line(0).digest(&domain) },
        ],
        "nodes": [{ "left": left, "right": right, "digest": suite.node(&left, &right) }],
        "empty": suite.hash(&[]),
        "tags": [{ "identifier": identifier.to_string(), "tag": hex::encode(Tag::of(&domain, &identifier).0) }],
        "pages": pages,
        "transactions": { "entries": hexes(&transactions), "digest": transactions_digest(&domain, &transactions) },
        "outcomes": { "entries": hexes(&outcomes), "digest": outcomes_digest(&domain, &world.outcomes) },
        "days": days,
    })
}

#[test]
fn d1_to_d4_vectors_hold() {
    let file = vectors("digests", &made_digests());
    for case in cases(&file, "domain") {
        let parts: Vec<Vec<u8>> = case["parts"]
            .as_array()
            .expect("parts")
            .iter()
            .map(|part| hex::decode(part.as_str().expect("text")).expect("hexadecimal"))
            .collect();
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        let digest = domain().digest(case["kind"].as_str().expect("a kind"), &parts);
        assert_eq!(digest.to_string(), case["digest"].as_str().expect("a digest"));
    }
}

#[test]
fn d1_nothing_is_two_things_at_once() {
    // SEC-08: kind, network and suite each change the digest of the same parts.
    let parts: &[&[u8]] = &[b"the same"];
    let mut other = domain();
    other.network.0.0[31] ^= 1;
    let digests = [
        domain().digest("list", parts),
        domain().digest("tag", parts),
        other.digest("list", parts),
        common::domain_of(Suite::Trial).digest("list", parts),
        Suite::Standard.leaf(b"the same"),
        Suite::Standard.hash(parts),
    ];
    for (number, digest) in digests.iter().enumerate() {
        assert!(!digests[..number].contains(digest), "{number}");
    }
    // A kind that begins as another does not run into it: a zero byte ends each.
    assert_ne!(domain().message("vote", &[b"s"]), domain().message("votes", &[]));
}

// --- transactions -----------------------------------------------------------------------------

fn made_transactions() -> Value {
    let domain = domain();
    let keys = [world::secret(Suite::Standard, 1, 0), world::secret(Suite::Standard, 1, 1)];
    let signed = operations().into_iter().zip(0u8..).map(|(operation, number)| {
        let body = TransactionBody {
            network: domain.network,
            member: MemberNumber(1),
            valid_until: Height(20),
            salt: [number; 16],
            operation,
        };
        let id = body.id(&domain);
        let message = domain.message("sign-transaction", &[&id.0.0]);
        let transaction = body.sign(&domain, &[(KeyNumber(0), &keys[0]), (KeyNumber(1), &keys[1])]);
        json!({
            "transaction": transaction, "id": id.0, "body": hex::encode(codec::encode(&transaction.body)),
            "message": hex::encode(message), "hex": hex::encode(transaction.encode()),
        })
    });
    let good = world::transaction(&domain, 0);
    let mut refused = Vec::new();
    let mut refuse = |why: &str, rule: &str, height: u64, transaction: &Transaction| {
        let error = judge(&transaction.encode(), height).err().unwrap_or_else(|| panic!("{why} is accepted"));
        refused.push(json!({ "why": why, "rule": rule, "height": height, "hex": hex::encode(transaction.encode()), "error": error }));
    };
    let with = |change: &dyn Fn(&mut Transaction)| {
        let mut other = good.clone();
        change(&mut other);
        other
    };
    refuse("another network", "T-3", 12, &with(&|other| other.body.network = NetworkId::default()));
    refuse("another salt than was signed", "T-4", 12, &with(&|other| other.body.salt[0] ^= 1));
    refuse("another member than signed", "T-4", 12, &with(&|other| other.body.valid_until.0 += 1));
    refuse(
        "the other key's signature",
        "T-4",
        12,
        &with(&|other| other.signatures[0].signature = other.signatures[1].signature),
    );
    refuse("a key the member does not have", "T-4", 12, &with(&|other| other.signatures[1].key = KeyNumber(7)));
    refuse("a key after its last height", "T-4", 13, &good);
    refuse("after its last height", "T-5", 21, &good);
    refuse("valid for longer than the window", "T-5", 9, &good);
    json!({
        "about": "Rules T-1 to T-5. Keys are by number: 0 is ed25519 from height 0, 1 is P-256 from height 0 to 12. The window is 10 heights. Network: 32 bytes 46.",
        "network": domain.network.to_string(),
        "keys": keys.iter().map(|key| key.public().to_string()).collect::<Vec<_>>(),
        "window": 10,
        "height": 12,
        "accepted": signed.collect::<Vec<_>>(),
        "refused": refused,
    })
}

/// Judges a transaction of the vectors' member at a height.
fn judge(bytes: &[u8], height: u64) -> Result<(), String> {
    let name = |error: TransactionError| variant(&error);
    let mut member = world::member(Suite::Standard, 1);
    member.keys.truncate(2);
    member.keys[1].until = Some(Height(12));
    let transaction = Transaction::decode(bytes).map_err(name)?;
    transaction.check_window(&domain(), Height(height), 10).map_err(name)?;
    let id = transaction.body.id(&domain());
    transaction.check_signatures(&domain(), id, &member, Height(height)).map_err(name)
}

#[test]
fn t1_to_t5_vectors_hold() {
    let file = vectors("transactions", &made_transactions());
    for case in cases(&file, "accepted") {
        let bytes = hex_of(case, "hex");
        assert_eq!(judge(&bytes, 12), Ok(()), "{case}");
        let transaction = Transaction::decode(&bytes).expect("accepted");
        assert_eq!(Some(transaction.body.id(&domain()).to_string().as_str()), case["id"].as_str());
    }
    for case in cases(&file, "refused") {
        let found = judge(&hex_of(case, "hex"), case["height"].as_u64().expect("a height"));
        assert_eq!(found.err().as_deref(), case["error"].as_str(), "{case}");
    }
}

#[test]
fn t2_a_signature_more_or_less_makes_no_second_transaction() {
    let transaction = world::transaction(&domain(), 0);
    let mut single = transaction.clone();
    single.signatures.pop();
    assert_eq!(single.body.id(&domain()), transaction.body.id(&domain()));
    assert_ne!(single.encode(), transaction.encode());
}
