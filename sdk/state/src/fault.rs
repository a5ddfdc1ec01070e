//! Faults: what is wrong with a record that a founding or a vote would put in force.

use std::fmt::Display;
use std::ops::RangeInclusive;

use fengni_core::limits;

/// What is wrong with a field of a record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// The rule it breaks, such as `G-10`.
    pub rule: &'static str,
    /// Its name, such as `weights.line`; empty for the whole record.
    pub field: String,
    /// What is wrong.
    pub fault: String,
    /// What to do.
    pub next: String,
}

/// Collects what is wrong with a record by one rule.
pub(crate) struct Found {
    rule: &'static str,
    faults: Vec<Fault>,
}

impl Found {
    pub(crate) fn by(rule: &'static str) -> Self {
        Self { rule, faults: Vec::new() }
    }

    pub(crate) fn faults(self) -> Vec<Fault> {
        self.faults
    }

    pub(crate) fn add(&mut self, field: impl Into<String>, fault: impl Into<String>, next: impl Into<String>) {
        let (field, fault, next) = (field.into(), fault.into(), next.into());
        self.faults.push(Fault { rule: self.rule, field, fault, next });
    }

    pub(crate) fn within<T: PartialOrd + Display>(&mut self, field: &str, value: T, range: RangeInclusive<T>) {
        if !range.contains(&value) {
            let fault = format!("{value} is outside {} to {}", range.start(), range.end());
            self.add(field, fault, "choose a value inside");
        }
    }

    pub(crate) fn name(&mut self, field: impl Into<String>, name: &str) {
        if let Some(fault) = name_fault(name) {
            self.add(field, fault, NAME_NEXT);
        }
    }

    /// Rule G-4: a list inside a record.
    pub(crate) fn count(&mut self, field: impl Into<String>, count: usize) {
        if let Some(fault) = count_fault(count) {
            self.add(field, fault, "shorten the list");
        }
    }

    /// Rule G-2: a set is written in rising order, each entry once.
    pub(crate) fn rising<T: Ord>(&mut self, field: impl Into<String>, values: &[T]) {
        if !rises(values) {
            let (fault, next) = ("is not in rising order".into(), "sort it and name each entry once".into());
            self.faults.push(Fault { rule: "G-2", field: field.into(), fault, next });
        }
    }
}

/// What to do about a name.
pub const NAME_NEXT: &str = "write a name of 1 to 300 bytes";

/// Rule G-4: what is wrong with a name that people see.
pub fn name_fault(name: &str) -> Option<String> {
    Some(if name.is_empty() {
        "is empty".to_owned()
    } else if name.len() > limits::NAME_BYTES {
        format!("has {} bytes, above the limit of {}", name.len(), limits::NAME_BYTES)
    } else if name.trim() != name {
        "begins or ends with a blank".to_owned()
    } else if name.chars().any(char::is_control) {
        "contains a control character".to_owned()
    } else {
        return None;
    })
}

/// Rule G-4: what is wrong with the length of a list inside a record.
pub fn count_fault(count: usize) -> Option<String> {
    let limit = limits::RECORD_ENTRIES;
    (count > limit).then(|| format!("{count} entries are above the limit of {limit}"))
}

/// Rule G-2: whether a set is written in rising order, each entry once.
pub fn rises<T: Ord>(values: &[T]) -> bool {
    values.windows(2).all(|pair| pair[0] < pair[1])
}
