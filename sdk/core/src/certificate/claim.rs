//! Claims: what a certificate says, each value with a salt of its own.

use serde::{Deserialize, Serialize};

use super::cbor::{Cbor, Reader, Writer, Wrong, encode};
use super::content::CertificateError;
use crate::codec::encoded_as;
use crate::digest::{Digest, Domain};
use crate::limits::CLAIM_BYTES;
use crate::list::{ListKind, list_digest};

/// Text of a claim: 1 to 512 bytes of UTF-8 without control characters. Rule X-3.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClaimValue(String);

/// What a certificate says about somebody has no place in a log line.
impl std::fmt::Debug for ClaimValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ClaimValue")
    }
}

impl ClaimValue {
    /// Rule X-3: a value, as it is shown. It is not normalised: an issuer's spelling is kept.
    ///
    /// # Errors
    /// [`CertificateError::Value`].
    pub fn new(text: impl Into<String>) -> Result<Self, CertificateError> {
        let text = text.into();
        // A control character could move the cursor of a clerk's screen; an empty text would be
        // a second way to say that there is no value.
        if text.is_empty() || text.len() > CLAIM_BYTES || text.chars().any(char::is_control) {
            return Err(CertificateError::Value { bytes: text.len() });
        }
        Ok(Self(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ClaimValue {
    type Error = CertificateError;

    fn try_from(text: String) -> Result<Self, CertificateError> {
        Self::new(text)
    }
}

encoded_as!(ClaimValue, String);

impl From<ClaimValue> for String {
    fn from(value: ClaimValue) -> Self {
        value.0
    }
}

/// Random bytes that keep a hidden value from being guessed. A lost salt is a lost claim.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Salt(pub [u8; 16]);

/// A salt is as secret as the value it hides.
impl std::fmt::Debug for Salt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Salt")
    }
}

/// A claim: its place in the type's schema, its salt and its value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Claim {
    /// Place in the schema, from 0.
    pub index: u16,
    /// Its salt.
    pub salt: Salt,
    /// Its value; `None` where an optional claim is absent, whose leaf is there all the same.
    pub value: Option<ClaimValue>,
}

impl Claim {
    /// Rule X-4: digest of the leaf, `[index, salt, value or null]`.
    pub fn leaf(&self, domain: &Domain) -> Digest {
        domain.suite.leaf(&encode(self))
    }
}

impl Cbor for Claim {
    fn write(&self, writer: &mut Writer) {
        writer.array(3);
        writer.uint(self.index);
        writer.bytes(&self.salt.0);
        match &self.value {
            Some(value) => writer.text(value.as_str()),
            None => writer.null(),
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Wrong> {
        reader.array("claim", 3)?;
        let index = reader.uint("claim index")?;
        let salt = Salt(reader.array_bytes("claim salt")?);
        let value = reader.nullable("claim value", |reader| {
            ClaimValue::new(reader.text("claim value")?).map_err(|error| error.to_string())
        })?;
        Ok(Self { index, salt, value })
    }
}

/// Rule X-5: digest of a certificate's claims, from their number and the root over their leaves.
pub fn claims_digest(domain: &Domain, size: usize, root: &Digest) -> Digest {
    list_digest(domain, ListKind::Claims, size as u64, root)
}
