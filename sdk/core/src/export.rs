//! Blocks as a stream: in a file, or from one program to the next.
//!
//! ```text
//! head | block 1 | block 2 | ... | block n | end mark
//!        \ height, certificate, block, and what a reader of headers cannot derive
//! ```
//!
//! Nobody is believed for having written it: what a stream says is judged by whoever replays it.
//! Its own digests only tell damage from forgery and name the block that was damaged, and its end
//! mark tells a stream that was cut off from one that is whole. Rules J-1 to J-5:
//! `sdk/spec/exports.md`.

use std::io::{self, Read, Write};

use bincode::{Decode, Encode};
use thiserror::Error;

use crate::bytes::Bytes;
use crate::codec::{self, DecodeError};
use crate::digest::{Digest, Domain, NetworkId, Suite};
use crate::finality::{CommitCertificate, ValidatorSet};
use crate::limits::{BLOCK_BYTES, PROOF_BYTES};
use crate::number::Height;
use crate::proof::StateProof;

/// What every stream begins with.
pub const MAGIC: [u8; 14] = *b"fengni-blocks\n";
/// The format that this code writes and reads.
pub const FORMAT: u16 = 1;
/// Bytes of one encoded block with what stands beside it.
pub const ENTRY_BYTES: usize = BLOCK_BYTES + PROOF_BYTES + 1024 * 1024;

const BLOCK_MARK: u8 = 1;
const END_MARK: u8 = 0;

/// A final block with what its readers need besides. Rule J-3.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct ExportedBlock {
    /// Its height.
    pub height: Height,
    /// What made it final, as one node holds it.
    pub certificate: CommitCertificate,
    /// The validators of the next height, where they are others than those of this one.
    pub next: Option<ValidatorSet>,
    /// The parameters, proven under the block before, where a recovery named this block's validators.
    pub terms: Option<StateProof>,
    /// The block, encoded.
    pub block: Bytes,
}

/// Why bytes are no stream of blocks, or not a whole one.
#[derive(Debug, Error)]
pub enum StreamError {
    /// The world fails.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// J-1: it begins with something else.
    #[error("this is no stream of blocks; next: fengni export blocks")]
    NotAStream,
    /// J-1: a later program wrote it.
    #[error("the stream has format {0}, this program reads {FORMAT}; next: install a newer one")]
    Format(u16),
    /// J-1: algorithms that this program does not know.
    #[error("the stream names suite {0}, which this program does not know")]
    Suite(u8),
    /// J-2: it ends before its end mark.
    #[error("the stream is cut off after {after}: its end mark is missing; next: export it again")]
    CutOff {
        /// The last whole block, if there is one.
        after: Place,
    },
    /// J-2: neither a block nor the end.
    #[error("after {after} stands byte {found}, which begins neither a block nor the end")]
    Mark {
        /// The last whole block, if there is one.
        after: Place,
        /// The byte.
        found: u8,
    },
    /// J-3: longer than an entry may be.
    #[error("block {height} would be {bytes} bytes, above the limit of {ENTRY_BYTES}")]
    TooLong {
        /// The height that should stand there.
        height: Height,
        /// The length it names.
        bytes: u32,
    },
    /// J-3: the bytes are not those that were written.
    #[error("the entry of block {height} was damaged after it was written; next: export it again")]
    Damaged {
        /// The height that should stand there.
        height: Height,
    },
    /// J-3: written so, and yet no entry.
    #[error("the entry of block {height} is none: {error}")]
    Entry {
        /// The height that should stand there.
        height: Height,
        /// What is wrong.
        error: DecodeError,
    },
    /// J-4: another height than the next.
    #[error("block {expected} is missing: block {found} stands in its place")]
    Gap {
        /// The height that should stand there.
        expected: Height,
        /// The one that does.
        found: Height,
    },
    /// J-5: the end mark counts other blocks than there are.
    #[error("the end mark counts {counted} blocks up to height {last}, the stream has {found} up to {after}")]
    Count {
        /// What the end mark counts.
        counted: u64,
        /// The last height that it names.
        last: Height,
        /// How many there are.
        found: u64,
        /// The last block.
        after: Place,
    },
    /// J-5: something stands after the end.
    #[error("something follows the end mark after {after}")]
    Trailing {
        /// The last block.
        after: Place,
    },
}

impl StreamError {
    /// Whether the world failed, which says nothing about the stream.
    pub fn is_trouble(&self) -> bool {
        matches!(self, Self::Io(_))
    }
}

/// A place in a stream: after a block, or before the first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place(pub Option<Height>);

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(height) => write!(f, "block {height}"),
            None => f.write_str("its head"),
        }
    }
}

/// How many blocks are behind, and which comes next.
#[derive(Clone, Copy, Debug)]
struct Course {
    first: Height,
    next: Height,
}

impl Course {
    fn begin(first: Height) -> Self {
        Self { first, next: first }
    }

    fn count(self) -> u64 {
        self.next.0 - self.first.0
    }

    fn after(self) -> Place {
        Place((self.count() > 0).then(|| self.last()))
    }

    /// The last height, or the one before the first.
    fn last(self) -> Height {
        Height(self.next.0.saturating_sub(1))
    }
}

/// Writes a stream of blocks.
pub struct BlockWriter<W> {
    output: W,
    domain: Domain,
    course: Course,
}

impl<W: Write> BlockWriter<W> {
    /// Writes the head of a stream.
    ///
    /// - `first`: the height of the first block, at least 1.
    ///
    /// # Errors
    /// Those of the output.
    pub fn begin(mut output: W, domain: Domain, first: Height) -> io::Result<Self> {
        output.write_all(&MAGIC)?;
        output.write_all(&FORMAT.to_le_bytes())?;
        output.write_all(&[domain.suite.number()])?;
        output.write_all(&domain.network.0.0)?;
        output.write_all(&first.0.to_le_bytes())?;
        Ok(Self { output, domain, course: Course::begin(first) })
    }

    /// Writes the next block.
    ///
    /// # Errors
    /// Those of the output; a block of another height, or too long, is no input for a stream.
    pub fn write(&mut self, block: &ExportedBlock) -> io::Result<()> {
        let bytes = codec::encode(block);
        let length = u32::try_from(bytes.len()).ok().filter(|_| bytes.len() <= ENTRY_BYTES);
        let length = length.filter(|_| block.height == self.course.next).ok_or(io::ErrorKind::InvalidInput)?;
        self.output.write_all(&[BLOCK_MARK])?;
        self.output.write_all(&length.to_le_bytes())?;
        self.output.write_all(&entry_digest(&self.domain, &bytes).0)?;
        self.output.write_all(&bytes)?;
        self.course.next = self.course.next.next();
        Ok(())
    }

    /// Writes the end mark, and everything out.
    ///
    /// # Errors
    /// Those of the output.
    pub fn finish(mut self) -> io::Result<W> {
        self.output.write_all(&[END_MARK])?;
        self.output.write_all(&self.course.count().to_le_bytes())?;
        self.output.write_all(&self.course.last().0.to_le_bytes())?;
        self.output.flush()?;
        Ok(self.output)
    }
}

/// Reads a stream of blocks, a block at a time.
pub struct BlockReader<R> {
    input: R,
    domain: Domain,
    course: Course,
    ended: bool,
}

impl<R: Read> BlockReader<R> {
    /// Reads the head of a stream. Rule J-1.
    ///
    /// # Errors
    /// [`StreamError`].
    pub fn open(mut input: R) -> Result<Self, StreamError> {
        let magic: [u8; 14] = exact(&mut input, || StreamError::NotAStream)?;
        if magic != MAGIC {
            return Err(StreamError::NotAStream);
        }
        let cut_off = || StreamError::CutOff { after: Place(None) };
        let format = u16::from_le_bytes(exact(&mut input, cut_off)?);
        if format != FORMAT {
            return Err(StreamError::Format(format));
        }
        let [number] = exact(&mut input, cut_off)?;
        let suite = Suite::from_number(number).ok_or(StreamError::Suite(number))?;
        let network = NetworkId(Digest(exact(&mut input, cut_off)?));
        let first = Height(u64::from_le_bytes(exact(&mut input, cut_off)?));
        if first == Height(0) {
            return Err(StreamError::Gap { expected: Height(1), found: first });
        }
        Ok(Self { input, domain: Domain { suite, network }, course: Course::begin(first), ended: false })
    }

    /// Suite and network, as the head says.
    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// The height of the first block, as the head says.
    pub fn first(&self) -> Height {
        self.course.first
    }

    /// The height that comes next.
    pub fn next(&self) -> Height {
        self.course.next
    }

    /// The next block, or `None` after the last one of a whole stream.
    ///
    /// # Errors
    /// [`StreamError`].
    ///
    /// # Source
    /// `sdk/spec/exports.md`, rules J-2 to J-5.
    pub fn read(&mut self) -> Result<Option<ExportedBlock>, StreamError> {
        if self.ended {
            return Ok(None);
        }
        let (height, after) = (self.course.next, self.course.after());
        let cut_off = || StreamError::CutOff { after };
        match exact(&mut self.input, cut_off)? {
            [BLOCK_MARK] => (),
            [END_MARK] => return self.end().map(|()| None),
            [found] => return Err(StreamError::Mark { after, found }),
        }
        let length = u32::from_le_bytes(exact(&mut self.input, cut_off)?);
        if length as usize > ENTRY_BYTES {
            return Err(StreamError::TooLong { height, bytes: length });
        }
        let digest = Digest(exact(&mut self.input, cut_off)?);
        // Grows with what is really there, not with what the length says.
        let mut bytes = Vec::new();
        self.input.by_ref().take(u64::from(length)).read_to_end(&mut bytes)?;
        if bytes.len() < length as usize {
            return Err(cut_off());
        }
        if entry_digest(&self.domain, &bytes) != digest {
            return Err(StreamError::Damaged { height });
        }
        let block: ExportedBlock =
            codec::decode(&bytes, ENTRY_BYTES).map_err(|error| StreamError::Entry { height, error })?;
        if block.height != height {
            return Err(StreamError::Gap { expected: height, found: block.height });
        }
        self.course.next = height.next();
        Ok(Some(block))
    }

    /// Rule J-5: the end mark, and nothing after it.
    fn end(&mut self) -> Result<(), StreamError> {
        let after = self.course.after();
        let cut_off = || StreamError::CutOff { after };
        let counted = u64::from_le_bytes(exact(&mut self.input, cut_off)?);
        let last = Height(u64::from_le_bytes(exact(&mut self.input, cut_off)?));
        if (counted, last) != (self.course.count(), self.course.last()) {
            return Err(StreamError::Count { counted, last, found: self.course.count(), after });
        }
        self.ended = true;
        let mut more = Vec::new();
        self.input.by_ref().take(1).read_to_end(&mut more)?;
        if more.is_empty() { Ok(()) } else { Err(StreamError::Trailing { after }) }
    }
}

/// Rule J-3: what tells a damaged entry from a forged one.
fn entry_digest(domain: &Domain, bytes: &[u8]) -> Digest {
    domain.digest("exported-block", &[bytes])
}

/// The next `N` bytes; `ended` says what it means that they are not there.
fn exact<const N: usize>(input: &mut impl Read, ended: impl FnOnce() -> StreamError) -> Result<[u8; N], StreamError> {
    let mut bytes = [0; N];
    match input.read_exact(&mut bytes) {
        Ok(()) => Ok(bytes),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(ended()),
        Err(error) => Err(error.into()),
    }
}
