//! Names: what people call members, types, purposes and lines, and the numbers behind them.

use anyhow::{Context as _, Result, bail};
use fengni_core::book::{Book, Subject};
use fengni_core::id::{CertificateId, Division};
use fengni_core::record::{CertificateType, CodeSet, Member};
use fengni_core::{
    AgreementNumber, BookNumber, Day, LineNumber, LinePlace, MemberNumber, Millis, PurposeCode, ReasonCode, TypeNumber,
};

use fengni_genesis::Genesis;

use crate::connect::Connection;

/// A place in words or numbers: `3/417`, or an identifier that a node finds.
pub(crate) enum Target {
    /// A line by its numbers.
    Place(LinePlace),
    /// A certificate by its identifier.
    Identifier(CertificateId),
}

impl Target {
    /// Reads `book/line`, an identifier, or an identifier without its object identifier.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        if let Some((book, line)) = text.split_once('/') {
            let numbers = book.parse().ok().zip(line.parse().ok());
            let (book, line) = numbers.context("a line is written book/line, such as 0/417")?;
            return Ok(Self::Place(LinePlace { book: BookNumber(book), line: LineNumber(line) }));
        }
        let read = CertificateId::parse(text).map_err(|error| {
            anyhow::anyhow!("not a certificate identifier: {error}; next: fengni id check, or give book/line")
        });
        read.map(Self::Identifier)
    }

    /// Where the line stands.
    pub(crate) fn place(&self, connection: &mut Connection) -> Result<LinePlace> {
        match self {
            Self::Place(place) => Ok(*place),
            Self::Identifier(identifier) => match connection.ledger.find(identifier)? {
                Some((place, _)) => Ok(place),
                None => bail!(
                    "no node finds a line of this identifier; next: compare it with the document, or ask another gateway"
                ),
            },
        }
    }
}

/// Reads registries once.
#[derive(Default)]
pub(crate) struct Names {
    members: Option<Vec<Member>>,
    types: Option<Vec<CertificateType>>,
    books: Option<Vec<Book>>,
    codes: Option<Vec<CodeSet>>,
}

impl Names {
    /// Every member.
    pub(crate) fn members(&mut self, connection: &mut Connection) -> Result<&[Member]> {
        if self.members.is_none() {
            self.members = Some(connection.ledger.shelf()?);
        }
        Ok(self.members.as_deref().unwrap_or_default())
    }

    /// Every certificate type.
    pub(crate) fn types(&mut self, connection: &mut Connection) -> Result<&[CertificateType]> {
        if self.types.is_none() {
            self.types = Some(connection.ledger.shelf()?);
        }
        Ok(self.types.as_deref().unwrap_or_default())
    }

    /// Every book.
    pub(crate) fn books(&mut self, connection: &mut Connection) -> Result<&[Book]> {
        if self.books.is_none() {
            self.books = Some(connection.ledger.shelf()?);
        }
        Ok(self.books.as_deref().unwrap_or_default())
    }

    /// Every set of reference codes.
    pub(crate) fn codes(&mut self, connection: &mut Connection) -> Result<&[CodeSet]> {
        if self.codes.is_none() {
            self.codes = Some(connection.ledger.shelf()?);
        }
        Ok(self.codes.as_deref().unwrap_or_default())
    }

    /// A member by short name, credit code, name or number.
    pub(crate) fn member(&mut self, connection: &mut Connection, text: &str) -> Result<MemberNumber> {
        if let Some(member) = connection.map.as_ref().and_then(|map| map.member(text)) {
            return Ok(member.number);
        }
        let members = self.members(connection)?;
        let found = members.iter().position(|member| member.code.as_str() == text || member.name == text);
        let found = found.or_else(|| text.parse().ok().filter(|number| *number < members.len()));
        let found = found.with_context(|| format!("there is no member {text}; next: fengni members"))?;
        Ok(MemberNumber(u32::try_from(found)?))
    }

    /// A certificate type by short name, type code, name or number.
    pub(crate) fn certificate_type(&mut self, connection: &mut Connection, text: &str) -> Result<TypeNumber> {
        let map = connection.map.as_ref();
        if let Some(entry) = map.and_then(|map| map.types.iter().find(|entry| entry.key.eq_ignore_ascii_case(text))) {
            return Ok(entry.number);
        }
        let types = self.types(connection)?;
        let found = types.iter().position(|kind| kind.code.as_str() == text || kind.name == text);
        let found = found.or_else(|| text.parse().ok().filter(|number| *number < types.len()));
        let found = found.with_context(|| format!("there is no certificate type {text}; next: fengni types"))?;
        Ok(TypeNumber(u32::try_from(found)?))
    }

    /// A purpose by name or code.
    pub(crate) fn purpose(&mut self, connection: &mut Connection, text: &str) -> Result<PurposeCode> {
        self.code(connection, "purposes", text).map(PurposeCode)
    }

    /// A reason by name or code.
    pub(crate) fn reason(&mut self, connection: &mut Connection, text: &str) -> Result<ReasonCode> {
        self.code(connection, "reasons", text).map(ReasonCode)
    }

    /// A step of a case by name or code.
    pub(crate) fn step(&mut self, connection: &mut Connection, text: &str) -> Result<ReasonCode> {
        self.code(connection, "steps", text).map(ReasonCode)
    }

    fn code(&mut self, connection: &mut Connection, set: &str, text: &str) -> Result<u16> {
        // A number needs no look-up: the ledger judges whether there is such a code.
        if let Ok(code) = text.parse() {
            return Ok(code);
        }
        if let Some(code) = founding_code(&connection.genesis, set, text) {
            return Ok(code);
        }
        let codes = self.codes(connection)?.iter().find(|found| found.name == set);
        let found = codes.and_then(|codes| codes.codes.iter().find(|code| code.name == text));
        let found = found.with_context(|| format!("there is no {text} among the {set}; next: fengni codes {set}"))?;
        found.code.parse().with_context(|| format!("{} is no number", found.code))
    }

    /// What people call each member.
    pub(crate) fn called(&mut self, connection: &mut Connection) -> Result<MembersCalled> {
        Ok(MembersCalled(self.members(connection)?.iter().map(|member| member.name.clone()).collect()))
    }

    /// The book that a member opened and keeps, of a subject and a region; of a subject that is opened
    /// once, the one that it opened.
    pub(crate) fn book(
        &mut self,
        connection: &mut Connection,
        member: MemberNumber,
        subject: Subject,
        division: Division,
    ) -> Result<Option<BookNumber>> {
        let is_it = |book: &Book| {
            let is_of_region = (book.keeper, book.division) == (member, division);
            (book.opener(), book.subject) == (member, subject) && (is_of_region || subject.is_opened_once())
        };
        let found = self.books(connection)?.iter().position(is_it);
        found.map(|number| Ok(BookNumber(u32::try_from(number)?))).transpose()
    }
}

/// Names of members by number. Where nobody gives one, the number will do.
#[derive(Default)]
pub(crate) struct MembersCalled(Vec<String>);

impl MembersCalled {
    /// What people call a member.
    pub(crate) fn of(&self, number: MemberNumber) -> String {
        self.0.get(number.0 as usize).cloned().unwrap_or_else(|| format!("member {number}"))
    }
}

/// A code by its name in a set of the founding document, where no network needs to be asked.
pub(crate) fn founding_code(genesis: &Genesis, set: &str, text: &str) -> Option<u16> {
    let codes = genesis.codes.iter().find(|found| found.name == set)?;
    codes.codes.iter().find(|code| code.name == text)?.code.parse().ok()
}

/// An agreement by label or number.
pub(crate) fn agreement(connection: &mut Connection, text: &str) -> Result<AgreementNumber> {
    let agreements: Vec<fengni_core::record::Agreement> = connection.ledger.shelf()?;
    let found = agreements.iter().position(|agreement| agreement.terms.label == text);
    let found = found.or_else(|| text.parse().ok().filter(|number| *number < agreements.len()));
    let found = found.with_context(|| format!("there is no agreement {text}; next: fengni agreement list"))?;
    Ok(AgreementNumber(u32::try_from(found)?))
}

/// A division.
pub(crate) fn division(text: &str) -> Result<Division> {
    Division::parse(text).map_err(|error| anyhow::anyhow!("{text} is no division: {error}"))
}

/// A day.
pub(crate) fn day(text: &str) -> Result<Day> {
    Day::parse(text).with_context(|| format!("{text} is no day; next: write it as 2026-03-02"))
}

/// The end of a day in China: a suspension until a day holds through it.
pub(crate) fn end_of_day(day: Day) -> Millis {
    Millis::from_secs(u64::from(day.0).saturating_add(1).saturating_mul(86_400).saturating_sub(8 * 3_600))
}
