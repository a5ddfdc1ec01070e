//! `fengni genesis`: the founding document (创立文件), from its text to the bytes that nodes read.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::Subcommand;
use fengni_genesis::{Document, Format, Genesis, Problems};
use serde_json::json;

use crate::connect::load_genesis;
use crate::ending::Ending;
use crate::output::Output;
use crate::private;

/// What becomes of a founding document.
#[derive(Subcommand, Debug)]
pub(crate) enum GenesisCommand {
    /// Check a founding document, and tell its network and what is worth a second look
    #[command(
        after_help = "Exit codes: 0 it founds a network, 1 it has problems, each shown with its line, 3 could not run.
Departments that compare the network's name here have compared every byte of the founding.

Examples:
  fengni genesis check genesis.toml
  fengni genesis check genesis.bin --json"
    )]
    Check {
        /// The document, as people write it (.toml, .json) or as bytes
        document: PathBuf,
    },
    /// Write the canonical bytes of a founding document, for genesis in node.toml
    #[command(after_help = "Every department makes them by itself: the same document gives the same bytes everywhere.

Examples:\n  fengni genesis make genesis.toml --out genesis.bin")]
    Make {
        /// The document, as people write it
        document: PathBuf,
        /// File for the bytes; must be new
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
}

pub(crate) fn run(command: &GenesisCommand, output: Output) -> Result<Ending> {
    match command {
        GenesisCommand::Check { document } => Ok(match read(document)? {
            Ok(genesis) => answer(&genesis, None, output),
            Err(problems) => refuse(document, &problems, output),
        }),
        GenesisCommand::Make { document, out } => {
            private::must_be_new(out)?;
            Ok(match read(document)? {
                Ok(genesis) => {
                    std::fs::write(out, genesis.encode()).with_context(|| out.display().to_string())?;
                    answer(&genesis, Some(out), output)
                }
                Err(problems) => refuse(document, &problems, output),
            })
        }
    }
}

/// A founding from its text or its bytes, or what is wrong with the text.
fn read(path: &Path) -> Result<Result<Genesis, Problems>> {
    let name = path.to_string_lossy();
    if !name.ends_with(".toml") && !name.ends_with(".json") {
        return Ok(Ok(load_genesis(path)?));
    }
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    Ok(Document::parse(&text, Format::of_file_name(&name)).and_then(|document| document.check()))
}

fn answer(genesis: &Genesis, written: Option<&Path>, output: Output) -> Ending {
    let (network, cautions, validators) = (genesis.network().to_string(), genesis.cautions(), genesis.validators());
    let facts = json!({
        "network": network,
        "name": genesis.name,
        "checkpoint_digest": genesis.checkpoint().digest(),
        "members": genesis.members.len(),
        "types": genesis.types.len(),
        "validators": validators.len(),
        "quorum": validators.quorum(),
        "cautions": cautions,
        "written": written,
    });
    output.answer(&facts, || {
        let mut text = format!(
            "{}\nnetwork {network}\ncheckpoint {}\n{} members, {} types of certificates, {} validators, quorum {} of {}",
            genesis.name,
            genesis.checkpoint().digest(),
            genesis.members.len(),
            genesis.types.len(),
            validators.len(),
            validators.quorum(),
            validators.power()
        );
        cautions.iter().for_each(|caution| text.push_str(&format!("\ncaution: {caution}")));
        if let Some(path) = written {
            let next = "next: compare the network's name with every other member, over another channel";
            text.push_str(&format!("\nwrote {}\n{next}", path.display()));
        }
        text
    });
    Ending::Holds
}

fn refuse(document: &Path, problems: &Problems, output: Output) -> Ending {
    let each: Vec<String> = problems.iter().map(ToString::to_string).collect();
    output.answer(&json!({ "result": "refused", "problems": each }), || {
        format!("refused: {} founds no network\n{}", document.display(), each.join("\n"))
    });
    Ending::Refused
}
