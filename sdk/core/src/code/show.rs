//! Showing: how a wallet makes a code out of a certificate file.

use super::{Code, CodeClass, CodeError, Shown, Terms};
use crate::certificate::CertificateFile;
use crate::digest::Domain;
use crate::keys::{SecretKey, Signature};
use crate::limits::CODE_BYTES;
use crate::record::Schema;

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
    /// [`CodeError::Disclose`], [`CodeError::OtherKey`], [`CodeError::Terms`],
    /// [`CodeError::OtherAssertion`] and [`CodeError::TooLarge`].
    ///
    /// # Source
    /// `sdk/spec/codes.md`, rules Y-3 to Y-7 and Y-16.
    pub fn show(
        domain: &Domain,
        file: &CertificateFile,
        key: &SecretKey,
        disclose: &[u16],
        with_path: bool,
        terms: Terms,
    ) -> Result<Self, CodeError> {
        if key.public() != file.certificate.header().facts.holder {
            return Err(CodeError::OtherKey);
        }
        Self::show_with(domain, file, |message| Some(key.sign(message)), disclose, with_path, terms)
    }

    /// As [`Code::show`], by a key that does not leave its hardware.
    ///
    /// - `sign`: gets the message of rule Y-5 and returns the holder's signature over it, or `None`
    ///   where the hardware refuses, such as because the holder did not authenticate.
    ///
    /// # Errors
    /// As [`Code::show`]; [`CodeError::OtherKey`] also where nothing, or another key, was signed.
    pub fn show_with(
        domain: &Domain,
        file: &CertificateFile,
        sign: impl FnOnce(&[u8]) -> Option<Signature>,
        disclose: &[u16],
        with_path: bool,
        terms: Terms,
    ) -> Result<Self, CodeError> {
        let header = file.certificate.header();
        let shown = Shown::of(domain, file, disclose, with_path)?;
        if !terms.are_allowed() {
            return Err(CodeError::Terms { secs: terms.lifetime_secs });
        }
        if terms.assertion.is_some_and(|assertion| assertion.statement.holder != header.facts.holder) {
            return Err(CodeError::OtherAssertion);
        }
        let class = CodeClass::Dynamic;
        // Its size does not depend on the signature: what is too large is not put before a holder.
        let blank = Signature::new(header.facts.holder.algorithm(), &[0; 64]).map_err(|_| CodeError::OtherKey)?;
        let mut code = Self { class, shown, terms, signature: blank };
        let bytes = code.encode().len();
        if bytes > CODE_BYTES {
            return Err(CodeError::TooLarge { bytes });
        }
        let message = code.message(domain, &header.commitment(domain));
        let signature = sign(&message).filter(|signature| header.facts.holder.verify(&message, signature));
        code.signature = signature.ok_or(CodeError::OtherKey)?;
        Ok(code)
    }
}
