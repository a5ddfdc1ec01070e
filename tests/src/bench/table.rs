//! The table: what was measured, what is aimed at, and how it was measured.

use std::fmt;
use std::time::Duration;

/// One measured figure.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Row {
    /// What was measured.
    pub what: String,
    /// The figure, with its unit.
    pub figure: String,
    /// What is aimed at, if anything.
    pub aim: String,
    /// How.
    pub how: String,
}

impl Row {
    /// A figure.
    pub fn new(
        what: impl Into<String>,
        figure: impl Into<String>,
        aim: impl Into<String>,
        how: impl Into<String>,
    ) -> Self {
        Self { what: what.into(), figure: figure.into(), aim: aim.into(), how: how.into() }
    }
}

/// All figures, in order.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct Table {
    /// The rows.
    pub rows: Vec<Row>,
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width =
            |column: fn(&Row) -> &str| self.rows.iter().map(|row| column(row).chars().count()).max().unwrap_or(0);
        let (what, figure, aim) = (width(|row| &row.what), width(|row| &row.figure), width(|row| &row.aim).max(3));
        writeln!(f, "{:what$}  {:>figure$}  {:aim$}  how", "what", "figure", "aim")?;
        for row in &self.rows {
            writeln!(f, "{:what$}  {:>figure$}  {:aim$}  {}", row.what, row.figure, row.aim, row.how)?;
        }
        Ok(())
    }
}

/// The value at a share of the sorted durations, in milliseconds.
pub(super) fn percentile(sorted: &[Duration], share: f64) -> f64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
    let place = ((sorted.len().saturating_sub(1)) as f64 * share) as usize;
    sorted.get(place).map_or(f64::NAN, |duration| duration.as_secs_f64() * 1000.0)
}

/// A duration as microseconds.
pub(super) fn micros(duration: Duration) -> String {
    format!("{} µs", duration.as_micros())
}

/// A duration as milliseconds.
pub(super) fn millis(duration: Duration) -> String {
    format!("{} ms", duration.as_millis())
}

/// How many a second.
#[expect(clippy::cast_precision_loss)]
pub(super) fn rate(count: usize, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}
