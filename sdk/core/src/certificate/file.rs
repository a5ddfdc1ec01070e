//! The certificate file (证照文件): what a holder keeps on the phone.

use super::cbor::{Cbor, Reader, Writer, Wrong, decode, encode};
use super::content::Certificate;
use super::path::{PATH, PagePath};
use crate::book::Line;
use crate::codec::DecodeError;
use crate::digest::{Digest, Domain, NetworkId};
use crate::id::{CertificateId, CreditCode, TypeCode};
use crate::limits::CERTIFICATE_FILE_BYTES;
use crate::number::{BookNumber, LineNumber, LinePlace};

const FORMAT: u8 = 1;

/// A certificate with its place on the ledger and the path known so far.
///
/// The file is private to its holder: whoever has it knows every claim, but without the holder's
/// key can show nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CertificateFile {
    /// The network whose ledger holds the line.
    pub network: NetworkId,
    /// Type of the certificate, as the book's.
    pub certificate_type: TypeCode,
    /// Issuer's code, as the book's.
    pub issuer: CreditCode,
    /// The content.
    pub certificate: Certificate,
    /// Where its line stands.
    pub place: LinePlace,
    /// From the line to the page root; replaced by a longer one as the page fills.
    pub path: PagePath,
}

impl CertificateFile {
    /// The full identifier.
    pub fn identifier(&self) -> CertificateId {
        let facts = &self.certificate.header().facts;
        CertificateId::new(self.certificate_type, self.issuer, facts.serial, facts.version)
    }

    /// The line that the ledger holds for it.
    pub fn line(&self, domain: &Domain) -> Line {
        self.certificate.header().line(domain, &self.identifier())
    }

    /// Its one encoding.
    pub fn encode(&self) -> Vec<u8> {
        encode(self)
    }

    /// Reads a certificate file of this network and checks its claims. Rule X-8.
    ///
    /// # Errors
    /// [`DecodeError`], also for a file of another network.
    pub fn decode(domain: &Domain, bytes: &[u8]) -> Result<Self, DecodeError> {
        let file: Self = decode(bytes, CERTIFICATE_FILE_BYTES)?;
        let malformed = |reason: String| DecodeError::Malformed { reason };
        if file.network != domain.network {
            return Err(malformed(format!("the file is of network {}", file.network)));
        }
        file.certificate.check(domain).map_err(|error| malformed(error.to_string()))?;
        Ok(file)
    }
}

/// `[format, network, type, issuer, certificate, book, line, page lines, path]`.
impl Cbor for CertificateFile {
    fn write(&self, writer: &mut Writer) {
        writer.array(7 + PATH);
        writer.uint(FORMAT);
        writer.bytes(&self.network.0.0);
        writer.text(self.certificate_type.as_str());
        writer.text(self.issuer.as_str());
        self.certificate.write(writer);
        writer.uint(self.place.book.0);
        writer.uint(self.place.line.0);
        self.path.write_entries(writer);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Wrong> {
        reader.array("certificate file", 7 + PATH)?;
        let format: u8 = reader.uint("format")?;
        if format != FORMAT {
            return Err(format!("unknown format {format} of a certificate file"));
        }
        Ok(Self {
            network: NetworkId(Digest(reader.array_bytes("network")?)),
            certificate_type: TypeCode::parse(reader.text("type code")?).map_err(|error| error.to_string())?,
            issuer: CreditCode::parse(reader.text("issuer code")?).map_err(|error| error.to_string())?,
            certificate: Certificate::read(reader)?,
            place: LinePlace { book: BookNumber(reader.uint("book")?), line: LineNumber(reader.uint("line")?) },
            path: PagePath::read_entries(reader)?,
        })
    }
}
