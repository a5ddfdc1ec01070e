//! The core for browsers and Node: the same verifier, wallet and proofs, behind a thin surface.
//!
//! ```text
//! text + proof -> Verifier -> verdict, as JSON        the page fetches, this decides
//! proof        -> Register -> entries, as JSON        members, books, pages, blocks for people
//! wallet + key -> Wallet   -> text of a code -> qr    the demo of a holder's phone
//! receipts + proof -> Wallet -> what they are worth, as JSON
//! ```
//!
//! Nothing here knows a network or a clock: bytes and times are arguments. Answers are JSON texts of
//! the forms in `sdk/wasm/package/index.d.ts`; what is wrong with an argument is thrown as an error.

mod answer;
#[cfg(feature = "wallet")]
mod evidence;
#[cfg(feature = "wallet")]
mod granted;
#[cfg(feature = "verifier")]
mod identifier;
mod kept;
#[cfg(feature = "verifier")]
mod keys;
#[cfg(feature = "wallet")]
mod mine;
#[cfg(feature = "verifier")]
mod offline;
#[cfg(any(feature = "verifier", feature = "register"))]
mod proven;
#[cfg(feature = "wallet")]
mod qr;
#[cfg(feature = "verifier")]
mod question;
#[cfg(feature = "register")]
mod register;
#[cfg(any(feature = "verifier", feature = "register"))]
mod trust;
#[cfg(feature = "verifier")]
mod verifier;
#[cfg(feature = "wallet")]
mod wallet;

#[cfg(feature = "wallet")]
pub use evidence::Evidence;
#[cfg(feature = "verifier")]
pub use identifier::check_identifier;
#[cfg(feature = "verifier")]
pub use keys::verify_signature;
#[cfg(feature = "wallet")]
pub use qr::qr;
#[cfg(feature = "register")]
pub use register::Register;
#[cfg(feature = "verifier")]
pub use verifier::Verifier;
#[cfg(feature = "wallet")]
pub use wallet::Wallet;
