//! The node's clock: the one place that asks the operating system for the time.

use std::time::{SystemTime, UNIX_EPOCH};

use fengni_core::Millis;

/// Milliseconds since 1970; 0 on a machine whose clock stands before that.
pub fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
