//! Patience: waiting a little for nodes that are a block behind, or busy.

use std::time::Duration;

use crate::gateway::{NodeTrouble, Trouble};
use crate::ledger::LedgerError;

const PAUSE: Duration = Duration::from_millis(100);

/// How often is waited, in all.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience(pub(crate) usize);

impl Patience {
    /// Asks, and again where a node is behind or busy, as long as patience is left.
    pub(crate) fn ask<T>(&mut self, mut question: impl FnMut() -> Result<T, LedgerError>) -> Result<T, LedgerError> {
        loop {
            match question() {
                Err(error) if self.waits(&error) => (),
                answer => return answer,
            }
        }
    }

    /// Waits where there is reason to, and patience left: then it is worth asking again.
    pub(crate) fn waits(&mut self, error: &LedgerError) -> bool {
        let LedgerError::Gateway(error) = error else { return false };
        let passing = |found: &NodeTrouble| match &found.trouble {
            Trouble::Refused(problem) => problem.is_passing() || problem.is_about("height-not-reached"),
            _ => false,
        };
        if self.0 == 0 || !error.troubles.iter().any(passing) {
            return false;
        }
        self.0 -= 1;
        std::thread::sleep(PAUSE);
        true
    }
}
