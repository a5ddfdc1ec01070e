//! `fengni key`: the keys of members, and their revocation in an emergency (密钥应急吊销).

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Subcommand};
use fengni_client::revocation;
use fengni_core::outcome::Effect;
use fengni_core::record::{Member, MemberKey};
use fengni_core::{Height, KeyNumber, MemberNumber};
use serde::Serialize;

use crate::admin::{ActingArgs, Asked};
use crate::connect::ConnectArgs;
use crate::ending::Ending;
use crate::key_file::{self, ChangeArgs, NewArgs, PlaceArgs, purpose_word};
use crate::names::Names;
use crate::output::{Output, table};
use crate::rotate::{self, ConfirmArgs, ProveArgs, RotateArgs};
use crate::standing::{GroundArgs, act_word};
use crate::successors;

/// What happens to a key.
#[derive(Subcommand, Debug)]
pub(crate) enum KeyCommand {
    /// Make a key in a new file, encrypted with a passphrase, or in a PKCS#11 token
    #[command(after_help = "The passphrase comes from --passphrase-file, FENGNI_PASSPHRASE_FILE, FENGNI_PASSPHRASE, or
is asked for twice at the terminal. The encrypted key is PKCS#8, which openssl pkey reads as well.

Examples:
  fengni key new issuing-c.json --purpose issuing
  fengni key new consensus.json --purpose consensus --passphrase-file /run/credentials/passphrase
  fengni key new issuing-c.json --purpose issuing --plain
  fengni key new issuing-c.json --purpose issuing --algorithm p256 --token hsm \\
      --module /usr/lib/softhsm/libsofthsm2.so --label issuing-c --pin-file pin
  fengni key new issuing-c.json --purpose issuing --token hsm --module hsm.so --label issuing-c --existing")]
    New(NewArgs),
    /// Tell what a key file holds, and whether it is encrypted; never its secret
    #[command(
        after_help = "Examples:\n  fengni key inspect issuing-c.json\n  fengni key inspect issuing-c.json --json"
    )]
    Inspect {
        /// The key file
        file: PathBuf,
    },
    /// Encrypt a key file with a new passphrase
    #[command(after_help = "Examples:
  fengni key passphrase issuing-c.json
  fengni key passphrase issuing-c.json --passphrase-file old --new-passphrase-file new")]
    Passphrase(ChangeArgs),
    /// Note in a key file where the ledger lists the key: member and number
    #[command(after_help = "Examples:\n  fengni key place issuing-c.json --network net")]
    Place(PlaceArgs),
    /// Take a new key, and let another of the same purpose end: two persons sign
    #[command(
        after_help = "The file of the new key is made where there is none, and noted with its place on the ledger. From --from on
the new key signs; with --overlap N the old one does for N heights more, so that nothing on its way is lost.
The validator set follows a consensus key by itself.

Examples:
  fengni key rotate new/issuing-c.json --purpose issuing --from +20 --ends 4 --overlap 50 --home net/members/psb
  fengni key rotate new/consensus.json --purpose consensus --from +50 --ends 0 --home net/members/psb"
    )]
    Rotate(RotateArgs),
    /// Prove keys for a member that cannot rotate them itself: fengni gov propose replace-keys
    #[command(after_help = "Examples:
  fengni key prove new/admin-a.json new/admin-b.json --code 11319900XN010003X8 --out amr-keys.json --network net")]
    Prove(ProveArgs),
    /// Confirm lines that a key's revocation suspended, after people have looked at each: two persons sign
    #[command(after_help = "Examples:
  fengni key confirm 0 417 431 --reason 901 --decision review.pdf --home net/members/psb")]
    Confirm(ConfirmArgs),
    /// End a key that may be in strange hands, and suspend what it sealed since
    #[command(after_help = "What it sealed before the suspected height stays good. What it sealed since answers
ISSUER_KEY_REVOKED until people have looked: fengni key confirm gives it back, fengni supersede seals it anew.
What a good key has put in the place of such a line stays good: fengni key successors lists it. Look at each,
and annul what is wrong.

One person signs for the member's own issuing, enforcement and application keys. Two persons sign for an
admin key, and for any key of a member below.

Examples:
  fengni key list PSB --network net
  fengni key revoke PSB 4 --from 1200 --reason 901 --decision report.pdf --home net/members/psb
  fengni key revoke PSB 3 --from 1200 --reason 901 --decision report.pdf --home net/members/psb \\
      --key net/members/psb/keys/admin-a.json --key net/members/psb/keys/admin-b.json
  fengni key revoke PSB 4 --from 0 --reason 901 --decision report.pdf --home net/members/gov")]
    Revoke(RevokeArgs),
    /// List the lines that took the place of those suspended with a key: they are good until people have looked
    #[command(after_help = "Examples:\n  fengni key successors PSB 4 --network net")]
    Successors {
        /// Whose key, by short name, credit code, name or number
        member: String,
        /// Number of the key: see fengni key list
        number: u16,
        #[command(flatten)]
        connect: ConnectArgs,
    },
    /// List the keys of a member, or of all, with the heights at which they are good
    #[command(after_help = "Examples:\n  fengni key list PSB --network net\n  fengni key list --network net --json")]
    List {
        /// Member, by short name, credit code, name or number
        member: Option<String>,
        #[command(flatten)]
        connect: ConnectArgs,
    },
}

/// `fengni key revoke`.
#[derive(Args, Debug)]
pub(crate) struct RevokeArgs {
    /// Whose key: the acting member, or one below it
    member: String,
    /// Number of the key: see fengni key list
    number: u16,
    /// Height from which it is suspected; 0 for ever since
    #[arg(long, value_name = "HEIGHT")]
    from: u64,
    #[command(flatten)]
    ground: GroundArgs,
    #[command(flatten)]
    acting: ActingArgs,
}

pub(crate) fn run(command: &KeyCommand, output: Output) -> Result<Ending> {
    match command {
        KeyCommand::New(args) => key_file::new(args, output),
        KeyCommand::Inspect { file } => key_file::inspect(file, output),
        KeyCommand::Passphrase(args) => key_file::passphrase(args, output),
        KeyCommand::Place(args) => key_file::place(args, output),
        KeyCommand::List { member, connect } => list(member.as_deref(), connect, output),
        KeyCommand::Rotate(args) => rotate::rotate(args, output),
        KeyCommand::Prove(args) => rotate::prove(args, output),
        KeyCommand::Confirm(args) => rotate::confirm(args, output),
        KeyCommand::Revoke(args) => revoke(args, output),
        KeyCommand::Successors { member, number, connect } => successors(member, KeyNumber(*number), connect, output),
    }
}

fn revoke(args: &RevokeArgs, output: Output) -> Result<Ending> {
    args.acting.carry_out(
        output,
        |connection, names| {
            let member = names.member(connection, &args.member)?;
            let (key, from) = (KeyNumber(args.number), Height(args.from));
            let asked = args.ground.asked(connection, names, |ground| revocation::revoke(member, key, from, ground))?;
            let record: Member = connection.ledger.record(member.0)?;
            let own = member == args.acting.member()?;
            let two_persons = record.key(key).is_some_and(|key| key.purpose.revocation_takes_two(own));
            Ok(Asked { two_persons, ..asked })
        },
        |effect| match effect {
            Effect::KeyRevoked { member, key, from, lines } => {
                format!("key {key} of member {member} is revoked from height {from} on; {lines} lines are suspended")
            }
            other => format!("{other:?}"),
        },
    )
}

fn successors(member: &str, key: KeyNumber, connect: &ConnectArgs, output: Output) -> Result<Ending> {
    let mut connection = connect.open(None)?;
    let mut names = Names::default();
    let member = names.member(&mut connection, member)?;
    let books = names.books(&mut connection)?.to_vec();
    let found = successors::find(&mut connection, &books, member, key)?;
    connection.save(output);
    output.answer(&serde_json::json!({ "successors": found }), || {
        let rows = found
            .iter()
            .map(|it| [it.line.to_string(), act_word(it.act), it.height.to_string(), it.successor.to_string()]);
        table(["suspended line", "act", "height", "goes on at"], rows)
    });
    Ok(Ending::Holds)
}

#[derive(Serialize)]
struct Listed {
    member: MemberNumber,
    number: KeyNumber,
    #[serde(flatten)]
    key: MemberKey,
}

fn list(member: Option<&str>, connect: &ConnectArgs, output: Output) -> Result<Ending> {
    let mut connection = connect.open(None)?;
    let mut names = Names::default();
    let wanted = member.map(|text| names.member(&mut connection, text)).transpose()?;
    let members: Vec<Member> = names.members(&mut connection)?.to_vec();
    let named = (0..).map(MemberNumber).zip(&members).filter(|(number, _)| wanted.is_none_or(|it| it == *number));
    let listed: Vec<Listed> = named
        .flat_map(|(member, record)| {
            let keys = (0..).map(KeyNumber).zip(record.keys.clone());
            keys.map(move |(number, key)| Listed { member, number, key })
        })
        .collect();
    let called = names.called(&mut connection)?;
    output.answer(&serde_json::json!({ "keys": listed }), || {
        let rows = listed.iter().map(|it| {
            let name = called.of(it.member);
            let until = it.key.until.map_or_else(String::new, |until| until.to_string());
            [name, it.number.to_string(), purpose_word(it.key.purpose).to_owned(), it.key.from.to_string(), until]
        });
        table(["member", "key", "purpose", "from", "until"], rows)
    });
    Ok(Ending::Holds)
}
