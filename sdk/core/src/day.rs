//! Days: the calendar of certificates, in China Standard Time.
//!
//! A certificate's dates are precise to the day (CRT-05) and a day begins at 00:00:00+08:00,
//! which is 16:00 UTC of the day before. There is no summer time.

use bincode::{Decode, Encode};
use std::fmt;

use serde::{Deserialize, Serialize};

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize, Encode, Decode)]
#[serde(transparent)]
pub struct Millis(pub u64);

impl Millis {
    /// Whole seconds since 1970-01-01T00:00:00Z, rounded down.
    pub fn secs(self) -> u64 {
        self.0 / 1000
    }

    /// A moment from whole seconds since 1970-01-01T00:00:00Z.
    pub fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// As clocks in China show it, such as `2026-03-05 08:31:10`.
    pub fn show(self) -> String {
        let secs = self.0.saturating_add(CHINA_OFFSET_MILLIS) % DAY_MILLIS / 1000;
        format!("{} {:02}:{:02}:{:02}", Day::of(self), secs / 3_600, secs / 60 % 60, secs % 60)
    }
}

const DAY_MILLIS: u64 = 86_400_000;
const CHINA_OFFSET_MILLIS: u64 = 8 * 3_600_000;

/// A calendar day, counted from 1970-01-01.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize, Encode, Decode)]
#[serde(transparent)]
pub struct Day(pub u32);

impl Day {
    /// The day's number for a real date of the years 1970 to 9999, or `None`.
    pub fn from_ymd(year: u32, month: u32, day: u32) -> Option<Self> {
        if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || day == 0 || day > days_in(year, month) {
            return None;
        }
        let years: u32 = (1970..year).map(|y| if is_leap(y) { 366 } else { 365 }).sum();
        let months: u32 = (1..month).map(|m| days_in(year, m)).sum();
        Some(Self(years + months + day - 1))
    }

    /// A day written `YYYYMMDD` or `YYYY-MM-DD`.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = match text.len() {
            8 => text.to_owned(),
            10 if text.as_bytes()[4] == b'-' && text.as_bytes()[7] == b'-' => text.replace('-', ""),
            _ => return None,
        };
        if digits.len() != 8 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        Self::from_ymd(digits[..4].parse().ok()?, digits[4..6].parse().ok()?, digits[6..].parse().ok()?)
    }

    /// Year, month and day of the month.
    pub fn ymd(self) -> (u32, u32, u32) {
        let mut rest = self.0;
        let mut year = 1970;
        while rest >= if is_leap(year) { 366 } else { 365 } {
            rest -= if is_leap(year) { 366 } else { 365 };
            year += 1;
        }
        let mut month = 1;
        while rest >= days_in(year, month) {
            rest -= days_in(year, month);
            month += 1;
        }
        (year, month, rest + 1)
    }

    /// The day in China at a moment.
    pub fn of(moment: Millis) -> Self {
        let days = moment.0.saturating_add(CHINA_OFFSET_MILLIS) / DAY_MILLIS;
        Self(u32::try_from(days).unwrap_or(u32::MAX))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.ymd();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

fn is_leap(year: u32) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_in(year: u32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_ends_one_second_after_235959_in_china() {
        let last = Day::from_ymd(2026, 4, 5).expect("a real date");
        // 2026-04-05T23:59:59+08:00
        let moment = Millis::from_secs(u64::from(last.0) * 86_400 + 86_399 - 8 * 3600);
        assert_eq!(Day::of(moment), last);
        assert_eq!(Day::of(Millis(moment.0 + 1000)), Day(last.0 + 1));
    }

    #[test]
    fn a_moment_is_shown_as_clocks_in_china_do() {
        assert_eq!(Millis(1_772_670_670_000).show(), "2026-03-05 08:31:10");
        assert_eq!(Millis(1_772_639_999_000).show(), "2026-03-04 23:59:59");
    }

    #[test]
    fn dates_survive_a_round_trip_and_unreal_ones_are_refused() {
        for number in [0, 58, 59, 789, 20_000, 20_514, 100_000] {
            let (y, m, d) = Day(number).ymd();
            assert_eq!(Day::from_ymd(y, m, d), Some(Day(number)));
        }
        assert_eq!(Day::parse("2026-02-29"), None);
        assert_eq!(Day::parse("20240229").map(|d| d.to_string()), Some("2024-02-29".into()));
        assert_eq!(Day::parse("2026-13-01"), None);
        assert_eq!(Day::parse("２０２６０１０１"), None);
    }
}
