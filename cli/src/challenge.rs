//! `fengni challenge`: a verifier asks first, and takes an answer to this one question alone.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail};
use clap::{Args, Subcommand};
use fengni_client::challenge::{LIFETIME_SECS, ask};
use fengni_client::{clock, picture};
use fengni_core::challenge::{Challenge, PREFIX};
use fengni_core::record::KeyPurpose;
use fengni_core::{Digest, MemberNumber, Millis, PurposeCode};
use serde::Serialize;

use crate::connect::ConnectArgs;
use crate::ending::Ending;
use crate::names::{self, Names};
use crate::output::Output;
use crate::signing::ActorArgs;

/// Bytes of a file that holds a challenge, at most: a photograph.
const FILE_BYTES: u64 = 64 * 1024 * 1024;

/// Questions of verifiers.
#[derive(Subcommand, Debug)]
pub(crate) enum ChallengeCommand {
    /// Ask: a signed question that a holder's wallet scans and answers
    #[command(after_help = "The answer is of use to nobody else, and once. What this does not prevent is a live relay:
somebody who passes the question on to a holder elsewhere, and the answer back, while both
wait. Look at the person, and keep the time short.

Examples:
  fengni challenge make --home net/members/yhd --purpose 交通执法
  fengni challenge make --home net/members/yhd --purpose 101 --text > question.txt
  fengni verify answer.png --as YHD --challenge question.txt")]
    Make(MakeArgs),
}

/// `fengni challenge make`.
#[derive(Args, Debug)]
pub(crate) struct MakeArgs {
    /// What for, by name or code: see fengni codes purposes
    #[arg(long, value_name = "PURPOSE")]
    purpose: String,
    /// Seconds for which it may be answered, 1 to 300
    #[arg(long, value_name = "SECS", default_value_t = LIFETIME_SECS)]
    lifetime_secs: u32,
    /// Write the challenge as a picture
    #[arg(long, value_name = "FILE")]
    png: Option<PathBuf>,
    /// Print the challenge's text alone
    #[arg(long)]
    text: bool,
    /// Draw for dark letters on a light ground
    #[arg(long)]
    light: bool,
    #[command(flatten)]
    actor: ActorArgs,
    #[command(flatten)]
    connect: ConnectArgs,
}

/// A challenge that was made.
#[derive(Serialize)]
struct Made {
    text: String,
    verifier: MemberNumber,
    purpose: PurposeCode,
    issued_secs: u64,
    expires_secs: u64,
    hash: Digest,
}

pub(crate) fn run(command: &ChallengeCommand, output: Output) -> Result<Ending> {
    let ChallengeCommand::Make(args) = command;
    let (_, genesis) = args.connect.founding(Some(&args.actor.home))?;
    let purpose = match (args.purpose.parse(), names::founding_code(&genesis, "purposes", &args.purpose)) {
        (Ok(code), _) | (Err(_), Some(code)) => PurposeCode(code),
        _ => Names::default().purpose(&mut args.connect.open(Some(&args.actor.home))?, &args.purpose)?,
    };
    let key = args.actor.key(KeyPurpose::Application)?;
    let domain = genesis.domain();
    let challenge = ask(&domain, &key, purpose, args.lifetime_secs, clock::now())?;
    let question = &challenge.question;
    let made = Made {
        text: challenge.to_text(),
        verifier: question.verifier,
        purpose,
        issued_secs: question.issued_secs,
        expires_secs: question.issued_secs + u64::from(question.lifetime_secs),
        hash: challenge.hash(&domain),
    };
    if let Some(path) = &args.png {
        std::fs::write(path, picture::png(&made.text, 6)?).with_context(|| path.display().to_string())?;
    }
    let about = || {
        format!(
            "member {} asks for purpose {}, until {}\nnext: fengni verify ANSWER --challenge {}",
            made.verifier,
            made.purpose,
            Millis::from_secs(made.expires_secs).show(),
            made.text
        )
    };
    if args.text {
        output.answer(&made, || made.text.clone());
    } else {
        let drawing = picture::terminal(&made.text, !args.light)?;
        output.answer(&made, || format!("{drawing}{}", about()));
    }
    Ok(Ending::Holds)
}

/// Reads a challenge: its text, or a file or picture of it.
pub(crate) fn read(text: &str) -> Result<Challenge> {
    let path = Path::new(text);
    let found = if text.starts_with(PREFIX) || !path.is_file() {
        text.trim().to_owned()
    } else {
        if std::fs::metadata(path)?.len() > FILE_BYTES {
            bail!("{text} is too large for a picture of a challenge");
        }
        let bytes = std::fs::read(path).with_context(|| text.to_owned())?;
        let is_picture = bytes.starts_with(b"\x89PNG") || bytes.starts_with(b"\xff\xd8\xff");
        if is_picture { picture::read(&bytes)? } else { String::from_utf8(bytes)?.trim().to_owned() }
    };
    Challenge::parse(&found).map_err(|error| anyhow!("not a challenge: {error}; next: fengni challenge make"))
}
