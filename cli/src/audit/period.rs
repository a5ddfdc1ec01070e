//! Times of an audit: heights, or days that are mapped to heights by proven headers.

use std::fmt;
use std::str::FromStr;

use anyhow::{Context as _, Result, bail};
use fengni_client::ledger::Ledger;
use fengni_core::audit::Heights;
use fengni_core::block::Header;
use fengni_core::{Day, Height, Millis};

use crate::names;

/// Where a time begins or ends, both included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Edge {
    /// At a height.
    Height(u64),
    /// On a day in China.
    Day(Day),
}

impl FromStr for Edge {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text} is neither a day such as 2026-03-01 nor a height");
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            return text.parse().map(Self::Height).map_err(|_| wrong());
        }
        Day::parse(text).map(Self::Day).ok_or_else(wrong)
    }
}

impl fmt::Display for Edge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Height(height) => write!(f, "height {height}"),
            Self::Day(day) => day.fmt(f),
        }
    }
}

/// The heights from one edge to another, as far as the newest header goes.
pub(crate) fn heights(ledger: &mut Ledger, from: Option<Edge>, to: Option<Edge>, newest: &Header) -> Result<Heights> {
    let heights = heights_or_none(ledger, from, to, newest)?;
    let Heights { from, to } = heights;
    if from > to {
        bail!("the time ends before it begins: from height {from} to height {to}");
    }
    Ok(heights)
}

/// The same; where days have no block, which a network may have stood still for, the last is the one before
/// the first.
pub(crate) fn heights_or_none(
    ledger: &mut Ledger,
    from: Option<Edge>,
    to: Option<Edge>,
    newest: &Header,
) -> Result<Heights> {
    if let (Some(Edge::Day(first)), Some(Edge::Day(last))) = (from, to)
        && first > last
    {
        bail!("the time ends before it begins: from {first} to {last}");
    }
    let from = match from {
        None => Height(1),
        Some(Edge::Height(height)) => Height(height),
        Some(Edge::Day(day)) => first_since(ledger, begin_of_day(day), newest)?,
    };
    let to = match to {
        None => Height(u64::MAX),
        Some(Edge::Height(height)) if height > newest.height.0 => {
            bail!("height {height} is not final yet, the newest is {}; next: name another", newest.height)
        }
        Some(Edge::Height(height)) => Height(height),
        Some(Edge::Day(day)) => {
            let after = first_since(ledger, begin_of_day(Day(day.0.saturating_add(1))), newest)?;
            // A day that no block shows to be over goes on: what is to come of it is not shown.
            if after > newest.height { Height(u64::MAX) } else { Height(after.0.saturating_sub(1)) }
        }
    };
    Ok(Heights { from, to })
}

/// The first height whose block is not before a moment; above the newest where there is none yet.
fn first_since(ledger: &mut Ledger, moment: Millis, newest: &Header) -> Result<Height> {
    let (mut low, mut high) = (1, newest.height.0.saturating_add(1));
    while low < high {
        let middle = low + (high - low) / 2;
        let found = if middle == newest.height.0 {
            newest.time
        } else {
            let found = ledger.header(Height(middle));
            found.with_context(|| {
                format!("no gateway gives the header of height {middle}, which maps days to heights; next: name an archive with --gateway, or give heights")
            })?.value.header.time
        };
        if found >= moment {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Ok(Height(low))
}

fn begin_of_day(day: Day) -> Millis {
    // Where the day before ends, this one begins.
    names::end_of_day(Day(day.0.saturating_sub(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edge_is_a_day_or_a_height() {
        assert_eq!("417".parse(), Ok(Edge::Height(417)));
        let day = Day::from_ymd(2026, 3, 1).expect("a real day");
        assert_eq!("2026-03-01".parse(), Ok(Edge::Day(day)));
        for text in ["", "-1", "2026-13-01", "yesterday", "99999999999999999999"] {
            assert!(text.parse::<Edge>().is_err(), "{text}");
        }
        // Midnight in China.
        assert_eq!(begin_of_day(day), Millis(1_772_294_400_000));
    }
}
