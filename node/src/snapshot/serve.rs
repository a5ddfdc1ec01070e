//! Serving snapshots: one copy of the store at a time, read in small parts, one question after another.
//!
//! A copy is made when a node asks to open one, and used again while it is young; it is deleted when
//! nobody has asked for minutes, and at every start. Questions of all peers are answered by one task
//! at a bounded rate, so that however many join, the node's own work goes on.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use fengni_core::{CommitCertificate, Domain, Header, Height, codec};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use super::{Answer, PART_BYTES, QUESTION_BYTES, Question};
use crate::ledger::Ledger;
use crate::network::{Mesh, TxQuestion};
use crate::store::{Store, copy};

/// A copy this many heights behind is used again.
const YOUNG: u64 = 256;
/// Nor is one replaced that somebody read from this shortly before.
const IN_USE: Duration = Duration::from_secs(30);
/// A copy that nobody reads for this long is deleted.
const UNUSED: Duration = Duration::from_secs(300);
/// How often that is looked at.
const WATCH: Duration = Duration::from_secs(30);
/// Bytes a second, over all peers.
const RATE: u64 = 64 * 1024 * 1024;

/// Starts to answer the questions of nodes that join. Ends with the mesh.
///
/// - `data`: the node's data folder, in which copies stand.
pub fn start(ledger: Arc<Ledger>, mesh: Mesh, questions: mpsc::Receiver<TxQuestion>, data: &Path) -> JoinHandle<()> {
    let folder = data.join("snapshots");
    if let Err(error) = copy::remove(&folder) {
        tracing::warn!(%error, "old snapshots cannot be deleted");
    }
    let server = Server { ledger, folder, held: None };
    tokio::spawn(server.run(mesh, questions))
}

/// A copy to read from.
struct Held {
    folder: PathBuf,
    store: Arc<Store>,
    header: Header,
    certificate: CommitCertificate,
    used: Instant,
}

struct Server {
    ledger: Arc<Ledger>,
    folder: PathBuf,
    held: Option<Held>,
}

impl Server {
    async fn run(mut self, mesh: Mesh, mut questions: mpsc::Receiver<TxQuestion>) {
        let mut clock = interval(WATCH);
        clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                question = questions.recv() => {
                    let Some(TxQuestion { id, bytes, .. }) = question else { break };
                    let answer = match codec::decode(&bytes, QUESTION_BYTES) {
                        Ok(question) => codec::encode(&self.answer(question).await),
                        Err(_) => {
                            mesh.forget(id).await;
                            continue;
                        }
                    };
                    let length = answer.len() as u64;
                    mesh.answer(id, Bytes::from(answer)).await;
                    sleep(Duration::from_micros(length * 1_000_000 / RATE)).await;
                }
                _ = clock.tick() => if self.held.as_ref().is_some_and(|held| held.used.elapsed() > UNUSED) {
                    self.drop_held();
                },
            }
        }
        self.drop_held();
    }

    async fn answer(&mut self, question: Question) -> Answer {
        match question {
            Question::Tip => Answer::Tip(*self.ledger.heights().borrow()),
            Question::Handovers { since } => {
                let ledger = self.ledger.clone();
                spawn_blocking(move || ledger.handovers(since)).await.map_or(Answer::Busy, Answer::Handovers)
            }
            Question::Open => self.open().await,
            Question::Part { height, part, after } => {
                let Some(held) = self.held.as_mut().filter(|held| held.header.height == height) else {
                    return Answer::Gone;
                };
                held.used = Instant::now();
                let store = held.store.clone();
                let read = spawn_blocking(move || store.entries_after(part, &after.0, PART_BYTES)).await;
                read.map_or(Answer::Busy, |(entries, more)| Answer::Part { entries, more })
            }
        }
    }

    async fn open(&mut self) -> Answer {
        let last = *self.ledger.heights().borrow();
        if last == Height(0) || self.ledger.damage().is_some() {
            return Answer::Gone;
        }
        let serves = |held: &Held| held.header.height.0 + YOUNG >= last.0 || held.used.elapsed() < IN_USE;
        if !self.held.as_ref().is_some_and(serves) {
            self.drop_held();
            let (ledger, folder) = (self.ledger.clone(), self.folder.clone());
            match spawn_blocking(move || make(&ledger, &folder, last)).await {
                Ok(Ok(held)) => self.held = Some(held),
                Ok(Err(error)) => {
                    tracing::warn!(%error, "no snapshot can be made");
                    return Answer::Busy;
                }
                Err(_) => return Answer::Busy,
            }
        }
        let Some(held) = &mut self.held else { return Answer::Busy };
        held.used = Instant::now();
        Answer::Opened { header: Box::new(held.header.clone()), certificate: held.certificate.clone() }
    }

    fn drop_held(&mut self) {
        let Some(held) = self.held.take() else { return };
        let folder = held.folder.clone();
        drop(held);
        match copy::remove(&folder) {
            Ok(()) => tracing::info!("a snapshot that nobody reads is deleted"),
            Err(error) => tracing::warn!(%error, "a snapshot cannot be deleted"),
        }
    }
}

fn make(ledger: &Ledger, folder: &Path, last: Height) -> anyhow::Result<Held> {
    let domain: Domain = *ledger.domain();
    let folder = folder.join(last.to_string());
    copy::remove(&folder)?;
    std::fs::create_dir_all(folder.parent().unwrap_or(Path::new(".")))?;
    ledger.store().copy_to(&folder)?;
    let store = Store::open_copy(&folder, &domain)?;
    // The ledger may have gone on since: the copy says what it is of.
    let height = store.last_height();
    let missing = || anyhow::anyhow!("the copy lacks its last block");
    let header = store.header(height).ok_or_else(missing)?;
    let certificate = store.finality(height).ok_or_else(missing)?.certificate;
    tracing::info!(%height, "a snapshot is made for a node that joins");
    Ok(Held { folder, store: Arc::new(store), header, certificate, used: Instant::now() })
}
