//! Ways of tampering, a table each for files and for gateways that lie: every one is detected by the
//! right tool, with the right place named and no other. AUD-01, AUD-02, AUD-03, AUD-05, AUD-10; invariants 5
//! and 7.
//!
//! One small network for all of it: what is tampered with are files that were taken from it, and what
//! its gateways answer.

#![forbid(unsafe_code)]

mod blocks;
mod files;
mod foreign;
mod gateways;
mod rows;
mod world;

use rows::Row;
use world::World;

/// Fewer rows than this, and somebody has forgotten why the table is there.
const ROWS_MIN: usize = 40;

#[test]
fn whatever_is_tampered_with_is_named() {
    let world = World::start();
    let tables = [files::histories(), files::audits(), files::verdicts(), gateways::rows(&world), blocks::rows(&world)];
    let rows: Vec<Row> = tables.into_iter().flatten().collect();
    assert!(rows.len() >= ROWS_MIN, "{} rows", rows.len());
    // Untouched, everything holds: a tool that always refuses detects nothing.
    rows::assert_all_hold(&world);
    gateways::assert_blame(&world);
    let failed: Vec<String> = rows.iter().filter_map(|row| row.run(&world).err()).collect();
    assert!(failed.is_empty(), "{} of {} rows:\n{}", failed.len(), rows.len(), failed.join("\n"));
}

#[test]
fn the_names_of_rows_are_their_own() {
    // A row that is pasted twice counts once.
    let mut names: Vec<&str> =
        [files::histories(), files::audits(), files::verdicts()].iter().flatten().map(|row| row.name).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}
