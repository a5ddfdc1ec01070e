//! `fengni case step`: how far a case is.

use std::path::Path;

use anyhow::{Context as _, Result};
use fengni_client::case::Journal;
use fengni_core::LinePlace;
use fengni_core::operation::Operation;
use fengni_core::record::KeyPurpose;
use fengni_core::standing::ActKind;

use super::{ENDING, JOURNAL, StepArgs, slip};
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
fn place(args: &StepArgs, connection: &mut Connection) -> Result<LinePlace> {
    let network = connection.ledger.domain().network;
    if args.case.ends_with(ENDING) {
        return Ok(slip::read(Path::new(&args.case), network)?.place);
    }
    if let Some(place) = Target::parse(&args.case).ok().filter(|_| args.case.contains('/')) {
        return place.place(connection);
    }
    let journal = Journal::at(&args.actor.home.join(JOURNAL), network)?;
    let known = journal.find(&args.case);
    let place = known.and_then(|known| journal.place(known));
    place.with_context(|| format!("no case {} is open; next: fengni case open, or give its slip", args.case))
}
