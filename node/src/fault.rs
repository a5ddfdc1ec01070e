//! Faults: a promise of our own is broken, so the process ends.
//!
//! Restarting from durable state is the safe path; going on with a guess is not.

/// Logs what is broken and ends the process.
pub fn stop(what: &str, why: impl std::fmt::Display) -> ! {
    tracing::error!(what, %why, "fault: the node stops; its durable state is intact up to the last final block");
    std::process::exit(1)
}
