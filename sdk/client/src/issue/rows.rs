//! Rows: what an issuer's system hands over for each certificate, checked before anything is sealed.
//!
//! Columns: `identifier`, or `serial` and `version` (001 where absent); `issued`, `from`, `until`
//! (empty is for ever), `grade` (A where absent), `holder_key` with `holder_proof`, `file` or `file_hash`, and one
//! column for each field of the type, under its label; a derived field's is computed. Messages carry line and column, never a
//! value.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::path::PathBuf;

use fengni_core::book::Book;
use fengni_core::certificate::{ClaimValue, Facts, Grade, derive, is_possessed, proof_from_text};
use fengni_core::id::{CertificateId, CreditCode, IdError, ResidentNumber, Serial, Version};
use fengni_core::limits::CLAIM_BYTES;
use fengni_core::record::{CertificateType, Schema};
use fengni_core::{BookNumber, Day, Digest, Domain, LinePlace, PublicKey};
use thiserror::Error;

use super::table::{self, Cells, Format};
use crate::disk;
use crate::ledger::{Ledger, LedgerError};

/// Label of the field that holds the hash of the attached file (OFD, PDF).
pub const FILE_CLAIM: &str = "文件摘要";

/// Bytes of an attached file, at most.
const ATTACHED_BYTES: u64 = 256 * 1024 * 1024;

const COLUMNS: [&str; 11] = [
    "identifier",
    "serial",
    "version",
    "issued",
    "from",
    "until",
    "grade",
    "holder_key",
    "holder_proof",
    "file",
    "file_hash",
];

/// What is wrong with a row. The value itself is never repeated: it may be a person's.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum RowFault {
    /// The file is empty.
    #[error("there is no line of column names")]
    NoColumns,
    /// Neither a standard column nor a field of the type.
    #[error("is neither a standard column nor a field of the type")]
    UnknownColumn,
    /// One column twice.
    #[error("stands there twice")]
    ColumnTwice,
    /// Not UTF-8.
    #[error("is not UTF-8: save the file in that encoding")]
    Encoding,
    /// Not a row of the format.
    #[error("cannot be read as a row")]
    Syntax,
    /// More or fewer cells than columns.
    #[error("{found} cells where there are {expected} columns")]
    Cells {
        /// Cells in the row.
        found: usize,
        /// Columns of the file.
        expected: usize,
    },
    /// An empty cell that needs a value.
    #[error("needs a value")]
    Missing,
    /// Not an identifier, a serial or a version.
    #[error(transparent)]
    Identifier(#[from] IdError),
    /// The identifier is of another type or issuer than the book.
    #[error("names another type or issuer than the book's")]
    OtherBook,
    /// `identifier` and `serial` or `version` disagree.
    #[error("disagrees with the identifier")]
    Disagrees,
    /// Not a calendar date.
    #[error("is not a date of the form 2026-03-02")]
    Date,
    /// The last day is before the first.
    #[error("the last day is before the first")]
    DayOrder,
    /// Not A, B, C or D.
    #[error("is none of the trust grades A to D")]
    Grade,
    /// Not a public key.
    #[error("is not a public key of the form 1:hexadecimal digits")]
    HolderKey,
    /// A key of the holder's that nobody was shown to have.
    #[error(
        "is no proof, made for this issuer, that the holder has the key; next: fengni wallet key --prove ISSUER, or leave holder_key empty"
    )]
    HolderProof,
    /// Not a value of a claim.
    #[error("is not 1 to {CLAIM_BYTES} bytes without control characters")]
    Value,
    /// Longer than the type allows, so that a code might not fit a picture.
    #[error("has {bytes} bytes, above the type's limit of {limit}: shorten it")]
    TooLong {
        /// Bytes of the value.
        bytes: usize,
        /// Bytes the type allows.
        limit: usize,
    },
    /// Not what follows from the field it is computed from.
    #[error(
        "follows from {source_label}, which is no date of the form 1990-03-07 or says otherwise: leave this column out"
    )]
    Derived {
        /// The field it is computed from.
        source_label: String,
    },
    /// The attached file cannot be read.
    #[error("the attached file cannot be read: {0}")]
    File(String),
    /// Not a hash.
    #[error("is not a hash of 64 hexadecimal digits")]
    FileHash,
    /// The type has no field for the hash of a file, or the row names it twice.
    #[error("the type has no field {FILE_CLAIM}, or the row gives it twice")]
    FileField,
    /// The same certificate on an earlier line of the file.
    #[error("the same certificate stands on line {first}")]
    Duplicate {
        /// The earlier line.
        first: u64,
    },
    /// Issued before with other content.
    #[error("was issued before with other content: supersede it instead")]
    IssuedOtherwise,
    /// On the ledger, but not in this archive, so that its salts are not at hand.
    #[error("is on the ledger already{}, but not in this archive", place.map_or_else(String::new, |place| format!(" at {place}")))]
    OnLedger {
        /// Where, if a node finds it.
        place: Option<LinePlace>,
    },
}

/// A fault with its line and column.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RowProblem {
    /// Line of the file, from 1.
    pub line: u64,
    /// Column, where one cell is at fault.
    pub column: Option<String>,
    /// What is wrong.
    pub fault: RowFault,
}

impl RowProblem {
    pub(super) fn new(line: u64, column: Option<&str>, fault: RowFault) -> Self {
        Self { line, column: column.map(str::to_owned), fault }
    }
}

impl fmt::Display for RowProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.column {
            Some(column) => write!(f, "line {}, {column}: {}", self.line, self.fault),
            None => write!(f, "line {}: {}", self.line, self.fault),
        }
    }
}

/// What the rows of a file are read against: the book they go into and its type.
#[derive(Clone, Debug)]
pub struct RowRules {
    /// The book.
    pub book: BookNumber,
    /// Its record.
    pub record: Book,
    /// Its type.
    pub certificate_type: CertificateType,
    /// Whose rules hashes follow.
    pub domain: Domain,
    /// Where attached files named in a row are looked for.
    pub folder: PathBuf,
}

impl RowRules {
    /// The rules of a book, as the ledger has them now.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn load(ledger: &mut Ledger, book: BookNumber, folder: PathBuf) -> Result<Self, LedgerError> {
        let record: Book = ledger.record(book.0)?;
        let certificate_type = ledger.type_of(&record)?;
        Ok(Self { book, record, certificate_type, domain: ledger.domain(), folder })
    }

    /// The newest schema of the type and its version.
    pub fn schema(&self) -> (u16, &Schema) {
        const NONE: &Schema = &Schema { claims: Vec::new(), profiles: Vec::new(), serial_bytes: 32 };
        let version = u16::try_from(self.certificate_type.schemas.len()).unwrap_or(u16::MAX);
        (version, self.certificate_type.schema(version).unwrap_or(NONE))
    }
}

/// One certificate to be issued.
#[derive(Clone, PartialEq, Eq)]
pub struct Row {
    /// Line of the file, from 1.
    pub line: u64,
    /// Full identifier.
    pub identifier: CertificateId,
    /// Day of issue.
    pub issued: Day,
    /// First day of validity.
    pub from: Day,
    /// Last day; `None` for ever.
    pub until: Option<Day>,
    /// Trust grade.
    pub grade: Grade,
    /// The holder's key; `None` where one is to be made for a demonstration.
    pub holder: Option<PublicKey>,
    /// Version of the schema.
    pub schema: u16,
    /// Values in the order of the schema.
    pub values: Vec<Option<ClaimValue>>,
}

/// Names the certificate and nothing it says.
impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Row(line {}, {} values)", self.line, self.values.len())
    }
}

impl Row {
    /// What the certificate's header says.
    pub(super) fn facts(&self, holder: PublicKey) -> Facts {
        Facts {
            schema: self.schema,
            serial: *self.identifier.serial(),
            version: self.identifier.version(),
            issued: self.issued,
            from: self.from,
            until: self.until,
            grade: self.grade,
            holder,
        }
    }
}

/// The rows of a file: those that hold and what is wrong with the others.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Rows {
    /// Rows to issue, in the order of the file.
    pub rows: Vec<Row>,
    /// Problems, by line.
    pub problems: Vec<RowProblem>,
}

impl Rows {
    /// Reads and checks the rows of a file.
    pub fn read(bytes: &[u8], format: Format, rules: &RowRules) -> Self {
        let labels = rules.schema().1.claims.iter().map(|spec| spec.label.clone());
        let known: BTreeSet<String> = COLUMNS.iter().map(|name| (*name).to_owned()).chain(labels).collect();
        let (table, problems) = table::read(bytes, format, &known);
        let mut rows = Self { rows: Vec::with_capacity(table.len()), problems };
        let mut lines: HashMap<CertificateId, u64> = HashMap::new();
        for cells in table {
            match cells.and_then(|cells| read_row(&cells, rules)) {
                Err(problem) => rows.problems.push(problem),
                Ok(row) => match lines.get(&row.identifier) {
                    Some(first) => {
                        let fault = RowFault::Duplicate { first: *first };
                        rows.problems.push(RowProblem::new(row.line, None, fault));
                    }
                    None => {
                        lines.insert(row.identifier.clone(), row.line);
                        rows.rows.push(row);
                    }
                },
            }
        }
        rows
    }
}

fn read_row(cells: &Cells, rules: &RowRules) -> Result<Row, RowProblem> {
    let at = |column: &'static str| move |fault: RowFault| RowProblem::new(cells.line, Some(column), fault);
    let identifier = read_identifier(cells, rules)?;
    let day = |column: &'static str| {
        cells.get(column).map(|cell| Day::parse(cell.trim()).ok_or(RowFault::Date)).transpose().map_err(at(column))
    };
    let from = day("from")?.ok_or(RowFault::Missing).map_err(at("from"))?;
    let until = day("until")?;
    if until.is_some_and(|until| until < from) {
        return Err(at("until")(RowFault::DayOrder));
    }
    let issued = day("issued")?.ok_or(RowFault::Missing).map_err(at("issued"))?;
    let (schema, _) = rules.schema();
    Ok(Row {
        line: cells.line,
        identifier,
        issued,
        from,
        until,
        grade: read_grade(cells.get("grade")).map_err(at("grade"))?,
        holder: read_holder(cells, rules)?,
        schema,
        values: read_values(cells, rules, issued)?,
    })
}

fn read_identifier(cells: &Cells, rules: &RowRules) -> Result<CertificateId, RowProblem> {
    let at = |column: &'static str| move |fault: RowFault| RowProblem::new(cells.line, Some(column), fault);
    let serial = cells.get("serial").map(|cell| Serial::parse(cell.trim())).transpose();
    let serial = serial.map_err(|error| at("serial")(error.into()))?;
    let version = cells.get("version").map(|cell| Version::parse(cell.trim())).transpose();
    let version = version.map_err(|error| at("version")(error.into()))?;
    let (code, issuer) = (rules.certificate_type.code, rules.record.issuer);
    let identifier = match (cells.get("identifier"), serial) {
        (Some(cell), _) => CertificateId::parse(cell.trim()).map_err(|error| at("identifier")(error.into()))?,
        (None, Some(serial)) => CertificateId::new(code, issuer, serial, version.unwrap_or(Version::FIRST)),
        (None, None) => return Err(at("serial")(RowFault::Missing)),
    };
    if identifier.type_code() != code || identifier.issuer() != issuer {
        return Err(at("identifier")(RowFault::OtherBook));
    }
    if serial.is_some_and(|serial| serial != *identifier.serial()) {
        return Err(at("serial")(RowFault::Disagrees));
    }
    if version.is_some_and(|version| version != identifier.version()) {
        return Err(at("version")(RowFault::Disagrees));
    }
    identifier.check_for_issue().map_err(|error| at("serial")(error.into()))?;
    let (bytes, limit) = (identifier.serial().as_str().len(), usize::from(rules.schema().1.serial_bytes));
    if bytes > limit {
        return Err(at("serial")(RowFault::TooLong { bytes, limit }));
    }
    Ok(identifier)
}

fn read_grade(cell: Option<&str>) -> Result<Grade, RowFault> {
    match cell.map(str::trim) {
        None | Some("A") => Ok(Grade::A),
        Some("B") => Ok(Grade::B),
        Some("C") => Ok(Grade::C),
        Some("D") => Ok(Grade::D),
        Some(_) => Err(RowFault::Grade),
    }
}

/// Rule X-11: the holder's own key, with the proof that it is at hand.
fn read_holder(cells: &Cells, rules: &RowRules) -> Result<Option<PublicKey>, RowProblem> {
    let at = |column: &'static str, fault| RowProblem::new(cells.line, Some(column), fault);
    let holder = read_key(cells.get("holder_key")).map_err(|fault| at("holder_key", fault))?;
    let (Some(key), given) = (holder, cells.get("holder_proof")) else {
        // A proof of no key is a column too many.
        let lonely = cells.get("holder_proof").map(|_| at("holder_proof", RowFault::HolderProof));
        return lonely.map_or(Ok(None), Err);
    };
    let proof = given.map(str::trim).map(proof_from_text);
    let holds = proof.flatten().is_some_and(|it| is_possessed(&rules.domain, &rules.record.issuer, &key, &it));
    if holds { Ok(Some(key)) } else { Err(at("holder_proof", RowFault::HolderProof)) }
}

fn read_key(cell: Option<&str>) -> Result<Option<PublicKey>, RowFault> {
    cell.map(|cell| PublicKey::from_text(cell.trim()).map_err(|_| RowFault::HolderKey)).transpose()
}

fn read_values(cells: &Cells, rules: &RowRules, issued: Day) -> Result<Vec<Option<ClaimValue>>, RowProblem> {
    let (_, schema) = rules.schema();
    let file = read_file(cells, rules)?;
    let mut values = Vec::with_capacity(schema.claims.len());
    for spec in &schema.claims {
        let label = spec.label.as_str();
        let problem = |fault| RowProblem::new(cells.line, Some(label), fault);
        let text = match (cells.get(label), &file) {
            (Some(_), Some(_)) if label == FILE_CLAIM => return Err(problem(RowFault::FileField)),
            (None, Some(hash)) if label == FILE_CLAIM => Some(hash.to_string()),
            (cell, _) => cell.map(str::to_owned),
        };
        if let Some(text) = &text {
            check_code(label, text).map_err(|error| problem(error.into()))?;
        }
        let value = text.map(ClaimValue::new).transpose().map_err(|_| problem(RowFault::Value))?;
        let (bytes, limit) = (value.as_ref().map_or(0, |value| value.as_str().len()), usize::from(spec.max_bytes));
        if bytes > limit {
            return Err(problem(RowFault::TooLong { bytes, limit }));
        }
        if spec.required && spec.derived.is_none() && value.is_none() {
            return Err(problem(RowFault::Missing));
        }
        values.push(value);
    }
    fill(cells, schema, issued, &mut values)?;
    Ok(values)
}

/// Rule X-10: computes what follows from other fields, and holds what the row says against it.
fn fill(cells: &Cells, schema: &Schema, issued: Day, values: &mut [Option<ClaimValue>]) -> Result<(), RowProblem> {
    for (place, spec) in schema.claims.iter().enumerate() {
        let Some(derived) = spec.derived else { continue };
        let source = usize::from(derived.from);
        let source_label = schema.claims.get(source).map_or_else(String::new, |spec| spec.label.clone());
        let value = derive(derived.rule, values.get(source).and_then(Option::as_ref), issued).ok();
        match (value, &mut values[place]) {
            (Some(value), own) if own.is_none() || *own == value => *own = value,
            _ => {
                let fault = RowFault::Derived { source_label };
                return Err(RowProblem::new(cells.line, Some(&spec.label), fault));
            }
        }
    }
    Ok(())
}

/// Codes of people and bodies are checked wherever they are entered. A document number may be a
/// passport's: it is a person's code only in that shape.
fn check_code(label: &str, text: &str) -> Result<(), IdError> {
    let resident_shape = text.len() == 18 && text.bytes().take(17).all(|byte| byte.is_ascii_digit());
    match label {
        "统一社会信用代码" => CreditCode::parse(text).map(drop),
        "公民身份号码" => ResidentNumber::parse(text).map(drop),
        "证件号码" if resident_shape => {
            ResidentNumber::parse(text).map(drop).or_else(|error| CreditCode::parse(text).map(drop).map_err(|_| error))
        }
        _ => Ok(()),
    }
}

/// The hash of the file attached to a row: plain, because the claim that holds it has a salt.
fn read_file(cells: &Cells, rules: &RowRules) -> Result<Option<Digest>, RowProblem> {
    let problem = |column: &'static str, fault| RowProblem::new(cells.line, Some(column), fault);
    let (column, hash) = match (cells.get("file"), cells.get("file_hash")) {
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => return Err(problem("file", RowFault::FileField)),
        (None, Some(hash)) => {
            let hash = Digest::from_hex(hash.trim());
            ("file_hash", hash.ok_or_else(|| problem("file_hash", RowFault::FileHash))?)
        }
        (Some(name), None) => {
            let bytes = disk::read(&rules.folder.join(name.trim()), ATTACHED_BYTES);
            // Only the system's own word: the file's name may be a person's.
            let reason = |error: disk::FileError| match error {
                disk::FileError::System { source, .. } => source.kind().to_string(),
                disk::FileError::TooLarge { limit, .. } => format!("more than {limit} bytes"),
                _ => "unusable".to_owned(),
            };
            let bytes = bytes.map_err(|error| problem("file", RowFault::File(reason(error))))?;
            ("file", rules.domain.suite.hash(&[&bytes]))
        }
    };
    if rules.schema().1.claims.iter().any(|spec| spec.label == FILE_CLAIM) {
        Ok(Some(hash))
    } else {
        Err(problem(column, RowFault::FileField))
    }
}
