//! The writer: one thread that writes what many accesses bring in one durable step.
//!
//! A step waits for the disk once, however many accesses are in it; those that come meanwhile are in
//! the next.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use fengni_core::Millis;
use fengni_core::sharing::{MemberSignature, Receipt};
use tokio::sync::oneshot;

use super::{Entry, Journal, JournalError, Written};
use crate::REQUESTS;

/// Accesses in one step.
const STEP: usize = 256;

type Told<T> = oneshot::Sender<Result<T, Arc<JournalError>>>;
type Sign = Box<dyn Fn(&Receipt) -> Result<MemberSignature, String> + Send>;
type Clock = Arc<dyn Fn() -> Millis + Send + Sync>;

enum Job {
    Write(Entry, Told<Written>),
    Countersign(Vec<(u64, MemberSignature)>, Told<()>),
}

/// The way to the thread.
#[derive(Clone)]
pub(crate) struct Writer {
    jobs: SyncSender<Job>,
}

impl Writer {
    /// Starts the thread; it ends with the last writer.
    ///
    /// - `clock`: says a receipt's time as it is written, so that none waits for its batch since before.
    pub(crate) fn start(journal: Arc<Journal>, clock: Clock, sign: Sign) -> Self {
        let (jobs, todo) = sync_channel(REQUESTS);
        std::thread::spawn(move || run(&journal, &todo, &clock, &sign));
        Self { jobs }
    }

    /// Writes an access; it is on the disk when this returns.
    ///
    /// # Errors
    /// [`JournalError`].
    pub(crate) async fn write(&self, entry: Entry) -> Result<Written, Arc<JournalError>> {
        self.ask(|told| Job::Write(entry, told)).await
    }

    /// Takes requesters' signatures, as [`Journal::countersign`] does.
    ///
    /// # Errors
    /// [`JournalError`].
    pub(crate) async fn countersign(&self, taken: Vec<(u64, MemberSignature)>) -> Result<(), Arc<JournalError>> {
        self.ask(|told| Job::Countersign(taken, told)).await
    }

    async fn ask<T>(&self, job: impl FnOnce(Told<T>) -> Job) -> Result<T, Arc<JournalError>> {
        let (told, answer) = oneshot::channel();
        // Requests in flight are bounded at the door, and there is room for as many; those that nobody waits
        // for any more may be in it as well.
        self.jobs.try_send(job(told)).map_err(|error| match error {
            TrySendError::Full(_) => JournalError::Busy,
            TrySendError::Disconnected(_) => JournalError::Closed,
        })?;
        answer.await.unwrap_or_else(|_| Err(Arc::new(JournalError::Closed)))
    }
}

fn run(journal: &Journal, todo: &Receiver<Job>, clock: &Clock, sign: &Sign) {
    while let Ok(first) = todo.recv() {
        let (mut entries, mut told) = (Vec::new(), Vec::new());
        let (mut taken, mut told_taken) = (Vec::new(), Vec::new());
        for job in std::iter::once(first).chain(todo.try_iter()).take(STEP) {
            match job {
                Job::Write(entry, tell) => {
                    entries.push(entry);
                    told.push(tell);
                }
                Job::Countersign(signatures, tell) => {
                    taken.extend(signatures);
                    told_taken.push(tell);
                }
            }
        }
        if !entries.is_empty() {
            tell_all(told, journal.write(entries, clock(), sign.as_ref()));
        }
        if !taken.is_empty() {
            let done = journal.countersign(&taken);
            let each = done.map(|()| vec![(); told_taken.len()]);
            tell_all(told_taken, each);
        }
    }
}

/// Tells everybody who waited; one who went away is its own affair.
fn tell_all<T>(told: Vec<Told<T>>, done: Result<Vec<T>, JournalError>) {
    match done {
        Ok(done) => told.into_iter().zip(done).for_each(|(tell, done)| drop(tell.send(Ok(done)))),
        Err(error) => {
            let error = Arc::new(error);
            told.into_iter().for_each(|tell| drop(tell.send(Err(Arc::clone(&error)))));
        }
    }
}
