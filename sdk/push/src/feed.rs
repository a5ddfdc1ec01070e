//! The feed: the newest blocks' events, read and proven once for all subscriptions.
//!
//! A subscription that is further behind than the feed remembers reads by itself until it has caught
//! up, so that whoever is slow costs memory to nobody. The ledger is the queue.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fengni_client::events::Follow;
use fengni_client::gateway::{NodeTrouble, Trouble};
use fengni_client::ledger::{Ledger, LedgerError};
use fengni_core::event::{Filter, Position};

use crate::courier::{Batch, Source, SourceTrouble};

/// Events, and blocks, that are remembered.
const EVENTS: usize = 16_384;
const BLOCKS: usize = 4_096;

/// Blocks one after the other, the newest last.
struct Newest {
    /// What comes after here is remembered.
    begin: Position,
    blocks: VecDeque<Arc<Batch>>,
    events: usize,
}

/// The newest blocks' events.
pub(crate) struct Feed {
    newest: Mutex<Newest>,
}

/// What the feed has after a position.
enum Found {
    Block(Arc<Batch>),
    Nothing,
    /// It does not reach back so far.
    Behind,
}

impl Feed {
    /// One that remembers what comes after a position.
    pub(crate) fn new(begin: Position) -> Self {
        Self { newest: Mutex::new(Newest { begin, blocks: VecDeque::new(), events: 0 }) }
    }

    fn newest(&self) -> MutexGuard<'_, Newest> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next block's events, all of them.
    pub(crate) fn push(&self, batch: Batch) {
        let mut newest = self.newest();
        newest.events += batch.events.len();
        newest.blocks.push_back(Arc::new(batch));
        while newest.blocks.len() > 1 && (newest.events > EVENTS || newest.blocks.len() > BLOCKS) {
            let Some(oldest) = newest.blocks.pop_front() else { break };
            newest.events -= oldest.events.len();
            newest.begin = oldest.upto;
        }
    }

    fn after(&self, position: Position) -> Found {
        let newest = self.newest();
        if position < newest.begin {
            return Found::Behind;
        }
        let place = newest.blocks.partition_point(|block| block.upto <= position);
        newest.blocks.get(place).map_or(Found::Nothing, |block| Found::Block(Arc::clone(block)))
    }
}

/// What opens a ledger of its own.
pub(crate) type Connect<'a> = dyn Fn() -> anyhow::Result<Ledger> + 'a;

/// A subscription's way to events: the feed, or the ledger itself where that is needed.
pub(crate) struct Reader<'a> {
    feed: &'a Feed,
    connect: &'a Connect<'a>,
    own: Option<(Ledger, Follow)>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(feed: &'a Feed, connect: &'a Connect<'a>) -> Self {
        Self { feed, connect, own: None }
    }

    fn follow(&mut self, after: Position) -> Result<&mut (Ledger, Follow), SourceTrouble> {
        let (mut ledger, kept) = match self.own.take() {
            Some((ledger, follow)) if follow.position() == after => (ledger, Some(follow)),
            Some((ledger, _)) => (ledger, None),
            None => ((self.connect)().map_err(|error| SourceTrouble::Lasting(format!("{error:#}")))?, None),
        };
        let follow = match kept {
            Some(follow) => follow,
            // Every event: who wants which is asked afterwards.
            None => Follow::new(&mut ledger, everything(), Some(after)).map_err(trouble)?,
        };
        Ok(self.own.insert((ledger, follow)))
    }
}

impl Source for Reader<'_> {
    fn next(&mut self, after: Position, filter: &Filter) -> Result<Option<Batch>, SourceTrouble> {
        match self.feed.after(after) {
            Found::Block(block) => {
                self.own = None;
                let wanted = block.events.iter().filter(|event| event.position > after && filter.matches(event));
                Ok(Some(Batch { upto: block.upto, events: wanted.cloned().collect() }))
            }
            Found::Nothing => Ok(None),
            Found::Behind => {
                let (ledger, follow) = self.follow(after)?;
                let events = follow.next_block(ledger).map_err(trouble)?;
                let upto = follow.position();
                let wanted = |events: Vec<_>| events.into_iter().filter(|event| filter.matches(event)).collect();
                Ok(events.map(|events| Batch { upto, events: wanted(events) }))
            }
        }
    }
}

/// The filter of every event, refused ones as well.
pub(crate) fn everything() -> Filter {
    Filter { refused: true, ..Filter::default() }
}

/// What becomes of trouble with the ledger: nodes that are away or behind come back, what contradicts a
/// quorum does not, and a block that every gateway has dropped is gone.
pub(crate) fn trouble(error: LedgerError) -> SourceTrouble {
    let LedgerError::Gateway(silent) = &error else { return SourceTrouble::Lasting(error.to_string()) };
    let dropped =
        |found: &NodeTrouble| matches!(&found.trouble, Trouble::Refused(problem) if problem.is_about("block-not-kept"));
    if !silent.troubles.is_empty() && silent.troubles.iter().all(dropped) {
        SourceTrouble::NotKept(error.to_string())
    } else {
        SourceTrouble::Passing(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use fengni_core::Height;

    use super::*;
    use crate::courier::tests::event;

    fn after(height: u64) -> Position {
        Position::after(Height(height))
    }

    fn block(height: u64, events: u32) -> Batch {
        Batch { upto: after(height), events: (0..events).map(|place| event(height, place)).collect() }
    }

    #[test]
    fn it_gives_block_after_block_and_says_what_it_has_forgotten() {
        let feed = Feed::new(after(10));
        let height = |position| match feed.after(position) {
            Found::Block(block) => Some(Some(block.upto.height.0)),
            Found::Nothing => Some(None),
            Found::Behind => None,
        };
        assert_eq!([after(9), after(10), after(99)].map(height), [None, Some(None), Some(None)]);
        (11..=13).for_each(|number| feed.push(block(number, 2)));
        assert_eq!(height(after(9)), None);
        assert_eq!(
            [after(10), after(11), event(12, 0).position].map(height),
            [Some(Some(11)), Some(Some(12)), Some(Some(12))]
        );
        assert_eq!([after(13), after(14)].map(height), [Some(None), Some(None)]);
        // However large a block is, it is given.
        feed.push(block(14, u32::try_from(EVENTS).expect("few") + 1));
        assert_eq!([after(12), after(13)].map(height), [None, Some(Some(14))]);
    }

    #[test]
    fn m2_within_a_block_what_was_delivered_is_not_given_again() {
        let feed = Feed::new(after(6));
        feed.push(block(7, 3));
        let connect = || -> anyhow::Result<Ledger> { anyhow::bail!("nobody asks the ledger") };
        let mut reader = Reader::new(&feed, &connect);
        let given = reader.next(event(7, 0).position, &everything()).expect("the feed has it").expect("a block");
        assert_eq!(given.events, [event(7, 1), event(7, 2)]);
        let none = Filter::of([("kinds", "seal")]).expect("a filter");
        assert!(reader.next(after(6), &none).expect("the feed has it").expect("a block").events.is_empty());
    }
}
