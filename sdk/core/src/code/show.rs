//! Showing: how a wallet makes a code out of a certificate file.

use super::{Code, CodeClass, CodeError, Shown, Terms, message};
use crate::certificate::{CertificateFile, PagePath};
use crate::digest::Domain;
use crate::keys::SecretKey;
use crate::limits::CODE_BYTES;
use crate::record::Schema;
use crate::tree;

/// The fields an everyday code of this schema discloses.
pub fn everyday(schema: &Schema) -> Vec<u16> {
    schema.everyday()
}

impl Code {
    /// Makes a code that discloses the fields in `disclose`, by rising index.
    ///
    /// Without its path a code is shorter, and of use only where there is a network. The same
    /// arguments give the same code.
    ///
    /// # Errors
    /// [`CodeError::Disclose`], [`CodeError::OtherKey`], [`CodeError::Terms`] and
    /// [`CodeError::TooLarge`].
    ///
    /// # Source
    /// `sdk/spec/codes.md`, rules Y-3 to Y-7.
    pub fn show(
        domain: &Domain,
        file: &CertificateFile,
        key: &SecretKey,
        disclose: &[u16],
        with_path: bool,
        terms: Terms,
    ) -> Result<Self, CodeError> {
        let claims = file.certificate.claims();
        let header = file.certificate.header();
        let wanted: Vec<usize> = disclose.iter().map(|index| usize::from(*index)).collect();
        let rising = wanted.windows(2).all(|pair| pair[0] < pair[1]);
        if !rising || wanted.last().is_none_or(|last| *last >= claims.len()) {
            return Err(CodeError::Disclose { fields: claims.len() });
        }
        if key.public() != header.facts.holder {
            return Err(CodeError::OtherKey);
        }
        if !terms.are_allowed() {
            return Err(CodeError::Terms { secs: terms.lifetime_secs });
        }
        let siblings = tree::subset_siblings(domain.suite, &file.certificate.leaves(domain), &wanted)
            .expect("every field to disclose exists: checked above");
        let shown = Shown {
            place: file.place,
            facts: header.facts.clone(),
            claims_size: u16::try_from(claims.len()).expect("a certificate has at most 64 claims"),
            disclosed: wanted.iter().map(|index| claims[*index].clone()).collect(),
            siblings,
            path: if with_path { file.path.clone() } else { PagePath::UNKNOWN },
        };
        let class = CodeClass::Dynamic;
        let signature = key.sign(&message(domain, class, &header.commitment(domain), &shown, &terms));
        let code = Self { class, shown, terms, signature };
        let bytes = code.encode().len();
        if bytes > CODE_BYTES { Err(CodeError::TooLarge { bytes }) } else { Ok(code) }
    }
}
