//! Progress: what a program shows while many certificates are on their way.

/// What is being done.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Step {
    /// Finishing what an earlier run left open, counted in seals.
    Resuming,
    /// Drawing salts and writing certificates to the archive, counted in certificates.
    Preparing,
    /// Waiting for the ledger, counted in certificates.
    Sealing,
    /// Writing certificate files.
    Delivering,
}

/// Told how far the work is. `()` does not care.
pub trait Progress {
    /// `done` of `total` are done with a step.
    fn step(&mut self, step: Step, done: u64, total: u64);
}

impl Progress for () {
    fn step(&mut self, _: Step, _: u64, _: u64) {}
}
