//! `fengni standing`, `fengni consume`: acts on one certificate's standing.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::{Args, Subcommand};
use fengni_client::decision::Decision;
use fengni_client::standing;
use fengni_client::submit::Settlement;
use fengni_core::book::Book;
use fengni_core::history::standing_words;
use fengni_core::operation::{Ground, StandingChange};
use fengni_core::proof::Proven;
use fengni_core::record::{KeyPurpose, Member};
use fengni_core::standing::{ActKind, Hold, Standing, State};
use fengni_core::{KeyNumber, LinePlace, MemberNumber, OrderNumber, ReasonCode};
use serde::Serialize;

use crate::connect::{ConnectArgs, Connection};
use crate::ending::Ending;
use crate::names::{self, Names, Target};
use crate::output::Output;
use crate::signing::{self, ActorArgs, Settled};

const ACT_EXAMPLES: &str = "Examples:
  fengni standing suspend 0/417 --reason 201 --decision order.pdf --home net/members/gov
  fengni standing return 0/417 --reason 203 --decision order.pdf --home net/members/gov
  fengni standing revoke IDENTIFIER --reason 202 --decision penalty.pdf --home net/members/psb \\
      --key net/members/psb/keys/enforcement-a.json --key net/members/psb/keys/enforcement-b.json";

/// What happens to a certificate.
#[derive(Subcommand, Debug)]
pub(crate) enum StandingCommand {
    /// 暂扣: withhold, until it is returned or until a day has passed
    #[command(after_help = ACT_EXAMPLES)]
    Suspend {
        /// Last day of the suspension, such as 2026-03-20
        #[arg(long, value_name = "DAY")]
        until: Option<String>,
        #[command(flatten)]
        act: ActArgs,
    },
    /// 暂扣发还: give back what was withheld
    #[command(after_help = ACT_EXAMPLES)]
    Return {
        /// Member whose suspension is lifted; else the acting member's own
        #[arg(long, value_name = "MEMBER")]
        hold: Option<String>,
        #[command(flatten)]
        act: ActArgs,
    },
    /// 注销: deregister; two persons sign
    Cancel(ActArgs),
    /// 撤销: undo what should not have been granted; two persons sign
    Annul(ActArgs),
    /// 吊销: take away as a penalty; two persons sign
    Revoke(ActArgs),
    /// 转出: give up to another issuer
    TransferOut {
        /// Member that may take it over
        #[arg(long, value_name = "MEMBER")]
        to: String,
        #[command(flatten)]
        act: ActArgs,
    },
    /// 取消转出: keep it after all
    CancelTransfer(ActArgs),
    /// 过期失效: record that its validity ended
    Expire(ActArgs),
    /// 异议标注: note an open objection
    Dispute(ActArgs),
    /// 撤销异议标注: the objection is settled
    ClearDispute(ActArgs),
    /// 挂失: block the holder's key after a loss; the certificate stands
    BlockKey(ActArgs),
    /// Show where a certificate stands
    #[command(
        after_help = "Examples:\n  fengni standing show 0/417 --network net\n  fengni standing show IDENTIFIER --json"
    )]
    Show {
        /// Identifier, or book/line
        target: String,
        #[command(flatten)]
        connect: ConnectArgs,
    },
}

/// An act: on what, why, by whom.
#[derive(Args, Clone, Debug)]
pub(crate) struct ActArgs {
    /// Identifier, or book/line
    pub(crate) target: String,
    #[command(flatten)]
    pub(crate) ground: GroundArgs,
    #[command(flatten)]
    pub(crate) actor: ActorArgs,
    /// Act as a body that the type names, with enforcement keys, though the book is one's own
    #[arg(long)]
    pub(crate) as_body: bool,
    #[command(flatten)]
    pub(crate) connect: ConnectArgs,
}

/// Why.
#[derive(Args, Clone, Debug)]
pub(crate) struct GroundArgs {
    /// Reason, by code or name: see fengni codes reasons
    #[arg(long, value_name = "CODE")]
    pub(crate) reason: String,
    /// The decision document; only its salted hash goes to the ledger
    #[arg(long, value_name = "FILE")]
    pub(crate) decision: PathBuf,
}

/// `fengni consume`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  fengni consume 2/0 --reason 501 --decision release.pdf --home net/members/gov")]
pub(crate) struct ConsumeArgs {
    /// Identifier, or book/line
    target: String,
    #[command(flatten)]
    ground: GroundArgs,
    #[command(flatten)]
    actor: ActorArgs,
    #[command(flatten)]
    connect: ConnectArgs,
}

/// What must be kept with a decision document, so that it can be shown later which one was meant.
#[derive(Serialize)]
struct KeptDecision<'a> {
    place: Option<LinePlace>,
    transaction: &'a str,
    file: &'a Path,
    #[serde(flatten)]
    decision: Decision,
}

/// A ground and the decision behind it.
pub(crate) struct Reasoned {
    /// What the ledger gets.
    pub(crate) ground: Ground,
    decision: Decision,
    file: PathBuf,
}

impl GroundArgs {
    /// Hashes the decision document with a fresh salt.
    pub(crate) fn read(&self, connection: &mut Connection, names: &mut Names) -> Result<Reasoned> {
        let document = std::fs::read(&self.decision).with_context(|| self.decision.display().to_string())?;
        let reason = names.reason(connection, &self.reason)?;
        Reasoned::new(connection, reason, &document, &self.decision)
    }
}

impl Reasoned {
    /// A reason, and the decision in a document.
    pub(crate) fn new(connection: &Connection, reason: ReasonCode, document: &[u8], file: &Path) -> Result<Self> {
        let decision = Decision::of(&connection.ledger.domain(), document)?;
        Ok(Self { ground: decision.ground(reason), decision, file: file.to_owned() })
    }

    /// Keeps the salt in the member's folder; `place` is the line that was decided about, if any.
    pub(crate) fn keep(&self, home: &Path, place: Option<LinePlace>, transaction: &str) -> Result<()> {
        let path = home.join("decisions.jsonl");
        let kept = KeptDecision { place, transaction, file: &self.file, decision: self.decision };
        let mut options = std::fs::OpenOptions::new();
        options.create(true).append(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let line = serde_json::to_string(&kept)? + "\n";
        let written = options.open(&path).and_then(|mut file| file.write_all(line.as_bytes()));
        written.with_context(|| format!("{}: the decision's salt could not be kept", path.display()))
    }
}

pub(crate) fn run(command: &StandingCommand, output: Output) -> Result<Ending> {
    let (act, wanted) = match command {
        StandingCommand::Show { target, connect } => return show(target, connect, output),
        StandingCommand::Suspend { until, act } => (act, Wanted::Suspend(until.as_deref())),
        StandingCommand::Return { hold, act } => (act, Wanted::Return(hold.as_deref())),
        StandingCommand::TransferOut { to, act } => (act, Wanted::TransferOut(to)),
        StandingCommand::Cancel(act) => (act, Wanted::Plain(StandingChange::Cancel)),
        StandingCommand::Annul(act) => (act, Wanted::Plain(StandingChange::Annul)),
        StandingCommand::Revoke(act) => (act, Wanted::Plain(StandingChange::Revoke)),
        StandingCommand::CancelTransfer(act) => (act, Wanted::Plain(StandingChange::CancelTransfer)),
        StandingCommand::Expire(act) => (act, Wanted::Plain(StandingChange::Expire)),
        StandingCommand::Dispute(act) => (act, Wanted::Plain(StandingChange::Dispute)),
        StandingCommand::ClearDispute(act) => (act, Wanted::Plain(StandingChange::ClearDispute)),
        StandingCommand::BlockKey(act) => (act, Wanted::Plain(StandingChange::BlockKey)),
    };
    let mut connection = act.connect.open(Some(&act.actor.home))?;
    let mut names = Names::default();
    let reasoned = act.ground.read(&mut connection, &mut names)?;
    let order = Order { actor: &act.actor, target: &act.target, wanted, reasoned, as_body: act.as_body };
    let acted = order.carry_out(&mut connection, &mut names)?;
    connection.save(output);
    report(&acted, output)
}

/// An act to be done: on what, why, by whom.
pub(crate) struct Order<'a> {
    /// Who acts.
    pub(crate) actor: &'a ActorArgs,
    /// Identifier, or book/line.
    pub(crate) target: &'a str,
    /// What.
    pub(crate) wanted: Wanted<'a>,
    /// Why.
    pub(crate) reasoned: Reasoned,
    /// Whether a keeper acts as a body all the same.
    pub(crate) as_body: bool,
}

/// A change in the words of the command line.
pub(crate) enum Wanted<'a> {
    /// Through this day, or without end.
    Suspend(Option<&'a str>),
    /// Of this member, or one's own.
    Return(Option<&'a str>),
    /// To this member.
    TransferOut(&'a str),
    /// Nothing more to say.
    Plain(StandingChange),
}

/// An act and what became of it.
#[derive(Serialize)]
pub(crate) struct Acted {
    /// The line.
    pub(crate) place: LinePlace,
    /// What was asked.
    pub(crate) act: ActKind,
    #[serde(flatten)]
    pub(crate) settled: Settled,
    #[serde(skip)]
    settlement: Settlement,
}

impl Order<'_> {
    /// Signs and submits it.
    pub(crate) fn carry_out(&self, connection: &mut Connection, names: &mut Names) -> Result<Acted> {
        let own = self.actor.member()?;
        let place = Target::parse(self.target)?.place(connection)?;
        let change = match &self.wanted {
            Wanted::Suspend(until) => {
                StandingChange::Suspend { until: until.map(names::day).transpose()?.map(names::end_of_day) }
            }
            Wanted::Return(hold) => {
                let hold = hold.map(|member| names.member(connection, member)).transpose()?;
                StandingChange::Return { hold: hold.unwrap_or(own) }
            }
            Wanted::TransferOut(to) => StandingChange::TransferOut { target: names.member(connection, to)? },
            Wanted::Plain(change) => *change,
        };
        let purpose = self.capacity(connection, place, own, &change)?;
        let signers = self.actor.signers(purpose, change.kind().is_terminal())?;
        let operation = standing::change(place, change, self.reasoned.ground);
        let settlement = signing::submit(connection, &signers, operation)?;
        finish(place, change.kind(), settlement, &self.reasoned, &self.actor.home)
    }

    /// Whether the member acts as keeper of the book or as a body that the type names.
    fn capacity(
        &self,
        connection: &mut Connection,
        place: LinePlace,
        own: MemberNumber,
        change: &StandingChange,
    ) -> Result<KeyPurpose> {
        // A keeper gives back its own suspension alone and takes nothing away as a penalty.
        let is_keepers = match change {
            StandingChange::Revoke => false,
            StandingChange::Return { hold } => *hold == own,
            _ => true,
        };
        if self.as_body || !is_keepers || !self.actor.has(KeyPurpose::Issuing)? {
            return Ok(KeyPurpose::Enforcement);
        }
        let book: Book = connection.ledger.record(place.book.0)?;
        Ok(if book.keeper == own { KeyPurpose::Issuing } else { KeyPurpose::Enforcement })
    }
}

/// Keeps the decision's salt, whatever became of the act: it may stand on the ledger.
pub(crate) fn finish(
    place: LinePlace,
    act: ActKind,
    settlement: Settlement,
    reasoned: &Reasoned,
    home: &Path,
) -> Result<Acted> {
    let settled = Settled::of(&settlement)?;
    if settled.ending != Ending::Refused {
        reasoned.keep(home, Some(place), &settled.transaction)?;
    }
    Ok(Acted { place, act, settled, settlement })
}

/// An act in words.
pub(crate) fn act_word(act: ActKind) -> String {
    let word = serde_json::to_value(act).ok();
    word.as_ref().and_then(|word| word.as_str()).unwrap_or("act").replace('-', " ")
}

/// Says what became of an act.
pub(crate) fn report(acted: &Acted, output: Output) -> Result<Ending> {
    output.answer(acted, || {
        let word = act_word(acted.act);
        let after = match &acted.settlement {
            Settlement::Done { effect: fengni_core::outcome::Effect::Acted { act, standing }, .. } => {
                // A suspension is a hold and no state: the state stays what it was.
                let is_held = acted.act == ActKind::Suspend && standing.state == State::Active;
                let after = if is_held { "suspended 暂扣".to_owned() } else { standing_words(*standing) };
                format!(", act {act}; standing now: {after};")
            }
            Settlement::Done { effect: fengni_core::outcome::Effect::Replaced { act, book, line }, .. } => {
                format!(", act {act}; goes on at book {book} line {line};")
            }
            _ => String::new(),
        };
        acted.settled.text(&format!("{word} {}{after}", acted.place))
    });
    Ok(acted.settled.ending)
}

pub(crate) fn consume(args: &ConsumeArgs, output: Output) -> Result<Ending> {
    let mut connection = args.connect.open(Some(&args.actor.home))?;
    let mut names = Names::default();
    let place = Target::parse(&args.target)?.place(&mut connection)?;
    let is_application = !args.actor.has(KeyPurpose::Enforcement)?;
    let purpose = if is_application { KeyPurpose::Application } else { KeyPurpose::Enforcement };
    let signers = args.actor.signers(purpose, false)?;
    let reasoned = args.ground.read(&mut connection, &mut names)?;
    let settlement = signing::submit(&mut connection, &signers, standing::consume(place, reasoned.ground))?;
    let acted = finish(place, ActKind::Consume, settlement, &reasoned, &args.actor.home)?;
    connection.save(output);
    report(&acted, output)
}

/// Where a line stands, as a quorum proves it.
#[derive(Serialize)]
struct Shown {
    place: LinePlace,
    certificate_type: String,
    keeper: String,
    standing: Standing,
    holds: Vec<HoldShown>,
    /// Keys for whose revocation the line is suspended.
    revoked_keys: Vec<KeyNumber>,
    /// Orders that suspend the line.
    orders: Vec<OrderNumber>,
    sealed_height: Option<fengni_core::Height>,
    as_of_height: fengni_core::Height,
    as_of_time: fengni_core::Millis,
}

#[derive(Serialize)]
struct HoldShown {
    by: MemberNumber,
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<fengni_core::Millis>,
    live: bool,
}

fn show(target: &str, connect: &ConnectArgs, output: Output) -> Result<Ending> {
    let mut connection = connect.open(None)?;
    let (place, proven) = match Target::parse(target)? {
        Target::Place(place) => (place, connection.ledger.line(place, None)?.value),
        Target::Identifier(identifier) => match connection.ledger.identifier(&identifier, None) {
            Ok(answer) => answer.value,
            Err(error) if error.is_not_found() => {
                let facts = serde_json::json!({ "result": "undecided", "reason": "not found" });
                output.answer(&facts, || {
                    "undecided: no node finds this identifier, which does not prove that there is none\n\
                     next: compare it with the document, or ask another gateway"
                        .to_owned()
                });
                return Ok(Ending::Undecided);
            }
            Err(error) => return Err(error.into()),
        },
    };
    let book: Book = proven.record(place.book.0)?;
    if place.line.0 >= book.lines {
        let facts = serde_json::json!({ "result": "refused", "place": place, "lines": book.lines });
        output.answer(&facts, || {
            format!("refused: book {} has {} lines and no line {}", place.book, book.lines, place.line)
        });
        return Ok(Ending::Refused);
    }
    let shown = shown(&proven, place, &book)?;
    connection.save(output);
    output.answer(&shown, || text(&shown));
    Ok(Ending::Holds)
}

fn shown(proven: &Proven, place: LinePlace, book: &Book) -> Result<Shown> {
    let kind = proven.type_of(book)?;
    let page = proven.page(place.book, place.line.page())?;
    let (standing, holds) = page.standing(place.line.place());
    let header = proven.header();
    let name = |member: MemberNumber| proven.record::<Member>(member.0).ok().map(|member| member.name);
    let hold = |hold: &Hold| HoldShown {
        by: hold.by,
        name: name(hold.by),
        until: hold.until,
        live: hold.is_live(header.time),
    };
    Ok(Shown {
        place,
        certificate_type: kind.name,
        keeper: name(book.keeper).unwrap_or_else(|| format!("member {}", book.keeper)),
        standing,
        holds: holds.iter().map(hold).collect(),
        revoked_keys: book.revoked_keys(place.line).collect(),
        orders: book.orders(place.line).collect(),
        sealed_height: proven.seal_of(place).map(|seal| seal.height),
        as_of_height: header.height,
        as_of_time: header.time,
    })
}

fn text(shown: &Shown) -> String {
    let mut text = format!("{}: {}, kept by {}", shown.place, shown.certificate_type, shown.keeper);
    let suspended = shown.holds.iter().any(|hold| hold.live) && shown.standing.state == State::Active;
    let standing = if suspended { "suspended 暂扣".to_owned() } else { standing_words(shown.standing) };
    text.push_str(&format!("\nstanding {standing} as of block {}, {}", shown.as_of_height, shown.as_of_time.show()));
    for hold in &shown.holds {
        let name = hold.name.clone().unwrap_or_else(|| format!("member {}", hold.by));
        let until = hold.until.map_or_else(String::new, |until| format!(" until {}", until.show()));
        text.push_str(&format!("\nsuspended by {name}{until}{}", if hold.live { "" } else { ", over" }));
    }
    for key in &shown.revoked_keys {
        text.push_str(&format!("\nsuspended because key {key} of its keeper was revoked 密钥吊销"));
    }
    for order in &shown.orders {
        text.push_str(&format!("\nsuspended by order {order} 批量暂扣; next: fengni order show {order}"));
    }
    text
}
