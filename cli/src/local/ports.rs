//! Ports for the listeners of a local network.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use anyhow::{Context as _, Result};

/// Where the ports come from.
pub(super) enum Ports {
    /// The system names free ones. The listeners stay open until every port is chosen, so that
    /// none is named twice.
    Free(Vec<TcpListener>),
    /// One after the other from here on.
    From(u16),
}

impl Ports {
    pub(super) fn new(base: Option<u16>) -> Self {
        base.map_or_else(|| Self::Free(Vec::new()), Self::From)
    }

    /// The next address on loopback.
    pub(super) fn next(&mut self) -> Result<SocketAddr> {
        match self {
            Self::Free(held) => {
                let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port on loopback")?;
                let address = listener.local_addr()?;
                held.push(listener);
                Ok(address)
            }
            Self::From(port) => {
                let address = SocketAddr::from((Ipv4Addr::LOCALHOST, *port));
                *port = port.checked_add(1).context("ports end at 65535; next: give a lower --base-port")?;
                Ok(address)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_ports_are_distinct_and_counted_ones_rise() {
        let mut free = Ports::new(None);
        let mut found: Vec<u16> = (0..20).map(|_| free.next().expect("ports are free").port()).collect();
        found.sort_unstable();
        found.dedup();
        assert_eq!(found.len(), 20);
        let mut counted = Ports::new(Some(27_000));
        assert_eq!([counted.next().unwrap().port(), counted.next().unwrap().port()], [27_000, 27_001]);
        assert!(Ports::new(Some(65_535)).next().is_err());
    }
}
