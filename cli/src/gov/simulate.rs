//! `fengni gov simulate`: before anyone signs, what a measure would change and what it would lock.

use anyhow::{Context as _, Result};
use clap::Args;
use fengni_client::clock;
use fengni_core::outcome::Refusal;
use fengni_core::record::Measure;
use fengni_core::{Day, Height, MemberNumber, ProposalNumber};
use serde::Serialize;

use super::forecast::{Forecast, Outlook, Present, Warning, forecast};
use super::measure::MeasureCommand;
use super::words::{self, ParameterChange};
use crate::connect::{ConnectArgs, Connection};
use crate::ending::Ending;
use crate::height::HeightArg;
use crate::names::Names;
use crate::output::Output;
use crate::register::Register;
use crate::signing::Refused;

/// `fengni gov simulate`.
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct SimulateArgs {
    /// Number of a proposal on the ledger
    #[arg(long, value_name = "NUMBER")]
    proposal: Option<u32>,
    #[command(flatten)]
    rest: TrialArgs,
    #[command(subcommand)]
    measure: Option<MeasureCommand<TrialArgs>>,
}

/// When, and what somebody has seen.
#[derive(Args, Debug)]
pub(crate) struct TrialArgs {
    /// First height that it rules: 4096, or +50 above the newest
    #[arg(long, value_name = "HEIGHT", default_value = "+100")]
    effective: HeightArg,
    #[command(flatten)]
    seen: SeenArgs,
    #[command(flatten)]
    connect: ConnectArgs,
}

/// What somebody has seen with own eyes.
#[derive(Args, Debug)]
pub(crate) struct SeenArgs {
    /// A member whose new node was seen connected and up to date; may be given several times
    #[arg(long = "connected", value_name = "MEMBER")]
    connected: Vec<String>,
}

impl SeenArgs {
    /// The members.
    pub(super) fn members(&self, connection: &mut Connection, names: &mut Names) -> Result<Vec<MemberNumber>> {
        self.connected.iter().map(|name| names.member(connection, name)).collect()
    }
}

/// What a trial found.
#[derive(Serialize)]
pub(super) struct Trial {
    /// `holds`, `warns` or `refused`.
    result: &'static str,
    measure: Measure,
    /// The same in words.
    says: String,
    effective: Height,
    /// The last height at which members vote.
    closes: Height,
    voters: Vec<MemberNumber>,
    needed: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<Refused>,
    #[serde(flatten)]
    changes: Option<Changes>,
    #[serde(skip)]
    pub(super) ending: Ending,
    #[serde(skip)]
    text: String,
}

#[derive(Serialize)]
struct Changes {
    after_proposals: Vec<ProposalNumber>,
    before: Outlook,
    after: Outlook,
    parameters: Vec<ParameterChange>,
    warnings: Vec<Warning>,
    standing_warnings: Vec<Warning>,
}

pub(super) fn run(args: &SimulateArgs, output: Output) -> Result<Ending> {
    let rest = args.measure.as_ref().map_or(&args.rest, |measure| measure.parts().1);
    let mut connection = rest.connect.open(None)?;
    let mut names = Names::default();
    let mut register = Register::fetch(&mut connection)?;
    let connected = rest.seen.members(&mut connection, &mut names)?;
    let (measure, effective) = match (&args.measure, args.proposal) {
        (Some(command), _) => {
            let measure = command.parts().0.measure(&mut connection, &mut names, &register.registries)?;
            (measure, rest.effective.resolve(&mut connection)?)
        }
        (None, Some(number)) => {
            let proposal = super::proposal(&register, number)?;
            (proposal.measure.clone(), proposal.effective)
        }
        (None, None) => {
            return Err(anyhow::anyhow!("nothing to try"))
                .context("next: give --proposal NUMBER, or a measure as in fengni gov propose");
        }
    };
    register.fetch_books(&mut connection, &measure)?;
    let proposed = args.proposal.filter(|_| args.measure.is_none()).is_some();
    let trial = Trial::of(&connection, &register, (measure, effective), &connected, proposed);
    connection.save(output);
    output.answer(&trial, || trial.text());
    Ok(trial.ending)
}

impl Trial {
    /// Tries a measure on a copy of the registries.
    ///
    /// - `proposed`: it is on the ledger already, so that its heights were judged.
    pub(super) fn of(
        connection: &Connection,
        register: &Register,
        (measure, effective): (Measure, Height),
        connected: &[MemberNumber],
        proposed: bool,
    ) -> Self {
        let now = &register.registries;
        let domain = connection.ledger.domain();
        let voting = now.parameters().voting;
        let closes = Height(effective.0.saturating_sub(voting.notice.saturating_add(1)));
        let voters = now.voters(&measure);
        let needed = voting.needed(voters.len());
        let says = words::measure(now, &measure);
        // The including block is one above the newest at least.
        let including = register.height.next();
        let fits = closes > including && effective.0.saturating_sub(including.0) <= voting.horizon;
        let (books, newest, today) = (&register.books[..], register.height, Day::of(clock::now()));
        let present = Present { registries: now, books, newest, today };
        let tried = forecast(present, &domain, &measure, effective, connected);
        let tried = tried.and_then(|found| if fits || proposed { Ok(found) } else { Err(Refusal::BadEffect) });
        let mut trial = Self {
            result: "holds",
            measure,
            says,
            effective,
            closes,
            voters,
            needed,
            refusal: None,
            changes: None,
            ending: Ending::Holds,
            text: String::new(),
        };
        let (brought, spoken) = (trial.measure.since(), now.parameters().protocol);
        match tried {
            _ if brought > spoken => trial.too_early(brought, spoken),
            Ok(found) => trial.found(now, found),
            Err(refusal) => trial.refused(refusal, voting.notice, including),
        }
        trial
    }

    /// Rule T-8: no node would take the proposal.
    fn too_early(&mut self, brought: u16, spoken: u16) {
        self.result = "refused";
        self.ending = Ending::Refused;
        self.text = format!(
            "refused T-8: such a measure is of protocol version {brought}, the ledger speaks {spoken}\n\
             next: fengni gov propose upgrade"
        );
    }

    fn refused(&mut self, refusal: Refusal, notice: u64, including: Height) {
        self.result = "refused";
        self.ending = Ending::Refused;
        let refused = Refused::of(refusal, 0);
        self.text = format!("refused {} {}: {}", refused.number, refused.name, refused.message);
        if refusal == Refusal::BadEffect {
            let first = including.0.saturating_add(notice).saturating_add(2);
            self.text.push_str(&format!("\nnext: give an --effective of {first} or later, with time to vote before"));
        }
        self.refusal = Some(refused);
    }

    fn found(&mut self, now: &fengni_state::Registries, found: Forecast) {
        let Forecast { before, after, ahead, warnings, standing } = found;
        if !warnings.is_empty() {
            (self.result, self.ending) = ("warns", Ending::Undecided);
        }
        let changes = Changes {
            after_proposals: ahead,
            before: Outlook::of(&before, self.effective),
            after: Outlook::of(&after, self.effective),
            parameters: words::changes(before.parameters(), after.parameters()),
            warnings,
            standing_warnings: standing,
        };
        self.text = changes.text(now, &after);
        self.changes = Some(changes);
    }

    /// For people.
    pub(super) fn text(&self) -> String {
        let Self { says, effective, closes, voters, needed, .. } = self;
        format!(
            "{says}\nfrom height {effective} on, if {needed} of {} approve by height {closes}\n{}",
            voters.len(),
            self.text
        )
    }

    /// Whether people should think again before they sign.
    pub(super) fn warns(&self) -> bool {
        self.changes.as_ref().is_some_and(|changes| !changes.warnings.is_empty())
    }
}

impl Changes {
    fn text(&self, now: &fengni_state::Registries, after: &fengni_state::Registries) -> String {
        let mut lines = Vec::new();
        if !self.after_proposals.is_empty() {
            let numbers: Vec<String> = self.after_proposals.iter().map(ToString::to_string).collect();
            lines.push(format!("counting proposals that passed and come first: {}", numbers.join(", ")));
        }
        lines.push(format!("before  {}", seats(now, &self.before)));
        lines.push(format!("after   {}", seats(after, &self.after)));
        for change in &self.parameters {
            lines.push(format!("{} {} to {}", change.name, change.before, change.after));
        }
        for warning in &self.standing_warnings {
            lines.push(format!("already so: {}", describe(after, warning)));
        }
        for warning in &self.warnings {
            lines.push(format!("warning: {}", describe(after, warning)));
        }
        lines.join("\n")
    }
}

fn seats(registries: &fengni_state::Registries, outlook: &Outlook) -> String {
    let seats: Vec<String> = outlook
        .validators
        .iter()
        .map(|seat| format!("{} {}", words::member(registries, seat.member), seat.power))
        .collect();
    format!(
        "{} validators: {}; quorum {} of {}, {} may fail; {} of {} voters decide",
        outlook.validators.len(),
        seats.join(", "),
        outlook.quorum,
        outlook.power,
        outlook.may_fail,
        outlook.needed,
        outlook.voters.len()
    )
}

fn describe(registries: &fengni_state::Registries, warning: &Warning) -> String {
    let name = |number: MemberNumber| words::member(registries, number);
    match warning {
        Warning::StopsAlone { member, power, of } => format!(
            "{} has {power} of {of} power: without it no block becomes final; next: add validators, or spread the power",
            name(*member)
        ),
        Warning::Untried { members, power, spare } => format!(
            "nobody has seen the new nodes of {} connected; they have {power} power and {spare} may be missing: if they do not come, no block becomes final; next: have them run and connected first, one at a time, then give --connected MEMBER",
            words::members(registries, members)
        ),
        Warning::NoAdminKey { member } => {
            format!("{} votes and has no good admin key; next: fengni gov propose replace-keys", name(*member))
        }
        Warning::OneAdminKey { member } => format!(
            "{} votes and has one admin key left; next: fengni key rotate --purpose admin, for a second person",
            name(*member)
        ),
        Warning::NobodyAbove { member } => format!(
            "no member above {} could end its last admin key once it is stolen: only a vote; next: let it have a second one",
            name(*member)
        ),
        Warning::AtMinimum { validators } => {
            format!(
                "{validators} validators are the fewest this network runs with: none may leave; next: admit one more"
            )
        }
        Warning::EveryVoter { voters, needed } => format!(
            "{needed} of {voters} voters must approve whatever is proposed: one that is lost stops every decision; next: lower voting.numerator, or add voters"
        ),
        Warning::NoRemoval { voters, needed } => format!(
            "a voter that is lost cannot be removed: {needed} of the {voters} others must approve; next: add voters"
        ),
    }
}
