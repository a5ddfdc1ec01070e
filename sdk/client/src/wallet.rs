//! The wallet: a holder's keys and certificates, and the codes they make.
//!
//! Everything private is in one file that only its owner can read. Every half hour the wallet asks
//! the program around it whether the holder is there (VER-03): an [`Authenticator`]. A file cannot
//! enforce that: whoever reads it has the keys, whatever the wallet asks. Phones keep the key in
//! hardware that asks by itself: [`Code::show_with`].

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use fengni_core::assurance::{Assertion, Assurance, AssuranceError};
use fengni_core::bytes::Bytes;
use fengni_core::certificate::{CertificateFile, PagePath, prove_possession};
use fengni_core::code::{Code, CodeError, StaticCode, Terms, everyday};
use fengni_core::id::{CertificateId, CreditCode, TypeCode};
use fengni_core::limits::CERTIFICATE_FILE_BYTES;
use fengni_core::record::{CertificateType, Record as _, Schema};
use fengni_core::{
    Digest, Domain, KeyAlgorithm, LinePlace, Millis, NetworkId, PublicKey, PurposeCode, SecretKey, Signature,
};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::disk::{self, FileError};
use crate::issue::{Bundle, BundleEntry};
use crate::keys::{self, StoredKey};
use crate::ledger::{Ledger, LedgerError, PagePaths};
use crate::random::{RandomError, random};

/// Bytes of a holder's key file, at most.
const KEY_BYTES: u64 = 4096;
/// Bytes of a wallet file, at most.
const FILE_BYTES: u64 = 256 * 1024 * 1024;

/// A holder's keys and certificates.
pub struct Wallet {
    domain: Domain,
    keys: Vec<SecretKey>,
    files: BTreeMap<CertificateId, CertificateFile>,
    types: BTreeMap<TypeCode, CertificateType>,
    presence: Presence,
}

/// How often the holder is asked, and when it was last.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Presence {
    /// Seconds after which the holder is asked again; `None` for a wallet in memory alone, whose
    /// program asks by itself.
    interval_secs: Option<u32>,
    /// When the holder was last found to be there.
    asked: Option<Millis>,
}

/// Seconds after which a wallet asks again whether the holder is there (VER-03).
pub const PRESENCE_SECS: u32 = 30 * 60;

/// How a program makes sure that the holder is at the device: a passphrase, a fingerprint, a face.
pub trait Authenticator {
    /// Whether it is the holder. Nothing is shown otherwise.
    fn is_holder(&mut self) -> bool;
}

/// Counts, and nothing that a certificate says.
impl fmt::Debug for Wallet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Wallet({} keys, {} certificates)", self.keys.len(), self.files.len())
    }
}

/// Which fields a code discloses.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Disclose {
    /// Those of the type's everyday code.
    #[default]
    Everyday,
    /// Those of a profile of the type.
    Profile(String),
    /// These, by label.
    Labels(Vec<String>),
}

/// What a holder shows a certificate for. Time and randomness are arguments.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Show {
    /// Which fields.
    pub disclose: Disclose,
    /// What for.
    pub purpose: PurposeCode,
    /// How long; `None` for what the type allows.
    pub lifetime_secs: Option<u32>,
    /// Now.
    pub now: Millis,
    /// Fresh randomness.
    pub nonce: [u8; 8],
    /// Hash of the verifier's challenge, if it answers one.
    pub challenge: Option<Digest>,
    /// What an identity service vouches for, if the holder was checked: for this certificate's key.
    pub assertion: Option<Assertion>,
    /// Whether the path goes along, for verifiers without a network. It is left out where the
    /// code would grow too large.
    pub with_path: bool,
}

impl Show {
    /// The everyday code for a purpose, with the path.
    ///
    /// # Errors
    /// [`RandomError`].
    pub fn everyday(purpose: PurposeCode, now: Millis) -> Result<Self, RandomError> {
        let disclose = Disclose::Everyday;
        Ok(Self {
            disclose,
            purpose,
            lifetime_secs: None,
            now,
            nonce: random()?,
            challenge: None,
            assertion: None,
            with_path: true,
        })
    }
}

/// Why a wallet does not do what it was asked.
#[derive(Debug, Error)]
pub enum WalletError {
    /// Nobody made sure of late that the holder is there.
    #[error("the wallet has to be sure that its holder is there, every {secs} seconds; next: fengni wallet confirm")]
    HolderAbsent {
        /// The wallet's interval.
        secs: u32,
    },
    /// No such certificate.
    #[error("the wallet holds no such certificate")]
    UnknownCertificate,
    /// No key for the certificate.
    #[error("the wallet does not hold the key of this certificate")]
    UnknownKey,
    /// The type's fields are not known yet.
    #[error("the fields of this certificate's type are not known; next: refresh the wallet from a gateway")]
    UnknownType,
    /// A field that the type does not have.
    #[error("the type has no field {label}")]
    UnknownLabel {
        /// The label asked for.
        label: String,
    },
    /// A profile that the type does not have.
    #[error("the type has no profile {name}; next: name one of: {}", known.join(", "))]
    UnknownProfile {
        /// The name asked for.
        name: String,
        /// The type's profiles, everyday first.
        known: Vec<String>,
    },
    /// The type asks for more than the holder was checked by.
    #[error("this type is shown with the assertion of an identity service, {}; next: be checked, then show with it",
        needed.as_str())]
    Assurance {
        /// The lowest level that will do.
        needed: Assurance,
    },
    /// An assertion that would be refused.
    #[error(transparent)]
    Assertion(#[from] AssuranceError),
    /// No code can be made.
    #[error(transparent)]
    Code(#[from] CodeError),
    /// Of another network.
    #[error("the certificate is of another network")]
    OtherNetwork,
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The line on the ledger is another's.
    #[error("{0} on the ledger is not this certificate's")]
    OtherLine(LinePlace),
}

/// What a refresh found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Refreshed {
    /// Certificates whose path grew.
    pub paths: u64,
    /// Certificates whose line could not be had, and why.
    pub left: Vec<(CertificateId, String)>,
}

impl Wallet {
    /// An empty wallet for a network.
    pub fn new(domain: Domain) -> Self {
        Self { domain, keys: Vec::new(), files: BTreeMap::new(), types: BTreeMap::new(), presence: Presence::default() }
    }

    /// Whether the holder has to be asked before anything is shown at this time.
    pub fn asks_for_holder(&self, now: Millis) -> bool {
        let Presence { interval_secs, asked } = self.presence;
        // A clock that was turned back far is no reason not to ask.
        interval_secs.is_some_and(|secs| asked.is_none_or(|asked| now.0.abs_diff(asked.0) > u64::from(secs) * 1000))
    }

    /// Has the holder asked, and remembers the answer for the wallet's interval.
    ///
    /// # Errors
    /// [`WalletError::HolderAbsent`] where it is somebody else.
    pub fn authenticate(&mut self, by: &mut dyn Authenticator, now: Millis) -> Result<(), WalletError> {
        if by.is_holder() {
            self.presence.asked = Some(now);
            Ok(())
        } else {
            self.presence.asked = None;
            Err(WalletError::HolderAbsent { secs: self.presence.interval_secs.unwrap_or(PRESENCE_SECS) })
        }
    }

    /// Sets how often the holder is asked, in seconds.
    pub fn ask_every(&mut self, secs: u32) {
        self.presence.interval_secs = Some(secs);
    }

    /// Shows an issuer that the wallet has a key (rule X-11): goes into the row beside the key.
    ///
    /// # Errors
    /// [`WalletError::UnknownKey`].
    pub fn prove_possession(&self, holder: &PublicKey, issuer: &CreditCode) -> Result<Signature, WalletError> {
        let key = self.key(holder).ok_or(WalletError::UnknownKey)?;
        Ok(prove_possession(&self.domain, issuer, key))
    }

    /// Makes a key for a certificate to come; the issuer gets the public half.
    ///
    /// # Errors
    /// [`RandomError`].
    pub fn generate_key(&mut self, algorithm: KeyAlgorithm) -> Result<PublicKey, RandomError> {
        let key = keys::generate(algorithm)?;
        let public = key.public();
        self.keys.push(key);
        Ok(public)
    }

    /// Takes in a certificate, with its key where the issuer made it. The same certificate with a
    /// new holder key takes the place of the old one.
    ///
    /// # Errors
    /// [`WalletError::OtherNetwork`].
    pub fn add(&mut self, file: CertificateFile, key: Option<SecretKey>) -> Result<(), WalletError> {
        if file.network != self.domain.network {
            return Err(WalletError::OtherNetwork);
        }
        self.keys.extend(key.filter(|key| self.key(&key.public()).is_none()));
        self.files.insert(file.identifier(), file);
        Ok(())
    }

    /// Takes in a whole bundle; returns how many certificates it held.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn import(&mut self, bundle: &Path) -> Result<usize, FileError> {
        let entries = Bundle::read(bundle, &self.domain)?;
        let count = entries.len();
        for BundleEntry { file, key } in entries {
            self.add(file, key).map_err(|error| FileError::content(bundle, error))?;
        }
        Ok(count)
    }

    /// Takes in a certificate file, with the key beside it where there is one: `NAME.certificate`
    /// and `NAME.key`, as the issuer delivers them.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn import_file(&mut self, certificate: &Path) -> Result<CertificateId, FileError> {
        let bytes = disk::read(certificate, CERTIFICATE_FILE_BYTES as u64)?;
        let file =
            CertificateFile::decode(&self.domain, &bytes).map_err(|error| FileError::content(certificate, error))?;
        let beside = certificate.with_extension("key");
        let key = match disk::read_private(&beside, KEY_BYTES).map(Zeroizing::new) {
            Err(error) if error.is_missing() => None,
            Err(error) => return Err(error),
            Ok(bytes) => {
                // The parser's message could quote the key.
                let stored: Result<StoredKey, _> = serde_json::from_slice(&bytes);
                let stored = stored.map_err(|_| FileError::content(&beside, "not a holder's key"))?;
                Some(stored.open().map_err(|reason| FileError::content(&beside, reason))?)
            }
        };
        let identifier = file.identifier();
        self.add(file, key).map_err(|error| FileError::content(certificate, error))?;
        Ok(identifier)
    }

    /// Learns the fields of a type, so that codes can be made without a network.
    pub fn learn(&mut self, certificate_type: CertificateType) {
        self.types.insert(certificate_type.code, certificate_type);
    }

    /// Whose rules digests and signatures follow.
    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// The certificates, by identifier.
    pub fn certificates(&self) -> impl Iterator<Item = &CertificateFile> {
        self.files.values()
    }

    /// A certificate.
    pub fn find(&self, identifier: &CertificateId) -> Option<&CertificateFile> {
        self.files.get(identifier)
    }

    /// The type of a certificate, once it is known.
    pub fn type_of(&self, file: &CertificateFile) -> Option<&CertificateType> {
        self.types.get(&file.certificate_type)
    }

    /// Removes a certificate and, where no other needs it, its key.
    pub fn remove(&mut self, identifier: &CertificateId) -> Option<CertificateFile> {
        let file = self.files.remove(identifier)?;
        let holder = holder(&file);
        if !self.files.values().any(|other| self::holder(other) == holder) {
            self.keys.retain(|key| key.public() != holder);
        }
        Some(file)
    }

    fn key(&self, public: &PublicKey) -> Option<&SecretKey> {
        self.keys.iter().find(|key| key.public() == *public)
    }

    fn schema(&self, file: &CertificateFile) -> Result<(&CertificateType, &Schema), WalletError> {
        let known = self.type_of(file).ok_or(WalletError::UnknownType)?;
        let schema = known.schema(file.certificate.header().facts.schema).ok_or(WalletError::UnknownType)?;
        Ok((known, schema))
    }

    /// Makes a code (亮证).
    ///
    /// # Errors
    /// [`WalletError`].
    pub fn show(&self, identifier: &CertificateId, show: &Show) -> Result<Code, WalletError> {
        if self.asks_for_holder(show.now) {
            return Err(WalletError::HolderAbsent { secs: self.presence.interval_secs.unwrap_or(PRESENCE_SECS) });
        }
        let file = self.find(identifier).ok_or(WalletError::UnknownCertificate)?;
        let key = self.key(&holder(file)).ok_or(WalletError::UnknownKey)?;
        let (certificate_type, schema) = self.schema(file)?;
        let disclose = match &show.disclose {
            Disclose::Everyday => everyday(schema),
            Disclose::Profile(name) => profile(schema, name)?,
            Disclose::Labels(labels) => indexes(schema, labels)?,
        };
        let terms = Terms {
            issued_secs: show.now.secs(),
            lifetime_secs: show.lifetime_secs.unwrap_or(certificate_type.code_lifetime_secs),
            nonce: show.nonce,
            purpose: show.purpose,
            challenge: show.challenge,
            assertion: show.assertion,
        };
        let level = show.assertion.map(|assertion| assertion.statement.level);
        if let Some(needed) = certificate_type.assurance.filter(|needed| level < Some(*needed)) {
            return Err(WalletError::Assurance { needed });
        }
        show.assertion.map_or(Ok(()), |assertion| assertion.statement.check_time(show.now))?;
        match Code::show(&self.domain, file, key, &disclose, show.with_path, terms) {
            Err(CodeError::TooLarge { .. }) if show.with_path => {
                Ok(Code::show(&self.domain, file, key, &disclose, false, terms)?)
            }
            other => Ok(other?),
        }
    }

    /// Makes a static code, for paper (CRT-13). It needs no key and proves nobody's presence.
    ///
    /// # Errors
    /// [`WalletError::UnknownCertificate`].
    pub fn print(&self, identifier: &CertificateId) -> Result<StaticCode, WalletError> {
        let file = self.find(identifier).ok_or(WalletError::UnknownCertificate)?;
        Ok(StaticCode::of(&self.domain, file))
    }

    /// Brings paths up to date and learns the types of all certificates.
    ///
    /// One certificate that cannot be brought up to date does not hinder the others.
    ///
    /// # Errors
    /// [`WalletError`] where the ledger answers nothing at all.
    pub fn refresh(&mut self, ledger: &mut Ledger) -> Result<Refreshed, WalletError> {
        for certificate_type in ledger.shelf::<CertificateType>()? {
            self.learn(certificate_type);
        }
        let mut refreshed = Refreshed::default();
        let domain = self.domain;
        for (identifier, file) in self.files.iter_mut().filter(|(_, file)| !file.path.is_final()) {
            match path_of(ledger, file, &domain) {
                Ok(path) if path.lines > file.path.lines => {
                    file.path = path;
                    refreshed.paths += 1;
                }
                Ok(_) => (),
                Err(error) => refreshed.left.push((identifier.clone(), error.to_string())),
            }
        }
        Ok(refreshed)
    }

    /// Reads a wallet file.
    ///
    /// # Errors
    /// [`FileError`], also for a wallet of another network.
    pub fn load(path: &Path, domain: &Domain) -> Result<Self, FileError> {
        let bytes = Zeroizing::new(disk::read_private(path, FILE_BYTES)?);
        // The parser's message could quote a key.
        let stored: Stored = serde_json::from_slice(&bytes).map_err(|_| FileError::content(path, "not a wallet"))?;
        let wrong = |reason: String| FileError::content(path, reason);
        if stored.format != FORMAT || stored.network != domain.network {
            return Err(wrong("a wallet of another network or format".into()));
        }
        let mut wallet = Self::new(*domain);
        wallet.presence = Presence { interval_secs: Some(stored.ask_secs), asked: stored.asked };
        for key in &stored.keys {
            wallet.keys.push(key.open().map_err(|reason| wrong(reason.into()))?);
        }
        for bytes in &stored.types {
            wallet.learn(CertificateType::decode(&bytes.0).map_err(|error| wrong(error.to_string()))?);
        }
        for bytes in &stored.certificates {
            let file = CertificateFile::decode(domain, &bytes.0).map_err(|error| wrong(error.to_string()))?;
            wallet.add(file, None).map_err(|error| wrong(error.to_string()))?;
        }
        Ok(wallet)
    }

    /// Writes the wallet file, readable by its owner alone.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn save(&self, path: &Path) -> Result<(), FileError> {
        let stored = Stored {
            format: FORMAT,
            network: self.domain.network,
            ask_secs: self.presence.interval_secs.unwrap_or(PRESENCE_SECS),
            asked: self.presence.asked,
            keys: self.keys.iter().map(StoredKey::of).collect(),
            types: self.types.values().map(|known| Bytes(known.encode())).collect(),
            certificates: self.files.values().map(|file| Bytes(file.encode())).collect(),
        };
        let json = serde_json::to_vec_pretty(&stored).map_err(|_| FileError::content(path, "not a wallet"))?;
        disk::write_private(path, &Zeroizing::new(json))
    }
}

const FORMAT: u16 = 1;

fn presence_secs() -> u32 {
    PRESENCE_SECS
}

/// The wallet file, in JSON.
#[derive(Serialize, Deserialize)]
struct Stored {
    format: u16,
    network: NetworkId,
    #[serde(default = "presence_secs")]
    ask_secs: u32,
    #[serde(default)]
    asked: Option<Millis>,
    keys: Vec<StoredKey>,
    types: Vec<Bytes>,
    certificates: Vec<Bytes>,
}

/// The path that the ledger gives now, if the line there is the certificate's.
fn path_of(ledger: &mut Ledger, file: &CertificateFile, domain: &Domain) -> Result<PagePath, WalletError> {
    let number = file.place.line;
    let (page, lines) = ledger.page(file.place.book, number.page())?.value;
    let there = lines.get(usize::from(number.place())) == Some(&file.line(domain));
    let path = PagePaths::new(domain, &page, &lines).path(number).filter(|_| there);
    path.ok_or(WalletError::OtherLine(file.place))
}

fn holder(file: &CertificateFile) -> PublicKey {
    file.certificate.header().facts.holder
}

/// What the everyday code is called among the profiles.
const EVERYDAY: &str = "everyday";

/// The places of a profile's fields.
fn profile(schema: &Schema, name: &str) -> Result<Vec<u16>, WalletError> {
    if name == EVERYDAY {
        return Ok(everyday(schema));
    }
    schema.profile(name).map(|profile| profile.claims.clone()).ok_or_else(|| {
        let names = schema.profiles.iter().map(|profile| profile.name.clone());
        WalletError::UnknownProfile {
            name: name.to_owned(),
            known: std::iter::once(EVERYDAY.into()).chain(names).collect(),
        }
    })
}

/// The places of labels in a schema, rising.
fn indexes(schema: &Schema, labels: &[String]) -> Result<Vec<u16>, WalletError> {
    let mut indexes = Vec::with_capacity(labels.len());
    for label in labels {
        let found = (0u16..).zip(&schema.claims).find(|(_, spec)| spec.label == *label);
        indexes.push(found.ok_or_else(|| WalletError::UnknownLabel { label: label.clone() })?.0);
    }
    indexes.sort_unstable();
    indexes.dedup();
    Ok(indexes)
}
