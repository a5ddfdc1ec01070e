//! Where blocks come from: a stream here, a gateway in the command line.

use std::error::Error as StdError;
use std::io::Read;

use fengni_core::export::{BlockReader, ExportedBlock, StreamError};
use fengni_core::{Domain, Height};
use thiserror::Error;

/// Blocks in order.
pub trait Source: Send {
    /// The next block, or `None` after the last.
    ///
    /// # Errors
    /// [`SourceError`].
    fn next(&mut self) -> Result<Option<ExportedBlock>, SourceError>;
}

impl<S: Source + ?Sized> Source for Box<S> {
    fn next(&mut self) -> Result<Option<ExportedBlock>, SourceError> {
        (**self).next()
    }
}

/// Why there is no next block.
#[derive(Debug, Error)]
pub enum SourceError {
    /// The stream is damaged, cut off or has a gap.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// The blocks are of another network.
    #[error(
        "the blocks are of network {found}, the founding is of {expected}; next: take the founding that belongs to them"
    )]
    OtherNetwork {
        /// The network they name.
        found: String,
        /// The founding's.
        expected: String,
    },
    /// A block cannot be had.
    #[error(transparent)]
    Trouble(Box<dyn StdError + Send + Sync>),
}

/// A stream of blocks, in a file or from another program.
pub struct StreamSource<R> {
    reader: BlockReader<R>,
    /// Blocks up to here were taken before.
    taken: Height,
}

impl<R: Read> StreamSource<R> {
    /// Reads the head of a stream.
    ///
    /// - `taken`: blocks up to this height are passed over.
    ///
    /// # Errors
    /// [`SourceError`].
    pub fn open(input: R, domain: Domain, taken: Height) -> Result<Self, SourceError> {
        let reader = BlockReader::open(input)?;
        if *reader.domain() != domain {
            let (found, expected) = (reader.domain().network.to_string(), domain.network.to_string());
            return Err(SourceError::OtherNetwork { found, expected });
        }
        if reader.first() > taken.next() {
            return Err(StreamError::Gap { expected: taken.next(), found: reader.first() }.into());
        }
        Ok(Self { reader, taken })
    }
}

impl<R: Read + Send> Source for StreamSource<R> {
    fn next(&mut self) -> Result<Option<ExportedBlock>, SourceError> {
        loop {
            match self.reader.read()? {
                Some(block) if block.height <= self.taken => (),
                other => return Ok(other),
            }
        }
    }
}
