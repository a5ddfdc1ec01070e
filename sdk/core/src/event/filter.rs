//! Filters: which events somebody wants. Rule J-10.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Event, EventKind, Topic};
use crate::id::Division;
use crate::limits::FILTER_ENTRIES;
use crate::number::{BookNumber, LineNumber, LinePlace, MemberNumber, TypeNumber};

/// Which events somebody wants: those that match every field which names anything.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Filter {
    /// What they are about.
    pub kinds: Vec<EventKind>,
    /// Which readers they are for.
    pub topics: Vec<Topic>,
    /// Types of certificates.
    pub types: Vec<TypeNumber>,
    /// Regions, each with those inside it.
    pub divisions: Vec<Division>,
    /// Books; not events of a wider scope, which name none.
    pub books: Vec<BookNumber>,
    /// Single lines, also where an event is about a run of them or the whole book.
    pub lines: Vec<LinePlace>,
    /// Members that acted.
    pub members: Vec<MemberNumber>,
    /// Those that were refused as well.
    pub refused: bool,
}

/// What cannot be read as part of a filter.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum FilterError {
    /// J-10: no field of that name.
    #[error("there is no field {0}; next: name kinds, topics, types, divisions, books, lines, members or refused")]
    Field(String),
    /// J-10: not a value of the field.
    #[error("{value} is none of {field}")]
    Value {
        /// The field.
        field: &'static str,
        /// What was given.
        value: String,
    },
    /// J-10: too many values.
    #[error("{0} names more than {FILTER_ENTRIES}")]
    TooMany(&'static str),
}

impl Filter {
    /// Whether an event is wanted.
    pub fn matches(&self, event: &Event) -> bool {
        (event.done || self.refused)
            && any(&self.kinds, |kind| *kind == event.kind)
            && any(&self.topics, |topic| *topic == event.topic)
            && any(&self.types, |kind| event.certificate_type == Some(*kind))
            && any(&self.divisions, |region| event.division.is_some_and(|division| region.covers(&division)))
            && any(&self.books, |book| event.book == Some(*book))
            && any(&self.members, |member| event.member == *member)
            && any(&self.lines, |place| covers(event, *place))
    }

    /// A filter of these fields, as [`Filter::set`] reads each.
    ///
    /// # Errors
    /// [`FilterError`].
    pub fn of<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, FilterError> {
        let mut filter = Self::default();
        fields.into_iter().try_for_each(|(field, text)| filter.set(field, text))?;
        Ok(filter)
    }

    /// Reads one field from its text: values separated by commas.
    ///
    /// # Errors
    /// [`FilterError`].
    pub fn set(&mut self, field: &str, text: &str) -> Result<(), FilterError> {
        match field {
            "kinds" => {
                self.kinds =
                    list("kinds", text, |word| EventKind::ALL.iter().find(|kind| kind.word() == word).copied())?
            }
            "topics" => {
                self.topics = list("topics", text, |word| Topic::ALL.into_iter().find(|topic| topic.word() == word))?
            }
            "types" => self.types = list("types", text, |word| word.parse().ok().map(TypeNumber))?,
            "divisions" => self.divisions = list("divisions", text, |word| Division::parse(word).ok())?,
            "books" => self.books = list("books", text, |word| word.parse().ok().map(BookNumber))?,
            "lines" => self.lines = list("lines", text, place)?,
            "members" => self.members = list("members", text, |word| word.parse().ok().map(MemberNumber))?,
            "refused" => {
                let value = || FilterError::Value { field: "refused", value: text.to_owned() };
                self.refused = text.parse().map_err(|_| value())?;
            }
            other => return Err(FilterError::Field(other.to_owned())),
        }
        Ok(())
    }

    /// The fields that name anything, as [`Filter::set`] reads them.
    pub fn fields(&self) -> Vec<(&'static str, String)> {
        fn join<T>(values: &[T], word: impl Fn(&T) -> String) -> String {
            values.iter().map(word).collect::<Vec<_>>().join(",")
        }
        let fields = [
            ("kinds", join(&self.kinds, |kind| kind.word().to_owned())),
            ("topics", join(&self.topics, ToString::to_string)),
            ("types", join(&self.types, ToString::to_string)),
            ("divisions", join(&self.divisions, ToString::to_string)),
            ("books", join(&self.books, ToString::to_string)),
            ("lines", join(&self.lines, |place| format!("{}/{}", place.book, place.line))),
            ("members", join(&self.members, ToString::to_string)),
            ("refused", if self.refused { "true".to_owned() } else { String::new() }),
        ];
        fields.into_iter().filter(|(_, text)| !text.is_empty()).collect()
    }
}

fn any<T>(wanted: &[T], is_it: impl Fn(&T) -> bool) -> bool {
    wanted.is_empty() || wanted.iter().any(is_it)
}

/// Whether an event is about a line, alone or among others of its book.
fn covers(event: &Event, place: LinePlace) -> bool {
    if event.book != Some(place.book) {
        return false;
    }
    match (event.line, event.last) {
        // How many lines were concerned does not say how far the run went.
        (Some(first), Some(last)) => (first..=last).contains(&place.line),
        (Some(first), None) => first <= place.line && place.line.0 - first.0 < event.lines.unwrap_or(1),
        (None, _) => event.kind == EventKind::Order,
    }
}

fn list<T>(field: &'static str, text: &str, read: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, FilterError> {
    let mut values = Vec::new();
    for word in text.split(',') {
        if values.len() == FILTER_ENTRIES {
            return Err(FilterError::TooMany(field));
        }
        values.push(read(word).ok_or_else(|| FilterError::Value { field, value: word.to_owned() })?);
    }
    Ok(values)
}

/// `book/line`.
fn place(word: &str) -> Option<LinePlace> {
    let (book, line) = word.split_once('/')?;
    Some(LinePlace { book: BookNumber(book.parse().ok()?), line: LineNumber(line.parse().ok()?) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn j10_a_filter_is_read_from_what_it_writes() {
        let fields = [
            ("kinds", "seal,suspend"),
            ("topics", "certificates,cases"),
            ("types", "0,3"),
            ("divisions", "31,3301"),
            ("books", "7"),
            ("lines", "0/417,2/1"),
            ("members", "1"),
            ("refused", "true"),
        ];
        let mut filter = Filter::default();
        fields.iter().for_each(|(name, text)| filter.set(name, text).expect("a right field"));
        assert_eq!(filter.fields(), fields.map(|(name, text)| (name, text.to_owned())));
        for (name, text) in
            [("kinds", "seals"), ("types", ""), ("lines", "417"), ("topics", "case"), ("refused", "1"), ("cases", "1")]
        {
            assert!(Filter::default().set(name, text).is_err(), "{name}={text}");
        }
        assert_eq!(Filter::default().set("books", &vec!["1"; 257].join(",")), Err(FilterError::TooMany("books")));
        assert_eq!(Filter::default().fields(), []);
    }
}
