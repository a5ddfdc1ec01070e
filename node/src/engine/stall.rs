//! Stalls: why no block comes, in one sentence with the next step.

use std::collections::BTreeSet;
use std::time::Duration;

use fengni_core::{Height, MemberNumber, ValidatorSet};

/// Work of the ledger that takes longer points at the disk.
const WORK_MAX: Duration = Duration::from_secs(3);

/// What is known while no block comes.
#[derive(Debug)]
pub(crate) struct Stall {
    /// Since when.
    pub(crate) since: Duration,
    /// The height in progress.
    pub(crate) height: Height,
    /// The round in progress.
    pub(crate) round: u32,
    /// Peers connected.
    pub(crate) peers: usize,
    /// The oldest piece of work that the ledger has not finished, and for how long.
    pub(crate) work: Option<(&'static str, Duration)>,
    /// What was noted meanwhile: a sentence, with its next step where it has one.
    pub(crate) note: Option<String>,
    /// Whose votes can be had, once the validators are known.
    pub(crate) quorum: Option<Quorum>,
}

/// Whose votes can be had.
#[derive(Debug)]
pub(crate) struct Quorum {
    reached: u64,
    total: u64,
    needed: u64,
    absent: Vec<MemberNumber>,
}

impl Quorum {
    /// Counts the votes of the members that are connected, this node's own among them if it votes.
    pub(crate) fn count(set: &ValidatorSet, connected: &BTreeSet<MemberNumber>) -> Self {
        let (there, absent): (Vec<_>, Vec<_>) = set.iter().partition(|validator| connected.contains(&validator.member));
        Self {
            reached: there.iter().map(|validator| validator.power).sum(),
            total: set.power(),
            needed: set.quorum(),
            absent: absent.iter().map(|validator| validator.member).collect(),
        }
    }
}

impl Stall {
    /// The most likely cause, and what to do.
    fn cause(&self) -> String {
        if let Some((what, time)) = self.work.filter(|(_, time)| *time >= WORK_MAX) {
            let secs = time.as_secs();
            return format!(
                "the ledger has tried to {what} for {secs} s; next: look at the disk under the data folder"
            );
        }
        if let Some(note) = &self.note {
            return note.clone();
        }
        match &self.quorum {
            Some(Quorum { reached, total, needed, absent }) if reached < needed => {
                let absent: Vec<String> = absent.iter().map(ToString::to_string).collect();
                format!(
                    "validators with {reached} of {total} votes are connected and {needed} are needed; next: see to the \
                     nodes of members {} and to the network between",
                    absent.join(", ")
                )
            }
            _ if self.peers == 0 => {
                "nobody is connected; next: see to the network, and that [[network.peers]] names addresses that answer"
                    .to_owned()
            }
            _ => "enough validators are connected; next: run fengni doctor on each, clocks first".to_owned(),
        }
    }
}

impl std::fmt::Display for Stall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { since, height, round, peers, .. } = self;
        let secs = since.as_secs();
        write!(f, "no block for {secs} s: height {height} round {round}, {peers} peers connected; {}", self.cause())
    }
}

#[cfg(test)]
mod tests {
    use fengni_core::Validator;

    use super::super::signing::tests::key;
    use super::*;

    fn stall() -> Stall {
        let since = Duration::from_secs(11);
        Stall { since, height: Height(8), round: 2, peers: 3, work: None, note: None, quorum: None }
    }

    #[test]
    fn each_cause_is_told_with_its_next_step() {
        let set = (0..4).map(|member| Validator {
            member: MemberNumber(member),
            key: key(u8::try_from(member).expect("small")).public(),
            power: 1,
        });
        let set = ValidatorSet::new(set.collect()).expect("a set");
        let quorum = |members: &[u32]| {
            let connected = members.iter().map(|member| MemberNumber(*member)).collect();
            Some(Quorum::count(&set, &connected))
        };
        let slow = Some(("make a block final", Duration::from_secs(9)));
        let quick = Some(("make a block final", Duration::from_millis(9)));
        let note = Some("the clock is wrong; next: set it".to_owned());
        let cases = [
            (Stall { work: slow, quorum: quorum(&[0]), ..stall() }, "tried to make a block final for 9 s"),
            (Stall { note, work: quick, quorum: quorum(&[0]), ..stall() }, "the clock is wrong"),
            (
                Stall { quorum: quorum(&[0, 2]), ..stall() },
                "2 of 4 votes are connected and 3 are needed; next: see to \
                                                           the nodes of members 1, 3",
            ),
            (Stall { quorum: quorum(&[0, 1, 2]), ..stall() }, "enough validators are connected"),
            (Stall { peers: 0, ..stall() }, "nobody is connected"),
        ];
        for (stall, expected) in cases {
            let said = stall.to_string();
            assert!(said.starts_with("no block for 11 s: height 8 round 2"), "{said}");
            assert!(said.contains(expected) && said.contains("; next: "), "{said}");
        }
    }
}
