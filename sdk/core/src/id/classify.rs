//! Which kind of code a text looks like, for people who hold a code and know nothing else.

use super::certificate::CertificateId;
use super::credit::CreditCode;
use super::division::Division;
use super::error::IdError;
use super::organisation::OrganisationCode;
use super::resident::{ResidentNumber, birth_date};
use super::type_code::TypeCode;

/// What a text looks like, with the code or the reason why it is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A certificate identifier: it has dots.
    Certificate(Result<CertificateId, IdError>),
    /// A type code: 21 characters.
    Type(Result<TypeCode, IdError>),
    /// A resident number: 18 characters, 17 digits first, with a birth date among them.
    Resident(Result<ResidentNumber, IdError>),
    /// A credit code: 18 characters otherwise.
    Credit(Result<CreditCode, IdError>),
    /// An organisation code: 10 characters with a hyphen, or 9 that are not all digits.
    Organisation(Result<OrganisationCode, IdError>),
    /// A division: 2, 4, 6 or 9 digits.
    Division(Result<Division, IdError>),
    /// None of these.
    Unknown {
        /// Length of the text in characters.
        len: usize,
    },
}

/// Tells which kind of code `text` looks like, and reads it as that.
///
/// Blanks around the text do not hide its shape, but they are refused. Eighteen digits can be a
/// person's or a body's: the reading that is valid wins, the person's first.
///
/// # Source
/// `sdk/spec/identifiers.md`, rule ID-12.
#[must_use]
pub fn classify(text: &str) -> Kind {
    let shape = text.trim();
    let digits = shape.chars().filter(char::is_ascii_digit).count();
    let len = shape.chars().count();
    let hyphen = shape.contains('-');
    match len {
        _ if shape.contains('.') => Kind::Certificate(CertificateId::parse(text)),
        21 => Kind::Type(TypeCode::parse(text)),
        18 if leading_digits(shape) >= 17 => person_or_body(text, shape),
        18 => Kind::Credit(CreditCode::parse(text)),
        10 if hyphen => Kind::Organisation(OrganisationCode::parse(text)),
        9 if digits < 9 => Kind::Organisation(OrganisationCode::parse(text)),
        2 | 4 | 6 | 9 if digits == len => Kind::Division(Division::parse(text)),
        _ => Kind::Unknown { len: text.chars().count() },
    }
}

impl Kind {
    /// The kind's name, as people call it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Certificate(_) => "certificate identifier",
            Self::Type(_) => "type code",
            Self::Resident(_) => "resident number",
            Self::Credit(_) => "credit code",
            Self::Organisation(_) => "organisation code",
            Self::Division(_) => "division code",
            Self::Unknown { .. } => "unknown",
        }
    }

    /// Whether the text is a valid code of its kind, and if not, why.
    ///
    /// # Errors
    /// Why it is refused; [`IdError::UnknownShape`] for an unknown kind.
    pub fn validity(&self) -> Result<(), IdError> {
        match self {
            Self::Certificate(read) => refusal(read),
            Self::Type(read) => refusal(read),
            Self::Resident(read) => refusal(read),
            Self::Credit(read) => refusal(read),
            Self::Organisation(read) => refusal(read),
            Self::Division(read) => refusal(read),
            Self::Unknown { len } => Err(IdError::UnknownShape { found: *len }),
        }
    }
}

fn refusal<T>(read: &Result<T, IdError>) -> Result<(), IdError> {
    read.as_ref().map(|_| ()).map_err(Clone::clone)
}

/// Eighteen characters that begin with 17 digits: whichever reading holds, else the likelier.
fn person_or_body(text: &str, shape: &str) -> Kind {
    let person = ResidentNumber::parse(text);
    let body = CreditCode::parse(text);
    match (&person, &body) {
        (Ok(_), _) => Kind::Resident(person),
        (Err(_), Ok(_)) => Kind::Credit(body),
        (Err(_), Err(_)) if birth_date(shape).is_some() => Kind::Resident(person),
        (Err(_), Err(_)) => Kind::Credit(body),
    }
}

fn leading_digits(shape: &str) -> usize {
    shape.chars().take_while(char::is_ascii_digit).count()
}
