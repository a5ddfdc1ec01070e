//! GOV-04: every pair of role and operation, and every pair of key purpose and operation.
//!
//! In each network the hall holds exactly one role and everything else that could matter: an
//! authority, a place in the type's lists, the parties' trust. What is left to refuse is the role.

// Numbers in tests are small.
#![allow(clippy::cast_possible_truncation)]

mod common;

use common::story::Story;
use common::{Network, founding, member};
use fengni_core::record::{Authority, Role, Roles};
use fengni_core::{AuthorityNumber, Suite};

const ROLES: [Role; 9] = [
    Role::Validator,
    Role::Observer,
    Role::Issuer,
    Role::Provider,
    Role::Requester,
    Role::Verifier,
    Role::Regulator,
    Role::Auditor,
    Role::Identity,
];

/// Operations: what is asked, which keys it takes, who may ask it, and what others hear.
///
/// Enforcement, consumption and agreements go by name (in the type, in the terms), not by role;
/// a regulator alone reaches the agreements of those below it, and the authorities of its region.
/// Keys are a matter of superiors.
const OPERATIONS: [(&str, &str, &str, &str); 23] = [
    ("open H licence 31", "iss", "issuer", "ROLE_MISSING"),
    ("seal MINE h", "iss", "issuer", "ROLE_MISSING"),
    ("renew MINE:0 MINE h", "iss", "issuer", "ROLE_MISSING"),
    ("change MINE:0 MINE h", "iss", "issuer", "ROLE_MISSING"),
    ("correct MINE:0 MINE h", "iss", "issuer", "ROLE_MISSING"),
    ("rekey MINE:0 own+", "iss", "issuer", "ROLE_MISSING"),
    ("transfer-in t MINE h", "iss", "issuer", "ROLE_MISSING"),
    ("cancel MINE:0", "iss", "issuer", "NOT_ENTITLED"),
    ("suspend a", "enf", "any", ""),
    ("return s hall", "enf", "any", ""),
    ("annul low", "enf", "any", ""),
    ("revoke a", "enf", "any", ""),
    ("consume a", "enf", "any", ""),
    ("consume a", "app", "any", ""),
    ("propose RN hall,police", "adm", "any", ""),
    ("sign RP", "adm", "any", ""),
    ("suspend-agreement RL", "adm", "regulator", "NOT_ENTITLED"),
    ("suspend-agreement RF", "adm", "any", ""),
    ("revoke-key town 4 from:1", "adm", "any", ""),
    ("revoke-key police 4 from:1", "adm", "nobody", "NOT_ENTITLED"),
    ("suspend-authority 4", "adm", "any", ""),
    ("suspend-authority 0", "adm", "regulator", "NOT_ENTITLED"),
    ("resume-authority 5", "adm", "nobody", "NOT_ENTITLED"),
];

/// A register with something for each operation; the hall has one role and stands above the town.
fn prepared(role: Role) -> Story {
    let mut founding = founding(Suite::Standard);
    let (hall, town) = (member("hall"), member("town"));
    founding.members[hall.0 as usize].roles = Roles::of(&[role]);
    founding.members[town.0 as usize].superior = Some(hall);
    let number = AuthorityNumber(founding.authorities.len() as u32);
    let wide = Authority { member: hall, ..founding.authorities[0].clone() };
    founding.authorities.push(wide);
    founding.members[hall.0 as usize].authorities.push(number);
    let kind = &mut founding.types[0];
    for list in [&mut kind.suspenders, &mut kind.revokers, &mut kind.consumers] {
        list.push(hall);
    }
    let mut story = Story::on(Network::found(Suite::Standard, founding));
    story.tell(
        "
        block
          police   open B licence 31                ok
          town     open T licence 3199              ok
          police/adm propose RP police,hall         ok
          police/adm propose RF police,donghai      ok
          town/adm propose RL town,police           ok
        block
          police   seal B a s t b                   ok
          town     seal T low                       ok
          police/adm sign RL                        ok
          donghai/adm sign RF                       ok
        block
          hall/enf suspend s                        ok
          police   transfer-out t hall              ok
    ",
    );
    // An agreement of the hall's own, to suspend.
    story.tell(
        "
        block
          police/adm propose RO police,hall label:own ok
        block
          hall/adm sign RO                          ok
    ",
    );
    story.agreements.insert("RF".into(), story.agreements["RO"]);
    // The book the hall would write in: its own where it may have one.
    let mine = match story.answer("hall", "open MINE licence 31") == "ok" {
        true => story.books["MINE"],
        false => story.books["B"],
    };
    story.books.insert("MINE".into(), mine);
    if role == Role::Issuer {
        story.tell("block\n hall seal MINE own ok");
    }
    story
}

#[test]
fn gov04_every_role_and_operation() {
    for role in ROLES {
        let prepared = prepared(role);
        for (words, keys, who, others) in OPERATIONS {
            let may = match who {
                "issuer" => role == Role::Issuer,
                "regulator" => role == Role::Regulator,
                "nobody" => false,
                _ => true,
            };
            // An issuer's own first book stands already; another region is free.
            let words = if role == Role::Issuer { words.replace("licence 31", "licence 319901") } else { words.into() };
            let found = prepared.clone().answer(&format!("hall/{keys}*2"), &words);
            assert_eq!(found, if may { "ok" } else { others }, "{role:?}: {words}");
        }
    }
}

#[test]
fn gov04_every_key_purpose_and_operation() {
    // The member is an issuer and a party, named in the type: only the key is wrong.
    let prepared = prepared(Role::Issuer);
    for (words, right, ..) in OPERATIONS {
        for purpose in ["con", "peer", "adm", "iss", "enf", "app", "mixed"] {
            let words = words.replace("licence 31", "licence 319901");
            let found = prepared.clone().answer(&format!("hall/{purpose}"), &words);
            // A change takes issuing keys (as keeper) and enforcement keys (as a body); to consume
            // takes enforcement or application keys.
            let change = ["cancel", "suspend", "return", "annul", "revoke"]
                .iter()
                .any(|verb| words.starts_with(&format!("{verb} ")));
            let consume = words.starts_with("consume");
            let suits = purpose == right
                || change && ["iss", "enf"].contains(&purpose)
                || consume && ["enf", "app"].contains(&purpose);
            assert_eq!(found != "KEY_PURPOSE", suits, "{purpose}: {words}: {found}");
        }
    }
}
