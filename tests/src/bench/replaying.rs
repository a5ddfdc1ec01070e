//! Replay of a long ledger: how fast it is, and that its memory does not grow with the ledger.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::Path;

use fengni_core::book::{Line, Tag};
use fengni_core::export::BlockWriter;
use fengni_core::operation::Operation;
use fengni_core::{BookNumber, Digest, Height};

use super::profile::AtTheDoor;
use super::register::Register;
use super::table::Row;
use crate::actors::random;
use crate::command::fengni;

/// Certificates of one seal.
const SEAL: u64 = 5;

/// Heights whose transactions every replay remembers by their ids (W): no more than the shortest chain
/// that is measured, so that what grows is seen.
const WINDOW: u64 = 100;

/// How long the ledger is.
#[derive(Clone, Copy, Debug)]
pub struct Length {
    /// Blocks after the one that opens the book.
    pub blocks: u64,
    /// Transactions of each, with one signature and five certificates.
    pub transactions: u64,
}

impl Length {
    /// The figures to quote: 200,000 transactions, 1,000,000 certificates.
    pub fn full() -> Self {
        Self { blocks: 400, transactions: 500 }
    }

    /// A tenth of the work.
    pub fn quick() -> Self {
        Self { blocks: 40, transactions: 500 }
    }
}

/// Writes a founding (`genesis.bin`) and the stream of its blocks (`ledger.blocks`) into a folder,
/// made in this process, without consensus.
///
/// # Errors
/// Those of the disk.
///
/// # Panics
/// When a block does not take every transaction.
pub fn write_chain(folder: &Path, length: Length) -> io::Result<()> {
    let (mut register, first) = Register::opened(Some(WINDOW));
    std::fs::write(folder.join("genesis.bin"), register.genesis.encode())?;
    let file = BufWriter::new(File::create(folder.join("ledger.blocks"))?);
    let mut writer = BlockWriter::begin(file, register.domain, Height(1))?;
    writer.write(&first)?;
    for _ in 0..length.blocks {
        let line = |_| Line { tag: Tag(random()), commitment: Digest(random()) };
        let seal = |_| Operation::Seal { book: BookNumber(0), lines: (0..SEAL).map(line).collect() };
        let transactions = (0..length.transactions).map(seal).map(|seal| register.sign_alone(seal, random()));
        let transactions = transactions.collect();
        writer.write(&register.block(&AtTheDoor, transactions))?;
    }
    writer.finish()?;
    Ok(())
}

/// Makes a ledger and has `fengni audit replay` run it again: a quarter of it, and all of it.
///
/// # Panics
/// When the replay does not hold: then there is no figure.
pub fn measure_replay(length: Length) -> Vec<Row> {
    let total = length.blocks * length.transactions + 1;
    eprintln!("replay: a ledger of {total} transactions");
    let folder = tempfile::tempdir().expect("room for a ledger");
    write_chain(folder.path(), length).expect("room for a ledger");
    let (_, quarter) = replay(folder.path(), length.blocks / 4, "full");
    let (rate, whole) = replay(folder.path(), length.blocks + 1, "full");
    let (trees, _) = replay(folder.path(), length.blocks + 1, "trees");
    vec![
        Row::new(
            format!("replay, {total} transactions, {} certificates", (total - 1) * SEAL),
            format!("{rate:.0}/s"),
            "20000/s",
            format!("from a stream, signatures, execution, state roots; {} transactions a block", length.transactions),
        ),
        Row::new(
            "  memory at its peak",
            format!("{whole:.0} MB"),
            "flat",
            format!("{quarter:.0} MB for a quarter of it; ids of {WINDOW} blocks are remembered"),
        ),
        Row::new("  at level trees", format!("{trees:.0}/s"), "", "quorums, digests, forms; nothing is executed"),
    ]
}

/// Transactions a second, and megabytes at the peak.
fn replay(folder: &Path, to: u64, level: &str) -> (f64, f64) {
    let file = |name: &str| folder.join(name).display().to_string();
    let (blocks, genesis, to) = (file("ledger.blocks"), file("genesis.bin"), to.to_string());
    let arguments = ["audit", "replay", "--blocks", &blocks, "--genesis", &genesis, "--to", &to, "--level", level];
    let answer = fengni(&[&arguments[..], &["--json"]].concat(), b"").expect(0).json();
    let figure = |name: &str| answer[name].as_f64().unwrap_or(f64::NAN);
    (figure("transactions_a_second"), figure("peak_memory_bytes") / 1e6)
}
