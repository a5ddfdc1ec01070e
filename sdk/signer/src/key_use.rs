//! What the key of a file is for.

use std::fmt;

use fengni_core::record::KeyPurpose;
use serde::{Deserialize, Serialize};

/// What the key of a file is for, one word in the file. Rule K-6.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyUse {
    /// It recovers a network: the parameters list it, and no member does.
    Recovery,
    /// What the member registry lists it for.
    #[serde(untagged)]
    Member(KeyPurpose),
}

impl KeyUse {
    /// The purpose in the member registry, where it has one.
    pub fn purpose(self) -> Option<KeyPurpose> {
        match self {
            Self::Recovery => None,
            Self::Member(purpose) => Some(purpose),
        }
    }
}

impl From<KeyPurpose> for KeyUse {
    fn from(purpose: KeyPurpose) -> Self {
        Self::Member(purpose)
    }
}

/// The word that stands in the file.
impl fmt::Display for KeyUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}
