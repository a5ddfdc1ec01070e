//! Load: clerks who seal without pause, whatever happens to the nodes, and remember what was
//! acknowledged.
//!
//! Acknowledged is what a quorum proved to the clerk. Afterwards every node must know it, as it
//! was, and the book must hold nothing else.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use fengni_client::ledger::{Ledger, LedgerError};
use fengni_client::submit::{Prepared, Settlement, Signers, SubmitError, Submitter};
use fengni_core::book::{Book, Line, Tag};
use fengni_core::operation::Operation;
use fengni_core::outcome::{Decision, Effect};
use fengni_core::transaction::TransactionId;
use fengni_core::{BookNumber, Digest, Height};

use crate::actors::random;
use crate::network::Network;
use crate::wait::{Deadline, until};

/// Lines of one transaction.
const LINES: u64 = 3;

/// Clerks at work; they stop when this is dropped.
pub struct Load {
    book: BookNumber,
    stopping: Arc<AtomicBool>,
    settled: Arc<AtomicUsize>,
    clerks: Vec<JoinHandle<Sealed>>,
}

/// What clerks sealed.
#[derive(Debug)]
pub struct Sealed {
    book: BookNumber,
    done: Vec<Acknowledged>,
    open: Vec<TransactionId>,
}

/// A transaction that a quorum said is done.
#[derive(Debug)]
struct Acknowledged {
    id: TransactionId,
    effect: Effect,
    height: Height,
}

impl Load {
    /// Clerks of PSB at work in a new book, each by whichever validator answers.
    ///
    /// # Panics
    /// When the network does not open the book.
    pub fn start(network: &Network, clerks: usize) -> Self {
        let book = network.actor("psb", "issuing", 1, "psb").open_book("T-DL", &network.genesis());
        Self::resume(network, book, clerks)
    }

    /// As [`Load::start`], in a book that is open.
    pub fn resume(network: &Network, book: BookNumber, clerks: usize) -> Self {
        let stopping = Arc::new(AtomicBool::new(false));
        let settled = Arc::new(AtomicUsize::new(0));
        let mut names: Vec<&str> = network.validators().map(|node| node.name.as_str()).collect();
        let mut threads = Vec::new();
        for _ in 0..clerks {
            names.rotate_left(1);
            let clerk = Clerk {
                ledger: network.ledger(&names),
                // Short waits: a clerk whose validator fell asleep goes to the next one.
                submitter: network.submitter(&names).with_wait(Duration::from_secs(2), Duration::from_secs(4)),
                signers: network.signers("psb", "issuing", 1),
                book,
                stopping: Arc::clone(&stopping),
                settled: Arc::clone(&settled),
            };
            threads.push(std::thread::spawn(move || clerk.work()));
        }
        Self { book, stopping, settled, clerks: threads }
    }

    /// The book.
    pub fn book(&self) -> BookNumber {
        self.book
    }

    /// Transactions acknowledged so far.
    pub fn settled(&self) -> usize {
        self.settled.load(Ordering::SeqCst)
    }

    /// Waits until so many more are acknowledged.
    ///
    /// # Panics
    /// When they are not, or a clerk gave up.
    pub fn wait_more(&self, transactions: usize) {
        let goal = self.settled() + transactions;
        until(&format!("{transactions} more transactions are acknowledged"), Deadline::default(), || {
            assert!(!self.clerks.iter().any(JoinHandle::is_finished), "a clerk gave up: see above");
            (self.settled() >= goal).then_some(())
        });
    }

    /// Stops the clerks and returns what they sealed.
    ///
    /// # Panics
    /// When a clerk saw what must never be.
    pub fn stop(mut self) -> Sealed {
        self.stopping.store(true, Ordering::SeqCst);
        let mut all = Sealed { book: self.book, done: Vec::new(), open: Vec::new() };
        for clerk in self.clerks.drain(..) {
            let sealed = clerk.join().expect("a clerk saw what must never be: see above");
            all.done.extend(sealed.done);
            all.open.extend(sealed.open);
        }
        all
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
    }
}

struct Clerk {
    ledger: Ledger,
    submitter: Submitter,
    signers: Signers,
    book: BookNumber,
    stopping: Arc<AtomicBool>,
    settled: Arc<AtomicUsize>,
}

impl Clerk {
    /// One transaction after the other. What was not decided is sent again: an id counts once.
    fn work(mut self) -> Sealed {
        let mut sealed = Sealed { book: self.book, done: Vec::new(), open: Vec::new() };
        let mut open = None;
        while !self.stopping.load(Ordering::SeqCst) {
            let Some(prepared) = open.take().or_else(|| self.prepare()) else { continue };
            match self.submitter.send(&mut self.ledger, &prepared) {
                Ok(Settlement::Done { id, effect, height }) => {
                    sealed.done.push(Acknowledged { id, effect, height });
                    self.settled.fetch_add(1, Ordering::SeqCst);
                }
                Ok(Settlement::Undecided { .. }) => open = Some(prepared),
                Ok(refused @ Settlement::Refused { .. }) => panic!("the ledger refuses a fresh seal: {refused:?}"),
                Err(error) => {
                    passing(&error);
                    open = Some(prepared);
                }
            }
        }
        sealed.open.extend(open.map(|prepared| prepared.id));
        sealed
    }

    fn prepare(&mut self) -> Option<Prepared> {
        let line = |_| Line { tag: Tag(random()), commitment: Digest(random()) };
        let operation = Operation::Seal { book: self.book, lines: (0..LINES).map(line).collect() };
        let prepared = self.submitter.prepare(&mut self.ledger, &self.signers, operation);
        prepared.inspect_err(passing).ok()
    }
}

/// Silence passes; a contradiction or a lie that a quorum signed does not.
fn passing(error: &SubmitError) {
    match error {
        SubmitError::Ledger(LedgerError::Gateway(silent)) if silent.liars().next().is_none() => {
            std::thread::sleep(Duration::from_millis(50));
        }
        other => panic!("what no fault explains: {other}"),
    }
}

impl Sealed {
    /// Acknowledged transactions.
    pub fn acknowledged(&self) -> usize {
        self.done.len()
    }

    /// Waits until these nodes agree and nothing waits any more. Then each of them must know every
    /// acknowledged transaction as it was, and the book must hold exactly their lines and those of
    /// transactions that were in flight and came through.
    ///
    /// # Panics
    /// When anything was lost, changed or added.
    pub fn assert_kept(&self, network: &Network, nodes: &[&str]) {
        let height = until("nothing waits and the nodes agree", Deadline::default(), || {
            let all: Option<Vec<_>> = nodes.iter().map(|node| network.status(node)).collect();
            let all = all?;
            let height = all.first()?.height;
            all.iter().all(|status| status.height == height && status.pool_transactions == 0).then_some(height)
        });
        assert!(self.done.iter().all(|done| done.height.0 <= height), "a height beyond the last one was acknowledged");
        for node in nodes {
            self.assert_known(&mut network.ledger(&[node]), node);
        }
        let mut taken = BTreeSet::new();
        for Acknowledged { effect, .. } in &self.done {
            let Effect::Sealed { book, first, count, .. } = *effect else { panic!("another effect: {effect:?}") };
            assert_eq!((book, u64::from(count)), (self.book, LINES));
            assert!(taken.insert(first), "two seals were given the line {first:?}");
        }
    }

    fn assert_known(&self, ledger: &mut Ledger, node: &str) {
        for done in &self.done {
            let known = ledger.transaction(done.id, Duration::ZERO).expect("the node answers");
            let (outcome, header) = known.unwrap_or_else(|| panic!("{node} lost {}", done.id));
            assert_eq!(outcome.decision, Decision::Done(done.effect.clone()), "{node}: {}", done.id);
            assert_eq!(header.height, done.height, "{node}: {}", done.id);
        }
        let came = |id: &&TransactionId| ledger.transaction(**id, Duration::ZERO).expect("the node answers").is_some();
        let late = self.open.iter().filter(came).count();
        let book: Book = ledger.record(self.book.0).expect("the book is there");
        let seals = u64::try_from(self.done.len() + late).expect("few");
        assert_eq!(book.lines, seals * LINES, "{node}: {late} of {} came late", self.open.len());
    }
}
