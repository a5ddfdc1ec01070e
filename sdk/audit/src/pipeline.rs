//! Blocks from a source to their turn: fetched by one thread, checked ahead by as many as there are
//! cores, taken in order by the caller.
//!
//! ```text
//! source -> queue of places, in order ----------------> take
//!        \> queue of work -> prepare, prepare, ... ----^
//! ```

use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use fengni_core::export::ExportedBlock;

use crate::ahead::Prepared;
use crate::source::{Source, SourceError};

/// Blocks on the way at most: they bound the memory, whatever the length of the ledger.
const AHEAD: usize = 16;

/// A block to prepare, and where its result is awaited.
type Work = (ExportedBlock, SyncSender<Prepared>);

/// Takes the blocks of a source one after the other, each prepared, until there is none or `take`
/// breaks.
///
/// # Errors
/// Those of the source, at their place in the order.
pub(crate) fn run<T>(
    mut source: impl Source,
    prepare: impl Fn(ExportedBlock) -> Prepared + Sync,
    mut take: impl FnMut(Prepared) -> ControlFlow<T>,
) -> Result<Option<T>, SourceError> {
    let (places, order) = sync_channel::<Result<Receiver<Prepared>, SourceError>>(AHEAD);
    let (work, waiting) = sync_channel::<Work>(AHEAD);
    let waiting = Mutex::new(waiting);
    thread::scope(|scope| {
        // Taken along: where the taking stops, the places close, and with them the fetching and the work.
        let order = order;
        scope.spawn(move || {
            loop {
                let place = match source.next() {
                    Ok(None) => return,
                    Ok(Some(block)) => {
                        let (done, result) = sync_channel(1);
                        if work.send((block, done)).is_err() {
                            return;
                        }
                        Ok(result)
                    }
                    Err(error) => Err(error),
                };
                let failed = place.is_err();
                if places.send(place).is_err() || failed {
                    return;
                }
            }
        });
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some((block, done)) = next(&waiting) {
                    // Nobody waits any more where the taking has stopped.
                    let _ = done.send(prepare(block));
                }
            });
        }
        for place in &order {
            // A worker that panicked ends the scope with its panic.
            let Ok(prepared) = place?.recv() else { break };
            if let ControlFlow::Break(stopped) = take(prepared) {
                return Ok(Some(stopped));
            }
        }
        Ok(None)
    })
}

fn next(waiting: &Mutex<Receiver<Work>>) -> Option<Work> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}
