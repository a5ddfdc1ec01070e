//! What is said where nodes answered and nothing they gave holds: neither yes nor no.

use anyhow::Result;
use fengni_client::gateway::Trouble;
use fengni_client::ledger::LedgerError;
use serde_json::json;

use crate::ending::Ending;
use crate::output::Output;

/// Undecided, where some node answered or the network is not the one that is trusted; else the error, for
/// a command that could not run.
///
/// # Errors
/// The error, where nobody answered.
pub(crate) fn undecided(error: anyhow::Error, output: Output) -> Result<Ending> {
    let answered = match error.downcast_ref() {
        Some(LedgerError::Gateway(error)) => {
            error.troubles.iter().any(|found| !matches!(found.trouble, Trouble::Unreachable(_)))
        }
        Some(LedgerError::Light(_) | LedgerError::Proof(_)) => true,
        None => false,
    };
    if !answered {
        return Err(error);
    }
    let reason = format!("{error:#}");
    output.answer(&json!({ "result": "undecided", "complete": false, "reason": reason }), || {
        format!("undecided: no gateway gives what holds: {reason}\nnext: ask another gateway, and report one whose answers do not hold")
    });
    Ok(Ending::Undecided)
}
