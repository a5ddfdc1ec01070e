//! The pool: transactions that wait for a block.
//!
//! Bounded in count and bytes, and per member, so that no member can crowd out the others. A
//! transaction enters after its signatures were checked; the block that includes it does not pay
//! for them again.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;

use fengni_core::bytes::Bytes;
use fengni_core::transaction::TransactionId;
use fengni_core::{Height, MemberNumber};
use fengni_state::Known;
use tokio::sync::watch;

/// How much may wait.
#[derive(Clone, Copy, Debug)]
pub struct PoolLimits {
    /// Transactions of all members.
    pub transactions: usize,
    /// Transactions of one member.
    pub member_transactions: usize,
    /// Bytes of all members.
    pub bytes: usize,
    /// Bytes of one member.
    pub member_bytes: usize,
}

impl Default for PoolLimits {
    fn default() -> Self {
        Self {
            transactions: 50_000,
            member_transactions: 20_000,
            bytes: 256 * 1024 * 1024,
            member_bytes: 128 * 1024 * 1024,
        }
    }
}

/// A transaction that was checked at the door.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// Its id.
    pub id: TransactionId,
    /// Who asks.
    pub member: MemberNumber,
    /// The last height at which it may be included.
    pub valid_until: Height,
    /// Its encoding.
    pub bytes: Bytes,
}

/// What became of a transaction at the door.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Admission {
    /// It waits now.
    Added,
    /// It was waiting already.
    Known,
    /// There is no room.
    Full,
}

/// Transactions that wait, oldest first.
pub struct Pool {
    limits: PoolLimits,
    inner: Mutex<Inner>,
    work: watch::Sender<bool>,
}

#[derive(Default)]
struct Inner {
    by_id: HashMap<TransactionId, (u64, Waiting)>,
    by_member: BTreeMap<MemberNumber, Queue>,
    bytes: usize,
    next: u64,
}

/// What one member has waiting, in order of arrival.
#[derive(Default)]
struct Queue {
    ids: BTreeMap<u64, TransactionId>,
    bytes: usize,
}

impl Inner {
    fn remove(&mut self, id: &TransactionId) {
        let Some((place, gone)) = self.by_id.remove(id) else { return };
        let size = gone.bytes.0.len();
        self.bytes -= size;
        if let Some(own) = self.by_member.get_mut(&gone.member) {
            own.ids.remove(&place);
            own.bytes -= size;
            if own.ids.is_empty() {
                self.by_member.remove(&gone.member);
            }
        }
    }
}

impl Pool {
    /// An empty pool.
    pub fn new(limits: PoolLimits) -> Self {
        Self { limits, inner: Mutex::default(), work: watch::Sender::new(false) }
    }

    /// Adds a transaction that was checked.
    pub fn add(&self, transaction: Waiting) -> Admission {
        let mut inner = self.lock();
        if inner.by_id.contains_key(&transaction.id) {
            return Admission::Known;
        }
        let size = transaction.bytes.0.len();
        let (own, own_bytes) =
            inner.by_member.get(&transaction.member).map_or((0, 0), |own| (own.ids.len(), own.bytes));
        let full = inner.by_id.len() >= self.limits.transactions
            || own >= self.limits.member_transactions
            || inner.bytes + size > self.limits.bytes
            || own_bytes + size > self.limits.member_bytes;
        if full {
            return Admission::Full;
        }
        let place = inner.next;
        inner.next += 1;
        inner.bytes += size;
        let own = inner.by_member.entry(transaction.member).or_default();
        own.bytes += size;
        own.ids.insert(place, transaction.id);
        inner.by_id.insert(transaction.id, (place, transaction));
        drop(inner);
        self.work.send_replace(true);
        Admission::Added
    }

    /// Whether a transaction waits.
    pub fn contains(&self, id: &TransactionId) -> bool {
        self.lock().by_id.contains_key(id)
    }

    /// Waiting transactions, as many as `bytes` hold: each member's oldest first, and members in
    /// turn, so that one department's stock does not stand before another's suspension.
    pub fn oldest(&self, bytes: usize) -> Vec<(TransactionId, Bytes)> {
        let inner = self.lock();
        let mut queues: Vec<_> = inner.by_member.values().map(|queue| queue.ids.values()).collect();
        let mut room = bytes;
        let mut oldest = Vec::new();
        while !queues.is_empty() {
            queues.retain_mut(|queue| {
                let Some((_, waiting)) = queue.next().and_then(|id| inner.by_id.get(id)) else { return false };
                let Some(left) = room.checked_sub(waiting.bytes.0.len()) else { return false };
                room = left;
                oldest.push((waiting.id, waiting.bytes.clone()));
                true
            });
        }
        oldest
    }

    /// Drops what a block at `height` included, and what can be included no more.
    pub fn settle(&self, included: &[TransactionId], height: Height) {
        let mut inner = self.lock();
        let late = inner.by_id.values().filter(|(_, waiting)| waiting.valid_until <= height).map(|(_, w)| w.id);
        let gone: Vec<TransactionId> = late.chain(included.iter().copied()).collect();
        for id in gone {
            inner.remove(&id);
        }
        let work = !inner.by_id.is_empty();
        drop(inner);
        self.work.send_replace(work);
    }

    /// Drops transactions that can stand in no block any more.
    pub fn drop_all(&self, ids: &[TransactionId]) {
        self.settle(ids, Height(0));
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.lock().by_id.len()
    }

    /// Bytes of all that wait.
    pub fn bytes(&self) -> usize {
        self.lock().bytes
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// True while a transaction waits: what wakes the proposer.
    pub fn work(&self) -> watch::Receiver<bool> {
        self.work.subscribe()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().expect("no thread panics while it holds the pool")
    }
}

impl Known for Pool {
    fn is_verified(&self, id: &TransactionId, bytes: &[u8]) -> bool {
        self.lock().by_id.get(id).is_some_and(|(_, waiting)| waiting.bytes.0 == bytes)
    }
}

#[cfg(test)]
mod tests {
    use fengni_core::Digest;

    use super::*;

    fn transaction(number: u8, member: u32, size: usize) -> Waiting {
        Waiting {
            id: TransactionId(Digest([number; 32])),
            member: MemberNumber(member),
            valid_until: Height(u64::from(number)),
            bytes: Bytes(vec![number; size]),
        }
    }

    #[test]
    fn one_member_cannot_crowd_out_another() {
        let pool = Pool::new(PoolLimits { transactions: 10, member_transactions: 3, bytes: 100, member_bytes: 60 });
        assert_eq!(pool.add(transaction(1, 0, 50)), Admission::Added);
        assert_eq!(pool.add(transaction(1, 0, 50)), Admission::Known);
        assert_eq!(pool.add(transaction(2, 0, 50)), Admission::Full);
        assert_eq!(pool.add(transaction(3, 1, 50)), Admission::Added);
        assert_eq!(pool.oldest(60), vec![(TransactionId(Digest([1; 32])), Bytes(vec![1; 50]))]);
        pool.settle(&[TransactionId(Digest([1; 32]))], Height(2));
        assert_eq!((pool.len(), *pool.work().borrow()), (1, true));
        assert_eq!(pool.add(transaction(2, 0, 50)), Admission::Added);
    }

    #[test]
    fn members_take_turns() {
        let pool = Pool::new(PoolLimits { member_transactions: 3, ..PoolLimits::default() });
        for number in 1..=3 {
            pool.add(transaction(number, 0, 10));
        }
        assert_eq!(pool.add(transaction(4, 0, 10)), Admission::Full);
        assert_eq!(pool.add(transaction(9, 1, 10)), Admission::Added);
        let order: Vec<u8> = pool.oldest(1_000).iter().map(|(id, _)| id.0.0[0]).collect();
        assert_eq!(order, [1, 9, 2, 3]);
    }

    #[test]
    fn what_can_be_included_no_more_leaves() {
        let pool = Pool::new(PoolLimits::default());
        pool.add(transaction(5, 0, 10));
        pool.add(transaction(9, 0, 10));
        pool.settle(&[], Height(5));
        assert_eq!(pool.len(), 1);
        assert!(pool.contains(&TransactionId(Digest([9; 32]))));
    }
}
