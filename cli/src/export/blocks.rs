//! `fengni export blocks`: the blocks of a gateway as a stream.

use anyhow::{Context as _, Result, anyhow, bail};
use clap::Args;
use fengni_audit::Source as _;
use fengni_core::Height;
use fengni_core::export::{BlockReader, BlockWriter};
use serde::Serialize;

use super::file::Target;
use crate::blocks::{GatewayBlocks, newest, open_stream};
use crate::connect::ConnectArgs;
use crate::ending::Ending;
use crate::output::Output;

/// `fengni export blocks`.
#[derive(Args, Debug)]
#[command(
    after_help = "The stream is as the nodes give it: fengni audit replay --blocks judges it. A stopped node's store
is exported by fengni-node export, and fengni-node import takes a stream.

Examples:
  fengni export blocks --network net --out ledger.blocks
  fengni export blocks --gateway http://127.0.0.1:27002 --genesis genesis.bin --from 4001 --to 8000 --out part.blocks
  fengni export blocks --network net --out - | zstd > ledger.blocks.zst"
)]
pub(crate) struct ExportBlocksArgs {
    /// File to write, which must not be there yet; - for standard output
    #[arg(long, value_name = "FILE")]
    out: String,
    /// First height
    #[arg(long, value_name = "HEIGHT", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    from: u64,
    /// Last height; else the newest
    #[arg(long, value_name = "HEIGHT")]
    to: Option<u64>,
    #[command(flatten)]
    connect: ConnectArgs,
}

#[derive(Serialize)]
struct Exported {
    first: Height,
    last: Height,
    bytes: u64,
    file: String,
}

pub(crate) fn run(args: &ExportBlocksArgs, output: Output) -> Result<Ending> {
    let (map, genesis) = args.connect.founding(None)?;
    let gateway = args.connect.gateway(map.as_ref(), None)?;
    let first = Height(args.from);
    let last = match args.to {
        Some(to) => Height(to),
        None => newest(&gateway)?,
    };
    if last < first {
        bail!("there is no block from {first} to {last}; next: name a lower --from");
    }
    let mut source = GatewayBlocks::new(gateway, &genesis, Height(first.0 - 1), last)?;
    let mut writer = BlockWriter::begin(Target::open(&args.out)?, genesis.domain(), first)?;
    let bar = output.heights("export", Some(last.0));
    bar.set_position(first.0 - 1);
    while let Some(block) = source.next().map_err(|error| anyhow!("{error}"))? {
        writer.write(&block)?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    let Some(path) = writer.finish()?.finish()? else {
        output.progress(&format!("blocks {first} to {last} written"));
        return Ok(Ending::Holds);
    };
    check(&args.out, last).with_context(|| format!("{} was written and does not hold", args.out))?;
    let exported = Exported { first, last, bytes: path.metadata()?.len(), file: path.display().to_string() };
    output.answer(&exported, || {
        let Exported { bytes, file, .. } = &exported;
        format!("blocks {first} to {last} in {file}, {bytes} bytes, read again whole\nnext: fengni audit replay --blocks {file}")
    });
    Ok(Ending::Holds)
}

/// Reads what was written from its beginning to its end mark.
fn check(file: &str, last: Height) -> Result<()> {
    let mut reader = BlockReader::open(open_stream(file)?)?;
    while reader.read()?.is_some() {}
    if reader.next() == last.next() { Ok(()) } else { bail!("it ends before block {}", reader.next()) }
}
