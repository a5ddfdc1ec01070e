//! The roster: which peers may connect, and which member each belongs to.

use std::collections::BTreeMap;
use std::sync::Arc;

use fengni_core::MemberNumber;
use libp2p::PeerId;
use tokio::sync::watch;

type Entries = Arc<BTreeMap<PeerId, MemberNumber>>;

/// The allow-list of peers, shared by every mesh of the node and replaced as the registry
/// changes. A peer that leaves it is disconnected at once.
#[derive(Clone, Debug)]
pub struct Roster(Arc<watch::Sender<Entries>>);

impl Roster {
    /// A roster of these peers. A member may have several: a validator and its observers.
    pub fn new(peers: impl IntoIterator<Item = (PeerId, MemberNumber)>) -> Self {
        Self(Arc::new(watch::Sender::new(Arc::new(peers.into_iter().collect()))))
    }

    /// Replaces the whole list.
    pub fn set(&self, peers: impl IntoIterator<Item = (PeerId, MemberNumber)>) {
        let next: Entries = Arc::new(peers.into_iter().collect());
        self.0.send_if_modified(|current| {
            let changed = **current != *next;
            *current = next;
            changed
        });
    }

    /// The member this peer belongs to, if it is listed.
    pub fn member(&self, peer: &PeerId) -> Option<MemberNumber> {
        self.0.borrow().get(peer).copied()
    }

    /// How many peers may connect.
    pub(crate) fn len(&self) -> usize {
        self.0.borrow().len()
    }

    /// Whether the peer may connect.
    pub fn allows(&self, peer: &PeerId) -> bool {
        self.0.borrow().contains_key(peer)
    }

    /// Wakes whenever the list is replaced by another.
    pub(crate) fn changes(&self) -> watch::Receiver<Entries> {
        self.0.subscribe()
    }
}
