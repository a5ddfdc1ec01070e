//! `fengni key new`, `inspect`, `passphrase`, `place`: the files that keep keys (密钥文件).

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use fengni_client::keys::{
    Keeping, KeyFile, KeyUse, Passphrases, Source, TokenKey, algorithm_name, algorithm_named, generate,
};
use fengni_core::record::{KeyPurpose, Member, MemberKey};
use fengni_core::{KeyAlgorithm, KeyNumber, MemberNumber, PublicKey};
use serde::Serialize;

use crate::connect::ConnectArgs;
use crate::ending::Ending;
use crate::names::Names;
use crate::output::Output;
use crate::passphrase::PassphraseArgs;
use crate::private;

/// `fengni key new`.
#[derive(Args, Debug)]
pub(crate) struct NewArgs {
    /// File for the key; must be new
    file: PathBuf,
    /// What the key is for: admin, issuing, enforcement, application, consensus, peer or recovery
    #[arg(long, value_parser = use_named)]
    purpose: KeyUse,
    /// ed25519 or p256; nodes' keys are ed25519
    #[arg(long, default_value = "ed25519", value_parser = algorithm)]
    algorithm: KeyAlgorithm,
    /// Number of the member on the ledger, where it is known already
    #[arg(long, value_name = "NUMBER")]
    member: Option<u32>,
    /// Number of the key among the member's, where it is known already
    #[arg(long, value_name = "NUMBER", requires = "member")]
    number: Option<u16>,
    /// Do not encrypt: for automation on a machine that nobody else reads
    #[arg(long, conflicts_with = "passphrase_files")]
    plain: bool,
    #[command(flatten)]
    passphrase: PassphraseArgs,
    #[command(flatten)]
    token: TokenArgs,
}

/// A key in a PKCS#11 token.
#[derive(Args, Debug)]
struct TokenArgs {
    /// Make the key in the PKCS#11 token of this label, which it never leaves
    #[arg(long, value_name = "LABEL", requires_all = ["module", "label"], conflicts_with_all = ["plain", "passphrase_files"])]
    token: Option<String>,
    /// The token's PKCS#11 library
    #[arg(long, value_name = "FILE", requires = "token")]
    module: Option<PathBuf>,
    /// The key's label in the token
    #[arg(long, value_name = "LABEL", requires = "token")]
    label: Option<String>,
    /// The key's identifier in the token, in hexadecimal digits
    #[arg(long, value_name = "HEX", requires = "token")]
    id: Option<String>,
    /// Name a key that stands in the token instead of making one
    #[arg(long, requires = "token")]
    existing: bool,
    /// File with the PIN; else a question whenever the key is opened
    #[arg(long, value_name = "FILE", requires = "token")]
    pin_file: Option<PathBuf>,
    /// Environment variable with the PIN
    #[arg(long, value_name = "NAME", requires = "token", conflicts_with = "pin_file")]
    pin_env: Option<String>,
}

impl TokenArgs {
    fn key(&self) -> Result<Option<TokenKey>> {
        let (Some(token), Some(module), Some(label)) = (&self.token, &self.module, &self.label) else {
            return Ok(None);
        };
        let pin = match (&self.pin_file, &self.pin_env) {
            // The key file may be read from another folder than this one.
            (Some(path), _) => Source::File(path.canonicalize().with_context(|| path.display().to_string())?),
            (None, Some(name)) => Source::Env(name.clone()),
            (None, None) => Source::Prompt,
        };
        let (token, label, id) = (token.clone(), label.clone(), self.id.clone());
        Ok(Some(TokenKey { module: module.clone(), token, label, id, pin }))
    }
}

/// `fengni key passphrase`.
#[derive(Args, Debug)]
pub(crate) struct ChangeArgs {
    /// The key file
    file: PathBuf,
    #[command(flatten)]
    passphrase: PassphraseArgs,
    /// File with the new passphrase; else a question
    #[arg(long, value_name = "FILE")]
    new_passphrase_file: Option<PathBuf>,
}

/// `fengni key place`.
#[derive(Args, Debug)]
pub(crate) struct PlaceArgs {
    /// The key file
    file: PathBuf,
    #[command(flatten)]
    connect: ConnectArgs,
}

/// What a key file says, without its secret.
#[derive(Serialize)]
struct Seen {
    file: PathBuf,
    purpose: KeyUse,
    #[serde(skip_serializing_if = "Option::is_none")]
    member: Option<MemberNumber>,
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<KeyNumber>,
    algorithm: &'static str,
    public: PublicKey,
    kept: Keeping,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<TokenKey>,
}

impl Seen {
    fn of(file: &KeyFile, path: &Path) -> Self {
        Self {
            file: path.to_owned(),
            purpose: file.purpose,
            member: file.member,
            number: file.number,
            algorithm: algorithm_name(file.public().algorithm()),
            public: file.public(),
            kept: file.keeping(),
            token: file.token_key().cloned(),
        }
    }

    fn text(&self) -> String {
        let path = self.file.display();
        let kept = match (&self.kept, &self.token) {
            (Keeping::Plain, _) => {
                format!("not encrypted: whoever reads the file signs; next: fengni key passphrase {path}")
            }
            (Keeping::Token, Some(key)) => format!("in token {}, key {}", key.token, key.label),
            _ => "encrypted with a passphrase".to_owned(),
        };
        let place = match (self.member, self.number) {
            (Some(member), Some(number)) => format!("member {member}, key {number}"),
            _ if self.purpose == KeyUse::Recovery => {
                format!("next: keep {path} offline, and name the public half under [recovery]")
            }
            _ => format!("no place on the ledger; next, once the ledger lists it: fengni key place {path}"),
        };
        format!("{} key, {}\n{}\n{kept}\n{place}", self.purpose, self.algorithm, self.public)
    }

    fn answer(&self, output: Output) -> Ending {
        output.answer(self, || self.text());
        Ending::Holds
    }
}

pub(crate) fn new(args: &NewArgs, output: Output) -> Result<Ending> {
    let NewArgs { file: path, purpose, algorithm, .. } = args;
    private::must_be_new(path)?;
    let is_nodes = matches!(purpose, KeyUse::Member(KeyPurpose::Consensus | KeyPurpose::Peer));
    if is_nodes && *algorithm != KeyAlgorithm::Ed25519 {
        bail!("a {} key is an ed25519 key; next: leave --algorithm out", purpose);
    }
    let file = match args.token.key()? {
        Some(_) if *purpose == KeyPurpose::Peer.into() => {
            bail!("a peer key opens connections and has to be in a file; next: leave --token out")
        }
        Some(key) => {
            let public = if args.token.existing { key.find()? } else { key.make(*algorithm)? };
            if is_nodes && public.algorithm() != KeyAlgorithm::Ed25519 {
                bail!("the key {} is no ed25519 key; next: name another key", key.label);
            }
            KeyFile::token(*purpose, public, key)
        }
        None if args.plain => KeyFile::plain(*purpose, generate(*algorithm)?),
        None => {
            let passphrase = args.passphrase.passphrases().fresh(&path.display().to_string())?;
            KeyFile::encrypted(*purpose, &generate(*algorithm)?, &passphrase)?
        }
    };
    let file = file.at(args.member.map(MemberNumber), args.number.map(KeyNumber));
    file.save(path)?;
    Ok(Seen::of(&file, path).answer(output))
}

pub(crate) fn inspect(path: &Path, output: Output) -> Result<Ending> {
    Ok(Seen::of(&KeyFile::load(path)?, path).answer(output))
}

pub(crate) fn passphrase(args: &ChangeArgs, output: Output) -> Result<Ending> {
    let ChangeArgs { file: path, passphrase, new_passphrase_file } = args;
    let old = KeyFile::load(path)?;
    let secret = old.secret(&passphrase.passphrases())?;
    let sources = new_passphrase_file.iter().cloned().map(Source::File).collect();
    let fresh = Passphrases::new(sources).fresh(&path.display().to_string())?;
    let file = KeyFile::encrypted(old.purpose, &secret, &fresh)?.at(old.member, old.number);
    file.save(path)?;
    Ok(Seen::of(&file, path).answer(output))
}

pub(crate) fn place(args: &PlaceArgs, output: Output) -> Result<Ending> {
    let PlaceArgs { file: path, connect } = args;
    let file = KeyFile::load(path)?;
    let mut connection = connect.open(None)?;
    let mut names = Names::default();
    let members: &[Member] = names.members(&mut connection)?;
    let listed = (0..).map(MemberNumber).zip(members).find_map(|(number, member)| {
        let is_it = |key: &MemberKey| file.purpose == key.purpose.into() && key.key == file.public();
        // One that was ended and listed anew has the later number.
        let place = member.keys.iter().rposition(is_it)?;
        Some((number, KeyNumber(u16::try_from(place).ok()?)))
    });
    let (member, number) = listed.with_context(|| {
        format!("the ledger lists {} for no member; next: have it voted in, then place it again", file.public())
    })?;
    let file = file.at(Some(member), Some(number));
    file.save(path)?;
    connection.save(output);
    Ok(Seen::of(&file, path).answer(output))
}

fn algorithm(name: &str) -> Result<KeyAlgorithm, String> {
    algorithm_named(name).ok_or_else(|| "there are ed25519 and p256".to_owned())
}

fn use_named(name: &str) -> Result<KeyUse, String> {
    let wrong = |_| "there are admin, issuing, enforcement, application, consensus, peer and recovery".to_owned();
    serde_json::from_value(name.into()).map_err(wrong)
}

pub(crate) fn purpose_named(name: &str) -> Result<KeyPurpose, String> {
    let wrong = |_| "there are admin, issuing, enforcement, application, consensus and peer".to_owned();
    serde_json::from_value(name.into()).map_err(wrong)
}

/// The word for a purpose.
pub(crate) fn purpose_word(purpose: KeyPurpose) -> &'static str {
    match purpose {
        KeyPurpose::Consensus => "consensus",
        KeyPurpose::Peer => "peer",
        KeyPurpose::Admin => "admin",
        KeyPurpose::Issuing => "issuing",
        KeyPurpose::Enforcement => "enforcement",
        KeyPurpose::Application => "application",
    }
}
