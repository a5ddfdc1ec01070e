//! A small network to tell stories on: its members, its keys, and one door to the ledger.
//!
//! Every operation goes through a signed transaction and a block that is assembled, encoded,
//! checked and executed, as on a node. The text language of the stories is in [`story`].

// Each test file uses its own part of this module, and a test has nobody to export to.
#![allow(dead_code, unreachable_pub)]

pub mod deciding;
pub mod stored;
pub mod story;

use std::collections::BTreeMap;

use fengni_core::block::{Block, Header};
use fengni_core::bytes::Bytes;
use fengni_core::id::{CreditCode, Division, TypeCode};
use fengni_core::operation::Operation;
use fengni_core::outcome::Outcome;
use fengni_core::record::{
    Authority, CertificateType, Code, CodeSet, HolderKind, KeyPurpose, Member, MemberKey, MemberStatus, Parameters,
    Role, Roles, Voting, Weights,
};
use fengni_core::standing::{ActKind, ActKinds};
use fengni_core::transaction::{Transaction, TransactionBody};
use fengni_core::{
    AuthorityNumber, BlockId, CommitCertificate, CommitSignature, Day, Digest, Domain, Height, KeyAlgorithm, KeyNumber,
    MemberNumber, Millis, NetworkId, PublicKey, SecretKey, Suite, TypeNumber, ValidatorSet, VoteStep, vote_bytes,
};
use fengni_state::{Applied, Founding, MemoryRecords, Proposal, RecentIds, State, assemble, check, execute};

use stored::Stored;

/// 2026-03-02T00:00:00+08:00, a Monday.
pub const FOUNDED: Millis = Millis(1_772_380_800_000);

/// Members in order of their numbers: name, superior, roles, power.
///
/// Two chains of superiors, `council` and `ministry` at their tops; the court has its own superior.
pub const MEMBERS: [(&str, Option<&str>, &[Role], u64); 13] = [
    ("council", None, &[Role::Validator, Role::Regulator], 3),
    ("donghai", Some("council"), &[Role::Validator, Role::Regulator], 2),
    ("police", Some("donghai"), &[Role::Validator, Role::Issuer], 1),
    ("town", Some("police"), &[Role::Issuer], 0),
    ("ministry", None, &[Role::Validator, Role::Regulator], 2),
    ("yunshan", Some("ministry"), &[Role::Issuer], 0),
    ("highcourt", None, &[Role::Observer], 0),
    ("court", Some("highcourt"), &[Role::Observer], 0),
    ("tribunal", None, &[Role::Observer], 0),
    ("customs", Some("ministry"), &[Role::Verifier], 0),
    ("hall", None, &[Role::Verifier], 0),
    ("paused", Some("donghai"), &[Role::Issuer], 0),
    ("gone", Some("donghai"), &[Role::Issuer], 0),
];

/// Credit codes with right check characters, one a member: `sdk/spec/identifiers.md`.
const CODES: [&str; 13] = [
    "11319900XN0100013M",
    "11319900XN0100021G",
    "11319900XN010003X8",
    "11319900XN01000488",
    "11319900XN01000563",
    "12319900XN0100064T",
    "11339900XN0200014K",
    "11339900XN0200022E",
    "11339900XN02000309",
    "91319901MAXN00016B",
    "91319901MAXN000246",
    "91339901MAXN000329",
    "11100000000013338W",
];

/// Certificate types in order of their numbers.
pub const TYPES: [&str; 4] = ["licence", "permit", "closed", "pass"];
const TYPE_CODES: [&str; 4] =
    ["11100000XN0000012G001", "11100000XN0000020B001", "11100000XN00000398017", "11100000XN00000473002"];

/// Number of a member by its name.
pub fn member(name: &str) -> MemberNumber {
    let place = MEMBERS.iter().position(|member| member.0 == name);
    MemberNumber(place.unwrap_or_else(|| panic!("no member {name}")) as u32)
}

/// Number of a certificate type by its name.
pub fn kind(name: &str) -> TypeNumber {
    let place = TYPES.iter().position(|kind| *kind == name);
    TypeNumber(place.unwrap_or_else(|| panic!("no type {name}")) as u32)
}

/// A division.
pub fn division(text: &str) -> Division {
    Division::parse(text).expect("a division")
}

/// A day in `YYYY-MM-DD`.
pub fn day(text: &str) -> Day {
    Day::parse(text).expect("a real date")
}

/// A member's keys, by number: two of each purpose that signs transactions, and two issuing keys
/// that follow one another.
pub const KEYS: [(KeyPurpose, u64, Option<u64>); 12] = [
    (KeyPurpose::Consensus, 0, None),
    (KeyPurpose::Peer, 0, None),
    (KeyPurpose::Admin, 0, None),
    (KeyPurpose::Admin, 0, None),
    (KeyPurpose::Issuing, 0, None),
    (KeyPurpose::Issuing, 0, None),
    (KeyPurpose::Enforcement, 0, None),
    (KeyPurpose::Enforcement, 0, None),
    (KeyPurpose::Application, 0, None),
    (KeyPurpose::Application, 0, None),
    (KeyPurpose::Issuing, 0, Some(3)),
    (KeyPurpose::Issuing, 4, None),
];

/// The secret half of a member's key. Every second key is on the other curve, but for validators'.
pub fn secret(suite: Suite, member: MemberNumber, key: u16) -> SecretKey {
    let algorithm = match suite {
        Suite::Trial => KeyAlgorithm::Trial,
        Suite::Standard if key % 2 == 1 => KeyAlgorithm::P256,
        Suite::Standard => KeyAlgorithm::Ed25519,
    };
    let mut seed = [7; 32];
    seed[0] = u8::try_from(member.0).expect("few members") + 1;
    seed[1] = u8::try_from(key).expect("few keys") + 1;
    SecretKey::from_seed(algorithm, &seed).expect("a small scalar")
}

/// What the network begins with.
pub fn founding(suite: Suite) -> Founding {
    let members = MEMBERS.iter().zip(CODES).map(|((name, superior, roles, power), code)| {
        let number = member(name);
        let keys = KEYS.iter().zip(0..).map(|((purpose, from, until), key)| MemberKey {
            purpose: *purpose,
            key: secret(suite, number, key).public(),
            from: Height(*from),
            until: until.map(Height),
        });
        let authorities = AUTHORITIES.iter().zip(0..).filter(|(authority, _)| authority.0 == *name);
        Member {
            version: 1,
            code: CreditCode::parse(code).expect("a right credit code"),
            name: (*name).into(),
            division: division("31"),
            superior: superior.map(member),
            roles: Roles::of(roles),
            power: *power,
            status: match *name {
                "paused" => MemberStatus::Suspended,
                "gone" => MemberStatus::Removed,
                _ => MemberStatus::Active,
            },
            keys: keys.collect(),
            authorities: authorities.map(|(_, number)| AuthorityNumber(number)).collect(),
            agreements: Vec::new(),
            terminal_acts: (Day(0), 0),
        }
    });
    Founding {
        time: FOUNDED,
        parameters: Parameters {
            version: 1,
            window: 8,
            clock_ahead_millis: 5_000,
            online_age_secs: 15,
            trusting_period_secs: 1_209_600,
            // Room for many revocations of keys, the heaviest operations.
            block_weight: 800_000,
            member_weight: 600_000,
            weights: Weights { transaction: 10, line: 1, act: 5, record: 20 },
            solo_seal_lines: 4,
            terminal_acts_per_day: 3,
            validators_min: 4,
            voting: Voting { numerator: 2, denominator: 3, notice: 2, horizon: 1_000 },
            protocol: 1,
            recovery: None.into(),
        },
        members: members.collect(),
        types: TYPES.iter().zip(TYPE_CODES).map(|(name, code)| certificate_type(name, code)).collect(),
        authorities: AUTHORITIES.iter().map(authority).collect(),
        agreements: Vec::new(),
        codes: vec![
            codes("divisions", &["31", "3199", "319901", "33"]),
            codes("purposes", &["1", "2", "3"]),
            codes("reasons", &["1", "2"]),
        ],
    }
}

fn certificate_type(name: &str, code: &str) -> CertificateType {
    let acts = match name {
        // A permit can only be withheld and given back, marked, and replaced by correction.
        "permit" => ActKinds::of(&[ActKind::Suspend, ActKind::Return, ActKind::Dispute, ActKind::Correct]),
        "pass" => ActKinds::of(&[ActKind::Consume, ActKind::Suspend, ActKind::Return, ActKind::Cancel]),
        _ => ActKinds::all(),
    };
    CertificateType {
        version: 1,
        code: TypeCode::parse(code).expect("a right type code"),
        name: name.into(),
        holder: HolderKind::Person,
        enabled: name != "closed",
        sensitive: false,
        schemas: Vec::new(),
        acts,
        code_lifetime_secs: 60,
        offline_age_secs: 86_400,
        suspenders: vec![member("court"), member("customs")],
        revokers: vec![member("tribunal")],
        consumers: vec![member("customs")],
        purposes: Vec::new(),
        grant_purposes: Vec::new(),
        assurance: None,
    }
}

/// Authorities: member, type, division, first and last day, withheld.
const AUTHORITIES: [(&str, &str, &str, &str, &str, bool); 12] = [
    ("police", "licence", "31", "2026-01-01", "2030-12-31", false),
    ("police", "permit", "31", "2026-01-01", "2030-12-31", false),
    ("police", "closed", "31", "2026-01-01", "2030-12-31", false),
    ("police", "pass", "3199", "2026-03-02", "2026-03-03", false),
    ("town", "licence", "3199", "2026-01-01", "2030-12-31", false),
    ("town", "permit", "3199", "2026-01-01", "2030-12-31", true),
    ("yunshan", "licence", "33", "2026-01-01", "2030-12-31", false),
    ("paused", "licence", "31", "2026-01-01", "2030-12-31", false),
    ("gone", "licence", "31", "2026-01-01", "2030-12-31", false),
    ("hall", "licence", "31", "2026-01-01", "2030-12-31", false),
    ("yunshan", "pass", "33", "2026-01-01", "2030-12-31", false),
    ("police", "pass", "3199", "2026-03-04", "2026-03-04", true),
];

fn authority(row: &(&str, &str, &str, &str, &str, bool)) -> Authority {
    Authority {
        version: 1,
        member: member(row.0),
        certificate_type: kind(row.1),
        division: division(row.2),
        from: day(row.3),
        until: day(row.4),
        basis: "a list of 2022".into(),
        suspended: row.5.then(|| member("council")),
    }
}

fn codes(name: &str, codes: &[&str]) -> CodeSet {
    let codes = codes.iter().map(|code| Code { code: (*code).into(), name: format!("{name} {code}") }).collect();
    CodeSet { version: 1, name: name.into(), codes }
}

/// The network id of stories.
pub fn domain(suite: Suite) -> Domain {
    Domain { suite, network: NetworkId(Digest([0x5e; 32])) }
}

/// A block that is final, with what made it so.
#[derive(Clone)]
pub struct FinalBlock {
    pub block: Block,
    pub certificate: CommitCertificate,
}

/// A network of one process: every validator signs every block.
#[derive(Clone)]
pub struct Network {
    pub domain: Domain,
    pub state: State,
    pub records: MemoryRecords,
    pub recent: RecentIds,
    pub stored: Stored,
    pub blocks: Vec<FinalBlock>,
    /// Validators of the last block.
    pub validators: Option<ValidatorSet>,
    pub founding: Founding,
    salt: u64,
}

impl Network {
    pub fn new(suite: Suite) -> Self {
        Self::found(suite, founding(suite))
    }

    pub fn found(suite: Suite, founding: Founding) -> Self {
        let domain = domain(suite);
        let state = State::found(domain, founding.clone());
        Self {
            domain,
            stored: Stored::of(&state),
            state,
            records: MemoryRecords::default(),
            recent: RecentIds::default(),
            blocks: Vec::new(),
            validators: None,
            founding,
            salt: 0,
        }
    }

    /// A signed transaction, valid as long as the window allows.
    pub fn transaction(&mut self, member: MemberNumber, keys: &[u16], operation: Operation) -> Transaction {
        let until = Height(self.state.height().next().0 + self.state.parameters().window);
        let body = self.body(member, until, operation);
        self.sign(body, keys)
    }

    pub fn body(&mut self, member: MemberNumber, valid_until: Height, operation: Operation) -> TransactionBody {
        self.salt += 1;
        let mut salt = [0; 16];
        salt[..8].copy_from_slice(&self.salt.to_le_bytes());
        TransactionBody { network: self.domain.network, member, valid_until, salt, operation }
    }

    pub fn sign(&self, body: TransactionBody, keys: &[u16]) -> Transaction {
        let secrets: Vec<_> =
            keys.iter().map(|key| (KeyNumber(*key), secret(self.domain.suite, body.member, *key))).collect();
        let secrets: Vec<_> = secrets.iter().map(|(number, secret)| (*number, secret)).collect();
        body.sign(&self.domain, &secrets)
    }

    pub fn proposal(&self, clock: Millis) -> Proposal {
        let parent_certificate = self.blocks.last().map(|last| last.certificate.clone());
        Proposal { clock, proposer: member("council"), parent_certificate }
    }

    /// Assembles the next block, checks and executes its encoding, and makes it final.
    ///
    /// Returns the outcomes of the transactions that came into the block.
    pub fn next_block(&mut self, clock: Millis, candidates: Vec<Bytes>) -> Vec<Outcome> {
        let proposal = self.proposal(clock);
        let (made, tried) = assemble(&self.state, &self.records, &self.recent, &(), proposal, candidates);
        let block = Block::decode(&made.block.encode()).expect("a block reads its own bytes");
        assert_eq!(block, made.block);
        let validators = self.validators.as_ref();
        let checked = check(&self.state, &self.recent, &(), validators, Some(clock), block).expect("a right block");
        let applied = execute(&self.state, &self.records, &checked).expect("the proposer executed it the same way");
        assert_eq!((&applied.writes, &applied.outcomes), (&tried.writes, &tried.outcomes));
        assert_eq!(applied.state.root(), tried.state.root());
        let certificate = self.certificate(checked.block.header.height, checked.id);
        let ids = checked.ids();
        self.keep(checked.block, ids, &applied, certificate);
        applied.outcomes
    }

    pub fn keep(
        &mut self,
        block: Block,
        ids: Vec<fengni_core::transaction::TransactionId>,
        applied: &Applied,
        certificate: CommitCertificate,
    ) {
        self.validators = Some(self.state.next_validators());
        self.recent.push(ids, self.state.parameters().window);
        self.records.write(&applied.writes);
        self.stored.write(&applied.writes);
        self.state = applied.state.clone();
        self.blocks.push(FinalBlock { block, certificate });
    }

    /// A commit certificate of every validator.
    pub fn certificate(&self, height: Height, block: BlockId) -> CommitCertificate {
        let validators = self.state.next_validators();
        let signatures = validators.iter().map(|validator| {
            let message = vote_bytes(&self.domain, VoteStep::Precommit, height, 0, Some(block), validator.member);
            let member = self.state.member(validator.member).expect("a validator is a member");
            let number = member.keys.iter().position(|key| key.key == validator.key).expect("its own key");
            let secret = secret(self.domain.suite, validator.member, number as u16);
            CommitSignature { member: validator.member, signature: secret.sign(&message) }
        });
        CommitCertificate { height, round: 0, block, signatures: signatures.collect() }
    }

    pub fn last_header(&self) -> Header {
        self.blocks.last().expect("a block was made").block.header.clone()
    }

    /// Loading what was stored, and replaying every block, both give this state again (AUD-05).
    pub fn assert_rebuilds(&self) {
        let header = self.last_header();
        let loaded = State::load(self.domain, &header, &self.stored).expect("stored as written");
        assert_eq!(
            (loaded.root(), loaded.last(), loaded.time()),
            (self.state.root(), self.state.last(), self.state.time())
        );
        let mut again = Self::found(self.domain.suite, self.founding.clone());
        for FinalBlock { block, certificate } in &self.blocks {
            // Final blocks skip the clock.
            let validators = again.validators.as_ref();
            let checked = check(&again.state, &again.recent, &(), validators, None, block.clone()).expect("final");
            let applied = execute(&again.state, &again.records, &checked).expect("final");
            again.keep(block.clone(), checked.ids(), &applied, certificate.clone());
        }
        assert_eq!(again.state.root(), self.state.root());
        // A loaded state goes on as the one that was never stored.
        let (mut stayed, mut woken) = (self.clone(), self.clone());
        woken.state = loaded;
        let clock = Millis(self.state.time().0 + 1000);
        stayed.next_block(clock, Vec::new());
        woken.next_block(clock, Vec::new());
        assert_eq!(stayed.state.root(), woken.state.root());
    }
}

/// A public key that differs from every member's.
pub fn foreign_key() -> PublicKey {
    SecretKey::from_seed(KeyAlgorithm::Ed25519, &[0x99; 32]).expect("any 32 bytes").public()
}

/// Names with their numbers, for answers in stories.
pub type Names<T> = BTreeMap<String, T>;

/// Compares what this code makes with the vectors of that name, or writes them where that is asked for.
pub fn assert_vectors(name: &str, made: &serde_json::Value) {
    let path = format!("{}/../spec/vectors/{name}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("FENGNI_BLESS").is_some() {
        std::fs::write(&path, format!("{made:#}\n")).expect("the vectors' folder can be written");
    }
    let stored = std::fs::read_to_string(&path).expect("the vectors are there");
    let stored: serde_json::Value = serde_json::from_str(&stored).expect("JSON");
    assert!(stored == *made, "{name} says otherwise; next: FENGNI_BLESS=1 cargo test -p fengni-state");
}
