//! Data sharing: what departments and holders hand each other beside the ledger.
//!
//! ```text
//! notice, kinds, secret -> grant -> line in a book of grants
//! signed access -> answer -> receipt -> blinded leaf -> batch -> line in a book of receipts
//! ```
//!
//! Data itself never touches the ledger, and nothing on it says whose data it was. Rules I-1 to
//! I-18: `sdk/spec/access.md`.

mod access;
mod anchored;
mod answer;
mod batch;
mod commitment;
mod form;
mod grant;
mod grant_line;
mod grant_standing;
mod held;
mod held_receipt;
mod identity;
mod judge;
mod mine;
mod miscount;
mod presented;
mod receipt;
mod receipt_book;
mod refusal;
mod signed;
mod use_code;

pub use access::{Access, AccessError, AccessTerms, Comparison, Question, SignedAccess, Test, Warrant};
pub use anchored::{ANCHOR_MILLIS, Anchor, AnchorError, HalfStanding, ReceiptPath, half_standing};
pub use answer::{Answer, FieldValue};
pub use batch::{BATCH_RECEIPTS, Batch};
pub use commitment::{grant_commitment, grant_line, secret_digest, shown_commitment};
pub use grant::{GrantContent, GrantError, GrantTerms, Granted, GrantedKind, Secret};
pub use grant_line::GrantLine;
pub use grant_standing::GrantStanding;
pub use held::HeldGrant;
pub use held_receipt::{HeldReceipt, Use, UseError};
pub use identity::{Identity, IdentityError, NAMING, PREFIX as IDENTITY_PREFIX, Person};
pub use judge::{ACCESS_SECS, CitedRequest, Counter, Holder, Known, judge};
pub use mine::{HolderQuestion, HolderQuestionError, QUESTION_SECS, SignedHolderQuestion};
pub use miscount::{Miscount, miscounts};
pub use presented::{GrantFile, PresentedGrant, Withdrawal};
pub use receipt::{Receipt, ResultCode, SidedReceipt, Sides, record_digest, warrant_digest};
pub use refusal::AccessRefusal;
pub use signed::MemberSignature;
pub use use_code::{PREFIX as USE_CODE_PREFIX, UseCode, UseCodeError, UseTerms};
