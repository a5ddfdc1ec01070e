//! Who acts in a story: members with their keys, verifiers, and holders with their wallets.

use fengni_client::decision::Decision;
use fengni_client::gateway::Gateway;
use fengni_client::keys::{HeldKey, Passphrases};
use fengni_client::ledger::Ledger;
use fengni_client::submit::{Settlement, Signers, Submitter};
use fengni_client::transport::HttpOptions;
use fengni_client::verify::{Policy, Verifier};
use fengni_core::book::Subject;
use fengni_core::certificate::{Certificate, CertificateFile, ClaimValue, Facts, Grade, PagePath, Salt};
use fengni_core::id::{CertificateId, Serial, Version};
use fengni_core::light::LightClient;
use fengni_core::operation::{Ground, Operation};
use fengni_core::outcome::Effect;
use fengni_core::{
    BookNumber, Day, Domain, KeyAlgorithm, LineNumber, LinePlace, MemberNumber, PurposeCode, ReasonCode, SecretKey,
};
use fengni_genesis::{Genesis, sample};

use crate::network::Network;

impl Network {
    /// The founding document of the network.
    ///
    /// # Panics
    /// When it cannot be read.
    pub fn genesis(&self) -> Genesis {
        let bytes = std::fs::read(self.home().join("genesis.bin")).expect("sample wrote the genesis");
        Genesis::decode(&bytes).expect("sample wrote a genesis")
    }

    /// Reads through the gateways of these nodes, with a light client of its own.
    pub fn ledger(&self, nodes: &[&str]) -> Ledger {
        let urls: Vec<&str> = nodes.iter().map(|name| self.node(name).gateway.as_str()).collect();
        let gateway = Gateway::http(&urls, &HttpOptions::default()).expect("the map names URLs");
        let (light, clock) = (LightClient::from_checkpoint(self.genesis().checkpoint()), self.clock().clone());
        Ledger::new(light, gateway).with_clock(move || clock.now())
    }

    /// Submits through the relays of these nodes.
    pub fn submitter(&self, nodes: &[&str]) -> Submitter {
        let urls: Vec<&str> = nodes.iter().map(|name| self.node(name).relay.as_deref().expect("a validator")).collect();
        Submitter::new(Gateway::http(&urls, &HttpOptions::default()).expect("the map names URLs"))
    }

    /// Keys of a member: `purpose` is the file name's stem, such as `issuing`; one or two persons.
    ///
    /// # Panics
    /// When the member has no such keys.
    pub fn signers(&self, member: &str, purpose: &str, persons: usize) -> Signers {
        let names = ['a', 'b'][..persons].iter().map(|letter| format!("{purpose}-{letter}"));
        let names: Vec<String> = names.collect();
        self.signers_with(member, &names.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Keys of a member by the stems of their files, such as `issuing-b`.
    ///
    /// # Panics
    /// When the member has no such keys.
    pub fn signers_with(&self, member: &str, names: &[&str]) -> Signers {
        let folder = self.home().join("members").join(member).join("keys");
        let load = |name: &&str| {
            let file = folder.join(format!("{name}.json"));
            HeldKey::load(&file, &Passphrases::asked()).expect("sample wrote it")
        };
        let keys: Vec<HeldKey> = names.iter().map(load).collect();
        Signers::new(&keys).expect("keys of one member and purpose")
    }

    /// A member that acts, submitting and reading through one node.
    pub fn actor(&self, member: &str, purpose: &str, persons: usize, node: &str) -> Actor {
        Actor {
            ledger: self.ledger(&[node]),
            submitter: self.submitter(&[node]),
            signers: self.signers(member, purpose, persons),
        }
    }

    /// A verifier of a member, reading through these nodes.
    ///
    /// # Panics
    /// When the sample has no such member or purpose.
    pub fn verifier(&self, member: &str, purpose: &str, nodes: &[&str]) -> Verifier {
        let policy = Policy {
            verifier: sample::member(member).expect("a sample member"),
            purpose: purpose_code(purpose),
            min_grade: None,
            min_assurance: None,
        };
        Verifier::new(self.ledger(nodes), policy)
    }
}

/// The code of a sample purpose.
///
/// # Panics
/// When there is none of this name.
pub fn purpose_code(name: &str) -> PurposeCode {
    sample::purpose(name).unwrap_or_else(|| panic!("the sample has no purpose {name}"))
}

/// A member with keys at hand.
pub struct Actor {
    /// What it reads.
    pub ledger: Ledger,
    /// How it submits.
    pub submitter: Submitter,
    /// Its keys.
    pub signers: Signers,
}

impl Actor {
    /// Submits an operation and waits for its outcome.
    ///
    /// # Panics
    /// When there is no outcome.
    pub fn submit(&mut self, operation: Operation) -> Settlement {
        self.submitter.submit(&mut self.ledger, &self.signers, operation).expect("the ledger answers")
    }

    /// Submits an operation that must be done, and returns what it did.
    ///
    /// # Panics
    /// When it is refused.
    pub fn done(&mut self, operation: Operation) -> Effect {
        match self.submit(operation) {
            Settlement::Done { effect, .. } => effect,
            other => panic!("the ledger did not do it: {other:?}"),
        }
    }

    /// A reason with a decision document that this test made up.
    pub fn ground(&self, reason: u16) -> Ground {
        Decision::of(&self.ledger.domain(), b"decision of a test").expect("randomness").ground(ReasonCode(reason))
    }

    /// Opens the book for a sample type.
    ///
    /// # Panics
    /// When it is refused.
    pub fn open_book(&mut self, kind: &str, genesis: &Genesis) -> BookNumber {
        let certificate_type = sample::certificate_type(kind).expect("a sample type");
        let member = self.signers.member();
        let authority =
            genesis.authorities.iter().find(|a| a.member == member && a.certificate_type == certificate_type);
        let division = authority.expect("the member may issue the type").division;
        match self.done(Operation::OpenBook { subject: Subject::Certificates { certificate_type }, division }) {
            Effect::BookOpened { book } => book,
            other => panic!("another effect: {other:?}"),
        }
    }

    /// Seals certificates and gives them their places.
    ///
    /// # Panics
    /// When it is refused.
    pub fn seal(&mut self, book: BookNumber, files: &mut [CertificateFile]) {
        let domain = self.ledger.domain();
        let lines = files.iter().map(|file| file.line(&domain)).collect();
        let Effect::Sealed { first, .. } = self.done(Operation::Seal { book, lines }) else { panic!("another effect") };
        for (file, line) in files.iter_mut().zip(first.0..) {
            file.place = LinePlace { book, line: LineNumber(line) };
        }
    }
}

/// What a test certificate says of itself.
#[derive(Clone, Debug)]
pub struct Paper {
    /// The sample type, such as `T-DL`.
    pub kind: &'static str,
    /// The issuing member.
    pub issuer: &'static str,
    /// Serial.
    pub serial: String,
    /// Version.
    pub version: u16,
    /// Last day; `None` for ever.
    pub until: Option<Day>,
    /// Grade.
    pub grade: Grade,
}

impl Paper {
    /// A licence of the traffic police, in force for years.
    pub fn licence(number: u64) -> Self {
        Self {
            kind: "T-DL",
            issuer: "PSB",
            serial: format!("TEST{number:012}"),
            version: 1,
            until: Day::from_ymd(2040, 1, 1),
            grade: Grade::A,
        }
    }

    /// The certificate, with claims that repeat the labels of its fields, and its holder's key.
    /// It has no place until it is sealed.
    ///
    /// # Panics
    /// When the sample has no such type.
    pub fn certify(&self, genesis: &Genesis, domain: &Domain, holder: &SecretKey) -> CertificateFile {
        self.certify_from(issued(), genesis, domain, holder)
    }

    /// As [`Paper::certify`], in force from another day.
    ///
    /// # Panics
    /// When the sample has no such type.
    pub fn certify_from(&self, from: Day, genesis: &Genesis, domain: &Domain, holder: &SecretKey) -> CertificateFile {
        let kind = sample::certificate_type(self.kind).expect("a sample type");
        let schema = genesis.types[kind.0 as usize].schema(1).expect("a type has a first schema");
        self.certify_with(from, sample::values(schema, issued()), genesis, domain, holder)
    }

    /// As [`Paper::certify_from`], with these claims in the order of the type's first schema.
    pub(crate) fn certify_with(
        &self,
        from: Day,
        values: Vec<Option<ClaimValue>>,
        genesis: &Genesis,
        domain: &Domain,
        holder: &SecretKey,
    ) -> CertificateFile {
        let kind = sample::certificate_type(self.kind).expect("a sample type");
        let record = &genesis.types[kind.0 as usize];
        let schema = record.schema(1).expect("a type has a first schema");
        let facts = Facts {
            schema: 1,
            serial: Serial::parse(&self.serial).expect("a serial"),
            version: Version::new(self.version).expect("a version"),
            issued: issued(),
            from,
            until: self.until,
            grade: self.grade,
            holder: holder.public(),
        };
        let salts: Vec<Salt> = schema.claims.iter().map(|_| Salt(random())).collect();
        let certificate = Certificate::new(domain, schema, facts, values, &salts).expect("made by the rules");
        let issuer = sample::member(self.issuer).expect("a sample member");
        CertificateFile {
            network: domain.network,
            certificate_type: record.code,
            issuer: genesis.members[issuer.0 as usize].code,
            certificate,
            place: LinePlace { book: BookNumber(0), line: LineNumber(0) },
            path: PagePath::UNKNOWN,
        }
    }

    /// The full identifier.
    pub fn identifier(&self, genesis: &Genesis) -> CertificateId {
        let kind = sample::certificate_type(self.kind).expect("a sample type");
        let issuer: MemberNumber = sample::member(self.issuer).expect("a sample member");
        CertificateId::new(
            genesis.types[kind.0 as usize].code,
            genesis.members[issuer.0 as usize].code,
            Serial::parse(&self.serial).expect("a serial"),
            Version::new(self.version).expect("a version"),
        )
    }
}

/// The day on which papers are issued.
pub(crate) fn issued() -> Day {
    Day::from_ymd(2026, 3, 2).expect("a real day")
}

/// A holder's key.
///
/// # Panics
/// Without randomness.
pub fn holder_key(algorithm: KeyAlgorithm) -> SecretKey {
    fengni_client::keys::generate(algorithm).expect("randomness")
}

/// Random bytes.
///
/// # Panics
/// Without randomness.
pub fn random<const N: usize>() -> [u8; N] {
    fengni_client::random::random().expect("randomness")
}
