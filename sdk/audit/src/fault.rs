//! What does not hold, and at which block.

use fengni_core::codec::DecodeError;
use fengni_core::export::StreamError;
use fengni_core::finality::FinalityError;
use fengni_core::proof::ProofError;
use fengni_core::recovery::RecoveryError;
use fengni_core::transaction::{TransactionError, TransactionId};
use fengni_core::{Height, Millis};
use fengni_state::{AdoptError, BlockError};
use thiserror::Error;

/// The first block that does not hold.
#[derive(Debug, Error)]
#[error("block {height}: {fault}")]
pub struct Failure {
    /// Its height.
    pub height: Height,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What is wrong with a block, in the order in which it is looked for.
#[derive(Debug, Error)]
pub enum Fault {
    /// The stream is damaged, cut off or has a gap here.
    #[error(transparent)]
    Stream(StreamError),
    /// The bytes are no block.
    #[error("its bytes are no block: {0}")]
    Encoding(#[from] DecodeError),
    /// The header is of another height.
    #[error("that of height {found} was given in its place")]
    Height {
        /// The height in the header.
        found: Height,
    },
    /// The header is of another network.
    #[error("it is of another network")]
    OtherNetwork,
    /// A version whose rules this program does not know.
    #[error("it speaks version {version} of the protocol, this program {speaks}; next: install a newer one")]
    LaterVersion {
        /// The block's.
        version: u16,
        /// This program's.
        speaks: u16,
    },
    /// A recovery named its validators, and what allows that is not there.
    #[error("a recovery named its validators, and the parameters that allow it are not given with it")]
    NoTerms,
    /// The parameters given with a recovery are not those of the block before.
    #[error("the parameters given with its recovery do not hold: {0}")]
    Terms(#[from] ProofError),
    /// The parameters given are of another block, or of a block without a recovery.
    #[error("it carries parameters of another block")]
    OtherTerms,
    /// The recovery before it does not hold.
    #[error("the recovery before it does not hold: {0}")]
    Recovery(#[from] RecoveryError),
    /// The recovery before it does not suit the register.
    #[error("the recovery before it does not hold: {0}")]
    Adopt(#[from] AdoptError),
    /// The certificate signs another header.
    #[error("its header is not the one that its certificate signs: one of the two was altered")]
    Header,
    /// The certificate does not make it final under the validators of its height.
    #[error("it is not final: {0}")]
    NotFinal(FinalityError),
    /// It follows another block.
    #[error("it does not follow the block before, though a quorum signed it: keep both as evidence")]
    Parent,
    /// It is not later than the block before.
    #[error("its time {} is not later than {} of the block before", time.0, before.0)]
    Time {
        /// Its time.
        time: Millis,
        /// That of the block before.
        before: Millis,
    },
    /// It hands over to validators that are not given.
    #[error("it hands over to other validators, and these are not given with it")]
    NoValidators,
    /// The validators given with it are not those that its header names.
    #[error("the validators given with it are not those that its header names for the next block")]
    OtherValidators,
    /// Transactions were removed, added, altered or reordered.
    #[error("its transactions are not those that its header names: removed, added, altered or reordered")]
    Transactions,
    /// The parent certificate was removed or altered.
    #[error("its parent certificate is not the one that its header names")]
    ParentCertificate,
    /// The parent certificate does not make the parent final.
    #[error("its parent certificate does not make the block before final: {0}")]
    ParentNotFinal(FinalityError),
    /// A transaction that may stand in no block.
    #[error("its transaction {place} is none: {error}")]
    Transaction {
        /// Its place.
        place: usize,
        /// What is wrong.
        error: TransactionError,
    },
    /// The same transaction twice.
    #[error("transaction {0} stands in it twice")]
    Twice(TransactionId),
    /// A rule of its time is broken, or executing it gives something else than its header says.
    #[error("{0}")]
    Rules(#[from] BlockError),
}
