//! Derived claims: what an issuer computes from another field, so that it can be shown alone.
//!
//! Old enough or not is what a counter asks; the birth date is what it should not get (VER-06).
//! The answer is computed once, at issue, and sealed with a salt of its own. Rule X-10.

use super::{CertificateError, ClaimValue};
use crate::day::Day;
use crate::record::{DerivedRule, Schema};

/// What a derived claim says when it holds.
const YES: &str = "是";
/// What it says otherwise.
const NO: &str = "否";

/// Rule X-10: the value that follows from a source on the day of issue. An absent source gives an
/// absent value.
///
/// # Errors
/// [`CertificateError::Value`] where the source is no date `YYYY-MM-DD`.
pub fn derive(
    rule: DerivedRule,
    source: Option<&ClaimValue>,
    issued: Day,
) -> Result<Option<ClaimValue>, CertificateError> {
    let Some(source) = source else { return Ok(None) };
    let DerivedRule::AgeAtIssue { years } = rule;
    let wrong = || CertificateError::Value { bytes: source.as_str().len() };
    let (year, month, day) = date(source.as_str()).ok_or_else(wrong)?;
    // Compared as year, month, day: who is born on 29 February is a year older on 1 March.
    let reached = (year + u32::from(years), month, day);
    let today = date(&issued.to_string()).ok_or_else(wrong)?;
    ClaimValue::new(if reached <= today { YES } else { NO }).map(Some)
}

/// Rule X-10: computes the derived values that are not there yet. Values that are there stay, and
/// are judged where the certificate is made.
///
/// - `values`: one for each field of `schema`, in its order.
///
/// # Errors
/// [`CertificateError::Derived`] where a source is no date.
pub fn fill_derived(schema: &Schema, issued: Day, values: &mut [Option<ClaimValue>]) -> Result<(), CertificateError> {
    for (place, spec) in schema.claims.iter().enumerate() {
        let Some(derived) = spec.derived else { continue };
        let source = usize::from(derived.from);
        let source_label = || schema.claims.get(source).map_or_else(String::new, |spec| spec.label.clone());
        let wrong = || CertificateError::Derived { label: spec.label.clone(), source_label: source_label() };
        let value =
            derive(derived.rule, values.get(source).ok_or_else(wrong)?.as_ref(), issued).map_err(|_| wrong())?;
        let own = values.get_mut(place).ok_or_else(wrong)?;
        if own.is_none() {
            *own = value;
        }
    }
    Ok(())
}

/// A calendar date of the years 1800 to 9999: people were born before the ledger's days begin.
fn date(text: &str) -> Option<(u32, u32, u32)> {
    let mut parts = text.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let digits = |part: &str, width: usize| part.len() == width && part.bytes().all(|byte| byte.is_ascii_digit());
    if parts.next().is_some() || !digits(year, 4) || !digits(month, 2) || !digits(day, 2) {
        return None;
    }
    let (year, month, day) = (year.parse::<u32>().ok()?, month.parse::<u32>().ok()?, day.parse::<u32>().ok()?);
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => return None,
    };
    ((1800..=9999).contains(&year) && (1..=days).contains(&day)).then_some((year, month, day))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn over_18(born: &str, issued: &str) -> Option<String> {
        let source = ClaimValue::new(born).expect("short text");
        let issued = Day::parse(issued).expect("a real date");
        let value = derive(DerivedRule::AgeAtIssue { years: 18 }, Some(&source), issued).ok()?;
        value.map(|value| value.as_str().to_owned())
    }

    #[test]
    fn x10_the_age_is_that_of_the_day_of_issue() {
        let cases = [
            ("1990-03-07", "2026-03-02", Some("是")),
            ("1949-05-12", "2026-03-02", Some("是")),
            ("2008-03-01", "2026-03-02", Some("是")),
            ("2008-03-02", "2026-03-02", Some("是")),
            ("2008-03-03", "2026-03-02", Some("否")),
            ("2008-02-29", "2026-02-28", Some("否")),
            ("2008-02-29", "2026-03-01", Some("是")),
            ("2018-06-01", "2026-03-02", Some("否")),
            ("2007-02-29", "2026-03-02", None),
            ("19900307", "2026-03-02", None),
            ("1990-3-7", "2026-03-02", None),
            ("1990-13-07", "2026-03-02", None),
        ];
        for (born, issued, value) in cases {
            assert_eq!(over_18(born, issued).as_deref(), value, "{born} {issued}");
        }
        let absent = derive(DerivedRule::AgeAtIssue { years: 18 }, None, Day::default());
        assert_eq!(absent, Ok(None));
    }
}
