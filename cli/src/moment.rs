//! Ages and spans as people read and write them.

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

/// Seconds of a span such as `90s`, `30m` or `2h`.
pub(crate) fn parse_span(text: &str) -> Result<u32, String> {
    let wrong = || format!("{text} is no time such as 90s, 30m or 2h");
    let (count, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
    let unit_secs = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        _ => return Err(wrong()),
    };
    count.parse::<u32>().ok().and_then(|count| count.checked_mul(unit_secs)).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_has_a_count_and_a_unit() {
        for (text, secs) in [("90s", Some(90)), ("30m", Some(1800)), ("24h", Some(86_400)), ("0s", Some(0))] {
            assert_eq!(parse_span(text).ok(), secs, "{text}");
        }
        for text in ["", "30", "m", "-1m", "1.5h", "30分", "9999999h"] {
            assert!(parse_span(text).is_err(), "{text}");
        }
    }

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
    }
}
