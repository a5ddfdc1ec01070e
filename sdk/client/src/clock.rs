//! The clock: the one place of this crate that asks the system for the time.

use std::time::{SystemTime, UNIX_EPOCH};

use fengni_core::Millis;

/// The moment it is now. A clock set before 1970 reads as 1970.
pub fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
