//! Fetch and verify, issue, keep and show: the SDK that integrators use.
//!
//! ```no_run
//! use fengni_client::gateway::Gateway;
//! use fengni_client::ledger::Ledger;
//! use fengni_core::light::LightClient;
//! use fengni_client::transport::HttpOptions;
//! use fengni_client::verify::{Policy, Verifier};
//! use fengni_core::{MemberNumber, PurposeCode};
//! use fengni_genesis::Genesis;
//!
//! let genesis = Genesis::decode(&std::fs::read("pilot.genesis")?)?;
//! let gateway = Gateway::http(&["https://a.example", "https://b.example"], &HttpOptions::default())?;
//! let ledger = Ledger::new(LightClient::from_checkpoint(genesis.checkpoint()), gateway);
//! let policy = Policy { verifier: MemberNumber(7), purpose: PurposeCode(1), min_grade: None, min_assurance: None };
//! let checked = Verifier::new(ledger, policy).verify_picture(&std::fs::read("code.png")?, None)?;
//! assert!(checked.verdict.is_valid(), "{}", checked.verdict.reason.en);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! ```text
//! transport -> node -> gateway -+
//!                               +-> ledger -> verify, history, wallet, issue
//! genesis, checkpoint -> light -+      ^
//!                        keys -> submit
//! ```
//!
//! Invariants, each owned by a test:
//!
//! - No node is believed: whatever is returned is proven by a quorum, or is a node's own words and
//!   says so.
//! - A light client never goes back behind the newest header it has seen (VER-07).
//! - No failure to check is shown as valid, nor as forged (VER-01).
//! - Salts and signed seals are durable before the ledger hears of them, and a second run of the
//!   same file adds nothing (CRT-02).
//! - No message and no `Debug` output repeats what a certificate says, or any secret.

#![forbid(unsafe_code)]

pub mod agreement;
pub mod application;
pub mod assurance;
pub mod audit;
pub mod authority;
pub mod case;
pub mod challenge;
pub mod checkpoints;
pub mod clock;
pub mod decision;
pub mod events;
pub mod founding;
pub mod gateway;
pub mod governance;
mod handovers;
pub mod history;
pub mod issue;
pub mod ledger;
pub mod light;
mod lines;
pub mod node;
pub mod offence;
pub mod order;
mod patience;
pub mod picture;
pub mod problem;
pub mod receipt;
pub mod report;
pub mod revocation;
pub mod rotation;
pub mod sharing;
pub mod standing;
pub mod submit;
pub mod transport;
pub mod trust;
pub mod verify;
pub mod wallet;

use fengni_signer::files as disk;
pub use fengni_signer::{self as keys, FileError, random};
