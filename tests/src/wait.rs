//! Waiting for conditions, never for time alone.

use std::time::{Duration, Instant};

/// How long a condition may take before a test says what it waited for.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(pub Duration);

impl Default for Deadline {
    /// Generous: the machine may be building something else.
    fn default() -> Self {
        Self(Duration::from_secs(90))
    }
}

/// Looks again and again until there is an answer.
///
/// # Panics
/// When there is none before the deadline.
pub fn until<T>(what: &str, deadline: Deadline, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < deadline.0, "{what}: not within {:?}", deadline.0);
        std::thread::sleep(Duration::from_millis(20));
    }
}
