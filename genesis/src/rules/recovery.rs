//! Rule G-13: who may recover the network where its validators are lost for good.

use std::collections::BTreeSet;

use fengni_core::PublicKey;
use fengni_core::limits::RECOVERY_KEYS;

use crate::contents::Contents;
use crate::problem::Findings;

/// The longest delay: a network that stands still for longer is founded again.
const DELAY_SECS_MAX: u64 = 90 * 86_400;

pub(super) fn check(founding: &Contents, findings: &mut Findings) {
    let Some(terms) = &*founding.parameters.recovery else { return };
    let mut used: BTreeSet<PublicKey> =
        founding.members.iter().flat_map(|member| &member.keys).map(|key| key.key).collect();
    for (place, key) in terms.keys.iter().enumerate() {
        if !used.insert(*key) {
            let fault = "is a member's key, or stands there twice";
            findings.add("G-13", format!("recovery.keys[{place}]"), fault, "make a key for recovery alone");
        }
    }
    let count = terms.keys.len();
    if !(1..=RECOVERY_KEYS).contains(&count) {
        let fault = format!("{count} keys are outside 1 to {RECOVERY_KEYS}");
        findings.add("G-13", "recovery.keys", fault, "name a few, or leave [recovery] out");
    }
    if !(1..=count.max(1)).contains(&usize::from(terms.threshold)) {
        let fault = format!("{} is outside 1 to the number of keys, {count}", terms.threshold);
        findings.add("G-13", "recovery.threshold", fault, "let more than half of the keys sign");
    }
    if !(1..=DELAY_SECS_MAX).contains(&terms.delay_secs) {
        let fault = format!("{} is outside 1 to {DELAY_SECS_MAX}", terms.delay_secs);
        findings.add("G-13", "recovery.delay_secs", fault, "choose a value inside, such as 86400 for a day");
    }
}
