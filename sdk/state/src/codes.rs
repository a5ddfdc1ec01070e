//! Reference codes that make sense, whether founded so or voted for. Rule G-6.

use fengni_core::Day;
use fengni_core::id::{Division, TypeCode};
use fengni_core::sharing::NAMING;

use crate::calendar::{CLOCKS, SEALING_DAYS_MAX, SHARING_DAYS};

/// Most characters of a code.
const CODE_CHARACTERS: usize = 32;

/// Most characters of a set's name.
const NAME_CHARACTERS: usize = 32;

/// Whether a set may have this name. Rule G-6.
pub fn is_set_name(name: &str) -> bool {
    (1..=NAME_CHARACTERS).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
}

fn is_limit(days: u32) -> bool {
    (1..=SEALING_DAYS_MAX).contains(&days)
}

/// What is wrong with a code of a set and its meaning, and what to do; `None` where it is right.
pub fn code_fault(set: &str, code: &str, name: &str) -> Option<(String, &'static str)> {
    match set {
        "divisions" => {
            Division::parse(code).err().map(|error| (error.to_string(), "write a division of 2, 4, 6 or 9 digits"))
        }
        // Transactions carry the number, so that it has one spelling.
        "purposes" | "reasons" | "steps" => match code.parse::<u16>() {
            Ok(number) if number > 0 && number.to_string() == code => None,
            _ => Some((format!("{code:?} is no number from 1 to 65535"), "number the code, without leading zeros")),
        },
        "calendar" if Day::parse(code).is_none() || code.len() != 8 => {
            Some((format!("{code:?} is no date"), "write a date such as 20261001"))
        }
        "calendar" if !matches!(name, "holiday" | "workday") => {
            Some((format!("{name:?} is neither holiday nor workday"), "write \"holiday\" or \"workday\""))
        }
        "sealing-days" | NAMING if TypeCode::parse(code).is_err() => {
            Some((format!("{code:?} is no type code"), "write the 21 characters of a certificate type's code"))
        }
        SHARING_DAYS if !CLOCKS.contains(&code) => Some((
            format!("{code:?} is no clock"),
            "write one of unconditional, conditional, extension, provision, objection",
        )),
        "sealing-days" | SHARING_DAYS
            if !name.parse().is_ok_and(|days: u32| is_limit(days) && days.to_string() == name) =>
        {
            Some((format!("{name:?} is no number of working days"), "write a number from 1 to 366"))
        }
        _ if !(1..=CODE_CHARACTERS).contains(&code.len()) || !code.bytes().all(|byte| byte.is_ascii_graphic()) => {
            Some((format!("{code:?} is no code"), "use 1 to 32 visible ASCII characters"))
        }
        _ => None,
    }
}
