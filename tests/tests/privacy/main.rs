//! No byte on the ledger, in a log line or in a metric is personal data: CAT-03, SHR-15, invariant 1.
//!
//! The stories are told, and careless callers send people's data to every listener. Then every file of
//! every node and gateway, every entry of a database and every metric is searched for every field, in
//! every form it could have: as it is, in another encoding, or under a hash without a salt.
//!
//! Messages of these tests name a field and a form, never the data.

#![forbid(unsafe_code)]

mod certificates;
mod planted;
mod search;
mod sharing;
