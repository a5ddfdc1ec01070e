//! One real network for all stories of a test program, with books open and clerks at hand.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use fengni_client::decision::Decision;
use fengni_client::gateway::Gateway;
use fengni_client::ledger::Ledger;
use fengni_client::submit::{Settlement, Signers};
use fengni_client::transport::HttpOptions;
use fengni_client::verify::{Checked, Policy, Verifier};
use fengni_client::wallet::{Show, Wallet};
use fengni_core::certificate::CertificateFile;
use fengni_core::code::Code;
use fengni_core::id::CertificateId;
use fengni_core::light::LightClient;
use fengni_core::operation::{Ground, Operation};
use fengni_core::outcome::{Effect, Refusal};
use fengni_core::verdict::{Answer, VerdictCode};
use fengni_core::{BookNumber, Day, Domain, KeyAlgorithm, LinePlace, Millis, ReasonCode, SecretKey};
use fengni_genesis::{Genesis, sample};
use fengni_tests::{Actor, Network, Paper, holder_key, purpose_code};

/// Who issues what, from which node it acts, in the order in which the books are opened.
const ISSUERS: [(&str, &str, &str); 4] =
    [("T-DL", "psb", "psb"), ("T-BL", "amr", "amr"), ("T-CL", "ciq", "gov"), ("T-RE", "res", "gov")];

/// A network with a book for each type.
pub struct World {
    network: Mutex<Network>,
    /// Its founding document.
    pub genesis: Genesis,
    /// Whose rules digests follow.
    pub domain: Domain,
    books: BTreeMap<&'static str, BookNumber>,
    serials: AtomicU64,
    newest: AtomicU64,
}

/// A certificate on a holder's phone.
pub struct Held {
    /// The certificate.
    pub file: CertificateFile,
    /// The phone's key.
    pub key: SecretKey,
}

impl World {
    /// The network that every story of this program shares; it ends with the last of them.
    pub fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<World>> = Mutex::new(Weak::new());
        Self::shared_in(&SHARED)
    }

    /// The network that the stories of one place share.
    pub fn shared_in(place: &Mutex<Weak<Self>>) -> Arc<Self> {
        let mut shared = place.lock().unwrap_or_else(PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let world = Arc::new(Self::start());
            *shared = Arc::downgrade(&world);
            world
        })
    }

    fn start() -> Self {
        let network = Network::start();
        let genesis = network.genesis();
        let domain = network.ledger(&["gov"]).domain();
        let mut books = BTreeMap::new();
        for (kind, member, node) in ISSUERS {
            books.insert(kind, network.actor(member, "issuing", 1, node).open_book(kind, &genesis));
        }
        Self {
            network: Mutex::new(network),
            genesis,
            domain,
            books,
            serials: AtomicU64::new(1),
            newest: AtomicU64::new(0),
        }
    }

    /// Its processes. A story that fails while it holds them leaves them to the others.
    pub fn network(&self) -> MutexGuard<'_, Network> {
        self.network.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The book of a type.
    pub fn book(&self, kind: &str) -> BookNumber {
        self.books[kind]
    }

    /// A driving licence that no other story has.
    pub fn licence(&self) -> Paper {
        Paper::licence(self.serials.fetch_add(1, Ordering::SeqCst))
    }

    /// A paper of another type that no other story has.
    pub fn paper(&self, kind: &'static str) -> Paper {
        let issuer = match kind {
            "T-DL" => "PSB",
            "T-BL" => "AMR",
            "T-CL" => "CIQ",
            _ => "RES",
        };
        Paper { kind, issuer, ..self.licence() }
    }

    /// A certificate for a phone, not sealed yet.
    pub fn certify(&self, paper: &Paper, key: SecretKey) -> Held {
        Held { file: paper.certify(&self.genesis, &self.domain, &key), key }
    }

    /// Seals papers of one type, each for a phone of its own.
    pub fn seal(&self, papers: &[Paper]) -> Vec<Held> {
        let phone = || holder_key(KeyAlgorithm::P256);
        let mut held: Vec<Held> = papers.iter().map(|paper| self.certify(paper, phone())).collect();
        self.seal_held(papers[0].kind, held.iter_mut());
        held
    }

    /// A licence in force, on a phone.
    pub fn sealed_licence(&self) -> Held {
        self.seal(&[self.licence()]).remove(0)
    }

    /// Seals a licence in force from one day to another.
    pub fn seal_days(&self, days: &[(Day, Option<Day>)]) -> Vec<Held> {
        let certify = |(from, until): &(Day, Option<Day>)| {
            let (key, paper) = (holder_key(KeyAlgorithm::P256), Paper { until: *until, ..self.licence() });
            Held { file: paper.certify_from(*from, &self.genesis, &self.domain, &key), key }
        };
        let mut held: Vec<Held> = days.iter().map(certify).collect();
        self.seal_held("T-DL", held.iter_mut());
        held
    }

    /// Seals certificates of one type in one transaction.
    pub fn seal_held<'a>(&self, kind: &str, held: impl Iterator<Item = &'a mut Held>) {
        let mut held: Vec<&mut Held> = held.collect();
        let lines = held.iter().map(|held| held.file.line(&self.domain)).collect();
        let (_, member, _) = ISSUERS.into_iter().find(|(issued, ..)| *issued == kind).expect("a type of the sample");
        let book = self.book(kind);
        let Effect::Sealed { first, .. } = self.done(member, "issuing", 2, Operation::Seal { book, lines }) else {
            panic!("another effect")
        };
        for (held, line) in held.iter_mut().zip(first.0..) {
            held.file.place = LinePlace { book, line: fengni_core::LineNumber(line) };
        }
    }

    /// Lets a member act, and notes how high a node must be to have seen it.
    pub fn act(&self, member: &str, purpose: &str, persons: usize, operation: Operation) -> Settlement {
        let signers = self.network().signers(member, purpose, persons);
        let settlement = self.submit(member, signers, operation);
        assert!(!matches!(settlement, Settlement::Undecided { .. }), "no outcome: {settlement:?}");
        settlement
    }

    /// As [`World::act`] with keys named by their files, whatever becomes of it.
    pub fn act_with(&self, member: &str, keys: &[&str], operation: Operation) -> Settlement {
        let signers = self.network().signers_with(member, keys);
        self.submit(member, signers, operation)
    }

    fn submit(&self, member: &str, signers: Signers, operation: Operation) -> Settlement {
        let node = ISSUERS.into_iter().find(|(_, issuer, _)| *issuer == member).map_or("gov", |(.., node)| node);
        let (ledger, submitter) = {
            let network = self.network();
            (network.ledger(&[node]), network.submitter(&[node]))
        };
        let settlement = Actor { ledger, submitter, signers }.submit(operation);
        if let Settlement::Done { height, .. } | Settlement::Refused { height, .. } = settlement {
            self.seen(height.0);
        }
        settlement
    }

    /// Notes a height that a node must have reached to have seen every act.
    pub fn seen(&self, height: u64) {
        self.newest.fetch_max(height, Ordering::SeqCst);
    }

    /// As [`World::act`] where the ledger must do it.
    #[track_caller]
    pub fn done(&self, member: &str, purpose: &str, persons: usize, operation: Operation) -> Effect {
        match self.act(member, purpose, persons, operation) {
            Settlement::Done { effect, .. } => effect,
            other => panic!("{member} was to do it: {other:?}"),
        }
    }

    /// As [`World::act`] where the ledger must refuse it; returns the detail.
    #[track_caller]
    pub fn refused(&self, member: &str, purpose: &str, persons: usize, operation: Operation, why: Refusal) -> u64 {
        match self.act(member, purpose, persons, operation) {
            Settlement::Refused { refusal, detail, .. } if refusal == why => detail,
            other => panic!("{member} was to be refused with {why:?}: {other:?}"),
        }
    }

    /// A reason with a decision document of its own.
    pub fn ground(&self, reason: u16) -> Ground {
        Decision::of(&self.domain, b"decision of a test").expect("randomness").ground(ReasonCode(reason))
    }

    /// Waits until a node has seen every act so far, and returns its gateway's URL.
    pub fn caught_up(&self, node: &str) -> String {
        let network = self.network();
        network.wait_height(node, self.newest.load(Ordering::SeqCst));
        network.node(node).gateway.clone()
    }

    /// A clerk of a member who reads at one node, once that has seen every act so far.
    pub fn clerk(&self, member: &str, purpose: &str, node: &str) -> Verifier {
        let url = self.caught_up(node);
        Verifier::new(self.ledger(&[url]), policy(member, purpose))
    }

    /// The same by a clock that stands still.
    pub fn clerk_at(&self, now: Millis, member: &str, purpose: &str, urls: &[String]) -> Verifier {
        Verifier::new(self.ledger(urls).with_clock(move || now), policy(member, purpose))
    }

    /// Reads at these URLs, whoever answers there.
    pub fn ledger(&self, urls: &[String]) -> Ledger {
        let gateway = Gateway::http(urls, &HttpOptions::default()).expect("URLs of this test");
        Ledger::new(LightClient::from_checkpoint(self.genesis.checkpoint()), gateway)
    }

    /// The code that a phone shows now.
    pub fn code(&self, held: &Held, purpose: &str) -> Code {
        self.code_at(held, purpose, fengni_client::clock::now())
    }

    /// The everyday code that a phone shows, by its own clock.
    pub fn code_at(&self, held: &Held, purpose: &str, now: Millis) -> Code {
        let show = Show::everyday(purpose_code(purpose), now).expect("randomness");
        self.wallet(held).show(&held.file.identifier(), &show).expect("the wallet holds it")
    }

    /// A wallet with one certificate.
    pub fn wallet(&self, held: &Held) -> Wallet {
        let mut wallet = Wallet::new(self.domain);
        self.genesis.types.iter().for_each(|known| wallet.learn(known.clone()));
        wallet.add(held.file.clone(), Some(held.key.clone())).expect("of this network");
        wallet
    }

    /// The full identifier of a certificate.
    pub fn identifier(&self, held: &Held) -> CertificateId {
        held.file.identifier()
    }
}

fn policy(member: &str, purpose: &str) -> Policy {
    let verifier = sample::member(&member.to_ascii_uppercase()).expect("a sample member");
    Policy { verifier, purpose: purpose_code(purpose), min_grade: None, min_assurance: None }
}

/// A verdict must have this code, its answer, and a reason that says so much.
///
/// Nothing that was not accepted is repeated.
#[track_caller]
pub fn expect(story: &str, checked: &Checked, code: VerdictCode, because: &str) {
    let verdict = &checked.verdict;
    let said = &verdict.reason.en;
    assert_eq!(verdict.code, code, "{story}: {said}; troubles: {:?}", checked.troubles);
    assert_eq!(verdict.answer, code.answer(), "{story}: {said}");
    assert!(said.contains(because), "{story}: {said:?} does not say {because:?}");
    let claims = verdict.document.as_ref().map_or(0, |document| document.claims.len());
    assert_eq!(claims > 0, verdict.answer == Answer::Valid, "{story}: {claims} claims are repeated");
}
