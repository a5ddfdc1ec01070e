//! Data sharing: what requesters, providers and holders do with it beside the ledger.

pub mod sealed;
pub mod wire;
