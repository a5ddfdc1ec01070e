//! Receipts on the ledger: every batch of a gateway, held against the book.

use fengni_core::book::{Book, Subject};
use fengni_core::sharing::Batch;
use fengni_core::{BookNumber, Digest, LineNumber, LinePlace, Millis};
use fengni_genesis::sample;

use crate::network::Network;
use crate::provider::ProviderGateway;
use crate::wait::{Deadline, until};

/// A batch that stands on the ledger.
#[derive(Clone, Debug)]
pub struct Anchored {
    /// Number of its first receipt.
    pub first: u64,
    /// Leaves of its receipts, in the order of their numbers.
    pub leaves: Vec<Digest>,
    /// Time of the block that has it.
    pub time: Millis,
}

impl Anchored {
    /// Number of the first receipt after it.
    pub fn end(&self) -> u64 {
        self.first + self.leaves.len() as u64
    }
}

/// Every batch of HRS's gateway, in order, once no receipt of it waits any more.
///
/// # Panics
/// When the book of receipts has a gap, a batch twice, or another one than the gateway shows.
pub fn anchored(network: &Network, receipts: BookNumber, provider: &ProviderGateway) -> Vec<Anchored> {
    let written = until("every receipt is on the ledger", Deadline::default(), || {
        let status = provider.status();
        (status["waiting"] == 0).then(|| status["receipts"].as_u64().expect("a count"))
    });
    let domain = network.genesis().domain();
    let mut ledger = network.ledger(&["gov"]);
    let mut batches: Vec<Anchored> = Vec::new();
    let mut next = 0;
    while next < written {
        let shown = provider.public().batch(next).expect("a gateway publishes its batches");
        let place = LinePlace { book: receipts, line: LineNumber(batches.len() as u64) };
        assert_eq!((shown.batch.first, shown.batch.place), (next, Some(place)), "no number is left out");
        let proven = ledger.line(place, None).expect("the ledger proves it").value;
        let line = Batch::from_line(&proven.line(place).expect("it is in the proof"));
        assert_eq!(line, Batch::of(&domain, next, &shown.leaves), "the leaves are those on the ledger");
        let seal = proven.seal_of(place).expect("a line has a seal");
        let time = ledger.header(seal.height).expect("the ledger has its block").value.header.time;
        batches.push(Anchored { first: next, leaves: shown.leaves, time });
        next = line.end().expect("a batch has receipts");
    }
    let book: Book = ledger.record(receipts.0).expect("the ledger proves it");
    assert_eq!((book.subject, book.keeper), (Subject::Receipts, sample::member("HRS").expect("a sample member")));
    assert_eq!((book.lines, next), (batches.len() as u64, written), "each batch is there once");
    batches
}
