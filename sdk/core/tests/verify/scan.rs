//! One scan: a holder shows, a gateway proves, a verifier judges; and what can go wrong in between.

use fengni_core::assurance::{Assertion, Assurance, Statement};
use fengni_core::certificate::{Certificate, CertificateFile};
use fengni_core::code::{Code, Terms};
use fengni_core::id::{CertificateId, Serial};
use fengni_core::proof::{BookList, Place, Proven, StateProof};
use fengni_core::verdict::Verdict;
use fengni_core::verify::{Context, Mode, verify_code};
use fengni_core::{BookNumber, Domain, KeyAlgorithm, LinePlace, Millis, SecretKey};

use crate::sample::{self, BUSINESS, LICENCE};
use crate::world::*;

/// What somebody does to a code on its way.
pub type Tamper = Box<dyn Fn(&Scan, &mut Code)>;

pub struct Scan {
    pub world: World,
    /// The licence C1 of the sample data, and the phone that holds it.
    pub file: CertificateFile,
    pub phone: SecretKey,
    /// Another licence of the same holder, on the same phone.
    pub second: CertificateFile,
    /// A business licence of another department.
    pub business: CertificateFile,
    pub disclose: Vec<u16>,
    pub terms: Terms,
    pub tamper: Tamper,
    pub context: Context,
    /// Places the gateway leaves out of its proof.
    pub withheld: Box<dyn Fn(&Place) -> bool>,
}

impl Scan {
    pub fn new(domain: Domain, algorithm: KeyAlgorithm) -> Self {
        let mut world = World::new(domain);
        let phone = sample::key(algorithm, 5);
        let licence = |serial: &str, seed| sample::certificate(&domain, &LICENCE, sample::facts(serial, &phone), seed);
        let (first, second) = (licence("20260302000000000001", 1), licence("20260302000000000009", 2));
        let business = sample::certificate(&domain, &BUSINESS, sample::facts("319900202600004712", &phone), 3);
        world.seal_all(LICENCES, &sample::filler(&domain, 417));
        let mut file = world.issue(LICENCES, first);
        world.seal_all(LICENCES, &sample::filler(&domain, 700));
        let second = world.issue(LICENCES, second);
        let business = world.issue(BUSINESSES, business);
        file.path = world.path(file.place);
        let context = Context {
            domain,
            verifier: YHD,
            purpose: TRAFFIC,
            now: Millis::from_secs(SHOWN_SECS + 15),
            checkpoint_age_secs: 3600,
            min_grade: None,
            min_assurance: None,
            challenge: None,
            mode: Mode::Online,
        };
        Self {
            world,
            file,
            phone,
            second,
            business,
            disclose: vec![0, 1],
            terms: sample::terms(SHOWN_SECS),
            tamper: Box::new(|_, _| ()),
            context,
            withheld: Box::new(|_| false),
        }
    }

    pub fn standard() -> Self {
        Self::new(sample::domain(), KeyAlgorithm::P256)
    }

    /// Shows the business licence instead, for its own purpose.
    pub fn business(&mut self) {
        self.file = self.business.clone();
        self.terms.purpose = OPENING;
        self.context.purpose = OPENING;
    }

    /// Moves the verifier's clock and the ledger's to this many seconds after the code was made.
    pub fn at(&mut self, secs: u64) {
        self.context.now = Millis::from_secs(SHOWN_SECS + secs);
        self.world.time = self.context.now;
    }

    /// Moves everybody to noon of a day, long after or before the certificate was issued.
    pub fn on(&mut self, day: &str) {
        let noon = u64::from(sample::day(day).0) * 86_400 + 4 * 3600;
        self.terms.issued_secs = noon;
        self.context.now = Millis::from_secs(noon + 5);
        self.world.time = self.context.now;
    }

    /// An identity service has checked the holder, and the wallet says so.
    pub fn vouched(&mut self, level: Assurance) {
        self.vouched_with(level, sample::SERVICE_SEED, |_| ());
    }

    /// As [`Scan::vouched`], with another statement or by another key.
    pub fn vouched_with(&mut self, level: Assurance, seed: u8, change: impl FnOnce(&mut Statement)) {
        let mut statement = sample::statement(&self.phone, level, self.terms.issued_secs);
        change(&mut statement);
        let key = sample::key(KeyAlgorithm::Ed25519, seed);
        let signature = key.sign(&statement.message(&self.context.domain));
        // Whatever was signed, the code carries it for the phone's own key.
        statement.holder = self.phone.public();
        self.terms.assertion = Some(Assertion { statement, signature });
    }

    pub fn tampered(&mut self, tamper: impl Fn(&Scan, &mut Code) + 'static) {
        self.tamper = Box::new(tamper);
    }

    /// Signs a code anew, as a forger does who has a phone of their own.
    pub fn sign(&self, code: &mut Code, key: &SecretKey) {
        let header = code.header(&self.context.domain).expect("the siblings fit");
        let message = code.message(&self.context.domain, &header.commitment(&self.context.domain));
        code.signature = key.sign(&message);
    }

    /// Issues the licence again with other header facts, and shows that one.
    pub fn reissue(&mut self, change: impl FnOnce(&mut fengni_core::certificate::Facts)) {
        let mut facts = self.file.certificate.header().facts.clone();
        facts.serial = Serial::parse("20260302000000000077").expect("a serial");
        change(&mut facts);
        let certificate = sample::certificate(&self.context.domain, &LICENCE, facts, 4);
        self.file = self.world.issue(LICENCES, certificate);
    }

    /// A licence that replaces the one shown, with this version.
    pub fn next_version(&self, version: u16) -> Certificate {
        let mut facts = self.file.certificate.header().facts.clone();
        facts.version = fengni_core::id::Version::new(version).expect("a version");
        sample::certificate(&self.context.domain, &LICENCE, facts, 6)
    }

    pub fn code(&self) -> Code {
        let code = Code::show(&self.context.domain, &self.file, &self.phone, &self.disclose, true, self.terms);
        let mut code = code.expect("the holder's wallet works");
        (self.tamper)(self, &mut code);
        code
    }

    /// What a gateway gives for a place, as it arrives.
    pub fn proof(&self, place: LinePlace) -> StateProof {
        let successor = [self.second.place, self.business.place];
        let mut lines = vec![place];
        lines.extend(successor);
        let mut proof = self.world.prove(&lines);
        proof.entries.retain(|entry| !(self.withheld)(&entry.place));
        // A root that no entry uses would be refused.
        let used = |book: &BookNumber, list: &BookList| {
            proof.entries.iter().any(|entry| match entry.place {
                Place::Page(of, _) => (of, BookList::Pages) == (*book, *list),
                Place::Seal(of, _) => (of, BookList::Seals) == (*book, *list),
                Place::Act(of, _) => (of, BookList::Acts) == (*book, *list),
                Place::Heads(of, _) => (of, BookList::Heads) == (*book, *list),
                Place::Record(..) | Place::Line(..) => false,
            })
        };
        proof.roots.retain(|((book, list), _)| used(book, list));
        StateProof::decode(&proof.encode()).expect("a proof survives its encoding")
    }

    pub fn proven(&self, place: LinePlace) -> Proven {
        let proof = self.proof(place);
        proof.verify(&self.context.domain, &self.world.validators()).expect("the gateway is honest")
    }

    /// The whole way, through the text of the code.
    pub fn verdict(&self) -> Verdict {
        match Code::parse(&self.code().to_text()) {
            Ok(code) => verify_code(&code, &self.proven(code.shown.place), &self.context),
            Err(error) => Verdict::malformed(&error),
        }
    }

    pub fn identifier(&self) -> CertificateId {
        self.file.identifier()
    }
}
