//! A node in memory: the sample network with one book, blocks made on demand.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use fengni_core::book::{Line, Subject, Tag};
use fengni_core::bytes::Bytes;
use fengni_core::id::CertificateId;
use fengni_core::light::{Handover, Recovery, SignedCheckpoint};
use fengni_core::operation::{Ground, Operation, StandingChange};
use fengni_core::outcome::Outcome;
use fengni_core::pack::{Basis, Pack, Subscription};
use fengni_core::proof::{OutcomeProof, Place, StateProof};
use fengni_core::record::{DoubleSigning, KeyPurpose, SignedKind, SignedStatement};
use fengni_core::transaction::{TransactionBody, TransactionId};
use fengni_core::{
    BlockId, BookNumber, CommitCertificate, CommitSignature, Digest, Domain, Header, Height, LineNumber, LinePlace,
    MemberNumber, Millis, PageNumber, ReasonCode, VoteStep, tree, vote_bytes,
};
use fengni_genesis::{Genesis, sample};
use fengni_state::{MemoryRecords, Proposal, ProveError, RecentIds, Records as _, State, assemble, line_places, prove};
use tokio::sync::watch;

use crate::api::{BackUp, FinalState, NodeMode, NodeStatus, Readiness, Ready, Source, Submit, SubmitError};
use crate::backup::{BackupError, Manifest};
use crate::doctor::{Finding, Level};
use crate::selfcheck::{CheckError, Checking};

/// Short names of the sample members, by number.
const MEMBERS: [&str; 8] = ["GOV", "PSB", "AMR", "HRS", "CIQ", "RES", "YGOV", "YHD"];
const FOUNDED: Millis = Millis(1_767_196_800_000);
const POOL: usize = 300;

/// A node in memory.
pub(super) struct Double {
    genesis: Genesis,
    genesis_bytes: Vec<u8>,
    domain: Domain,
    inner: Mutex<Inner>,
    heights: watch::Sender<Height>,
    /// Whether it says that it follows the network.
    pub(super) following: AtomicBool,
    /// How long each proof takes.
    pub(super) slowness_millis: AtomicU64,
    /// How large its pages are, where not as large as they are.
    pub(super) page_bytes: AtomicUsize,
    /// Whether a proof panics.
    pub(super) broken: AtomicBool,
    /// The oldest height whose block it keeps.
    pub(super) kept_from: AtomicU64,
    /// Handovers it knows.
    pub(super) handovers: Mutex<Vec<Handover>>,
    /// Whether its key is one of its member's.
    pub(super) registered: AtomicBool,
    /// Whether its store is damaged.
    pub(super) damaged: AtomicBool,
}

struct Inner {
    founded: State,
    finals: Vec<Arc<FinalState>>,
    bodies: Vec<Vec<u8>>,
    records: MemoryRecords,
    recent: RecentIds,
    outcomes: HashMap<TransactionId, OutcomeProof>,
    became: Vec<Vec<Outcome>>,
    pool: Vec<(TransactionId, Bytes)>,
}

impl Double {
    /// The sample network before its first block.
    pub(super) fn founded() -> Arc<Self> {
        let genesis = sample::network(FOUNDED, &sample::test_key).check().expect("the sample is right: tested");
        let domain = genesis.domain();
        let inner = Inner {
            founded: State::found(domain, genesis.founding()),
            finals: Vec::new(),
            bodies: Vec::new(),
            records: MemoryRecords::default(),
            recent: RecentIds::default(),
            outcomes: HashMap::new(),
            became: Vec::new(),
            pool: Vec::new(),
        };
        Arc::new(Self {
            genesis_bytes: genesis.encode(),
            genesis,
            domain,
            inner: Mutex::new(inner),
            heights: watch::Sender::new(Height(0)),
            following: AtomicBool::new(true),
            slowness_millis: AtomicU64::new(0),
            page_bytes: AtomicUsize::new(0),
            broken: AtomicBool::new(false),
            kept_from: AtomicU64::new(1),
            handovers: Mutex::default(),
            registered: AtomicBool::new(true),
            damaged: AtomicBool::new(false),
        })
    }

    /// Three blocks: a book of driving licences, three lines, one of them disputed.
    pub(super) fn with_a_book() -> Arc<Self> {
        let double = Self::founded();
        let kind = sample::certificate_type("T-DL").expect("a sample type");
        let state = double.state();
        let keeper = MemberNumber(1);
        let division = state.authorities().iter().find(|authority| authority.member == keeper);
        let division = division.expect("the sample authorises PSB").division;
        let subject = Subject::Certificates { certificate_type: kind };
        double.submit_and_mine(Operation::OpenBook { subject, division });
        let tags = [double.certificate(), double.certificate().next_version().expect("version 2")];
        let mut lines: Vec<Line> = tags
            .iter()
            .zip(1..)
            .map(|(id, n)| Line { tag: Tag::of(&double.domain, id), commitment: Digest([n; 32]) })
            .collect();
        lines.push(Line { tag: Tag([9; 16]), commitment: Digest([9; 32]) });
        double.submit_and_mine(Operation::Seal { book: BookNumber(0), lines });
        let place = LinePlace { book: BookNumber(0), line: LineNumber(0) };
        double.submit_and_mine(double.dispute(place));
        double
    }

    /// A small operation that is always in order.
    pub(super) fn dispute(&self, place: LinePlace) -> Operation {
        let state = self.state();
        let reasons = state.code_set("reasons").expect("the sample has reasons");
        let reason = reasons.codes[0].code.parse().expect("reasons are numbers");
        let ground = Ground { reason: ReasonCode(reason), decision: Digest([7; 32]) };
        Operation::Change { place, change: StandingChange::Dispute, ground }
    }

    /// The identifier of line 0.
    pub(super) fn certificate(&self) -> CertificateId {
        sample::certificates()[0].id()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("no test panics while it holds the node")
    }

    /// The newest state.
    pub(super) fn state(&self) -> State {
        let inner = self.inner();
        inner.finals.last().map_or_else(|| inner.founded.clone(), |at| at.state.clone())
    }

    /// A transaction of PSB, signed by one of its operators.
    pub(super) fn transaction(&self, operation: Operation, salt: u8) -> Vec<u8> {
        self.transaction_until(operation, salt, Height(self.state().height().0 + 10))
    }

    /// The same, with a height of the caller's own.
    pub(super) fn transaction_until(&self, operation: Operation, salt: u8, valid_until: Height) -> Vec<u8> {
        let slots = sample::key_slots();
        let slot = slots.iter().find(|slot| slot.member == "PSB" && slot.purpose == KeyPurpose::Issuing);
        let slot = slot.expect("PSB issues");
        let body = TransactionBody {
            network: self.domain.network,
            member: MemberNumber(1),
            valid_until,
            salt: [salt; 16],
            operation,
        };
        let secret = sample::test_secret("PSB", KeyPurpose::Issuing, 0);
        body.sign(&self.domain, &[(slot.number, &secret)]).encode()
    }

    fn submit_and_mine(&self, operation: Operation) {
        let salt = u8::try_from(self.state().height().0).expect("tests make few blocks");
        let id = self.submit(self.transaction(operation, salt)).expect("in order");
        self.mine();
        let outcome = self.outcome(&id).expect("included").outcome;
        let done = matches!(outcome.decision, fengni_core::outcome::Decision::Done(_));
        assert!(done, "the story goes on: {outcome:?}");
    }

    /// Makes the next block of what waits.
    pub(super) fn mine(&self) {
        let mut inner = self.inner();
        let state = inner.finals.last().map_or_else(|| inner.founded.clone(), |at| at.state.clone());
        let proposal = Proposal {
            clock: Millis(FOUNDED.0 + 100 * 86_400_000 + state.height().0 * 1000),
            proposer: MemberNumber(0),
            parent_certificate: inner.finals.last().map(|at| at.certificate.clone()),
        };
        let waiting: Vec<Bytes> = inner.pool.drain(..).map(|(_, bytes)| bytes).collect();
        let (checked, applied) = assemble(&state, &inner.records, &inner.recent, &(), proposal, waiting);
        let height = checked.block.header.height;
        let certificate = certify(&self.domain, &state, height, checked.id);
        inner.records.write(&applied.writes);
        inner.recent.push(checked.ids(), state.parameters().window);
        let leaves: Vec<Digest> =
            applied.outcomes.iter().map(|outcome| self.domain.suite.leaf(&outcome.encode())).collect();
        let header = checked.block.header.clone();
        for (outcome, place) in applied.outcomes.iter().zip(0u32..) {
            let path = tree::path(self.domain.suite, &leaves, place as usize).expect("a leaf of the tree");
            let proof = OutcomeProof {
                header: header.clone(),
                certificate: certificate.clone(),
                outcome: outcome.clone(),
                place,
                size: u32::try_from(leaves.len()).expect("few transactions"),
                path,
            };
            inner.outcomes.insert(outcome.transaction, proof);
        }
        inner.bodies.push(checked.block.encode());
        inner.became.push(applied.outcomes);
        inner.finals.push(Arc::new(FinalState { state: applied.state, header, certificate }));
        drop(inner);
        self.heights.send_replace(height);
    }
}

fn certify(domain: &Domain, state: &State, height: Height, block: fengni_core::BlockId) -> CommitCertificate {
    let validators = state.next_validators();
    let signatures = validators.iter().map(|validator| {
        let member = validator.member;
        let secret = sample::test_secret(MEMBERS[member.0 as usize], KeyPurpose::Consensus, 0);
        let message = vote_bytes(domain, VoteStep::Precommit, height, 0, Some(block), member);
        CommitSignature { member, signature: secret.sign(&message) }
    });
    CommitCertificate { height, round: 0, block, signatures: signatures.collect() }
}

impl Source for Double {
    fn genesis(&self) -> &[u8] {
        &self.genesis_bytes
    }

    fn network_name(&self) -> &str {
        &self.genesis.name
    }

    fn domain(&self) -> Domain {
        self.domain
    }

    fn latest(&self) -> Option<Arc<FinalState>> {
        self.inner().finals.last().cloned()
    }

    fn at(&self, height: Height) -> Option<Arc<FinalState>> {
        // Height 1 is gone, as if the node kept few heights.
        let place = usize::try_from(height.0.checked_sub(1).filter(|place| *place > 0)?).ok()?;
        self.inner().finals.get(place).cloned()
    }

    fn prove(&self, at: &FinalState, places: Vec<Place>) -> Result<StateProof, ProveError> {
        assert!(!self.broken.load(Ordering::Relaxed), "a fault, on purpose");
        std::thread::sleep(Duration::from_millis(self.slowness_millis.load(Ordering::Relaxed)));
        prove(&at.state, &self.inner().records, at.header.clone(), at.certificate.clone(), places)
    }

    fn line_places(&self, at: &FinalState, place: LinePlace, verifier: Option<MemberNumber>) -> BTreeSet<Place> {
        line_places(&at.state, &self.inner().records, place, verifier)
    }

    fn find_line(&self, identifier: &CertificateId) -> Option<LinePlace> {
        self.state().find_line(&self.inner().records, identifier)
    }

    fn history_places(&self, at: &FinalState, place: LinePlace) -> BTreeSet<Place> {
        let mut places = self.line_places(at, place, None);
        places.insert(Place::Heads(place.book, place.line.page()));
        let mut act = at.state.book(place.book).and_then(|book| book.head(place.line));
        while let Some(number) = act {
            places.insert(Place::Act(place.book, number));
            act = self.inner().records.act(place.book, number).and_then(|act| act.previous);
        }
        places
    }

    fn block(&self, height: Height) -> Option<(Vec<u8>, CommitCertificate)> {
        let inner = self.inner();
        let place = usize::try_from(height.0.checked_sub(1)?).ok().filter(|_| height >= self.kept_from())?;
        Some((inner.bodies.get(place)?.clone(), inner.finals[place].certificate.clone()))
    }

    fn outcomes(&self, height: Height) -> Option<Vec<Outcome>> {
        self.block(height)?;
        self.inner().became.get(usize::try_from(height.0).ok()?.checked_sub(1)?).cloned()
    }

    fn kept_from(&self) -> Height {
        Height(self.kept_from.load(Ordering::Relaxed))
    }

    fn final_header(&self, height: Height) -> Option<(Header, CommitCertificate)> {
        let inner = self.inner();
        let place = usize::try_from(height.0.checked_sub(1)?).ok()?;
        let found = inner.finals.get(place)?;
        Some((found.header.clone(), found.certificate.clone()))
    }

    fn handovers(&self, since: Height) -> Vec<Handover> {
        let handovers = self.handovers.lock().expect("no test panics while it holds them");
        handovers.iter().filter(|handover| handover.header.height > since).cloned().collect()
    }

    fn recoveries(&self, _: Height) -> Vec<Recovery> {
        Vec::new()
    }

    fn checkpoint(&self, at: &FinalState) -> Option<SignedCheckpoint> {
        let slots = sample::key_slots();
        let slot = slots.iter().find(|slot| slot.member == "PSB" && slot.purpose == KeyPurpose::Peer)?;
        let secret = sample::test_secret("PSB", KeyPurpose::Peer, slot.index);
        let signed = SignedCheckpoint::sign(at.checkpoint(), MemberNumber(1), slot.number, &secret);
        self.registered.load(Ordering::Relaxed).then_some(signed)
    }

    fn page_lines(&self, at: &FinalState, book: BookNumber, page: PageNumber) -> Option<Vec<u8>> {
        let count = usize::from(at.state.book(book)?.page(page)?.lines);
        let large = self.page_bytes.load(Ordering::Relaxed);
        if large > 0 {
            return Some(vec![0; large]);
        }
        let lines = self.inner().records.lines(book, page);
        Some(lines[..count].iter().flat_map(|line| line.bytes()).collect())
    }

    fn pack(&self, at: &FinalState, subscription: Subscription, basis: Option<&Basis>) -> Pack {
        let (header, certificate) = (at.header.clone(), at.certificate.clone());
        fengni_state::pack(&at.state, &self.inner().records, header, certificate, subscription, basis)
    }

    fn outcome(&self, id: &TransactionId) -> Option<OutcomeProof> {
        self.inner().outcomes.get(id).cloned()
    }

    fn is_pending(&self, id: &TransactionId) -> bool {
        self.inner().pool.iter().any(|(waiting, _)| waiting == id)
    }

    fn heights(&self) -> watch::Receiver<Height> {
        self.heights.subscribe()
    }

    fn readiness(&self) -> Readiness {
        let verdict = if self.following.load(Ordering::Relaxed) {
            Ready::Ready
        } else {
            Ready::NotReady { reason: "12 heights behind".into() }
        };
        Readiness { verdict, height: *self.heights.borrow(), behind: 0 }
    }

    fn evidence(&self) -> Vec<DoubleSigning> {
        let secret = sample::test_secret("PSB", KeyPurpose::Consensus, 0);
        let (member, height) = (MemberNumber(1), Height(2));
        let statement = |block: Option<BlockId>| SignedStatement {
            block,
            valid_round: None,
            signature: secret.sign(&vote_bytes(&self.domain, VoteStep::Precommit, height, 0, block, member)),
        };
        let (first, second) = (statement(None), statement(Some(BlockId::default())));
        vec![DoubleSigning { member, height, round: 0, kind: SignedKind::Precommit, first, second }]
    }

    fn examine(&self) -> Vec<Finding> {
        vec![Finding::new("disk", Level::Ok, "there is room")]
    }

    fn damage(&self) -> Option<String> {
        self.damaged.load(Ordering::Relaxed).then(|| "pages, book 0, page 0: it is missing".into())
    }

    fn begin_check(&self) -> Result<(), CheckError> {
        self.latest().map(drop).ok_or(CheckError::Empty)
    }

    fn checked(&self) -> Checking {
        Checking::Never
    }

    fn status(&self) -> NodeStatus {
        NodeStatus {
            mode: NodeMode::Observer,
            version: "0".into(),
            protocol: 1,
            speaks: 2,
            member: None,
            height: *self.heights.borrow(),
            time: self.state().time(),
            behind: 0,
            kept_from: self.kept_from(),
            peers: 3,
            transaction_peers: 3,
            pool_transactions: self.inner().pool.len() as u64,
            pool_bytes: 0,
        }
    }
}

impl BackUp for Double {
    fn back_up(&self, name: &str) -> Result<Manifest, BackupError> {
        let at = self.latest().ok_or(BackupError::Empty)?;
        if name.starts_with('.') {
            return Err(BackupError::Name);
        }
        Ok(Manifest {
            version: 1,
            software: "0".into(),
            network: self.domain.network.to_string(),
            height: at.header.height,
            block: at.header.id(&self.domain),
            state_root: at.header.state_root,
        })
    }
}

impl Submit for Double {
    fn submit(&self, bytes: Vec<u8>) -> Result<TransactionId, SubmitError> {
        let state = self.state();
        let mut inner = self.inner();
        let bytes = Bytes(bytes);
        let (id, _) = state.check_transaction(&inner.recent, &bytes)?;
        if inner.pool.iter().any(|(waiting, _)| *waiting == id) {
            return Ok(id);
        }
        if inner.pool.len() >= POOL {
            return Err(SubmitError::Full);
        }
        inner.pool.push((id, bytes));
        Ok(id)
    }
}
