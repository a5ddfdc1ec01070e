//! What a code discloses: the part that the holder's signature hashes as it is encoded.

use super::CodeError;
use crate::certificate::cbor::{Cbor, Reader, Writer, Wrong};
use crate::certificate::{CertificateFile, CertificateHeader, Claim, Facts, PagePath, claims_digest};
use crate::digest::{Digest, Domain};
use crate::limits::CLAIMS;
use crate::number::{BookNumber, LineNumber, LinePlace};
use crate::tree;

const ENTRIES: usize = 5 + crate::certificate::FACTS + crate::certificate::PATH;

/// The disclosed part of a code.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shown {
    /// Where the certificate's line stands.
    pub place: LinePlace,
    /// What its header says besides the claims.
    pub facts: Facts,
    /// Claims of the certificate, shown or not.
    pub claims_size: u16,
    /// The claims shown, by rising index, at least one.
    pub disclosed: Vec<Claim>,
    /// Digests that lead from them to the claims digest, left to right.
    pub siblings: Vec<Digest>,
    /// From the line to the root of its page; left out where there is a network.
    pub path: PagePath,
}

impl Shown {
    /// What a certificate file discloses of these fields, by rising index. Rule Y-3.
    ///
    /// # Errors
    /// [`CodeError::Disclose`].
    pub fn of(domain: &Domain, file: &CertificateFile, disclose: &[u16], with_path: bool) -> Result<Self, CodeError> {
        let claims = file.certificate.claims();
        let wanted: Vec<usize> = disclose.iter().map(|index| usize::from(*index)).collect();
        let rising = wanted.windows(2).all(|pair| pair[0] < pair[1]);
        if !rising || wanted.last().is_none_or(|last| *last >= claims.len()) {
            return Err(CodeError::Disclose { fields: claims.len() });
        }
        let siblings = tree::subset_siblings(domain.suite, &file.certificate.leaves(domain), &wanted)
            .expect("every field to disclose exists: checked above");
        Ok(Self {
            place: file.place,
            facts: file.certificate.header().facts.clone(),
            claims_size: u16::try_from(claims.len()).expect("a certificate has at most 64 claims"),
            disclosed: wanted.iter().map(|index| claims[*index].clone()).collect(),
            siblings,
            path: if with_path { file.path.clone() } else { PagePath::UNKNOWN },
        })
    }

    /// Rule Y-4: the certificate's header, whose claims digest follows from the claims shown.
    ///
    /// # Errors
    /// [`CodeError::Siblings`].
    pub fn header(&self, domain: &Domain) -> Result<CertificateHeader, CodeError> {
        let Self { facts, claims_size, disclosed, siblings, .. } = self;
        let size = usize::from(*claims_size);
        let leaves: Vec<(usize, Digest)> =
            disclosed.iter().map(|claim| (usize::from(claim.index), claim.leaf(domain))).collect();
        let root = tree::fold_subset(domain.suite, size, &leaves, siblings).map_err(|_| CodeError::Siblings)?;
        Ok(CertificateHeader { facts: facts.clone(), claims_digest: claims_digest(domain, size, &root) })
    }
}

/// `[book, line, header entries, claims size, [claim, ...], siblings, page lines, path]`.
impl Cbor for Shown {
    fn write(&self, writer: &mut Writer) {
        writer.array(ENTRIES);
        writer.uint(self.place.book.0);
        writer.uint(self.place.line.0);
        self.facts.write_entries(writer);
        writer.uint(self.claims_size);
        writer.array(self.disclosed.len());
        self.disclosed.iter().for_each(|claim| claim.write(writer));
        writer.digests(&self.siblings);
        self.path.write_entries(writer);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Wrong> {
        reader.array("disclosed part", ENTRIES)?;
        let place = LinePlace { book: BookNumber(reader.uint("book")?), line: LineNumber(reader.uint("line")?) };
        let facts = Facts::read_entries(reader)?;
        let claims_size: u16 = reader.uint("number of claims")?;
        let len = reader.array_upto("claims", CLAIMS)?;
        let disclosed = (0..len).map(|_| Claim::read(reader)).collect::<Result<Vec<_>, _>>()?;
        let siblings = reader.digests("siblings", CLAIMS)?;
        let path = PagePath::read_entries(reader)?;
        let rising = disclosed.windows(2).all(|pair| pair[0].index < pair[1].index);
        let inside = disclosed.last().is_some_and(|last| last.index < claims_size);
        if usize::from(claims_size) > CLAIMS || !rising || !inside {
            return Err(format!("no claims in rising order among {claims_size}"));
        }
        Ok(Self { place, facts, claims_size, disclosed, siblings, path })
    }
}
