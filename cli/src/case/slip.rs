//! Slips: what an applicant keeps of a case.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use fengni_client::case::Cases;
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
    // A number may hold what no file's name does; then the place tells two such files apart.
    let is_plain = |letter: char| letter.is_alphanumeric() || "-_".contains(letter);
    let name: String = slip.case.number.chars().map(|letter| if is_plain(letter) { letter } else { '-' }).collect();
    let more =
        if name == slip.case.number { String::new() } else { format!("-{}-{}", slip.place.book, slip.place.line) };
    let path = folder.join(format!("{name}{more}{ENDING}"));
    if path.exists() && read(&path, slip.network)? != *slip {
        bail!("{} is another case's slip; next: name another folder", path.display());
    }
    private::write(&path, (serde_json::to_string_pretty(slip)? + "\n").as_bytes())?;
    Ok(path)
}

/// Makes a folder for slips, whose names tell case numbers: only its owner looks into a new one.
pub(super) fn make_folder(folder: &Path) -> Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).with_context(|| folder.display().to_string())
}

/// Reads a slip of a network.
pub(crate) fn read(path: &Path, network: NetworkId) -> Result<Slip> {
    let size = std::fs::metadata(path).with_context(|| path.display().to_string())?.len();
    if size > SLIP_BYTES {
        bail!("{} is too large for a slip; next: name a file that ends in {ENDING}", path.display());
    }
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let slip: Slip = serde_json::from_str(&text).with_context(|| format!("{} is no slip", path.display()))?;
    if slip.network != network {
        bail!("{} is of another network; next: name that network's founding document", path.display());
    }
    Ok(slip)
}

/// `fengni case slip`.
pub(super) fn again(args: &SlipArgs, output: Output) -> Result<Ending> {
    let network = args.connect.open(None)?.ledger.domain().network;
    let cases = Cases::read(&args.home.join(JOURNAL), network)?;
    let known = cases.find(&args.number);
    let known = known.with_context(|| format!("the journal has no case {}; next: fengni case list", args.number))?;
    let slip = cases.slip(known).context("the case is not on the ledger yet; next: fengni case open")?;
    make_folder(&args.out)?;
    let path = write(&args.out, &slip)?;
    output.answer(&json!({ "slip": path }), || format!("wrote {}", path.display()));
    Ok(Ending::Holds)
}

/// `fengni case list`.
pub(super) fn list(args: &ListArgs, output: Output) -> Result<Ending> {
    let network = args.connect.open(None)?.ledger.domain().network;
    let cases = Cases::read(&args.home.join(JOURNAL), network)?;
    let cases: Vec<_> = cases.all().map(|(case, place)| (case.number.clone(), case.item.clone(), place)).collect();
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
