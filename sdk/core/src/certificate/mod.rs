//! Certificates (电子证照): what an issuer seals and a holder keeps.
//!
//! ```text
//! claim -> claims digest -> header -> commitment -> line      on the ledger: 48 bytes
//! ```
//!
//! A claim is a value with a salt of its own, so that a holder can show two of eight and nobody
//! can guess the other six. The header says what the issuer stands for; its hash is all the ledger
//! ever holds. Rules X-1 to X-8: `sdk/spec/certificates.md`.

pub(crate) mod cbor;
mod claim;
mod content;
mod derive;
mod file;
mod header;
mod path;
mod possession;

use std::fmt;

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

pub use claim::{Claim, ClaimValue, Salt, claims_digest};
pub use content::{Certificate, CertificateError};
pub use derive::{derive, fill_derived};
pub use file::CertificateFile;
pub(crate) use header::FACTS;
pub use header::{CertificateHeader, Facts, PROFILE};
pub(crate) use path::PATH;
pub use path::PagePath;
pub use possession::{is_possessed, possession_message, proof_from_text, proof_text, prove_possession};

/// Trust grade (可信等级, CRT-10): who vouches for the content.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, Encode, Decode)]
#[repr(u8)]
pub enum Grade {
    /// Issued by the authority.
    A = 1,
    /// A copy a window has checked.
    B = 2,
    /// Uploaded by the holder.
    C = 3,
    /// Declared by the holder.
    D = 4,
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::A => "A",
            Self::B => "B",
            Self::C => "C",
            Self::D => "D",
        })
    }
}

impl Grade {
    /// The grade with this number.
    pub fn from_number(number: u8) -> Option<Self> {
        [Self::A, Self::B, Self::C, Self::D].into_iter().find(|grade| *grade as u8 == number)
    }

    /// Whether it is this grade or a better one.
    pub fn reaches(self, wanted: Self) -> bool {
        self <= wanted
    }
}
