//! What a provider's gateway and those who ask it say to each other, as JSON. Rules I-25 to I-28:
//! `sdk/spec/gateway.md`.

pub use fengni_core::sharing::{HeldReceipt, Withdrawal};
use fengni_core::sharing::{MemberSignature, SidedReceipt};
use fengni_core::transaction::TransactionId;
use fengni_core::{Digest, Height, LinePlace};
use serde::{Deserialize, Serialize};

use super::sealed::Sealed;

/// What a requester gets for an access: the first time, and each time it asks the same again.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answered {
    /// A receipt for each question, with the provider's signature.
    pub receipts: Vec<SidedReceipt>,
    /// A list of [`fengni_core::sharing::Answer`], one a question, as JSON; none where every question
    /// was refused, or where it arrived before.
    pub answer: Option<Sealed>,
}

/// A requester's signature over a receipt.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Countersignature {
    /// The receipt's number in the provider's book.
    pub number: u64,
    /// Over [`fengni_core::sharing::Receipt::taken_message`].
    pub signature: MemberSignature,
}

/// Several of them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Countersignatures {
    /// At most 256.
    pub signatures: Vec<Countersignature>,
}

/// A batch of receipts.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchView {
    /// Number of its first receipt.
    pub first: u64,
    /// How many.
    pub count: u64,
    /// Digest of the list of their leaves.
    pub receipts: Digest,
    /// Where its line stands; none while it is on its way.
    pub place: Option<LinePlace>,
}

/// Several of them, newest first.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Batches {
    /// At most 64.
    pub batches: Vec<BatchView>,
}

/// A batch with its blinded leaves.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchLeaves {
    /// Which.
    pub batch: BatchView,
    /// All of them, in the order of the receipts' numbers.
    pub leaves: Vec<Digest>,
}

/// What a holder gets.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeldReceipts {
    /// By rising number.
    pub receipts: Vec<HeldReceipt>,
    /// Whether there are more: ask again from the number after the last.
    pub more: bool,
}

/// What became of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withdrawn {
    /// The transaction.
    pub transaction: TransactionId,
    /// The block that has it; none while it waits.
    pub height: Option<Height>,
}
