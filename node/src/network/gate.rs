//! The gate: only peers on the roster, and only so many, before any stream is opened.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::IpAddr;
use std::task::{Context, Poll};

use libp2p::PeerId;
use libp2p::core::{Endpoint, Multiaddr, multiaddr::Protocol, transport::PortUse};
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
    dummy,
};
use thiserror::Error;
use tracing::{debug, warn};

use super::{NetworkMetrics, Roster};

/// Why a connection was refused.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub(crate) enum Refused {
    #[error("peer {peer} is not on the roster")]
    Unlisted { peer: PeerId },
    #[error("peer {peer} uses this node's own key")]
    OwnKey { peer: PeerId },
    #[error("{count} connections from {ip} are the limit")]
    TooManyFrom { ip: IpAddr, count: usize },
}

/// Refuses connections. It answers after the handshake has proven the peer's key and before the
/// connection gets a handler, so that a refused peer never sees a protocol.
pub(crate) struct Gate {
    roster: Roster,
    own: PeerId,
    per_ip: usize,
    inbound: HashMap<ConnectionId, IpAddr>,
    metrics: NetworkMetrics,
}

impl Gate {
    pub(crate) fn new(roster: Roster, own: PeerId, per_ip: usize, metrics: NetworkMetrics) -> Self {
        Self { roster, own, per_ip, inbound: HashMap::new(), metrics }
    }

    fn admit(&self, peer: PeerId, address: &Multiaddr) -> Result<dummy::ConnectionHandler, ConnectionDenied> {
        let refused = if peer == self.own {
            Refused::OwnKey { peer }
        } else if !self.roster.allows(&peer) {
            Refused::Unlisted { peer }
        } else {
            return Ok(dummy::ConnectionHandler);
        };
        self.metrics.refused.inc();
        warn!(%address, "refused connection: {refused}");
        Err(ConnectionDenied::new(refused))
    }
}

fn ip_of(address: &Multiaddr) -> Option<IpAddr> {
    address.iter().find_map(|part| match part {
        Protocol::Ip4(ip) => Some(ip.into()),
        Protocol::Ip6(ip) => Some(ip.into()),
        _ => None,
    })
}

impl NetworkBehaviour for Gate {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = Infallible;

    fn handle_pending_inbound_connection(
        &mut self,
        connection: ConnectionId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        let Some(ip) = ip_of(remote) else { return Ok(()) };
        let count = self.inbound.values().filter(|other| **other == ip).count();
        if count >= self.per_ip {
            self.metrics.refused.inc();
            let refused = Refused::TooManyFrom { ip, count };
            debug!("refused connection: {refused}");
            return Err(ConnectionDenied::new(refused));
        }
        self.inbound.insert(connection, ip);
        Ok(())
    }

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.admit(peer, remote)
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        address: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.admit(peer, address)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        match event {
            FromSwarm::ConnectionClosed(closed) => self.inbound.remove(&closed.connection_id),
            FromSwarm::ListenFailure(failure) => self.inbound.remove(&failure.connection_id),
            _ => None,
        };
    }

    fn on_connection_handler_event(&mut self, _: PeerId, _: ConnectionId, event: THandlerOutEvent<Self>) {
        match event {}
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        Poll::Pending
    }
}
