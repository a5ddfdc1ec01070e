//! What a device keeps of a light client between two uses.

use bincode::{Decode, Encode};
use litemap::LiteMap;
use serde::{Deserialize, Serialize};

use super::recovery::{FORMAT, Recoveries};
use super::{Epoch, FinalHeader, LightClient, VALIDATORS_KEPT, remembered};
use crate::bytes::Bytes;
use crate::codec;
use crate::day::Millis;
use crate::digest::{Domain, NetworkId, Suite};
use crate::limits::PROOF_BYTES;
use crate::number::Height;

/// A light client as a device keeps it: everything but the headers that only catch contradictions.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Encode, Decode)]
pub struct Saved {
    format: u16,
    network: NetworkId,
    suite: Suite,
    trusting_period_secs: u64,
    trusted: (Height, Millis),
    epochs: Vec<Epoch>,
    ended: Option<Height>,
    newest: Option<Bytes>,
    recoveries: Recoveries,
    evidence: Vec<Bytes>,
}

impl Saved {
    pub(super) fn of(client: &LightClient) -> Self {
        Self {
            format: FORMAT,
            network: client.domain.network,
            suite: client.domain.suite,
            trusting_period_secs: client.trusting_period_secs,
            trusted: client.trusted,
            epochs: client.epochs.clone(),
            ended: client.ended,
            newest: client.newest.as_ref().map(|found| Bytes(codec::encode(found))),
            recoveries: client.recoveries.clone(),
            evidence: client.evidence.iter().map(|found| Bytes(codec::encode(found))).collect(),
        }
    }

    /// The network it is of.
    pub fn network(&self) -> NetworkId {
        self.network
    }

    /// The client as it was.
    ///
    /// # Errors
    /// What is wrong, in words: of another format or network, or damaged.
    pub fn open(self, network: NetworkId) -> Result<LightClient, String> {
        if self.format != FORMAT {
            return Err(format!("format {} is not one this program knows", self.format));
        }
        if self.network != network {
            return Err(format!("of network {}, not {network}", self.network));
        }
        if self.epochs.is_empty() || self.epochs.windows(2).any(|pair| pair[0].from >= pair[1].from) {
            return Err("validator sets out of order".into());
        }
        if remembered(&self.epochs) > VALIDATORS_KEPT {
            return Err(format!("more than {VALIDATORS_KEPT} validators"));
        }
        let evidence =
            self.evidence.iter().map(|bytes| codec::decode(&bytes.0, PROOF_BYTES).map_err(|error| error.to_string()));
        let mut client = LightClient {
            domain: Domain { suite: self.suite, network },
            trusting_period_secs: self.trusting_period_secs,
            trusted: self.trusted,
            epochs: self.epochs,
            ended: self.ended,
            newest: None,
            seen: LiteMap::new(),
            recoveries: self.recoveries,
            evidence: evidence.collect::<Result<_, String>>()?,
        };
        if let Some(newest) = &self.newest {
            let found: FinalHeader = codec::decode(&newest.0, PROOF_BYTES).map_err(|error| error.to_string())?;
            client.remember(found.header.id(&client.domain), found);
        }
        Ok(client)
    }
}
