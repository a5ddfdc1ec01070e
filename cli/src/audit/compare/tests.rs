//! Nodes that agree, and nodes that fork, lie, lag or say nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use fengni_client::transport::{Request, Response, Transport};
use fengni_core::book::{Line, Subject, Tag};
use fengni_core::bytes::Bytes;
use fengni_core::codec;
use fengni_core::finality::{CommitCertificate, CommitSignature, VoteStep, vote_bytes};
use fengni_core::light::{Handover, Recovery};
use fengni_core::operation::{Ground, Operation, StandingChange};
use fengni_core::proof::Place;
use fengni_core::record::KeyPurpose;
use fengni_core::transaction::TransactionBody;
use fengni_core::{BookNumber, LineNumber, LinePlace, Millis, PageNumber, ReasonCode};
use fengni_genesis::sample;
use fengni_state::{MemoryRecords, Proposal, RecentIds, Records as _, State, assemble, prove};

use super::*;

const FOUNDED: Millis = Millis(1_767_196_800_000);
const VALIDATORS: [&str; 4] = ["GOV", "PSB", "AMR", "HRS"];

/// How a node misbehaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Mood {
    #[default]
    Honest,
    /// Does not answer.
    Silent,
    /// Has a state in which member 2 is another, and serves it under the true header.
    AlteredRecord,
    /// Has a state in which line 1 is disputed, and serves it under the true header.
    AlteredPage,
    /// Has another seal in its store than the one of its list.
    AlteredSeal,
    /// Has other lines in its store.
    AlteredLines,
    /// Signs headers from height 3 on with keys of its own.
    OwnQuorum,
    /// Keeps the states of its newest height only.
    Forgetful,
    /// Gives no proof of any state.
    NoProofs,
    /// Proves its shelves, and none of the seals.
    NoSeals,
    /// Gives no lines.
    NoLines,
    /// Gives half a line.
    HalfLines,
}

pub(in crate::audit) struct Final {
    pub(in crate::audit) header: FinalHeader,
    pub(in crate::audit) state: State,
}

/// A chain of the sample network, as one node has it.
#[derive(Clone)]
struct Fake {
    name: &'static str,
    mood: Mood,
    finals: Arc<Vec<Final>>,
    records: Arc<MemoryRecords>,
    altered: Option<State>,
}

pub(in crate::audit) fn genesis() -> Genesis {
    sample::network(FOUNDED, &sample::test_key).check().expect("the sample is right")
}

/// A book of PSB with three lines, and empty blocks up to a height.
///
/// - `fork`: the height from which on blocks are others.
pub(in crate::audit) fn chain(heights: u64, fork: Option<u64>) -> (Vec<Final>, MemoryRecords) {
    grow(heights, fork, |_, operation| operation)
}

fn grow(
    heights: u64,
    fork: Option<u64>,
    edit: impl Fn(u64, Option<Operation>) -> Option<Operation>,
) -> (Vec<Final>, MemoryRecords) {
    let genesis = genesis();
    let domain = genesis.domain();
    let mut state = State::found(domain, genesis.founding());
    let (mut records, mut recent, mut finals) = (MemoryRecords::default(), RecentIds::default(), Vec::<Final>::new());
    for height in 1..=heights {
        let late = u64::from(fork.is_some_and(|fork| height >= fork));
        let proposal = Proposal {
            clock: Millis(FOUNDED.0 + height * 1000 + late),
            proposer: MemberNumber(0),
            parent_certificate: finals.last().map(|last| last.header.certificate.clone()),
        };
        let asked = edit(height, operation(&state, height)).map(|operation| sign(&state, operation));
        let (checked, applied) = assemble(&state, &records, &recent, &(), proposal, asked);
        let header = checked.block.header.clone();
        let certificate = certify(&state, &header, VALIDATORS.len());
        records.write(&applied.writes);
        recent.push(checked.ids(), state.parameters().window);
        state = applied.state;
        finals.push(Final { header: FinalHeader { header, certificate }, state: state.clone() });
    }
    (finals, records)
}

fn operation(state: &State, height: u64) -> Option<Operation> {
    let line = |number: u8| Line { tag: Tag([number; 16]), commitment: Digest([number; 32]) };
    match height {
        1 => {
            let authority = state.authorities().iter().find(|authority| authority.member == MemberNumber(1));
            let division = authority.expect("the sample authorises PSB").division;
            let kind = sample::certificate_type("T-DL").expect("a sample type");
            Some(Operation::OpenBook { subject: Subject::Certificates { certificate_type: kind }, division })
        }
        2 => Some(Operation::Seal { book: BookNumber(0), lines: (1..4).map(line).collect() }),
        _ => None,
    }
}

fn dispute(state: &State, line: u64) -> Operation {
    let reasons = state.code_set("reasons").expect("the sample has reasons");
    let reason = ReasonCode(reasons.codes[0].code.parse().expect("reasons are numbers"));
    let place = LinePlace { book: BookNumber(0), line: LineNumber(line) };
    Operation::Change { place, change: StandingChange::Dispute, ground: Ground { reason, decision: Digest([7; 32]) } }
}

fn sign(state: &State, operation: Operation) -> Bytes {
    let slots = sample::key_slots();
    let slot =
        slots.iter().find(|slot| slot.member == "PSB" && slot.purpose == KeyPurpose::Issuing).expect("it issues");
    let salt = [u8::try_from(state.height().0).expect("few blocks"); 16];
    let (network, valid_until) = (state.domain().network, Height(state.height().0 + 5));
    let body = TransactionBody { network, member: MemberNumber(1), valid_until, salt, operation };
    let secret = sample::test_secret("PSB", KeyPurpose::Issuing, 0);
    Bytes(body.sign(state.domain(), &[(slot.number, &secret)]).encode())
}

fn certify(state: &State, header: &fengni_core::Header, signers: usize) -> CommitCertificate {
    let (domain, height) = (state.domain(), header.height);
    let block = header.id(domain);
    let signature = |(name, member): (&&str, u32)| {
        let message = vote_bytes(domain, VoteStep::Precommit, height, 0, Some(block), MemberNumber(member));
        let secret = sample::test_secret(name, KeyPurpose::Consensus, 0);
        CommitSignature { member: MemberNumber(member), signature: secret.sign(&message) }
    };
    let signatures = VALIDATORS.iter().zip(0..).map(signature).take(signers).collect();
    CommitCertificate { height, round: 0, block, signatures }
}

impl Fake {
    fn new(name: &'static str, heights: u64, fork: Option<u64>) -> Self {
        let (finals, records) = chain(heights, fork);
        Self { name, mood: Mood::Honest, finals: Arc::new(finals), records: Arc::new(records), altered: None }
    }

    fn moody(name: &'static str, heights: u64, mood: Mood) -> Self {
        let mut fake = Self { mood, ..Self::new(name, heights, None) };
        // What an altered database makes of the state: another operation came before.
        let states = |edit: &dyn Fn(u64, Option<Operation>) -> Option<Operation>| grow(heights, None, edit);
        let altered = match mood {
            Mood::AlteredRecord => {
                let mut founding = genesis().founding();
                founding.members[2].name.push('x');
                Some(State::found(genesis().domain(), founding))
            }
            Mood::AlteredPage => {
                let state = fake.finals[1].state.clone();
                let (finals, records) = states(&|height, asked| match height {
                    3 => Some(dispute(&state, 1)),
                    _ => asked,
                });
                fake.records = Arc::new(records);
                finals.last().map(|last| last.state.clone())
            }
            Mood::AlteredSeal => {
                let (_, records) = states(&|height, asked| match asked {
                    Some(Operation::Seal { book, mut lines }) if height == 2 => {
                        lines.pop();
                        Some(Operation::Seal { book, lines })
                    }
                    asked => asked,
                });
                fake.records = Arc::new(records);
                None
            }
            _ => None,
        };
        fake.altered = altered;
        fake
    }

    fn last(&self) -> u64 {
        self.finals.len() as u64
    }

    fn header(&self, height: u64) -> Option<FinalHeader> {
        let mut found = self.finals.get(usize::try_from(height.checked_sub(1)?).ok()?)?.header.clone();
        if self.mood == Mood::OwnQuorum && height >= 3 {
            found.header.time.0 += 7;
            found.certificate = certify(&self.finals[0].state, &found.header, 2);
        }
        Some(found)
    }

    fn answer(&self, path: &str) -> Option<Vec<u8>> {
        let (route, query) = path.split_once('?').unwrap_or((path, ""));
        let query: BTreeMap<&str, &str> = query.split('&').filter_map(|pair| pair.split_once('=')).collect();
        let parts: Vec<&str> = route.trim_start_matches("/v1/").split('/').collect();
        match parts[..] {
            ["headers", height] => {
                let height = if height == "latest" { self.last() } else { height.parse().ok()? };
                self.header(height).map(|found| codec::encode(&found))
            }
            ["handovers"] => Some(codec::encode(&Vec::<Handover>::new())),
            ["recoveries"] => Some(codec::encode(&Vec::<Recovery>::new())),
            ["proofs"] => {
                let height: u64 = query.get("height").map_or(Some(self.last()), |height| height.parse().ok())?;
                let header = self.header(height).filter(|_| self.mood != Mood::Forgetful || height == self.last())?;
                let state = self.altered.as_ref().unwrap_or(&self.finals[usize::try_from(height).ok()? - 1].state);
                let places = query.get("places")?.split(',').map(Place::parse).collect::<Option<Vec<Place>>>()?;
                let seals = places.iter().any(|place| matches!(place, Place::Seal(..)));
                if self.mood == Mood::NoProofs || (self.mood == Mood::NoSeals && seals) {
                    return None;
                }
                let FinalHeader { header, certificate } = header;
                Some(prove(state, &*self.records, header, certificate, places).ok()?.encode())
            }
            ["pages", ..] if self.mood == Mood::NoLines => None,
            ["pages", book, page] => {
                let (book, page) = (BookNumber(book.parse().ok()?), PageNumber(page.parse().ok()?));
                let mut bytes: Vec<u8> = self.records.lines(book, page).iter().flat_map(Line::bytes).collect();
                match self.mood {
                    Mood::AlteredLines => bytes[60] ^= 1,
                    Mood::HalfLines => bytes.truncate(60),
                    _ => (),
                }
                Some(bytes)
            }
            _ => None,
        }
    }
}

impl Transport for Fake {
    fn name(&self) -> &str {
        self.name
    }

    fn exchange(&self, request: &Request<'_>) -> Result<Response, String> {
        if self.mood == Mood::Silent {
            return Err("connection refused".to_owned());
        }
        Ok(match self.answer(&request.path) {
            Some(body) => Response { status: 200, body },
            None => {
                let kind = if self.mood == Mood::Forgetful { "height-not-kept" } else { "not-found" };
                let body = format!(r#"{{"type":"urn:fengni:problem:{kind}","status":404,"title":"not found"}}"#);
                Response { status: 404, body: body.into_bytes() }
            }
        })
    }
}

fn ask(nodes: &[Fake], question: &Question) -> Result<Compared> {
    let genesis = genesis();
    let peer = |fake: &Fake| Peer::new(fake.name.to_owned(), &genesis, Gateway::new(vec![Arc::new(fake.clone())]));
    compare(&mut nodes.iter().map(peer).collect::<Vec<_>>(), &genesis, question)
}

const NEWEST: Question = Question { from: Height(1), to: None, entries: false };
const ALL: Question = Question { from: Height(1), to: None, entries: true };

fn results(compared: &Compared) -> Vec<&'static str> {
    compared.nodes.iter().map(|shown| shown.result).collect()
}

fn named(compared: &Compared) -> Vec<&str> {
    compared.differences.iter().map(|entry| entry.entry.as_str()).collect()
}

#[test]
fn aud02_nodes_with_one_past_are_equal_also_where_one_is_older() {
    let nodes = [Fake::new("a", 7, None), Fake::new("b", 5, None), Fake::new("c", 7, None)];
    for question in [&NEWEST, &ALL] {
        let compared = ask(&nodes, question).expect("they answer");
        assert_eq!((compared.result, compared.height), ("equal", Some(Height(5))), "{compared:?}");
        assert_eq!(compared.nodes[0].newest, Some(Height(7)));
        assert!(compared.differences.is_empty() && compared.notes.is_empty(), "{compared:?}");
    }
    // A height that one has not reached is not decided by the others.
    let compared = ask(&nodes, &Question { to: Some(Height(6)), ..NEWEST }).expect("they answer");
    assert_eq!((compared.result, results(&compared)), ("undecided", vec!["equal", "behind", "equal"]));
    // States of long ago are not compared, and that is said.
    let nodes = [Fake::new("a", 5, None), Fake::moody("b", 7, Mood::Forgetful)];
    let compared = ask(&nodes, &NEWEST).expect("they answer");
    assert_eq!((compared.result, compared.notes.len()), ("equal", 1), "{compared:?}");
}

#[test]
fn aud02_a_fork_is_found_at_its_first_height_and_kept_as_evidence() {
    for fork in [1, 2, 4, 6, 7] {
        let nodes = [Fake::new("a", 7, None), Fake::new("b", 7, Some(fork))];
        let compared = ask(&nodes, &NEWEST).expect("they answer");
        assert_eq!((compared.result, results(&compared)), ("differ", vec!["differs", "differs"]), "{fork}");
        let parting = &compared.partings[0];
        assert_eq!((parting.height, parting.signed_both.len()), (Height(fork), 4), "{fork}");
        let evidence = parting.fork.as_ref().expect("both are final");
        let domain = genesis().domain();
        assert_eq!(evidence.first.header.height, evidence.second.header.height);
        assert_ne!(evidence.first.header.id(&domain), evidence.second.header.id(&domain));
        assert!(text(&compared).contains(&format!("fork: a and b show two final blocks at height {fork};")));
    }
    // Looked for from a height on, it is there at the latest.
    let nodes = [Fake::new("a", 7, None), Fake::new("b", 7, Some(2))];
    let compared = ask(&nodes, &Question { from: Height(5), ..NEWEST }).expect("they answer");
    assert_eq!(compared.partings[0].height, Height(5));
}

#[test]
fn aud02_a_node_that_shows_what_no_quorum_signed_is_named_and_the_others_are_equal() {
    let nodes = [Fake::new("a", 7, None), Fake::moody("b", 7, Mood::OwnQuorum), Fake::new("c", 7, None)];
    let compared = ask(&nodes, &NEWEST).expect("they answer");
    assert_eq!((compared.result, results(&compared)), ("differ", vec!["equal", "unproven", "equal"]));
    let parting = &compared.partings[0];
    assert_eq!((parting.height, &parting.fork), (Height(3), &None));
    assert!(text(&compared).contains("b shows no final block there"), "{}", text(&compared));
}

#[test]
fn aud02_a_node_whose_state_is_not_its_headers_is_named_with_the_entries() {
    let cases: [(Mood, &Question, &[&str]); 4] = [
        (Mood::AlteredPage, &NEWEST, &["book 0, page 0", "book 0, number of acts", "book 0, act heads of page 0"]),
        (Mood::AlteredSeal, &ALL, &["book 0, seal 0"]),
        (Mood::AlteredLines, &ALL, &["book 0, lines of page 0"]),
        (Mood::AlteredRecord, &NEWEST, &["members/2"]),
    ];
    for (mood, question, expected) in cases {
        for order in [[0, 1], [1, 0]] {
            let both = [Fake::new("a", 4, None), Fake::moody("b", 4, mood)];
            let nodes = order.map(|place| both[place].clone());
            let compared = ask(&nodes, question).expect("they answer");
            assert_eq!(compared.result, "differ", "{mood:?}: {compared:?}");
            let liar = compared.nodes.iter().find(|shown| shown.node == "b").expect("it was asked");
            assert_eq!(liar.result, "other-state", "{mood:?}: {compared:?}");
            let honest = compared.nodes.iter().find(|shown| shown.node == "a").expect("it was asked");
            assert_eq!(honest.result, "equal", "{mood:?}: {compared:?}");
            for entry in expected {
                assert!(named(&compared).contains(entry), "{mood:?}: {:?}", compared.differences);
            }
        }
    }
}

#[test]
fn aud02_a_node_that_keeps_its_state_back_is_not_equal() {
    let cases = [(Mood::NoProofs, &NEWEST), (Mood::NoProofs, &ALL), (Mood::NoSeals, &ALL), (Mood::NoLines, &ALL)];
    for (mood, question) in cases {
        let nodes = [Fake::new("a", 5, None), Fake::moody("b", 5, mood)];
        let compared = ask(&nodes, question).expect("they answer");
        assert_eq!((compared.result, results(&compared)), ("undecided", vec!["equal", "withheld"]), "{mood:?}");
        assert!(compared.nodes[1].reason.is_some() && compared.notes.is_empty(), "{mood:?}: {compared:?}");
    }
    // What cannot be read is another state, as it is of the shelves.
    let nodes = [Fake::new("a", 5, None), Fake::moody("b", 5, Mood::HalfLines)];
    let compared = ask(&nodes, &ALL).expect("they answer");
    assert_eq!((compared.result, results(&compared)), ("differ", vec!["equal", "other-state"]));
    assert_eq!(named(&compared), ["book 0, lines of page 0"]);
}

#[test]
fn aud02_whoever_does_not_answer_leaves_it_undecided_and_nobody_is_no_comparison() {
    let nodes = [Fake::new("a", 5, None), Fake::moody("b", 5, Mood::Silent)];
    let compared = ask(&nodes, &NEWEST).expect("one answers");
    assert_eq!((compared.result, results(&compared)), ("undecided", vec!["equal", "silent"]));
    let nodes = [Fake::moody("a", 5, Mood::Silent), Fake::moody("b", 5, Mood::Silent)];
    let error = ask(&nodes, &NEWEST).expect_err("nobody answers").to_string();
    assert!(error.contains("no node answers") && error.contains("next: "), "{error}");
    // A difference that is seen outweighs a node that is not.
    let nodes = [Fake::new("a", 5, None), Fake::moody("b", 5, Mood::Silent), Fake::new("c", 5, Some(2))];
    assert_eq!(ask(&nodes, &NEWEST).expect("two answer").result, "differ");
}
