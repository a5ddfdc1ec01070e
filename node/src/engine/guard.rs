//! The guard: a validator never signs two statements that exclude each other.
//!
//! Before a vote or a proposal is signed, its height, round, step and value are written to a file
//! of their own and synced. Signing something else for a height, round and step that stands there,
//! or anything earlier than the last one, is refused; signing the very same again is allowed. The
//! engine's own log is reset when a height starts afresh and the store may be rolled back from a
//! backup: this file is neither, so a key that runs on one machine signs once. It does not help
//! against the same key on two machines.
//!
//! ```text
//! file    = header (56 bytes) record*
//! header  = "fengniguard/1\0\0\0" owner (32 bytes) check (8 bytes)
//! record  = height round step kind block valid-round (56 bytes) check (8 bytes)
//! ```
//!
//! Records are appended, one sync each. A crash can only tear the last record, whose statement was
//! then never signed: it is cut off. Anything else that does not check is refused. Once the file
//! is long, it is written anew beside the old one, synced, and renamed over it.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use fengni_core::{BlockId, Digest, Domain, Height, PublicKey};
use thiserror::Error;

use super::chain::SignedStep;
use crate::disk::write_anew;

const MAGIC: &[u8; 16] = b"fengniguard/1\0\0\0";
const HEADER: usize = 56;
const RECORD: usize = 64;
const CHECK: usize = 8;
/// Records after which the next height starts a new file.
const RECORDS_MAX: usize = 8192;
/// Statements of one height: far above what rounds can reach, and a bound on memory.
const HEIGHT_MAX: usize = 65_536;

/// What is about to be signed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Statement {
    /// The height.
    pub height: Height,
    /// The round.
    pub round: u32,
    /// The step.
    pub step: SignedStep,
    /// The block; `None` is a vote for none.
    pub block: Option<BlockId>,
    /// The valid round of a proposal.
    pub valid_round: Option<u32>,
}

/// Why a statement is not signed, or the guard not opened.
#[derive(Debug, Error)]
pub enum GuardError {
    /// Another value stands for this height, round and step.
    #[error("another value is signed for height {height} round {round} {step:?}")]
    Conflict {
        /// The height.
        height: Height,
        /// The round.
        round: u32,
        /// The step.
        step: SignedStep,
    },
    /// Something later is signed already, and this is not what was signed then.
    #[error("height {height} round {round} {step:?} is before height {last_height} round {last_round}, already signed")]
    Earlier {
        /// The height asked for.
        height: Height,
        /// The round asked for.
        round: u32,
        /// The step asked for.
        step: SignedStep,
        /// The height of the last statement.
        last_height: Height,
        /// The round of the last statement.
        last_round: u32,
    },
    /// Too many statements for one height.
    #[error("height {height} has {HEIGHT_MAX} signed statements")]
    TooMany {
        /// The height.
        height: Height,
    },
    /// The file belongs to another key or network, or a whole record in it does not check.
    #[error("the record of signed votes at {path} is unusable: {reason}")]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The disk failed.
    #[error("the record of signed votes at {path}: {source}; next: {next}", next = next_step(source))]
    Disk {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
}

/// What a person does when the disk fails.
fn next_step(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull => "make room on the disk, then start the node again",
        _ => "look at the disk: its health, and who owns the file; then start the node again",
    }
}

type Place = (u32, SignedStep);
type Signed = (Option<BlockId>, Option<u32>);

/// The durable record of what one key signed.
#[derive(Debug)]
pub struct Guard {
    path: PathBuf,
    domain: Domain,
    owner: Digest,
    file: File,
    records: usize,
    height: Height,
    signed: BTreeMap<Place, Signed>,
    failed: bool,
}

impl Guard {
    /// Opens the record of a key, or starts an empty one where there is no file.
    ///
    /// # Errors
    /// [`GuardError::Unusable`] and [`GuardError::Disk`].
    pub fn open(path: &Path, domain: Domain, key: &PublicKey) -> Result<Self, GuardError> {
        let disk = |source| GuardError::Disk { path: path.to_owned(), source };
        let owner = domain.digest("guard", &[&key.wire()]);
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                write_anew(path, &header(&domain, owner)).map_err(disk)?;
                header(&domain, owner)
            }
            Err(error) => return Err(disk(error)),
        };
        let unusable = |reason: &str| GuardError::Unusable { path: path.to_owned(), reason: reason.to_owned() };
        let records = bytes
            .strip_prefix(header(&domain, owner).as_slice())
            .ok_or_else(|| unusable("it is of another key, network or version"))?;
        let file = OpenOptions::new().append(true).open(path).map_err(disk)?;
        let mut guard = Self {
            path: path.to_owned(),
            domain,
            owner,
            file,
            records: 0,
            height: Height(0),
            signed: BTreeMap::new(),
            failed: false,
        };
        let whole = records.chunks_exact(RECORD);
        let torn = whole.remainder().len();
        let count = whole.len();
        for (place, record) in whole.enumerate() {
            match decode(&domain, record) {
                Some(statement) => {
                    guard.check(&statement).map_err(|_| unusable("its records contradict each other"))?;
                    guard.note(&statement);
                }
                // A length can reach the disk before the bytes do: only the last may be torn.
                None if place + 1 == count && torn == 0 => {
                    guard.cut(place)?;
                    return Ok(guard);
                }
                None => return Err(unusable(&format!("record {place} does not check"))),
            }
        }
        if torn > 0 {
            guard.cut(count)?;
        }
        Ok(guard)
    }

    /// The height of the last statement in a record that a running node may be writing: nothing is
    /// cut off, and a last record that does not check counts as not written yet.
    ///
    /// # Errors
    /// [`GuardError::Unusable`] and [`GuardError::Disk`].
    pub fn read(path: &Path, domain: Domain, key: &PublicKey) -> Result<Height, GuardError> {
        let bytes = std::fs::read(path).map_err(|source| GuardError::Disk { path: path.to_owned(), source })?;
        let unusable = |reason: String| GuardError::Unusable { path: path.to_owned(), reason };
        let owner = domain.digest("guard", &[&key.wire()]);
        let records = bytes.strip_prefix(header(&domain, owner).as_slice());
        let records = records.ok_or_else(|| unusable("it is of another key, network or version".to_owned()))?;
        let whole: Vec<&[u8]> = records.chunks_exact(RECORD).collect();
        let mut last = Height(0);
        for (place, record) in whole.iter().enumerate() {
            match decode(&domain, record) {
                Some(statement) => last = statement.height,
                None if place + 1 == whole.len() => break,
                None => return Err(unusable(format!("record {place} does not check"))),
            }
        }
        Ok(last)
    }

    /// The height of the last signed statement; 0 before the first.
    pub fn height(&self) -> Height {
        self.height
    }

    /// Allows a statement to be signed: it is on disk when this returns.
    ///
    /// # Errors
    /// Any [`GuardError`]; then nothing may be signed. After a failure of the disk every further
    /// statement is refused, because what stands on the disk is unknown.
    pub fn allow(&mut self, statement: &Statement) -> Result<(), GuardError> {
        if self.failed {
            return Err(self.disk(io::Error::other("an earlier write failed")));
        }
        if self.check(statement)? {
            return Ok(());
        }
        let written = self.write(statement);
        self.failed = written.is_err();
        written.map_err(|source| self.disk(source))?;
        self.note(statement);
        Ok(())
    }

    fn disk(&self, source: io::Error) -> GuardError {
        GuardError::Disk { path: self.path.clone(), source }
    }

    /// Whether the very same statement stands already.
    fn check(&self, statement: &Statement) -> Result<bool, GuardError> {
        let Statement { height, round, step, .. } = *statement;
        if height > self.height {
            return Ok(false);
        }
        let last_round = self.signed.last_key_value().map_or(0, |((round, _), _)| *round);
        let earlier = GuardError::Earlier { height, round, step, last_height: self.height, last_round };
        if height < self.height {
            return Err(earlier);
        }
        if let Some(signed) = self.signed.get(&(round, step)) {
            let same = *signed == (statement.block, statement.valid_round);
            return if same { Ok(true) } else { Err(GuardError::Conflict { height, round, step }) };
        }
        if self.signed.last_key_value().is_some_and(|(last, _)| *last > (round, step)) {
            return Err(earlier);
        }
        if self.signed.len() >= HEIGHT_MAX {
            return Err(GuardError::TooMany { height });
        }
        Ok(false)
    }

    fn note(&mut self, statement: &Statement) {
        if statement.height > self.height {
            self.height = statement.height;
            self.signed.clear();
        }
        self.signed.insert((statement.round, statement.step), (statement.block, statement.valid_round));
        self.records += 1;
    }

    fn write(&mut self, statement: &Statement) -> io::Result<()> {
        let record = encode(&self.domain, statement);
        if self.records >= RECORDS_MAX && statement.height > self.height {
            // The statements of earlier heights are refused by their height alone.
            let mut bytes = header(&self.domain, self.owner);
            bytes.extend_from_slice(&record);
            write_anew(&self.path, &bytes)?;
            self.file = OpenOptions::new().append(true).open(&self.path)?;
            self.records = 0;
            return Ok(());
        }
        self.file.write_all(&record)?;
        self.file.sync_data()
    }

    fn cut(&mut self, records: usize) -> Result<(), GuardError> {
        let length = u64::try_from(HEADER + records * RECORD).expect("a file length fits 64 bits");
        self.file.set_len(length).and_then(|()| self.file.sync_all()).map_err(|source| self.disk(source))
    }
}

fn check_of(domain: &Domain, bytes: &[u8]) -> [u8; CHECK] {
    let digest = domain.digest("guard-check", &[bytes]).0;
    *digest.first_chunk().expect("a digest has 32 bytes")
}

fn header(domain: &Domain, owner: Digest) -> Vec<u8> {
    let mut bytes = [MAGIC.as_slice(), &owner.0].concat();
    let check = check_of(domain, &bytes);
    bytes.extend_from_slice(&check);
    bytes
}

fn encode(domain: &Domain, statement: &Statement) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(RECORD);
    bytes.extend_from_slice(&statement.height.0.to_be_bytes());
    bytes.extend_from_slice(&statement.round.to_be_bytes());
    bytes.push(statement.step as u8);
    bytes.push(u8::from(statement.block.is_some()));
    bytes.push(u8::from(statement.valid_round.is_some()));
    bytes.extend_from_slice(&statement.block.unwrap_or_default().0.0);
    bytes.extend_from_slice(&statement.valid_round.unwrap_or(0).to_be_bytes());
    bytes.resize(RECORD - CHECK, 0);
    let check = check_of(domain, &bytes);
    bytes.extend_from_slice(&check);
    bytes
}

fn decode(domain: &Domain, record: &[u8]) -> Option<Statement> {
    let (bytes, check) = record.split_at_checked(RECORD - CHECK)?;
    if check != check_of(domain, bytes) {
        return None;
    }
    let (height, rest) = bytes.split_first_chunk::<8>()?;
    let (round, rest) = rest.split_first_chunk::<4>()?;
    let (&[step, block_there, valid_there], rest) = rest.split_first_chunk::<3>()?;
    let (block, rest) = rest.split_first_chunk::<32>()?;
    let (valid, _) = rest.split_first_chunk::<4>()?;
    Some(Statement {
        height: Height(u64::from_be_bytes(*height)),
        round: u32::from_be_bytes(*round),
        step: match step {
            0 => SignedStep::Proposal,
            1 => SignedStep::Prevote,
            2 => SignedStep::Precommit,
            _ => return None,
        },
        block: (block_there == 1).then_some(BlockId(Digest(*block))),
        valid_round: (valid_there == 1).then_some(u32::from_be_bytes(*valid)),
    })
}

#[cfg(test)]
mod tests {
    use super::super::signing::tests::{domain, key};
    use super::*;

    fn vote(height: u64, round: u32, step: SignedStep, block: u8) -> Statement {
        let block = (block > 0).then_some(BlockId(Digest([block; 32])));
        Statement { height: Height(height), round, step, block, valid_round: None }
    }

    fn open(path: &Path) -> Result<Guard, GuardError> {
        Guard::open(path, domain(), &key(1).public())
    }

    use SignedStep::{Precommit, Prevote, Proposal};

    #[test]
    fn the_same_is_signed_again_and_nothing_else() {
        let home = tempfile::tempdir().expect("a folder");
        let path = home.path().join("guard");
        let mut guard = open(&path).expect("a new guard");
        for statement in
            [vote(7, 0, Proposal, 1), vote(7, 0, Prevote, 1), vote(7, 0, Precommit, 0), vote(7, 2, Prevote, 2)]
        {
            guard.allow(&statement).expect("each is later than the one before");
        }
        for reopened in [false, true] {
            if reopened {
                guard = open(&path).expect("what was written reads");
            }
            assert_eq!(guard.height(), Height(7));
            guard.allow(&vote(7, 0, Prevote, 1)).expect("the very same, although earlier");
            guard.allow(&vote(7, 2, Prevote, 2)).expect("the very same");
            let again = Statement { valid_round: Some(0), ..vote(7, 0, Proposal, 1) };
            for conflict in [vote(7, 2, Prevote, 0), vote(7, 0, Prevote, 2), vote(7, 0, Precommit, 1), again] {
                assert!(matches!(guard.allow(&conflict), Err(GuardError::Conflict { .. })), "{conflict:?}");
            }
            for earlier in [vote(7, 1, Precommit, 1), vote(7, 2, Proposal, 2), vote(6, 9, Prevote, 1)] {
                assert!(matches!(guard.allow(&earlier), Err(GuardError::Earlier { .. })), "{earlier:?}");
            }
        }
        guard.allow(&vote(8, 0, Prevote, 0)).expect("a later height");
        assert!(guard.allow(&vote(7, 0, Prevote, 1)).is_err(), "the height is gone");
    }

    #[test]
    fn a_record_torn_at_any_byte_is_cut_off_and_the_one_before_holds() {
        let home = tempfile::tempdir().expect("a folder");
        let path = home.path().join("guard");
        let mut guard = open(&path).expect("a new guard");
        guard.allow(&vote(5, 0, Prevote, 1)).expect("first");
        let before = std::fs::read(&path).expect("a file").len();
        guard.allow(&vote(5, 0, Precommit, 1)).expect("second");
        let whole = std::fs::read(&path).expect("a file");
        for length in before..whole.len() {
            std::fs::write(&path, &whole[..length]).expect("a torn file");
            let mut guard = open(&path).expect("a torn tail is expected");
            assert!(guard.allow(&vote(5, 0, Prevote, 2)).is_err(), "the whole record holds");
            guard.allow(&vote(5, 0, Precommit, 0)).expect("the torn one was never signed");
            assert!(open(&path).expect("whole again").allow(&vote(5, 0, Precommit, 1)).is_err());
        }
        // The length came through, the bytes did not.
        let mut zeros = whole.clone();
        zeros[before..].fill(0);
        std::fs::write(&path, &zeros).expect("a torn file");
        // Whoever only reads cuts nothing off: the record may be written this very moment.
        assert_eq!(Guard::read(&path, domain(), &key(1).public()).expect("a torn tail"), Height(5));
        assert_eq!(std::fs::read(&path).expect("a file"), zeros);
        assert_eq!(open(&path).expect("a torn tail").signed.len(), 1);
    }

    #[test]
    fn damage_before_the_tail_another_key_and_another_network_are_refused() {
        let home = tempfile::tempdir().expect("a folder");
        let path = home.path().join("guard");
        let mut guard = open(&path).expect("a new guard");
        for round in 0..3 {
            guard.allow(&vote(5, round, Prevote, 1)).expect("later");
        }
        let whole = std::fs::read(&path).expect("a file");
        for place in 0..HEADER + 2 * RECORD {
            let mut damaged = whole.clone();
            damaged[place] ^= 1;
            std::fs::write(&path, &damaged).expect("a damaged file");
            assert!(matches!(open(&path), Err(GuardError::Unusable { .. })), "byte {place}");
        }
        std::fs::write(&path, &whole).expect("the file as it was");
        assert!(matches!(Guard::open(&path, domain(), &key(2).public()), Err(GuardError::Unusable { .. })));
        let other = Domain { network: fengni_core::NetworkId(Digest([9; 32])), ..domain() };
        assert!(matches!(Guard::open(&path, other, &key(1).public()), Err(GuardError::Unusable { .. })));
    }

    #[test]
    fn a_long_record_is_written_anew_and_still_guards() {
        let home = tempfile::tempdir().expect("a folder");
        let path = home.path().join("guard");
        let mut guard = open(&path).expect("a new guard");
        guard.allow(&vote(1, 0, Prevote, 1)).expect("first");
        guard.records = RECORDS_MAX;
        guard.allow(&vote(1, 0, Precommit, 1)).expect("within a height the file grows");
        guard.allow(&vote(2, 0, Prevote, 1)).expect("the next height starts a new file");
        assert_eq!(std::fs::read(&path).expect("a file").len(), HEADER + RECORD);
        guard.allow(&vote(2, 0, Precommit, 1)).expect("appended to the new file");
        // A crash between writing beside and renaming leaves the old file and a stray one.
        std::fs::write(path.with_extension("new"), b"half").expect("a stray file");
        let mut guard = open(&path).expect("the new file reads");
        assert!(guard.allow(&vote(2, 0, Precommit, 0)).is_err());
        assert!(guard.allow(&vote(1, 0, Prevote, 1)).is_err());
    }
}
