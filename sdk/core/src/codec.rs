//! The ledger's encoding: one byte string for one value.
//!
//! bincode with fixed-width little-endian integers, behind four checks that bincode leaves out:
//! a size limit, exact consumption, and a re-encoding equal to the input, which refuses every
//! second spelling of a value. Collections that feed a hash are sorted vectors whose order their
//! own constructors check. Rules C-1 to C-4: `sdk/spec/encoding.md`.
//!
//! Ledger types derive bincode's own traits, and serde's only for what people read: through serde
//! the same bytes cost a third more of a browser's download.

use bincode::config::{Configuration, Fixint, Limit, LittleEndian};
use bincode::enc::EncoderImpl;
use bincode::enc::write::Writer;
use bincode::error::EncodeError;
use bincode::{Decode, Encode};
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
pub fn encode<T: Encode + ?Sized>(value: &T) -> Vec<u8> {
    // bincode's own vector goes through the value twice, first to measure it.
    struct Grown(Vec<u8>);

    impl Writer for Grown {
        fn write(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
            self.0.extend_from_slice(bytes);
            Ok(())
        }
    }

    let mut encoder = EncoderImpl::new(Grown(Vec::new()), bincode::config::legacy());
    value.encode(&mut encoder).expect("ledger values are plain data: nothing in them fails");
    encoder.into_writer().0
}

/// Decodes a value of at most `limit` bytes.
///
/// # Errors
/// [`DecodeError`] for anything but the one encoding of a value.
///
/// # Source
/// `sdk/spec/encoding.md`, rules C-1 to C-4.
pub fn decode<T: Encode + Decode<()>>(bytes: &[u8], limit: usize) -> Result<T, DecodeError> {
    if bytes.len() > limit {
        return Err(DecodeError::TooLong { found: bytes.len(), limit });
    }
    let (value, used) = bincode::decode_from_slice::<T, _>(bytes, configuration())
        .map_err(|error| DecodeError::Malformed { reason: reason(error) })?;
    if used != bytes.len() {
        return Err(DecodeError::Trailing { left: bytes.len() - used });
    }
    if encode(&value) != bytes {
        return Err(DecodeError::NotCanonical);
    }
    Ok(value)
}

/// Of an enumeration that a later version of the protocol has extended.
pub(crate) const UNKNOWN_VARIANT: &str = "a variant that this program does not know";

/// What the decoder met, in words; bincode's own are meant for its programmers.
fn reason(error: bincode::error::DecodeError) -> String {
    use bincode::error::DecodeError::{
        InvalidBooleanValue, LimitExceeded, OtherString, OutsideUsizeRange, UnexpectedEnd, UnexpectedVariant, Utf8,
    };
    let known = match error {
        OtherString(reason) => return reason,
        UnexpectedEnd { .. } => "the bytes end before the value does",
        LimitExceeded | OutsideUsizeRange(_) => "a length is larger than any value of this kind",
        UnexpectedVariant { .. } => UNKNOWN_VARIANT,
        InvalidBooleanValue(_) => "neither true nor false",
        Utf8 { .. } => "a text that is not UTF-8",
        _ => "not a value of this kind",
    };
    known.to_owned()
}

/// Encodes a type as another one that it turns into and is checked from.
macro_rules! encoded_as {
    ($name:ty, $form:ty) => {
        impl bincode::Encode for $name {
            fn encode<E: bincode::enc::Encoder>(&self, encoder: &mut E) -> Result<(), bincode::error::EncodeError> {
                <$form>::from(self.clone()).encode(encoder)
            }
        }

        impl<Context> bincode::Decode<Context> for $name {
            fn decode<D: bincode::de::Decoder<Context = Context>>(
                decoder: &mut D,
            ) -> Result<Self, bincode::error::DecodeError> {
                let form = <$form as bincode::Decode<Context>>::decode(decoder)?;
                Self::try_from(form).map_err(|error| bincode::error::DecodeError::OtherString(error.to_string()))
            }
        }

        bincode::impl_borrow_decode!($name);
    };
}

/// Encodes an enumeration as its number: the place in its `ALL`.
macro_rules! encoded_by_number {
    ($name:ty) => {
        impl From<$name> for u32 {
            fn from(value: $name) -> Self {
                value as u32
            }
        }

        impl TryFrom<u32> for $name {
            type Error = &'static str;

            fn try_from(number: u32) -> Result<Self, Self::Error> {
                let found = usize::try_from(number).ok().and_then(|place| Self::ALL.get(place).copied());
                found.ok_or($crate::codec::UNKNOWN_VARIANT)
            }
        }

        $crate::codec::encoded_as!($name, u32);
    };
}

pub(crate) use {encoded_as, encoded_by_number};

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
