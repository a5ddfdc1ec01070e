//! Genesis: what a founding document says, as one value and one byte string.

use std::ops::Deref;

use fengni_core::codec::{self, DecodeError};
use fengni_core::light::Checkpoint;
use fengni_core::record::{Agreement, Authority, CertificateType, CodeSet, Member, Parameters};
use fengni_core::{Domain, Height, Millis, NetworkId, Suite, ValidatorSet};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::problem::{Findings, Problems};
use crate::rules;
use crate::source::Lines;

/// Rule G-2: the version of the founding's own form, which no later version of the protocol changes.
const FORM: u16 = 1;
/// The most bytes of an encoded genesis.
pub const FOUNDING_BYTES: usize = 16 * 1024 * 1024;

/// What a network begins with: every record of every shelf, before the first block.
///
/// A record's number is its place in its list. `agreements` are in force, because every party
/// signs the founding itself. Founding is height 0: keys and signatures are valid from there.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, bincode::Encode, bincode::Decode)]
pub struct Contents {
    /// Algorithms.
    pub suite: Suite,
    /// Name of the network.
    pub name: String,
    /// When it was founded; the first block is later.
    pub founded: Millis,
    /// Parameters.
    pub parameters: Parameters,
    /// Founding members, with their derived lists filled.
    pub members: Vec<Member>,
    /// Certificate types.
    pub types: Vec<CertificateType>,
    /// Issuing authorities.
    pub authorities: Vec<Authority>,
    /// Recognition agreements.
    pub agreements: Vec<Agreement>,
    /// Reference codes, by rising name of the set.
    pub codes: Vec<CodeSet>,
}

/// A founding whose every rule holds. Its contents can be read like fields.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Genesis(Contents);

/// Why bytes are no genesis.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum GenesisError {
    /// G-2: not the one encoding of a founding.
    #[error(transparent)]
    Encoding(#[from] DecodeError),
    /// G-2: written in a form this code does not read.
    #[error("the founding is of form {found}, this program reads form {FORM}; next: install a newer version")]
    Version {
        /// The form it names.
        found: u16,
    },
    /// G-4 to G-13: a founding that breaks rules.
    #[error("{0}")]
    Rules(Problems),
}

impl Genesis {
    /// Rules G-2 and G-4 to G-13: checks a founding.
    ///
    /// # Errors
    /// Every problem, without lines; paths are those of the document.
    pub fn new(contents: Contents) -> Result<Self, Problems> {
        let mut findings = Findings::default();
        rules::check(&contents, &mut findings);
        findings.finish(&Lines::default())?;
        Ok(Self(contents))
    }

    /// Rule G-2: its one encoding, the version of its form first.
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(&(FORM, &self.0))
    }

    /// Rule G-2: reads an encoded founding and checks it again.
    ///
    /// # Errors
    /// [`GenesisError`].
    ///
    /// # Source
    /// `sdk/spec/genesis.md`, rules G-2 to G-13.
    pub fn decode(bytes: &[u8]) -> Result<Self, GenesisError> {
        if let Some(found) = bytes.first_chunk().map(|version| u16::from_le_bytes(*version))
            && found != FORM
        {
            return Err(GenesisError::Version { found });
        }
        let (_, contents) = codec::decode::<(u16, Contents)>(bytes, FOUNDING_BYTES)?;
        Self::new(contents).map_err(GenesisError::Rules)
    }

    /// Rule G-3: the network's identity.
    pub fn network(&self) -> NetworkId {
        NetworkId(Domain::founding(self.0.suite).digest("genesis", &[&self.encode()]))
    }

    /// Whose rules digests and signatures of this network follow. Computes the identity: keep it.
    pub fn domain(&self) -> Domain {
        Domain { suite: self.0.suite, network: self.network() }
    }

    /// Rule G-9: the validators of the first block, by rising member number.
    pub fn validators(&self) -> ValidatorSet {
        ValidatorSet::new(rules::validators(&self.0.members)).expect("a set: checked in Genesis::new")
    }

    /// The founding as a checkpoint: where trust begins on a young network.
    pub fn checkpoint(&self) -> Checkpoint {
        let domain = self.domain();
        Checkpoint {
            network: domain.network,
            suite: domain.suite,
            height: Height(0),
            time: self.founded,
            block: None,
            validators: self.validators(),
            trusting_period_secs: self.parameters.trusting_period_secs,
        }
    }

    /// The contents, to build the first state from.
    pub fn into_contents(self) -> Contents {
        self.0
    }
}

impl Deref for Genesis {
    type Target = Contents;

    fn deref(&self) -> &Contents {
        &self.0
    }
}
