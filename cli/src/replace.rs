//! `fengni supersede`, `rekey`, `transfer-in`: one line takes the place of another.
//!
//! The new certificate and its salts are on disk before the ledger hears of them, because a lost
//! salt is a lost certificate.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::{Args, ValueEnum};
use fengni_client::issue::{Format, Row, RowRules, Rows};
use fengni_client::keys;
use fengni_client::random::random;
use fengni_client::standing;
use fengni_client::submit::Settlement;
use fengni_core::book::{Book, Line};
use fengni_core::certificate::{Certificate, CertificateFile, Facts, PagePath, Salt, is_possessed, proof_from_text};
use fengni_core::id::CertificateId;
use fengni_core::operation::{Cause, Ground, Operation};
use fengni_core::outcome::Effect;
use fengni_core::record::{CertificateType, KeyPurpose, Schema};
use fengni_core::standing::ActKind;
use fengni_core::{BookNumber, KeyAlgorithm, LineNumber, LinePlace, PublicKey, SecretKey};

use crate::connect::{ConnectArgs, Connection};
use crate::ending::Ending;
use crate::names::{self, Names, Target};
use crate::output::Output;
use crate::private;
use crate::signing::{self, ActorArgs};
use crate::standing::{GroundArgs, finish, report};

/// Why a certificate is replaced.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum CauseArg {
    /// 延续
    Renew,
    /// 变更
    Change,
    /// 更正
    Correct,
}

impl From<CauseArg> for Cause {
    fn from(cause: CauseArg) -> Self {
        match cause {
            CauseArg::Renew => Self::Renew,
            CauseArg::Change => Self::Change,
            CauseArg::Correct => Self::Correct,
        }
    }
}

/// What every replacement needs.
#[derive(Args, Debug)]
pub(crate) struct ReplaceArgs {
    #[command(flatten)]
    ground: GroundArgs,
    #[command(flatten)]
    actor: ActorArgs,
    /// Folder for the new certificate and, where none is named, its new holder key; else replaced/ in --home
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    connect: ConnectArgs,
}

/// `fengni supersede`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  fengni supersede 0/0 --row changed.csv --cause change --reason 102 --decision request.pdf --home net/members/psb")]
pub(crate) struct SupersedeArgs {
    /// Identifier of the old certificate, or book/line
    target: String,
    /// File with one row, in the form of fengni issue: the new certificate
    #[arg(long, value_name = "FILE")]
    row: PathBuf,
    /// What it is for
    #[arg(long)]
    cause: CauseArg,
    #[command(flatten)]
    replace: ReplaceArgs,
}

/// `fengni transfer-in`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  fengni transfer-in 0/7 --row taken.csv --reason 302 --decision file.pdf --home net/members/yhd")]
pub(crate) struct TransferInArgs {
    /// Identifier of the old certificate, or book/line
    target: String,
    /// File with one row, in the form of fengni issue: the new certificate
    #[arg(long, value_name = "FILE")]
    row: PathBuf,
    /// Division of one's own book, if there is more than one of the type
    #[arg(long, value_name = "CODE")]
    division: Option<String>,
    #[command(flatten)]
    replace: ReplaceArgs,
}

/// `fengni rekey`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  fengni rekey c1.certificate --reason 105 --decision loss.pdf --home net/members/psb
  fengni rekey c1.certificate --holder-key 2:03ab... --holder-proof 2:91... --reason 105 --decision loss.pdf --home net/members/psb")]
pub(crate) struct RekeyArgs {
    /// The certificate's file, from the holder or from the issuer's own copy
    certificate: PathBuf,
    /// The holder's new public key; else one is made here
    #[arg(long, value_name = "KEY", requires = "holder_proof")]
    holder_key: Option<String>,
    /// The holder's proof of having that key: see fengni wallet key
    #[arg(long, value_name = "PROOF", requires = "holder_key")]
    holder_proof: Option<String>,
    #[command(flatten)]
    replace: ReplaceArgs,
}

pub(crate) fn supersede(args: &SupersedeArgs, output: Output) -> Result<Ending> {
    let mut connection = args.replace.connect.open(Some(&args.replace.actor.home))?;
    let old = Target::parse(&args.target)?.place(&mut connection)?;
    let rules = rules(&mut connection, old.book, &args.row)?;
    let row = one_row(&args.row, &rules)?;
    let cause = Cause::from(args.cause);
    let make = |new, ground| standing::supersede(old, rules.book, new, cause, ground);
    let new = New::of_row(&connection, &rules, &row)?;
    replace(&mut connection, &args.replace, old, new, rules.book, cause.kind(), make, output)
}

pub(crate) fn transfer_in(args: &TransferInArgs, output: Output) -> Result<Ending> {
    let mut connection = args.replace.connect.open(Some(&args.replace.actor.home))?;
    let old = Target::parse(&args.target)?.place(&mut connection)?;
    let own = args.replace.actor.member()?;
    let subject = connection.ledger.record::<Book>(old.book.0)?.subject;
    let mut names = Names::default();
    let division = args.division.as_deref().map(names::division).transpose()?;
    let books = names.books(&mut connection)?;
    let mut fitting = books.iter().zip(0..).filter(|(book, _)| {
        (book.keeper, book.opener()) == (own, own)
            && book.subject == subject
            && division.is_none_or(|division| book.division == division)
    });
    let into = match (fitting.next(), fitting.next()) {
        (Some((_, number)), None) => BookNumber(number),
        (None, _) => bail!("the member keeps no book of this type; next: fengni issue opens one"),
        _ => bail!("the member keeps several books of this type; next: name one with --division"),
    };
    let rules = rules(&mut connection, into, &args.row)?;
    let row = one_row(&args.row, &rules)?;
    let new = New::of_row(&connection, &rules, &row)?;
    let make = |new, ground| standing::transfer_in(old, into, new, ground);
    replace(&mut connection, &args.replace, old, new, into, ActKind::TransferIn, make, output)
}

pub(crate) fn rekey(args: &RekeyArgs, output: Output) -> Result<Ending> {
    let mut connection = args.replace.connect.open(Some(&args.replace.actor.home))?;
    let domain = connection.ledger.domain();
    let bytes = std::fs::read(&args.certificate).with_context(|| args.certificate.display().to_string())?;
    let file = CertificateFile::decode(&domain, &bytes)
        .with_context(|| format!("{} is no certificate file of this network", args.certificate.display()))?;
    let kind: CertificateType = {
        let book: Book = connection.ledger.record(file.place.book.0)?;
        connection.ledger.type_of(&book)?
    };
    let facts = file.certificate.header().facts.clone();
    let schema = kind.schema(facts.schema).context("the type has no such schema")?;
    let values = file.certificate.claims().iter().map(|claim| claim.value.clone()).collect();
    let named = args.holder_key.as_deref().map(PublicKey::from_text).transpose()?;
    let proof = args.holder_proof.as_deref().and_then(proof_from_text);
    let possessed = |key| proof.is_some_and(|proof| is_possessed(&domain, &file.issuer, key, &proof));
    if named.as_ref().is_some_and(|key| !possessed(key)) {
        bail!(
            "that is no proof, made for this issuer, that the holder has the key; next: fengni wallet key --prove {}",
            file.issuer
        );
    }
    let new =
        New::draw(&connection, schema, file.identifier(), |holder| Facts { holder, ..facts.clone() }, values, named)?;
    let old = file.place;
    let make = |new, ground| standing::rekey(old, new, ground);
    replace(&mut connection, &args.replace, old, new, old.book, ActKind::Rekey, make, output)
}

fn rules(connection: &mut Connection, book: BookNumber, row: &Path) -> Result<RowRules> {
    let folder = row.parent().unwrap_or(Path::new(".")).to_owned();
    Ok(RowRules::load(&mut connection.ledger, book, folder)?)
}

/// The one row of a file.
fn one_row(path: &Path, rules: &RowRules) -> Result<Row> {
    let format = Format::of_name(&path.to_string_lossy()).context("a file of rows ends in .csv or .jsonl")?;
    let bytes = std::fs::read(path).with_context(|| path.display().to_string())?;
    let Rows { mut rows, problems } = Rows::read(&bytes, format, rules);
    if let Some(problem) = problems.first() {
        bail!("{}: {problem}; next: correct the row", path.display());
    }
    match (rows.pop(), rows.is_empty()) {
        (Some(row), true) => Ok(row),
        _ => bail!("{} holds another number of rows than one", path.display()),
    }
}

/// A new certificate and, where it was made here, its holder's key.
struct New {
    identifier: CertificateId,
    certificate: Certificate,
    key: Option<SecretKey>,
}

impl New {
    fn of_row(connection: &Connection, rules: &RowRules, row: &Row) -> Result<Self> {
        let schema = rules.certificate_type.schema(row.schema).context("the type has no such schema")?;
        let facts = |holder| Facts {
            schema: row.schema,
            serial: *row.identifier.serial(),
            version: row.identifier.version(),
            issued: row.issued,
            from: row.from,
            until: row.until,
            grade: row.grade,
            holder,
        };
        Self::draw(connection, schema, row.identifier.clone(), facts, row.values.clone(), row.holder)
    }

    /// Draws salts and, where none is named, a holder key.
    fn draw(
        connection: &Connection,
        schema: &Schema,
        identifier: CertificateId,
        facts: impl FnOnce(PublicKey) -> Facts,
        values: Vec<Option<fengni_core::certificate::ClaimValue>>,
        holder: Option<PublicKey>,
    ) -> Result<Self> {
        let key = if holder.is_some() { None } else { Some(keys::generate(KeyAlgorithm::P256)?) };
        let holder = holder.or_else(|| key.as_ref().map(SecretKey::public)).context("one of the two is there")?;
        let salts = values.iter().map(|_| Ok(Salt(random()?))).collect::<Result<Vec<_>>>()?;
        let certificate = Certificate::new(&connection.ledger.domain(), schema, facts(holder), values, &salts)?;
        Ok(Self { identifier, certificate, key })
    }

    /// The certificate file, before or after its place is known.
    fn file(&self, connection: &Connection, place: LinePlace, path: PagePath) -> CertificateFile {
        CertificateFile {
            network: connection.ledger.domain().network,
            certificate_type: self.identifier.type_code(),
            issuer: self.identifier.issuer(),
            certificate: self.certificate.clone(),
            place,
            path,
        }
    }
}

/// Keeps the new certificate, submits the act and delivers the certificate with its place.
#[expect(clippy::too_many_arguments, reason = "three commands differ in exactly these")]
fn replace(
    connection: &mut Connection,
    args: &ReplaceArgs,
    old: LinePlace,
    new: New,
    into: BookNumber,
    act: ActKind,
    make: impl FnOnce(Line, Ground) -> Operation,
    output: Output,
) -> Result<Ending> {
    let reasoned = args.ground.read(connection, &mut Names::default())?;
    let folder = args.out.clone().unwrap_or_else(|| args.actor.home.join("replaced"));
    std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let name = new.identifier.to_string();
    // Until the outcome is known the place is a guess: the ending says so.
    let draft = folder.join(format!("{name}.pending"));
    let nowhere = LinePlace { book: into, line: LineNumber(u64::MAX) };
    private::write(&draft, &new.file(connection, nowhere, PagePath::UNKNOWN).encode())?;
    if let Some(key) = &new.key {
        private::write_key(&folder.join(format!("{name}.key")), key)?;
    }
    let line = new.certificate.header().line(&connection.ledger.domain(), &new.identifier);
    let signers = args.actor.signers(KeyPurpose::Issuing, false)?;
    let settlement = signing::submit(connection, &signers, make(line, reasoned.ground))?;
    if let Settlement::Done { effect: Effect::Replaced { book, line, .. }, .. } = &settlement {
        let place = LinePlace { book: *book, line: *line };
        // The path can be had later as well: the ledger holds the lines.
        let path = connection.ledger.path(place).unwrap_or(PagePath::UNKNOWN);
        private::write(&folder.join(format!("{name}.certificate")), &new.file(connection, place, path).encode())?;
        let _ = std::fs::remove_file(&draft);
        output.progress(&format!("wrote the new certificate in {}", folder.display()));
    }
    if matches!(settlement, Settlement::Refused { .. }) {
        let _ = std::fs::remove_file(&draft);
    }
    let acted = finish(old, act, settlement, &reasoned, &args.actor.home)?;
    connection.save(output);
    report(&acted, output)
}
