//! Back-off: how long after a failure the next attempt is made. Rule M-4.

use std::time::Duration;

use fengni_core::Millis;

/// After the first failure.
const FIRST: Duration = Duration::from_secs(1);
/// However often it failed.
const LONGEST: Duration = Duration::from_secs(600);
/// However long the receiver asks for.
const ASKED_LONGEST: Duration = Duration::from_secs(3_600);

/// How long to wait after so many failures in a row.
///
/// - `failures`: 1 after the first.
/// - `asked`: how long the receiver wants to be left alone, if it says so.
/// - `chance`: a random number, so that many subscriptions of one receiver do not come back at once.
///
/// Returns between half and all of a second that doubles with each failure, up to ten minutes; never
/// less than was asked for, up to an hour.
pub(crate) fn delay(failures: u32, asked: Option<Duration>, chance: u64) -> Duration {
    let doubled = FIRST.saturating_mul(1u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX));
    let half = doubled.min(LONGEST) / 2;
    let millis = u64::try_from(half.as_millis()).unwrap_or(u64::MAX);
    let spread = Duration::from_millis(chance % millis.saturating_add(1));
    (half + spread).max(asked.unwrap_or_default().min(ASKED_LONGEST))
}

/// When the next attempt is made, seen from now. A moment further off than any delay was noted by a clock
/// that has been set since, and counts no more.
pub(crate) fn until(next: Millis, now: Millis) -> Option<Millis> {
    let left = Duration::from_millis(next.0.saturating_sub(now.0));
    (!left.is_zero() && left <= ASKED_LONGEST).then_some(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m4_a_clock_that_was_set_back_stops_nobody() {
        let cases = [(0, 0, false), (5, 4, true), (4, 5, false), (3_600_000, 0, true), (3_600_001, 0, false)];
        for (next, now, waits) in cases {
            assert_eq!(until(Millis(next), Millis(now)).is_some(), waits, "{next} at {now}");
        }
    }

    #[test]
    fn m4_it_doubles_with_jitter_up_to_ten_minutes() {
        let cases = [(1, 500, 1_000), (2, 1_000, 2_000), (5, 8_000, 16_000), (11, 300_000, 600_000)];
        for (failures, least, most) in cases {
            for chance in [0, 1, 77_777, u64::MAX] {
                let millis = delay(failures, None, chance).as_millis();
                assert!((least..=most).contains(&millis), "{failures} failures: {millis} ms");
            }
        }
        assert_eq!(delay(u32::MAX, None, 300_000), LONGEST);
    }

    #[test]
    fn m4_what_a_receiver_asks_for_holds_within_bounds() {
        assert_eq!(delay(1, Some(Duration::from_secs(90)), 0), Duration::from_secs(90));
        assert_eq!(delay(1, Some(Duration::from_secs(1_000_000)), 0), ASKED_LONGEST);
        assert_eq!(delay(11, Some(Duration::ZERO), 300_000), LONGEST);
    }
}
