//! Joining: a node without blocks looks whether its peers are far ahead, and takes a snapshot from one
//! of them, before anything else of the node starts.
//!
//! Peers are those of the configuration, dialled and known by their keys; nothing they say is believed
//! without proof. A peer whose snapshot does not hold is named in the log and another one asked. A peer
//! that falls silent is asked again for a while; what it gave stays on the disk, also over a restart of
//! this node, and whoever gives a snapshot of the same header is asked for the rest alone. A node that
//! finds no snapshot starts as it is and replays every block.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use fengni_core::light::Handover;
use fengni_core::{CommitCertificate, Header, Height, MemberNumber, codec};
use fengni_genesis::Genesis;
use thiserror::Error;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep};

use super::arriving::{Arriving, Refused};
use super::{ANSWER_BYTES, Answer, Question};
use crate::network::{CallFailure, MeshConfig, NetworkError, NetworkMetrics, PeerId, Roster, TxNetwork};
use crate::store::{Store, StoreError, copy};

/// Blocks that peers are ahead from which on a snapshot is faster than a replay.
const AHEAD: u64 = 256;
/// How long to look for peers before a node starts without: at a founding nobody is there yet.
const LOOK: Duration = Duration::from_secs(2);
/// The same where the configuration asks for a snapshot.
const LOOK_WANTED: Duration = Duration::from_secs(60);
/// The rest between two looks.
const REST: Duration = Duration::from_millis(50);
/// How often a busy peer is asked again, and the rest between.
const TRIES: u32 = 20;
const BUSY_REST: Duration = Duration::from_millis(500);

/// What joining needs.
pub struct Joining<'a> {
    /// The mesh of transactions; it only dials.
    pub mesh: MeshConfig,
    /// The founding.
    pub genesis: &'a Genesis,
    /// The node's data folder.
    pub data: &'a Path,
    /// The configuration's word; without one, a snapshot is taken where peers are far ahead.
    pub snapshot: Option<bool>,
}

/// Why joining failed.
#[derive(Debug, Error)]
pub enum JoinError {
    /// The mesh.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The disk.
    #[error("the data folder: {0}")]
    Disk(#[from] std::io::Error),
}

/// Why a peer's snapshot is not taken.
#[derive(Debug, Error)]
enum Failure {
    #[error("no answer: {0}")]
    Call(#[from] CallFailure),
    #[error("an answer to another question")]
    Answer,
    #[error("it is busy")]
    Busy,
    #[error("it has the copy no longer")]
    Gone,
    #[error("{0}")]
    Refused(#[from] Refused),
    #[error("its snapshot could not be taken in")]
    Broken,
    #[error("the data folder: {0}")]
    Disk(#[from] std::io::Error),
}

impl Failure {
    /// Whether the peer said nothing false, so that what it gave may stay.
    fn is_silence(&self) -> bool {
        matches!(self, Self::Call(_) | Self::Busy | Self::Gone)
    }
}

/// Takes a snapshot into a store without blocks, if there is a reason to. Returns the highest final
/// height that a peer has shown to a node without blocks, which is how far it is behind.
///
/// # Errors
/// [`JoinError`]; peers that have no snapshot, or a wrong one, are no error.
pub async fn join(joining: Joining<'_>) -> Result<Option<Height>, JoinError> {
    let incoming = joining.data.join("store.joining");
    let peers: Vec<PeerId> = joining.mesh.peers.iter().map(|peer| peer.peer).collect();
    if peers.is_empty() || !is_empty(joining.data, joining.genesis)? {
        copy::remove(&incoming)?;
        return Ok(None);
    }
    // Whom the configuration names may answer: the member registry is not known yet.
    let roster = Roster::new(peers.iter().map(|peer| (*peer, MemberNumber(0))));
    let (network, _feeds) = TxNetwork::start(joining.mesh.clone(), roster, NetworkMetrics::default()).await?;
    let asking = Asking { network, joining: &joining, incoming };
    let tips = asking.tips(&peers).await;
    let highest = tips.values().max().copied();
    let least = if joining.snapshot == Some(true) { 1 } else { AHEAD };
    if joining.snapshot != Some(false) && highest.is_some_and(|highest| highest.0 >= least) {
        asking.first_that_holds(tips).await?;
    }
    copy::remove(&asking.incoming)?;
    asking.network.mesh().stop().await;
    Ok(highest)
}

/// Whether a node far behind this height must have lost what it had, if it ever voted.
pub fn is_far(height: Height) -> bool {
    height.0 >= AHEAD
}

fn is_empty(data: &Path, genesis: &Genesis) -> Result<bool, StoreError> {
    let place = copy::place(data);
    Ok(!place.exists() || !Store::open(&place, &genesis.domain())?.has_blocks())
}

struct Asking<'a> {
    network: TxNetwork,
    joining: &'a Joining<'a>,
    incoming: PathBuf,
}

impl Asking<'_> {
    /// The last final heights of those peers that answer in time.
    async fn tips(&self, peers: &[PeerId]) -> BTreeMap<PeerId, Height> {
        let wanted = self.joining.snapshot == Some(true);
        let until = Instant::now() + if wanted { LOOK_WANTED } else { LOOK };
        let mut tips = BTreeMap::new();
        while tips.len() < peers.len() && Instant::now() < until {
            for peer in self.network.mesh().peers() {
                if tips.contains_key(&peer) {
                    continue;
                }
                if let Ok(Answer::Tip(height)) = self.ask(peer, &Question::Tip).await {
                    tips.insert(peer, height);
                }
            }
            // Whoever wants a snapshot waits for somebody who has one, and no longer.
            if wanted && tips.values().any(|height| height.0 > 0) {
                break;
            }
            sleep(REST).await;
        }
        tips
    }

    async fn first_that_holds(&self, tips: BTreeMap<PeerId, Height>) -> Result<(), JoinError> {
        let mut peers: Vec<(PeerId, Height)> = tips.into_iter().collect();
        peers.sort_by_key(|(_, height)| std::cmp::Reverse(*height));
        for (peer, height) in peers.into_iter().filter(|(_, height)| height.0 > 0) {
            // What does not hold may be what was here before: then once more, and all of it from this peer.
            for goes_on in [self.incoming.exists(), false] {
                tracing::info!(%peer, %height, goes_on, "taking a snapshot");
                match self.take_from(peer).await {
                    Ok(height) => {
                        copy::put_in_place(self.joining.data, &self.incoming)?;
                        tracing::info!(%height, "the snapshot holds: the node goes on from there");
                        return Ok(());
                    }
                    Err(failure) => {
                        tracing::warn!(%peer, "no snapshot from this peer: {failure}");
                        if failure.is_silence() {
                            break;
                        }
                    }
                }
                copy::remove(&self.incoming)?;
                if !goes_on {
                    break;
                }
            }
        }
        tracing::warn!("no peer gave a snapshot that holds: the node replays every block");
        Ok(())
    }

    async fn take_from(&self, peer: PeerId) -> Result<Height, Failure> {
        let Answer::Opened { header, certificate } = self.ask(peer, &Question::Open).await? else {
            return Err(Failure::Answer);
        };
        let handovers = self.handovers(peer, header.height).await?;
        let mut arriving = self.begin(*header.clone(), certificate, handovers).await?;
        while let Some((part, after)) = arriving.next() {
            let question = Question::Part { height: header.height, part, after };
            let (entries, more) = match self.ask_again(peer, &question).await? {
                Answer::Part { entries, more } => (entries, more),
                Answer::Gone => return Err(Failure::Gone),
                _ => return Err(Failure::Answer),
            };
            arriving = blocking(move || arriving.take(&entries, more).map(|()| arriving)).await?;
        }
        let (_, height) = blocking(move || arriving.finish()).await?;
        Ok(height)
    }

    /// Every handover below a height.
    async fn handovers(&self, peer: PeerId, height: Height) -> Result<Vec<Handover>, Failure> {
        let mut all: Vec<Handover> = Vec::new();
        loop {
            let since = all.last().map_or(Height(0), |last| last.header.height);
            let Answer::Handovers(more) = self.ask(peer, &Question::Handovers { since }).await? else {
                return Err(Failure::Answer);
            };
            // Heights rise and end at the header's, so this ends whatever the peer says.
            let rising = more.iter().try_fold(since, |below, handover| {
                let height = handover.header.height;
                (height > below).then_some(height)
            });
            let reached = rising.ok_or(Failure::Answer)?;
            let done = more.is_empty() || reached >= height;
            all.extend(more);
            if done {
                return Ok(all);
            }
        }
    }

    async fn begin(
        &self,
        header: Header,
        certificate: CommitCertificate,
        handovers: Vec<Handover>,
    ) -> Result<Arriving, Failure> {
        let (folder, genesis) = (self.incoming.clone(), self.joining.genesis.clone());
        blocking(move || Arriving::begin(&folder, &genesis, header, certificate, &handovers)).await
    }

    /// Asks a peer that was there a moment ago, and asks again until its connection stands again.
    async fn ask_again(&self, peer: PeerId, question: &Question) -> Result<Answer, Failure> {
        for _ in 1..TRIES {
            match self.ask(peer, question).await {
                Err(Failure::Call(error)) => tracing::debug!(%peer, %error, "asking again"),
                answer => return answer,
            }
            sleep(BUSY_REST).await;
        }
        self.ask(peer, question).await
    }

    /// Asks, and asks again while the peer is busy.
    async fn ask(&self, peer: PeerId, question: &Question) -> Result<Answer, Failure> {
        for _ in 0..TRIES {
            let bytes = self.network.ask(peer, Bytes::from(codec::encode(question))).await?;
            match codec::decode(&bytes, ANSWER_BYTES).map_err(|_| Failure::Answer)? {
                Answer::Busy => sleep(BUSY_REST).await,
                answer => return Ok(answer),
            }
        }
        Err(Failure::Busy)
    }
}

/// Runs work on a thread for it; a panic in it is the peer's doing, not the end of the node.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Refused> + Send + 'static) -> Result<T, Failure> {
    spawn_blocking(work).await.map_err(|_| Failure::Broken)?.map_err(Failure::Refused)
}
