//! Blocks of a stopped node's store, out as a stream and in from one. Rules J-1 to J-5:
//! `sdk/spec/exports.md`.
//!
//! What comes in is checked and executed block by block, as a node does that follows its peers, so
//! that a node without peers gets its ledger from a file and believes nobody.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use bytes::Bytes;
use fengni_core::export::{BlockReader, BlockWriter, ExportedBlock};
use fengni_core::{Block, CommitCertificate, Domain, Height};
use fengni_state::recovery_of;

use crate::disk;
use crate::engine::{Chain as _, Followed};
use crate::ledger::Ledger;
use crate::pool::PoolLimits;
use crate::run::{Files, stopped_store};
use crate::store::{Store, copy};
use crate::upkeep;

/// Blocks that are made durable by one wait for the disk.
const BATCH: usize = 64;
/// Bytes of them, after which a batch ends early.
const BATCH_BYTES: usize = 16 * 1024 * 1024;
/// How often whoever waits hears of it.
const NEWS: Duration = Duration::from_secs(5);

/// Writes the blocks of a stopped node into a new file, or to standard output for `-`; what was done,
/// in words.
///
/// - `from`, `to`: the first and last height; else the oldest kept and the newest.
///
/// # Errors
/// Wrong files, a node that runs, heights that the store does not have, or the disk.
pub fn export(home: &Path, out: &str, from: Option<u64>, to: Option<u64>) -> anyhow::Result<String> {
    let domain = Files::load(home)?.domain;
    let store = stopped_store(home)?;
    let (kept, newest) = (store.kept_from(), store.last_height());
    let (first, last) = (from.map_or(kept, Height), to.map_or(newest, Height));
    anyhow::ensure!(
        kept <= first && first <= last && last <= newest,
        "blocks {first} to {last} are not all here, the store has {kept} to {newest}; next: name heights within, or \
         export an archive's"
    );
    if out == "-" {
        write(&store, domain, first, last, io::stdout().lock())?;
        return Ok(format!("blocks {first} to {last} written"));
    }
    let file = OpenOptions::new().write(true).create_new(true).open(out);
    let file = file.with_context(|| format!("{out} cannot be made; next: name a file that is not there yet"))?;
    let written = write(&store, domain, first, last, &file).and_then(|()| {
        file.sync_all()?;
        check(out, last)
    });
    if written.is_err() {
        // Half a stream is of no use.
        let _ = fs::remove_file(out);
    }
    written?;
    Ok(format!("blocks {first} to {last} in {out}, read again whole"))
}

fn write(store: &Store, domain: Domain, first: Height, last: Height, out: impl Write) -> anyhow::Result<()> {
    let mut writer = BlockWriter::begin(BufWriter::with_capacity(1 << 18, out), domain, first)?;
    let since = Height(first.0 - 1);
    let mut handovers = store.handovers(since).peekable();
    let mut recoveries = store.recoveries(since).peekable();
    let mut news = News::begin("exported");
    for height in (first.0..=last.0).map(Height) {
        let here = store.body(height).zip(store.finality(height));
        let (body, finality) = here.with_context(|| format!("block {height} is missing; next: fengni-node doctor"))?;
        let next = handovers.next_if(|(at, _)| *at == height).map(|(_, next)| next);
        let terms = recoveries.next_if(|(at, ..)| *at == height).map(|(_, terms, _)| terms);
        let block = fengni_core::bytes::Bytes(body);
        writer.write(&ExportedBlock { height, certificate: finality.certificate, next, terms, block })?;
        news.tell(height);
    }
    writer.finish()?;
    Ok(())
}

/// Reads a stream that was written from its beginning to its end mark.
fn check(file: &str, last: Height) -> anyhow::Result<()> {
    let mut reader = open(file)?;
    while reader.read().with_context(|| format!("{file} was written and does not hold"))?.is_some() {}
    anyhow::ensure!(reader.next() == last.next(), "{file} was written and ends before block {}", reader.next());
    Ok(())
}

fn open(file: &str) -> anyhow::Result<BlockReader<Box<dyn Read>>> {
    let input: Box<dyn Read> = if file == "-" {
        Box::new(BufReader::with_capacity(1 << 18, io::stdin().lock()))
    } else {
        Box::new(BufReader::with_capacity(1 << 18, File::open(file).with_context(|| file.to_owned())?))
    };
    BlockReader::open(input).with_context(|| file.to_owned())
}

/// Brings the blocks of a stream, or of standard input for `-`, into the store of a stopped node;
/// what was done, in words.
///
/// A validator whose record of signed votes is not on this machine is marked first: it follows
/// without voting until the network has gone on, as `engine/quiet.rs` says. One that has its record
/// is kept from signing twice by that.
///
/// # Errors
/// Wrong files, a node that runs, a stream that does not follow on the store's last block, or a block
/// that does not hold: those before it are in the store.
pub fn import(home: &Path, file: &str) -> anyhow::Result<String> {
    let files = Files::load(home)?;
    let data = &files.config.data;
    fs::create_dir_all(data).with_context(|| format!("data: cannot make {}", data.display()))?;
    copy::settle(data).with_context(|| format!("data: {}", data.display()))?;
    let mut reader = open(file)?;
    anyhow::ensure!(
        *reader.domain() == files.domain,
        "the blocks are of network {}, this node is of {}; next: take its own",
        reader.domain().network,
        files.domain.network
    );
    let store = Store::open(&copy::place(data), &files.domain).context("next: stop the node first, if it runs")?;
    let begun = store.last_height();
    anyhow::ensure!(
        reader.first() <= begun.next(),
        "the stream begins with block {}, this node needs {}; next: bring a stream that begins there or before",
        reader.first(),
        begun.next()
    );
    upkeep::quieten(&files)?;
    let ledger = Ledger::open(store, files.domain, files.genesis.founding(), None, PoolLimits::default())?;
    ledger.give(files.given);
    let mut news = News::begin("imported");
    loop {
        if let Some(trouble) = disk::too_full(data) {
            anyhow::bail!(trouble);
        }
        let (batch, end) = read_batch(&mut reader, ledger.store(), begun);
        if !batch.is_empty() {
            follow(&ledger, batch)?;
            news.tell(ledger.last_final());
        }
        // What the stream holds is taken before its end is spoken of.
        if end.with_context(|| format!("{file}, after block {}", ledger.last_final()))? {
            break;
        }
    }
    let last = ledger.last_final();
    Ok(format!("blocks {} to {last} are in the store, state root {}", begun.next(), ledger.state().root()))
}

type Batch = Vec<(Bytes, CommitCertificate)>;

/// The next blocks above the store's, and whether the stream ends with them.
fn read_batch<R: Read>(reader: &mut BlockReader<R>, store: &Store, begun: Height) -> (Batch, anyhow::Result<bool>) {
    let (mut batch, mut bytes) = (Batch::new(), 0);
    while batch.len() < BATCH && bytes < BATCH_BYTES {
        match reader.read() {
            Ok(None) => return (batch, Ok(true)),
            Ok(Some(block)) if block.height <= begun => {
                if let Err(error) = is_known(store, &block) {
                    return (batch, Err(error));
                }
            }
            Ok(Some(block)) => {
                bytes += block.block.0.len();
                batch.push((Bytes::from(block.block.0), block.certificate));
            }
            Err(error) => return (batch, Err(error.into())),
        }
    }
    (batch, Ok(false))
}

/// Whether a block that the store has is the stream's.
fn is_known(store: &Store, block: &ExportedBlock) -> anyhow::Result<()> {
    let Some(header) = store.header(block.height) else { return Ok(()) };
    let same = Block::decode(&block.block.0).is_ok_and(|other| other.header == header);
    anyhow::ensure!(
        same,
        "block {} of the stream is another than this node's; next: find out which one holds",
        block.height
    );
    Ok(())
}

fn follow(ledger: &Ledger, batch: Batch) -> anyhow::Result<()> {
    let bodies: Vec<Bytes> = batch.iter().map(|(body, _)| body.clone()).collect();
    let before = ledger.last_final();
    let Followed { last, refused } = ledger.follow(batch)?;
    let Some(refusal) = refused else { return Ok(()) };
    let taken = usize::try_from(last.0 - before.0).unwrap_or(usize::MAX);
    let recovery = bodies.get(taken).and_then(|body| Block::decode(body).ok()).and_then(|block| recovery_of(&block));
    if recovery.is_some() && ledger.state().recovery().is_none() {
        anyhow::bail!(
            "block {} follows from a recovery that this node was not given; next: fengni-node recover --home DIR \
             --handover FILE, then the same import again",
            last.next()
        );
    }
    anyhow::bail!(
        "block {} of the stream does not hold: {refusal}; next: take the blocks from another node",
        last.next()
    )
}

/// Tells whoever waits how far it is.
struct News {
    what: &'static str,
    told: Instant,
}

impl News {
    fn begin(what: &'static str) -> Self {
        Self { what, told: Instant::now() }
    }

    fn tell(&mut self, height: Height) {
        if self.told.elapsed() >= NEWS {
            eprintln!("{} up to block {height}", self.what);
            self.told = Instant::now();
        }
    }
}
