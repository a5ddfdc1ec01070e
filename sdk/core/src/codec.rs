//! The ledger's encoding: one byte string for one value.
//!
//! bincode with fixed-width little-endian integers, behind four checks that bincode leaves out:
//! a size limit, exact consumption, and a re-encoding equal to the input, which refuses every
//! second spelling of a value. Collections that feed a hash are sorted vectors whose order their
//! own constructors check. Rules C-1 to C-4: `sdk/spec/encoding.md`.

use bincode::config::{Configuration, Fixint, Limit, LittleEndian};
use serde::{Serialize, de::DeserializeOwned};
use thiserror::Error;

/// The most bytes bincode may claim while decoding; each caller's own limit is lower.
const CLAIM_BYTES: usize = 64 * 1024 * 1024;

fn configuration() -> Configuration<LittleEndian, Fixint, Limit<CLAIM_BYTES>> {
    bincode::config::legacy().with_limit::<CLAIM_BYTES>()
}

/// Why bytes are not the encoding of a value.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum DecodeError {
    /// C-1: longer than this kind of value may be.
    #[error("{found} bytes are above the limit of {limit}")]
    TooLong {
        /// Bytes received.
        found: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// C-2: not a value of this type, or one that breaks its rules.
    #[error("malformed: {reason}")]
    Malformed {
        /// What the decoder met.
        reason: String,
    },
    /// C-3: bytes are left over.
    #[error("{left} bytes follow the value")]
    Trailing {
        /// Bytes left over.
        left: usize,
    },
    /// C-4: another spelling of the same value.
    #[error("not the canonical encoding")]
    NotCanonical,
}

/// Encodes a value as its one byte string.
pub fn encode<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    bincode::serde::encode_to_vec(value, bincode::config::legacy())
        .expect("ledger values are plain data: every length is known and nothing fails to serialize")
}

/// Decodes a value of at most `limit` bytes.
///
/// # Errors
/// [`DecodeError`] for anything but the one encoding of a value.
///
/// # Source
/// `sdk/spec/encoding.md`, rules C-1 to C-4.
pub fn decode<T: Serialize + DeserializeOwned>(bytes: &[u8], limit: usize) -> Result<T, DecodeError> {
    if bytes.len() > limit {
        return Err(DecodeError::TooLong { found: bytes.len(), limit });
    }
    let (value, used) = bincode::serde::decode_from_slice::<T, _>(bytes, configuration())
        .map_err(|error| DecodeError::Malformed { reason: error.to_string() })?;
    if used != bytes.len() {
        return Err(DecodeError::Trailing { left: bytes.len() - used });
    }
    if encode(&value) != bytes {
        return Err(DecodeError::NotCanonical);
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c1_to_c4_each_refuse_their_case() {
        let bytes = encode(&(7u32, vec![1u8, 2]));
        assert_eq!(bytes, [7, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1, 2]);
        assert_eq!(decode::<(u32, Vec<u8>)>(&bytes, 100), Ok((7, vec![1, 2])));
        assert!(matches!(decode::<(u32, Vec<u8>)>(&bytes, 5), Err(DecodeError::TooLong { .. })));
        let mut long = bytes.clone();
        long.push(0);
        assert_eq!(decode::<(u32, Vec<u8>)>(&long, 100), Err(DecodeError::Trailing { left: 1 }));
        let mut huge = bytes;
        huge[4..12].fill(0xff);
        assert!(matches!(decode::<(u32, Vec<u8>)>(&huge, 100), Err(DecodeError::Malformed { .. })));
        assert!(matches!(decode::<bool>(&[2], 100), Err(DecodeError::Malformed { .. })));
        let twice = encode(&vec![(1u8, 1u8), (1, 1)]);
        let map = decode::<std::collections::BTreeMap<u8, u8>>(&twice, 100);
        assert_eq!(map, Err(DecodeError::NotCanonical));
    }
}
