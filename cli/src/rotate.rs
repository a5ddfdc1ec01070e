//! `fengni key rotate`, `prove`, `confirm`: keys that take over (密钥轮换), and lines that stay good.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use fengni_client::application::prove_key;
use fengni_client::keys::{KeyFile, Passphrases, generate};
use fengni_client::submit::Settlement;
use fengni_client::{revocation, rotation};
use fengni_core::id::CreditCode;
use fengni_core::outcome::Effect;
use fengni_core::record::{KeyPurpose, Member, NewKey};
use fengni_core::{BookNumber, Domain, Height, KeyAlgorithm, KeyNumber, LineNumber, MemberNumber};

use crate::admin::{ActingArgs, Asked};
use crate::connect::ConnectArgs;
use crate::ending::Ending;
use crate::height::HeightArg;
use crate::key_file::{purpose_named, purpose_word};
use crate::output::Output;
use crate::passphrase::PassphraseArgs;
use crate::standing::GroundArgs;

/// `fengni key rotate`.
#[derive(Args, Debug)]
pub(crate) struct RotateArgs {
    /// File of the new key; made where there is none
    file: PathBuf,
    /// What the new key is for; else what its file says
    #[arg(long, value_parser = purpose_named)]
    purpose: Option<KeyPurpose>,
    /// First height at which it signs: 4096, or +10 above the newest
    #[arg(long, value_name = "HEIGHT")]
    from: HeightArg,
    /// Number of the key that ends: see fengni key list
    #[arg(long, value_name = "KEY")]
    ends: Option<u16>,
    /// Heights for which the old key signs besides the new one
    #[arg(long, value_name = "HEIGHTS", default_value_t = 0, requires = "ends")]
    overlap: u64,
    /// Do not encrypt a key that is made: for automation on a machine that nobody else reads
    #[arg(long)]
    plain: bool,
    #[command(flatten)]
    acting: ActingArgs,
}

/// `fengni key prove`.
#[derive(Args, Debug)]
pub(crate) struct ProveArgs {
    /// Key files
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Credit code of the member that is to have the keys
    #[arg(long, value_name = "CODE")]
    code: String,
    /// File for the proofs; it holds no secret
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    passphrase: PassphraseArgs,
    #[command(flatten)]
    connect: ConnectArgs,
}

/// `fengni key confirm`.
#[derive(Args, Debug)]
pub(crate) struct ConfirmArgs {
    /// The book
    book: u32,
    /// First line
    first: u64,
    /// Last line, included
    last: u64,
    #[command(flatten)]
    ground: GroundArgs,
    #[command(flatten)]
    acting: ActingArgs,
}

/// A key file that is there, or a fresh one.
///
/// # Errors
/// Where it cannot be read or made, or is for something else.
pub(crate) fn take_or_make(
    path: &Path,
    purpose: Option<KeyPurpose>,
    plain: bool,
    passphrases: &Passphrases,
) -> Result<KeyFile> {
    if path.exists() {
        let file = KeyFile::load(path)?;
        if let Some(wanted) = purpose.filter(|wanted| file.purpose != (*wanted).into()) {
            bail!("{} is for {}, not {}", path.display(), file.purpose, purpose_word(wanted));
        }
        return Ok(file);
    }
    let purpose = purpose
        .with_context(|| format!("{} is not there; next: give --purpose and the key is made", path.display()))?;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    let secret = generate(KeyAlgorithm::Ed25519)?;
    let file = if plain {
        KeyFile::plain(purpose, secret)
    } else {
        KeyFile::encrypted(purpose, &secret, &passphrases.fresh(&path.display().to_string())?)?
    };
    file.save(path)?;
    Ok(KeyFile::load(path)?)
}

/// What the member registry lists a file's key for.
fn registered(file: &KeyFile) -> Result<KeyPurpose> {
    let path = file.path().display();
    file.purpose.purpose().with_context(|| format!("{path} holds a recovery key, which no member registers"))
}

/// Proves the key of a file for the member with a credit code.
pub(crate) fn prove_file(
    domain: &Domain,
    code: &CreditCode,
    file: &KeyFile,
    passphrases: &Passphrases,
) -> Result<NewKey> {
    let signer = file.open(passphrases)?;
    Ok(prove_key(domain, code, registered(file)?, signer.as_ref())?)
}

pub(crate) fn rotate(args: &RotateArgs, output: Output) -> Result<Ending> {
    let passphrases = args.acting.actor().passphrase.passphrases();
    let mut connection = args.acting.open()?;
    let member: MemberNumber = args.acting.member()?;
    let record: Member = connection.ledger.record(member.0)?;
    let file = take_or_make(&args.file, args.purpose, args.plain, &passphrases)?;
    let domain = connection.ledger.domain();
    let new = prove_file(&domain, &record.code, &file, &passphrases)?;
    let from = args.from.resolve(&mut connection)?;
    let last = Height(from.0.saturating_sub(1).saturating_add(args.overlap));
    let ends = args.ends.map(|number| (KeyNumber(number), last));
    let asked = Asked { two_persons: true, ..rotation::rotate(new, from, ends).into() };
    let (settlement, settled) = args.acting.submit(&mut connection, asked)?;
    connection.save(output);
    let mut what = String::new();
    if let Settlement::Done { effect: Effect::KeyAdded { member, key, from }, .. } = &settlement {
        let placed = file.clone().at(Some(*member), Some(*key)).save(&args.file);
        placed.with_context(|| format!("next: fengni key place {}", args.file.display()))?;
        let (word, next) = (file.purpose, next(registered(&file)?));
        what = format!("{word} key {key} of member {member} signs from height {from} on{next}");
    }
    output.answer(&settled, || settled.text(&what));
    Ok(settled.ending)
}

/// What is left to do for a key.
fn next(purpose: KeyPurpose) -> &'static str {
    match purpose {
        KeyPurpose::Consensus => {
            "; next: list its file in node.toml beside the old one, restart the node before that height;"
        }
        KeyPurpose::Peer => "; next: have the others dial it by the new key, and name its file in node.toml then;",
        _ => "",
    }
}

pub(crate) fn prove(args: &ProveArgs, output: Output) -> Result<Ending> {
    let code =
        CreditCode::parse(&args.code).map_err(|error| anyhow::anyhow!("{} is no credit code: {error}", args.code))?;
    let (_, genesis) = args.connect.founding(None)?;
    let passphrases = args.passphrase.passphrases();
    let proven =
        args.files.iter().map(|path| prove_file(&genesis.domain(), &code, &KeyFile::load(path)?, &passphrases));
    let proven: Vec<NewKey> = proven.collect::<Result<_>>()?;
    let text = serde_json::to_string_pretty(&proven)? + "\n";
    std::fs::write(&args.out, text).with_context(|| args.out.display().to_string())?;
    output.answer(&serde_json::json!({ "keys": proven, "file": args.out }), || {
        format!("{} keys are proven for {code} in {}; it holds no secret", proven.len(), args.out.display())
    });
    Ok(Ending::Holds)
}

pub(crate) fn confirm(args: &ConfirmArgs, output: Output) -> Result<Ending> {
    let (book, lines) = (BookNumber(args.book), (LineNumber(args.first), LineNumber(args.last)));
    args.acting.carry_out(
        output,
        |connection, names| {
            let asked = args.ground.asked(connection, names, |ground| revocation::confirm(book, lines, ground))?;
            Ok(Asked { two_persons: true, purpose: KeyPurpose::Issuing, ..asked })
        },
        |effect| match effect {
            Effect::Confirmed { book, lines } => format!("{lines} lines of book {book} are confirmed"),
            other => format!("{other:?}"),
        },
    )
}
