//! Work: what may take milliseconds runs on blocking threads, a few at a time, and what does not
//! fit is refused at once (SEC-13). A refusal is a 503, never a guess. Rule N-16.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::answer::Answer;
use super::limits::Limits;
use super::problem::ApiError;

/// Answers larger than this count against the memory for answers on their way out.
const SMALL_BYTES: usize = 64 * 1024;

/// A listener's places to work and to wait.
#[derive(Clone)]
pub(crate) struct Work {
    running: Arc<Semaphore>,
    queue: Arc<Semaphore>,
    patience: Duration,
    outgoing: Arc<Semaphore>,
    waiters: Arc<Semaphore>,
    subscribers: Arc<Semaphore>,
}

impl Work {
    /// Places as the limits say.
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            running: Arc::new(Semaphore::new(limits.workers)),
            queue: Arc::new(Semaphore::new(limits.queue)),
            patience: Duration::from_millis(limits.queue_millis),
            outgoing: Arc::new(Semaphore::new(usize::try_from(limits.outgoing_kib).unwrap_or(usize::MAX >> 3))),
            waiters: Arc::new(Semaphore::new(limits.waiters)),
            subscribers: Arc::new(Semaphore::new(limits.subscribers)),
        }
    }

    /// Runs `job` on a blocking thread.
    ///
    /// # Errors
    /// [`ApiError::Overloaded`] when there is no place for it, [`ApiError::Fault`] when it panics.
    pub(crate) async fn run<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Result<T, ApiError> {
        let running = self.permit().await?;
        let done = spawn_blocking(move || {
            // The place is free when the job ends, not when its caller stops listening.
            let _running = running;
            job()
        });
        done.await.map_err(|error| {
            tracing::error!(panicked = error.is_panic(), "a job of the HTTP side failed");
            ApiError::Fault
        })
    }

    /// Runs `job`, and finds room for its answer until it is sent.
    ///
    /// # Errors
    /// As [`Work::run`], and the job's own.
    pub(crate) async fn answer(
        &self,
        job: impl FnOnce() -> Result<Answer, ApiError> + Send + 'static,
    ) -> Result<Answer, ApiError> {
        let answer = self.run(job).await??;
        if answer.len() <= SMALL_BYTES {
            return Ok(answer);
        }
        let kib = u32::try_from(answer.len() / 1024).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.outgoing).try_acquire_many_owned(kib).map_err(|_| ApiError::Overloaded)?;
        Ok(answer.holding(Some(room)))
    }

    async fn permit(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        let _queued = self.queue.try_acquire().map_err(|_| ApiError::Overloaded)?;
        let permit = timeout(self.patience, Arc::clone(&self.running).acquire_owned()).await;
        permit.ok().and_then(Result::ok).ok_or(ApiError::Overloaded)
    }

    /// A seat for a subscriber, if one is free.
    pub(crate) fn subscriber(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.subscribers).try_acquire_owned().ok()
    }

    /// A seat for a caller who waits for an outcome, if one is free.
    pub(crate) fn seat(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.waiters).try_acquire_owned().ok()
    }
}
