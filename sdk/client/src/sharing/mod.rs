//! Data sharing: what requesters, providers and holders do with it beside the ledger.
//!
//! ```text
//! grant      a department asks, a holder signs, a line stands on the ledger, the holder withdraws
//! needs      what an item needs, and what of it somebody has
//! use_code   at a counter a holder agrees to one use, without a line on the ledger
//! requester  asks a provider's gateway, takes the answer, signs for it
//! receipts   who used what, and whether a half that somebody has is anchored
//! ```

pub mod grant;
pub mod needs;
pub mod provider;
mod reader;
pub mod receipts;
pub mod requester;
pub mod sealed;
pub mod use_code;
pub mod wire;
