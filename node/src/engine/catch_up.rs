//! Catching up: a node far behind fetches final blocks by the batch, outside the engine.
//!
//! The engine asks for one height after another and each costs it a turn of its whole machine. Here
//! a batch is asked for while the one before is executed, and all its blocks are made durable at
//! once. That is safe: each block is held against the certificate of a quorum that this node's own
//! state names, and the engine hears of none of them, so that nothing is signed that rests on a
//! block which a crash could take away. The engine goes on above the last one.
//!
//! A peer that serves what no quorum decided, or nothing, is not asked again in the same run; one
//! that is slow stands aside while there are others. When nobody is left the engine goes on alone
//! and the next final block is the next attempt.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use fengni_core::{Height, MemberNumber};
use tokio::time::Instant;
use tracing::{debug, info, warn};

use super::chain::Refusal;
use super::driver::{Ledger, Silent};
use super::health::grouped;
use super::peers::Blocks;
use crate::network::PeerId;

/// Blocks in one answer at most; bytes are bounded besides, by what an answer may have.
pub(crate) const BATCH_BLOCKS: usize = 64;
/// Blocks behind from which a node fetches by the batch; the engine closes smaller gaps alone.
pub(crate) const FAR: u64 = 50;
/// An answer that took longer lets another peer have the next question.
const SLOW: Duration = Duration::from_secs(2);
/// How often progress is logged.
const TELL: Duration = Duration::from_secs(5);
/// A node that only follows rests this long after an attempt that brought nothing.
const REST: Duration = Duration::from_secs(1);

impl Ledger {
    /// Whether the network is more than so many blocks ahead.
    pub(crate) fn is_behind(&self, by: u64) -> bool {
        let health = &self.health;
        health.network_final().0.saturating_sub(health.last_final().0) > by
    }

    /// Follows without the engine until the register lists the member this node is to vote for.
    pub(crate) async fn until_listed(&self) -> Result<MemberNumber, Silent> {
        let mut ahead = self.peers.ahead();
        loop {
            if let Some(member) = self.ask("find its member", |chain| Ok(chain.voter())).await? {
                return Ok(member);
            }
            let next = self.health.last_final().next();
            ahead.wait_for(|ahead| *ahead >= next).await.map_err(|_| Silent)?;
            self.catch_up(0).await?;
            if self.health.last_final() < next {
                tokio::time::sleep(REST).await;
            }
        }
    }

    /// Follows until the network is no more than so many blocks ahead, or nobody serves any further.
    pub(crate) async fn catch_up(&self, near: u64) -> Result<(), Silent> {
        let (begun, first) = (Instant::now(), self.health.last_final());
        let mut told = begun;
        let mut sources = Sources::default();
        debug!("catching up: {} of {}", grouped(first), grouped(self.health.network_final()));
        let mut coming = self.ask_for(&mut sources, first.next());
        while let Some(asked) = coming.take() {
            let Answer { peer, blocks, took } = asked.await.map_err(|_| Silent)?;
            sources.took(peer, took);
            let blocks = blocks.unwrap_or_else(|error| {
                warn!(%peer, "no final blocks: {error}");
                Blocks::new()
            });
            let before = self.health.last_final();
            if blocks.is_empty() {
                sources.failed(peer);
            } else {
                // The next batch travels while this one is executed.
                let next = Height(before.0.saturating_add(blocks.len() as u64)).next();
                coming = self.ask_for(&mut sources, next);
                if !self.follow(peer, blocks, &mut sources).await? {
                    break;
                }
                if self.health.last_final().next() != next {
                    coming = None;
                }
            }
            let last = self.health.last_final();
            if told.elapsed() >= TELL {
                told = Instant::now();
                info!("catching up: {} of {}", grouped(last), grouped(self.health.network_final()));
            }
            if !self.is_behind(near) {
                break;
            }
            coming = coming.or_else(|| self.ask_for(&mut sources, last.next()));
        }
        let last = self.health.last_final();
        let (blocks, millis) = (last.0 - first.0, begun.elapsed().as_millis());
        if blocks > FAR {
            info!(blocks, millis, "caught up to height {}", grouped(last));
        }
        Ok(())
    }

    /// Takes a batch; `false` where going on would not help.
    async fn follow(&self, peer: PeerId, blocks: Blocks, sources: &mut Sources) -> Result<bool, Silent> {
        let followed = {
            let _order = self.order.lock().await;
            self.ask("follow final blocks", move |chain| chain.follow(blocks)).await?
        };
        if followed.last > self.health.last_final() {
            self.made_final(followed.last);
        }
        match followed.refused {
            None => Ok(true),
            Some(refusal @ Refusal::Unproven(_)) => {
                self.health.metrics.invalid_blocks.inc();
                warn!(%peer, "{refusal}");
                sources.failed(peer);
                Ok(true)
            }
            Some(refusal @ Refusal::Invalid { .. }) => {
                self.health.metrics.invalid_blocks.inc();
                self.health.note(refusal.to_string());
                Ok(false)
            }
        }
    }

    /// Asks the peer whose turn it is for a batch; `None` where nobody serves it.
    fn ask_for(&self, sources: &mut Sources, first: Height) -> Option<tokio::task::JoinHandle<Answer>> {
        let peer = sources.choose(&self.health.sources(first))?;
        let peers = self.peers.clone();
        Some(tokio::spawn(async move {
            let since = Instant::now();
            let blocks = peers.fetch(peer, first, BATCH_BLOCKS).await;
            Answer { peer, blocks, took: since.elapsed() }
        }))
    }
}

/// What a peer answered.
struct Answer {
    peer: PeerId,
    blocks: Result<Blocks, String>,
    took: Duration,
}

/// Whose turn it is, among the peers that serve a height.
#[derive(Default)]
struct Sources {
    /// Not asked again in this run.
    failed: BTreeSet<PeerId>,
    /// Asked when nobody else is left, the one that was slow longest ago first.
    slow: VecDeque<PeerId>,
}

impl Sources {
    /// The peer to ask; the same as before while it is quick.
    fn choose(&self, serving: &[PeerId]) -> Option<PeerId> {
        let good = |peer: &&PeerId| !self.failed.contains(*peer);
        let quick = serving.iter().filter(good).find(|peer| !self.slow.contains(peer));
        quick.or_else(|| self.slow.iter().filter(good).find(|peer| serving.contains(peer))).copied()
    }

    fn failed(&mut self, peer: PeerId) {
        self.failed.insert(peer);
    }

    fn took(&mut self, peer: PeerId, time: Duration) {
        if time >= SLOW {
            self.slow.retain(|slow| *slow != peer);
            self.slow.push_back(peer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peers() -> [PeerId; 3] {
        [1, 2, 3].map(|seed| {
            crate::network::peer_id(&super::super::signing::tests::key(seed).public()).expect("an ed25519 key")
        })
    }

    #[test]
    fn liars_are_dropped_and_slow_peers_stand_aside() {
        let [one, two, three] = peers();
        let serving = [one, two, three];
        let mut sources = Sources::default();
        assert_eq!(sources.choose(&serving), Some(one));
        sources.took(one, Duration::from_millis(10));
        assert_eq!(sources.choose(&serving), Some(one), "quick ones are kept");
        sources.failed(one);
        assert_eq!(sources.choose(&serving), Some(two));
        sources.took(two, SLOW);
        assert_eq!(sources.choose(&serving), Some(three));
        sources.took(three, SLOW);
        assert_eq!(sources.choose(&serving), Some(two), "slow longest ago");
        assert_eq!(sources.choose(&[one, three]), Some(three), "who does not serve is not asked");
        sources.failed(two);
        sources.failed(three);
        assert_eq!(sources.choose(&serving), None);
    }
}
