//! Numbers of uses: a receipt that a holder was not shown leaves a gap in them.
//!
//! Uses of each kind of a grant are counted from 1, and each has a receipt with its number. Whoever has the
//! grant finds its receipts among all by their salted digest. Rule I-16: `sdk/spec/access.md`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::receipt::Receipt;
use crate::digest::{Digest, Domain};
use crate::number::{MemberNumber, ResourceNumber};
use crate::record::Mode;

/// Numbers of uses of one kind of a grant that no receipt has, or that several have.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Miscount {
    /// Whose receipts count wrongly.
    pub provider: MemberNumber,
    /// The kind's resource.
    pub resource: ResourceNumber,
    /// The kind's mode.
    pub mode: Mode,
    /// The first of these numbers.
    pub first: u32,
    /// The last of them.
    pub last: u32,
    /// Whether a receipt more has the number; else none has it.
    pub is_repeated: bool,
}

/// Rule I-16: what is wrong with the numbers of a grant's uses. What came after the last number shown
/// leaves no gap yet.
///
/// - `content`: digest of the grant's content.
/// - `receipts`: all that its providers gave to the holder, from the first on.
pub fn miscounts<'a>(
    domain: &Domain,
    content: &Digest,
    receipts: impl IntoIterator<Item = &'a Receipt>,
) -> Vec<Miscount> {
    let mut counted: BTreeMap<(MemberNumber, ResourceNumber, Mode), Vec<u32>> = BTreeMap::new();
    for receipt in receipts {
        if receipt.use_number > 0 && receipt.is_under(domain, content) {
            counted.entry((receipt.provider, receipt.resource, receipt.mode)).or_default().push(receipt.use_number);
        }
    }
    let mut found = Vec::new();
    for ((provider, resource, mode), mut numbers) in counted {
        numbers.sort_unstable();
        let mut before = 0;
        for number in numbers {
            let miscount = |first, last, is_repeated| Miscount { provider, resource, mode, first, last, is_repeated };
            if number == before {
                found.push(miscount(number, number, true));
            } else if number > before + 1 {
                found.push(miscount(before + 1, number - 1, false));
            }
            before = number;
        }
    }
    found
}
