//! What a mesh counts.

use std::borrow::Cow;

use prometheus_client::metrics::{counter::Counter, gauge::Gauge};
use prometheus_client::registry::Registry;

/// Counters of one mesh, labelled with its purpose.
#[derive(Clone, Debug, Default)]
pub struct NetworkMetrics {
    /// Peers connected now.
    pub peers: Gauge,
    /// Connections refused: not on the roster, or above a limit.
    pub refused: Counter,
    /// Connections that failed before they stood, such as a handshake with another network.
    pub failed: Counter,
    /// Frames dropped because a peer was too slow to take them.
    pub dropped: Counter,
    /// Frames sent.
    pub frames_sent: Counter,
    /// Frames received.
    pub frames_received: Counter,
    /// Bytes of frames received.
    pub bytes_received: Counter,
    /// Connections closed because a peer broke a limit or the protocol, or fell silent.
    pub broken: Counter,
}

impl NetworkMetrics {
    /// Registers the counters of the mesh with this purpose.
    pub fn register(registry: &mut Registry, purpose: super::Purpose) -> Self {
        let metrics = Self::default();
        let label = (Cow::Borrowed("network"), Cow::Borrowed(purpose.name()));
        let registry = registry.sub_registry_with_prefix("fengni_network").sub_registry_with_label(label);
        registry.register("peers", "Peers connected now", metrics.peers.clone());
        registry.register("refused", "Connections refused by the roster or a limit", metrics.refused.clone());
        registry.register("failed", "Connections that failed before they stood", metrics.failed.clone());
        registry.register("frames_dropped", "Frames dropped because a peer was slow", metrics.dropped.clone());
        registry.register("frames_sent", "Frames sent", metrics.frames_sent.clone());
        registry.register("frames_received", "Frames received", metrics.frames_received.clone());
        registry.register("received_bytes", "Bytes of frames received", metrics.bytes_received.clone());
        registry.register("broken", "Connections closed for a broken limit or silence", metrics.broken.clone());
        metrics
    }
}
