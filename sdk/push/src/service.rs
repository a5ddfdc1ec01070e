//! The service: follows the ledger once, and drives a courier for each approved subscription.
//!
//! It may be killed at any moment: everything that counts is in the store.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{JoinHandle, sleep};
use std::time::Duration;

use anyhow::{Result, anyhow};
use fengni_client::events::Follow;
use fengni_client::keys::random::random;
use fengni_client::ledger::Ledger;
use fengni_client::{clock, light};
use fengni_core::{Height, Millis, SecretKey};
use fengni_genesis::Genesis;
use fengni_service::output::Output;

use crate::config::Config;
use crate::courier::{Batch, Courier, SourceTrouble, Step};
use crate::door::{self, Running};
use crate::feed::{Feed, Reader, everything, trouble};
use crate::home::Home;
use crate::store::{Store, StoreError};
use crate::subscription::{Name, State, Subscription};

/// How often a quiet ledger is asked.
const PAUSE: Duration = Duration::from_millis(500);
/// The longest pause after trouble with the ledger.
const PAUSE_MAX: Duration = Duration::from_secs(30);
/// How often is looked whether every approved subscription has its courier.
const LOOK: Duration = Duration::from_secs(1);
/// The longest a courier rests without looking.
const REST: Duration = Duration::from_secs(60);
/// Blocks after which is written down what was proven.
const SAVED_BLOCKS: u64 = 256;

/// What every thread of the service knows.
struct Service {
    home: Home,
    config: Config,
    genesis: Genesis,
    key: SecretKey,
    store: Store,
    output: Output,
    running: Mutex<Running>,
}

/// Runs until it is ended, or until something is wrong that people have to see.
pub(crate) fn run(home: &Home, output: Output) -> Result<std::convert::Infallible> {
    let config = home.config()?;
    let (genesis, key) = (home.genesis(&config)?, home.key()?);
    let running = Mutex::new(Running { height: Height(0), time: Millis(0), waits: None, stuck: BTreeMap::new() });
    let store = home.store_to_keep()?;
    let service = Arc::new(Service { home: home.clone(), config, genesis, key, store, output, running });
    let listener = fengni_service::door::open(&home.door())?;
    let served = Arc::clone(&service);
    std::thread::spawn(move || door::serve(&listener, &served.store, &|| served.said()));
    service.follow()
}

impl Service {
    fn said(&self) -> Running {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn say(&self, with: impl FnOnce(&mut Running)) {
        with(&mut self.running.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn ledger(&self) -> Result<Ledger> {
        self.home.ledger(&self.config, &self.genesis)
    }

    /// Reads block after block for all subscriptions.
    fn follow(self: &Arc<Self>) -> Result<std::convert::Infallible> {
        let mut ledger = self.ledger()?;
        let mut pause = Pause::default();
        let mut follow = loop {
            match Follow::new(&mut ledger, everything(), None).map_err(trouble) {
                Ok(follow) => break follow,
                Err(trouble) => self.wait(&mut pause, trouble)?,
            }
        };
        let feed = Arc::new(Feed::new(follow.position()));
        light::save(ledger.light(), &self.home.light())?;
        self.say(|it| (it.height, it.time, it.waits) = (follow.position().height, follow.newest(), None));
        self.output.progress(&format!(
            "follows network {} from height {} on",
            self.genesis.network(),
            follow.position().height
        ));
        let (served, given) = (Arc::clone(self), Arc::clone(&feed));
        let driving = std::thread::spawn(move || served.drive(&given));
        loop {
            if driving.is_finished() {
                return Err(driving.join().map_or_else(|_| anyhow!("a thread broke off"), anyhow::Error::from));
            }
            match follow.next_block(&mut ledger).map_err(trouble) {
                Ok(Some(events)) => {
                    pause = Pause::default();
                    let upto = follow.position();
                    feed.push(Batch { upto, events });
                    self.say(|it| (it.height, it.time, it.waits) = (upto.height, follow.newest(), None));
                    self.store.bell().ring();
                    if upto.height.0.is_multiple_of(SAVED_BLOCKS) {
                        light::save(ledger.light(), &self.home.light())?;
                    }
                }
                Ok(None) => {
                    pause = Pause::default();
                    self.say(|it| (it.time, it.waits) = (follow.newest(), None));
                    sleep(PAUSE);
                }
                Err(trouble) => self.wait(&mut pause, trouble)?,
            }
        }
    }

    /// Waits for nodes that are away.
    fn wait(&self, pause: &mut Pause, trouble: SourceTrouble) -> Result<()> {
        let why = match trouble {
            SourceTrouble::Passing(why) => why,
            SourceTrouble::Lasting(why) | SourceTrouble::NotKept(why) => return Err(anyhow!(why)),
        };
        if pause.0 == PAUSE {
            self.output.progress(&format!("waiting: {why}"));
        }
        self.say(|it| it.waits = Some(why));
        pause.rest();
        Ok(())
    }

    /// Gives every approved subscription its courier; returns where the store fails.
    fn drive(self: Arc<Self>, feed: &Arc<Feed>) -> StoreError {
        let mut couriers: BTreeMap<Name, JoinHandle<Result<(), StoreError>>> = BTreeMap::new();
        loop {
            let seen = self.store.bell().rings();
            let ended: Vec<Name> =
                couriers.iter().filter(|(_, thread)| thread.is_finished()).map(|(name, _)| name.clone()).collect();
            for thread in ended.iter().filter_map(|name| couriers.remove(name)) {
                // One that broke off is started again below.
                if let Ok(Err(error)) = thread.join() {
                    return error;
                }
            }
            let all = match self.store.all() {
                Ok(all) => all,
                Err(error) => return error,
            };
            for subscription in all.into_iter().filter(|it| it.state == State::Approved) {
                couriers.entry(subscription.name.clone()).or_insert_with(|| {
                    let (service, feed) = (Arc::clone(&self), Arc::clone(feed));
                    std::thread::spawn(move || service.carry(&feed, &subscription))
                });
            }
            self.store.bell().wait(seen, LOOK);
        }
    }

    /// Carries one subscription's messages until it is not approved any more.
    fn carry(&self, feed: &Feed, subscription: &Subscription) -> Result<(), StoreError> {
        let (name, Some(channel)) = (&subscription.name, &subscription.channel) else { return Ok(()) };
        let mut courier = Courier::new(&self.store, self.genesis.network(), subscription);
        let mut carrier = match channel.carrier(&self.config, &self.key) {
            Ok(carrier) => carrier,
            Err(error) => {
                let why = format!("{error:#}");
                self.output.progress(&format!("{name}: paused: {why}"));
                return courier.pause(&why);
            }
        };
        let connect = || self.ledger();
        let mut reader = Reader::new(feed, &connect);
        let mut pause = Pause::default();
        loop {
            let seen = self.store.bell().rings();
            let chance = random().map(u64::from_le_bytes).unwrap_or_default();
            let step = courier.step(&mut reader, carrier.as_mut(), &clock::now, chance)?;
            self.say(|it| match &step {
                Step::Waiting(why) => drop(it.stuck.insert(name.clone(), why.clone())),
                _ => drop(it.stuck.remove(name)),
            });
            match step {
                Step::On => pause = Pause::default(),
                Step::Failed { why, next } => {
                    self.output.progress(&format!("{name}: {why}; next attempt {}", next.show()));
                }
                Step::Until(next) => {
                    let left = Duration::from_millis(next.0.saturating_sub(clock::now().0));
                    self.store.bell().wait(seen, left.min(REST));
                }
                Step::Idle => self.store.bell().wait(seen, REST),
                Step::Waiting(why) => {
                    if pause.0 == PAUSE {
                        self.output.progress(&format!("{name}: waiting: {why}"));
                    }
                    pause.rest();
                }
                Step::Stopped(why) => {
                    if let Some(why) = why {
                        self.output.progress(&format!(
                            "{name}: paused: {why}; next: see to it, then fengni-push resume {name}"
                        ));
                    }
                    return Ok(());
                }
            }
        }
    }
}

/// Pauses that become longer.
struct Pause(Duration);

impl Default for Pause {
    fn default() -> Self {
        Self(PAUSE)
    }
}

impl Pause {
    fn rest(&mut self) {
        sleep(self.0);
        self.0 = self.0.saturating_mul(2).min(PAUSE_MAX);
    }
}
