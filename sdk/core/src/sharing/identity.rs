//! Identity: what says who has a key, without a code that is shown and expires.
//!
//! ```text
//! FI1: base45( [version, disclosed part of a code] )
//! ```
//!
//! A certificate's header and the claims that name its holder, with what leads from them to its
//! line. Nobody signs it: it says whom the certificate is of, and the key in it signs whatever it
//! comes with. Rule I-2: `sdk/spec/access.md`.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::form::unprinted;
use crate::book::{Book, Line};
use crate::certificate::cbor::{self, Cbor, Reader, Writer, Wrong};
use crate::certificate::{CertificateFile, ClaimValue};
use crate::code::{CodeError, Shown, text};
use crate::codec::encoded_as;
use crate::day::{Day, Millis};
use crate::digest::Domain;
use crate::id::CertificateId;
use crate::keys::PublicKey;
use crate::limits::IDENTITY_BYTES;
use crate::number::{LinePlace, TypeNumber};
use crate::proof::{ProofError, Proven};
use crate::record::{CodeSet, DataSubject, HolderKind};
use crate::shelf::Shelf;
use crate::standing::State;

/// What every identity's text begins with.
pub const PREFIX: &str = "FI1:";

/// The reference codes that say which claim of a type names its holder: a type's code, a claim's label.
pub const NAMING: &str = "identity-claims";

const FORMAT: u8 = 1;
const ENTRIES: usize = 2;

/// What a certificate says of whoever has its key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Identity(Shown);

unprinted!(Identity, Person);

/// Why an identity says nothing.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum IdentityError {
    /// Something that was not proven: nothing can be said.
    #[error(transparent)]
    Unproven(#[from] ProofError),
    /// I-2: the claims do not lead to the header, or the line is another one's.
    #[error("the line is not that of the certificate shown")]
    OtherLine,
    /// I-2: the certificate is not in force, or its holder's key was lost.
    #[error("the certificate is not in force, or its key is no longer its holder's")]
    NotInForce,
}

/// Whom an identity was proven to be of.
#[derive(Clone, PartialEq, Eq)]
pub struct Person {
    /// The certificate.
    pub identifier: CertificateId,
    /// Its type.
    pub certificate_type: TypeNumber,
    /// Whom such certificates are of.
    pub kind: HolderKind,
    /// What it discloses and its type says to name the holder: at most one claim.
    pub named: Option<ClaimValue>,
    /// The holder's key.
    pub key: PublicKey,
}

impl Identity {
    /// The identity that a certificate file gives by disclosing the fields in `disclose`, by rising
    /// index.
    ///
    /// # Errors
    /// [`CodeError::Disclose`] and [`CodeError::TooLarge`].
    pub fn of(domain: &Domain, file: &CertificateFile, disclose: &[u16]) -> Result<Self, CodeError> {
        let identity = Self(Shown::of(domain, file, disclose, false)?);
        let bytes = cbor::encode(&identity).len();
        if bytes > IDENTITY_BYTES { Err(CodeError::TooLarge { bytes }) } else { Ok(identity) }
    }

    /// Reads the text of an identity.
    ///
    /// # Errors
    /// [`CodeError::Prefix`], [`CodeError::Base45`] and [`CodeError::Encoding`].
    pub fn parse(text: &str) -> Result<Self, CodeError> {
        Ok(cbor::decode(&text::bytes_of(text, PREFIX, IDENTITY_BYTES)?, IDENTITY_BYTES)?)
    }

    /// Its one text.
    pub fn to_text(&self) -> String {
        text::text_of(&cbor::encode(self), PREFIX)
    }

    /// Where the certificate's line stands: what has to be proven of it.
    pub fn place(&self) -> LinePlace {
        self.0.place
    }

    /// The key in the certificate.
    pub fn key(&self) -> &PublicKey {
        &self.0.facts.holder
    }

    /// Rule I-2: whom it is of, by a proven state.
    ///
    /// - `proven`: the book, its type, the line and its page record; how recent that has to be is the
    ///   caller's to say.
    /// - `naming`: the reference codes [`NAMING`], proven; without them an identity names no person and no body.
    ///
    /// # Errors
    /// [`IdentityError`].
    pub fn open(
        &self,
        domain: &Domain,
        proven: &Proven,
        naming: Option<&CodeSet>,
        now: Millis,
    ) -> Result<Person, IdentityError> {
        let Shown { place, facts, disclosed, .. } = &self.0;
        // The shelf's size proves that there is no such book.
        if u64::from(place.book.0) >= proven.size(Shelf::Books) {
            return Err(IdentityError::OtherLine);
        }
        let book: Book = proven.record(place.book.0)?;
        let certificate_type = book.certificate_type().ok_or(IdentityError::OtherLine)?;
        let kind = proven.type_of(&book)?;
        let identifier = facts.identifier(kind.code, &book);
        let header = self.0.header(domain).map_err(|_| IdentityError::OtherLine)?;
        if place.line.0 >= book.lines || proven.line(*place)? != header.line(domain, &identifier) {
            return Err(IdentityError::OtherLine);
        }
        let page = proven.page(place.book, place.line.page())?;
        let (standing, holds) = page.standing(place.line.place());
        let today = Day::of(now);
        let is_in_force = standing.state == State::Active
            && !standing.key_blocked
            && !holds.iter().any(|hold| hold.is_live(now))
            && !book.suspended.iter().any(|run| run.covers(place.line))
            && facts.from <= today
            && facts.until.is_none_or(|until| today <= until);
        if !is_in_force {
            return Err(IdentityError::NotInForce);
        }
        // Another number in a certificate may be somebody else's: a spouse's, a parent's.
        let label = naming.and_then(|naming| naming.name_of(kind.code.as_str()));
        let schema = usize::from(facts.schema).checked_sub(1).and_then(|version| kind.schemas.get(version));
        let names = |index: u16| {
            let spec = schema.and_then(|schema| schema.claims.get(usize::from(index)));
            label.is_some() && spec.map(|spec| spec.label.as_str()) == label
        };
        let named = disclosed.iter().find(|claim| names(claim.index)).and_then(|claim| claim.value.clone());
        Ok(Person { identifier, certificate_type, kind: kind.holder, named, key: facts.holder })
    }

    /// The line that has to stand at [`Identity::place`], for the identifier that the book gives it.
    ///
    /// # Errors
    /// [`CodeError::Siblings`].
    pub fn line(&self, domain: &Domain, identifier: &CertificateId) -> Result<Line, CodeError> {
        Ok(self.0.header(domain)?.line(domain, identifier))
    }
}

impl Person {
    /// Rule I-2: whether a resource's subject is this person, body or certificate.
    pub fn is(&self, kind: DataSubject, subject: &ClaimValue) -> bool {
        match kind {
            DataSubject::Person => self.kind == HolderKind::Person && self.named.as_ref() == Some(subject),
            DataSubject::Body => self.kind == HolderKind::Body && self.named.as_ref() == Some(subject),
            DataSubject::Certificate { certificate_type } => {
                self.certificate_type == certificate_type && self.identifier.to_string() == subject.as_str()
            }
        }
    }
}

/// `[version, disclosed part]`.
impl Cbor for Identity {
    fn write(&self, writer: &mut Writer) {
        writer.array(ENTRIES);
        writer.uint(FORMAT);
        self.0.write(writer);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Wrong> {
        reader.array("identity", ENTRIES)?;
        let format: u8 = reader.uint("version")?;
        if format != FORMAT {
            return Err(format!("unknown version {format} of an identity"));
        }
        Shown::read(reader).map(Self)
    }
}

impl From<Identity> for String {
    fn from(identity: Identity) -> Self {
        identity.to_text()
    }
}

impl TryFrom<String> for Identity {
    type Error = CodeError;

    fn try_from(text: String) -> Result<Self, CodeError> {
        Self::parse(&text)
    }
}

encoded_as!(Identity, String);
