//! Measures as people type them: names instead of numbers, changes instead of whole records.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context as _, Result, anyhow, bail};
use clap::{Args, Subcommand};
use fengni_core::record::{Authority, Code, Measure, Member, MemberStatus, NewKey, Role, Roles};
use fengni_core::{ApplicationNumber, AuthorityNumber, BookNumber, KeyNumber, MemberNumber};
use fengni_genesis::{Format, read_type};
use fengni_state::{Registries, TypeSetting};

use crate::connect::Connection;
use crate::names::{self, Names};
use crate::words;

/// What a vote can change. `R` is what goes with it: when, why, by whom.
#[derive(Subcommand, Debug)]
pub(crate) enum MeasureCommand<R: Args> {
    /// Make the applicant of a confirmed application a member
    #[command(
        after_help = "Examples:\n  fengni gov propose admit 0 --effective +30 --reason 101 --decision minutes.pdf --home net/members/gov"
    )]
    Admit(With<Admit, R>),
    /// End a membership: its keys end, and what it issued stays
    #[command(
        after_help = "Examples:\n  fengni gov propose remove HRS --effective +30 --reason 901 --decision minutes.pdf --home net/members/gov"
    )]
    Remove(With<Remove, R>),
    /// Change a member's superior, roles, power, or whether it may act
    #[command(after_help = "Examples:
  fengni gov propose change RES --roles validator,issuer,provider,verifier --power 1 --effective +30 \\
      --reason 101 --decision minutes.pdf --home net/members/gov
  fengni gov simulate change HRS --status suspended --network net")]
    Change(With<Change, R>),
    /// End keys of a member and give it others, where it cannot do so itself any more
    #[command(after_help = "The new keys come from the member, proven: fengni key prove.\n
Examples:\n  fengni gov propose replace-keys AMR --end 2 --end 3 --proven amr-keys.json --effective +30 \\
      --reason 901 --decision minutes.pdf --home net/members/gov")]
    ReplaceKeys(With<ReplaceKeys, R>),
    /// Put other parameters in force
    #[command(after_help = "Examples:
  fengni gov simulate parameters --set terminal_acts_per_day=200 --network net
  fengni gov propose parameters --set voting.notice=20 --set validators_min=5 --effective +50 \\
      --reason 101 --decision minutes.pdf --home net/members/gov")]
    Parameters(With<SetParameters, R>),
    /// Give an issuing authority, or put another version of one
    #[command(after_help = "Examples:
  fengni gov propose authority --member RES --type T-RE --division 319900 --from 2026-01-01 --until 2045-12-31 \\
      --basis 不动产登记暂行条例 --effective +30 --reason 101 --decision minutes.pdf --home net/members/gov
  fengni gov propose authority --number 2 --until 2027-12-31 --effective +30 \\
      --reason 101 --decision minutes.pdf --home net/members/gov")]
    Authority(With<SetAuthority, R>),
    /// Let a certificate type take new certificates, or no longer
    #[command(
        after_help = "Examples:\n  fengni gov propose type T-CL off --effective +30 --reason 101 --decision minutes.pdf --home net/members/gov"
    )]
    Type(With<SetType, R>),
    /// Add a certificate type, described as in a founding document
    #[command(after_help = "The file has one [[types]] table and nothing else: see sdk/spec/genesis.md. Members are\n\
named by short name, credit code or number, purposes by name.\n
Examples:
  fengni gov simulate new-type fishing.toml --network net
  fengni gov propose new-type fishing.toml --effective +30 --reason 101 --decision minutes.pdf \\
      --home net/members/gov")]
    NewType(With<NewType, R>),
    /// Give a book to another keeper, which acts on its lines from then on
    #[command(
        after_help = "Certificates in it stay those of the member that opened it; for new ones the keeper opens a book\n\
of its own. It wants an authority for the book's type and region, and keys for issuing.\n
Examples:
  fengni gov simulate keeper 3 RES --network net
  fengni gov propose keeper 3 RES --effective +30 --reason 101 --decision minutes.pdf --home net/members/gov"
    )]
    Keeper(With<ChangeKeeper, R>),
    /// Put another version of a set of reference codes
    #[command(after_help = "Examples:
  fengni gov propose codes reasons --set 207=行政许可依法撤回 --effective +30 --reason 101 --decision minutes.pdf \\
      --home net/members/gov
  fengni gov propose codes calendar --set 20270101=holiday --drop 20261003 --effective +30 \\
      --reason 101 --decision minutes.pdf --home net/members/gov")]
    Codes(With<SetCodes, R>),
    /// Let blocks speak the next version of the protocol
    #[command(after_help = "A node that does not speak it stops before that height: have every member upgrade first.\n
Examples:\n  fengni gov propose upgrade --effective +20000 --reason 101 --decision minutes.pdf --home net/members/gov")]
    Upgrade(With<Upgrade, R>),
}

/// A measure's own arguments, and the rest.
#[derive(Args, Debug)]
pub(crate) struct With<M: Args, R: Args> {
    #[command(flatten)]
    measure: M,
    #[command(flatten)]
    rest: R,
}

impl<R: Args> MeasureCommand<R> {
    /// What is to change, and the rest.
    pub(crate) fn parts(&self) -> (&dyn Draft, &R) {
        match self {
            Self::Admit(with) => (&with.measure, &with.rest),
            Self::Remove(with) => (&with.measure, &with.rest),
            Self::Change(with) => (&with.measure, &with.rest),
            Self::ReplaceKeys(with) => (&with.measure, &with.rest),
            Self::Parameters(with) => (&with.measure, &with.rest),
            Self::Authority(with) => (&with.measure, &with.rest),
            Self::Type(with) => (&with.measure, &with.rest),
            Self::NewType(with) => (&with.measure, &with.rest),
            Self::Keeper(with) => (&with.measure, &with.rest),
            Self::Codes(with) => (&with.measure, &with.rest),
            Self::Upgrade(with) => (&with.measure, &with.rest),
        }
    }
}

/// Arguments from which a measure can be made.
pub(crate) trait Draft {
    /// The measure, with everything that is not said taken from the registries.
    fn measure(&self, connection: &mut Connection, names: &mut Names, now: &Registries) -> Result<Measure>;
}

fn record(now: &Registries, number: MemberNumber) -> Result<Member> {
    let record = now.members.get(number.0).with_context(|| format!("there is no member {number}"))?;
    Ok(record.as_ref().clone())
}

/// `admit`.
#[derive(Args, Debug)]
pub(crate) struct Admit {
    /// Number of the application: see fengni member list
    application: u32,
    /// Voting power; else 1 for a validator and 0 for any other
    #[arg(long, value_name = "NUMBER")]
    power: Option<u64>,
}

impl Draft for Admit {
    fn measure(&self, _: &mut Connection, _: &mut Names, now: &Registries) -> Result<Measure> {
        let application = now.applications.get(self.application);
        let application = application
            .with_context(|| format!("there is no application {}; next: fengni member list", self.application))?;
        let power = u64::from(application.applicant.roles.has(Role::Validator));
        Ok(Measure::Admit { application: ApplicationNumber(self.application), power: self.power.unwrap_or(power) })
    }
}

/// `remove`.
#[derive(Args, Debug)]
pub(crate) struct Remove {
    /// Member, by short name, credit code, name or number
    member: String,
}

impl Draft for Remove {
    fn measure(&self, connection: &mut Connection, names: &mut Names, _: &Registries) -> Result<Measure> {
        Ok(Measure::Remove { member: names.member(connection, &self.member)? })
    }
}

/// `change`.
#[derive(Args, Debug)]
#[group(id = "changes")]
pub(crate) struct Change {
    /// Member, by short name, credit code, name or number
    member: String,
    /// The member above it
    #[arg(long, value_name = "MEMBER", conflicts_with = "no_superior")]
    superior: Option<String>,
    /// No member above it
    #[arg(long)]
    no_superior: bool,
    /// All its roles, with commas
    #[arg(long, value_name = "ROLES", value_delimiter = ',', value_parser = words::role_named)]
    roles: Vec<Role>,
    /// Voting power
    #[arg(long, value_name = "NUMBER")]
    power: Option<u64>,
    /// active or suspended
    #[arg(long, value_name = "STATUS", value_parser = status_named)]
    status: Option<MemberStatus>,
}

fn status_named(word: &str) -> Result<MemberStatus, String> {
    match word {
        "active" => Ok(MemberStatus::Active),
        "suspended" => Ok(MemberStatus::Suspended),
        _ => Err("there are active and suspended; leaving is gov propose remove".to_owned()),
    }
}

impl Draft for Change {
    fn measure(&self, connection: &mut Connection, names: &mut Names, now: &Registries) -> Result<Measure> {
        let member = names.member(connection, &self.member)?;
        let before = record(now, member)?;
        let superior = match &self.superior {
            Some(name) => Some(names.member(connection, name)?),
            None => before.superior.filter(|_| !self.no_superior),
        };
        let roles = if self.roles.is_empty() { before.roles } else { Roles::of(&self.roles) };
        let (power, status) = (self.power.unwrap_or(before.power), self.status.unwrap_or(before.status));
        let after = (superior, roles, power, status);
        if after == (before.superior, before.roles, before.power, before.status) {
            bail!("nothing would change; next: give --superior, --roles, --power or --status");
        }
        Ok(Measure::ChangeMember { member, superior, roles, power, status })
    }
}

/// `replace-keys`.
#[derive(Args, Debug)]
pub(crate) struct ReplaceKeys {
    /// Member, by short name, credit code, name or number
    member: String,
    /// Number of a key that ends; may be given several times
    #[arg(long = "end", value_name = "KEY")]
    ends: Vec<u16>,
    /// File of proven keys from the member: see fengni key prove
    #[arg(long, value_name = "FILE")]
    proven: Option<PathBuf>,
}

impl Draft for ReplaceKeys {
    fn measure(&self, connection: &mut Connection, names: &mut Names, _: &Registries) -> Result<Measure> {
        let keys: Vec<NewKey> = match &self.proven {
            Some(path) => {
                let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
                serde_json::from_str(&text).with_context(|| format!("{} is no file of proven keys", path.display()))?
            }
            None => Vec::new(),
        };
        let mut ends: Vec<KeyNumber> = self.ends.iter().copied().map(KeyNumber).collect();
        ends.sort_unstable();
        Ok(Measure::ReplaceKeys { member: names.member(connection, &self.member)?, ends, keys })
    }
}

/// `parameters`.
#[derive(Args, Debug)]
pub(crate) struct SetParameters {
    /// Name and value, such as voting.notice=20; may be given several times
    #[arg(long = "set", value_name = "NAME=VALUE", required = true)]
    sets: Vec<String>,
}

impl Draft for SetParameters {
    fn measure(&self, _: &mut Connection, _: &mut Names, now: &Registries) -> Result<Measure> {
        let mut value = serde_json::to_value(now.parameters())?;
        for set in &self.sets {
            let (name, number) = set.split_once('=').with_context(|| format!("{set} is not NAME=VALUE"))?;
            let number: u64 = number.parse().with_context(|| format!("{number} is no whole number"))?;
            let pointer = format!("/{}", name.replace('.', "/"));
            let place = value.pointer_mut(&pointer).filter(|place| place.is_u64());
            let place = place.with_context(|| format!("there is no parameter {name}; next: fengni network --json"))?;
            *place = number.into();
        }
        let version = now.parameters().version.saturating_add(1);
        value["version"] = version.into();
        let parameters = serde_json::from_value(value).map_err(|error| anyhow!("no such parameters: {error}"))?;
        Ok(Measure::SetParameters { parameters })
    }
}

/// `authority`.
#[derive(Args, Debug)]
pub(crate) struct SetAuthority {
    /// Number of the authority to change: see fengni authority list; else a new one
    #[arg(long, value_name = "NUMBER", conflicts_with_all = ["authority_member", "certificate_type"])]
    number: Option<u32>,
    /// Who may issue
    #[arg(long = "member", id = "authority_member", value_name = "MEMBER", required_unless_present = "number")]
    member: Option<String>,
    /// What
    #[arg(long = "type", value_name = "TYPE", required_unless_present = "number")]
    certificate_type: Option<String>,
    /// Where: this region and those inside it
    #[arg(long, value_name = "CODE", required_unless_present = "number")]
    division: Option<String>,
    /// First day
    #[arg(long, value_name = "DAY", required_unless_present = "number")]
    from: Option<String>,
    /// Last day, included
    #[arg(long, value_name = "DAY", required_unless_present = "number")]
    until: Option<String>,
    /// The rule it rests on
    #[arg(long, value_name = "TEXT", required_unless_present = "number")]
    basis: Option<String>,
}

impl Draft for SetAuthority {
    fn measure(&self, connection: &mut Connection, names: &mut Names, now: &Registries) -> Result<Measure> {
        let needed = "clap asks for it where there is no number";
        let mut authority = match self.number {
            Some(number) => {
                let before = now.authorities.get(number);
                let before =
                    before.with_context(|| format!("there is no authority {number}; next: fengni authority list"))?;
                Authority { version: before.version.saturating_add(1), ..before.as_ref().clone() }
            }
            None => Authority {
                version: 1,
                member: names.member(connection, self.member.as_deref().context(needed)?)?,
                certificate_type: names
                    .certificate_type(connection, self.certificate_type.as_deref().context(needed)?)?,
                division: names::division(self.division.as_deref().context(needed)?)?,
                from: names::day(self.from.as_deref().context(needed)?)?,
                until: names::day(self.until.as_deref().context(needed)?)?,
                basis: self.basis.clone().context(needed)?,
                suspended: None,
            },
        };
        if let Some(division) = &self.division {
            authority.division = names::division(division)?;
        }
        if let Some(from) = &self.from {
            authority.from = names::day(from)?;
        }
        if let Some(until) = &self.until {
            authority.until = names::day(until)?;
        }
        if let Some(basis) = &self.basis {
            authority.basis.clone_from(basis);
        }
        Ok(Measure::SetAuthority { number: self.number.map(AuthorityNumber), authority })
    }
}

/// `type`.
#[derive(Args, Debug)]
pub(crate) struct SetType {
    /// Type, by short name, code, name or number
    certificate_type: String,
    /// Whether it takes new certificates
    #[arg(value_parser = ["on", "off"])]
    switch: String,
}

impl Draft for SetType {
    fn measure(&self, connection: &mut Connection, names: &mut Names, _: &Registries) -> Result<Measure> {
        let certificate_type = names.certificate_type(connection, &self.certificate_type)?;
        Ok(Measure::EnableType { certificate_type, enabled: self.switch == "on" })
    }
}

/// `new-type`.
#[derive(Args, Debug)]
pub(crate) struct NewType {
    /// The type: TOML or JSON
    file: PathBuf,
}

impl Draft for NewType {
    fn measure(&self, connection: &mut Connection, _: &mut Names, now: &Registries) -> Result<Measure> {
        let shown = self.file.display();
        let text = std::fs::read_to_string(&self.file).with_context(|| format!("cannot read {shown}"))?;
        let mut members = BTreeMap::new();
        for (number, member) in (0..).map(MemberNumber).zip(now.members.iter()) {
            members.extend([(member.code.to_string(), number), (number.to_string(), number)]);
        }
        let map = connection.map.as_ref();
        members.extend(map.into_iter().flat_map(|map| &map.members).map(|entry| (entry.key.clone(), entry.number)));
        let setting = TypeSetting {
            trusting_period_secs: now.parameters().trusting_period_secs,
            members: now.members.len(),
            purposes: now.codes.iter().find(|set| set.name == "purposes").map(AsRef::as_ref),
        };
        let read = read_type(&text, Format::of_file_name(&self.file.to_string_lossy()), &members, &setting);
        let kind = read.map_err(|problems| anyhow!("{shown} describes no type:\n{problems}"))?;
        Ok(Measure::RegisterType { certificate_type: Box::new(kind) })
    }
}

/// `keeper`.
#[derive(Args, Debug)]
pub(crate) struct ChangeKeeper {
    /// Number of the book: see fengni books
    book: u32,
    /// Who keeps it from then on
    member: String,
}

impl Draft for ChangeKeeper {
    fn measure(&self, connection: &mut Connection, names: &mut Names, _: &Registries) -> Result<Measure> {
        Ok(Measure::ChangeKeeper { book: BookNumber(self.book), keeper: names.member(connection, &self.member)? })
    }
}

/// `codes`.
#[derive(Args, Debug)]
pub(crate) struct SetCodes {
    /// The set: see fengni codes
    set: String,
    /// A code with its meaning, new or changed; may be given several times
    #[arg(long = "set", id = "code", value_name = "CODE=MEANING")]
    changes: Vec<String>,
    /// A code that goes; may be given several times
    #[arg(long = "drop", value_name = "CODE")]
    drops: Vec<String>,
}

impl Draft for SetCodes {
    fn measure(&self, _: &mut Connection, _: &mut Names, now: &Registries) -> Result<Measure> {
        let before = now.codes.iter().find(|set| set.name == self.set);
        let before = before.with_context(|| format!("there is no set {}; next: fengni codes", self.set))?;
        let mut codes = before.as_ref().clone();
        for code in &self.drops {
            let place = codes.codes.iter().position(|entry| entry.code == *code);
            codes.codes.remove(place.with_context(|| format!("{} has no code {code}", self.set))?);
        }
        for change in &self.changes {
            let (code, name) = change.split_once('=').with_context(|| format!("{change} is not CODE=MEANING"))?;
            codes.codes.retain(|entry| entry.code != code);
            codes.codes.push(Code { code: code.to_owned(), name: name.to_owned() });
        }
        codes.codes.sort();
        if codes == **before {
            bail!("nothing would change; next: give --set or --drop");
        }
        codes.version = codes.version.saturating_add(1);
        Ok(Measure::SetCodes { codes })
    }
}

/// `upgrade`.
#[derive(Args, Debug)]
pub(crate) struct Upgrade {
    /// The version; else the one after the present
    version: Option<u16>,
}

impl Draft for Upgrade {
    fn measure(&self, _: &mut Connection, _: &mut Names, now: &Registries) -> Result<Measure> {
        let next = now.parameters().protocol.saturating_add(1);
        Ok(Measure::Upgrade { protocol: self.version.unwrap_or(next) })
    }
}
