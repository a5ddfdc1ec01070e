//! Slips: what an applicant keeps of a case.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use fengni_client::case::Journal;
use fengni_core::NetworkId;
use fengni_core::case::Slip;
use serde_json::json;

use super::{JOURNAL, ListArgs, SlipArgs};
use crate::ending::Ending;
use crate::output::{Output, table};
use crate::private;

/// How a slip's file ends.
pub(crate) const ENDING: &str = ".slip.json";
/// Bytes of a slip, at most.
const SLIP_BYTES: u64 = 4096;

/// Writes a slip into a folder; only its owner reads it.
pub(super) fn write(folder: &Path, slip: &Slip) -> Result<PathBuf> {
    // A number may hold what no file's name does.
    let plain = |letter: char| if letter.is_alphanumeric() || "-_.".contains(letter) { letter } else { '-' };
    let name: String = slip.case.number.chars().map(plain).collect();
    let path = folder.join(format!("{}{ENDING}", name.trim_start_matches('.')));
    if path.exists() && read(&path, slip.network)? != *slip {
        bail!("{} is another case's slip; next: name another folder", path.display());
    }
    private::write(&path, (serde_json::to_string_pretty(slip)? + "\n").as_bytes())?;
    Ok(path)
}

/// Reads a slip of a network.
pub(crate) fn read(path: &Path, network: NetworkId) -> Result<Slip> {
    let size = std::fs::metadata(path).with_context(|| path.display().to_string())?.len();
    if size > SLIP_BYTES {
        bail!("{} is too large for a slip", path.display());
    }
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let slip: Slip = serde_json::from_str(&text).with_context(|| format!("{} is no slip", path.display()))?;
    slip.case.check().with_context(|| path.display().to_string())?;
    if slip.network != network {
        bail!("{} is of another network; next: name that network's founding document", path.display());
    }
    Ok(slip)
}

/// `fengni case slip`.
pub(super) fn again(args: &SlipArgs, output: Output) -> Result<Ending> {
    let network = args.connect.open(None)?.ledger.domain().network;
    let journal = Journal::at(&args.home.join(JOURNAL), network)?;
    let known = journal.find(&args.number).with_context(|| format!("no case {}", args.number))?;
    let place = journal.place(known).context("the case is not on the ledger yet; next: fengni case open")?;
    std::fs::create_dir_all(&args.out).with_context(|| args.out.display().to_string())?;
    let path = write(&args.out, &Slip { network, place, case: journal.case(known).clone() })?;
    output.answer(&json!({ "slip": path }), || format!("wrote {}", path.display()));
    Ok(Ending::Holds)
}

/// `fengni case list`.
pub(super) fn list(args: &ListArgs, output: Output) -> Result<Ending> {
    let network = args.connect.open(None)?.ledger.domain().network;
    let journal = Journal::at(&args.home.join(JOURNAL), network)?;
    let cases = journal.cases();
    let cases: Vec<_> = cases.map(|(case, place)| (case.number.clone(), case.item.clone(), place)).collect();
    let said = |(number, item, place): &(String, String, _)| json!({ "number": number, "item": item, "place": place });
    output.answer(&json!({ "cases": cases.iter().map(said).collect::<Vec<_>>() }), || {
        let rows = cases.iter().map(|(number, item, place)| {
            let place = place.as_ref().map_or_else(|| "not on the ledger yet".to_owned(), ToString::to_string);
            [number.clone(), item.clone(), place]
        });
        table(["number", "item", "line"], rows)
    });
    Ok(Ending::Holds)
}
