//! `fengni order`: many certificates suspended by one act, and given back by one (批量暂扣令, CRT-12).

use anyhow::{Context as _, Result};
use clap::{Args, Subcommand};
use fengni_client::order;
use fengni_core::book::Book;
use fengni_core::outcome::Effect;
use fengni_core::record::{KeyPurpose, Order, Scope};
use fengni_core::{BookNumber, LineNumber, MemberNumber, OrderNumber};
use serde::Serialize;

use crate::admin::{ActingArgs, Asked};
use crate::connect::{ConnectArgs, Connection};
use crate::ending::Ending;
use crate::names::{self, Names};
use crate::output::{Output, table};
use crate::standing::GroundArgs;

/// What happens to many certificates.
#[derive(Subcommand, Debug)]
pub(crate) enum OrderCommand {
    /// Suspend the lines that a scope has now; two persons sign
    #[command(subcommand)]
    Suspend(ScopeCommand),
    /// Lift an order: its lines are as if it had not been given; two persons sign
    #[command(after_help = "Examples:\n  fengni order lift 0 --reason 203 --decision order.pdf --home net/members/gov")]
    Lift {
        /// Number: see fengni order list
        order: u32,
        #[command(flatten)]
        rest: OrderArgs,
    },
    /// List orders
    #[command(after_help = "Examples:\n  fengni order list --network net")]
    List(ConnectArgs),
    /// Show an order
    #[command(after_help = "Examples:\n  fengni order show 0 --network net --json")]
    Show {
        /// Number: see fengni order list
        order: u32,
        #[command(flatten)]
        connect: ConnectArgs,
    },
}

/// Which lines.
#[derive(Subcommand, Debug)]
pub(crate) enum ScopeCommand {
    /// A run of one book's lines, such as a batch
    #[command(
        after_help = "Examples:\n  fengni order suspend lines 0 417 902 --reason 201 --decision order.pdf --home net/members/psb"
    )]
    Lines {
        /// The book
        book: u64,
        /// First line
        first: u64,
        /// Last line, included
        last: u64,
        #[command(flatten)]
        rest: OrderArgs,
    },
    /// A whole book
    #[command(
        after_help = "Examples:\n  fengni order suspend book 0 --reason 201 --decision order.pdf --home net/members/gov"
    )]
    Book {
        /// The book
        book: u64,
        #[command(flatten)]
        rest: OrderArgs,
    },
    /// Every book of a type in a region and those inside it
    #[command(
        after_help = "Examples:\n  fengni order suspend type T-CL 319900 --reason 201 --decision order.pdf --home net/members/gov"
    )]
    Type {
        /// Type, by short name, code, name or number
        certificate_type: String,
        /// Region
        division: String,
        #[command(flatten)]
        rest: OrderArgs,
    },
    /// Every book that a member keeps
    #[command(
        after_help = "Examples:\n  fengni order suspend keeper CIQ --reason 901 --decision order.pdf --home net/members/gov"
    )]
    Keeper {
        /// Member, by short name, credit code, name or number
        member: String,
        #[command(flatten)]
        rest: OrderArgs,
    },
}

/// Why, by whom.
#[derive(Args, Debug)]
pub(crate) struct OrderArgs {
    /// Act with enforcement keys though all the books are one's own
    #[arg(long)]
    as_body: bool,
    #[command(flatten)]
    ground: GroundArgs,
    #[command(flatten)]
    acting: ActingArgs,
}

pub(crate) fn run(command: &OrderCommand, output: Output) -> Result<Ending> {
    match command {
        OrderCommand::Suspend(wanted) => suspend(wanted, output),
        OrderCommand::Lift { order, rest } => lift(OrderNumber(*order), rest, output),
        OrderCommand::List(connect) => list(None, connect, output),
        OrderCommand::Show { order, connect } => list(Some(*order), connect, output),
    }
}

impl ScopeCommand {
    fn rest(&self) -> &OrderArgs {
        match self {
            Self::Lines { rest, .. }
            | Self::Book { rest, .. }
            | Self::Type { rest, .. }
            | Self::Keeper { rest, .. } => rest,
        }
    }

    fn scope(&self, connection: &mut Connection, names: &mut Names) -> Result<Scope> {
        Ok(match self {
            Self::Lines { book, first, last, .. } => {
                Scope::Lines { book: number(*book)?, first: LineNumber(*first), last: LineNumber(*last) }
            }
            Self::Book { book, .. } => Scope::Book { book: number(*book)? },
            Self::Type { certificate_type, division, .. } => Scope::Type {
                certificate_type: names.certificate_type(connection, certificate_type)?,
                division: names::division(division)?,
            },
            Self::Keeper { member, .. } => Scope::Keeper { member: names.member(connection, member)? },
        })
    }
}

fn number(book: u64) -> Result<BookNumber> {
    Ok(BookNumber(u32::try_from(book).with_context(|| format!("there is no book {book}; next: fengni books"))?))
}

fn suspend(wanted: &ScopeCommand, output: Output) -> Result<Ending> {
    let rest = wanted.rest();
    let asked = |connection: &mut Connection, names: &mut Names| {
        let scope = wanted.scope(connection, names)?;
        let purpose = rest.capacity(connection, names, scope)?;
        let asked = rest.ground.asked(connection, names, |ground| order::suspend(scope, ground))?;
        Ok(Asked { two_persons: true, purpose, ..asked })
    };
    rest.acting.carry_out(output, asked, done)
}

fn lift(number: OrderNumber, rest: &OrderArgs, output: Output) -> Result<Ending> {
    let asked = |connection: &mut Connection, names: &mut Names| {
        let found: Order = connection.ledger.record(number.0)?;
        let purpose = rest.capacity(connection, names, found.scope)?;
        let asked = rest.ground.asked(connection, names, |ground| order::lift(number, ground))?;
        Ok(Asked { two_persons: true, purpose, ..asked })
    };
    rest.acting.carry_out(output, asked, done)
}

fn done(effect: &Effect) -> String {
    match effect {
        Effect::Order { order, lines, lifted: false } => format!("order {order} suspends {lines} lines"),
        Effect::Order { order, lines, lifted: true } => format!("order {order} is lifted from {lines} lines"),
        other => format!("{other:?}"),
    }
}

impl OrderArgs {
    /// Whether the member acts as the books' keeper or as a body above.
    fn capacity(&self, connection: &mut Connection, names: &mut Names, scope: Scope) -> Result<KeyPurpose> {
        let own: MemberNumber = self.acting.member()?;
        let kept = |book: &Book| book.keeper == own;
        let books = names.books(connection)?;
        let keeps = match scope {
            Scope::Lines { book, .. } | Scope::Book { book } => books.get(book.0 as usize).is_some_and(kept),
            Scope::Type { certificate_type, division } => {
                let meant =
                    |book: &&Book| book.certificate_type() == Some(certificate_type) && division.covers(&book.division);
                books.iter().filter(meant).all(kept)
            }
            Scope::Keeper { member } => member == own,
        };
        let is_keeper = keeps && !self.as_body && self.acting.actor().has(KeyPurpose::Issuing)?;
        Ok(if is_keeper { KeyPurpose::Issuing } else { KeyPurpose::Enforcement })
    }
}

#[derive(Serialize)]
struct Listed {
    order: OrderNumber,
    #[serde(flatten)]
    record: Order,
}

fn list(only: Option<u32>, connect: &ConnectArgs, output: Output) -> Result<Ending> {
    let mut connection = connect.open(None)?;
    let mut names = Names::default();
    let records: Vec<Order> = connection.ledger.shelf()?;
    let all = (0..).map(OrderNumber).zip(records).map(|(order, record)| Listed { order, record });
    let listed: Vec<Listed> = all.filter(|it| only.is_none_or(|only| it.order.0 == only)).collect();
    if let Some(only) = only.filter(|_| listed.is_empty()) {
        anyhow::bail!("there is no order {only}; next: fengni order list");
    }
    let members = names.called(&mut connection)?;
    let types = names.types(&mut connection)?.to_vec();
    output.answer(&serde_json::json!({ "orders": listed }), || {
        let rows = listed.iter().map(|it| {
            let scope = match it.record.scope {
                Scope::Lines { book, first, last } => format!("book {book}, lines {first} to {last}"),
                Scope::Book { book } => format!("book {book}"),
                Scope::Type { certificate_type, division } => {
                    let kind = types.get(certificate_type.0 as usize).map_or_else(String::new, |it| it.name.clone());
                    format!("{kind} in {division}")
                }
                Scope::Keeper { member: keeper } => format!("books of {}", members.of(keeper)),
            };
            let status = it.record.lifted.map_or_else(|| "in force".to_owned(), |height| format!("lifted at {height}"));
            let (lines, given) = (it.record.lines.to_string(), it.record.height.to_string());
            [
                it.order.to_string(),
                scope,
                lines,
                members.of(it.record.by),
                given,
                it.record.ground.reason.to_string(),
                status,
            ]
        });
        table(["order", "scope", "lines", "by", "height", "reason", "status"], rows)
    });
    Ok(Ending::Holds)
}
