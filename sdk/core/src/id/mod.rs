//! Identifiers: codes of people, bodies, places and certificates, each with its check character.
//!
//! A mistyped code must never reach a register, so every code has one door, `parse`, and
//! afterwards the type is the evidence. One spelling per code: capitals, half-width, no spaces.
//! Rules ID-1 to ID-12: `sdk/spec/identifiers.md`.
//!
//! ```text
//! 1.2.156.3005.2 . 11100000XN0000012G001 . 11319900XN0100021G . 20260302000000000001 . 001 . N
//! OID              TypeCode                CreditCode (issuer)  Serial                 Version
//!                  CreditCode + 3 digits   holds a Division and an OrganisationCode
//! ```

mod certificate;
pub mod check;
mod classify;
mod credit;
mod division;
mod error;
mod import;
mod organisation;
mod resident;
mod text;
mod type_code;

pub use certificate::{CertificateId, OID, SERIAL_LEN_MAX, Serial, VERSION_MAX, Version, serial_contains_person};
pub use classify::{Kind, classify};
pub use credit::CreditCode;
pub use division::Division;
pub use error::{IdError, Part};
pub use import::{ImportedId, NonconformingId};
pub use organisation::OrganisationCode;
pub use resident::{BIRTH_YEAR_MAX, BIRTH_YEAR_MIN, ResidentNumber};
pub use type_code::TypeCode;
