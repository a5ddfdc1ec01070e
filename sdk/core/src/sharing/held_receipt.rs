//! A receipt as a holder gets it: whose word it is, and whether it stands on the ledger.
//!
//! ```text
//! receipt, signatures -> sides          by the members' keys, proven
//! receipt, path -> batch = line         of the provider's own book, proven
//! ```
//!
//! Nothing is believed because the provider says so. Rules I-13 to I-16: `sdk/spec/access.md`; I-27:
//! `sdk/spec/gateway.md`.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::anchored::{HalfStanding, ReceiptPath, unreached};
use super::form::unprinted;
use super::receipt::{SidedReceipt, Sides};
use crate::digest::Domain;
use crate::number::{LinePlace, MemberNumber, SealNumber};
use crate::proof::{Place, ProofError, Proven};
use crate::record::Member;
use crate::shelf::Shelf;

/// A receipt that a provider shows to a holder.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeldReceipt {
    /// The receipt.
    pub receipt: SidedReceipt,
    /// Its way into its batch; none while it waits for one.
    pub path: Option<ReceiptPath>,
    /// Where the batch stands.
    pub place: Option<LinePlace>,
}

/// One use of somebody's data, as far as it is proven.
#[derive(Clone, Serialize)]
pub struct Use {
    /// The receipt.
    pub receipt: SidedReceipt,
    /// Whose word it is.
    pub sides: Sides,
    /// The line of its batch, where the ledger has it; none while it waits for one.
    pub anchored: Option<LinePlace>,
}

unprinted!(HeldReceipt, Use);

/// Why a receipt shows no use.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum UseError {
    /// Something that was not proven: nothing can be said.
    #[error(transparent)]
    Unproven(#[from] ProofError),
    /// I-16: a provider shows its own receipts alone.
    #[error("the receipt is another provider's")]
    OtherProvider,
    /// I-13: no key of the provider's signed it.
    #[error("the provider did not sign the receipt")]
    NotSigned,
    /// I-14: path, batch and line do not fit, or the book is not the provider's.
    #[error("the receipt is not in the batch on the line that it names")]
    OtherLine,
    /// I-15: it is dated later than the ledger's own time allows, and so would wait for its batch as long as it likes.
    #[error("the receipt's time is still to come")]
    NotNow,
}

impl HeldReceipt {
    /// What has to be proven to judge it, as far as a state tells: asked again of the state that has these
    /// places, it names the line as well. What a state does not count is not named, for no proof has it.
    ///
    /// - `known`: any proven state; its sizes say which members and books there are.
    pub fn places(&self, provider: MemberNumber, known: &Proven) -> Vec<Place> {
        let receipt = &self.receipt.receipt;
        let records =
            [(Shelf::Members, provider.0), (Shelf::Members, receipt.requester.0), (Shelf::Books, receipt.book.0)];
        let counted = records.into_iter().filter(|(shelf, number)| u64::from(*number) < known.size(*shelf));
        let mut places: Vec<Place> = counted.map(|(shelf, number)| Place::Record(shelf, number)).collect();
        if let Ok(Some(book)) = receipt.own_book(known) {
            let way = self.path.as_ref().and(self.place);
            let named = way.filter(|place| place.book == receipt.book && place.line.0 < book.lines);
            if let Some(LinePlace { book: number, line }) = named.or_else(|| receipt.last_line(&book)) {
                places.extend([Place::Page(number, line.page()), Place::Line(number, line)]);
                // Batches are sealed one by one, so that a line has the number of its seal.
                places.extend((line.0 < book.seals.size).then_some(Place::Seal(number, SealNumber(line.0))));
            }
        }
        // Who asks itself is one member.
        places.sort_unstable();
        places.dedup();
        places
    }

    /// Rules I-13 to I-15: the use that it shows.
    ///
    /// - `provider`: who was asked.
    /// - `proven`: what [`HeldReceipt::places`] names. The keys have to be in force at the height of the batch's
    ///   seal: whoever replaces a key does not take back what it signed. Where no seal is known, at the proof's.
    ///
    /// # Errors
    /// [`UseError`].
    pub fn judge(self, domain: &Domain, provider: MemberNumber, proven: &Proven) -> Result<Use, UseError> {
        let Self { receipt, path, place } = self;
        if receipt.receipt.provider != provider {
            return Err(UseError::OtherProvider);
        }
        if receipt.receipt.is_ahead(proven.header().time) {
            return Err(UseError::NotNow);
        }
        let requester = receipt.receipt.requester.0;
        if u64::from(requester) >= proven.size(Shelf::Members) {
            return Err(UseError::NotSigned);
        }
        let [given, taken]: [Member; 2] = [proven.record(provider.0)?, proven.record(requester)?];
        let way = path.zip(place);
        let seal = way.as_ref().and_then(|(_, place)| proven.seal_of(*place));
        let sides = receipt.sides(domain, &given, &taken, seal.map_or(proven.header().height, |seal| seal.height));
        if !matches!(sides, Sides::Both | Sides::Provider) {
            return Err(UseError::NotSigned);
        }
        let Some((path, place)) = way else { return Ok(Use { receipt, sides, anchored: None }) };
        let batch = path.batch(domain, &receipt.receipt).map_err(|_| UseError::OtherLine)?;
        match receipt.receipt.batch_at(place, proven)? {
            Some(line) if line == batch => Ok(Use { receipt, sides, anchored: Some(place) }),
            _ => Err(UseError::OtherLine),
        }
    }
}

impl Use {
    /// Rule I-15: where the receipt stands, without leaves; `None` where the ledger counts its number and the
    /// provider showed no way to it: the leaves of that batch decide.
    ///
    /// - `proven`: what [`HeldReceipt::places`] names.
    ///
    /// # Errors
    /// [`UseError`].
    pub fn standing(&self, proven: &Proven) -> Result<Option<HalfStanding>, UseError> {
        if self.anchored.is_some() {
            return Ok(Some(HalfStanding::Anchored));
        }
        let receipt = &self.receipt.receipt;
        let book = receipt.own_book(proven)?.ok_or(UseError::OtherLine)?;
        let is_counted = receipt.is_counted(&book, proven)?;
        Ok((!is_counted).then(|| unreached(receipt, proven.header().time)))
    }
}
