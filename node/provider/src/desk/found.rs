//! What was found: from rows of the database to results.

use std::cmp::Ordering;

use fengni_core::record::Mode;
use fengni_core::sharing::{Comparison, FieldValue, ResultCode, Test};
use thiserror::Error;

use crate::data::{Column, Found, ValueError};

/// What came of a question that was looked up.
#[derive(Clone)]
pub(super) struct Outcome {
    pub(super) result: ResultCode,
    /// What is handed over.
    pub(super) values: Vec<FieldValue>,
    /// What was looked at, for the receipt's salted digest; none where there is no record.
    pub(super) looked_at: Option<Vec<FieldValue>>,
}

/// Why nothing can be said. Repeats nothing of what was asked or is held.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub(super) enum Unclear {
    /// There are several records.
    #[error("the database has more than one record of a subject")]
    Several,
    /// Values that cannot be compared.
    #[error(transparent)]
    Value(#[from] ValueError),
}

/// Whether every test suits its field.
pub(super) fn check_tests(tests: &[Test], fields: &[u16], columns: &[&Column]) -> Result<(), ValueError> {
    tests.iter().try_for_each(|test| {
        let column = column_of(test, fields, columns)?;
        column.kind.check(test.value.as_str(), test.is != Comparison::Equal)
    })
}

/// The result of a question.
///
/// - `columns`: of `fields`, in their order.
pub(super) fn outcome(
    mode: Mode,
    tests: &[Test],
    fields: &[u16],
    columns: &[&Column],
    found: Found,
) -> Result<Outcome, Unclear> {
    let row = match found {
        Found::None => return Ok(Outcome { result: ResultCode::NotFound, values: Vec::new(), looked_at: None }),
        Found::Many => return Err(Unclear::Several),
        Found::Unfit => return Err(ValueError::Held.into()),
        Found::One(row) => row,
    };
    let record: Vec<FieldValue> = fields.iter().copied().zip(row).collect();
    if mode != Mode::Verify {
        return Ok(Outcome { result: ResultCode::Answered, values: record.clone(), looked_at: Some(record) });
    }
    let mut holds = true;
    for test in tests {
        holds &= does_hold(test, fields, columns, &record)?;
    }
    let result = if holds { ResultCode::Yes } else { ResultCode::No };
    Ok(Outcome { result, values: Vec::new(), looked_at: Some(record) })
}

/// Whether a test holds; where there is no value, none does.
fn does_hold(test: &Test, fields: &[u16], columns: &[&Column], record: &[FieldValue]) -> Result<bool, ValueError> {
    let column = column_of(test, fields, columns)?;
    let held = record.iter().find(|(field, _)| *field == test.field).and_then(|(_, value)| value.as_deref());
    let Some(held) = held else { return Ok(false) };
    let order = column.kind.compare(held, test.value.as_str())?;
    Ok(match test.is {
        Comparison::Equal => order == Some(Ordering::Equal),
        Comparison::AtLeast => order.is_some_and(Ordering::is_ge),
        Comparison::AtMost => order.is_some_and(Ordering::is_le),
    })
}

fn column_of<'a>(test: &Test, fields: &[u16], columns: &[&'a Column]) -> Result<&'a Column, ValueError> {
    let place = fields.binary_search(&test.field).map_err(|_| ValueError::Asked)?;
    columns.get(place).copied().ok_or(ValueError::Asked)
}
