//! Problems of a founding document: all of them, each with its place and its remedy.

use std::fmt;

use fengni_state::Fault;

use crate::source::Lines;

/// One thing that is wrong with a founding document.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// The rule it breaks, such as `G-7`.
    pub rule: &'static str,
    /// Line of the text, from 1; `None` where the document did not come from a text.
    pub line: Option<u32>,
    /// Keys that lead to the place, such as `members[2].code`; empty for the whole document.
    pub path: String,
    /// What is wrong.
    pub fault: String,
    /// What to do about it.
    pub next: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        write!(f, "{}; next: {}", self.fault, self.next)
    }
}

/// Every problem found, from the first line to the last; at least one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problems(pub Vec<Problem>);

impl Problems {
    /// The problems, in the order of their lines.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Problem> {
        self.0.iter()
    }
}

/// One problem a line.
impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, problem) in self.0.iter().enumerate() {
            if place > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// Collects problems while a document is judged.
#[derive(Default)]
pub(crate) struct Findings {
    problems: Vec<Problem>,
}

impl Findings {
    /// Notes a problem.
    pub(crate) fn add(
        &mut self,
        rule: &'static str,
        path: impl Into<String>,
        fault: impl Into<String>,
        next: impl Into<String>,
    ) {
        self.problems.push(Problem { rule, line: None, path: path.into(), fault: fault.into(), next: next.into() });
    }

    /// Notes what is wrong with a record.
    pub(crate) fn add_faults(&mut self, record: &str, faults: Vec<Fault>) {
        for Fault { rule, field, fault, next } in faults {
            self.add(rule, format!("{record}.{field}"), fault, next);
        }
    }

    /// Notes a problem whose line is known.
    pub(crate) fn add_at(
        &mut self,
        line: u32,
        rule: &'static str,
        path: impl Into<String>,
        fault: impl Into<String>,
        next: impl Into<String>,
    ) {
        self.add(rule, path, fault, next);
        if let Some(problem) = self.problems.last_mut() {
            problem.line = Some(line);
        }
    }

    /// Whether there is any problem so far.
    pub(crate) fn any(&self) -> bool {
        !self.problems.is_empty()
    }

    /// Whether there is a problem at this place or inside it.
    pub(crate) fn any_under(&self, path: &str) -> bool {
        self.problems.iter().any(|problem| leads(path, &problem.path))
    }

    /// Takes over the problems of a later look, except where an earlier one already found a cause:
    /// a code that cannot be read also looks like a code that is missing.
    pub(crate) fn add_consequences(&mut self, later: Self) {
        let known: Vec<String> = self.problems.iter().map(|problem| problem.path.clone()).collect();
        let is_new =
            |problem: &Problem| !known.iter().any(|known| leads(known, &problem.path) || leads(&problem.path, known));
        self.problems.extend(later.problems.into_iter().filter(is_new));
    }

    /// Nothing, or every problem with its line.
    pub(crate) fn finish(mut self, lines: &Lines) -> Result<(), Problems> {
        if self.problems.is_empty() {
            return Ok(());
        }
        for problem in &mut self.problems {
            problem.line = problem.line.or_else(|| lines.of(&problem.path));
        }
        self.problems.sort_by_key(|problem| problem.line);
        Err(Problems(self.problems))
    }
}

/// Whether `inner` is `outer` or a place inside it.
fn leads(outer: &str, inner: &str) -> bool {
    inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}
