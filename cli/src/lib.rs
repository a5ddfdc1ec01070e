//! `fengni`: for auditors, operators, issuers, holders and verifiers.
//!
//! ```text
//! $ fengni sample --home net && fengni up --home net
//! $ fengni id check 11319900XN0100021G
//! valid: credit code
//! ```
//!
//! Invariants: answers on stdout and progress on stderr; the exit code is 0 for holds or done, 1
//! for refused, 2 for undecided, 3 for could not run; a failure to check is never shown as valid.

#![forbid(unsafe_code)]

mod admin;
mod agreement;
mod args;
mod assurance;
mod audit;
mod authority;
mod blocks;
mod bulk;
mod case;
mod challenge;
mod connect;
mod documents;
mod ending;
mod export;
mod figures;
mod founding;
mod gov;
mod height;
mod history;
mod id;
mod issue;
mod kept;
mod key;
mod key_file;
pub mod local;
mod member;
mod moment;
mod names;
mod offence;
mod order;
mod output;
mod package;
mod passphrase;
mod private;
mod receipt;
mod recovery;
mod register;
mod replace;
mod rotate;
mod seen;
mod serve;
mod sharing;
mod signing;
mod standing;
mod successors;
mod trust;
mod unproven;
mod verify;
mod views;
mod wallet;
mod watch;
mod words;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser as _;
use clap::error::ErrorKind;

use args::{Cli, Command, IdCommand};
pub use ending::Ending;
pub use output::{Output, SCHEMA};

/// Runs the program with the arguments of its process.
pub fn main() -> ExitCode {
    ExitCode::from(run(std::env::args_os()).code())
}

/// Runs the program with these arguments, the program's name first.
pub fn run(arguments: impl IntoIterator<Item = std::ffi::OsString>) -> Ending {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return match error.kind() {
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Ending::Holds,
                _ => Ending::CouldNotRun,
            };
        }
    };
    let output = Output::new(cli.json);
    dispatch(cli.command, output).unwrap_or_else(|error| {
        output.trouble(&error);
        Ending::CouldNotRun
    })
}

fn dispatch(command: Command, output: Output) -> Result<Ending> {
    match command {
        Command::Sample(args) => local::sample::run(&args, output),
        Command::Up(args) => local::up::run(&args, output),
        Command::Down(args) => local::down::run(&args, output),
        Command::Status(args) => local::status::run(&args, output),
        Command::Doctor(args) => local::doctor::run(&args, output),
        Command::Wait(args) => local::wait::run(&args, output),
        Command::Genesis(command) => founding::run(&command, output),
        Command::Id(IdCommand::Check { code }) => Ok(id::check(&code, output)),
        Command::Issue(args) => issue::run(&args, output),
        Command::Standing(command) => standing::run(&command, output),
        Command::Supersede(args) => replace::supersede(&args, output),
        Command::Rekey(args) => replace::rekey(&args, output),
        Command::TransferIn(args) => replace::transfer_in(&args, output),
        Command::Case(command) => case::run(&command, output),
        Command::Consume(args) => standing::consume(&args, output),
        Command::Resource(command) => sharing::resource::run(&command, output),
        Command::Item(command) => sharing::item::run(&command, output),
        Command::Request(command) => sharing::request::run(&command, output),
        Command::Book(command) => sharing::book::run(&command, output),
        Command::Grant(command) => sharing::grant::run(&command, output),
        Command::Access(command) => sharing::access::run(&command, output),
        Command::Mine(args) => sharing::mine::run(&args, output),
        Command::Needs(args) => sharing::needs::run(&args, output),
        Command::Objection(command) => sharing::objection::run(&command, output),
        Command::Agreement(command) => agreement::run(&command, output),
        Command::Authority(command) => authority::run(&command, output),
        Command::Key(command) => key::run(&command, output),
        Command::Member(command) => member::run(&command, output),
        Command::Gov(command) => gov::run(&command, output),
        Command::Order(command) => order::run(&command, output),
        Command::Offence(command) => offence::run(&command, output),
        Command::Challenge(command) => challenge::run(&command, output),
        Command::Assure(args) => assurance::run(&args, output),
        Command::Show(args) => wallet::show(&args, output),
        Command::Wallet(command) => wallet::wallet(&command, output),
        Command::Bulk(args) => bulk::run(&args, output),
        Command::Trust(command) => trust::run(&command, output),
        Command::Verify(args) => verify::run(&args, output),
        Command::Evidence(command) => package::run(&command, output),
        Command::Receipt(command) => receipt::run(&command, output),
        Command::Documents(args) => documents::run(&args, output),
        Command::Watch(args) => watch::run(&args, output),
        Command::History(args) => history::run(&args, output),
        Command::Check(args) => history::check(&args, output),
        Command::Serve(args) => serve::run(&args, output),
        Command::Recovery(command) => recovery::run(&command, output),
        Command::Audit(command) => audit::run(&command, output),
        Command::Export(command) => export::run(&command, output),
        Command::Stats(args) => figures::stats::run(&args, output),
        Command::Report(args) => figures::report::run(&args, output),
        Command::Network(args) => views::network(&args, output),
        Command::Members(args) => views::members(&args, output),
        Command::Types(args) => views::types(&args, output),
        Command::Books(args) => views::books(&args, output),
        Command::Codes(args) => views::codes(&args, output),
    }
}
