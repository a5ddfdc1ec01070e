//! When a network was founded, as people write it.

use fengni_core::Millis;
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

/// A moment in RFC 3339, or as milliseconds since 1970-01-01T00:00:00Z. A part of a millisecond
/// is refused, so that one moment has one value.
pub(crate) fn parse(text: &str) -> Option<Millis> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok().map(Millis);
    }
    let moment = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    let nanos = moment.unix_timestamp_nanos();
    if nanos % 1_000_000 != 0 {
        return None;
    }
    u64::try_from(nanos / 1_000_000).ok().map(Millis)
}

/// The moment in RFC 3339, in China Standard Time.
pub(crate) fn write(moment: Millis) -> String {
    let rfc3339 = || {
        let moment = OffsetDateTime::from_unix_timestamp_nanos(i128::from(moment.0) * 1_000_000).ok()?;
        moment.to_offset(UtcOffset::from_hms(8, 0, 0).ok()?).format(&Rfc3339).ok()
    };
    rfc3339().unwrap_or_else(|| moment.0.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_has_one_value_in_every_spelling() {
        let moment = Millis(1_767_196_800_000);
        for text in ["2026-01-01T00:00:00+08:00", "2025-12-31T16:00:00Z", "2025-12-31T16:00:00.000Z", "1767196800000"] {
            assert_eq!(parse(text), Some(moment), "{text}");
        }
        assert_eq!(write(moment), "2026-01-01T00:00:00+08:00");
        assert_eq!(parse(&write(Millis(1_767_196_800_001))), Some(Millis(1_767_196_800_001)));
        for text in ["", "2026-01-01", "2026-01-01T00:00:00", "2026-01-01T00:00:00.0001Z", "1969-12-31T00:00:00Z"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
