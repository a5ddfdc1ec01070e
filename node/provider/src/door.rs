//! What commands ask the journal, whether the service runs or not.

use std::os::unix::net::UnixListener;

use anyhow::Result;
use fengni_client::clock;
use fengni_core::{Height, Millis};
use fengni_service::door::Alone;
use serde::{Deserialize, Serialize};

use crate::home::Home;
use crate::journal::{Erased, Journal, JournalError, Listed, YOUNG, before};

/// What is asked.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) enum Request {
    /// How it is.
    Status,
    /// The newest receipts, so many.
    Receipts(usize),
    /// That receipts about these subjects lead to nobody any more.
    Erase(Vec<String>),
}

/// What the running service says of itself.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Running {
    /// Height of what is known of the ledger.
    pub(crate) height: Option<Height>,
    /// Whether that is fresh enough for grants to count.
    pub(crate) fresh: bool,
    /// Why batches wait, if they do.
    pub(crate) waits: Option<String>,
    /// Whether the database answers.
    pub(crate) data: bool,
}

/// How the gateway is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Status {
    /// The service, where it runs.
    pub(crate) running: Option<Running>,
    /// Receipts in the journal.
    pub(crate) receipts: u64,
    /// Batches of them.
    pub(crate) batches: u64,
    /// Receipts in no anchored batch.
    pub(crate) waiting: u64,
}

/// A receipt in a list: who used what when, without the case.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) number: u64,
    pub(crate) time: Millis,
    pub(crate) requester: u32,
    pub(crate) request: u32,
    pub(crate) mode: String,
    pub(crate) basis: String,
    pub(crate) result: String,
    /// Whether the requester signed it as well; none where it was erased.
    pub(crate) two_sided: Option<bool>,
    /// Whether it stands on the ledger.
    pub(crate) anchored: bool,
}

/// What is answered.
#[derive(Serialize, Deserialize)]
pub(crate) enum Reply {
    Status(Status),
    Receipts(Vec<Row>),
    Erased(Erased),
    Failed(String),
}

/// Answers from the journal.
pub(crate) fn answer(
    journal: &Journal,
    request: &Request,
    running: impl FnOnce() -> Option<Running>,
) -> Result<Reply, JournalError> {
    let (batches, receipts) = journal.sizes()?;
    let waiting = journal.waiting()?;
    Ok(match request {
        Request::Status => Reply::Status(Status { running: running(), receipts, batches, waiting }),
        Request::Receipts(newest) => {
            let anchored = receipts.saturating_sub(waiting);
            let row = |Listed { number, trace, is_two_sided }: Listed| Row {
                number,
                time: trace.time,
                requester: trace.requester.0,
                request: trace.request.0,
                mode: trace.mode.word().to_owned(),
                basis: trace.basis.word().to_owned(),
                result: serde_json::to_value(trace.result).map(|result| word(&result)).unwrap_or_default(),
                two_sided: is_two_sided,
                anchored: number < anchored,
            };
            Reply::Receipts(journal.newest(*newest)?.into_iter().map(row).collect())
        }
        Request::Erase(subjects) => Reply::Erased(journal.erase(subjects, before(clock::now(), YOUNG))?),
    })
}

/// The word of a result as it is written in receipts: of a refusal that of the refusal.
fn word(result: &serde_json::Value) -> String {
    let refused = result.get("refused").unwrap_or(result);
    refused.as_str().unwrap_or_default().to_owned()
}

/// Asks the running service, or the journal where none runs.
pub(crate) fn ask(home: &Home, request: &Request) -> Result<Reply> {
    fengni_service::door::ask(&home.door(), request, || {
        let config = home.config()?;
        let owner = home.owner(&config, &home.genesis(&config)?)?;
        match home.journal(owner) {
            Ok(journal) => Ok(Alone::Answered(answer(&journal, request, || None)?)),
            Err(error @ JournalError::InUse) => Ok(Alone::InUse(error.into())),
            Err(error) => Err(error.into()),
        }
    })
}

/// Answers one command after the other, for as long as the process runs.
pub(crate) fn serve(listener: &UnixListener, journal: &Journal, running: &dyn Fn() -> Running) {
    fengni_service::door::serve(listener, |request: Option<Request>| match request {
        Some(request) => {
            let answered = answer(journal, &request, || Some(running()));
            answered.unwrap_or_else(|error| Reply::Failed(error.to_string()))
        }
        None => Reply::Failed("the running service does not understand; next: use the same version".to_owned()),
    });
}
