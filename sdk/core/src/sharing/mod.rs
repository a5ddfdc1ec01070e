//! Data sharing: what departments and holders hand each other beside the ledger.
//!
//! ```text
//! notice, items, secret -> grant -> line in a book of grants
//! signed access -> answer -> receipt -> blinded leaf -> batch -> line in a book of receipts
//! ```
//!
//! Data itself never touches the ledger, and nothing on it says whose data it was.

mod batch;
mod commitment;

pub use batch::{BATCH_RECEIPTS, Batch};
pub use commitment::{grant_commitment, secret_digest, shown_commitment};
