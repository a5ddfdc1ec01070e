//! `fengni evidence`: evidence packages (存证证明, AUD-03) and timestamps from outside for them.

mod check;
mod make;
mod stamp;

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use clap::Subcommand;
use fengni_core::evidence::Evidence;

use crate::ending::Ending;
use crate::output::Output;

/// What becomes of an evidence package.
#[derive(Subcommand, Debug)]
pub(crate) enum EvidenceCommand {
    /// Make a package: one page that proves everything that happened to a certificate
    Make(make::MakeArgs),
    /// Check a package without any network, against a checkpoint
    Check(check::EvidenceCheckArgs),
    /// Write a request for a timestamp service (RFC 3161)
    Request(stamp::RequestArgs),
    /// Attach a timestamp service's reply
    Stamp(stamp::StampArgs),
}

pub(crate) fn run(command: &EvidenceCommand, output: Output) -> Result<Ending> {
    match command {
        EvidenceCommand::Make(args) => make::run(args, output),
        EvidenceCommand::Check(args) => check::run(args, output),
        EvidenceCommand::Request(args) => stamp::request(args, output),
        EvidenceCommand::Stamp(args) => stamp::stamp(args, output),
    }
}

/// Bytes of a file, at most: a package in hexadecimal digits and its page.
const FILE_BYTES: u64 = 3 * fengni_core::limits::EVIDENCE_BYTES as u64;

/// Reads a package's file.
fn read(path: &Path) -> Result<String> {
    let size = std::fs::metadata(path).with_context(|| path.display().to_string())?.len();
    if size > FILE_BYTES {
        bail!("{} is too large for an evidence package", path.display());
    }
    std::fs::read_to_string(path).with_context(|| path.display().to_string())
}

/// The package in a file.
fn load(path: &Path) -> Result<Evidence> {
    Evidence::from_page(&read(path)?).with_context(|| path.display().to_string())
}
