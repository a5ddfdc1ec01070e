//! `fengni case step`: how far a case is.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use fengni_client::case::Cases;
use fengni_core::LinePlace;
use fengni_core::operation::Operation;
use fengni_core::record::KeyPurpose;
use fengni_core::standing::ActKind;

use super::{ENDING, JOURNAL, StepArgs, show, slip};
use crate::connect::Connection;
use crate::ending::Ending;
use crate::names::{Names, Target};
use crate::output::Output;
use crate::signing;
use crate::standing::{Reasoned, finish, report};

pub(super) fn run(args: &StepArgs, output: Output) -> Result<Ending> {
    let mut connection = args.connect.open(Some(&args.actor.home))?;
    let place = place(args, &mut connection)?;
    let document = std::fs::read(&args.decision).with_context(|| args.decision.display().to_string())?;
    let step = Names::default().step(&mut connection, &args.step)?;
    let reasoned = Reasoned::new(&connection, step, &document, &args.decision)?;
    let signers = args.actor.signers(KeyPurpose::Issuing, false)?;
    let operation = Operation::Step { place, ground: reasoned.ground, closes: args.close };
    let settlement = signing::submit(&mut connection, &signers, operation)?;
    let acted = finish(place, ActKind::Step, settlement, &reasoned, &args.actor.home)?;
    connection.save(output);
    report(&acted, output)
}

/// Where a case stands, from its number, its slip, or its place itself.
///
/// A number may look like a place, so that the journal is asked first; and whatever names the case is
/// held against the line, so that no step lands on another's.
fn place(args: &StepArgs, connection: &mut Connection) -> Result<LinePlace> {
    let network = connection.ledger.domain().network;
    let journal = args.actor.home.join(JOURNAL);
    let slip = if args.case.ends_with(ENDING) {
        Some(slip::read(Path::new(&args.case), network)?)
    } else if journal.exists() {
        let cases = Cases::read(&journal, network)?;
        cases.find(&args.case).and_then(|known| cases.slip(known))
    } else {
        None
    };
    if let Some(slip) = slip {
        show::must_stand(&slip, connection)?;
        return Ok(slip.place);
    }
    match Target::parse(&args.case) {
        Ok(place @ Target::Place(_)) => place.place(connection),
        _ => bail!("no case {} is open; next: fengni case list, or give its slip", args.case),
    }
}
