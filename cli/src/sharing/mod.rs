//! Data sharing: what departments share, for which items, who asked for it, and who objects (SHR, CAT-02,
//! CAT-05).

pub(crate) mod access;
pub(crate) mod book;
pub(crate) mod grant;
mod holder;
pub(crate) mod item;
pub(crate) mod mine;
pub(crate) mod needs;
pub(crate) mod objection;
pub(crate) mod request;
pub(crate) mod resource;

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use fengni_core::Day;
use fengni_core::limits::RECORD_BYTES;
use fengni_core::record::{Clock, Mode, Record, ResourceTerms};
use serde::de::DeserializeOwned;

use crate::connect::Connection;

/// Reads a file of terms in TOML.
fn read_terms<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let size = std::fs::metadata(path).with_context(|| path.display().to_string())?.len();
    ensure!(size <= RECORD_BYTES as u64, "{} is too large for a file of terms", path.display());
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    toml::from_str(&text).with_context(|| format!("{} is no file of terms; next: see --help", path.display()))
}

/// Every record of a shelf with its number.
fn numbered<R: Record>(connection: &mut Connection) -> Result<Vec<(u32, R)>> {
    Ok((0..).zip(connection.ledger.shelf()?).collect())
}

/// Modes in words, with commas.
fn modes(modes: &[Mode]) -> String {
    modes.iter().map(|mode| mode.word()).collect::<Vec<_>>().join(", ")
}

/// A clock in words: when it was or is due, and whether that was kept.
fn clock(clock: Clock, today: Day) -> String {
    match (clock.due, clock.done) {
        (None, None) => String::new(),
        (None, Some(done)) => format!("done {done}"),
        (Some(due), None) if clock.is_late(today) => format!("OVERDUE since {due}"),
        (Some(due), None) => format!("due {due}"),
        (Some(due), Some(done)) if clock.is_late(today) => format!("late: done {done}, due {due}"),
        (Some(due), Some(done)) => format!("done {done}, due {due}"),
    }
}

/// The day of the newest block that any gateway shows: what is overdue is judged by it, so that every node says
/// the same.
fn today(connection: &mut Connection) -> Result<Day> {
    Ok(Day::of(connection.ledger.highest()?.0.time))
}

/// The number of a field by its name.
fn field(terms: &ResourceTerms, name: &str) -> Result<u16> {
    let found = terms.fields.iter().position(|field| field.name == name);
    let found = found.with_context(|| format!("the resource has no field {name}; next: fengni resource list"))?;
    Ok(u16::try_from(found)?)
}
