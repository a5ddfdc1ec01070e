//! Health: whether consensus makes progress, and if not, why.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use fengni_core::Height;
use prometheus_client::metrics::{counter::Counter, gauge::Gauge};
use prometheus_client::registry::Registry;
use tokio::sync::watch;
use tracing::{error, info, warn};

use crate::network::PeerId;

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

#[derive(Debug)]
struct Inner {
    height: Height,
    round: u32,
    last_final: Height,
    progress: Instant,
    tips: BTreeMap<PeerId, Height>,
    peers: usize,
    /// Whether a block became final since the start: then the node follows.
    follows: bool,
    standing: Option<String>,
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
            peers: 0,
            follows: false,
            standing: None,
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
        inner.last_final = inner.last_final.max(height);
        inner.follows = true;
        inner.progress = Instant::now();
        inner.passing = None;
        inner.warned = false;
        self.metrics.last_final.set(gauge(inner.last_final.0));
        self.metrics.blocks.inc();
    }

    pub(crate) fn last_final(&self) -> Height {
        self.inner().last_final
    }

    pub(crate) fn connected(&self, peers: usize) {
        self.inner().peers = peers;
    }

    pub(crate) fn gone(&self, peer: &PeerId) {
        self.inner().tips.remove(peer);
    }

    /// Notes a peer's status and returns the height the network has reached.
    pub(crate) fn tip(&self, peer: PeerId, tip: Height) -> Height {
        let mut inner = self.inner();
        inner.tips.insert(peer, tip);
        inner.network_final()
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
            error!("the engine stopped for safety: look at its log, then restart this node by hand");
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
        let ended = self.ended.borrow().clone();
        let inner = self.inner();
        let since_progress = inner.progress.elapsed();
        let network_final = inner.network_final();
        let notes = || inner.passing.clone().or_else(|| inner.standing.clone());
        let failure = if let Some(reason) = ended {
            Some(reason)
        } else if inner.stopping {
            Some("stopping".to_owned())
        } else if inner.safety_failure {
            Some("the engine stopped for safety: restart by hand".to_owned())
        } else if since_progress > self.stall_after {
            let mut reason = format!(
                "no block for {} s: height {} round {}, {} peers connected",
                since_progress.as_secs(),
                inner.height,
                inner.round,
                inner.peers,
            );
            if let Some(note) = notes() {
                reason.push_str("; ");
                reason.push_str(&note);
            }
            Some(reason)
        } else if !inner.follows && inner.tips.len() * 3 <= inner.peers.max(1) {
            // A node that just started does not know yet how far the others are.
            Some("starting: too few peers have said which height they have reached".to_owned())
        } else if network_final.0.saturating_sub(inner.last_final.0) > BEHIND_MAX {
            Some(format!("catching up: height {} of {network_final}", inner.last_final))
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
    /// The height that more than a third of the peers report: one liar moves nothing where there
    /// are three or more.
    fn network_final(&self) -> Height {
        let mut tips: Vec<Height> = self.tips.values().copied().collect();
        tips.sort_unstable_by(|a, b| b.cmp(a));
        tips.get(tips.len() / 3).copied().unwrap_or_default()
    }
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

    #[test]
    fn no_progress_an_end_and_a_safety_stop_are_told_apart() {
        let state = HealthState::new(Height(7), Duration::ZERO, EngineMetrics::default());
        let health = state.look();
        assert!(!health.ready);
        assert!(health.reason.expect("a reason").starts_with("no block for 0 s: height 8 round 0"));
        let state = HealthState::new(Height(7), Duration::from_secs(3600), EngineMetrics::default());
        assert!(state.look().reason.is_some_and(|reason| reason.starts_with("starting")));
        state.tip(peer(1), Height(7));
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

    #[test]
    fn one_liar_does_not_make_a_node_look_behind() {
        let state = HealthState::new(Height(7), Duration::from_secs(3600), EngineMetrics::default());
        for seed in 1..=2 {
            state.tip(peer(seed), Height(7));
        }
        assert_eq!(state.tip(peer(3), Height(u64::MAX)), Height(7));
        assert!(state.look().ready);
        state.tip(peer(2), Height(100));
        assert_eq!(state.look().reason.as_deref(), Some("catching up: height 7 of 100"));
        state.gone(&peer(3));
        assert_eq!(state.look().network_final, Height(100), "an observer of two believes the higher one");
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
