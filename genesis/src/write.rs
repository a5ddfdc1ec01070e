//! Writing a founding document: readable, with comments, and the same network when read again.

use std::fmt::{self, Write as _};

use serde::Serialize;

use crate::document::{
    ActsEntry, AgreementEntry, AuthorityEntry, ClaimEntry, DerivedEntry, Document, KeyEntry, MemberEntry, NetworkEntry,
    RecoveryEntry, SERIAL_BYTES, TypeEntry, ValidatorEntry, VotingEntry, WeightsEntry,
};

impl Document {
    /// The document as commented TOML. Reading it again gives the same founding.
    pub fn to_toml(&self) -> String {
        let mut text = String::new();
        self.write(&mut text).expect("writing into a string does not fail");
        text
    }

    fn write(&self, out: &mut String) -> fmt::Result {
        out.push_str(
            "# Founding document of a Fengni network: sdk/spec/genesis.md.\n\
             # One character changed that changes its meaning is another network.\n\n",
        );
        let NetworkEntry { name, suite, founded } = &self.network;
        writeln!(
            out,
            "[network]\nname = {}\nsuite = {}\nfounded = {}\n",
            quoted(name),
            quoted(suite),
            quoted(founded)
        )?;
        self.write_parameters(out)?;
        if let Some(RecoveryEntry { keys, threshold, delay_secs }) = &self.recovery {
            writeln!(out, "[recovery]\nkeys = {} # held offline", list(keys.iter().cloned()))?;
            writeln!(out, "threshold = {threshold}\ndelay_secs = {delay_secs} # after the last final block\n")?;
        }
        for (set, codes) in &self.codes {
            writeln!(out, "[codes.{}]", key(set))?;
            for (code, name) in codes {
                writeln!(out, "{} = {}", key(code), quoted(name))?;
            }
            out.push('\n');
        }
        self.members.iter().try_for_each(|member| write_member(out, member))?;
        self.types.iter().try_for_each(|kind| write_type(out, kind))?;
        self.authorities.iter().try_for_each(|authority| write_authority(out, authority))?;
        self.agreements.iter().try_for_each(|agreement| write_agreement(out, agreement))?;
        for ValidatorEntry { member, power } in &self.validators {
            writeln!(out, "[[validators]]\nmember = {}\npower = {power}\n", quoted(member))?;
        }
        out.truncate(out.trim_end().len());
        out.push('\n');
        Ok(())
    }

    fn write_parameters(&self, out: &mut String) -> fmt::Result {
        let it = &self.parameters;
        let lines = [
            ("window", it.window, "heights for which a transaction may wait"),
            ("clock_ahead_millis", it.clock_ahead_millis, "a block's time ahead of a validator's clock"),
            ("online_age_secs", it.online_age_secs.into(), "age of a header for an online answer"),
            ("trusting_period_secs", it.trusting_period_secs, "age of a checkpoint for statements about now"),
            ("block_weight", it.block_weight, "a full block"),
            ("member_weight", it.member_weight, "one member's share of a block"),
            ("solo_seal_lines", it.solo_seal_lines.into(), "lines one person may seal alone"),
            ("terminal_acts_per_day", it.terminal_acts_per_day.into(), "of one member"),
            ("validators_min", it.validators_min.into(), "four outlast one that fails or lies"),
            ("protocol", it.protocol.into(), "the version of the protocol it begins with"),
        ];
        out.push_str("[parameters]\n");
        for (name, value, meaning) in lines {
            writeln!(out, "{name} = {value} # {meaning}")?;
        }
        let WeightsEntry { transaction, line, act, record } = &it.weights;
        writeln!(
            out,
            "\n[parameters.weights]\ntransaction = {transaction}\nline = {line}\nact = {act}\nrecord = {record}\n"
        )?;
        let VotingEntry { numerator, denominator, notice, horizon } = &it.voting;
        writeln!(
            out,
            "[parameters.voting]\nnumerator = {numerator}\ndenominator = {denominator}\nnotice = {notice}\nhorizon = {horizon}\n"
        )
    }
}

fn write_member(out: &mut String, member: &MemberEntry) -> fmt::Result {
    let MemberEntry { key, code, name, division, superior, roles, keys } = member;
    writeln!(out, "[[members]]\nkey = {}\ncode = {}\nname = {}", quoted(key), quoted(code), quoted(name))?;
    writeln!(out, "division = {}", quoted(division))?;
    if let Some(superior) = superior {
        writeln!(out, "superior = {}", quoted(superior))?;
    }
    writeln!(out, "roles = {}\nkeys = [", list(roles.iter().map(word)))?;
    for KeyEntry { purpose, key } in keys {
        writeln!(out, "  {{ purpose = {}, key = {} }},", quoted(&word(purpose)), quoted(key))?;
    }
    out.push_str("]\n\n");
    Ok(())
}

fn write_type(out: &mut String, kind: &TypeEntry) -> fmt::Result {
    writeln!(
        out,
        "[[types]]\nkey = {}\ncode = {}\nname = {}",
        quoted(&kind.key),
        quoted(&kind.code),
        quoted(&kind.name)
    )?;
    writeln!(
        out,
        "holder = {}\nenabled = {}\nsensitive = {}",
        quoted(&word(&kind.holder)),
        kind.enabled,
        kind.sensitive
    )?;
    writeln!(out, "code_lifetime_secs = {}", kind.code_lifetime_secs)?;
    writeln!(out, "offline_age_secs = {}", kind.offline_age_secs)?;
    match &kind.acts {
        ActsEntry::All => writeln!(out, "acts = \"all\"")?,
        ActsEntry::These(acts) => writeln!(out, "acts = {}", list(acts.iter().map(word)))?,
    }
    writeln!(out, "suspenders = {} # besides the keeper", list(kind.suspenders.iter().cloned()))?;
    writeln!(out, "revokers = {}", list(kind.revokers.iter().cloned()))?;
    writeln!(out, "consumers = {} # a type with consumers is one-time", list(kind.consumers.iter().cloned()))?;
    writeln!(out, "purposes = {} # empty: any", list(kind.purposes.iter().cloned()))?;
    if !kind.grant_purposes.is_empty() {
        let purposes = list(kind.grant_purposes.iter().cloned());
        writeln!(out, "grant_purposes = {purposes} # need the holder's grant")?;
    }
    if let Some(level) = &kind.assurance {
        writeln!(out, "assurance = {} # of whoever shows it", quoted(&word(level)))?;
    }
    if kind.serial_bytes != SERIAL_BYTES {
        writeln!(out, "serial_bytes = {}", kind.serial_bytes)?;
    }
    writeln!(out, "claims = [")?;
    for ClaimEntry { label, required, everyday, sensitive, max_bytes, derived } in &kind.claims {
        write!(out, "  {{ label = {}", quoted(label))?;
        for (name, flag) in [("required", required), ("everyday", everyday), ("sensitive", sensitive)] {
            if *flag {
                write!(out, ", {name} = true")?;
            }
        }
        if let Some(max_bytes) = max_bytes {
            write!(out, ", max_bytes = {max_bytes}")?;
        }
        if let Some(DerivedEntry { from, age }) = derived {
            write!(out, ", derived = {{ from = {}, age = {age} }}", quoted(from))?;
        }
        out.push_str(" },\n");
    }
    out.push_str("]\n");
    if !kind.profiles.is_empty() {
        let profile =
            |(name, labels): (&String, &Vec<String>)| format!("{} = {}", key(name), list(labels.iter().cloned()));
        let profiles: Vec<String> = kind.profiles.iter().map(profile).collect();
        writeln!(out, "profiles = {{ {} }} # fields to show together", profiles.join(", "))?;
    }
    out.push('\n');
    Ok(())
}

fn write_authority(out: &mut String, authority: &AuthorityEntry) -> fmt::Result {
    let AuthorityEntry { member, certificate_type, division, from, until, basis } = authority;
    writeln!(out, "[[authorities]]\nmember = {}\ntype = {}", quoted(member), quoted(certificate_type))?;
    writeln!(out, "division = {}\nfrom = {}\nuntil = {}", quoted(division), quoted(from), quoted(until))?;
    writeln!(out, "basis = {}\n", quoted(basis))
}

fn write_agreement(out: &mut String, agreement: &AgreementEntry) -> fmt::Result {
    let AgreementEntry { label, parties, terms, divisions, min_grade, from, until } = agreement;
    writeln!(out, "[[agreements]]\nlabel = {}\nparties = {}", quoted(label), list(parties.iter().cloned()))?;
    writeln!(out, "divisions = {} # empty: all of the parties'", list(divisions.iter().cloned()))?;
    writeln!(out, "min_grade = {}", quoted(&word(min_grade)))?;
    writeln!(out, "from = {}\nuntil = {}\n[agreements.terms]", quoted(from), quoted(until))?;
    for (kind, purposes) in terms {
        writeln!(out, "{} = {}", key(kind), list(purposes.iter().cloned()))?;
    }
    out.push('\n');
    Ok(())
}

/// A TOML string.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

/// A TOML key, quoted where it must be.
fn key(text: &str) -> String {
    let bare = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    // A string of TOML may span lines, a key may not; one of JSON never does.
    if bare { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}

fn list(texts: impl Iterator<Item = String>) -> String {
    let texts: Vec<String> = texts.map(|text| quoted(&text)).collect();
    format!("[{}]", texts.join(", "))
}

/// The word by which a choice is written.
fn word<T: Serialize>(choice: &T) -> String {
    match serde_json::to_value(choice) {
        Ok(serde_json::Value::String(word)) => word,
        _ => unreachable!("roles, purposes, acts, grades and holders are written as words"),
    }
}
