//! The scene of a verification: the records that all certificates of one book share.
//!
//! Decoding a member's record checks every key in it, which costs more than the holder's signature:
//! a gateway that judges many codes by one state reads them once.

use crate::book::Book;
use crate::code::Code;
use crate::digest::Digest;
use crate::id::CertificateId;
use crate::limits::SUPERIORS;
use crate::number::{BookNumber, MemberNumber, TypeNumber};
use crate::proof::{ProofError, Proven};
use crate::record::{Agreement, Authority, CertificateType, Member, Parameters};
use crate::verdict::Document;

use super::{Context, Finding};

/// What is the same for every line of a book and one verifier, at one height.
#[derive(Clone, Debug)]
pub struct Scene {
    state_root: Digest,
    pub(super) parameters: Parameters,
    number: BookNumber,
    pub(super) book: Book,
    /// What the book is about.
    pub(super) kind: TypeNumber,
    pub(super) certificate_type: CertificateType,
    /// The member that opened the book.
    pub(super) issuer: Member,
    /// The issuer and those above it, lowest first.
    pub(super) issuer_chain: Vec<MemberNumber>,
    /// Every authority on the issuer's own list.
    pub(super) authorities: Vec<Authority>,
    pub(super) verifier: Member,
    /// The verifier and those above it, lowest first.
    pub(super) verifier_chain: Vec<MemberNumber>,
    /// Every agreement on the lists of the verifier's chain.
    pub(super) agreements: Vec<Agreement>,
}

impl Scene {
    /// Reads the records of rule V-2 that do not depend on the line.
    ///
    /// # Errors
    /// A [`Finding`] that says what was not proven.
    pub(super) fn load(proven: &Proven, book: BookNumber, verifier: MemberNumber) -> Result<Self, Finding> {
        let record: Book = proven.record(book.0)?;
        let kind = record.certificate_type().ok_or(ProofError::NoCertificates)?;
        let issuers = chain(proven, record.opener())?;
        let verifiers = chain(proven, verifier)?;
        let issuer = issuers[0].1.clone();
        let mut numbers: Vec<_> = verifiers.iter().flat_map(|(_, member)| &member.agreements).copied().collect();
        numbers.sort_unstable();
        numbers.dedup();
        Ok(Self {
            state_root: proven.header().state_root,
            parameters: proven.record(0)?,
            number: book,
            kind,
            certificate_type: proven.record(kind.0)?,
            book: record,
            authorities: issuer.authorities.iter().map(|number| proven.record(number.0)).collect::<Result<_, _>>()?,
            issuer,
            issuer_chain: issuers.iter().map(|(number, _)| *number).collect(),
            verifier: verifiers[0].1.clone(),
            verifier_chain: verifiers.iter().map(|(number, _)| *number).collect(),
            agreements: numbers.iter().map(|number| proven.record(number.0)).collect::<Result<_, _>>()?,
        })
    }

    /// The scene of a book and a verifier, or `None` where the proof lacks a record.
    pub fn new(proven: &Proven, book: BookNumber, verifier: MemberNumber) -> Option<Self> {
        Self::load(proven, book, verifier).ok()
    }

    /// Whether it is the scene for judging this code by this proof.
    pub(super) fn suits(&self, proven: &Proven, code: &Code, context: &Context) -> bool {
        self.state_root == proven.header().state_root
            && self.number == code.shown.place.book
            && self.verifier_chain[0] == context.verifier
    }

    /// What a verdict says about a certificate whose content was found sealed.
    pub(super) fn document(&self, code: &Code, identifier: &CertificateId) -> Document {
        let facts = &code.shown.facts;
        Document {
            certificate_type: self.certificate_type.name.clone(),
            issuer: self.issuer.name.clone(),
            identifier: identifier.to_string(),
            place: code.shown.place,
            grade: Some(facts.grade),
            validity: Some((facts.from.to_string(), facts.until.map(|day| day.to_string()))),
            claims: Vec::new(),
        }
    }
}

/// A member and those above it, lowest first, with their records.
fn chain(proven: &Proven, member: MemberNumber) -> Result<Vec<(MemberNumber, Member)>, Finding> {
    let mut chain = Vec::new();
    let mut next = Some(member);
    while let Some(number) = next.filter(|_| chain.len() <= SUPERIORS) {
        let record: Member = proven.record(number.0)?;
        next = record.superior;
        chain.push((number, record));
    }
    Ok(chain)
}
