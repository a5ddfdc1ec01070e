//! Health: whether consensus makes progress, and if not, why.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use fengni_core::{Height, MemberNumber, ValidatorSet};
use prometheus_client::metrics::{counter::Counter, gauge::Gauge};
use prometheus_client::registry::Registry;
use tokio::sync::watch;
use tracing::{error, info, warn};

use super::stall::{Quorum, Stall};
use crate::network::PeerId;

/// What people do where the engine hangs rather than risk a second signature.
const SAFETY: &str =
    "the engine stopped for safety; next: stop the node, run fengni-node repair-log, and start it again";
/// Blocks a node may be behind its peers and still answer as ready.
const BEHIND_MAX: u64 = 3;

/// A look at consensus, for `/readyz` and for people.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Health {
    /// Whether this node's answers are current.
    pub ready: bool,
    /// Why it is not ready, or what deserves attention although it is.
    pub reason: Option<String>,
    /// The height in progress.
    pub height: Height,
    /// The round in progress.
    pub round: u32,
    /// The last final height.
    pub last_final: Height,
    /// How long ago it became final, or the node started.
    pub since_progress: Duration,
    /// The height that more than a third of the connected peers report as final.
    pub network_final: Height,
    /// Peers connected.
    pub peers: usize,
    /// The engine stopped itself because going on could sign twice. It must be restarted by hand.
    pub safety_failure: bool,
}

/// Counters of consensus.
#[derive(Clone, Debug, Default)]
pub struct EngineMetrics {
    /// The last final height.
    pub last_final: Gauge,
    /// The height in progress.
    pub height: Gauge,
    /// The round in progress.
    pub round: Gauge,
    /// Blocks made final since the start.
    pub blocks: Counter,
    /// Rounds after the first of a height.
    pub late_rounds: Counter,
    /// Blocks of peers that broke a rule.
    pub invalid_blocks: Counter,
    /// Messages of peers that did not decode or came from somebody else than they name.
    pub refused_messages: Counter,
    /// Parts dropped by a limit or for another sender, height, round or turn.
    pub dropped_parts: Counter,
    /// Signatures the guard refused.
    pub guard_refusals: Counter,
    /// Pieces of evidence against validators.
    pub evidence: Counter,
    /// 1 once the engine stopped itself because going on could sign twice.
    pub safety_failure: Gauge,
}

impl EngineMetrics {
    /// Registers the counters.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        let registry = registry.sub_registry_with_prefix("fengni_consensus");
        registry.register("last_final", "The last final height", metrics.last_final.clone());
        registry.register("height", "The height in progress", metrics.height.clone());
        registry.register("round", "The round in progress", metrics.round.clone());
        registry.register("blocks", "Blocks made final since the start", metrics.blocks.clone());
        registry.register("late_rounds", "Rounds after the first of a height", metrics.late_rounds.clone());
        registry.register("invalid_blocks", "Blocks of peers that broke a rule", metrics.invalid_blocks.clone());
        registry.register("refused_messages", "Messages of peers refused", metrics.refused_messages.clone());
        registry.register("dropped_parts", "Parts of proposals dropped", metrics.dropped_parts.clone());
        registry.register("guard_refusals", "Signatures the guard refused", metrics.guard_refusals.clone());
        registry.register("evidence", "Evidence against validators", metrics.evidence.clone());
        registry.register("safety_failure", "Stopped for safety: restart by hand", metrics.safety_failure.clone());
        metrics
    }
}

/// What the parts of the engine know together.
#[derive(Debug)]
pub(crate) struct HealthState {
    inner: Mutex<Inner>,
    ended: watch::Sender<Option<String>>,
    stall_after: Duration,
    pub(crate) metrics: EngineMetrics,
}

/// The final heights that a peer says it has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Span {
    /// The oldest whose block it still serves.
    pub(crate) first: Height,
    /// The newest.
    pub(crate) last: Height,
}

#[derive(Debug)]
struct Inner {
    height: Height,
    round: u32,
    last_final: Height,
    progress: Instant,
    tips: BTreeMap<PeerId, Span>,
    /// The newest version of the protocol that each peer says it speaks.
    versions: BTreeMap<PeerId, u16>,
    peers: usize,
    /// Members with a connected peer, and this node's own where it votes.
    connected: BTreeSet<MemberNumber>,
    own: Option<MemberNumber>,
    validators: Option<ValidatorSet>,
    /// What the ledger works on, in the order in which it began.
    work: BTreeMap<u64, (&'static str, Instant)>,
    works: u64,
    /// Whether a block became final since the start: then the node follows.
    follows: bool,
    standing: Option<String>,
    membership: Option<String>,
    passing: Option<String>,
    safety_failure: bool,
    stopping: bool,
    warned: bool,
}

impl HealthState {
    pub(crate) fn new(last_final: Height, stall_after: Duration, metrics: EngineMetrics) -> Self {
        metrics.last_final.set(gauge(last_final.0));
        let inner = Inner {
            height: last_final.next(),
            round: 0,
            last_final,
            progress: Instant::now(),
            tips: BTreeMap::new(),
            versions: BTreeMap::new(),
            peers: 0,
            connected: BTreeSet::new(),
            own: None,
            validators: None,
            work: BTreeMap::new(),
            works: 0,
            follows: false,
            standing: None,
            membership: None,
            passing: None,
            safety_failure: false,
            stopping: false,
            warned: false,
        };
        Self { inner: Mutex::new(inner), ended: watch::Sender::new(None), stall_after, metrics }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn started_round(&self, height: Height, round: u32) {
        let mut inner = self.inner();
        (inner.height, inner.round) = (height, round);
        self.metrics.height.set(gauge(height.0));
        self.metrics.round.set(i64::from(round));
        if round > 0 {
            self.metrics.late_rounds.inc();
        }
    }

    pub(crate) fn made_final(&self, height: Height) {
        let mut inner = self.inner();
        self.metrics.blocks.inc_by(height.0.saturating_sub(inner.last_final.0));
        inner.last_final = inner.last_final.max(height);
        inner.follows = true;
        inner.progress = Instant::now();
        inner.passing = None;
        inner.warned = false;
        self.metrics.last_final.set(gauge(inner.last_final.0));
    }

    pub(crate) fn last_final(&self) -> Height {
        self.inner().last_final
    }

    /// How many peers are connected, and whose they are.
    pub(crate) fn connected(&self, peers: usize, members: BTreeSet<MemberNumber>) {
        let mut inner = self.inner();
        (inner.peers, inner.connected) = (peers, members);
    }

    /// Who decides the height in progress, and as whom this node votes.
    pub(crate) fn decided_by(&self, validators: ValidatorSet, own: Option<MemberNumber>) {
        let mut inner = self.inner();
        (inner.validators, inner.own) = (Some(validators), own);
    }

    /// The ledger begins to work on something; to be given back to [`HealthState::worked`].
    pub(crate) fn works(&self, what: &'static str) -> u64 {
        let mut inner = self.inner();
        inner.works += 1;
        let number = inner.works;
        inner.work.insert(number, (what, Instant::now()));
        number
    }

    /// The ledger has finished.
    pub(crate) fn worked(&self, number: u64) {
        self.inner().work.remove(&number);
    }

    pub(crate) fn gone(&self, peer: &PeerId) {
        let mut inner = self.inner();
        inner.tips.remove(peer);
        inner.versions.remove(peer);
    }

    /// Notes the newest version of the protocol that a peer says it speaks.
    pub(crate) fn speaks(&self, peer: PeerId, version: u16) {
        self.inner().versions.insert(peer, version);
    }

    /// What connected peers say they speak.
    pub(crate) fn versions(&self) -> Vec<(PeerId, u16)> {
        self.inner().versions.iter().map(|(peer, version)| (*peer, *version)).collect()
    }

    /// Notes a peer's status and returns the height the network has reached.
    pub(crate) fn tip(&self, peer: PeerId, span: Span) -> Height {
        let mut inner = self.inner();
        inner.tips.insert(peer, span);
        inner.network_final()
    }

    /// The final heights that connected peers have shown.
    pub(crate) fn tips(&self) -> Vec<Height> {
        self.inner().tips.values().map(|span| span.last).collect()
    }

    /// Something that stays true for many heights, or `None` once it is over.
    pub(crate) fn note_standing(&self, reason: Option<String>) {
        let mut inner = self.inner();
        if inner.standing != reason {
            match &reason {
                Some(reason) => warn!("{reason}"),
                None => info!("nothing keeps this node from voting any more"),
            }
            inner.standing = reason;
        }
    }

    /// The height the network has reached, as far as this node has heard.
    pub(crate) fn network_final(&self) -> Height {
        self.inner().network_final()
    }

    /// The peers that say they serve the block of a height.
    pub(crate) fn sources(&self, height: Height) -> Vec<PeerId> {
        let inner = self.inner();
        let serves = |span: &Span| span.first <= height && height <= span.last;
        inner.tips.iter().filter(|(_, span)| serves(span)).map(|(peer, _)| *peer).collect()
    }

    /// What the register denies this node at the next height, if anything.
    pub(crate) fn note_membership(&self, trouble: Option<String>) {
        let mut inner = self.inner();
        if let Some(trouble) = trouble.as_ref().filter(|_| inner.membership.is_none()) {
            warn!("{trouble}");
        }
        inner.membership = trouble;
    }

    /// Something that the next final block makes good.
    pub(crate) fn note(&self, reason: impl Into<String>) {
        let reason = reason.into();
        warn!("{reason}");
        self.inner().passing = Some(reason);
    }

    /// The engine cannot go on and the process must end.
    pub(crate) fn end(&self, reason: impl Into<String>) {
        let reason = reason.into();
        if self.inner().stopping {
            return;
        }
        self.ended.send_if_modified(|ended| {
            if ended.is_none() {
                error!("consensus ended: {reason}");
                *ended = Some(reason);
                return true;
            }
            false
        });
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.ended.borrow().is_some() || self.inner().stopping
    }

    pub(crate) fn endings(&self) -> watch::Receiver<Option<String>> {
        self.ended.subscribe()
    }

    /// From now on the end is no failure.
    pub(crate) fn stopping(&self) {
        self.inner().stopping = true;
    }

    pub(crate) fn fail_safe(&self) {
        let mut inner = self.inner();
        if !inner.safety_failure && !inner.stopping {
            inner.safety_failure = true;
            self.metrics.safety_failure.set(1);
            error!("{SAFETY}");
        }
    }

    /// Looks whether there is progress, and says once why not.
    pub(crate) fn watch(&self) {
        let health = self.look();
        let mut inner = self.inner();
        if !health.ready && !inner.warned && !inner.stopping {
            inner.warned = true;
            warn!("not ready: {}", health.reason.unwrap_or_default());
        }
    }

    pub(crate) fn look(&self) -> Health {
        self.look_at(Instant::now())
    }

    fn look_at(&self, now: Instant) -> Health {
        let ended = self.ended.borrow().clone();
        let inner = self.inner();
        let since_progress = now.saturating_duration_since(inner.progress);
        let network_final = inner.network_final();
        let notes = || [&inner.passing, &inner.standing, &inner.membership].into_iter().flatten().next().cloned();
        let failure = if let Some(reason) = ended {
            Some(reason)
        } else if inner.stopping {
            Some("stopping".to_owned())
        } else if inner.safety_failure {
            Some(SAFETY.to_owned())
        } else if since_progress > self.stall_after {
            Some(inner.stall(since_progress, now, notes()).to_string())
        } else if let Some(trouble) = inner.membership.as_ref().filter(|_| inner.peers == 0) {
            Some(trouble.clone())
        } else if !inner.follows && inner.tips.len() * 3 <= inner.peers.max(1) {
            // A node that just started does not know yet how far the others are.
            Some("starting: too few peers have said which height they have reached".to_owned())
        } else if network_final.0.saturating_sub(inner.last_final.0) > BEHIND_MAX {
            Some(format!("catching up: {} of {}", grouped(inner.last_final), grouped(network_final)))
        } else {
            None
        };
        Health {
            ready: failure.is_none(),
            reason: failure.or_else(notes),
            height: inner.height,
            round: inner.round,
            last_final: inner.last_final,
            since_progress,
            network_final,
            peers: inner.peers,
            safety_failure: inner.safety_failure,
        }
    }
}

impl Inner {
    fn stall(&self, since: Duration, now: Instant, note: Option<String>) -> Stall {
        let mut connected = self.connected.clone();
        connected.extend(self.own);
        let oldest = self.work.values().next();
        Stall {
            since,
            height: self.height,
            round: self.round,
            peers: self.peers,
            work: oldest.map(|(what, begun)| (*what, now.saturating_duration_since(*begun))),
            note,
            quorum: self.validators.as_ref().map(|set| Quorum::count(set, &connected)),
        }
    }

    /// The height that more than a third of the peers report: one liar moves nothing where there
    /// are three or more.
    fn network_final(&self) -> Height {
        let mut tips: Vec<Height> = self.tips.values().map(|span| span.last).collect();
        tips.sort_unstable_by(|a, b| b.cmp(a));
        tips.get(tips.len() / 3).copied().unwrap_or_default()
    }
}

/// A height as people read it: 1,204.
pub(crate) fn grouped(height: Height) -> String {
    let digits = height.to_string();
    let places = (1..=digits.len()).rev();
    digits.chars().zip(places).fold(String::new(), |mut text, (digit, place)| {
        if !text.is_empty() && place % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
        text
    })
}

fn gauge(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(seed: u8) -> PeerId {
        crate::network::peer_id(&super::super::signing::tests::key(seed).public()).expect("an ed25519 key")
    }

    fn up_to(last: u64) -> Span {
        Span { first: Height(1), last: Height(last) }
    }

    #[test]
    fn whoever_serves_a_height_says_so() {
        let state = HealthState::new(Height(7), Duration::from_secs(3600), EngineMetrics::default());
        state.tip(peer(1), up_to(100));
        state.tip(peer(2), Span { first: Height(50), last: Height(100) });
        state.tip(peer(3), up_to(7));
        assert_eq!(state.sources(Height(8)), [peer(1)]);
        assert_eq!(state.sources(Height(50)).len(), 2);
        assert!(state.sources(Height(101)).is_empty());
        let cases = [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")];
        cases.into_iter().for_each(|(height, said)| assert_eq!(grouped(Height(height)), said));
    }

    #[test]
    fn no_progress_an_end_and_a_safety_stop_are_told_apart() {
        let state = HealthState::new(Height(7), Duration::ZERO, EngineMetrics::default());
        let health = state.look();
        assert!(!health.ready);
        assert!(health.reason.expect("a reason").starts_with("no block for 0 s: height 8 round 0"));
        let state = HealthState::new(Height(7), Duration::from_secs(3600), EngineMetrics::default());
        assert!(state.look().reason.is_some_and(|reason| reason.starts_with("starting")));
        state.tip(peer(1), up_to(7));
        assert!(state.look().ready);
        state.note("block 8 of the network is invalid here");
        assert_eq!(state.look().reason.as_deref(), Some("block 8 of the network is invalid here"));
        state.made_final(Height(8));
        assert_eq!((state.look().ready, state.look().reason), (true, None));
        state.fail_safe();
        assert!(state.look().safety_failure && !state.look().ready);
        state.end("the disk is full");
        state.end("a later reason");
        assert_eq!(state.look().reason.as_deref(), Some("the disk is full"));
        assert!(state.has_ended());
    }

    /// A stall is told within ten seconds by the clock of the state itself, with each cause.
    #[test]
    fn a_stall_is_told_in_time_and_ends_with_the_next_block() {
        let after = crate::engine::Pace::default().stall_after();
        assert!(after <= Duration::from_secs(10));
        let state = HealthState::new(Height(7), after, EngineMetrics::default());
        state.connected(1, BTreeSet::from([MemberNumber(1)]));
        state.tip(peer(1), up_to(7));
        state.made_final(Height(8));
        let begun = Instant::now();
        let at = |millis| state.look_at(begun + Duration::from_millis(millis));
        assert!(at(9_000).ready);
        let said = at(10_100).reason.expect("a stall");
        assert!(!at(10_100).ready && said.starts_with("no block for 10 s: height 8"), "{said}");
        state.note_membership(Some("peers refuse this node's key".to_owned()));
        assert!(at(10_100).reason.expect("a stall").ends_with("; peers refuse this node's key"));
        state.note("block time is ahead of the clock");
        assert!(at(10_100).reason.expect("a stall").ends_with("; block time is ahead of the clock"));
        let work = state.works("keep a block");
        assert!(at(10_100).reason.expect("a stall").contains("tried to keep a block for 10 s"));
        state.worked(work);
        state.made_final(Height(9));
        state.note_membership(None);
        let next = state.look_at(Instant::now() + Duration::from_secs(1));
        assert_eq!((next.ready, next.reason), (true, None));
    }

    #[test]
    fn one_liar_does_not_make_a_node_look_behind() {
        let state = HealthState::new(Height(7), Duration::from_secs(3600), EngineMetrics::default());
        for seed in 1..=2 {
            state.tip(peer(seed), up_to(7));
        }
        assert_eq!(state.tip(peer(3), up_to(u64::MAX)), Height(7));
        assert!(state.look().ready);
        state.tip(peer(2), up_to(11_204));
        assert_eq!(state.look().reason.as_deref(), Some("catching up: 7 of 11,204"));
        state.gone(&peer(3));
        assert_eq!(state.look().network_final, Height(11_204), "an observer of two believes the higher one");
    }

    #[test]
    fn an_intended_stop_is_no_failure() {
        let state = HealthState::new(Height(0), Duration::ZERO, EngineMetrics::default());
        state.stopping();
        state.end("the engine stopped");
        assert!(state.endings().borrow().is_none());
        assert!(state.has_ended());
    }
}
