//! Parameters with which a network can run, whether founded so or voted for. Rules G-13 and R-11.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use fengni_core::PublicKey;
use fengni_core::limits;
use fengni_core::record::Parameters;

use crate::fault::{Fault, Found};

/// The longest window: replays are remembered for as many blocks.
const WINDOW_MAX: u64 = 100_000;
/// A clock that is further ahead is broken.
const CLOCK_AHEAD_MILLIS_MAX: u64 = 60_000;
/// Three blocks must fit into it, so that an idle network stays online.
const ONLINE_AGE_SECS: RangeInclusive<u32> = 3..=3_600;
const YEAR_SECS: u64 = 366 * 86_400;
/// Heights between a proposal and its effect: a year of idle blocks, and some.
const HORIZON_MAX: u64 = 100_000_000;
/// The longest delay of a recovery: a network that stands still for longer is founded again.
const RECOVERY_DELAY_SECS_MAX: u64 = 90 * 86_400;

/// Everything that is wrong with parameters; nothing where a network can run with them.
pub fn parameter_faults(parameters: &Parameters) -> Vec<Fault> {
    let mut found = Found::by("G-5");
    found.within("window", parameters.window, 1..=WINDOW_MAX);
    found.within("clock_ahead_millis", parameters.clock_ahead_millis, 1..=CLOCK_AHEAD_MILLIS_MAX);
    found.within("online_age_secs", parameters.online_age_secs, ONLINE_AGE_SECS);
    let online_age = u64::from(parameters.online_age_secs);
    found.within("trusting_period_secs", parameters.trusting_period_secs, online_age..=YEAR_SECS);
    let lines = u32::try_from(limits::SEAL_LINES).unwrap_or(u32::MAX);
    found.within("solo_seal_lines", parameters.solo_seal_lines, 0..=lines);
    found.within("terminal_acts_per_day", parameters.terminal_acts_per_day, 1..=u32::MAX);
    let validators = u32::try_from(limits::VALIDATORS).unwrap_or(u32::MAX);
    found.within("validators_min", parameters.validators_min, 1..=validators);
    found.weights(parameters);
    found.voting(parameters);
    found.faults()
}

/// Rule G-13: everything that is wrong with recovery terms, by their fields.
///
/// - `members`: the keys that are, or were, members'.
pub fn recovery_faults(parameters: &Parameters, members: impl IntoIterator<Item = PublicKey>) -> Vec<Fault> {
    let mut found = Found::by("G-13");
    let Some(terms) = &*parameters.recovery else { return found.faults() };
    let mut used: BTreeSet<PublicKey> = members.into_iter().collect();
    for (place, key) in terms.keys.iter().enumerate() {
        if !used.insert(*key) {
            let fault = "is a member's key, or stands there twice".to_owned();
            found.add(format!("keys[{place}]"), fault, "make a key for recovery alone");
        }
    }
    let (count, most) = (terms.keys.len(), limits::RECOVERY_KEYS);
    if !(1..=most).contains(&count) {
        found.add("keys", format!("{count} keys are outside 1 to {most}"), "name a few, or leave [recovery] out");
    }
    if !(1..=count.max(1)).contains(&usize::from(terms.threshold)) {
        let fault = format!("{} is outside 1 to the number of keys, {count}", terms.threshold);
        found.add("threshold", fault, "let more than half of the keys sign");
    }
    if terms.delay_secs > parameters.trusting_period_secs / 2 {
        let fault = format!("{} is more than half of trusting_period_secs", terms.delay_secs);
        found.add("delay_secs", fault, "shorten it: checkpoints grow too old meanwhile, and no reader follows");
    }
    if !(1..=RECOVERY_DELAY_SECS_MAX).contains(&terms.delay_secs) {
        let fault = format!("{} is outside 1 to {RECOVERY_DELAY_SECS_MAX}", terms.delay_secs);
        found.add("delay_secs", fault, "choose a value inside, such as 86400 for a day");
    }
    found.faults()
}

impl Found {
    fn weights(&mut self, parameters: &Parameters) {
        let weights = &parameters.weights;
        let named = [
            ("transaction", weights.transaction),
            ("line", weights.line),
            ("act", weights.act),
            ("record", weights.record),
        ];
        for (name, weight) in named {
            self.within(&format!("weights.{name}"), weight, 1..=u64::from(u32::MAX));
        }
        // The heaviest single transaction must have room, or no key could ever be revoked. A full
        // seal is lighter.
        let revocation = weights.record.saturating_add(weights.line.saturating_mul(limits::REVOCATION_LINES));
        let heaviest = revocation.max(weights.act.saturating_add(weights.line)).saturating_add(weights.transaction);
        for (name, weight) in [("block_weight", parameters.block_weight), ("member_weight", parameters.member_weight)] {
            if weight < heaviest {
                let fault = format!(
                    "{weight} is below {heaviest}, the weight of the heaviest transaction, such as revoking a key"
                );
                self.add(name, fault, format!("raise it to at least {heaviest}"));
            }
        }
        if parameters.member_weight > parameters.block_weight {
            let fault =
                format!("{} is above the weight of a block, {}", parameters.member_weight, parameters.block_weight);
            self.add("member_weight", fault, "lower it, or raise block_weight");
        }
    }

    fn voting(&mut self, parameters: &Parameters) {
        let voting = &parameters.voting;
        let (part, whole) = (u64::from(voting.numerator), u64::from(voting.denominator));
        // Half would let two camps decide opposite things; all could never be exceeded.
        if part >= whole || part * 2 < whole {
            let fault = format!("more than {part}/{whole} of the voters is no majority, or cannot be reached");
            self.add("voting", fault, "choose a part from 1/2 to below 1, such as 2/3");
        }
        self.within("voting.horizon", voting.horizon, 1..=HORIZON_MAX);
        if voting.notice >= voting.horizon.saturating_sub(1) {
            let fault = format!("{} leaves no height to vote before {}", voting.notice, voting.horizon);
            self.add("voting.notice", fault, "lower it, or raise voting.horizon");
        }
    }
}
