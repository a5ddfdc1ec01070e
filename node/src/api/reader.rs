//! What every reading handler has at hand: the source and places to work.

use std::sync::Arc;

use fengni_core::Height;
use tokio::sync::watch;

use super::answer::Answer;
use super::limits::Limits;
use super::problem::ApiError;
use super::source::Source;
use super::work::Work;
use crate::ledger::FinalState;

/// The source behind a listener, and the listener's places to work.
#[derive(Clone)]
pub(crate) struct Reader {
    pub(crate) source: Arc<dyn Source>,
    pub(crate) work: Work,
    /// Turns true when the node stops: whoever streams ends then.
    pub(crate) stopped: watch::Receiver<bool>,
}

impl Reader {
    /// A reader with places of its own.
    pub(crate) fn new(source: Arc<dyn Source>, limits: &Limits, stopped: watch::Receiver<bool>) -> Self {
        Self { source, work: Work::new(limits), stopped }
    }

    /// Rule N-4: the state at a height, or the newest.
    ///
    /// # Errors
    /// [`ApiError::NoBlock`], [`ApiError::HeightAhead`] and [`ApiError::HeightGone`].
    pub(crate) fn state_at(&self, height: Option<u64>) -> Result<Arc<FinalState>, ApiError> {
        let newest = self.source.latest().ok_or(ApiError::NoBlock)?;
        let Some(height) = height.map(Height) else { return Ok(newest) };
        self.source.at(height).ok_or_else(|| absent(height, newest.header.height))
    }

    /// Answers from a state, on a blocking thread.
    ///
    /// # Errors
    /// As [`Reader::state_at`], [`Work::answer`] and the job's own.
    pub(crate) async fn answer(
        &self,
        height: Option<u64>,
        job: impl FnOnce(&dyn Source, &FinalState) -> Result<Answer, ApiError> + Send + 'static,
    ) -> Result<Answer, ApiError> {
        let at = self.state_at(height)?;
        let source = Arc::clone(&self.source);
        self.work.answer(move || Ok(job(&*source, &at)?.of(at.header.height))).await
    }
}

/// Why there is nothing at a height.
pub(crate) fn absent(height: Height, newest: Height) -> ApiError {
    if height > newest { ApiError::HeightAhead { height, newest } } else { ApiError::HeightGone { height, newest } }
}
