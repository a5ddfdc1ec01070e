//! The transport: TCP, noise and yamux, bound to one network, one purpose and one key.

use std::time::Duration;

use fengni_core::{Domain, KeyAlgorithm, PublicKey};
use libp2p::core::{muxing::StreamMuxerBox, transport::Boxed, upgrade::Version};
use libp2p::{PeerId, Transport as _, identity, noise, tcp, yamux};

use super::NetworkError;

/// How long a connection may take from the first byte to the multiplexer.
const HANDSHAKE: Duration = Duration::from_secs(5);

/// What a mesh is for. Meshes of different purposes cannot connect to each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// Votes, proposals, status, and requests for final blocks.
    Consensus,
    /// Batches of transactions.
    Transactions,
}

impl Purpose {
    /// The name in metrics and in the handshake.
    pub fn name(self) -> &'static str {
        match self {
            Self::Consensus => "consensus",
            Self::Transactions => "transactions",
        }
    }

    /// Protocol of the frame stream.
    pub(crate) fn frames(self) -> &'static str {
        match self {
            Self::Consensus => "/fengni/1/consensus",
            Self::Transactions => "/fengni/1/tx-link",
        }
    }

    /// Protocol of requests.
    pub(crate) fn calls(self) -> &'static str {
        match self {
            Self::Consensus => "/fengni/1/sync",
            Self::Transactions => "/fengni/1/tx",
        }
    }
}

/// The peer id of an ed25519 key of the member registry; `None` for any other algorithm.
pub fn peer_id(key: &PublicKey) -> Option<PeerId> {
    if key.algorithm() != KeyAlgorithm::Ed25519 {
        return None;
    }
    let key = identity::ed25519::PublicKey::try_from_bytes(key.bytes()).ok()?;
    Some(identity::PublicKey::from(key).to_peer_id())
}

/// The registry key behind a peer id; `None` where the id does not carry an ed25519 key.
pub fn peer_key(peer: &PeerId) -> Option<PublicKey> {
    // An identity multihash: code 0, one length byte, then the encoded key itself.
    let bytes = peer.to_bytes();
    let (&[0, _], encoded) = bytes.split_first_chunk::<2>()? else { return None };
    let key = identity::PublicKey::try_decode_protobuf(encoded).ok()?.try_into_ed25519().ok()?;
    PublicKey::new(KeyAlgorithm::Ed25519, &key.to_bytes()).ok()
}

/// The one crossing of secret bytes into libp2p's key type.
pub(crate) fn keypair(secret: &[u8; 32]) -> Result<identity::Keypair, NetworkError> {
    identity::Keypair::ed25519_from_bytes(*secret).map_err(|_| NetworkError::Key)
}

/// What both ends must share before noise completes: network, purpose, and the network key.
///
/// The key enters as a hash. Who lacks it, or comes from another genesis, fails to decrypt the
/// first encrypted handshake message.
fn prologue(domain: &Domain, purpose: Purpose, shared_key: Option<&[u8; 32]>) -> Vec<u8> {
    let shared = match shared_key {
        Some(key) => domain.digest("network-key", &[key]).0,
        None => [0; 32],
    };
    domain.message("noise", &[&shared, purpose.name().as_bytes()])
}

/// Builds the transport of a mesh.
pub(crate) fn transport(
    key: &identity::Keypair,
    domain: &Domain,
    purpose: Purpose,
    shared_key: Option<&[u8; 32]>,
) -> Result<Boxed<(PeerId, StreamMuxerBox)>, NetworkError> {
    let noise =
        noise::Config::new(key).map_err(|_| NetworkError::Key)?.with_prologue(prologue(domain, purpose, shared_key));
    Ok(tcp::tokio::Transport::new(tcp::Config::default().nodelay(true))
        .upgrade(Version::V1Lazy)
        .authenticate(noise)
        .multiplex(yamux::Config::default())
        .timeout(HANDSHAKE)
        .boxed())
}

#[cfg(test)]
mod tests {
    use super::*;
    use fengni_core::SecretKey;

    #[test]
    fn a_peer_id_is_its_registry_key() {
        let secret = SecretKey::from_seed(KeyAlgorithm::Ed25519, &[7; 32]).expect("any seed is a key");
        let peer = peer_id(&secret.public()).expect("an ed25519 key has a peer id");
        assert_eq!(peer, keypair(&[7; 32]).expect("any seed is a key").public().to_peer_id());
        assert_eq!(peer_key(&peer), Some(secret.public()));
        let other = SecretKey::from_seed(KeyAlgorithm::P256, &[7; 32]).expect("a scalar of the curve");
        assert_eq!(peer_id(&other.public()), None);
    }

    #[test]
    fn every_part_changes_the_prologue() {
        let domain = Domain::founding(fengni_core::Suite::Standard);
        let base = prologue(&domain, Purpose::Consensus, None);
        assert_ne!(base, prologue(&domain, Purpose::Transactions, None));
        assert_ne!(base, prologue(&domain, Purpose::Consensus, Some(&[0; 32])));
        let other = Domain { network: fengni_core::NetworkId(fengni_core::Digest([1; 32])), ..domain };
        assert_ne!(base, prologue(&other, Purpose::Consensus, None));
    }
}
