//! Couriers: one subscription's messages, one after the other. Rules M-2 to M-4.
//!
//! A courier makes at most one attempt a step and never waits itself, so that time is whoever
//! drives it.

use std::collections::VecDeque;
use std::time::Duration;

use fengni_core::event::{Event, Filter, Position};
use fengni_core::{Millis, NetworkId};

use crate::backoff;
use crate::channel::{Answer, Carrier, Channel};
use crate::counted::DELIVERED;
use crate::message::Message;
use crate::store::{Entry, Store, StoreError};
use crate::subscription::{Name, Refusal, State, Subscription};

/// Why one is paused whose next block is gone.
const NOT_KEPT: &str =
    "no gateway keeps its next block; next: name an archive in push.toml and resume it, or end it and add it anew";
/// Blocks without a wanted event after which the position is written down all the same.
const QUIET_BLOCKS: u32 = 256;

/// Wanted events of one block.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    /// Everything up to here is in it, or was not wanted.
    pub(crate) upto: Position,
    /// The events, in order.
    pub(crate) events: Vec<Event>,
}

/// Why a source gives nothing.
#[derive(Clone, Debug)]
pub(crate) enum SourceTrouble {
    /// Asking again later may help.
    Passing(String),
    /// The service cannot go on: people have to look.
    Lasting(String),
    /// No gateway keeps the block any more.
    NotKept(String),
}

/// Where events come from, block by block.
pub(crate) trait Source {
    /// The wanted events of the first block that has anything after a position; `None` where there is
    /// none yet.
    fn next(&mut self, after: Position, filter: &Filter) -> Result<Option<Batch>, SourceTrouble>;
}

/// What a step came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Step {
    /// There may be more to do at once.
    On,
    /// An attempt failed; the next one is made at this moment.
    Failed {
        /// Why.
        why: String,
        /// When.
        next: Millis,
    },
    /// Nothing to do before this moment, or before something changes.
    Until(Millis),
    /// Nothing to do before there is another block, or something changes.
    Idle,
    /// The source gives nothing for now.
    Waiting(String),
    /// It is not approved any more; what stopped it, if it stopped itself.
    Stopped(Option<String>),
}

/// What carries one subscription's messages.
pub(crate) struct Courier<'a> {
    store: &'a Store,
    network: NetworkId,
    name: Name,
    /// Of its subscription: one of a later serial under this name is another's.
    serial: u64,
    /// Read and not yet delivered.
    waiting: VecDeque<Event>,
    /// Everything up to here was read.
    read: Option<Position>,
    quiet: u32,
}

impl<'a> Courier<'a> {
    pub(crate) fn new(store: &'a Store, network: NetworkId, subscription: &Subscription) -> Self {
        let (name, serial) = (subscription.name.clone(), subscription.serial);
        Self { store, network, name, serial, waiting: VecDeque::new(), read: None, quiet: 0 }
    }

    /// Pauses its subscription, if it is approved still.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) fn pause(&self, why: &str) -> Result<(), StoreError> {
        self.change(|it| it.pause(why).map(|()| None)).map(drop)
    }

    /// Does what is due: reads a block, or makes one attempt.
    ///
    /// - `clock`: the time, before and after the attempt;
    /// - `chance`: a random number.
    ///
    /// # Errors
    /// [`StoreError`]: nothing may be sent whose delivery cannot be written down.
    pub(crate) fn step(
        &mut self,
        source: &mut dyn Source,
        carrier: &mut dyn Carrier,
        clock: &dyn Fn() -> Millis,
        chance: u64,
    ) -> Result<Step, StoreError> {
        let found = self.store.get(&self.name)?.filter(|found| found.serial == self.serial);
        let Some(subscription) = found else { return Ok(Step::Stopped(None)) };
        let (State::Approved, Some(position)) = (&subscription.state, subscription.position) else {
            return Ok(Step::Stopped(None));
        };
        if let Some(next) = backoff::until(subscription.next_attempt, clock()) {
            return Ok(Step::Until(next));
        }
        match self.waiting.pop_front() {
            Some(event) => self.attempt(event, &subscription, carrier, clock, chance),
            None => self.read(source, &subscription, position),
        }
    }

    fn read(
        &mut self,
        source: &mut dyn Source,
        subscription: &Subscription,
        position: Position,
    ) -> Result<Step, StoreError> {
        let read = self.read.unwrap_or(position);
        match source.next(read, &subscription.filter) {
            Ok(None) => Ok(Step::Idle),
            Ok(Some(batch)) => {
                self.waiting.extend(batch.events.into_iter().filter(|event| subscription.wants(event)));
                self.read = Some(batch.upto);
                self.quiet = if self.waiting.is_empty() { self.quiet + 1 } else { 0 };
                if self.quiet == QUIET_BLOCKS {
                    self.quiet = 0;
                    let _ = self.change(|it| {
                        it.position = Some(batch.upto);
                        Ok(None)
                    })?;
                }
                Ok(Step::On)
            }
            Err(SourceTrouble::NotKept(why)) => {
                // Going on behind the gap would look as if nothing had happened in it.
                let paused = self.change(|it| it.pause(NOT_KEPT).map(|()| None))?;
                Ok(Step::Stopped(paused.is_ok().then_some(why)))
            }
            // Whoever reads for all ends the service where that is due.
            Err(SourceTrouble::Passing(why) | SourceTrouble::Lasting(why)) => Ok(Step::Waiting(why)),
        }
    }

    /// Changes its subscription, and no other of that name.
    fn change(
        &self,
        with: impl FnOnce(&mut Subscription) -> Result<Option<Entry>, Refusal>,
    ) -> Result<Result<Subscription, Refusal>, StoreError> {
        self.store.change(&self.name, |found| {
            let is_its_own = found.serial == self.serial;
            if is_its_own { with(found) } else { Err(Refusal::Unknown(self.name.clone())) }
        })
    }

    fn attempt(
        &mut self,
        event: Event,
        subscription: &Subscription,
        carrier: &mut dyn Carrier,
        clock: &dyn Fn() -> Millis,
        chance: u64,
    ) -> Result<Step, StoreError> {
        let message = Message::new(self.network, self.name.clone(), event.clone());
        let answer = carrier.carry(&message, clock());
        let now = clock();
        let result = match answer {
            Answer::Delivered => DELIVERED.to_owned(),
            Answer::Again { why, .. } | Answer::Stop { why } => why.to_string(),
        };
        let entry = Entry {
            time: now,
            channel: subscription.channel.as_ref().map(Channel::counted_as).unwrap_or_default(),
            position: event.position.to_string(),
            attempt: subscription.failures.saturating_add(1),
            result: result.clone(),
        };
        // Whoever paused or ended it meanwhile keeps the last word; what became of the attempt counts.
        let changed = self.change(|it| {
            match answer {
                Answer::Delivered => {
                    (it.position, it.failures, it.next_attempt) = (Some(event.position), 0, Millis(0));
                    it.delivered += 1;
                }
                Answer::Again { after, .. } => {
                    it.failures = it.failures.saturating_add(1);
                    it.next_attempt = later(now, backoff::delay(it.failures, after, chance));
                }
                Answer::Stop { .. } => drop(it.pause(&result)),
            }
            Ok(Some(entry))
        })?;
        if answer == Answer::Delivered {
            return Ok(Step::On);
        }
        self.waiting.push_front(event);
        Ok(match (answer, changed) {
            (Answer::Again { .. }, Ok(changed)) => Step::Failed { why: result, next: changed.next_attempt },
            _ => Step::Stopped(Some(result)),
        })
    }
}

fn later(now: Millis, delay: Duration) -> Millis {
    Millis(now.0.saturating_add(u64::try_from(delay.as_millis()).unwrap_or(u64::MAX)))
}

#[cfg(test)]
pub(crate) mod tests {
    use std::cell::{Cell, RefCell};
    use std::path::Path;
    use std::rc::Rc;

    use fengni_core::Height;

    use super::*;
    use crate::channel::{Channel, Trouble};

    /// A line is suspended.
    pub(crate) fn event(height: u64, place: u32) -> Event {
        let event = serde_json::json!({
            "height": height, "place": place, "part": 0, "time": 1_700_000_000_123_u64, "kind": "suspend", "topic": "certificates",
            "done": true, "transaction": "00".repeat(32), "member": 2, "keys": [1], "book": 0, "line": 417, "lines": 1,
        });
        serde_json::from_value(event).expect("an event")
    }

    /// A ledger of some blocks with two events each.
    struct Ledger {
        blocks: u64,
        height: Rc<Cell<u64>>,
    }

    impl Source for Ledger {
        fn next(&mut self, after: Position, filter: &Filter) -> Result<Option<Batch>, SourceTrouble> {
            let height = if after == Position::after(after.height) { after.height.0 + 1 } else { after.height.0 };
            if height > self.blocks.min(self.height.get()) {
                return Ok(None);
            }
            let events = [event(height, 0), event(height, 1)].into_iter();
            let events = events.filter(|event| event.position > after && filter.matches(event)).collect();
            Ok(Some(Batch { upto: Position::after(Height(height)), events }))
        }
    }

    /// Seconds of an outage, and how a receiver fails in it.
    struct Receiver<'a> {
        now: &'a Cell<u64>,
        down: std::ops::Range<u64>,
        why: Trouble,
        /// Ids in the order in which they came, with repetitions.
        got: &'a RefCell<Vec<String>>,
        attempts: &'a Cell<u32>,
    }

    impl Carrier for Receiver<'_> {
        fn carry(&mut self, message: &Message, _now: Millis) -> Answer {
            self.attempts.set(self.attempts.get() + 1);
            // Each attempt takes a little.
            self.now.set(self.now.get() + 5);
            if self.down.contains(&(self.now.get() / 1_000)) {
                return Answer::Again { why: self.why, after: None };
            }
            self.got.borrow_mut().push(message.id());
            Answer::Delivered
        }
    }

    fn network() -> NetworkId {
        NetworkId(fengni_core::Digest([0xab; 32]))
    }

    fn approved(path: &Path, at: u64) -> (Store, Subscription) {
        let store = Store::open(path).expect("a new store");
        let name: Name = "desk".parse().expect("a name");
        let channel = Channel::Webhook { to: "https://desk.example".to_owned().into() };
        store.add(Subscription::new(name.clone(), Filter::default(), channel)).expect("a disk").expect("it is new");
        let approve = |it: &mut Subscription| it.approve(Position::after(Height(at))).map(|()| None);
        let approved = store.change(&name, approve).expect("a disk").expect("it was pending");
        (store, approved)
    }

    fn ids(heights: std::ops::RangeInclusive<u64>) -> Vec<String> {
        let id = |(height, place)| Message::new(network(), "desk".parse().expect("a name"), event(height, place)).id();
        heights.flat_map(|height| [(height, 0), (height, 1)]).map(id).collect()
    }

    /// Drives a courier on a clock of the test's own until it has nothing to do.
    fn drive(courier: &mut Courier<'_>, source: &mut Ledger, receiver: &mut Receiver<'_>, now: &Cell<u64>) {
        for chance in 0.. {
            let clock = || Millis(now.get());
            match courier.step(source, receiver, &clock, chance * 7_919).expect("a healthy disk") {
                Step::On | Step::Failed { .. } => (),
                Step::Until(moment) => now.set(moment.0),
                Step::Idle => break,
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn m4_five_minutes_down_cost_few_attempts_and_no_event() {
        for why in [Trouble::NoAnswer, Trouble::Status(500), Trouble::TimedOut] {
            let folder = tempfile::tempdir().expect("a folder for the test");
            let (store, desk) = approved(&folder.path().join("push.redb"), 2);
            let (now, got, attempts) = (Cell::new(1_000_000), RefCell::default(), Cell::new(0));
            let mut receiver = Receiver { now: &now, down: 1_000..1_300, why, got: &got, attempts: &attempts };
            let mut courier = Courier::new(&store, network(), &desk);
            let mut source = Ledger { blocks: 30, height: Rc::new(Cell::new(30)) };
            drive(&mut courier, &mut source, &mut receiver, &now);
            assert_eq!(*got.borrow(), ids(3..=30), "in order, once, none from before the approval");
            let failed = attempts.get() as usize - got.borrow().len();
            assert!((5..=12).contains(&failed), "{failed} attempts failed");
            assert!(now.get() < 2_000_000, "it came back soon after the receiver did");
            let log = store.log(&desk.name, usize::MAX).expect("a healthy disk");
            assert_eq!(log.iter().filter(|it| it.result == why.to_string()).count(), failed);
            assert!(log.iter().take(failed + 1).enumerate().all(|(place, it)| it.attempt as usize == place + 1));
        }
    }

    #[test]
    fn m3_a_crash_at_any_attempt_loses_nothing_and_repeats_one_at_most() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let path = folder.path().join("push.redb");
        // What the disk holds at the moment of each attempt: a process killed there finds it so.
        struct Killed<'a> {
            path: &'a Path,
            got: Vec<String>,
        }
        impl Carrier for Killed<'_> {
            fn carry(&mut self, message: &Message, _now: Millis) -> Answer {
                std::fs::copy(self.path, self.path.with_extension(self.got.len().to_string())).expect("a copy");
                self.got.push(message.id());
                Answer::Delivered
            }
        }
        let (store, desk) = approved(&path, 0);
        let mut killed = Killed { path: &path, got: Vec::new() };
        let source = || Ledger { blocks: 6, height: Rc::new(Cell::new(6)) };
        let mut courier = Courier::new(&store, network(), &desk);
        let clock = || Millis(1_000);
        while courier.step(&mut source(), &mut killed, &clock, 0).expect("a healthy disk") != Step::Idle {}
        let all = ids(1..=6);
        assert_eq!(killed.got, all);
        for (place, _) in all.iter().enumerate() {
            let store = Store::open(&path.with_extension(place.to_string())).expect("whole after the crash");
            let (now, got, attempts) = (Cell::new(1_000), RefCell::default(), Cell::new(0));
            let mut receiver =
                Receiver { now: &now, down: 0..0, why: Trouble::NoAnswer, got: &got, attempts: &attempts };
            let mut courier = Courier::new(&store, network(), &desk);
            drive(&mut courier, &mut source(), &mut receiver, &now);
            // The one on its way may have arrived: it is sent again, under its id.
            assert_eq!(*got.borrow(), all[place..], "killed at message {place}");
        }
    }

    #[test]
    fn m1_one_that_is_gone_stops_and_goes_on_where_it_was() {
        struct Gone(bool, Vec<String>);
        impl Carrier for Gone {
            fn carry(&mut self, message: &Message, _now: Millis) -> Answer {
                if self.0 {
                    return Answer::Stop { why: Trouble::Status(410) };
                }
                self.1.push(message.id());
                Answer::Delivered
            }
        }
        let folder = tempfile::tempdir().expect("a folder for the test");
        let (store, desk) = approved(&folder.path().join("push.redb"), 0);
        let height = Rc::new(Cell::new(2));
        let mut source = Ledger { blocks: 9, height: Rc::clone(&height) };
        let (clock, mut gone) = (|| Millis(1_000), Gone(false, Vec::new()));
        let mut courier = Courier::new(&store, network(), &desk);
        while courier.step(&mut source, &mut gone, &clock, 0).expect("a healthy disk") != Step::Idle {}
        gone.0 = true;
        height.set(9);
        let stopped = loop {
            match courier.step(&mut source, &mut gone, &clock, 0).expect("a healthy disk") {
                Step::On => (),
                other => break other,
            }
        };
        assert_eq!(stopped, Step::Stopped(Some("status 410".to_owned())));
        assert_eq!(courier.step(&mut source, &mut gone, &clock, 0).expect("a healthy disk"), Step::Stopped(None));
        let _ = store.change(&desk.name, |it| it.resume().map(|()| None)).expect("a disk").expect("it was paused");
        gone.0 = false;
        let mut courier = Courier::new(&store, network(), &desk);
        while courier.step(&mut source, &mut gone, &clock, 0).expect("a healthy disk") != Step::Idle {}
        assert_eq!(gone.1, ids(1..=9));
    }

    #[test]
    fn a_quiet_ledger_is_not_read_again_from_the_approval() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let (store, desk) = approved(&folder.path().join("push.redb"), 0);
        let nothing = |it: &mut Subscription| {
            it.filter = Filter::of([("kinds", "seal")]).expect("a filter");
            Ok(None)
        };
        let _ = store.change(&desk.name, nothing).expect("a disk").expect("it is there");
        let mut source = Ledger { blocks: 600, height: Rc::new(Cell::new(600)) };
        let mut courier = Courier::new(&store, network(), &desk);
        let (now, got, attempts) = (Cell::new(1_000), RefCell::default(), Cell::new(0));
        let mut receiver = Receiver { now: &now, down: 0..0, why: Trouble::NoAnswer, got: &got, attempts: &attempts };
        drive(&mut courier, &mut source, &mut receiver, &now);
        let kept = store.get(&desk.name).expect("a disk").expect("it is there").position;
        assert_eq!((kept, attempts.get()), (Some(Position::after(Height(512))), 0));
    }

    #[test]
    fn m2_a_gap_is_not_passed_over() {
        struct Pruned;
        impl Source for Pruned {
            fn next(&mut self, _: Position, _: &Filter) -> Result<Option<Batch>, SourceTrouble> {
                Err(SourceTrouble::NotKept("block-not-kept".to_owned()))
            }
        }
        let folder = tempfile::tempdir().expect("a folder for the test");
        let (store, desk) = approved(&folder.path().join("push.redb"), 0);
        let (now, got, attempts) = (Cell::new(1_000), RefCell::default(), Cell::new(0));
        let mut receiver = Receiver { now: &now, down: 0..0, why: Trouble::NoAnswer, got: &got, attempts: &attempts };
        let step = Courier::new(&store, network(), &desk).step(&mut Pruned, &mut receiver, &|| Millis(1_000), 0);
        assert_eq!(step.expect("a healthy disk"), Step::Stopped(Some("block-not-kept".to_owned())));
        let paused = store.get(&desk.name).expect("a disk").expect("it is there");
        assert!(matches!(paused.state, State::Paused { .. }) && paused.position == desk.position);
    }

    #[test]
    fn m9_a_courier_serves_no_later_subscription_of_that_name() {
        // While its message is on its way, its subscription ends and another takes its name.
        struct Replaced<'a>(&'a Store, &'a Subscription);
        impl Carrier for Replaced<'_> {
            fn carry(&mut self, _: &Message, _: Millis) -> Answer {
                let Self(store, old) = self;
                let _ =
                    store.change(&old.name, |it| it.end().map(|()| None)).expect("a disk").expect("it was approved");
                let channel = Channel::Mail { to: "other@desk.example".to_owned().into() };
                let new = Subscription::new(old.name.clone(), Filter::default(), channel);
                let new = store.add(new).expect("a disk").expect("the name is free");
                let approve = |it: &mut Subscription| it.approve(Position::after(Height(5))).map(|()| None);
                let _ = store.change(&new.name, approve).expect("a disk").expect("it was pending");
                Answer::Delivered
            }
        }
        let folder = tempfile::tempdir().expect("a folder for the test");
        let (store, desk) = approved(&folder.path().join("push.redb"), 0);
        let mut source = Ledger { blocks: 6, height: Rc::new(Cell::new(6)) };
        let mut courier = Courier::new(&store, network(), &desk);
        let mut replaced = Replaced(&store, &desk);
        let mut step = || courier.step(&mut source, &mut replaced, &|| Millis(1_000), 0).expect("a healthy disk");
        assert_eq!([step(), step(), step()], [Step::On, Step::On, Step::Stopped(None)]);
        let new = store.get(&desk.name).expect("a disk").expect("it is there");
        assert_eq!((new.position, new.delivered), (Some(Position::after(Height(5))), 0));
    }
}
