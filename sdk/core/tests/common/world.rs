//! A tiny register, put together from core's own parts: what `fengni-state` would have after some
//! blocks, without its rules.

use std::collections::BTreeMap;

use fengni_core::assurance::Assurance;
use fengni_core::block::{Header, PROTOCOL_VERSION, outcomes_digest, transactions_digest};
use fengni_core::book::{
    Book, FormerKeeper, Line, ListHead, Seal, Subject, Suspension, SuspensionCause, Tag, page_root,
};
use fengni_core::bytes::Bytes;
use fengni_core::certificate::Grade;
use fengni_core::id::{CreditCode, Division, TypeCode};
use fengni_core::list::{ListKind, NumberedList};
use fengni_core::operation::{Ground, Operation};
use fengni_core::outcome::{Decision, Effect, Outcome, Refusal};
use fengni_core::proof::{BookList, Entry, OutcomeProof, Place, ShelfHead, StateProof};
use fengni_core::record::*;
use fengni_core::shelf::{Shelf, state_root};
use fengni_core::standing::{Act, ActHeads, ActKind, ActKinds, Hold, Page, Standing, State};
use fengni_core::transaction::{Transaction, TransactionBody};
use fengni_core::*;

/// A key of a member; the second of each pair is on the other curve.
pub fn secret(suite: Suite, member: u8, key: u8) -> SecretKey {
    let algorithm = match suite {
        Suite::Trial => KeyAlgorithm::Trial,
        Suite::Standard if key % 2 == 1 => KeyAlgorithm::P256,
        Suite::Standard => KeyAlgorithm::Ed25519,
    };
    let mut seed = [0x11; 32];
    (seed[0], seed[1]) = (member + 1, key + 1);
    SecretKey::from_seed(algorithm, &seed).expect("a small scalar")
}

/// Four validators with power 3, 2, 2, 1; the third one's consensus key is P-256.
pub fn validators(suite: Suite) -> ValidatorSet {
    let powers = [3, 2, 2, 1];
    let validators = (0..4u8).zip(powers).map(|(member, power)| Validator {
        member: MemberNumber(member.into()),
        key: secret(suite, member, u8::from(member == 2)).public(),
        power,
    });
    ValidatorSet::new(validators.collect()).expect("a set")
}

/// A certificate by these members.
pub fn certificate(domain: &Domain, height: Height, round: u32, block: BlockId, signers: &[u8]) -> CommitCertificate {
    let signatures = signers.iter().map(|member| {
        let number = MemberNumber(u32::from(*member));
        let message = vote_bytes(domain, VoteStep::Precommit, height, round, Some(block), number);
        let key = secret(domain.suite, *member, u8::from(*member == 2));
        CommitSignature { member: number, signature: key.sign(&message) }
    });
    CommitCertificate { height, round, block, signatures: signatures.collect() }
}

pub fn parameters() -> Parameters {
    Parameters {
        version: 1,
        window: 100,
        clock_ahead_millis: 5_000,
        online_age_secs: 15,
        trusting_period_secs: 1_209_600,
        block_weight: 40_000,
        member_weight: 20_000,
        weights: Weights { transaction: 10, line: 1, act: 5, record: 20 },
        solo_seal_lines: 64,
        terminal_acts_per_day: 50,
        validators_min: 4,
        voting: Voting { numerator: 2, denominator: 3, notice: 2, horizon: 1_000 },
        protocol: 1,
        recovery: None.into(),
    }
}

pub fn member(suite: Suite, number: u8) -> Member {
    let key = |purpose, key, from, until: Option<u64>| MemberKey {
        purpose,
        key: secret(suite, number, key).public(),
        from: Height(from),
        until: until.map(Height),
    };
    Member {
        version: 1,
        code: CreditCode::parse("11319900XN0100021G").expect("right"),
        name: "东海省公安厅交通管理局".into(),
        division: Division::parse("31").expect("right"),
        superior: (number > 0).then_some(MemberNumber(0)),
        roles: Roles::of(&[Role::Validator, Role::Issuer]),
        power: 1,
        status: MemberStatus::Active,
        keys: vec![
            key(KeyPurpose::Consensus, 0, 0, None),
            key(KeyPurpose::Issuing, 1, 0, Some(9)),
            key(KeyPurpose::Issuing, 2, 10, None),
        ],
        authorities: vec![AuthorityNumber(0)],
        agreements: vec![AgreementNumber(0)],
        terminal_acts: (Day(20_514), 2),
    }
}

pub fn certificate_type() -> CertificateType {
    CertificateType {
        version: 2,
        code: TypeCode::parse("11100000XN0000012G001").expect("right"),
        name: "机动车驾驶证".into(),
        holder: HolderKind::Person,
        enabled: true,
        sensitive: true,
        schemas: vec![Schema {
            claims: vec![
                ClaimSpec {
                    label: "准驾车型".into(),
                    required: true,
                    everyday: true,
                    sensitive: false,
                    max_bytes: 20,
                    derived: None,
                },
                ClaimSpec {
                    label: "出生日期".into(),
                    required: true,
                    everyday: false,
                    sensitive: true,
                    max_bytes: 10,
                    derived: None,
                },
                ClaimSpec {
                    label: "年满18周岁".into(),
                    required: false,
                    everyday: false,
                    sensitive: false,
                    max_bytes: 3,
                    derived: Some(Derived { from: 1, rule: DerivedRule::AgeAtIssue { years: 18 } }),
                },
            ],
            profiles: vec![Profile { name: "年龄".into(), claims: vec![0, 2] }],
            serial_bytes: 20,
        }],
        acts: ActKinds::of(&[ActKind::Suspend, ActKind::Return, ActKind::Renew]),
        code_lifetime_secs: 60,
        offline_age_secs: 86_400,
        suspenders: vec![MemberNumber(2)],
        revokers: vec![MemberNumber(3)],
        consumers: vec![],
        purposes: vec![PurposeCode(1), PurposeCode(7)],
        grant_purposes: vec![PurposeCode(7)],
        assurance: Some(Assurance::RealPerson),
    }
}

pub fn authority() -> Authority {
    Authority {
        version: 1,
        member: MemberNumber(1),
        certificate_type: TypeNumber(0),
        division: Division::parse("3199").expect("right"),
        from: Day(20_454),
        until: Day(22_279),
        basis: "制发清单".into(),
        suspended: None,
    }
}

pub fn agreement() -> Agreement {
    Agreement {
        version: 3,
        terms: AgreementTerms {
            label: "RA-2026-001".into(),
            parties: vec![MemberNumber(1), MemberNumber(3)],
            terms: vec![Term { certificate_type: TypeNumber(0), purposes: vec![PurposeCode(1), PurposeCode(2)] }],
            divisions: vec![Division::parse("31").expect("right")],
            min_grade: Grade::B,
            from: Day(20_500),
            until: Day(20_900),
        },
        parties: vec![
            Party { member: MemberNumber(1), signed: Some(Height(5)) },
            Party { member: MemberNumber(3), signed: None },
        ],
        status: AgreementStatus::Suspended { by: MemberNumber(0), since: Height(8) },
    }
}

pub fn code_set() -> CodeSet {
    let code = |code: &str, name: &str| Code { code: code.into(), name: name.into() };
    CodeSet { version: 1, name: "reasons".into(), codes: vec![code("1", "本人申请"), code("2", "依法撤销")] }
}

pub fn line(number: u64) -> Line {
    let mut line = Line { tag: Tag([0xab; 16]), commitment: Digest([0xcd; 32]) };
    line.tag.0[..8].copy_from_slice(&number.to_be_bytes());
    line.commitment.0[..8].copy_from_slice(&number.to_be_bytes());
    line
}

pub fn seals() -> Vec<Seal> {
    let seal = |first, count, height| Seal {
        first: LineNumber(first),
        count,
        height: Height(height),
        keys: vec![KeyNumber(1), KeyNumber(2)],
    };
    vec![seal(0, 1024, 3), seal(1024, 5, 4)]
}

pub fn acts() -> Vec<Act> {
    let disputed = Standing { disputed: true, ..Standing::ACTIVE };
    let suspended = Act {
        line: LineNumber(7),
        kind: ActKind::Suspend,
        from: Standing::ACTIVE,
        to: Standing::ACTIVE,
        reason: ReasonCode(2),
        decision: Digest([0xd1; 32]),
        height: Height(5),
        by: MemberNumber(2),
        keys: vec![KeyNumber(6)],
        hold: None,
        until: Some(Millis(1_772_500_000_000)),
        target: None,
        successor: None,
        previous: None,
    };
    let marked = Act {
        kind: ActKind::Dispute,
        to: disputed,
        by: MemberNumber(1),
        until: None,
        previous: Some(ActNumber(0)),
        ..suspended.clone()
    };
    let replaced = Act {
        line: LineNumber(1027),
        kind: ActKind::Renew,
        to: Standing { state: State::Superseded, ..Standing::ACTIVE },
        successor: Some(LinePlace { book: BookNumber(0), line: LineNumber(1028) }),
        until: None,
        ..suspended.clone()
    };
    vec![suspended, marked, replaced]
}

/// Everything of one state, and the block that led to it.
pub struct World {
    pub domain: Domain,
    pub header: Header,
    pub outcomes: Vec<Outcome>,
    shelves: Vec<(NumberedList, Vec<Vec<u8>>)>,
    book_lists: BTreeMap<BookList, (NumberedList, Vec<Vec<u8>>)>,
    lines: Vec<Line>,
}

fn listed(suite: Suite, kind: ListKind, entries: Vec<Vec<u8>>) -> (NumberedList, Vec<Vec<u8>>) {
    let mut list = NumberedList::new(suite, kind);
    for entry in &entries {
        list.append(entry);
    }
    (list, entries)
}

pub fn pages(domain: &Domain) -> Vec<Page> {
    let lines: Vec<Line> = (0..1029).map(line).collect();
    let root = |page: usize| page_root(domain, lines.chunks(1024).nth(page).expect("two pages"));
    let mut full = Page { lines: 1024, root: root(0), exceptions: vec![] };
    let disputed = Standing { disputed: true, ..Standing::ACTIVE };
    let until = Some(Millis(1_772_500_000_000));
    full.set(7, disputed, vec![Hold { by: MemberNumber(1), until: None }, Hold { by: MemberNumber(2), until }]);
    let mut open = Page { lines: 5, root: root(1), exceptions: vec![] };
    open.set(3, Standing { state: State::Superseded, ..Standing::ACTIVE }, vec![]);
    vec![full, open]
}

pub fn heads() -> Vec<ActHeads> {
    vec![ActHeads { heads: vec![(7, ActNumber(1))] }, ActHeads { heads: vec![(3, ActNumber(2))] }]
}

pub fn book(domain: &Domain, lists: &BTreeMap<BookList, (NumberedList, Vec<Vec<u8>>)>) -> Book {
    let head = |list: BookList| ListHead { size: lists[&list].0.len(), digest: lists[&list].0.digest(domain) };
    Book {
        version: 3,
        subject: Subject::Certificates { certificate_type: TypeNumber(0) },
        division: Division::parse("3199").expect("right"),
        issuer: CreditCode::parse("11319900XN0100021G").expect("right"),
        keeper: MemberNumber(1),
        opened: Height(2),
        changed: Height(7),
        lines: 1029,
        pages: head(BookList::Pages),
        seals: head(BookList::Seals),
        acts: head(BookList::Acts),
        heads: head(BookList::Heads),
        suspended: vec![suspension(1, 3, 7), suspension(1, 1024, 1028), suspension(2, 0, 1028)],
        former: vec![FormerKeeper { member: MemberNumber(1), until: Height(6), lines: 1028 }],
    }
}

fn suspension(key: u16, first: u64, last: u64) -> Suspension {
    let cause = SuspensionCause::Key { key: KeyNumber(key) };
    Suspension { cause, first: LineNumber(first), last: LineNumber(last) }
}

pub fn outcomes(domain: &Domain) -> Vec<Outcome> {
    let outcome = |number: u8, decision| Outcome { transaction: transaction(domain, number).body.id(domain), decision };
    vec![
        outcome(0, Decision::Done(Effect::BookOpened { book: BookNumber(0) })),
        outcome(
            1,
            Decision::Done(Effect::Sealed {
                book: BookNumber(0),
                seal: SealNumber(1),
                first: LineNumber(1024),
                count: 5,
            }),
        ),
        outcome(2, Decision::Refused { refusal: Refusal::DuplicateTag, detail: 3 }),
    ]
}

pub fn transaction(domain: &Domain, number: u8) -> Transaction {
    let body = TransactionBody {
        network: domain.network,
        member: MemberNumber(1),
        valid_until: Height(20),
        salt: [number; 16],
        operation: Operation::SuspendAgreement {
            agreement: AgreementNumber(0),
            ground: Ground { reason: ReasonCode(1), decision: Digest([0xd0; 32]) },
        },
    };
    let keys = [secret(domain.suite, 1, 0), secret(domain.suite, 1, 1)];
    body.sign(domain, &[(KeyNumber(0), &keys[0]), (KeyNumber(1), &keys[1])])
}

impl World {
    pub fn new(suite: Suite) -> Self {
        let domain = super::domain_of(suite);
        let encoded = |bytes: Vec<Vec<u8>>, kind| listed(suite, kind, bytes);
        let book_lists = BTreeMap::from([
            (BookList::Pages, encoded(pages(&domain).iter().map(Page::encode).collect(), ListKind::Pages)),
            (BookList::Seals, encoded(seals().iter().map(Seal::encode).collect(), ListKind::Seals)),
            (BookList::Acts, encoded(acts().iter().map(Act::encode).collect(), ListKind::Acts)),
            (BookList::Heads, encoded(heads().iter().map(ActHeads::encode).collect(), ListKind::Heads)),
        ]);
        let shelves: Vec<_> = Shelf::ALL
            .map(|shelf| match shelf {
                Shelf::Parameters => vec![parameters().encode()],
                Shelf::Members => (0..4).map(|number| member(suite, number).encode()).collect(),
                Shelf::Types => vec![certificate_type().encode()],
                Shelf::Authorities => vec![authority().encode()],
                Shelf::Agreements => vec![],
                Shelf::Books => vec![book(&domain, &book_lists).encode()],
                Shelf::Codes => vec![code_set().encode()],
                Shelf::Applications
                | Shelf::Proposals
                | Shelf::Orders
                | Shelf::Offences
                | Shelf::Resources
                | Shelf::Items
                | Shelf::Requests
                | Shelf::Objections => vec![],
            })
            .into_iter()
            .map(|entries| listed(suite, ListKind::Shelf, entries))
            .collect();
        let digests: Vec<Digest> = shelves.iter().map(|(list, _)| list.digest(&domain)).collect();
        let outcomes = outcomes(&domain);
        let transactions: Vec<Bytes> = (0..3).map(|number| Bytes(transaction(&domain, number).encode())).collect();
        let header = Header {
            version: PROTOCOL_VERSION,
            suite,
            network: domain.network,
            height: Height(12),
            time: Millis(1_772_400_000_123),
            parent: BlockId(Digest([0x0b; 32])),
            proposer: MemberNumber(2),
            transactions: transactions_digest(&domain, &transactions),
            outcomes: outcomes_digest(&domain, &outcomes),
            parent_certificate: Digest([0x0c; 32]),
            state_root: state_root(&domain, &digests),
            next_validators: validators(suite).digest(&domain),
        };
        Self { domain, header, outcomes, shelves, book_lists, lines: (0..1029).map(line).collect() }
    }

    pub fn certificate(&self) -> CommitCertificate {
        certificate(&self.domain, self.header.height, 1, self.header.id(&self.domain), &[0, 1, 2])
    }

    /// A proof of exactly these places, in the order given.
    pub fn prove(&self, places: &[Place]) -> StateProof {
        let mut roots = BTreeMap::new();
        let entries = places.iter().map(|place| {
            let mut in_list = |list: BookList, number: u64| {
                let (tree, entries) = &self.book_lists[&list];
                roots.insert((BookNumber(0), list), tree.root());
                (entries[number as usize].clone(), tree.path(number).expect("there"))
            };
            let (bytes, path) = match place {
                Place::Record(shelf, number) => {
                    let (tree, entries) = &self.shelves[*shelf as usize];
                    (entries[*number as usize].clone(), tree.path(u64::from(*number)).expect("there"))
                }
                Place::Page(_, page) => in_list(BookList::Pages, page.0),
                Place::Seal(_, seal) => in_list(BookList::Seals, seal.0),
                Place::Act(_, act) => in_list(BookList::Acts, act.0),
                Place::Heads(_, page) => in_list(BookList::Heads, page.0),
                Place::Line(_, line) => {
                    let page = self.lines.chunks(1024).nth(line.page().0 as usize).expect("two pages");
                    let leaves: Vec<Digest> = page.iter().map(|line| line.digest(&self.domain)).collect();
                    let path = fengni_core::tree::path(self.domain.suite, &leaves, usize::from(line.place()));
                    (self.lines[line.0 as usize].bytes().to_vec(), path.expect("there"))
                }
            };
            Entry { place: *place, bytes: Bytes(bytes), path }
        });
        let entries = entries.collect();
        let shelves = self.shelves.iter().map(|(list, _)| ShelfHead { size: list.len(), root: list.root() }).collect();
        StateProof {
            header: self.header.clone(),
            certificate: self.certificate(),
            shelves,
            roots: roots.into_iter().collect(),
            entries,
        }
    }

    pub fn outcome_proof(&self, place: u32) -> OutcomeProof {
        let leaves: Vec<Digest> =
            self.outcomes.iter().map(|outcome| self.domain.suite.leaf(&outcome.encode())).collect();
        OutcomeProof {
            header: self.header.clone(),
            certificate: self.certificate(),
            outcome: self.outcomes[place as usize].clone(),
            place,
            size: leaves.len() as u32,
            path: fengni_core::tree::path(self.domain.suite, &leaves, place as usize).expect("there"),
        }
    }
}

/// Places of every kind, in the order of a proof.
pub fn everywhere() -> Vec<Place> {
    let book = BookNumber(0);
    vec![
        Place::Record(Shelf::Parameters, 0),
        Place::Record(Shelf::Members, 2),
        Place::Record(Shelf::Types, 0),
        Place::Record(Shelf::Books, 0),
        Place::Page(book, PageNumber(0)),
        Place::Page(book, PageNumber(1)),
        Place::Seal(book, SealNumber(1)),
        Place::Act(book, ActNumber(1)),
        Place::Act(book, ActNumber(2)),
        Place::Heads(book, PageNumber(0)),
        Place::Line(book, LineNumber(7)),
        Place::Line(book, LineNumber(1027)),
    ]
}
