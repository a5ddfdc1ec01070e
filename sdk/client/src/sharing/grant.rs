//! Grants, from a department's question to the holder's wallet and the ledger (SHR-04, HLD-04).
//!
//! ```text
//! department: ask -> holder: sign -> department: record (a line) -> holder: keep -> anybody: withdraw
//! ```
//!
//! The holder's secret never leaves the wallet before it withdraws. Whoever has a signed grant finds its
//! line without being told: the tag follows from the grant, and its recipient opened one book of grants.
//! Rules I-2 to I-5, Z-6, Z-7.

use fengni_core::book::{Book, Subject};
use fengni_core::certificate::CertificateFile;
use fengni_core::code::CodeError;
use fengni_core::operation::Operation;
use fengni_core::outcome::Refusal;
use fengni_core::proof::{Place, ProofError};
pub use fengni_core::sharing::GrantStanding;
use fengni_core::sharing::{
    GrantContent, GrantError, GrantFile, GrantTerms, GrantedKind, Identity, PresentedGrant, Secret,
};
use fengni_core::shelf::Shelf;
use fengni_core::{
    BookNumber, Digest, Domain, Height, LinePlace, MemberNumber, Millis, NetworkId, PublicKey, PurposeCode, SecretKey,
    Signature,
};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::ledger::{Ledger, LedgerError};
use crate::lines;
use crate::random::{RandomError, random, secret};
use crate::submit::{Settlement, Signers, SubmitError, Submitter, Unsettled};

/// What a department asks a holder for: the notice that the holder reads (HLD-04).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// The network.
    pub network: NetworkId,
    /// Who receives.
    pub grantee: MemberNumber,
    /// How to reach them.
    pub contact: String,
    /// What for.
    pub purpose: PurposeCode,
    /// Code of the service item.
    pub item: String,
    /// The case, where it is for one.
    pub case: Option<String>,
    /// How the data is used, in words.
    pub method: String,
    /// Which kinds of data, and how often each.
    pub kinds: Vec<GrantedKind>,
    /// From when on.
    pub from: Millis,
    /// Until when, included.
    pub until: Millis,
}

/// A grant that its holder has signed, for the department to put on the ledger.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedGrant {
    /// The network.
    pub network: NetworkId,
    /// What it says.
    pub content: GrantContent,
    /// The holder's.
    pub signature: Signature,
    /// Who the holder is.
    pub identity: Identity,
    /// Stands for the holder's secret.
    pub withdrawal: Digest,
}

/// A signed grant as the holder keeps it until its place is known.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PendingGrant {
    /// What was signed.
    pub signed: SignedGrant,
    /// Withdraws it.
    pub secret: Secret,
}

/// Why there is no grant.
#[derive(Debug, Error)]
pub enum GrantingError {
    /// Its content, signature or identity.
    #[error(transparent)]
    Grant(#[from] GrantError),
    /// The identity.
    #[error(transparent)]
    Identity(#[from] CodeError),
    /// The book is not the one of grants that the grant's recipient opened.
    #[error("book {0} is not the recipient's book of grants; next: the recipient records the grant itself")]
    OtherBook(BookNumber),
    /// The line there is not this grant's.
    #[error("{0} is not the line of this grant; next: make the file again, with fengni grant keep or record")]
    OtherLine(LinePlace),
    /// The recipient's book of grants has no line of it.
    #[error(
        "the grant is not on the ledger; next: once its recipient has recorded it (fengni grant record), run the command again"
    )]
    NotRecorded,
    /// The ledger refused.
    #[error("{refusal} at height {height}")]
    Refused {
        /// Why.
        refusal: Refusal,
        /// Where.
        height: Height,
    },
    /// It is not known whether it is on the ledger.
    #[error("it is not known whether the grant is on the ledger: {0}; next: run the command again")]
    Unsettled(Unsettled),
    /// It was sealed before, and no node shows where.
    #[error("no node shows where the grant stands; next: run the command again")]
    NotShown,
    /// The ledger or the relays.
    #[error(transparent)]
    Submit(#[from] SubmitError),
    /// No randomness.
    #[error(transparent)]
    Random(#[from] RandomError),
}

impl From<LedgerError> for GrantingError {
    fn from(error: LedgerError) -> Self {
        Self::Submit(error.into())
    }
}

impl From<ProofError> for GrantingError {
    fn from(error: ProofError) -> Self {
        LedgerError::from(error).into()
    }
}

impl Ask {
    /// Refuses what is no notice, before a holder reads it: a text could rewrite the screen.
    ///
    /// # Errors
    /// [`GrantError`].
    pub fn check(&self, holder: PublicKey) -> Result<(), GrantError> {
        self.content(holder, false, [0; 32]).map(drop)
    }

    fn content(&self, holder: PublicKey, separate_consent: bool, salt: [u8; 32]) -> Result<GrantContent, GrantError> {
        let Self { grantee, contact, purpose, item, case, method, kinds, from, until, .. } = self.clone();
        GrantContent::new(GrantTerms {
            grantee,
            contact,
            purpose,
            item,
            case,
            method,
            kinds,
            from,
            until,
            separate_consent,
            holder,
            salt,
        })
    }
}

/// Signs what a department asks for, with the key of the certificate that says who the holder is.
///
/// - `separate_consent`: the holder agreed to the sensitive items by themselves.
/// - `disclose`: the fields that name the holder, by rising index.
///
/// # Errors
/// [`GrantingError::Grant`], [`GrantingError::Identity`] and [`GrantingError::Random`].
pub fn sign(
    domain: &Domain,
    ask: &Ask,
    separate_consent: bool,
    (file, key): (&CertificateFile, &SecretKey),
    disclose: &[u16],
) -> Result<PendingGrant, GrantingError> {
    if ask.network != domain.network {
        return Err(GrantError::OtherNetwork.into());
    }
    let identity = Identity::of(domain, file, disclose)?;
    let content = ask.content(key.public(), separate_consent, random()?)?;
    let secret = Secret(*secret()?);
    let withdrawal = secret.withdrawal(domain);
    let signed = SignedGrant {
        network: domain.network,
        signature: content.sign(domain, &withdrawal, key),
        content,
        identity,
        withdrawal,
    };
    signed.at(LinePlace { book: BookNumber(0), line: fengni_core::LineNumber(0) }).check(domain)?;
    Ok(PendingGrant { signed, secret })
}

impl SignedGrant {
    /// What the grantee shows, once its line stands somewhere.
    pub fn at(&self, place: LinePlace) -> PresentedGrant {
        let Self { network, content, signature, identity, withdrawal } = self.clone();
        PresentedGrant { network, place, content, signature, identity, withdrawal }
    }

    /// What the grantee shows, with the place that its line was proven to have; `None` where it has none
    /// by the newest block that any node shows.
    ///
    /// # Errors
    /// Those of the ledger, and [`GrantingError::Grant`] for a grant that does not hold by itself.
    pub fn find(&self, ledger: &mut Ledger) -> Result<Option<PresentedGrant>, GrantingError> {
        let at = ledger.highest()?.0.height;
        let books: Vec<Book> = ledger.shelf_at(at)?;
        let grantee = self.content.terms().grantee;
        let Some((book, _)) = (0..).map(BookNumber).zip(&books).find(|(_, book)| is_for(book, grantee)) else {
            return Ok(None);
        };
        let line = self.content.line(&ledger.domain(), &self.withdrawal);
        let Some((_, place)) = lines::find(ledger, book, &[line.tag])?.pop() else { return Ok(None) };
        proven(ledger, self.at(place)).map(Some)
    }
}

impl PendingGrant {
    /// What the holder keeps, where the grant is on the ledger.
    ///
    /// # Errors
    /// [`GrantingError::NotRecorded`], and those of the ledger.
    pub fn keep(&self, ledger: &mut Ledger) -> Result<GrantFile, GrantingError> {
        let presented = self.signed.find(ledger)?.ok_or(GrantingError::NotRecorded)?;
        let PresentedGrant { network, place, content, signature, identity, .. } = presented;
        Ok(GrantFile { network, place, content, signature, identity, secret: self.secret.clone() })
    }
}

/// Puts a signed grant on the ledger: the same again finds the line that is there.
///
/// # Errors
/// [`GrantingError`].
pub fn record(
    ledger: &mut Ledger,
    submitter: &Submitter,
    signers: &Signers,
    book: BookNumber,
    signed: &SignedGrant,
) -> Result<PresentedGrant, GrantingError> {
    let domain = ledger.domain();
    let record: Book = ledger.record(book.0)?;
    if !is_for(&record, signed.content.terms().grantee) {
        return Err(GrantingError::OtherBook(book));
    }
    signed.at(LinePlace { book, line: fengni_core::LineNumber(0) }).check(&domain)?;
    let line = signed.content.line(&domain, &signed.withdrawal);
    let prepared = submitter.prepare(ledger, signers, Operation::Seal { book, lines: vec![line] })?;
    let found = match submitter.send(ledger, &prepared)? {
        Settlement::Done { effect, .. } => match effect.sealed() {
            Some((book, line, _)) => Some(proven(ledger, signed.at(LinePlace { book, line }))?),
            None => None,
        },
        Settlement::Refused { refusal: Refusal::DuplicateTag, .. } => signed.find(ledger)?,
        Settlement::Refused { refusal, height, .. } => return Err(GrantingError::Refused { refusal, height }),
        Settlement::Undecided { reason, .. } => return Err(GrantingError::Unsettled(reason)),
    };
    found.ok_or(GrantingError::NotShown)
}

/// The same, where its line was proven to be at its place.
fn proven(ledger: &mut Ledger, presented: PresentedGrant) -> Result<PresentedGrant, GrantingError> {
    standing(ledger, &presented)?;
    Ok(presented)
}

/// Rule Z-6: whether a book is the one that holds a member's grants.
fn is_for(book: &Book, grantee: MemberNumber) -> bool {
    (book.subject, book.opener()) == (Subject::Grants, grantee)
}

/// Where a grant stands, proven.
///
/// # Errors
/// [`GrantingError::OtherLine`] where the line is not this grant's, and those of the ledger.
pub fn standing(ledger: &mut Ledger, grant: &PresentedGrant) -> Result<GrantStanding, GrantingError> {
    let (domain, now) = (ledger.domain(), ledger.now());
    grant.check(&domain)?;
    let LinePlace { book, line } = grant.place;
    let at = ledger.highest()?.0.height;
    let places = [Place::Record(Shelf::Books, book.0), Place::Page(book, line.page()), Place::Line(book, line)];
    let proven = ledger.prove_at(&places, at)?.value.1;
    grant.standing(&domain, &proven, now)?.ok_or(GrantingError::OtherLine(grant.place))
}

/// The operation that withdraws a grant, through any member.
pub fn withdraw(domain: &Domain, grant: &GrantFile) -> Operation {
    let GrantFile { place, content, secret, .. } = grant;
    Operation::WithdrawGrant { place: *place, content: content.digest(domain), secret: secret.0 }
}
