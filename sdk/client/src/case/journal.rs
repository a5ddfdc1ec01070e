//! The department's journal of cases: number, item and salt, and where each line stands.
//!
//! One JSON object a line, only ever appended and durable before the ledger hears of it. A last line
//! that is not whole was cut off by a crash before anything was sent.

use std::collections::HashMap;
use std::fs::{File, TryLockError};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use fengni_core::book::{Line, Tag};
use fengni_core::bytes::Bytes;
use fengni_core::case::Case;
use fengni_core::transaction::TransactionId;
use fengni_core::{Domain, Height, LineNumber, LinePlace, NetworkId};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::disk::{self, FileError};
use crate::submit::Prepared;

/// Trouble with a journal.
#[derive(Debug, Error)]
pub enum JournalError {
    /// The disk.
    #[error(transparent)]
    File(#[from] FileError),
    /// Another program works on it.
    #[error("{}: another program is using this journal", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// A line is not what was written, or the journal is of another network.
    #[error("{}: line {line} is damaged, or of another network; next: restore the file from a copy", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Which, from 1.
        line: usize,
    },
}

/// One line of the file.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum Note {
    /// The first line.
    Network { network: NetworkId },
    /// A case with its salt, and the tag that it is to have.
    Drawn { tag: Tag, case: Case },
    /// A signed seal of cases, by their order in the journal.
    Sent { id: TransactionId, valid_until: Height, bytes: Bytes, cases: Vec<usize> },
    /// What became of it: the first line's place, if it was done.
    Settled { id: TransactionId, first: Option<LinePlace> },
    /// A case was found on the ledger.
    Found { case: usize, place: LinePlace },
    /// Whatever was sent and is not placed is not on the ledger.
    Absent,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Status {
    Loose,
    Waiting,
    /// It was sent, and nobody showed what became of it.
    Doubtful,
    Placed(LinePlace),
}

struct Known {
    tag: Tag,
    case: Case,
    status: Status,
}

struct Open {
    prepared: Prepared,
    cases: Vec<usize>,
}

/// A department's journal. One program at a time works on it.
pub struct Journal {
    path: PathBuf,
    file: File,
    known: Vec<Known>,
    by_number: HashMap<String, usize>,
    open: Vec<Open>,
}

impl Journal {
    /// Opens a journal, or begins one.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn at(path: &Path, network: NetworkId) -> Result<Self, JournalError> {
        let failed = |error| FileError::system(path)(error);
        let options = disk::private_options().read(true).write(true).create(true).truncate(false).to_owned();
        let mut file = options.open(path).map_err(failed)?;
        disk::sync_folder(path)?;
        match file.try_lock() {
            Ok(()) => (),
            Err(TryLockError::WouldBlock) => return Err(JournalError::InUse { path: path.to_owned() }),
            Err(TryLockError::Error(error)) => return Err(failed(error).into()),
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(failed)?;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        file.set_len(whole as u64).and_then(|()| file.seek(SeekFrom::End(0))).map_err(failed)?;
        let mut journal =
            Self { path: path.to_owned(), file, known: Vec::new(), by_number: HashMap::new(), open: Vec::new() };
        for (text, line) in bytes[..whole].split_inclusive(|byte| *byte == b'\n').zip(1..) {
            let damaged = || JournalError::Damaged { path: path.to_owned(), line };
            let note = serde_json::from_slice(text).map_err(|_| damaged())?;
            let is_placed = (line == 1) == matches!(&note, Note::Network { network: of } if *of == network);
            if !is_placed || !journal.take(note) {
                return Err(damaged());
            }
        }
        if whole == 0 {
            journal.append(Note::Network { network })?;
        }
        Ok(journal)
    }

    /// The case with a number.
    pub fn find(&self, number: &str) -> Option<usize> {
        self.by_number.get(number).copied()
    }

    /// Every case, in the order in which they were opened.
    pub fn cases(&self) -> impl Iterator<Item = (&Case, Option<LinePlace>)> {
        (0..self.known.len()).map(|case| (self.case(case), self.place(case)))
    }

    /// What a case is.
    ///
    /// # Panics
    /// Where the journal has no such case.
    pub fn case(&self, case: usize) -> &Case {
        &self.known[case].case
    }

    /// Where its line stands, once it is known.
    pub fn place(&self, case: usize) -> Option<LinePlace> {
        match self.known.get(case)?.status {
            Status::Placed(place) => Some(place),
            _ => None,
        }
    }

    pub(super) fn tag(&self, case: usize) -> Tag {
        self.known[case].tag
    }

    pub(super) fn line(&self, case: usize, domain: &Domain) -> Line {
        self.case(case).line(domain, self.tag(case).0)
    }

    /// What was sent and not settled.
    pub(super) fn open(&self) -> Vec<Prepared> {
        self.open.iter().map(|open| open.prepared.clone()).collect()
    }

    /// Cases that are to be sealed.
    pub(super) fn loose(&self) -> Vec<usize> {
        self.with(Status::Loose)
    }

    /// Cases that may be on the ledger.
    pub(super) fn doubtful(&self) -> Vec<usize> {
        self.with(Status::Doubtful)
    }

    fn with(&self, status: Status) -> Vec<usize> {
        (0..self.known.len()).filter(|case| self.known[*case].status == status).collect()
    }

    pub(super) fn draw(&mut self, case: Case, tag: [u8; 16]) -> Result<(), JournalError> {
        self.append(Note::Drawn { tag: Tag(tag), case })
    }

    pub(super) fn send(&mut self, prepared: &Prepared, cases: &[usize]) -> Result<(), JournalError> {
        let Prepared { id, valid_until, bytes } = prepared.clone();
        self.append(Note::Sent { id, valid_until, bytes, cases: cases.to_vec() })
    }

    pub(super) fn settle(&mut self, id: TransactionId, first: Option<LinePlace>) -> Result<(), JournalError> {
        self.append(Note::Settled { id, first })
    }

    pub(super) fn found(&mut self, case: usize, place: LinePlace) -> Result<(), JournalError> {
        self.append(Note::Found { case, place })
    }

    pub(super) fn forget_doubt(&mut self) -> Result<(), JournalError> {
        if self.doubtful().is_empty() { Ok(()) } else { self.append(Note::Absent) }
    }

    fn append(&mut self, note: Note) -> Result<(), JournalError> {
        let text = serde_json::to_string(&note).map_err(|error| FileError::content(&self.path, error))? + "\n";
        let written = self.file.write_all(text.as_bytes()).and_then(|()| self.file.sync_data());
        written.map_err(FileError::system(&self.path))?;
        self.take(note);
        Ok(())
    }

    /// Takes a line of the file in; false where it speaks of what is not there.
    fn take(&mut self, note: Note) -> bool {
        match note {
            Note::Network { .. } => (),
            Note::Drawn { tag, case } => {
                self.by_number.insert(case.number.clone(), self.known.len());
                self.known.push(Known { tag, case, status: Status::Loose });
            }
            Note::Sent { id, valid_until, bytes, cases } => {
                if cases.iter().any(|case| *case >= self.known.len()) {
                    return false;
                }
                cases.iter().for_each(|case| self.known[*case].status = Status::Waiting);
                self.open.push(Open { prepared: Prepared { id, valid_until, bytes }, cases });
            }
            Note::Settled { id, first } => {
                let Some(place) = self.open.iter().position(|open| open.prepared.id == id) else { return false };
                for (case, place) in self.open.remove(place).cases.into_iter().zip(0..) {
                    let line = |first: LinePlace| LineNumber(first.line.0.saturating_add(place));
                    let placed = first.map(|first| Status::Placed(LinePlace { line: line(first), ..first }));
                    self.known[case].status = placed.unwrap_or(Status::Doubtful);
                }
            }
            Note::Found { case, place } => {
                let Some(known) = self.known.get_mut(case) else { return false };
                known.status = Status::Placed(place);
            }
            Note::Absent => {
                let doubtful = self.known.iter_mut().filter(|known| known.status == Status::Doubtful);
                doubtful.for_each(|known| known.status = Status::Loose);
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fengni_core::{BookNumber, Digest};

    fn case(number: &str) -> Case {
        Case::new(number, "", [7; 32]).expect("a number")
    }

    fn place(line: u64) -> LinePlace {
        LinePlace { book: BookNumber(3), line: LineNumber(line) }
    }

    #[test]
    fn a_journal_knows_after_a_crash_what_it_knew_before() {
        let folder = tempfile::tempdir().expect("room");
        let path = folder.path().join("cases.jsonl");
        let network = NetworkId(Digest([1; 32]));
        let prepared =
            |byte| Prepared { id: TransactionId(Digest([byte; 32])), valid_until: Height(9), bytes: Bytes(vec![byte]) };
        {
            let mut journal = Journal::at(&path, network).expect("a new one");
            for number in ["YS1", "YS2", "YS3", "YS4"] {
                journal.draw(case(number), [number.as_bytes()[2]; 16]).expect("room");
            }
            journal.send(&prepared(1), &[0, 1]).expect("room");
            journal.settle(prepared(1).id, Some(place(40))).expect("room");
            journal.send(&prepared(2), &[2]).expect("room");
            assert!(matches!(Journal::at(&path, network), Err(JournalError::InUse { .. })));
        }
        // A line that was cut off counts for nothing.
        let mut bytes = std::fs::read(&path).expect("it is there");
        bytes.extend_from_slice(br#"{"found":{"case":2,"pl"#);
        std::fs::write(&path, &bytes).expect("room");
        let mut journal = Journal::at(&path, network).expect("the same one");
        assert_eq!((journal.place(0), journal.place(1), journal.place(2)), (Some(place(40)), Some(place(41)), None));
        assert_eq!((journal.open().len(), journal.loose()), (1, vec![3]));
        journal.settle(prepared(2).id, None).expect("room");
        assert_eq!(journal.doubtful(), [2]);
        journal.found(2, place(50)).expect("room");
        journal.forget_doubt().expect("nothing to do");
        drop(journal);
        let journal = Journal::at(&path, network).expect("the same one");
        assert_eq!((journal.find("YS3"), journal.place(2), journal.loose()), (Some(2), Some(place(50)), vec![3]));
        drop(journal);
        assert!(matches!(Journal::at(&path, NetworkId(Digest([2; 32]))), Err(JournalError::Damaged { line: 1, .. })));
    }
}
