//! How a network begins: the founding document.
//!
//! People write it in TOML or JSON, with names instead of numbers. It is read, checked as a whole
//! with every problem reported at its line, and becomes one canonical byte string, whose digest
//! is the identity of the network. One byte changed is another network (GOV-02).
//!
//! ```text
//! text --parse--> Document --check--> Genesis --encode--> bytes --digest--> network id
//!                     ^                  |  ^                |
//!                     +--to_document-----+  +-----decode-----+
//! ```
//!
//! ```
//! use fengni_core::Millis;
//! use fengni_genesis::{Document, Format, Genesis, sample};
//!
//! let text = sample::network(Millis(1_767_196_800_000), &sample::test_key).to_toml();
//! let genesis = Document::parse(&text, Format::Toml)?.check()?;
//! let again = Genesis::decode(&genesis.encode()).expect("its own bytes");
//! assert_eq!(again.network(), genesis.network());
//! # Ok::<(), fengni_genesis::Problems>(())
//! ```
//!
//! Rules G-1 to G-13: `sdk/spec/genesis.md`.

#![forbid(unsafe_code)]

mod caution;
mod contents;
mod describe;
mod document;
mod founded;
mod founding;
mod parse;
mod problem;
mod registration;
mod resolve;
mod rules;
pub mod sample;
mod source;
mod write;

pub use contents::{Contents, FOUNDING_BYTES, Genesis, GenesisError};
pub use document::{
    ActsEntry, AgreementEntry, AuthorityEntry, ClaimEntry, DerivedEntry, Document, KeyEntry, MemberEntry, NetworkEntry,
    ParametersEntry, RecoveryEntry, TypeEntry, ValidatorEntry, VotingEntry, WeightsEntry,
};
pub use parse::{DOCUMENT_BYTES, Format};
pub use problem::{Problem, Problems};
pub use registration::read_type;
