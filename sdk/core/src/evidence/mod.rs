//! Evidence packages (存证证明, AUD-03): one file that proves a certificate's past for good.
//!
//! ```text
//! checkpoint -> handovers -> header of a quorum -> state root -> seal, acts, keys, authority
//!                                                      |
//!                                      line <- commitment <- certificate's header <- claims shown
//! ```
//!
//! It is a page that people read and print, and in it the bytes that prove every word. Whoever has
//! the file, this crate and the digest of a checkpoint needs no network: the bytes are judged, the
//! page is written anew from them and compared, so that no bit of the file counts for nothing.
//! Rules W-1 to W-6: `sdk/spec/evidence.md`.

mod content;
mod judge;
mod page;

use bincode::{Decode, Encode};
use thiserror::Error;

use crate::bytes::Bytes;
use crate::codec::{self, DecodeError};
use crate::day::Millis;
use crate::digest::{Digest, Suite};
use crate::light::{Checkpoint, FinalHeader, Handover};
use crate::limits::{EVIDENCE_BYTES, NAME_BYTES};
use crate::number::LinePlace;
use crate::proof::StateProof;

pub use content::{Content, ContentError, ContentShown};
pub use judge::{Defect, Findings, KeyUsed};
pub use page::PageError;

/// Version of the package's form.
pub const FORMAT: u16 = 1;

/// What proves the past of one certificate, through the lines that stood for it. Rule W-1.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Package {
    /// Version of the form, [`FORMAT`].
    pub format: u16,
    /// Which program made it, in at most 300 bytes: words, nothing rests on them.
    pub software: String,
    /// When, by the maker's clock: words as well; a timestamp from outside proves a time.
    pub made: Millis,
    /// Where trust begins: whoever reads compares its digest with the one that the network published.
    pub checkpoint: Checkpoint,
    /// From the checkpoint to the height of the proof, in order.
    pub handovers: Vec<Handover>,
    /// The line at which the certificate begins.
    pub place: LinePlace,
    /// Seal, acts, heads, page, book, type, members and authorities, all of one state.
    pub proof: StateProof,
    /// Where the line's seal alone does not tell: what shows that it took over from no other, some books
    /// each (S-10).
    pub origin: Vec<StateProof>,
    /// Headers of the blocks in which something happened: they say when. By rising height.
    pub headers: Vec<FinalHeader>,
    /// What the certificate says, as far as its holder showed it.
    pub content: Option<Content>,
}

/// Why bytes are no package.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum PackageError {
    /// W-1: not the encoding of a package.
    #[error("the bytes are no evidence package: {0}")]
    Encoding(#[from] DecodeError),
    /// W-1: of a later form.
    #[error("the package has form {0}, this program reads form {FORMAT}; next: install a newer one")]
    Format(u16),
}

impl Package {
    /// Rule W-1: reads a package.
    ///
    /// # Errors
    /// [`PackageError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, PackageError> {
        // Two bytes in front say the form, so that a later one is named and not called damaged.
        if let Some(form) = bytes.first_chunk().map(|form| u16::from_le_bytes(*form)).filter(|form| *form != FORMAT) {
            return Err(PackageError::Format(form));
        }
        let package: Self = codec::decode(bytes, EVIDENCE_BYTES)?;
        match package.software.len() {
            0..=NAME_BYTES => Ok(package),
            found => Err(DecodeError::TooLong { found, limit: NAME_BYTES }.into()),
        }
    }

    /// Its one encoding.
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Rule W-5: the plain SHA-256 of the encoding, which an outside timestamp is asked for.
    pub fn imprint(&self) -> Digest {
        Suite::Standard.hash(&[&self.encode()])
    }
}

/// A package, with what a timestamp service outside the network said of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Evidence {
    /// The package.
    pub package: Package,
    /// A timestamp token (RFC 3161) over [`Package::imprint`], as it was received: this crate shows
    /// its hash and leaves its signature to programs that know certificates.
    pub timestamp: Option<Bytes>,
}
