//! How much one listener does at a time.

use serde::{Deserialize, Serialize};

/// Places in one question. Rule N-6.
pub const PLACES: usize = 4096;
/// What a line weighs among places: its path is hashed from a whole page.
pub const LINE_WEIGHT: usize = 16;
/// Bytes of an address with its query. Rule N-15.
pub const URL_BYTES: usize = 64_000;
/// Transactions in one batch. Rule N-14.
pub const BATCH_TRANSACTIONS: usize = 256;
/// Bytes of one batch. Rule N-14.
pub const BATCH_BYTES: usize = 8 * 1024 * 1024;
/// The longest a caller may ask to wait for an outcome, in milliseconds. Rule N-11.
pub const WAIT_MILLIS: u64 = 10_000;
/// Records in one view. Rule N-12.
pub const VIEW_RECORDS: u32 = 1000;

/// What each listener bounds; what is above is answered with 503 (rule N-16).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Connections open at once; further ones are closed before a byte is read.
    pub connections: usize,
    /// Requests in flight at once.
    pub requests: usize,
    /// Answers being computed at once.
    pub workers: usize,
    /// Answers waiting to be computed.
    pub queue: usize,
    /// How long one may wait there, in milliseconds.
    pub queue_millis: u64,
    /// Callers waiting for an outcome at once; further ones get the answer of the moment.
    pub waiters: usize,
    /// Subscribers that follow events at once.
    pub subscribers: usize,
    /// Batches being received at once.
    pub batches: usize,
    /// Memory for large answers on their way out, in KiB.
    pub outgoing_kib: u32,
    /// How long a request may take, in milliseconds: above `body_millis` and the 10 seconds
    /// it may ask to wait, together.
    pub request_millis: u64,
    /// How long a body may take to arrive, in milliseconds.
    pub body_millis: u64,
    /// How long a connection may take over a request's head, lie idle or take none of an answer,
    /// in milliseconds: above `request_millis`.
    pub quiet_millis: u64,
    /// How long open connections have to finish when the node stops, in milliseconds.
    pub closing_millis: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1024,
            requests: 512,
            workers: 4,
            queue: 128,
            queue_millis: 1000,
            waiters: 256,
            subscribers: 128,
            batches: 8,
            outgoing_kib: 128 * 1024,
            request_millis: 25_000,
            body_millis: 10_000,
            quiet_millis: 35_000,
            closing_millis: 5_000,
        }
    }
}
