//! Forecasts: what the network would be after a measure, and what would lock it.
//!
//! The same function as on the ledger enacts the measure, on a copy of the registries; what is
//! asked here is what no rule refuses and people may still regret.

use fengni_core::book::Book;
use fengni_core::outcome::Refusal;
use fengni_core::record::{KeyPurpose, Measure, MemberStatus, ProposalStatus};
use fengni_core::{Day, Domain, Height, MemberNumber, ProposalNumber, PublicKey};
use fengni_state::{Moment, Registries, enact};
use serde::Serialize;

/// A validator in the set.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(super) struct Seat {
    pub(super) member: MemberNumber,
    pub(super) power: u64,
    #[serde(skip)]
    key: PublicKey,
}

/// The network as it is at a height.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(super) struct Outlook {
    /// Who votes on blocks.
    pub(super) validators: Vec<Seat>,
    /// All their power.
    pub(super) power: u64,
    /// The power that makes a block final.
    pub(super) quorum: u64,
    /// How many validators may fail, whichever they are.
    pub(super) may_fail: usize,
    /// Who votes on the next proposals.
    pub(super) voters: Vec<MemberNumber>,
    /// How many of them must approve.
    pub(super) needed: usize,
}

impl Outlook {
    /// The network that these registries describe.
    pub(super) fn of(registries: &Registries, height: Height) -> Self {
        let set = registries.validators(height);
        let seats = set.iter().flat_map(|set| set.iter());
        let validators: Vec<Seat> = seats.map(|it| Seat { member: it.member, power: it.power, key: it.key }).collect();
        let (power, quorum) = set.map_or((0, 0), |set| (set.power(), set.quorum()));
        let voters: Vec<MemberNumber> = (0..)
            .map(MemberNumber)
            .zip(registries.members.iter())
            .filter(|(_, member)| member.is_voter())
            .map(|(number, _)| number)
            .collect();
        let needed = registries.parameters().voting.needed(voters.len());
        let mut outlook = Self { validators, power, quorum, may_fail: 0, voters, needed };
        outlook.may_fail = outlook.may_fail();
        outlook
    }

    /// The power that may be silent while blocks still become final.
    fn spare(&self) -> u64 {
        self.power.saturating_sub(self.quorum)
    }

    /// How many may fail, counting the most powerful first.
    fn may_fail(&self) -> usize {
        let mut powers: Vec<u64> = self.validators.iter().map(|seat| seat.power).collect();
        powers.sort_unstable_by(|one, other| other.cmp(one));
        let mut left = self.spare();
        powers.iter().take_while(|power| left.checked_sub(**power).map(|rest| left = rest).is_some()).count()
    }
}

/// What would lock the network, or may.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "warning", rename_all = "kebab-case")]
pub(super) enum Warning {
    /// Without this validator no block becomes final.
    StopsAlone { member: MemberNumber, power: u64, of: u64 },
    /// Validators that begin, or begin with another key, and that nobody saw connected: if none of
    /// them comes, no block becomes final.
    Untried { members: Vec<MemberNumber>, power: u64, spare: u64 },
    /// A voter that can sign nothing.
    NoAdminKey { member: MemberNumber },
    /// A voter that one lost key silences.
    OneAdminKey { member: MemberNumber },
    /// The same, and no member above it could replace the key: only a vote.
    NobodyAbove { member: MemberNumber },
    /// No validator may leave any more.
    AtMinimum { validators: usize },
    /// One voter that is lost stops every decision.
    EveryVoter { voters: usize, needed: usize },
    /// Once a voter is lost, no vote removes it.
    NoRemoval { voters: usize, needed: usize },
}

/// What is doubtful about registries, whatever came before.
fn doubts(registries: &Registries, height: Height) -> Vec<Warning> {
    let outlook = Outlook::of(registries, height);
    let (power, spare) = (outlook.power, outlook.spare());
    let heavy = outlook.validators.iter().filter(|seat| seat.power > spare);
    let mut found: Vec<Warning> =
        heavy.map(|seat| Warning::StopsAlone { member: seat.member, power: seat.power, of: power }).collect();
    found.extend(outlook.voters.iter().flat_map(|voter| key_doubts(registries, *voter, height)));
    let (voters, needed) = (outlook.voters.len(), outlook.needed);
    if needed >= voters {
        found.push(Warning::EveryVoter { voters, needed });
    }
    // The one to be removed does not count in its own vote.
    let removing = registries.parameters().voting.needed(voters.saturating_sub(1));
    if removing > voters.saturating_sub(1) {
        found.push(Warning::NoRemoval { voters: voters.saturating_sub(1), needed: removing });
    }
    let validators = outlook.validators.len();
    if u64::try_from(validators).is_ok_and(|count| count <= u64::from(registries.parameters().validators_min)) {
        found.push(Warning::AtMinimum { validators });
    }
    found
}

fn key_doubts(registries: &Registries, number: MemberNumber, height: Height) -> Vec<Warning> {
    let Some(member) = registries.members.get(number.0) else { return Vec::new() };
    let good = member.keys.iter().filter(|key| key.purpose == KeyPurpose::Admin && key.is_valid_at(height)).count();
    let above = member.superior.and_then(|superior| registries.members.get(superior.0));
    let is_reached = above.is_some_and(|above| {
        above.status == MemberStatus::Active && above.key_for(KeyPurpose::Admin, height).is_some()
    });
    let nobody = (good <= 1 && !is_reached).then_some(Warning::NobodyAbove { member: number });
    let few = match good {
        0 => Some(Warning::NoAdminKey { member: number }),
        1 => Some(Warning::OneAdminKey { member: number }),
        _ => None,
    };
    few.into_iter().chain(nobody).collect()
}

/// Validators that are not there today: new ones, and old ones with another key.
fn untried(before: &Outlook, after: &Outlook, connected: &[MemberNumber]) -> Option<Warning> {
    let is_known = |seat: &Seat| before.validators.iter().any(|old| (old.member, old.key) == (seat.member, seat.key));
    let fresh = after.validators.iter().filter(|seat| !is_known(seat) && !connected.contains(&seat.member));
    let (members, powers): (Vec<MemberNumber>, Vec<u64>) = fresh.map(|seat| (seat.member, seat.power)).unzip();
    let (power, spare) = (powers.iter().sum(), after.spare());
    (power > spare).then_some(Warning::Untried { members, power, spare })
}

/// The network as it is, for a measure to be tried on.
#[derive(Clone, Copy)]
pub(super) struct Present<'a> {
    /// The registries.
    pub(super) registries: &'a Registries,
    /// Every book, where the measure is about one.
    pub(super) books: &'a [Book],
    /// The newest final height.
    pub(super) newest: Height,
    /// The day.
    pub(super) today: Day,
}

/// What a measure would do.
#[derive(Clone)]
pub(super) struct Forecast {
    /// The registries at the height, without the measure.
    pub(super) before: Registries,
    /// The same with it.
    pub(super) after: Registries,
    /// Proposals that passed and take effect first.
    pub(super) ahead: Vec<ProposalNumber>,
    /// Doubts that the measure brings.
    pub(super) warnings: Vec<Warning>,
    /// Doubts that were there before.
    pub(super) standing: Vec<Warning>,
}

/// Tries a measure.
///
/// - `connected`: members whose node somebody has seen connected.
///
/// # Errors
/// What the ledger would refuse it with.
pub(super) fn forecast(
    present: Present<'_>,
    domain: &Domain,
    measure: &Measure,
    effective: Height,
    connected: &[MemberNumber],
) -> Result<Forecast, Refusal> {
    let Present { registries: now, newest, today, .. } = present;
    let books: Vec<&Book> = present.books.iter().collect();
    let at = |effective| Moment { next: newest.next(), effective, today };
    let mut before = now.clone();
    let ahead = passed(now, effective);
    for (number, height) in &ahead {
        let Some(proposal) = now.proposals.get(number.0) else { continue };
        // One that fails by then changes nothing.
        let _ = enact(&mut before, &books, domain, at(*height), &proposal.measure);
    }
    let mut after = before.clone();
    enact(&mut after, &books, domain, at(effective), measure)?;
    // Compared with the set of today: newcomers of proposals that passed may not have come either.
    let present = Outlook::of(now, newest.next());
    let of = |registries: &Registries| {
        let mut found = doubts(registries, effective);
        found.extend(untried(&present, &Outlook::of(registries, effective), connected));
        found
    };
    let (standing, mut warnings) = (of(&before), of(&after));
    warnings.retain(|warning| !standing.contains(warning));
    Ok(Forecast { before, after, ahead: ahead.into_iter().map(|(number, _)| number).collect(), warnings, standing })
}

/// Proposals that passed and are enacted before a height, in their order. Admissions are there
/// since they passed.
fn passed(now: &Registries, effective: Height) -> Vec<(ProposalNumber, Height)> {
    let all = (0..).map(ProposalNumber).zip(now.proposals.iter());
    let waiting = all.filter(|(_, it)| {
        matches!(it.status, ProposalStatus::Passed { .. })
            && !matches!(it.measure, Measure::Admit { .. })
            && it.effective <= effective
    });
    let mut waiting: Vec<_> = waiting.map(|(number, it)| (number, it.effective)).collect();
    waiting.sort_by_key(|(number, at)| (*at, *number));
    waiting
}

#[cfg(test)]
mod tests {
    use fengni_core::Millis;
    use fengni_core::record::{Parameters, Role, Roles};
    use fengni_genesis::sample;
    use fengni_state::State;

    use super::*;

    const NOW: Height = Height(10);
    const EFFECTIVE: Height = Height(50);

    /// The sample network: four validators of power 1, and four members that do not vote.
    fn network() -> (Domain, Registries) {
        let genesis = sample::network(Millis(1_800_000_000_000), &sample::test_key).check().expect("the sample");
        (genesis.domain(), State::found(genesis.domain(), genesis.founding()).registries().clone())
    }

    fn member(key: &str) -> MemberNumber {
        sample::member(key).expect("a sample member")
    }

    fn change(registries: &Registries, key: &str, roles: &[Role], power: u64) -> Measure {
        let number = member(key);
        let record = registries.members.get(number.0).expect("a sample member");
        let (superior, status) = (record.superior, record.status);
        Measure::ChangeMember { member: number, superior, roles: Roles::of(roles), power, status }
    }

    fn present(registries: &Registries) -> Present<'_> {
        Present { registries, books: &[], newest: NOW, today: Day::of(Millis(1_800_000_000_000)) }
    }

    fn tried(measure: &Measure) -> Result<Forecast, Refusal> {
        let (domain, registries) = network();
        forecast(present(&registries), &domain, measure, EFFECTIVE, &[])
    }

    #[test]
    fn a_set_of_four_outlasts_one_and_three_of_four_decide() {
        let (_, registries) = network();
        let outlook = Outlook::of(&registries, NOW);
        assert_eq!((outlook.validators.len(), outlook.power, outlook.quorum, outlook.may_fail), (4, 4, 3, 1));
        assert_eq!((outlook.voters.len(), outlook.needed), (4, 3));
        assert_eq!(doubts(&registries, NOW), [Warning::AtMinimum { validators: 4 }]);
    }

    #[test]
    fn what_the_ledger_would_refuse_is_refused_by_the_same_rule() {
        assert_eq!(tried(&Measure::Remove { member: member("HRS") }).err(), Some(Refusal::TooFewValidators));
        assert_eq!(tried(&Measure::Remove { member: MemberNumber(99) }).err(), Some(Refusal::UnknownMember));
    }

    #[test]
    fn power_that_nothing_goes_on_without_is_a_warning() {
        let (_, registries) = network();
        let roles = [Role::Validator, Role::Issuer, Role::Provider, Role::Verifier];
        let found = tried(&change(&registries, "PSB", &roles, 2)).expect("no rule against it");
        assert_eq!(found.warnings, [Warning::StopsAlone { member: member("PSB"), power: 2, of: 5 }]);
        assert_eq!(found.standing, [Warning::AtMinimum { validators: 4 }]);
        let outlook = Outlook::of(&found.after, EFFECTIVE);
        assert_eq!((outlook.power, outlook.quorum, outlook.may_fail), (5, 4, 0));
    }

    #[test]
    fn fewer_validators_than_outlast_one_are_warned_of_each() {
        let (domain, mut registries) = network();
        let parameters = Parameters { validators_min: 3, ..registries.parameters().clone() };
        registries.parameters.replace(0, parameters);
        let remove = Measure::Remove { member: member("HRS") };
        let found = forecast(present(&registries), &domain, &remove, EFFECTIVE, &[]).expect("three are enough by rule");
        let alone = |warning: &&Warning| matches!(warning, Warning::StopsAlone { of: 3, .. });
        assert_eq!(found.warnings.iter().filter(alone).count(), 3);
        assert!(found.warnings.contains(&Warning::EveryVoter { voters: 3, needed: 3 }));
        assert!(found.warnings.contains(&Warning::AtMinimum { validators: 3 }));
    }

    #[test]
    fn a_member_that_loses_its_admin_keys_is_warned_of_and_one_at_the_top_twice() {
        let (domain, registries) = network();
        let admins = |key: &str| {
            let record = registries.members.get(member(key).0).expect("a sample member");
            let of = |place: usize| record.keys[place].purpose == KeyPurpose::Admin;
            let numbers = (0..record.keys.len()).filter(|place| of(*place));
            numbers.map(|place| fengni_core::KeyNumber(u16::try_from(place).expect("few"))).collect::<Vec<_>>()
        };
        let end_one =
            |key: &str| Measure::ReplaceKeys { member: member(key), ends: admins(key)[..1].to_vec(), keys: vec![] };
        let tried = |measure: Measure| forecast(present(&registries), &domain, &measure, EFFECTIVE, &[]);
        let below = tried(end_one("PSB")).expect("one is left");
        assert_eq!(below.warnings, [Warning::OneAdminKey { member: member("PSB") }]);
        let top = tried(end_one("GOV")).expect("one is left");
        let (gov, one) = (member("GOV"), Warning::OneAdminKey { member: member("GOV") });
        assert_eq!(top.warnings, [one, Warning::NobodyAbove { member: gov }]);
        let none = Measure::ReplaceKeys { member: gov, ends: admins("GOV"), keys: vec![] };
        assert_eq!(tried(none).err(), Some(Refusal::LastKey));
    }

    #[test]
    fn new_validators_that_nobody_saw_connected_may_be_no_more_than_may_fail() {
        let (_, registries) = network();
        let outlook = Outlook::of(&registries, NOW);
        let seats = |numbers: &[u32]| {
            let key = |number: u32| outlook.validators[number as usize % 4].key;
            let seat = |number: &u32| Seat { member: MemberNumber(*number), power: 1, key: key(*number) };
            let validators: Vec<Seat> = numbers.iter().map(seat).collect();
            let power = validators.len() as u64;
            Outlook { validators, power, quorum: power * 2 / 3 + 1, ..outlook.clone() }
        };
        let (before, one, three) = (seats(&[0, 1, 2, 3]), seats(&[0, 1, 2, 3, 4]), seats(&[0, 1, 2, 3, 4, 5, 6]));
        assert_eq!(untried(&before, &one, &[]), None);
        let members = vec![MemberNumber(4), MemberNumber(5), MemberNumber(6)];
        assert_eq!(untried(&before, &three, &[]), Some(Warning::Untried { members, power: 3, spare: 2 }));
        assert_eq!(untried(&before, &three, &[MemberNumber(4)]), None);
        let mut other_key = before.clone();
        other_key.validators[0].key = outlook.validators[1].key;
        other_key.validators[1].key = outlook.validators[0].key;
        let members = vec![MemberNumber(0), MemberNumber(1)];
        assert_eq!(untried(&before, &other_key, &[]), Some(Warning::Untried { members, power: 2, spare: 1 }));
    }
}
