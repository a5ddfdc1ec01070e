//! Erasing: what leads to a person goes, what keeps batches complete stays. Rule I-29; HLD-03, HLD-06.
//!
//! ```text
//! receipt, salt, signatures, hashes, sealed answer -> gone
//! leaf, number                                     -> stay: other receipts' paths lead through them
//! who asked what on which basis, when              -> stays until receipts are old: nobody is in it
//! ```

use std::time::Duration;

use fengni_core::record::{AccessBasis, Mode};
use fengni_core::sharing::{Receipt, ResultCode};
use fengni_core::{MemberNumber, Millis, PurposeCode, RequestNumber, ResourceNumber};
use redb::{ReadableDatabase as _, ReadableTable as _};
use serde::{Deserialize, Serialize};

use super::tables::{
    ACCESSES, ANSWERS, AccessRow, BY_HOLDER, BY_SUBJECT, BY_TIME, RECEIPTS, ReceiptRow, TRACES, decode, encode,
};
use super::{Journal, JournalError};

/// Receipts of an access that may be asked again are not erased: it would be answered and counted anew.
pub(crate) const YOUNG: Duration = Duration::from_secs(600);
/// Rows that are let go of in one step, so that answers do not wait long.
const STEP: usize = 1_024;

/// What is left of an erased receipt: that data was used, and not whose.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Trace {
    pub(crate) time: Millis,
    pub(crate) requester: MemberNumber,
    pub(crate) request: RequestNumber,
    pub(crate) resource: ResourceNumber,
    pub(crate) basis: AccessBasis,
    pub(crate) purpose: PurposeCode,
    pub(crate) mode: Mode,
    pub(crate) fields: Vec<u16>,
    pub(crate) result: ResultCode,
}

impl From<&Receipt> for Trace {
    fn from(receipt: &Receipt) -> Self {
        let Receipt { time, requester, request, resource, basis, purpose, mode, fields, result, .. } = receipt.clone();
        Self { time, requester, request, resource, basis, purpose, mode, fields, result }
    }
}

/// How much was erased.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Erased {
    /// Receipts that lead to nobody any more.
    pub(crate) receipts: u64,
    /// Receipts that do, and are too young to be erased.
    pub(crate) young: u64,
}

impl Journal {
    /// Erases the receipts about subjects that are anchored and from before a moment.
    ///
    /// # Errors
    /// [`JournalError`]; what was erased before it stays so.
    pub(crate) fn erase(&self, subjects: &[String], before: Millis) -> Result<Erased, JournalError> {
        let mut erased = Erased::default();
        for subject in subjects {
            let (old, young) = self.about(subject, before)?;
            erased.young += young;
            for some in old.chunks(STEP) {
                self.erase_rows(some, true)?;
                erased.receipts += some.len() as u64;
            }
        }
        Ok(erased)
    }

    /// Numbers of the receipts about a subject that may be erased, and how many may not yet.
    fn about(&self, subject: &str, before: Millis) -> Result<(Vec<u64>, u64), JournalError> {
        let anchored = self.anchored_end()?;
        let read = self.database.begin_read()?;
        let (index, rows) = (read.open_table(BY_SUBJECT)?, read.open_table(RECEIPTS)?);
        let hash = self.secret.of_subject(&self.owner.domain, subject);
        let (mut old, mut young) = (Vec::new(), 0);
        for found in index.range((hash, 0)..=(hash, u64::MAX))? {
            let number = found?.0.value().1;
            let row = rows.get(number)?.ok_or(JournalError::Damaged)?;
            let row: ReceiptRow = decode(row.value())?;
            if number < anchored && row.receipt.time < before { old.push(number) } else { young += 1 }
        }
        Ok((old, young))
    }

    /// Forgets accesses that were answered before a moment, with their sealed answers, some of them at a time: by
    /// then an access is too old to be asked again. Receipts, leaves and uses stay.
    ///
    /// Returns how many there were: none when it is done.
    ///
    /// # Errors
    /// [`JournalError`].
    pub(crate) fn forget(&self, before: Millis) -> Result<usize, JournalError> {
        let old = {
            let by_time = self.database.begin_read()?.open_table(BY_TIME)?;
            let old = by_time.range(..(before.0, [0; 32]))?.take(STEP).map(|row| Ok(row?.0.value()));
            old.collect::<Result<Vec<_>, JournalError>>()?
        };
        if old.is_empty() {
            return Ok(0);
        }
        let write = self.database.begin_write()?;
        {
            let (mut accesses, mut answers) = (write.open_table(ACCESSES)?, write.open_table(ANSWERS)?);
            let mut by_time = write.open_table(BY_TIME)?;
            for (time, access) in &old {
                by_time.remove((*time, *access))?;
                accesses.remove(access)?;
                answers.remove(access)?;
            }
        }
        write.commit()?;
        Ok(old.len())
    }

    /// Erases receipts, and what was left of others, from before a moment; some of them at a time.
    ///
    /// Returns how many there were: none when it is done.
    ///
    /// # Errors
    /// [`JournalError`].
    pub(crate) fn erase_old(&self, before: Millis) -> Result<usize, JournalError> {
        let anchored = self.anchored_end()?;
        let (mut old, mut traces) = (Vec::new(), Vec::new());
        {
            let read = self.database.begin_read()?;
            for row in read.open_table(RECEIPTS)?.range(..anchored)?.take(STEP) {
                let (number, row) = row?;
                if decode::<ReceiptRow>(row.value())?.receipt.time >= before {
                    break;
                }
                old.push(number.value());
            }
            for row in read.open_table(TRACES)?.iter()?.take(STEP) {
                let (number, row) = row?;
                if decode::<Trace>(row.value())?.time >= before {
                    break;
                }
                traces.push(number.value());
            }
        }
        if !old.is_empty() {
            self.erase_rows(&old, false)?;
        }
        if !traces.is_empty() {
            let write = self.database.begin_write()?;
            {
                let mut table = write.open_table(TRACES)?;
                for number in &traces {
                    table.remove(number)?;
                }
            }
            write.commit()?;
        }
        Ok(old.len() + traces.len())
    }

    fn erase_rows(&self, numbers: &[u64], is_traced: bool) -> Result<(), JournalError> {
        let write = self.database.begin_write()?;
        {
            let (mut rows, mut traces) = (write.open_table(RECEIPTS)?, write.open_table(TRACES)?);
            let (mut by_holder, mut by_subject) = (write.open_table(BY_HOLDER)?, write.open_table(BY_SUBJECT)?);
            let (mut accesses, mut answers) = (write.open_table(ACCESSES)?, write.open_table(ANSWERS)?);
            let mut by_time = write.open_table(BY_TIME)?;
            for number in numbers {
                let row = rows.remove(number)?.map(|row| decode::<ReceiptRow>(row.value())).transpose()?;
                let Some(ReceiptRow { receipt, holder, subject, .. }) = row else { continue };
                if let Some(holder) = holder {
                    by_holder.remove((holder.0, *number))?;
                }
                by_subject.remove((subject.0, *number))?;
                // The sealed answer is about every question of the access.
                let access = receipt.access.0;
                answers.remove(access)?;
                let asked = accesses.remove(access)?.map(|row| decode::<AccessRow>(row.value())).transpose()?;
                if let Some(AccessRow { time, .. }) = asked {
                    by_time.remove((time.0, access))?;
                }
                if is_traced {
                    traces.insert(number, encode(&Trace::from(&receipt)).as_slice())?;
                }
            }
        }
        Ok(write.commit()?)
    }
}
