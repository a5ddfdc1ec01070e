//! Receipts: a keeper's word that a line is on its page, for programs that speak COSE and know
//! nothing of this ledger (RFC 9942). Rule W-7: `sdk/spec/evidence.md`.
//!
//! ```text
//! line's 48 bytes -> leaf -> path -> page root      a tree of RFC 9162
//!                                        ^ signed by an issuing key of the keeper, detached
//! ```

use coset::cbor::{self, value::Value};
use coset::{CoseSign1, CoseSign1Builder, HeaderBuilder, Label, TaggedCborSerializable as _, iana};
use fengni_core::book::Line;
use fengni_core::certificate::PagePath;
use fengni_core::limits::{PAGE_DEPTH, PAGE_LINES};
use fengni_core::{Digest, Domain, KeyAlgorithm, KeyNumber, LineNumber, MemberNumber, PublicKey, Signature};
use fengni_signer::{HeldKey, SignError};
use thiserror::Error;

/// RFC 9942: verifiable data structure, in the protected header.
const STRUCTURE: i64 = 395;
/// RFC 9942: its proofs, in the unprotected header.
const PROOFS: i64 = 396;
/// RFC 9942: the tree of RFC 9162 over SHA-256.
const RFC9162_SHA256: i64 = 1;
/// RFC 9942: proofs of inclusion.
const INCLUSION: i64 = -1;
/// Bytes of a receipt, at most: ten digests, a signature and headers.
const RECEIPT_BYTES: usize = 4096;

/// What a receipt says, read from its bytes.
#[derive(Clone, Debug)]
pub struct Receipt {
    /// Who signed, as the receipt names it.
    pub member: MemberNumber,
    /// With which of its keys.
    pub key: KeyNumber,
    /// The line's place on its page.
    pub place: u16,
    /// The way from the line to the page's root, and the lines of the page when it was signed.
    pub path: PagePath,
    message: CoseSign1,
}

/// Why a receipt says nothing.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum ReceiptError {
    /// W-7: not the form of a receipt.
    #[error("the file is no receipt: {0}")]
    Form(&'static str),
    /// W-7: the path does not fit the place.
    #[error("the receipt's path does not fit its place on the page")]
    Path,
    /// W-7: not signed by that key, or for another line.
    #[error("the receipt is not signed by this key for this line")]
    Signature,
}

/// Signs a receipt.
///
/// - `number`, `line`: of a page whose root was proven.
/// - `path`: from the line to that root.
/// - `key`: an issuing key of the keeper.
///
/// # Errors
/// [`SignError`]; a path that does not fit the place is [`ReceiptError::Path`].
pub fn make(
    domain: &Domain,
    number: LineNumber,
    line: &Line,
    path: &PagePath,
    key: &HeldKey,
) -> Result<Vec<u8>, MakeError> {
    let root = path.root(domain, number, line).map_err(|_| ReceiptError::Path)?;
    let algorithm = match key.public().algorithm() {
        KeyAlgorithm::P256 => iana::Algorithm::ES256,
        _ => iana::Algorithm::EdDSA,
    };
    let protected = HeaderBuilder::new()
        .algorithm(algorithm)
        .key_id(format!("members/{}/{}", key.member, key.number).into_bytes())
        .value(STRUCTURE, Value::from(RFC9162_SHA256))
        .build();
    let hashes = path.hashes.iter().map(|hash| Value::Bytes(hash.0.to_vec())).collect();
    let proof = [Value::from(path.lines), Value::from(number.place()), Value::Array(hashes)];
    let proof = encode(&Value::Array(proof.to_vec()));
    let proofs = Value::Map(vec![(Value::from(INCLUSION), Value::Array(vec![Value::Bytes(proof)]))]);
    let unprotected = HeaderBuilder::new().value(PROOFS, proofs).build();
    let builder = CoseSign1Builder::new().protected(protected).unprotected(unprotected);
    let signed = builder.try_create_detached_signature(&root.0, &[], |message| {
        key.sign(message).map(|signature| signature.raw().to_vec())
    })?;
    Ok(signed.build().to_tagged_vec().map_err(|_| ReceiptError::Form("message"))?)
}

/// Why no receipt was made.
#[derive(Debug, Error)]
pub enum MakeError {
    /// The key did not sign.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// What it is to say has no form.
    #[error(transparent)]
    Receipt(#[from] ReceiptError),
}

impl Receipt {
    /// Reads a receipt.
    ///
    /// # Errors
    /// [`ReceiptError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, ReceiptError> {
        if bytes.len() > RECEIPT_BYTES {
            return Err(ReceiptError::Form("too long"));
        }
        let message = CoseSign1::from_tagged_slice(bytes).map_err(|_| ReceiptError::Form("no tagged COSE_Sign1"))?;
        // One spelling: what is not signed here, such as the proof's own form, has no other.
        if message.clone().to_tagged_vec().ok().as_deref() != Some(bytes) {
            return Err(ReceiptError::Form("it is not in the one form of its kind"));
        }
        if message.payload.is_some() {
            return Err(ReceiptError::Form("its payload is not detached"));
        }
        let protected = &message.protected.header;
        let structure = protected.rest.iter().find(|(label, _)| *label == Label::Int(STRUCTURE));
        if structure.map(|(_, value)| value) != Some(&Value::from(RFC9162_SHA256)) {
            return Err(ReceiptError::Form("its structure is not RFC9162_SHA256"));
        }
        let (member, key) = signer(&protected.key_id).ok_or(ReceiptError::Form("its key id names no member's key"))?;
        let (place, path) = inclusion(&message).ok_or(ReceiptError::Form("it has not one proof of inclusion"))?;
        Ok(Self { member, key, place, path, message })
    }

    /// Rule W-7: whether the key signed that the line is on the page.
    ///
    /// - `number`, `line`: where the reader knows the line to stand, and its 48 bytes.
    ///
    /// # Errors
    /// [`ReceiptError`].
    pub fn verify(
        &self,
        domain: &Domain,
        number: LineNumber,
        line: &Line,
        key: &PublicKey,
    ) -> Result<Digest, ReceiptError> {
        if number.place() != self.place {
            return Err(ReceiptError::Signature);
        }
        let root = self.path.root(domain, number, line).map_err(|_| ReceiptError::Path)?;
        let algorithm = match &self.message.protected.header.alg {
            Some(coset::Algorithm::Assigned(iana::Algorithm::ES256)) => KeyAlgorithm::P256,
            Some(coset::Algorithm::Assigned(iana::Algorithm::EdDSA)) => KeyAlgorithm::Ed25519,
            _ => return Err(ReceiptError::Form("its algorithm is neither EdDSA nor ES256")),
        };
        let holds = |signature: &[u8], message: &[u8]| {
            let signature = Signature::new(algorithm, signature).map_err(|_| ReceiptError::Signature)?;
            if key.verify(message, &signature) { Ok(()) } else { Err(ReceiptError::Signature) }
        };
        self.message.verify_detached_signature(&root.0, &[], holds)?;
        Ok(root)
    }
}

fn encode(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    cbor::ser::into_writer(value, &mut bytes).expect("writing into memory does not fail");
    bytes
}

/// `members/MEMBER/KEY`.
fn signer(id: &[u8]) -> Option<(MemberNumber, KeyNumber)> {
    let text = std::str::from_utf8(id).ok()?.strip_prefix("members/")?;
    let (member, key) = text.split_once('/')?;
    Some((MemberNumber(member.parse().ok()?), KeyNumber(key.parse().ok()?)))
}

/// The one proof of inclusion in the unprotected header.
fn inclusion(message: &CoseSign1) -> Option<(u16, PagePath)> {
    let (_, proofs) = message.unprotected.rest.iter().find(|(label, _)| *label == Label::Int(PROOFS))?;
    let (_, proofs) = proofs.as_map()?.iter().find(|(label, _)| *label == Value::from(INCLUSION))?;
    let [proof] = proofs.as_array()?.as_slice() else { return None };
    let bytes = proof.as_bytes()?;
    let proof: Value = cbor::de::from_reader(bytes.as_slice()).ok().filter(|proof| encode(proof) == *bytes)?;
    let [lines, place, hashes] = proof.as_array()?.as_slice() else { return None };
    let number = |value: &Value| u64::try_from(value.as_integer()?).ok().filter(|number| *number <= PAGE_LINES);
    let hashes = hashes.as_array().filter(|hashes| hashes.len() <= PAGE_DEPTH)?;
    let hashes = hashes.iter().map(|hash| Some(Digest(hash.as_bytes()?.as_slice().try_into().ok()?)));
    let path = PagePath { lines: u16::try_from(number(lines)?).ok()?, hashes: hashes.collect::<Option<_>>()? };
    Some((u16::try_from(number(place)?).ok()?, path))
}

#[cfg(test)]
mod tests {
    use fengni_core::book::{Tag, page_root};
    use fengni_core::record::KeyPurpose;
    use fengni_core::{NetworkId, SecretKey, Suite, tree};

    use super::*;

    const DOMAIN: Domain = Domain { suite: Suite::Standard, network: NetworkId(Digest([5; 32])) };

    fn lines(count: u8) -> Vec<Line> {
        (0..count).map(|number| Line { tag: Tag([number; 16]), commitment: Digest([number; 32]) }).collect()
    }

    fn path(lines: &[Line], place: usize) -> PagePath {
        let leaves: Vec<Digest> = lines.iter().map(|line| line.digest(&DOMAIN)).collect();
        let hashes = tree::path(DOMAIN.suite, &leaves, place).expect("it is on the page");
        PagePath { lines: u16::try_from(lines.len()).expect("few"), hashes }
    }

    fn key(algorithm: KeyAlgorithm) -> HeldKey {
        let secret = SecretKey::from_seed(algorithm, &[9; 32]).expect("a small scalar");
        HeldKey::new(KeyPurpose::Issuing, MemberNumber(3), KeyNumber(4), secret)
    }

    #[test]
    fn w7_a_receipt_is_read_again_and_holds_for_its_line_and_key_alone() {
        for algorithm in [KeyAlgorithm::Ed25519, KeyAlgorithm::P256] {
            let (lines, key) = (lines(7), key(algorithm));
            for (place, line) in lines.iter().enumerate() {
                // A page further on in its book: the place on the page is what counts.
                let number = LineNumber(1024 * 3 + place as u64);
                let made = make(&DOMAIN, number, line, &path(&lines, place), &key).expect("it can be signed");
                let receipt = Receipt::decode(&made).expect("its own bytes");
                assert_eq!((receipt.member, receipt.key, usize::from(receipt.place)), (key.member, key.number, place));
                assert_eq!(receipt.verify(&DOMAIN, number, line, &key.public()), Ok(page_root(&DOMAIN, &lines)));
                let other = &lines[(place + 1) % lines.len()];
                assert_eq!(receipt.verify(&DOMAIN, number, other, &key.public()), Err(ReceiptError::Signature));
                let stranger = SecretKey::from_seed(algorithm, &[8; 32]).expect("a small scalar").public();
                assert_eq!(receipt.verify(&DOMAIN, number, line, &stranger), Err(ReceiptError::Signature));
            }
        }
    }

    #[test]
    fn w7_no_altered_byte_makes_another_receipt_that_holds() {
        let (lines, key) = (lines(5), key(KeyAlgorithm::Ed25519));
        let made = make(&DOMAIN, LineNumber(2), &lines[2], &path(&lines, 2), &key).expect("it can be signed");
        let holds = |bytes: &[u8]| {
            let receipt = Receipt::decode(bytes).ok()?;
            let holds = receipt.verify(&DOMAIN, LineNumber(2), &lines[2], &key.public()).is_ok();
            (holds && (receipt.member, receipt.key) == (key.member, key.number)).then_some(())
        };
        assert!(holds(&made).is_some());
        for place in 0..made.len() {
            let mut altered = made.clone();
            altered[place] ^= 1;
            assert!(holds(&altered).is_none(), "byte {place} counts for nothing");
        }
        assert!(holds(&made[..made.len() - 1]).is_none());
    }
}
