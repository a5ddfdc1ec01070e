//! The issuer's archive: every certificate with its salts, every seal sent, and what became of it.
//!
//! One file a book, to which frames are only ever appended: length, check, content. What is not
//! whole at the end was cut off by a crash before anything was sent, and is dropped; damage
//! anywhere else stops the program, because salts cannot be had again.

use std::collections::HashMap;
use std::fmt;
use std::fs::{File, TryLockError};
use std::io::{BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use bincode::{Decode, Encode};
use fengni_core::book::Tag;
use fengni_core::bytes::Bytes;
use fengni_core::certificate::{Certificate, CertificateFile, PagePath};
use fengni_core::codec;
use fengni_core::id::CertificateId;
use fengni_core::limits::CERTIFICATE_FILE_BYTES;
use fengni_core::outcome::Decision;
use fengni_core::transaction::TransactionId;
use fengni_core::{BookNumber, Domain, Height, KeyAlgorithm, LineNumber, LinePlace, NetworkId, SecretKey, Suite};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::disk::{self, FileError};
use crate::submit::{Prepared, Settlement};

/// Bytes of one frame, at most: a certificate, or a full seal with the numbers of what is in it.
const FRAME_BYTES: usize = 2 * CERTIFICATE_FILE_BYTES;
/// Length and check in front of each frame.
const PREFIX: usize = 8;

/// Trouble with an archive.
#[derive(Debug, Error)]
pub enum ArchiveError {
    /// The file.
    #[error(transparent)]
    File(#[from] FileError),
    /// Another program works on it.
    #[error("{}: another program is using this archive", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// Bytes in the middle are not what was written.
    #[error("{}: damaged at byte {at}; next: restore it from a copy, because lost salts are lost certificates", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where the first damaged frame begins.
        at: u64,
    },
    /// The archive of another network or book.
    #[error("{}: the archive of another network or book", path.display())]
    OtherBook {
        /// The file.
        path: PathBuf,
    },
}

/// What the file holds. Variants are append-only.
#[derive(Encode, Decode)]
enum Frame {
    /// The first frame.
    Opened { network: NetworkId, suite: Suite, book: BookNumber },
    /// A certificate with its salts, and the holder's key where it was made here.
    Certificate { identifier: CertificateId, content: Bytes, key: Option<HolderKey> },
    /// A signed seal of certificates, by their numbers among the certificate frames.
    Sent { id: TransactionId, valid_until: Height, bytes: Bytes, certificates: Vec<u64> },
    /// What became of a seal.
    Settled { id: TransactionId, height: Height, decision: Decision },
    /// A seal that is given up: too late for a block, or not taken, as far as any node knows.
    GivenUp { id: TransactionId },
    /// Where a certificate was found on the ledger.
    Found { certificate: u64, line: LineNumber },
}

#[derive(Encode, Decode)]
struct HolderKey {
    algorithm: u8,
    seed: [u8; 32],
}

/// Where an archived certificate stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// Not sealed: no seal was sent, or it was refused.
    Loose,
    /// In a seal whose outcome is not known yet.
    Waiting,
    /// On the ledger.
    Sealed(LineNumber),
}

struct Entry {
    offset: u64,
    len: usize,
    status: Status,
}

/// A seal that was sent and whose outcome is not known.
pub(super) struct Open {
    pub(super) prepared: Prepared,
    pub(super) certificates: Vec<usize>,
}

/// A certificate as archived.
pub struct Archived {
    /// Its identifier.
    pub identifier: CertificateId,
    /// Header and claims with their salts.
    pub certificate: Certificate,
    /// The holder's key, where it was made here.
    pub key: Option<SecretKey>,
    /// Where it stands.
    pub status: Status,
}

/// Names the certificate and nothing it says.
impl fmt::Debug for Archived {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Archived({:?})", self.status)
    }
}

/// The archive of one book, held by one program at a time.
pub struct Archive {
    path: PathBuf,
    file: File,
    end: u64,
    domain: Domain,
    book: BookNumber,
    entries: Vec<Entry>,
    by_tag: HashMap<Tag, Vec<usize>>,
    open: Vec<Open>,
}

impl fmt::Debug for Archive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Archive({} certificates, {} open seals)", self.entries.len(), self.open.len())
    }
}

impl Archive {
    /// Opens the archive of a book in a folder, or begins one.
    ///
    /// # Errors
    /// [`ArchiveError`].
    pub fn open(folder: &Path, domain: &Domain, book: BookNumber) -> Result<Self, ArchiveError> {
        std::fs::create_dir_all(folder).map_err(FileError::system(folder))?;
        let path = folder.join(format!("book-{book}.archive"));
        let mut options = disk::private_options();
        let file = options.read(true).append(true).create(true).open(&path).map_err(FileError::system(&path))?;
        match file.try_lock() {
            Ok(()) => (),
            Err(TryLockError::WouldBlock) => return Err(ArchiveError::InUse { path }),
            Err(TryLockError::Error(error)) => return Err(FileError::system(&path)(error).into()),
        }
        let mut archive = Self {
            path,
            file,
            end: 0,
            domain: *domain,
            book,
            entries: Vec::new(),
            by_tag: HashMap::new(),
            open: Vec::new(),
        };
        archive.read_all()?;
        if archive.end == 0 {
            archive.append(&Frame::Opened { network: domain.network, suite: domain.suite, book })?;
            archive.sync()?;
            disk::sync_folder(&archive.path)?;
        }
        Ok(archive)
    }

    /// The book.
    pub fn book(&self) -> BookNumber {
        self.book
    }

    /// How many certificates it holds, sealed or not.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Seals whose outcome is not known.
    pub fn open_seals(&self) -> usize {
        self.open.len()
    }

    /// Where a certificate stands: sealed if any of its entries is.
    pub fn status(&self, identifier: &CertificateId) -> Option<Status> {
        self.best(identifier).map(|number| self.entries[number].status)
    }

    /// A certificate with its salts.
    ///
    /// # Errors
    /// [`ArchiveError`].
    pub fn certificate(&self, identifier: &CertificateId) -> Result<Option<Archived>, ArchiveError> {
        self.best(identifier).map(|number| self.read(number)).transpose()
    }

    /// Identifiers of all certificates that are on the ledger, by line.
    ///
    /// # Errors
    /// [`ArchiveError`].
    pub fn sealed(&self) -> Result<Vec<CertificateId>, ArchiveError> {
        let mut sealed: Vec<(LineNumber, usize)> = Vec::new();
        for (number, entry) in self.entries.iter().enumerate() {
            if let Status::Sealed(line) = entry.status {
                sealed.push((line, number));
            }
        }
        sealed.sort_unstable();
        sealed.into_iter().map(|(_, number)| Ok(self.read(number)?.identifier)).collect()
    }

    /// The file its holder gets, once it is sealed.
    pub(super) fn certificate_file(&self, archived: Archived, path: PagePath) -> Option<CertificateFile> {
        let Status::Sealed(line) = archived.status else { return None };
        Some(CertificateFile {
            network: self.domain.network,
            certificate_type: archived.identifier.type_code(),
            issuer: archived.identifier.issuer(),
            certificate: archived.certificate,
            place: LinePlace { book: self.book, line },
            path,
        })
    }

    /// The entry that counts: a sealed one, else one that waits, else the latest.
    fn best(&self, identifier: &CertificateId) -> Option<usize> {
        let rank = |number: &usize| match self.entries[*number].status {
            Status::Sealed(_) => 2,
            Status::Waiting => 1,
            Status::Loose => 0,
        };
        self.numbers(identifier).iter().copied().max_by_key(|number| (rank(number), *number))
    }

    /// Every entry of a certificate, the oldest first.
    pub(super) fn numbers(&self, identifier: &CertificateId) -> &[usize] {
        self.by_tag.get(&Tag::of(&self.domain, identifier)).map_or(&[], Vec::as_slice)
    }

    pub(super) fn status_of(&self, number: usize) -> Status {
        self.entries[number].status
    }

    /// Seals whose outcome is not known, in the order in which they were signed.
    pub(super) fn open_list(&self) -> &[Open] {
        &self.open
    }

    /// An entry by its number.
    pub(super) fn read(&self, number: usize) -> Result<Archived, ArchiveError> {
        let Entry { offset, len, status } = self.entries[number];
        let damaged = || ArchiveError::Damaged { path: self.path.clone(), at: offset };
        let mut bytes = Zeroizing::new(vec![0; len]);
        let mut file = &self.file;
        file.seek(SeekFrom::Start(offset))
            .and_then(|_| file.read_exact(&mut bytes))
            .map_err(FileError::system(&self.path))?;
        let Ok(Frame::Certificate { identifier, content, key }) = codec::decode(&bytes, FRAME_BYTES) else {
            return Err(damaged());
        };
        let certificate = Certificate::decode(&self.domain, &content.0).map_err(|_| damaged())?;
        let key = key.map(|key| {
            let algorithm = KeyAlgorithm::from_number(key.algorithm)?;
            SecretKey::from_seed(algorithm, &Zeroizing::new(key.seed))
        });
        let key = key.map(|key| key.ok_or_else(damaged)).transpose()?;
        Ok(Archived { identifier, certificate, key, status })
    }

    /// Adds a certificate; durable after [`Archive::sync`].
    pub(super) fn add(
        &mut self,
        identifier: &CertificateId,
        certificate: &Certificate,
        key: Option<&SecretKey>,
    ) -> Result<usize, ArchiveError> {
        let key = key.map(|key| HolderKey { algorithm: key.algorithm().number(), seed: *key.seed() });
        let content = Bytes(certificate.encode());
        let (offset, len) = self.append(&Frame::Certificate { identifier: identifier.clone(), content, key })?;
        Ok(self.note_certificate(identifier, offset, len))
    }

    /// Adds a signed seal of certificates; durable after [`Archive::sync`], and to be sent only then.
    pub(super) fn add_seal(&mut self, prepared: Prepared, certificates: Vec<usize>) -> Result<(), ArchiveError> {
        let Prepared { id, valid_until, bytes } = prepared.clone();
        let numbers = certificates.iter().map(|number| *number as u64).collect();
        self.append(&Frame::Sent { id, valid_until, bytes, certificates: numbers })?;
        self.note_sent(prepared, certificates);
        Ok(())
    }

    /// Notes what became of a seal; returns the certificates that were in it.
    pub(super) fn settle(&mut self, settlement: &Settlement) -> Result<Vec<usize>, ArchiveError> {
        let frame = match settlement {
            Settlement::Done { id, effect, height } => {
                Frame::Settled { id: *id, height: *height, decision: Decision::Done(effect.clone()) }
            }
            Settlement::Refused { id, refusal, detail, height } => {
                let decision = Decision::Refused { refusal: *refusal, detail: *detail };
                Frame::Settled { id: *id, height: *height, decision }
            }
            Settlement::Undecided { id, .. } => Frame::GivenUp { id: *id },
        };
        self.append(&frame)?;
        Ok(match frame {
            Frame::Settled { id, decision, .. } => self.note_settled(id, Some(&decision)),
            _ => self.note_settled(settlement.id(), None),
        })
    }

    /// Notes where a certificate was found on the ledger.
    pub(super) fn found(&mut self, number: usize, line: LineNumber) -> Result<(), ArchiveError> {
        self.append(&Frame::Found { certificate: number as u64, line })?;
        self.entries[number].status = Status::Sealed(line);
        Ok(())
    }

    /// Makes everything added so far durable.
    pub(super) fn sync(&self) -> Result<(), ArchiveError> {
        Ok(self.file.sync_data().map_err(FileError::system(&self.path))?)
    }

    fn append(&mut self, frame: &Frame) -> Result<(u64, usize), ArchiveError> {
        let content = Zeroizing::new(codec::encode(frame));
        let len = u32::try_from(content.len()).expect("a frame is far below 4 GB: its parts are limited");
        let mut bytes = Zeroizing::new(Vec::with_capacity(PREFIX + content.len()));
        bytes.extend_from_slice(&len.to_le_bytes());
        bytes.extend_from_slice(&check(&content));
        bytes.extend_from_slice(&content);
        if let Err(error) = self.file.write_all(&bytes) {
            // Half a frame in the middle of the file would read as damage later.
            let _ = self.file.set_len(self.end);
            return Err(FileError::system(&self.path)(error).into());
        }
        let offset = self.end + PREFIX as u64;
        self.end = offset + content.len() as u64;
        Ok((offset, content.len()))
    }

    fn read_all(&mut self) -> Result<(), ArchiveError> {
        let whole = self.file.metadata().map_err(FileError::system(&self.path))?.len();
        let file = self.file.try_clone().map_err(FileError::system(&self.path))?;
        let mut reader = BufReader::with_capacity(1 << 20, file);
        reader.seek(SeekFrom::Start(0)).map_err(FileError::system(&self.path))?;
        let mut at = 0;
        while let Some(content) = self.next_frame(&mut reader, at, whole)? {
            let damaged = || ArchiveError::Damaged { path: self.path.clone(), at };
            let frame: Frame = codec::decode(&content, FRAME_BYTES).map_err(|_| damaged())?;
            let (offset, len) = (at + PREFIX as u64, content.len());
            self.take(frame, at, offset, len)?;
            at = offset + len as u64;
        }
        if at < whole {
            self.file.set_len(at).map_err(FileError::system(&self.path))?;
        }
        self.end = at;
        Ok(())
    }

    /// The content of the frame at a place; `None` at the end, or where a crash cut the last one.
    fn next_frame(
        &self,
        reader: &mut impl std::io::Read,
        at: u64,
        whole: u64,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, ArchiveError> {
        let damaged = || ArchiveError::Damaged { path: self.path.clone(), at };
        let left = whole - at;
        if left < PREFIX as u64 {
            return Ok(None);
        }
        let mut prefix = [0; PREFIX];
        reader.read_exact(&mut prefix).map_err(FileError::system(&self.path))?;
        let len = u32::from_le_bytes([prefix[0], prefix[1], prefix[2], prefix[3]]) as usize;
        if len == 0 && prefix == [0; PREFIX] {
            // Some file systems leave zeros where a crash came before the bytes.
            let mut rest = Vec::new();
            reader.take(left).read_to_end(&mut rest).map_err(FileError::system(&self.path))?;
            return if rest.iter().all(|byte| *byte == 0) { Ok(None) } else { Err(damaged()) };
        }
        if len == 0 || len > FRAME_BYTES {
            return Err(damaged());
        }
        let behind = left - PREFIX as u64;
        if behind < len as u64 {
            return Ok(None);
        }
        let mut content = Zeroizing::new(vec![0; len]);
        reader.read_exact(&mut content).map_err(FileError::system(&self.path))?;
        match check(&content) == prefix[4..] {
            true => Ok(Some(content)),
            false if behind == len as u64 => Ok(None),
            false => Err(damaged()),
        }
    }

    fn take(&mut self, frame: Frame, at: u64, offset: u64, len: usize) -> Result<(), ArchiveError> {
        let damaged = |path: &Path| ArchiveError::Damaged { path: path.to_owned(), at };
        let number = |number: u64, count: usize| usize::try_from(number).ok().filter(|number| *number < count);
        match frame {
            Frame::Opened { network, suite, book } => {
                if at != 0 || (network, suite, book) != (self.domain.network, self.domain.suite, self.book) {
                    return Err(ArchiveError::OtherBook { path: self.path.clone() });
                }
            }
            _ if at == 0 => return Err(ArchiveError::OtherBook { path: self.path.clone() }),
            Frame::Certificate { identifier, .. } => {
                self.note_certificate(&identifier, offset, len);
            }
            Frame::Sent { id, valid_until, bytes, certificates } => {
                let count = self.entries.len();
                let numbers: Option<Vec<usize>> = certificates.into_iter().map(|entry| number(entry, count)).collect();
                let numbers = numbers.ok_or_else(|| damaged(&self.path))?;
                self.note_sent(Prepared { id, valid_until, bytes }, numbers);
            }
            Frame::Settled { id, decision, .. } => drop(self.note_settled(id, Some(&decision))),
            Frame::GivenUp { id } => drop(self.note_settled(id, None)),
            Frame::Found { certificate, line } => {
                let number = number(certificate, self.entries.len()).ok_or_else(|| damaged(&self.path))?;
                self.entries[number].status = Status::Sealed(line);
            }
        }
        Ok(())
    }

    fn note_certificate(&mut self, identifier: &CertificateId, offset: u64, len: usize) -> usize {
        let number = self.entries.len();
        self.entries.push(Entry { offset, len, status: Status::Loose });
        self.by_tag.entry(Tag::of(&self.domain, identifier)).or_default().push(number);
        number
    }

    fn note_sent(&mut self, prepared: Prepared, certificates: Vec<usize>) {
        for number in &certificates {
            self.entries[*number].status = Status::Waiting;
        }
        self.open.push(Open { prepared, certificates });
    }

    fn note_settled(&mut self, id: TransactionId, decision: Option<&Decision>) -> Vec<usize> {
        let Some(place) = self.open.iter().position(|open| open.prepared.id == id) else { return Vec::new() };
        let certificates = self.open.remove(place).certificates;
        let first = match decision {
            Some(Decision::Done(effect)) => effect.sealed().map(|(_, first, _)| first),
            _ => None,
        };
        for (number, place) in certificates.iter().zip(0..) {
            let line = first.map(|first| LineNumber(first.0.saturating_add(place)));
            self.entries[*number].status = line.map_or(Status::Loose, Status::Sealed);
        }
        certificates
    }
}

/// The first bytes of a hash over a frame: tells a torn write, not a forger, who owns the file anyway.
fn check(content: &[u8]) -> [u8; 4] {
    let digest = Suite::Standard.hash(&[content]);
    [digest.0[0], digest.0[1], digest.0[2], digest.0[3]]
}
