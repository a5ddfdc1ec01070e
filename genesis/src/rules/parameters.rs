//! Rule G-5: parameters with which a network can run.

use std::fmt::Display;
use std::ops::RangeInclusive;

use fengni_core::limits;

use super::check_fresh;
use crate::contents::Contents;
use crate::problem::Findings;

/// The longest window: replays are remembered for as many blocks.
const WINDOW_MAX: u64 = 100_000;
/// A clock that is further ahead is broken.
const CLOCK_AHEAD_MILLIS_MAX: u64 = 60_000;
/// Three blocks must fit into it, so that an idle network stays online.
const ONLINE_AGE_SECS: RangeInclusive<u32> = 3..=3_600;
const YEAR_SECS: u64 = 366 * 86_400;

pub(super) fn check(founding: &Contents, findings: &mut Findings) {
    let parameters = &founding.parameters;
    check_fresh(findings, "parameters", parameters.version == 1);
    within(findings, "window", parameters.window, 1..=WINDOW_MAX);
    within(findings, "clock_ahead_millis", parameters.clock_ahead_millis, 1..=CLOCK_AHEAD_MILLIS_MAX);
    within(findings, "online_age_secs", parameters.online_age_secs, ONLINE_AGE_SECS);
    let online_age = u64::from(parameters.online_age_secs);
    within(findings, "trusting_period_secs", parameters.trusting_period_secs, online_age..=YEAR_SECS);
    let lines = u32::try_from(limits::SEAL_LINES).unwrap_or(u32::MAX);
    within(findings, "solo_seal_lines", parameters.solo_seal_lines, 0..=lines);
    within(findings, "terminal_acts_per_day", parameters.terminal_acts_per_day, 1..=u32::MAX);
    let validators = u32::try_from(limits::VALIDATORS).unwrap_or(u32::MAX);
    within(findings, "validators_min", parameters.validators_min, 1..=validators);

    let weights = &parameters.weights;
    let named = [
        ("transaction", weights.transaction),
        ("line", weights.line),
        ("act", weights.act),
        ("record", weights.record),
    ];
    for (name, weight) in named {
        within(findings, &format!("weights.{name}"), weight, 1..=u64::from(u32::MAX));
    }

    // The heaviest single transaction must have room, or no key could ever be revoked. A full seal
    // is lighter.
    let revocation = weights.record.saturating_add(weights.line.saturating_mul(limits::REVOCATION_LINES));
    let heaviest = revocation.max(weights.act.saturating_add(weights.line)).saturating_add(weights.transaction);
    for (name, weight) in [("block_weight", parameters.block_weight), ("member_weight", parameters.member_weight)] {
        if weight < heaviest {
            let fault =
                format!("{weight} is below {heaviest}, the weight of the heaviest transaction, such as revoking a key");
            findings.add("G-5", format!("parameters.{name}"), fault, format!("raise it to at least {heaviest}"));
        }
    }
    if parameters.member_weight > parameters.block_weight {
        let fault = format!("{} is above the weight of a block, {}", parameters.member_weight, parameters.block_weight);
        findings.add("G-5", "parameters.member_weight", fault, "lower it, or raise block_weight");
    }
}

fn within<T: PartialOrd + Display>(findings: &mut Findings, name: &str, value: T, range: RangeInclusive<T>) {
    if !range.contains(&value) {
        let fault = format!("{value} is outside {} to {}", range.start(), range.end());
        findings.add("G-5", format!("parameters.{name}"), fault, "choose a value inside");
    }
}
