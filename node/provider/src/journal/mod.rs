//! The journal: uses, receipts and batches, whole after any crash. Rules I-20 to I-22.
//!
//! ```text
//! access -> Hold: room for its uses -> answer found and sealed
//!             |
//!             v
//!           write: use, receipt, sealed answer in one durable step -> answer leaves
//!             |
//!             v
//!           batch with its signed transaction, durable -> sent -> where it stands
//! ```
//!
//! An answer leaves only after its use is on the disk, so that a crash counts a use of which nobody
//! has the answer, and never hands out one that nobody counts. Whoever asks the same again gets the
//! same answer, sealed as it was, and no other use. Nothing here can be read as data: answers are
//! sealed to keys of others, receipts hold salted hashes, and what finds somebody's receipts again is a hash
//! under a secret that lies beside the file.

mod batches;
mod erase;
mod hold;
mod secret;
mod tables;
#[cfg(test)]
pub(crate) mod tests;
mod writer;

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use fengni_client::keys::files;
use fengni_client::sharing::sealed::Sealed;
use fengni_core::sharing::{MemberSignature, Receipt, SidedReceipt};
use fengni_core::{BookNumber, Digest, Domain, MemberNumber, Millis, PublicKey, codec};
use redb::backends::FileBackend;
use redb::{Database, ReadableDatabase as _, ReadableTable as _, WriteTransaction};

pub(crate) use batches::Shown;
pub(crate) use erase::{Erased, Trace, YOUNG};
pub(crate) use hold::{Hold, Known, UseKey};
pub(crate) use secret::Secret;
use tables::{
    ACCESSES, ANSWERS, AccessRow, BATCHES, BY_HOLDER, BY_SUBJECT, BY_TIME, FORMAT, LEAVES, META, OWNER, RECEIPTS,
    ReceiptRow, TRACES, USES, decode, encode,
};
pub(crate) use tables::{BatchRow, JournalError};
pub(crate) use writer::Writer;

use hold::Live;

const CACHE_BYTES: usize = 64 * 1024 * 1024;

/// Whose journal it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Owner {
    /// The network and its rules.
    pub(crate) domain: Domain,
    /// The provider.
    pub(crate) member: MemberNumber,
    /// Its book of receipts.
    pub(crate) book: BookNumber,
}

/// What is known of a question when its answer is found: all but the numbers.
pub(crate) struct Draft {
    /// The receipt; its book, number, use and time are filled in as it is written.
    pub(crate) receipt: Receipt,
    /// What it counts.
    pub(crate) uses: Option<UseKey>,
    /// The holder's key that it rests on.
    pub(crate) holder: Option<PublicKey>,
    /// Whom or what it is about; kept as a hash alone.
    pub(crate) subject: String,
}

/// An access that was judged and answered, to be written down.
pub(crate) struct Entry {
    /// The room that it holds.
    pub(crate) hold: Hold,
    /// One a question.
    pub(crate) drafts: Vec<Draft>,
    /// What is answered, if anything is.
    pub(crate) answer: Option<Sealed>,
}

/// A receipt in a list.
pub(crate) struct Listed {
    /// Its number.
    pub(crate) number: u64,
    /// What it says of nobody.
    pub(crate) trace: Trace,
    /// Whether both sides signed it; `None` where the trace alone is left.
    pub(crate) is_two_sided: Option<bool>,
}

/// What was written down for an access: what its requester gets, the first time and again.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Written {
    /// A receipt for each question.
    pub(crate) receipts: Vec<SidedReceipt>,
    /// The answer; `None` where nothing was answered, or where it is kept no longer.
    pub(crate) answer: Option<Sealed>,
}

/// The file.
pub(crate) struct Journal {
    database: Database,
    owner: Owner,
    secret: Secret,
    live: Mutex<HashMap<UseKey, Live>>,
    open: Mutex<HashSet<Digest>>,
    #[cfg(test)]
    kill: tests::Kill,
}

/// Points at which a test ends a journal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Step {
    /// Rows are in a transaction that is not on the disk.
    Writing,
    /// They are on the disk, and nobody was told.
    Written,
    /// A batch is in a transaction that is not on the disk.
    Closing,
    /// It is on the disk, and was not sent.
    Closed,
    /// It is on the ledger, and that is not on the disk.
    Anchoring,
}

impl Journal {
    /// Opens a file, which is made where it is not there; only its owner reads it.
    ///
    /// # Errors
    /// [`JournalError`].
    pub(crate) fn open(path: &Path, secret: Secret, owner: Owner) -> Result<Self, JournalError> {
        let file = files::private_options().read(true).write(true).create(true).truncate(false).open(path);
        let backend = FileBackend::new(file.map_err(fengni_client::FileError::system(path))?)?;
        let database = Database::builder().set_cache_size(CACHE_BYTES).create_with_backend(backend)?;
        let write = database.begin_write()?;
        {
            let mut meta = write.open_table(META)?;
            let format = meta.get("format")?.map(|format| format.value());
            match format {
                None => drop(meta.insert("format", FORMAT)?),
                Some(FORMAT) => (),
                Some(other) => return Err(JournalError::Format(other)),
            }
            let whose = codec::encode(&(owner.domain, owner.member, owner.book, secret.mark(&owner.domain)));
            let mut owners = write.open_table(OWNER)?;
            let found = owners.get(())?.map(|found| found.value().to_vec());
            match found {
                None => drop(owners.insert((), whose.as_slice())?),
                Some(found) if found == whose => (),
                Some(_) => return Err(JournalError::Other),
            }
            drop((write.open_table(ACCESSES)?, write.open_table(ANSWERS)?, write.open_table(BY_TIME)?));
            drop((write.open_table(RECEIPTS)?, write.open_table(LEAVES)?, write.open_table(BY_HOLDER)?));
            drop((write.open_table(BY_SUBJECT)?, write.open_table(USES)?, write.open_table(BATCHES)?));
            drop(write.open_table(TRACES)?);
        }
        write.commit()?;
        Ok(Self {
            database,
            owner,
            secret,
            live: Mutex::default(),
            open: Mutex::default(),
            #[cfg(test)]
            kill: tests::Kill::never(path),
        })
    }

    /// Whose it is.
    pub(crate) fn owner(&self) -> Owner {
        self.owner
    }

    /// Writes accesses in one durable step: numbers, uses, signed receipts and sealed answers.
    ///
    /// The room that they held is given back with the entries, after the step.
    ///
    /// - `now`: the receipts' time, unless an earlier one has a later.
    /// - `sign`: the provider's signature over a receipt.
    ///
    /// # Errors
    /// [`JournalError`]; nothing of any of them is written then.
    pub(crate) fn write(
        &self,
        entries: Vec<Entry>,
        now: Millis,
        sign: &dyn Fn(&Receipt) -> Result<MemberSignature, String>,
    ) -> Result<Vec<Written>, JournalError> {
        let write = self.database.begin_write()?;
        // A clock that was put back: numbers and times rise together all the same, after an erasure too.
        let last = write.open_table(RECEIPTS)?.last()?.map(|(_, row)| decode::<ReceiptRow>(row.value())).transpose()?;
        let trace = write.open_table(TRACES)?.last()?.map(|(_, row)| decode::<Trace>(row.value())).transpose()?;
        let times = last.map(|last| last.receipt.time).into_iter().chain(trace.map(|trace| trace.time));
        let time = times.fold(now, Millis::max);
        let written = entries.iter().map(|entry| self.write_one(&write, entry, time, sign));
        let written = written.collect::<Result<_, _>>()?;
        self.at(Step::Writing)?;
        write.commit()?;
        self.at(Step::Written)?;
        entries.into_iter().for_each(|entry| entry.hold.counted());
        Ok(written)
    }

    fn write_one(
        &self,
        write: &WriteTransaction,
        entry: &Entry,
        time: Millis,
        sign: &dyn Fn(&Receipt) -> Result<MemberSignature, String>,
    ) -> Result<Written, JournalError> {
        let (mut rows, mut leaves) = (write.open_table(RECEIPTS)?, write.open_table(LEAVES)?);
        let (mut by_holder, mut by_subject) = (write.open_table(BY_HOLDER)?, write.open_table(BY_SUBJECT)?);
        let mut uses = write.open_table(USES)?;
        let first = leaves.last()?.map_or(0, |(last, _)| last.value() + 1);
        let mut receipts = Vec::new();
        for (draft, number) in entry.drafts.iter().zip(first..) {
            let mut receipt = Receipt { book: self.owner.book, number, use_number: 0, time, ..draft.receipt.clone() };
            if let Some(key) = &draft.uses {
                let row = self.secret.of_use(&self.owner.domain, key);
                receipt.use_number = uses.get(row)?.map_or(0, |count| count.value()) + 1;
                uses.insert(row, receipt.use_number)?;
            }
            let provider = sign(&receipt).map_err(JournalError::Sign)?;
            leaves.insert(number, receipt.leaf(&self.owner.domain).0)?;
            let holder = draft.holder.as_ref().map(|holder| self.secret.of_holder(&self.owner.domain, holder));
            if let Some(holder) = holder {
                by_holder.insert((holder, number), ())?;
            }
            let subject = self.secret.of_subject(&self.owner.domain, &draft.subject);
            by_subject.insert((subject, number), ())?;
            let (holder, subject) = (holder.map(Digest), Digest(subject));
            let row = ReceiptRow { receipt, provider, requester: None, holder, subject };
            rows.insert(number, encode(&row).as_slice())?;
            receipts.push(row.into());
        }
        let access = entry.hold.access().0;
        let row = AccessRow { first, count: receipts.len() as u64, time };
        write.open_table(ACCESSES)?.insert(access, encode(&row).as_slice())?;
        write.open_table(BY_TIME)?.insert((time.0, access), ())?;
        if let Some(answer) = &entry.answer {
            write.open_table(ANSWERS)?.insert(access, encode(answer).as_slice())?;
        }
        Ok(Written { receipts, answer: entry.answer.clone() })
    }

    /// Takes requesters' signatures that were checked; of a receipt that has one already, and of one
    /// that is not there, none is taken.
    ///
    /// An answer whose receipts are all countersigned arrived: it is kept no longer.
    ///
    /// # Errors
    /// [`JournalError`].
    pub(crate) fn countersign(&self, taken: &[(u64, MemberSignature)]) -> Result<(), JournalError> {
        let write = self.database.begin_write()?;
        {
            let mut rows = write.open_table(RECEIPTS)?;
            let (accesses, mut answers) = (write.open_table(ACCESSES)?, write.open_table(ANSWERS)?);
            for (number, signature) in taken {
                let row = rows.get(number)?.map(|row| decode::<ReceiptRow>(row.value())).transpose()?;
                let Some(row) = row.filter(|row| row.requester.is_none()) else { continue };
                let access = row.receipt.access.0;
                rows.insert(number, encode(&ReceiptRow { requester: Some(*signature), ..row }).as_slice())?;
                let Some(found) = accesses.get(access)? else { continue };
                let AccessRow { first, count, .. } = decode(found.value())?;
                let mut arrived = true;
                for row in rows.range(first..first + count)? {
                    arrived &= decode::<ReceiptRow>(row?.1.value())?.requester.is_some();
                }
                if arrived {
                    answers.remove(access)?;
                }
            }
        }
        Ok(write.commit()?)
    }

    /// What was written down for an access, if anything was.
    ///
    /// # Errors
    /// [`JournalError`].
    pub(crate) fn written(&self, access: &Digest) -> Result<Option<Written>, JournalError> {
        let read = self.database.begin_read()?;
        let Some(found) = read.open_table(ACCESSES)?.get(access.0)? else { return Ok(None) };
        let AccessRow { first, count, .. } = decode(found.value())?;
        let rows = read.open_table(RECEIPTS)?;
        let receipts = rows.range(first..first + count)?.map(|row| Ok(decode::<ReceiptRow>(row?.1.value())?.into()));
        let receipts = receipts.collect::<Result<Vec<_>, JournalError>>()?;
        let answers = read.open_table(ANSWERS)?;
        let answer = answers.get(access.0)?.map(|answer| decode(answer.value())).transpose()?;
        Ok(Some(Written { receipts, answer }))
    }

    /// The receipt of a number.
    ///
    /// # Errors
    /// [`JournalError`].
    pub(crate) fn receipt(&self, number: u64) -> Result<Option<SidedReceipt>, JournalError> {
        let rows = self.database.begin_read()?.open_table(RECEIPTS)?;
        rows.get(number)?.map(|row| Ok(decode::<ReceiptRow>(row.value())?.into())).transpose()
    }

    /// The newest receipts, newest first, of erased ones what is left.
    ///
    /// # Errors
    /// [`JournalError`].
    pub(crate) fn newest(&self, most: usize) -> Result<Vec<Listed>, JournalError> {
        let read = self.database.begin_read()?;
        let (leaves, rows, traces) = (read.open_table(LEAVES)?, read.open_table(RECEIPTS)?, read.open_table(TRACES)?);
        let mut listed = Vec::new();
        for leaf in leaves.iter()?.rev().take(most) {
            let number = leaf?.0.value();
            if let Some(row) = rows.get(number)? {
                let row: ReceiptRow = decode(row.value())?;
                let is_two_sided = Some(row.requester.is_some());
                listed.push(Listed { number, trace: Trace::from(&row.receipt), is_two_sided });
            } else if let Some(trace) = traces.get(number)? {
                listed.push(Listed { number, trace: decode(trace.value())?, is_two_sided: None });
            }
        }
        Ok(listed)
    }

    /// A point at which a test may end it.
    #[cfg_attr(not(test), expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "a point for tests"))]
    fn at(&self, step: Step) -> Result<(), JournalError> {
        #[cfg(test)]
        return self.kill.at(step);
        #[cfg(not(test))]
        {
            let _ = step;
            Ok(())
        }
    }
}

impl From<ReceiptRow> for SidedReceipt {
    fn from(row: ReceiptRow) -> Self {
        Self { receipt: row.receipt, provider: Some(row.provider), requester: row.requester }
    }
}

/// A moment so long before another.
pub(crate) fn before(moment: Millis, by: Duration) -> Millis {
    Millis(moment.0.saturating_sub(u64::try_from(by.as_millis()).unwrap_or(u64::MAX)))
}
