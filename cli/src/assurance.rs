//! `fengni assure`: an identity service vouches for the key on a person's phone.

use std::path::Path;

use anyhow::{Context as _, Result, anyhow};
use clap::{Args, ValueEnum};
use fengni_client::assurance::{CheckedHolder, vouch};
use fengni_client::clock;
use fengni_core::assurance::{Assertion, Assurance, PREFIX};
use fengni_core::certificate::proof_from_text;
use fengni_core::record::KeyPurpose;
use fengni_core::{MemberNumber, Millis, PublicKey};
use serde::Serialize;

use crate::connect::ConnectArgs;
use crate::ending::Ending;
use crate::moment;
use crate::output::Output;
use crate::signing::ActorArgs;

/// How an identity service has checked a person.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum AssuranceArg {
    /// Name and number (实名)
    RealName,
    /// In person (实人)
    RealPerson,
}

impl From<AssuranceArg> for Assurance {
    fn from(level: AssuranceArg) -> Self {
        match level {
            AssuranceArg::RealName => Self::RealName,
            AssuranceArg::RealPerson => Self::RealPerson,
        }
    }
}

/// `fengni assure`.
#[derive(Args, Debug)]
#[command(after_help = "How the person is checked is the service's own affair. The assertion names nobody; the wallet
puts it into its codes, and a verifier can insist on a level.

Examples:
  fengni wallet prove --wallet lin.wallet --to GOV --network net
  fengni assure --home net/members/gov --holder-key KEY --holder-proof PROOF --level real-person > lin.assertion
  fengni show --wallet lin.wallet --purpose 101 --assurance lin.assertion
  fengni verify code.png --as YHD --purpose 101 --min-assurance real-person")]
pub(crate) struct AssureArgs {
    /// Key on the phone of the person that was checked
    #[arg(long, value_name = "KEY")]
    holder_key: String,
    /// Proof that the phone has it, made for this service: see fengni wallet prove
    #[arg(long, value_name = "PROOF")]
    holder_proof: String,
    /// How the person was checked
    #[arg(long, value_enum, value_name = "LEVEL")]
    level: AssuranceArg,
    /// How long that counts, in seconds, minutes or hours, such as 30m; a day at most
    #[arg(long, value_name = "TIME", default_value = "30m", value_parser = moment::parse_span)]
    valid: u32,
    #[command(flatten)]
    actor: ActorArgs,
    #[command(flatten)]
    connect: ConnectArgs,
}

/// An assertion that was made.
#[derive(Serialize)]
struct Made {
    text: String,
    service: MemberNumber,
    level: Assurance,
    time_secs: u64,
    expires_secs: u64,
}

pub(crate) fn run(args: &AssureArgs, output: Output) -> Result<Ending> {
    let holder = PublicKey::from_text(&args.holder_key).map_err(|error| anyhow!("--holder-key: {error}"))?;
    let proof = proof_from_text(&args.holder_proof).context("--holder-proof is none; next: fengni wallet prove")?;
    let (_, genesis) = args.connect.founding(Some(&args.actor.home))?;
    let key = args.actor.key(KeyPurpose::Application)?;
    let place = usize::try_from(key.member.0)?;
    let service = match genesis.members.get(place) {
        Some(member) => member.clone(),
        None => args.connect.open(Some(&args.actor.home))?.ledger.record(key.member.0)?,
    };
    let checked = CheckedHolder { holder, proof, level: args.level.into(), valid_secs: args.valid };
    let assertion = vouch(&genesis.domain(), &key, &service.code, checked, clock::now())?;
    let said = &assertion.statement;
    let made = Made {
        text: assertion.to_text(),
        service: said.service,
        level: said.level,
        time_secs: said.time_secs,
        expires_secs: said.expires_secs(),
    };
    output.answer(&made, || made.text.clone());
    let until = Millis::from_secs(made.expires_secs).show();
    output.progress(&format!("{} vouches for the phone: {}, until {until}", service.name, made.level.as_str()));
    Ok(Ending::Holds)
}

/// Reads an assertion: its text, or a file of it.
pub(crate) fn read(text: &str) -> Result<Assertion> {
    let text = if text.starts_with(PREFIX) || !Path::new(text).is_file() {
        text.to_owned()
    } else {
        std::fs::read_to_string(text).with_context(|| text.to_owned())?
    };
    Assertion::parse(text.trim()).map_err(|error| anyhow!("not an assertion: {error}; next: fengni assure"))
}
