//! Working days (工作日), as the reference codes have them. Rules O-28 and Z-4.

use fengni_core::record::{Clock, CodeSet};
use fengni_core::{Day, TypeNumber};

use crate::state::State;

/// The set of days that depart from Monday to Friday.
const CALENDAR: &str = "calendar";
/// The set of working days within which certificates of a type are sealed.
const SEALING_DAYS: &str = "sealing-days";
/// The set of working days that the clocks of data sharing run.
pub(crate) const SHARING_DAYS: &str = "sharing-days";
/// The longest such limit.
pub(crate) const SEALING_DAYS_MAX: u32 = 366;
/// How far a due day may be: a calendar can make every day a holiday.
const REACH: u32 = 10 * SEALING_DAYS_MAX;

/// A clock of data sharing. Rule Z-4.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum SharingClock {
    /// The answer to a request for a resource that is shared without conditions.
    Unconditional,
    /// The answer to a request for one that is shared on conditions.
    Conditional,
    /// More time for an answer, at most.
    Extension,
    /// Providing the data, once it was agreed.
    Provision,
    /// The answer to an objection.
    Objection,
}

/// Their codes in the set, in the order of [`SharingClock`].
pub(crate) const CLOCKS: [&str; 5] = ["unconditional", "conditional", "extension", "provision", "objection"];

/// Whether offices work on a day: Monday to Friday, unless the calendar says otherwise.
fn is_working(calendar: Option<&CodeSet>, day: Day) -> bool {
    // 1970-01-01 was a Thursday.
    let weekday = (day.0 + 3) % 7 < 5;
    let code = day.to_string().replace('-', "");
    match calendar.and_then(|calendar| calendar.name_of(&code)) {
        Some("workday") => true,
        Some("holiday") => false,
        _ => weekday,
    }
}

/// The last of so many working days after a day; `None` where the calendar has no such day within 3,660
/// days, and for none. Rule O-28.
///
/// - `calendar`: the set of that name, where there is one.
pub fn working_days_after(calendar: Option<&CodeSet>, day: Day, count: u32) -> Option<Day> {
    let later = (1..=REACH).map(|days| Day(day.0.saturating_add(days)));
    later.filter(|day| is_working(calendar, *day)).nth(usize::try_from(count).ok()?.checked_sub(1)?)
}

impl State {
    /// The last day on which a certificate granted on `acted` is sealed in time; `None` where nothing
    /// limits its type.
    pub(crate) fn sealing_due(&self, kind: TypeNumber, acted: Day) -> Option<Day> {
        let code = self.certificate_type(kind)?.code.to_string();
        let days = self.code_set(SEALING_DAYS)?.name_of(&code)?.parse().ok()?;
        self.working_days_after(acted, days)
    }

    /// The last of so many working days after a day, by the calendar of now.
    pub(crate) fn working_days_after(&self, day: Day, count: u32) -> Option<Day> {
        working_days_after(self.code_set(CALENDAR).map(AsRef::as_ref), day, count)
    }

    /// How many working days a clock of data sharing runs; `None` where nothing limits it.
    pub(crate) fn sharing_days(&self, clock: SharingClock) -> Option<u32> {
        self.code_set(SHARING_DAYS)?.name_of(CLOCKS[clock as usize])?.parse().ok()
    }

    /// A clock that starts on a day. Its due day is reckoned now and stands from then on.
    pub(crate) fn start(&self, clock: SharingClock, day: Day) -> Clock {
        let due = self.sharing_days(clock).and_then(|days| self.working_days_after(day, days));
        Clock { due, done: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fengni_core::record::Code;

    fn day(text: &str) -> Day {
        Day::parse(text).expect("a date")
    }

    #[test]
    fn shr02_an_answer_is_due_after_ten_working_days_and_data_after_twenty() {
        let qingming = vec![Code { code: "20260406".to_owned(), name: "holiday".to_owned() }];
        let calendar = CodeSet { version: 1, name: CALENDAR.to_owned(), codes: qingming };
        for (from, count, plain, with) in [
            ("20260302", 1, "20260303", "20260303"),
            ("20260302", 10, "20260316", "20260316"),
            ("20260312", 20, "20260409", "20260410"),
            ("20260305", 20, "20260402", "20260402"),
            ("20260316", 10, "20260330", "20260330"),
        ] {
            assert_eq!(working_days_after(None, day(from), count), Some(day(plain)), "{count} after {from}");
            assert_eq!(working_days_after(Some(&calendar), day(from), count), Some(day(with)), "{count} after {from}");
        }
    }

    #[test]
    fn o28_working_days_leave_out_weekends_and_what_the_calendar_says() {
        let code = |code: &str, name: &str| Code { code: code.to_owned(), name: name.to_owned() };
        // Qingming 2026: Sunday the 5th, with Monday off; a Saturday is worked instead, for the example.
        let codes = vec![code("20260406", "holiday"), code("20260411", "workday")];
        let calendar = CodeSet { version: 1, name: CALENDAR.to_owned(), codes };
        for (from, count, plain, with) in [
            ("20260302", 5, "20260309", "20260309"),
            ("20260306", 1, "20260309", "20260309"),
            ("20260402", 1, "20260403", "20260403"),
            ("20260403", 1, "20260406", "20260407"),
            ("20260404", 1, "20260406", "20260407"),
            ("20260403", 5, "20260410", "20260411"),
            ("20260403", 6, "20260413", "20260413"),
        ] {
            assert_eq!(working_days_after(None, day(from), count), Some(day(plain)), "{count} after {from}");
            assert_eq!(working_days_after(Some(&calendar), day(from), count), Some(day(with)), "{count} after {from}");
        }
        assert_eq!(working_days_after(None, day("20260302"), 0), None);
        let never = (1..=REACH).map(|days| Day(day("20260302").0 + days));
        let codes = never.map(|day| code(&day.to_string().replace('-', ""), "holiday")).collect();
        let never = CodeSet { version: 1, name: CALENDAR.to_owned(), codes };
        assert_eq!(working_days_after(Some(&never), day("20260302"), 1), None);
    }
}
