//! Batches: receipts in the order of their numbers, without a gap, and where each stands.
//!
//! A batch is on the disk with its signed transaction before that is sent, and the next is made only
//! once it stands on the ledger: whatever a crash interrupts is sent again, and is there once.

use std::collections::BTreeMap;
use std::time::Duration;

use fengni_client::submit::Prepared;
use fengni_core::sharing::{BATCH_RECEIPTS, Batch, ReceiptPath, SidedReceipt};
use fengni_core::{Digest, LinePlace, Millis, PublicKey};
use redb::{ReadableDatabase as _, ReadableTable};

use super::tables::{BATCHES, BY_HOLDER, BY_SUBJECT, LEAVES, RECEIPTS, ReceiptRow, Sent, decode, encode};
use super::{BatchRow, Journal, JournalError, Step, before};

/// Receipts that wait for a batch.
pub(crate) struct Due {
    /// Number of the first.
    pub(crate) first: u64,
    /// Their leaves.
    pub(crate) leaves: Vec<Digest>,
}

/// A receipt, and where it stands.
pub(crate) struct Shown {
    /// The receipt.
    pub(crate) receipt: SidedReceipt,
    /// The subject that it was found by; `None` where the holder's key has signed what it rests on.
    pub(crate) subject: Option<String>,
    /// Its way into its batch, and where that stands; `None` while it waits.
    pub(crate) anchor: Option<(ReceiptPath, LinePlace)>,
}

impl Journal {
    /// The last batch, if there is one.
    ///
    /// # Errors
    /// [`JournalError`].
    pub(crate) fn last_batch(&self) -> Result<Option<BatchRow>, JournalError> {
        let batches = self.database.begin_read()?.open_table(BATCHES)?;
        batches.last()?.map(|(_, row)| decode(row.value())).transpose()
    }

    /// How many batches there are, and how many receipts.
    ///
    /// # Errors
    /// [`JournalError`].
    pub(crate) fn sizes(&self) -> Result<(u64, u64), JournalError> {
        let read = self.database.begin_read()?;
        let receipts = read.open_table(LEAVES)?.last()?.map_or(0, |(last, _)| last.value() + 1);
        Ok((redb::ReadableTableMetadata::len(&read.open_table(BATCHES)?)?, receipts))
    }

    /// How many receipts are in no anchored batch.
    ///
    /// # Errors
    /// [`JournalError`].
    pub(crate) fn waiting(&self) -> Result<u64, JournalError> {
        let (_, receipts) = self.sizes()?;
        Ok(receipts.saturating_sub(self.anchored_end()?))
    }

    /// The number after the last receipt that stands on the ledger.
    pub(super) fn anchored_end(&self) -> Result<u64, JournalError> {
        let last = self.last_batch()?;
        Ok(last.map_or(0, |row| if row.place.is_some() { row.first + row.count } else { row.first }))
    }

    /// Receipts that are in no batch, once the oldest has waited so long or they fill one.
    ///
    /// # Errors
    /// [`JournalError`].
    pub(crate) fn due(&self, now: Millis, wait: Duration) -> Result<Option<Due>, JournalError> {
        let read = self.database.begin_read()?;
        let first = end_of_last(&read.open_table(BATCHES)?)?;
        let Some(oldest) = read.open_table(RECEIPTS)?.get(first)? else { return Ok(None) };
        let oldest: ReceiptRow = decode(oldest.value())?;
        let most = usize::try_from(BATCH_RECEIPTS).unwrap_or(usize::MAX);
        let leaves = read.open_table(LEAVES)?;
        let leaves = leaves.range(first..)?.take(most).map(|leaf| Ok(Digest(leaf?.1.value())));
        let leaves = leaves.collect::<Result<Vec<_>, JournalError>>()?;
        let is_due = oldest.receipt.time <= before(now, wait) || leaves.len() >= most;
        Ok(is_due.then_some(Due { first, leaves }))
    }

    /// Writes down a batch with the transaction that is going to be sent.
    ///
    /// # Errors
    /// [`JournalError`]; [`JournalError::Damaged`] for one that leaves a gap.
    pub(crate) fn close_batch(&self, batch: &Batch, prepared: &Prepared) -> Result<(), JournalError> {
        let Batch { first, count, receipts } = *batch;
        let write = self.database.begin_write()?;
        {
            let mut batches = write.open_table(BATCHES)?;
            if end_of_last(&batches)? != first {
                return Err(JournalError::Damaged);
            }
            let row = BatchRow { first, count, receipts, sent: Sent::from(prepared), place: None };
            batches.insert(first, encode(&row).as_slice())?;
        }
        self.at(Step::Closing)?;
        write.commit()?;
        self.at(Step::Closed)
    }

    /// Writes down another transaction for a batch whose last one no block takes any more.
    ///
    /// # Errors
    /// [`JournalError`].
    pub(crate) fn sign_batch_again(&self, first: u64, prepared: &Prepared) -> Result<(), JournalError> {
        self.change_batch(first, |row| row.sent = Sent::from(prepared))
    }

    /// Writes down where a batch stands.
    ///
    /// # Errors
    /// [`JournalError`].
    pub(crate) fn anchored(&self, first: u64, place: LinePlace) -> Result<(), JournalError> {
        self.at(Step::Anchoring)?;
        self.change_batch(first, |row| row.place = Some(place))
    }

    fn change_batch(&self, first: u64, with: impl FnOnce(&mut BatchRow)) -> Result<(), JournalError> {
        let write = self.database.begin_write()?;
        {
            let mut batches = write.open_table(BATCHES)?;
            let row = batches.get(first)?.map(|row| decode::<BatchRow>(row.value())).transpose()?;
            let mut row = row.ok_or(JournalError::Damaged)?;
            with(&mut row);
            batches.insert(first, encode(&row).as_slice())?;
        }
        Ok(write.commit()?)
    }

    /// The batch in which a receipt is, with its leaves.
    ///
    /// # Errors
    /// [`JournalError`].
    pub(crate) fn batch_of(&self, number: u64) -> Result<Option<(BatchRow, Vec<Digest>)>, JournalError> {
        let read = self.database.begin_read()?;
        let batches = read.open_table(BATCHES)?;
        let Some(row) = batches.range(..=number)?.next_back() else { return Ok(None) };
        let row: BatchRow = decode(row?.1.value())?;
        let Some(end) = row.batch().end().filter(|end| number < *end) else { return Ok(None) };
        let leaves = read.open_table(LEAVES)?;
        let leaves = leaves.range(row.first..end)?.map(|leaf| Ok(Digest(leaf?.1.value())));
        let leaves = leaves.collect::<Result<Vec<_>, JournalError>>()?;
        Ok(Some((row, leaves)))
    }

    /// The newest batches, newest first.
    ///
    /// # Errors
    /// [`JournalError`].
    pub(crate) fn batches(&self, before: Option<u64>, most: usize) -> Result<Vec<BatchRow>, JournalError> {
        let batches = self.database.begin_read()?.open_table(BATCHES)?;
        let newest = batches.range(..before.unwrap_or(u64::MAX))?.rev().take(most);
        newest.map(|row| decode(row?.1.value())).collect()
    }

    /// Receipts about what a key signed, and about subjects, from a number on, by rising number, each with
    /// its way to the ledger.
    ///
    /// # Errors
    /// [`JournalError`].
    pub(crate) fn receipts_of(
        &self,
        holder: &PublicKey,
        subjects: &[String],
        from: u64,
        most: usize,
    ) -> Result<Vec<Shown>, JournalError> {
        let read = self.database.begin_read()?;
        let (by_holder, by_subject) = (read.open_table(BY_HOLDER)?, read.open_table(BY_SUBJECT)?);
        let mut numbers: BTreeMap<u64, Option<&String>> = BTreeMap::new();
        for subject in subjects {
            for number in
                by_subject.range(numbers_of(self.secret.of_subject(&self.owner.domain, subject), from))?.take(most)
            {
                numbers.insert(number?.0.value().1, Some(subject));
            }
        }
        for number in by_holder.range(numbers_of(self.secret.of_holder(&self.owner.domain, holder), from))?.take(most) {
            numbers.insert(number?.0.value().1, None);
        }
        let rows = read.open_table(RECEIPTS)?;
        let mut shown = Vec::new();
        for (number, subject) in numbers.into_iter().take(most) {
            let row = rows.get(number)?.ok_or(JournalError::Damaged)?;
            let row: ReceiptRow = decode(row.value())?;
            shown.push(Shown { receipt: row.into(), subject: subject.cloned(), anchor: None });
        }
        self.anchor_all(&mut shown)?;
        Ok(shown)
    }

    /// Adds their ways to the ledger to receipts with rising numbers; each batch's tree is built once.
    fn anchor_all(&self, mut rest: &mut [Shown]) -> Result<(), JournalError> {
        while let Some(next) = rest.first() {
            // What comes after a receipt that is in no anchored batch is in none either.
            let Some((batch, leaves)) = self.batch_of(next.receipt.receipt.number)? else { break };
            let Some(place) = batch.place else { break };
            let end = batch.batch().end().ok_or(JournalError::Damaged)?;
            let count = rest.partition_point(|shown| shown.receipt.receipt.number < end);
            let (these, others) = std::mem::take(&mut rest).split_at_mut(count);
            let numbers: Vec<u64> = these.iter().map(|shown| shown.receipt.receipt.number).collect();
            let paths = ReceiptPath::of_all(&self.owner.domain, batch.first, &leaves, &numbers);
            for (shown, path) in these.iter_mut().zip(paths.ok_or(JournalError::Damaged)?) {
                shown.anchor = Some((path, place));
            }
            rest = others;
        }
        Ok(())
    }
}

/// The numbers under a hash, from one on.
fn numbers_of(hash: [u8; 32], from: u64) -> std::ops::RangeInclusive<([u8; 32], u64)> {
    (hash, from)..=(hash, u64::MAX)
}

/// The number of the first receipt that is in no batch.
fn end_of_last(batches: &impl ReadableTable<u64, &'static [u8]>) -> Result<u64, JournalError> {
    match batches.last()? {
        None => Ok(0),
        Some((_, row)) => decode::<BatchRow>(row.value())?.batch().end().ok_or(JournalError::Damaged),
    }
}
