//! Static codes (静态码): printed on paper or in a file, for finding a document's standing.
//!
//! Nobody signs one and it never expires: a photocopy of it is as good as the paper. So it carries
//! what finds the line and nothing that a certificate says, and no verdict on it is ever valid.
//! It is a type of its own, so that no check of a person can take one by mistake. Rule Y-9.

use super::{CODE_BYTES, Code, CodeClass, CodeError, FORMAT, PREFIX, text};
use crate::book::{Line, Tag};
use crate::certificate::cbor::{self, Cbor, Reader, Writer, Wrong};
use crate::certificate::{CertificateFile, PATH, PagePath};
use crate::digest::{Digest, Domain};
use crate::id::{CertificateId, CreditCode, Serial, TypeCode, Version};
use crate::number::{BookNumber, LineNumber, LinePlace};

/// How many CBOR entries a static code has.
const ENTRIES: usize = 9 + PATH;

/// A static code.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StaticCode {
    /// The document's identifier.
    pub identifier: CertificateId,
    /// Where its line stood when the code was made.
    pub place: LinePlace,
    /// The line's commitment, which says nothing without the certificate.
    pub commitment: Digest,
    /// From the line to the root of its page, for verifiers without a network.
    pub path: PagePath,
}

impl StaticCode {
    /// The static code of a certificate. It needs no key.
    pub fn of(domain: &Domain, file: &CertificateFile) -> Self {
        Self {
            identifier: file.identifier(),
            place: file.place,
            commitment: file.line(domain).commitment,
            path: file.path.clone(),
        }
    }

    /// The line it speaks of.
    pub fn line(&self, domain: &Domain) -> Line {
        Line { tag: Tag::of(domain, &self.identifier), commitment: self.commitment }
    }

    /// Reads the text of a static code. Rules Y-1 and Y-9.
    ///
    /// # Errors
    /// [`CodeError::Prefix`], [`CodeError::Base45`] and [`CodeError::Encoding`], also for a dynamic
    /// code.
    pub fn parse(text: &str) -> Result<Self, CodeError> {
        Self::decode(&text::bytes_of(text, PREFIX, CODE_BYTES)?)
    }

    /// The text a QR code carries in its alphanumeric mode.
    pub fn to_text(&self) -> String {
        text::text_of(&self.encode(), PREFIX)
    }

    /// Reads the bytes of a static code.
    ///
    /// # Errors
    /// [`CodeError::Encoding`].
    pub fn decode(bytes: &[u8]) -> Result<Self, CodeError> {
        Ok(cbor::decode(bytes, CODE_BYTES)?)
    }

    /// The one encoding.
    pub fn encode(&self) -> Vec<u8> {
        cbor::encode(self)
    }
}

/// `[format, class, type, issuer, serial, version, book, line, commitment, page lines, path]`.
impl Cbor for StaticCode {
    fn write(&self, writer: &mut Writer) {
        writer.array(ENTRIES);
        writer.uint(FORMAT);
        writer.uint(CodeClass::Static as u8);
        writer.text(self.identifier.type_code().as_str());
        writer.text(self.identifier.issuer().as_str());
        writer.text(self.identifier.serial().as_str());
        writer.uint(self.identifier.version().number());
        writer.uint(self.place.book.0);
        writer.uint(self.place.line.0);
        writer.bytes(&self.commitment.0);
        self.path.write_entries(writer);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Wrong> {
        reader.array("static code", ENTRIES)?;
        let format: u8 = reader.uint("version")?;
        if format != FORMAT {
            return Err(format!("unknown version {format} of a code"));
        }
        let class: u8 = reader.uint("class")?;
        if class != CodeClass::Static as u8 {
            return Err(format!("class {class} is not a static code's"));
        }
        let kind = TypeCode::parse(reader.text("type code")?).map_err(|error| error.to_string())?;
        let issuer = CreditCode::parse(reader.text("issuer code")?).map_err(|error| error.to_string())?;
        let serial = Serial::parse(reader.text("serial")?).map_err(|error| error.to_string())?;
        let version = Version::new(reader.uint("version")?).map_err(|error| error.to_string())?;
        Ok(Self {
            identifier: CertificateId::new(kind, issuer, serial, version),
            place: LinePlace { book: BookNumber(reader.uint("book")?), line: LineNumber(reader.uint("line")?) },
            commitment: Digest(reader.array_bytes("commitment")?),
            path: PagePath::read_entries(reader)?,
        })
    }
}

/// What a scanner may meet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AnyCode {
    /// On a holder's screen.
    Dynamic(Box<Code>),
    /// On paper.
    Static(Box<StaticCode>),
}

impl AnyCode {
    /// Reads the text of either class.
    ///
    /// # Errors
    /// [`CodeError`] of the class that the text says it is.
    pub fn parse(text: &str) -> Result<Self, CodeError> {
        let bytes = text::bytes_of(text, PREFIX, CODE_BYTES)?;
        // The class is the third byte of the one encoding: array, format, class.
        if bytes.get(2) == Some(&(CodeClass::Static as u8)) {
            StaticCode::decode(&bytes).map(|code| Self::Static(Box::new(code)))
        } else {
            Code::decode(&bytes).map(|code| Self::Dynamic(Box::new(code)))
        }
    }
}
