//! The closed network: who may connect, and how messages travel between those who may.
//!
//! A [`Mesh`] is one listener and one set of connections for one purpose; a node runs two, on
//! two ports: consensus and transactions. Every connection is TCP, noise and yamux. The noise
//! handshake covers the network id, the purpose and the optional shared network key, so that a
//! node of another network fails before it can say anything; a peer that the [`Roster`] does not
//! list is dropped before any protocol stream is opened. There is no gossip and no discovery:
//! nothing listens or dials outside the configured listener and peers. This folder and the
//! engine's glue are the only places that name libp2p.
//!
//! ```text
//! socket -> noise (network id, purpose, shared key) -> gate (roster, limits) -> frames, calls
//! ```

mod calls;
mod gate;
mod link;
mod mesh;
mod metrics;
mod roster;
mod transport;
mod tx;

#[cfg(test)]
mod tests;

pub use libp2p::multiaddr::Protocol;
pub use libp2p::{Multiaddr, PeerId};
pub use mesh::{CallFailure, Frame, Mesh, MeshConfig, MeshEvent, MeshFeeds, NetworkError, PeerAddress, SendError};
pub use metrics::NetworkMetrics;
pub use roster::Roster;
pub use transport::{Purpose, peer_id, peer_key};
pub use tx::{TX_BATCH_BYTES, TxBatch, TxError, TxFeeds, TxNetwork, TxQuestion};

pub(crate) use libp2p::request_response::InboundRequestId;

/// How much one mesh accepts and keeps.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of one frame.
    pub frame_bytes: usize,
    /// Bytes of one request.
    pub request_bytes: usize,
    /// Bytes of one response.
    pub response_bytes: usize,
    /// Frames waiting for one connection before further ones are dropped.
    pub frames_queued: usize,
    /// Frames received and not yet taken by the node, over all peers.
    pub frames_received: usize,
    /// Frames one connection may deliver in a second; a faster peer is read more slowly.
    pub frames_per_second: u32,
    /// Requests in flight in each direction on one connection.
    pub requests_in_flight: usize,
    /// How long a request may take.
    pub request_timeout: std::time::Duration,
    /// Established connections over all peers.
    pub connections: u32,
    /// Inbound connections, pending or established, from one IP address.
    pub connections_per_ip: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            frame_bytes: 320 * 1024,
            request_bytes: 64 * 1024,
            response_bytes: 24 * 1024 * 1024,
            frames_queued: 512,
            frames_received: 1024,
            frames_per_second: 4000,
            requests_in_flight: 32,
            request_timeout: std::time::Duration::from_secs(10),
            connections: 512,
            connections_per_ip: 64,
        }
    }
}
