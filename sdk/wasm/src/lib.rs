//! The core for browsers and Node: the same verifier, wallet and proofs, behind a thin surface.
//!
//! ```text
//! text + proof -> Verifier -> verdict, as JSON        the page fetches, this decides
//! wallet + key -> Wallet   -> text of a code -> qr    the demo of a holder's phone
//! ```
//!
//! Nothing here knows a network or a clock: bytes and times are arguments. Answers are JSON texts of
//! the forms in `sdk/wasm/package/index.d.ts`; what is wrong with an argument is thrown as an error.

mod answer;
mod checkpoint;
mod identifier;
mod keys;
mod offline;
mod proven;
mod qr;
mod question;
mod verifier;
mod wallet;

pub use checkpoint::Checkpoint;
pub use identifier::check_identifier;
pub use keys::verify_signature;
pub use qr::qr;
pub use verifier::Verifier;
pub use wallet::Wallet;
