//! The department's journal of cases: number, item and salt, and where each line stands.
//!
//! One JSON object a line, only ever appended and durable before the ledger hears of it. A last line
//! that is not whole was cut off by a crash before anything was sent.

use std::collections::{BTreeSet, HashMap};
use std::fs::{File, TryLockError};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use fengni_core::book::{Line, Tag};
use fengni_core::bytes::Bytes;
use fengni_core::case::{Case, Slip};
use fengni_core::transaction::TransactionId;
use fengni_core::{BookNumber, Domain, Height, LineNumber, LinePlace, NetworkId};
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
    #[error("{}: another program is using this journal; next: wait until it has ended", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// A line is not what was written.
    #[error("{}: line {line} is damaged; next: restore the file from a copy, because a lost salt is a lost case", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Which, from 1.
        line: usize,
    },
    /// The journal of another network.
    #[error("{}: the journal of another network; next: name that network, or another --home", path.display())]
    OtherNetwork {
        /// The file.
        path: PathBuf,
    },
}

/// One line of the file.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum Note {
    /// The first line.
    Network { network: NetworkId },
    /// A case with its salt, the tag that it is to have, and the book that it is for.
    Drawn { book: BookNumber, tag: Tag, case: Case },
    /// A signed seal of cases, by their order in the journal.
    Sent { id: TransactionId, valid_until: Height, bytes: Bytes, cases: Vec<usize> },
    /// What became of it.
    Settled { id: TransactionId, became: Became },
    /// A case was found on the ledger.
    Found { case: usize, place: LinePlace },
    /// Whatever of a book was sent and is not placed is not on the ledger.
    Absent { book: BookNumber },
}

/// What became of a seal.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Became {
    /// It was done: where its first line stands.
    Done(LinePlace),
    /// The ledger refused it: nothing of it is there.
    Refused,
    /// No block takes it any more. Whether one has taken it is not known.
    Over,
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
    book: BookNumber,
    tag: Tag,
    case: Case,
    status: Status,
}

struct Open {
    prepared: Prepared,
    cases: Vec<usize>,
}

/// What a journal says: every case, and what was sent and not settled.
pub struct Cases {
    network: NetworkId,
    known: Vec<Known>,
    by_number: HashMap<String, usize>,
    open: Vec<Open>,
}

impl Cases {
    /// Reads a journal that another program may be writing.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn read(path: &Path, network: NetworkId) -> Result<Self, JournalError> {
        let bytes = std::fs::read(path).map_err(FileError::system(path))?;
        Ok(Self::parse(&bytes, path, network)?.0)
    }

    /// The cases in a file's bytes, and how many of these bytes are whole lines.
    fn parse(bytes: &[u8], path: &Path, network: NetworkId) -> Result<(Self, usize), JournalError> {
        let mut cases = Self { network, known: Vec::new(), by_number: HashMap::new(), open: Vec::new() };
        let mut whole = 0;
        for (text, line) in bytes.split_inclusive(|byte| *byte == b'\n').zip(1..) {
            let is_whole = text.ends_with(b"\n");
            let note = match serde_json::from_slice(text) {
                Ok(note) => note,
                // Cut off by a crash, before anything was sent.
                Err(_) if !is_whole => break,
                Err(_) => return Err(JournalError::Damaged { path: path.to_owned(), line }),
            };
            match note {
                Note::Network { network: of } if line == 1 && of != network => {
                    return Err(JournalError::OtherNetwork { path: path.to_owned() });
                }
                Note::Network { .. } if line == 1 => (),
                note => {
                    if line == 1 || !cases.take(note) {
                        return Err(JournalError::Damaged { path: path.to_owned(), line });
                    }
                }
            }
            whole += text.len();
        }
        Ok((cases, whole))
    }

    /// The case with a number.
    pub fn find(&self, number: &str) -> Option<usize> {
        self.by_number.get(number).copied()
    }

    /// Every case, in the order in which they were opened.
    pub fn all(&self) -> impl Iterator<Item = (&Case, Option<LinePlace>)> {
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

    /// The slip of a case; `None` while its place is not known.
    ///
    /// # Panics
    /// Where the journal has no such case.
    pub fn slip(&self, case: usize) -> Option<Slip> {
        Some(Slip { network: self.network, place: self.place(case)?, case: self.case(case).clone() })
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

    /// Books with cases that are to be sealed, or may have been.
    pub(super) fn unsettled_books(&self) -> BTreeSet<BookNumber> {
        let unsettled = self.known.iter().filter(|known| matches!(known.status, Status::Loose | Status::Doubtful));
        unsettled.map(|known| known.book).collect()
    }

    /// Cases of a book that are to be sealed.
    pub(super) fn loose(&self, book: BookNumber) -> Vec<usize> {
        self.with(book, Status::Loose)
    }

    /// Cases of a book that may be on the ledger.
    pub(super) fn doubtful(&self, book: BookNumber) -> Vec<usize> {
        self.with(book, Status::Doubtful)
    }

    fn with(&self, book: BookNumber, status: Status) -> Vec<usize> {
        let is_it = |case: &usize| (self.known[*case].book, self.known[*case].status) == (book, status);
        (0..self.known.len()).filter(is_it).collect()
    }

    /// Takes a line of the file in; false where it speaks of what is not there.
    fn take(&mut self, note: Note) -> bool {
        match note {
            Note::Network { .. } => return false,
            Note::Drawn { book, tag, case } => {
                self.by_number.insert(case.number.clone(), self.known.len());
                self.known.push(Known { book, tag, case, status: Status::Loose });
            }
            Note::Sent { id, valid_until, bytes, cases } => {
                if cases.iter().any(|case| *case >= self.known.len()) {
                    return false;
                }
                cases.iter().for_each(|case| self.known[*case].status = Status::Waiting);
                self.open.push(Open { prepared: Prepared { id, valid_until, bytes }, cases });
            }
            Note::Settled { id, became } => {
                let Some(place) = self.open.iter().position(|open| open.prepared.id == id) else { return false };
                for (case, place) in self.open.remove(place).cases.into_iter().zip(0..) {
                    self.known[case].status = match became {
                        Became::Refused => Status::Loose,
                        Became::Over => Status::Doubtful,
                        Became::Done(first) => {
                            let line = LineNumber(first.line.0.saturating_add(place));
                            Status::Placed(LinePlace { line, ..first })
                        }
                    };
                }
            }
            Note::Found { case, place } => {
                let Some(known) = self.known.get_mut(case) else { return false };
                known.status = Status::Placed(place);
            }
            Note::Absent { book } => self.with(book, Status::Doubtful).into_iter().for_each(|case| {
                self.known[case].status = Status::Loose;
            }),
        }
        true
    }
}

/// A department's journal, to work on: one program at a time.
pub struct Journal {
    path: PathBuf,
    file: File,
    cases: Cases,
}

impl Journal {
    /// Opens a journal, or begins one.
    ///
    /// # Errors
    /// [`JournalError`]; the file is as it was then.
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
        let (cases, whole) = Cases::parse(&bytes, path, network)?;
        file.set_len(whole as u64).and_then(|()| file.seek(SeekFrom::End(0))).map_err(failed)?;
        let mut journal = Self { path: path.to_owned(), file, cases };
        match bytes[..whole].last() {
            None => journal.write(&[Note::Network { network }])?,
            // Somebody's editor left the last line's end out.
            Some(last) if *last != b'\n' => journal.append(b"\n")?,
            Some(_) => (),
        }
        Ok(journal)
    }

    /// What it says.
    pub fn cases(&self) -> &Cases {
        &self.cases
    }

    /// Takes up cases for a book.
    pub(super) fn draw(&mut self, book: BookNumber, drawn: Vec<(Case, [u8; 16])>) -> Result<(), JournalError> {
        self.note(drawn.into_iter().map(|(case, tag)| Note::Drawn { book, tag: Tag(tag), case }).collect())
    }

    pub(super) fn send(&mut self, prepared: &Prepared, cases: &[usize]) -> Result<(), JournalError> {
        let Prepared { id, valid_until, bytes } = prepared.clone();
        self.note(vec![Note::Sent { id, valid_until, bytes, cases: cases.to_vec() }])
    }

    pub(super) fn settle(&mut self, id: TransactionId, became: Became) -> Result<(), JournalError> {
        self.note(vec![Note::Settled { id, became }])
    }

    /// Cases were found on the ledger, and all others of the book that may have been there are not.
    pub(super) fn found(&mut self, book: BookNumber, found: &[(usize, LinePlace)]) -> Result<(), JournalError> {
        let found = found.iter().map(|(case, place)| Note::Found { case: *case, place: *place });
        self.note(found.chain([Note::Absent { book }]).collect())
    }

    /// Writes lines, durably, and takes them in.
    fn note(&mut self, notes: Vec<Note>) -> Result<(), JournalError> {
        self.write(&notes)?;
        for note in notes {
            let _ = self.cases.take(note);
        }
        Ok(())
    }

    fn write(&mut self, notes: &[Note]) -> Result<(), JournalError> {
        let mut text = Vec::new();
        for note in notes {
            serde_json::to_writer(&mut text, note).map_err(|error| FileError::content(&self.path, error))?;
            text.push(b'\n');
        }
        self.append(&text)
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), JournalError> {
        let written = self.file.write_all(bytes).and_then(|()| self.file.sync_data());
        Ok(written.map_err(FileError::system(&self.path))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fengni_core::Digest;

    const BOOK: BookNumber = BookNumber(3);
    const OTHER: BookNumber = BookNumber(4);

    fn case(number: &str) -> (Case, [u8; 16]) {
        (Case::new(number, "", [7; 32]).expect("a number"), [number.as_bytes()[2]; 16])
    }

    fn place(line: u64) -> LinePlace {
        LinePlace { book: BOOK, line: LineNumber(line) }
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
            journal.draw(BOOK, ["YS1", "YS2", "YS3", "YS4"].map(case).into()).expect("room");
            journal.draw(OTHER, vec![case("YS5")]).expect("room");
            journal.send(&prepared(1), &[0, 1]).expect("room");
            journal.settle(prepared(1).id, Became::Done(place(40))).expect("room");
            journal.send(&prepared(2), &[2]).expect("room");
            assert!(matches!(Journal::at(&path, network), Err(JournalError::InUse { .. })));
        }
        // A line that was cut off counts for nothing.
        let mut bytes = std::fs::read(&path).expect("it is there");
        bytes.extend_from_slice(br#"{"found":{"case":2,"pl"#);
        std::fs::write(&path, &bytes).expect("room");
        let mut journal = Journal::at(&path, network).expect("the same one");
        let cases = journal.cases();
        assert_eq!((cases.place(0), cases.place(1), cases.place(2)), (Some(place(40)), Some(place(41)), None));
        assert_eq!((cases.open().len(), cases.loose(BOOK), cases.loose(OTHER)), (1, vec![3], vec![4]));
        journal.settle(prepared(2).id, Became::Over).expect("room");
        assert_eq!((journal.cases().doubtful(BOOK), journal.cases().doubtful(OTHER)), (vec![2], vec![]));
        journal.found(BOOK, &[(2, place(50))]).expect("room");
        // What is refused for good was never there.
        journal.send(&prepared(3), &[3]).expect("room");
        journal.settle(prepared(3).id, Became::Refused).expect("room");
        drop(journal);
        let cases = Cases::read(&path, network).expect("the same one");
        assert_eq!((cases.find("YS3"), cases.place(2)), (Some(2), Some(place(50))));
        assert_eq!((cases.loose(BOOK), cases.unsettled_books()), (vec![3], BTreeSet::from([BOOK, OTHER])));
    }

    #[test]
    fn a_journal_of_others_is_left_as_it_is() {
        let folder = tempfile::tempdir().expect("room");
        let path = folder.path().join("cases.jsonl");
        let network = NetworkId(Digest([1; 32]));
        let mut journal = Journal::at(&path, network).expect("a new one");
        journal.draw(BOOK, vec![case("YS1")]).expect("room");
        drop(journal);
        // An editor that leaves the last line's end out loses nothing.
        let text = std::fs::read_to_string(&path).expect("it is there");
        std::fs::write(&path, text.trim_end()).expect("room");
        let other = NetworkId(Digest([2; 32]));
        assert!(matches!(Journal::at(&path, other), Err(JournalError::OtherNetwork { .. })));
        assert_eq!(std::fs::read_to_string(&path).expect("it is there"), text.trim_end());
        drop(Journal::at(&path, network).expect("its own"));
        assert_eq!(std::fs::read_to_string(&path).expect("it is there"), text);
        std::fs::write(&path, format!("{text}what\n{text}")).expect("room");
        assert!(matches!(Journal::at(&path, network), Err(JournalError::Damaged { line: 3, .. })));
        assert!(matches!(Cases::read(&folder.path().join("none"), network), Err(JournalError::File(_))));
    }
}
