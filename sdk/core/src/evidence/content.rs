//! What a package shows of a certificate's content. Rule W-3.

use bincode::{Decode, Encode};
use thiserror::Error;

use crate::book::{Book, Line};
use crate::bytes::Bytes;
use crate::certificate::cbor::{decode, encode};
use crate::certificate::{Certificate, CertificateHeader, Claim, Facts, claims_digest};
use crate::digest::{Digest, Domain};
use crate::id::CertificateId;
use crate::limits::{CERTIFICATE_FILE_BYTES, CLAIMS};
use crate::number::LinePlace;
use crate::record::CertificateType;
use crate::tree;

/// A certificate's header, the leaves of all its claims, and the claims that are shown.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Content {
    /// The header's bytes, which the line commits to.
    header: Bytes,
    /// Leaf digests of all claims, in their order.
    leaves: Vec<Digest>,
    /// Claims shown, each in its one encoding, by rising place.
    claims: Vec<Bytes>,
}

/// Why content is not that of the line. Rule W-3.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum ContentError {
    /// Not the encoding of a header or a claim.
    #[error("the content cannot be read: {0}")]
    Encoding(String),
    /// The line commits to something else.
    #[error("the certificate's header is not the one that the line commits to")]
    Header,
    /// The leaves are not those of the header.
    #[error("the claims' digests are not those of the certificate's header")]
    Leaves,
    /// A claim is not one of the leaves, or out of order.
    #[error("claim {0} is not what was sealed")]
    Claim(u16),
}

/// What content turned out to say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ContentShown {
    /// The line that commits to it: of several that stood for a certificate, one.
    pub place: LinePlace,
    /// The certificate's identifier.
    pub identifier: CertificateId,
    /// What the header says.
    pub facts: Facts,
    /// Labels and values that are shown; a value is `None` where the claim was left empty.
    pub claims: Vec<(String, Option<String>)>,
    /// Claims that are not shown.
    pub hidden: usize,
}

impl Content {
    /// Shows a certificate's header and some of its claims.
    ///
    /// - `shown`: places of the claims in the type's schema; the others stay hidden.
    pub fn of(domain: &Domain, certificate: &Certificate, shown: &[u16]) -> Self {
        let claims = certificate.claims().iter().filter(|claim| shown.contains(&claim.index));
        Self {
            header: Bytes(encode(certificate.header())),
            leaves: certificate.leaves(domain),
            claims: claims.map(|claim| Bytes(encode(claim))).collect(),
        }
    }

    /// Rule W-3: whether the line commits to it, and what it says.
    ///
    /// - `place`, `line`, `book`, `kind`: proven.
    ///
    /// # Errors
    /// [`ContentError`].
    pub fn check(
        &self,
        domain: &Domain,
        (place, line): (LinePlace, &Line),
        book: &Book,
        kind: &CertificateType,
    ) -> Result<ContentShown, ContentError> {
        let unreadable = |error: crate::codec::DecodeError| ContentError::Encoding(error.to_string());
        let header: CertificateHeader = decode(&self.header.0, CERTIFICATE_FILE_BYTES).map_err(unreadable)?;
        let identifier = header.facts.identifier(kind.code, book);
        if header.line(domain, &identifier) != *line {
            return Err(ContentError::Header);
        }
        let root = tree::root(domain.suite, &self.leaves);
        let counted = (1..=CLAIMS).contains(&self.leaves.len());
        if !counted || claims_digest(domain, self.leaves.len(), &root) != header.claims_digest {
            return Err(ContentError::Leaves);
        }
        let schema = kind.schema(header.facts.schema);
        let mut claims = Vec::new();
        let mut next = 0;
        for bytes in &self.claims {
            let claim: Claim = decode(&bytes.0, CERTIFICATE_FILE_BYTES).map_err(unreadable)?;
            let leaf = self.leaves.get(usize::from(claim.index));
            if claim.index < next || leaf != Some(&claim.leaf(domain)) {
                return Err(ContentError::Claim(claim.index));
            }
            next = claim.index + 1;
            let spec = schema.and_then(|schema| schema.claims.get(usize::from(claim.index)));
            let label = spec.map_or_else(|| claim.index.to_string(), |spec| spec.label.clone());
            claims.push((label, claim.value.map(String::from)));
        }
        let hidden = self.leaves.len() - claims.len();
        Ok(ContentShown { place, identifier, facts: header.facts, claims, hidden })
    }
}
