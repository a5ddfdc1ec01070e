//! Which keys each sample member has, and well-known test keys.

use fengni_core::record::KeyPurpose::{self, Admin, Application, Consensus, Enforcement, Issuing, Peer};
use fengni_core::{KeyAlgorithm, KeyNumber, PublicKey, SecretKey, Suite};

use super::network::MEMBERS;

/// A key that a sample member has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeySlot {
    /// Short name of the member.
    pub member: &'static str,
    /// What the key is for.
    pub purpose: KeyPurpose,
    /// Which of the member's keys for this purpose, from 0: admin, issuing and enforcement keys
    /// belong to two persons.
    pub index: usize,
    /// Number of the key on the ledger.
    pub number: KeyNumber,
}

const NODE: &[KeyPurpose] = &[Consensus, Peer];
const OBSERVER: &[KeyPurpose] = &[Peer];
const PERSONS: &[KeyPurpose] = &[Admin, Admin];
const ISSUERS: &[KeyPurpose] = &[Issuing, Issuing];
const ENFORCERS: &[KeyPurpose] = &[Enforcement, Enforcement];
/// Every member verifies, and asks with this key.
const APPLICATIONS: &[KeyPurpose] = &[Application];

/// Which keys a member has: node keys first, then those of people, then its application's.
fn purposes(member: &str) -> Vec<KeyPurpose> {
    let groups: &[&[KeyPurpose]] = match member {
        "GOV" => &[NODE, PERSONS, ENFORCERS],
        "PSB" | "AMR" => &[NODE, PERSONS, ISSUERS, ENFORCERS],
        "HRS" => &[NODE, PERSONS],
        "CIQ" => &[OBSERVER, PERSONS, ISSUERS, ENFORCERS],
        "RES" => &[OBSERVER, PERSONS, ISSUERS],
        "YGOV" => &[OBSERVER, PERSONS, ENFORCERS],
        // Joins later, as a validator.
        "YHR" => &[NODE, PERSONS],
        _ => &[OBSERVER, PERSONS],
    };
    [groups.concat(), APPLICATIONS.to_vec()].concat()
}

/// The keys of one member, in the order of their numbers.
pub(super) fn slots_of(member: &'static str) -> Vec<KeySlot> {
    let purposes = purposes(member);
    let slot = |(place, purpose): (usize, &KeyPurpose)| KeySlot {
        member,
        purpose: *purpose,
        index: purposes[..place].iter().filter(|other| *other == purpose).count(),
        number: KeyNumber(u16::try_from(place).expect("a member has few keys")),
    };
    purposes.iter().enumerate().map(slot).collect()
}

/// Every key of the founding members, by member and number.
pub fn key_slots() -> Vec<KeySlot> {
    MEMBERS.iter().flat_map(|(member, ..)| slots_of(member)).collect()
}

/// A secret key that everybody knows: for tests and vectors, never for a network.
///
/// Its seed is SHA-256 of `fengni sample key`, member, purpose as a word, and index in decimal,
/// joined by `/`.
pub fn test_secret(member: &str, purpose: KeyPurpose, index: usize) -> SecretKey {
    let word = serde_json::to_value(purpose).expect("a purpose is a word");
    let label = format!("fengni sample key/{member}/{}/{index}", word.as_str().expect("a purpose is a word"));
    let seed = Suite::Standard.hash(&[label.as_bytes()]);
    SecretKey::from_seed(KeyAlgorithm::Ed25519, &seed.0).expect("every seed is an ed25519 key")
}

/// A recovery key that everybody knows: for tests and vectors, never for a network.
///
/// Its seed is SHA-256 of `fengni sample recovery key/` and the key's number in decimal.
pub fn test_recovery_secret(key: u16) -> SecretKey {
    let seed = Suite::Standard.hash(&[format!("fengni sample recovery key/{key}").as_bytes()]);
    SecretKey::from_seed(KeyAlgorithm::Ed25519, &seed.0).expect("every seed is an ed25519 key")
}

/// The public half of [`test_secret`].
pub fn test_key(member: &str, purpose: KeyPurpose, index: usize) -> PublicKey {
    test_secret(member, purpose, index).public()
}
