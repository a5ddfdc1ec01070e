//! `fengni member`: departments that want to become members (入网申请, GOV-03).

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail};
use clap::{Args, Subcommand};
use fengni_client::application;
use fengni_client::decision::Decision;
use fengni_client::keys::Passphrases;
use fengni_core::id::CreditCode;
use fengni_core::outcome::Effect;
use fengni_core::record::{Applicant, Application, ApplicationStatus, KeyPurpose, Role, Roles};
use fengni_core::{ApplicationNumber, Digest, MemberNumber, NetworkId};
use fengni_genesis::Genesis;
use serde::{Deserialize, Serialize};

use crate::admin::{ActingArgs, Asked};
use crate::connect::ConnectArgs;
use crate::ending::Ending;
use crate::key_file::purpose_word;
use crate::local::map::NetworkMap;
use crate::names;
use crate::output::{Output, table};
use crate::passphrase::PassphraseArgs;
use crate::rotate::{prove_file, take_or_make};
use crate::standing::GroundArgs;
use crate::{private, words};

/// Version of the application file's form.
const SCHEMA: u16 = 1;

/// What happens to an application.
#[derive(Subcommand, Debug)]
pub(crate) enum MemberCommand {
    /// Write an application on the applicant's machine: checks the credit code, makes and proves keys
    #[command(
        after_help = "The application holds no secret: send it to any member. The salt of the contact stands in a private
note beside it, NAME.contact.json: tell it to the member that reviews the application, over another channel.

Examples:
  fengni member apply --code 11339900XN0200014K --name 云山省人力资源和社会保障厅 --division 339900 \\
      --roles validator,requester,verifier --superior YGOV --keys yhr/keys \\
      --contact 'Office 3, +86 000 0000' --out yhr-application.json --genesis genesis.bin"
    )]
    Apply(ApplyArgs),
    /// File a department's application on the ledger
    #[command(after_help = "Examples:\n  fengni member file yhr-application.json --home net/members/gov")]
    File {
        /// The application
        application: PathBuf,
        #[command(flatten)]
        acting: ActingArgs,
    },
    /// Confirm an application after asking the department over another channel, or turn it down
    #[command(after_help = "Examples:
  fengni member review 0 --confirm --note yhr-application.contact.json --reason 101 --decision minutes.pdf \\
      --home net/members/gov
  fengni member review 0 --reject --reason 101 --decision minutes.pdf --home net/members/gov")]
    Review(ReviewArgs),
    /// List applications
    #[command(after_help = "Examples:\n  fengni member list --network net")]
    List(ConnectArgs),
    /// Show an application, and check the note of its contact
    #[command(after_help = "Examples:
  fengni member show 0 --network net
  fengni member show 0 --note yhr-application.contact.json --network net")]
    Show {
        /// Number: see fengni member list
        application: u32,
        /// The note with the contact's salt
        #[arg(long, value_name = "FILE")]
        note: Option<PathBuf>,
        #[command(flatten)]
        connect: ConnectArgs,
    },
}

/// `fengni member apply`.
#[derive(Args, Debug)]
pub(crate) struct ApplyArgs {
    /// Unified social credit code
    #[arg(long)]
    code: String,
    /// Name of the department
    #[arg(long)]
    name: String,
    /// Region it works in
    #[arg(long, value_name = "CODE")]
    division: String,
    /// What it wants to do, with commas
    #[arg(long, value_name = "ROLES", value_delimiter = ',', required = true, value_parser = words::role_named)]
    roles: Vec<Role>,
    /// The member above it, by short name, credit code or number
    #[arg(long, value_name = "MEMBER")]
    superior: Option<String>,
    /// Folder of its key files: those there are taken, those the roles need besides are made
    #[arg(long, value_name = "DIR")]
    keys: PathBuf,
    /// Do not encrypt keys that are made: for automation on a machine that nobody else reads
    #[arg(long)]
    plain: bool,
    /// Whom to reach, and how; only its salted hash leaves this machine
    #[arg(long, value_name = "TEXT")]
    contact: String,
    /// File for the application; must be new
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    passphrase: PassphraseArgs,
    #[command(flatten)]
    connect: ConnectArgs,
}

/// `fengni member review`.
#[derive(Args, Debug)]
pub(crate) struct ReviewArgs {
    /// Number: see fengni member list
    application: u32,
    /// What it says is right
    #[arg(long, conflicts_with = "reject", required_unless_present = "reject")]
    confirm: bool,
    /// What it says is not right
    #[arg(long)]
    reject: bool,
    /// The note with the contact's salt, which has to fit the application
    #[arg(long, value_name = "FILE")]
    note: Option<PathBuf>,
    #[command(flatten)]
    ground: GroundArgs,
    #[command(flatten)]
    acting: ActingArgs,
}

/// An application on its way to a member. Holds no secret.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ApplicationFile {
    schema: u16,
    network: NetworkId,
    applicant: Applicant,
}

/// The note that stays with the applicant.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ContactNote {
    contact: String,
    /// What stands on the ledger.
    digest: Digest,
    #[serde(with = "fengni_core::bytes::array")]
    salt: [u8; 16],
}

pub(crate) fn run(command: &MemberCommand, output: Output) -> Result<Ending> {
    match command {
        MemberCommand::Apply(args) => apply(args, output),
        MemberCommand::File { application, acting } => file(application, acting, output),
        MemberCommand::Review(args) => review(args, output),
        MemberCommand::List(connect) => list(connect, output),
        MemberCommand::Show { application, note, connect } => show(*application, note.as_deref(), connect, output),
    }
}

fn apply(args: &ApplyArgs, output: Output) -> Result<Ending> {
    let code = CreditCode::parse(&args.code)
        .map_err(|error| anyhow!("{} is no credit code: {error}; next: fengni id check", args.code))?;
    private::must_be_new(&args.out)?;
    let (map, genesis) = args.connect.founding(None)?;
    let domain = genesis.domain();
    let superior = args.superior.as_ref().map(|text| superior(text, map.as_ref(), &genesis)).transpose()?;
    let passphrases = args.passphrase.passphrases();
    let files = key_files(&args.keys, &args.roles, args.plain, &passphrases)?;
    let keys = files.iter().map(|file| prove_file(&domain, &code, file, &passphrases)).collect::<Result<Vec<_>>>()?;
    let contact = application::contact(&domain, &args.contact)?;
    let applicant = Applicant {
        code,
        name: args.name.clone(),
        division: names::division(&args.division)?,
        superior,
        roles: Roles::of(&args.roles),
        keys,
        contact: contact.digest,
    };
    let note = args.out.with_extension("contact.json");
    let Decision { digest, salt } = contact;
    let noted = ContactNote { contact: args.contact.clone(), digest, salt };
    private::write(&note, serde_json::to_string_pretty(&noted)?.as_bytes())?;
    let file = ApplicationFile { schema: SCHEMA, network: domain.network, applicant };
    let text = serde_json::to_string_pretty(&file)? + "\n";
    std::fs::write(&args.out, text).with_context(|| args.out.display().to_string())?;
    let facts = serde_json::json!({ "application": args.out, "note": note, "applicant": file.applicant });
    output.answer(&facts, || {
        let keys = file.applicant.keys.iter().map(|key| format!("\n  {} {}", purpose_word(key.purpose), key.key));
        format!(
            "application of {} ({code}) as {}{}\nwrote {} and the private note {}\nnext: send the application to a member, which files it: fengni member file",
            args.name,
            words::roles(file.applicant.roles),
            keys.collect::<String>(),
            args.out.display(),
            note.display()
        )
    });
    Ok(Ending::Holds)
}

/// The member above, as far as the map and the founding document know it; else by its number.
fn superior(text: &str, map: Option<&NetworkMap>, genesis: &Genesis) -> Result<MemberNumber> {
    if let Some(member) = map.and_then(|map| map.member(text)) {
        return Ok(member.number);
    }
    let founding = genesis.members.iter().position(|member| member.code.as_str() == text || member.name == text);
    let number = founding.or_else(|| text.parse().ok());
    let number = number.with_context(|| format!("there is no member {text} at the founding; next: give its number"))?;
    Ok(MemberNumber(u32::try_from(number)?))
}

/// The key files of a folder, with those that the roles need besides: two persons for whatever
/// people sign.
fn key_files(
    folder: &Path,
    roles: &[Role],
    plain: bool,
    passphrases: &Passphrases,
) -> Result<Vec<fengni_client::keys::KeyFile>> {
    let has = |role| roles.contains(&role);
    let mut wanted = vec![("admin-a", KeyPurpose::Admin), ("admin-b", KeyPurpose::Admin)];
    if has(Role::Validator) {
        wanted.insert(0, ("consensus", KeyPurpose::Consensus));
    }
    if has(Role::Validator) || has(Role::Observer) {
        wanted.push(("peer", KeyPurpose::Peer));
    }
    if has(Role::Issuer) {
        wanted.extend([("issuing-a", KeyPurpose::Issuing), ("issuing-b", KeyPurpose::Issuing)]);
    }
    if has(Role::Identity) || has(Role::Verifier) {
        wanted.push(("application-a", KeyPurpose::Application));
    }
    std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    let made = wanted
        .iter()
        .map(|(name, purpose)| take_or_make(&folder.join(format!("{name}.json")), Some(*purpose), plain, passphrases));
    let mut files = made.collect::<Result<Vec<_>>>()?;
    // Whatever else is there goes along, such as enforcement keys.
    let mut others: Vec<PathBuf> = std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    others.retain(|path| path.extension().is_some_and(|ending| ending == "json"));
    others.retain(|path| !files.iter().any(|file| file.path() == path));
    others.sort();
    for path in others {
        files.push(take_or_make(&path, None, plain, passphrases)?);
    }
    Ok(files)
}

fn file(path: &Path, acting: &ActingArgs, output: Output) -> Result<Ending> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let file: ApplicationFile =
        serde_json::from_str(&text).with_context(|| format!("{} is no application", path.display()))?;
    if file.schema != SCHEMA {
        bail!("{} has schema {}, this program reads {SCHEMA}", path.display(), file.schema);
    }
    acting.carry_out(
        output,
        |connection, _| {
            let network = connection.ledger.domain().network;
            if file.network != network {
                bail!(
                    "{} applies to network {}, this one is {network}; next: have it made with this network's founding document",
                    path.display(),
                    file.network
                );
            }
            Ok(application::file(file.applicant).into())
        },
        done,
    )
}

fn done(effect: &Effect) -> String {
    match effect {
        Effect::Application { application, status } => {
            format!("application {application} is {}", status_words(*status))
        }
        other => format!("{other:?}"),
    }
}

fn status_words(status: ApplicationStatus) -> String {
    match status {
        ApplicationStatus::Applied => "applied".to_owned(),
        ApplicationStatus::Confirmed { by, height } => format!("confirmed by member {by} at {height}"),
        ApplicationStatus::Rejected { by, height } => format!("rejected by member {by} at {height}"),
        ApplicationStatus::Admitted { member, height } => format!("admitted as member {member} at {height}"),
    }
}

/// Whether a note is of the contact that an application names.
fn is_note_of(path: &Path, network: &fengni_core::Domain, record: &Application) -> Result<bool> {
    let wrong = || anyhow!("{} is no note of a contact", path.display());
    let bytes = std::fs::read(path).with_context(|| path.display().to_string())?;
    let note: ContactNote = serde_json::from_slice(&bytes).map_err(|_| wrong())?;
    let decision = Decision { digest: record.applicant.contact, salt: note.salt };
    Ok(decision.is_of(network, note.contact.as_bytes()))
}

fn review(args: &ReviewArgs, output: Output) -> Result<Ending> {
    let number = ApplicationNumber(args.application);
    let mut connection = args.acting.open()?;
    if let Some(note) = &args.note {
        let record: Application = connection.ledger.record(number.0)?;
        if !is_note_of(note, &connection.ledger.domain(), &record)? {
            output.answer(&serde_json::json!({ "result": "refused", "reason": "other-contact" }), || {
                "refused: the note is not of the contact that the application names\nnext: ask the department again"
                    .to_owned()
            });
            return Ok(Ending::Refused);
        }
    }
    let mut names = names::Names::default();
    let asked: Asked =
        args.ground.asked(&mut connection, &mut names, |ground| application::review(number, args.confirm, ground))?;
    args.acting.settle(&mut connection, asked, output, done)
}

#[derive(Serialize)]
struct Listed {
    application: ApplicationNumber,
    #[serde(flatten)]
    record: Application,
}

fn list(connect: &ConnectArgs, output: Output) -> Result<Ending> {
    let mut connection = connect.open(None)?;
    let records: Vec<Application> = connection.ledger.shelf()?;
    let listed: Vec<Listed> =
        (0..).map(ApplicationNumber).zip(records).map(|(application, record)| Listed { application, record }).collect();
    output.answer(&serde_json::json!({ "applications": listed }), || {
        let rows = listed.iter().map(|it| {
            let applicant = &it.record.applicant;
            [
                it.application.to_string(),
                applicant.code.to_string(),
                applicant.name.clone(),
                words::roles(applicant.roles),
                it.record.filed.to_string(),
                status_words(it.record.status),
            ]
        });
        table(["number", "code", "name", "roles", "filed", "status"], rows)
    });
    Ok(Ending::Holds)
}

fn show(number: u32, note: Option<&Path>, connect: &ConnectArgs, output: Output) -> Result<Ending> {
    let mut connection = connect.open(None)?;
    let records: Vec<Application> = connection.ledger.shelf()?;
    let record = records.get(number as usize);
    let record = record.with_context(|| format!("there is no application {number}; next: fengni member list"))?.clone();
    let fits = note.map(|note| is_note_of(note, &connection.ledger.domain(), &record)).transpose()?;
    let mut facts = serde_json::to_value(Listed { application: ApplicationNumber(number), record: record.clone() })?;
    if let Some(fits) = fits {
        facts["note_fits"] = fits.into();
    }
    output.answer(&facts, || {
        let applicant = &record.applicant;
        let keys = applicant.keys.iter().map(|key| format!("\n  {} {}", purpose_word(key.purpose), key.key));
        let above = applicant.superior.map_or_else(|| "nobody".to_owned(), |it| format!("member {it}"));
        let note = match fits {
            Some(true) => "\nthe note is of its contact",
            Some(false) => "\nrefused: the note is of another contact",
            None => "",
        };
        format!(
            "application {number}: {}\n{} ({}), division {}, below {above}, as {}\nfiled by member {} at {}{}{note}",
            status_words(record.status),
            applicant.name,
            applicant.code,
            applicant.division,
            words::roles(applicant.roles),
            record.filed_by,
            record.filed,
            keys.collect::<String>(),
        )
    });
    Ok(Ending::from(fits != Some(false)))
}
