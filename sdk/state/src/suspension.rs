//! Runs of suspended lines in a book's record: put together, and kept few. Rule B-9.

use std::collections::BTreeSet;

use fengni_core::LineNumber;
use fengni_core::book::{Suspension, SuspensionCause};
use fengni_core::limits::SUSPENSIONS;

/// A book's suspensions with more runs of one cause, each from its first to its last line.
pub(crate) fn with_runs(
    suspended: &[Suspension],
    cause: SuspensionCause,
    runs: &[(LineNumber, LineNumber)],
) -> Vec<Suspension> {
    with_runs_at_most(SUSPENSIONS, suspended, cause, runs)
}

/// A book's suspensions without some lines of the causes that `of` names, and how many lines that
/// frees. `None` where more runs would be left than a book keeps.
pub(crate) fn without(
    suspended: &[Suspension],
    (first, last): (LineNumber, LineNumber),
    of: impl Fn(SuspensionCause) -> bool,
) -> Option<(Vec<Suspension>, u64)> {
    let mut left = Vec::with_capacity(suspended.len());
    let mut freed = Vec::new();
    for run in suspended {
        let (from, to) = (run.first.max(first), run.last.min(last));
        if from > to || !of(run.cause) {
            left.push(*run);
            continue;
        }
        freed.push((from.0, to.0));
        if run.first < from {
            left.push(Suspension { last: LineNumber(from.0 - 1), ..*run });
        }
        if to < run.last {
            left.push(Suspension { first: LineNumber(to.0 + 1), ..*run });
        }
    }
    let keys = left.iter().filter(|run| matches!(run.cause, SuspensionCause::Key { .. })).count();
    (keys <= SUSPENSIONS).then(|| (left, count(freed)))
}

/// How many lines are in runs that may overlap.
fn count(mut runs: Vec<(u64, u64)>) -> u64 {
    runs.sort_unstable();
    let (mut lines, mut next) = (0, 0);
    for (first, last) in runs {
        let first = first.max(next);
        if first <= last {
            lines += last - first + 1;
            next = last + 1;
        }
    }
    lines
}

/// The same for another limit than the protocol's.
fn with_runs_at_most(
    limit: usize,
    suspended: &[Suspension],
    cause: SuspensionCause,
    runs: &[(LineNumber, LineNumber)],
) -> Vec<Suspension> {
    let more = runs.iter().map(|(first, last)| Suspension { cause, first: *first, last: *last });
    let mut all: Vec<Suspension> = suspended.iter().copied().chain(more).collect();
    all.sort_unstable();
    // An order has one run in a book, which is no key's to be joined with.
    let orders = all.iter().filter(|run| matches!(run.cause, SuspensionCause::Order { .. })).count();
    at_most(limit + orders, joined(all, |before, next| next.first.0 <= before.last.0.saturating_add(1)))
}

/// Joins neighbours of one cause where `joins` says so of the run before and the next one.
fn joined(sorted: Vec<Suspension>, mut joins: impl FnMut(&Suspension, &Suspension) -> bool) -> Vec<Suspension> {
    let mut kept: Vec<Suspension> = Vec::new();
    for next in sorted {
        match kept.last_mut() {
            Some(before) if before.cause == next.cause && joins(before, &next) => {
                before.last = before.last.max(next.last);
            }
            _ => kept.push(next),
        }
    }
    kept
}

/// Joins the runs that are nearest to one another until no more than `limit` are left.
fn at_most(limit: usize, runs: Vec<Suspension>) -> Vec<Suspension> {
    let excess = runs.len().saturating_sub(limit);
    let pairs = runs.windows(2).filter(|pair| pair[0].cause == pair[1].cause);
    let mut gaps: Vec<_> = pairs.map(|pair| (pair[1].first.0 - pair[0].last.0, pair[1])).collect();
    gaps.sort_unstable();
    let nearest: BTreeSet<Suspension> = gaps.into_iter().take(excess).map(|(_, next)| next).collect();
    joined(runs, |_, next| nearest.contains(next))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use fengni_core::KeyNumber;
    use proptest::prelude::*;

    use super::*;

    fn key(number: u16) -> SuspensionCause {
        SuspensionCause::Key { key: KeyNumber(number) }
    }

    fn runs(pairs: &[(u64, u64)]) -> Vec<(LineNumber, LineNumber)> {
        pairs.iter().map(|(first, last)| (LineNumber(*first), LineNumber(*last))).collect()
    }

    fn shown(suspended: &[Suspension]) -> Vec<(u16, u64, u64)> {
        let one = |it: &Suspension| {
            let SuspensionCause::Key { key } = it.cause else { panic!("these tests know keys alone") };
            (key.0, it.first.0, it.last.0)
        };
        suspended.iter().map(one).collect()
    }

    #[test]
    fn b9_runs_of_one_cause_that_touch_are_one() {
        let first = with_runs(&[], key(4), &runs(&[(7, 9), (0, 2), (3, 3)]));
        assert_eq!(shown(&first), [(4, 0, 3), (4, 7, 9)]);
        let both = with_runs(&first, key(5), &runs(&[(2, 8)]));
        assert_eq!(shown(&both), [(4, 0, 3), (4, 7, 9), (5, 2, 8)]);
        let more = with_runs(&both, key(4), &runs(&[(5, 20), (1, 1)]));
        assert_eq!(shown(&more), [(4, 0, 3), (4, 5, 20), (5, 2, 8)]);
        assert_eq!(with_runs(&more, key(4), &[]), more);
    }

    #[test]
    fn b9_too_many_runs_are_joined_where_they_are_nearest() {
        let sorted: Vec<Suspension> = with_runs(&[], key(4), &runs(&[(0, 0), (5, 5), (7, 7), (9, 9), (30, 40)]));
        assert_eq!(shown(&at_most(4, sorted.clone())), [(4, 0, 0), (4, 5, 7), (4, 9, 9), (4, 30, 40)]);
        assert_eq!(shown(&at_most(2, sorted.clone())), [(4, 0, 9), (4, 30, 40)]);
        // Runs of two causes are never one, however near.
        let both = with_runs(&sorted, key(5), &runs(&[(41, 41)]));
        assert_eq!(shown(&at_most(2, both)), [(4, 0, 40), (5, 41, 41)]);
        let every_other: Vec<(u64, u64)> = (0..3000).map(|line| (line * 2, line * 2)).collect();
        let kept = with_runs(&[], key(4), &runs(&every_other));
        assert_eq!(kept.len(), SUSPENSIONS);
        assert!(every_other.iter().all(|(line, _)| kept.iter().any(|run| run.covers(LineNumber(*line)))));
    }
    /// A second author's record: for each key the lines it holds, ticked off one by one.
    #[derive(Default)]
    struct Ticked(BTreeMap<u16, BTreeSet<u64>>);

    impl Ticked {
        fn runs(&self) -> Vec<(u16, u64, u64)> {
            let mut runs: Vec<(u16, u64, u64)> = Vec::new();
            for (key, lines) in &self.0 {
                for line in lines {
                    match runs.last_mut() {
                        Some(run) if run.0 == *key && run.2 + 1 == *line => run.2 = *line,
                        _ => runs.push((*key, *line, *line)),
                    }
                }
            }
            runs
        }

        /// The first of the narrowest gaps between two runs of one key: the key, and the lines in it.
        fn narrowest(&self) -> Option<(u16, Vec<u64>)> {
            let mut narrowest: Option<(u16, Vec<u64>)> = None;
            for pair in self.runs().windows(2) {
                let gap: Vec<u64> = (pair[0].2 + 1..pair[1].1).collect();
                if pair[0].0 == pair[1].0 && narrowest.as_ref().is_none_or(|(_, known)| gap.len() < known.len()) {
                    narrowest = Some((pair[0].0, gap));
                }
            }
            narrowest
        }

        fn add(&mut self, limit: usize, key: u16, runs: &[(u64, u64)]) {
            let lines = self.0.entry(key).or_default();
            for (first, last) in runs {
                lines.extend(*first..=*last);
            }
            while self.runs().len() > limit {
                let Some((key, gap)) = self.narrowest() else { break };
                self.0.entry(key).or_default().extend(gap);
            }
        }
    }

    proptest! {
        #[test]
        fn b9_runs_are_those_of_lines_ticked_off_one_by_one(
            limit in 1usize..8,
            revocations in prop::collection::vec(
                (4u16..7, prop::collection::vec((0u64..60, 0u64..4), 0..12)),
                1..6,
            ),
        ) {
            let (mut kept, mut ticked) = (Vec::new(), Ticked::default());
            for (number, sealed) in &revocations {
                let pairs: Vec<(u64, u64)> = sealed.iter().map(|(first, more)| (*first, first + more)).collect();
                kept = with_runs_at_most(limit, &kept, key(*number), &runs(&pairs));
                ticked.add(limit, *number, &pairs);
                prop_assert_eq!(shown(&kept), ticked.runs());
            }
        }
    }
}
