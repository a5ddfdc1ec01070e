//! Moments and ages as people read them, in China Standard Time.

use fengni_core::Millis;
use time::OffsetDateTime;
use time::macros::{format_description, offset};

/// A moment such as `2026-03-05 08:31:10`, +08:00.
pub(crate) fn show(moment: Millis) -> String {
    let shown = || {
        let moment = OffsetDateTime::from_unix_timestamp_nanos(i128::from(moment.0) * 1_000_000).ok()?;
        let form = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
        moment.to_offset(offset!(+8)).format(&form).ok()
    };
    shown().unwrap_or_else(|| format!("{} ms", moment.0))
}

/// An age such as `8 seconds`, `2 minutes` or `26 hours`.
pub(crate) fn age(secs: u64) -> String {
    let (count, unit) = match secs {
        0..120 => (secs, "second"),
        120..7_200 => (secs / 60, "minute"),
        7_200..172_800 => (secs / 3_600, "hour"),
        _ => (secs / 86_400, "day"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_use_the_largest_unit_that_still_says_something() {
        let cases = [
            (0, "0 seconds"),
            (1, "1 second"),
            (119, "119 seconds"),
            (120, "2 minutes"),
            (93_600, "26 hours"),
            (259_200, "3 days"),
        ];
        for (secs, shown) in cases {
            assert_eq!(age(secs), shown);
        }
        assert_eq!(show(Millis(1_772_670_670_000)), "2026-03-05 08:31:10");
    }
}
