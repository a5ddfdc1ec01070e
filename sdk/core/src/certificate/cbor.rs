//! The one spelling of what travels outside the ledger: deterministic CBOR.
//!
//! Arrays of known length, unsigned integers, byte and text strings, null; nothing else. A reader
//! consumes the input exactly and writes the value again: another result than the input refuses
//! every second spelling (indefinite lengths, long integers, swapped types). Rules.

use minicbor::data::Type;
use minicbor::{Decoder, Encoder};

use crate::codec::DecodeError;
use crate::digest::Digest;

/// Writes CBOR into memory.
pub(crate) struct Writer(Encoder<Vec<u8>>);

const IN_MEMORY: &str = "writing into memory does not fail";

impl Writer {
    pub(crate) fn array(&mut self, len: usize) {
        self.0.array(len as u64).expect(IN_MEMORY);
    }

    pub(crate) fn uint(&mut self, number: impl Into<u64>) {
        self.0.u64(number.into()).expect(IN_MEMORY);
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.0.bytes(bytes).expect(IN_MEMORY);
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.0.str(text).expect(IN_MEMORY);
    }

    pub(crate) fn null(&mut self) {
        self.0.null().expect(IN_MEMORY);
    }

    /// Digests, one after the other in one byte string.
    pub(crate) fn digests(&mut self, digests: &[Digest]) {
        let bytes: Vec<u8> = digests.iter().flat_map(|digest| digest.0).collect();
        self.bytes(&bytes);
    }
}

/// Reads CBOR. Every method answers with a text that says what was expected.
pub(crate) struct Reader<'b>(Decoder<'b>);

/// What the reader expected and did not find.
pub(crate) type Wrong = String;

fn wrong(what: &str) -> impl Fn(minicbor::decode::Error) -> Wrong {
    move |error| match () {
        () if error.is_end_of_input() => format!("{what}: the bytes end before it does"),
        () if error.is_type_mismatch() => format!("{what}: something of another type"),
        () => format!("{what}: not CBOR as it is used here"),
    }
}

impl<'b> Reader<'b> {
    /// The length of an array of at most `limit` entries.
    pub(crate) fn array_upto(&mut self, what: &str, limit: usize) -> Result<usize, Wrong> {
        let len = self.0.array().map_err(wrong(what))?.and_then(|len| usize::try_from(len).ok());
        len.filter(|len| *len <= limit).ok_or_else(|| format!("{what}: not an array of at most {limit}"))
    }

    /// An array of exactly `len` entries.
    pub(crate) fn array(&mut self, what: &str, len: usize) -> Result<(), Wrong> {
        let found = self.array_upto(what, len)?;
        if found == len { Ok(()) } else { Err(format!("{what}: {found} entries where {len} are needed")) }
    }

    /// An unsigned integer that fits the type asked for.
    pub(crate) fn uint<T: TryFrom<u64>>(&mut self, what: &str) -> Result<T, Wrong> {
        let number = self.0.u64().map_err(wrong(what))?;
        T::try_from(number).map_err(|_| format!("{what}: {number} is out of range"))
    }

    pub(crate) fn bytes(&mut self, what: &str) -> Result<&'b [u8], Wrong> {
        self.0.bytes().map_err(wrong(what))
    }

    pub(crate) fn array_bytes<const N: usize>(&mut self, what: &str) -> Result<[u8; N], Wrong> {
        let bytes = self.bytes(what)?;
        bytes.try_into().map_err(|_| format!("{what}: {} bytes where {N} are needed", bytes.len()))
    }

    pub(crate) fn text(&mut self, what: &str) -> Result<&'b str, Wrong> {
        self.0.str().map_err(wrong(what))
    }

    /// `None` for null, otherwise what `read` gives.
    pub(crate) fn nullable<T>(
        &mut self,
        what: &str,
        read: impl FnOnce(&mut Self) -> Result<T, Wrong>,
    ) -> Result<Option<T>, Wrong> {
        if self.0.datatype().map_err(wrong(what))? == Type::Null {
            self.0.null().map_err(wrong(what))?;
            return Ok(None);
        }
        read(self).map(Some)
    }

    /// At most `limit` digests in one byte string.
    pub(crate) fn digests(&mut self, what: &str, limit: usize) -> Result<Vec<Digest>, Wrong> {
        let (digests, rest) = self.bytes(what)?.as_chunks::<32>();
        if !rest.is_empty() || digests.len() > limit {
            return Err(format!("{what}: not at most {limit} hashes of 32 bytes"));
        }
        Ok(digests.iter().copied().map(Digest).collect())
    }
}

/// A value with one CBOR spelling.
pub(crate) trait Cbor: Sized {
    fn write(&self, writer: &mut Writer);
    fn read(reader: &mut Reader<'_>) -> Result<Self, Wrong>;
}

/// The bytes that `write` makes.
pub(crate) fn written(write: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut writer = Writer(Encoder::new(Vec::with_capacity(256)));
    write(&mut writer);
    writer.0.into_writer()
}

/// The one spelling of a value.
pub(crate) fn encode<T: Cbor>(value: &T) -> Vec<u8> {
    written(|writer| value.write(writer))
}

/// Reads the one spelling of a value of at most `limit` bytes. Rules.
pub(crate) fn decode<T: Cbor>(bytes: &[u8], limit: usize) -> Result<T, DecodeError> {
    if bytes.len() > limit {
        return Err(DecodeError::TooLong { found: bytes.len(), limit });
    }
    let mut reader = Reader(Decoder::new(bytes));
    let value = T::read(&mut reader).map_err(|reason| DecodeError::Malformed { reason })?;
    let left = bytes.len() - reader.0.position();
    if left > 0 {
        return Err(DecodeError::Trailing { left });
    }
    if encode(&value) == bytes { Ok(value) } else { Err(DecodeError::NotCanonical) }
}
