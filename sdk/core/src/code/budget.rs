//! The byte budget: how large the codes of a type can grow, reckoned before one is issued.
//!
//! A QR code of version 20 at level M holds 644 bytes, and phones read it well; version 22, the
//! hard limit, holds 752. Half of it is the path. What a type may decide is which fields it shows
//! every day and how long their values are: rule Y-7.

use std::fmt;

use thiserror::Error;

use crate::digest::{Digest, Suite};
use crate::limits::{CODE_BYTES, EVERYDAY_CODE_BYTES, PAGE_DEPTH};
use crate::record::{CertificateType, Schema};
use crate::tree;

/// Bytes of a day until 2149-06-06: header and 2 bytes. A last day may be later.
const DAY: usize = 3;
/// Bytes of a nonce: head and 8.
const NONCE: usize = 1 + 8;
/// Bytes of a signature: head, algorithm number and 64.
const SIGNATURE: usize = 2 + 65;
/// Bytes of the longer kind of holder key, P-256: head, algorithm number and 33.
const KEY: usize = 2 + 34;
/// Bytes of a claim besides its value: array, index below 24, head and 16 bytes of salt.
const CLAIM: usize = 1 + 1 + 1 + 16;
/// Bytes of an assertion: array, service below 65,536, key number below 256, level, time, validity
/// of up to a day, token and signature.
const ASSERTION: usize = 1 + 3 + 2 + 1 + 5 + 5 + 17 + SIGNATURE;
/// Numbers that are reserved for, whatever the type.
const BOOK: u64 = 0xffff;
const LINE: u64 = 0xffff_ffff;
const TIME: u64 = 0xffff_ffff;
const VERSION: u64 = 999;
const UNTIL: u64 = 0xffff_ffff;
const PURPOSE: u64 = 0xffff;

/// Bytes of the largest code that discloses certain fields, without a challenge.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CodeBudget {
    /// Header, place, terms and signature.
    pub fixed: usize,
    /// The longest serial.
    pub serial: usize,
    /// Fields disclosed.
    pub claims: usize,
    /// Their salts and heads.
    pub salts: usize,
    /// Their longest values.
    pub values: usize,
    /// Digests of the subtrees that are not disclosed.
    pub siblings: usize,
    /// The assertion of an identity service, where the type asks for one.
    pub assertion: usize,
    /// The path to the root of a full page.
    pub path: usize,
}

impl CodeBudget {
    /// The budget of a type's code that discloses these fields of a schema version.
    ///
    /// - `disclose`: places in the schema, rising, each below the number of its fields.
    pub fn of(kind: &CertificateType, version: u16, schema: &Schema, disclose: &[u16]) -> Self {
        let fields = schema.claims.len();
        let specs = || disclose.iter().filter_map(|index| schema.claims.get(usize::from(*index)));
        let wanted: Vec<usize> = disclose.iter().map(|index| usize::from(*index)).collect();
        // The tree itself says which subtrees stay closed; their content does not matter.
        let leaves = vec![Digest::default(); fields];
        let siblings = tree::subset_siblings(Suite::Standard, &leaves, &wanted).map_or(fields, |found| found.len());
        let heads = 4 + head(BOOK) + head(LINE) + 1;
        let header = head(version.into()) + head(VERSION) + 2 * DAY + head(UNTIL) + 1 + KEY;
        let terms = head(TIME) + head(kind.code_lifetime_secs.into()) + NONCE + head(PURPOSE) + 1;
        Self {
            fixed: heads + header + head(fields as u64) + head(disclose.len() as u64) + terms + SIGNATURE,
            serial: text(usize::from(schema.serial_bytes)),
            claims: disclose.len(),
            salts: disclose.iter().map(|index| CLAIM + head(u64::from(*index)) - 1).sum(),
            values: specs().map(|spec| text(usize::from(spec.max_bytes))).sum(),
            siblings: text(32 * siblings),
            assertion: if kind.assurance.is_some() { ASSERTION } else { 0 },
            path: head(1024) + text(32 * PAGE_DEPTH),
        }
    }

    /// Bytes of the largest code, with its path.
    pub fn total(&self) -> usize {
        self.fixed + self.serial + self.salts + self.values + self.siblings + self.assertion + self.path
    }

    /// Bytes of the largest code that leaves out its path, and is of use only online.
    pub fn total_without_path(&self) -> usize {
        // An absent path is a 0 and an empty byte string.
        self.total() - self.path + 2
    }
}

/// The arithmetic, for whoever has to make a type smaller.
impl fmt::Display for CodeBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { fixed, serial, claims, salts, values, siblings, assertion, path } = self;
        let assertion = match assertion {
            0 => String::new(),
            bytes => format!("{bytes} for the assertion the type asks for + "),
        };
        write!(
            f,
            "{fixed} for header, terms and signature + {serial} for the serial + {salts} for the salts of {claims} \
             claims + {values} for their longest values + {siblings} for siblings + {assertion}{path} for the path = {}",
            self.total()
        )
    }
}

/// Rule Y-7: why a type's codes would not fit.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum BudgetError {
    /// Nothing is shown every day.
    #[error("no field belongs to the everyday code")]
    NoEveryday,
    /// The everyday code would need a QR code above version 20.
    #[error("the everyday code may take {} bytes, above the limit of {EVERYDAY_CODE_BYTES}: {budget}", budget.total())]
    Everyday {
        /// The arithmetic.
        budget: CodeBudget,
    },
    /// A profile's code would not fit at all, not even without its path.
    #[error("the code of profile {profile} may take {} bytes without its path, above the limit of {CODE_BYTES}: {budget}",
        budget.total_without_path())]
    Profile {
        /// Name of the profile.
        profile: String,
        /// The arithmetic.
        budget: CodeBudget,
    },
}

/// Rule Y-7: whether every everyday code of a schema version fits a QR code of version 20, and
/// every profile's the hard limit. Returns the everyday budget.
///
/// Whoever registers a type or a new schema asks this: the founding document now, an operation of
/// the ledger later.
///
/// # Errors
/// [`BudgetError`], with the arithmetic.
pub fn check_budget(kind: &CertificateType, version: u16, schema: &Schema) -> Result<CodeBudget, BudgetError> {
    let everyday = schema.everyday();
    if everyday.is_empty() {
        return Err(BudgetError::NoEveryday);
    }
    let budget = CodeBudget::of(kind, version, schema, &everyday);
    if budget.total() > EVERYDAY_CODE_BYTES {
        return Err(BudgetError::Everyday { budget });
    }
    for profile in &schema.profiles {
        let budget = CodeBudget::of(kind, version, schema, &profile.claims);
        if budget.total_without_path() > CODE_BYTES {
            return Err(BudgetError::Profile { profile: profile.name.clone(), budget });
        }
    }
    Ok(budget)
}

/// Bytes of a CBOR head with this argument.
fn head(argument: u64) -> usize {
    match argument {
        0..24 => 1,
        24..0x100 => 2,
        0x100..0x1_0000 => 3,
        0x1_0000..0x1_0000_0000 => 5,
        _ => 9,
    }
}

/// Bytes of a text or byte string with its head.
fn text(bytes: usize) -> usize {
    head(bytes as u64) + bytes
}
