//! Tables: what a resource is in the department's database, and how it is asked for.
//!
//! Names come from the configuration and are quoted; values are bound and never part of a statement.

use serde::Deserialize;
use thiserror::Error;

use super::Kind;

/// Characters of a name, at most: PostgreSQL cuts longer ones off.
const NAME_CHARACTERS: usize = 63;

/// A resource in `provider.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TableConfig {
    /// Table or view, as `NAME` or `SCHEMA.NAME`.
    table: String,
    /// The column of the subject's number, as text.
    subject: String,
    /// A column for each field, in the order of the resource's items.
    fields: Vec<FieldConfig>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldConfig {
    column: String,
    #[serde(default)]
    kind: Kind,
}

/// Why a name is none.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("{0:?} is no name of a table or column: 1 to {NAME_CHARACTERS} letters, digits, blanks, _ or $")]
pub(crate) struct TableError(String);

/// A column, and what its values are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Column {
    name: Name,
    pub(crate) kind: Kind,
}

/// A quoted name.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Name(String);

impl Name {
    fn new(name: &str) -> Result<Self, TableError> {
        let may_stand = |letter: char| letter.is_alphanumeric() || ['_', '$', ' '].contains(&letter);
        if (1..=NAME_CHARACTERS).contains(&name.chars().count()) && name.chars().all(may_stand) {
            Ok(Self(format!("\"{name}\"")))
        } else {
            Err(TableError(name.to_owned()))
        }
    }
}

/// A resource's table.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    table: String,
    subject: Name,
    columns: Vec<Column>,
}

impl Table {
    /// The table that is configured.
    ///
    /// # Errors
    /// [`TableError`].
    pub(crate) fn new(config: &TableConfig) -> Result<Self, TableError> {
        let parts = match config.table.split_once('.') {
            Some((schema, table)) => vec![Name::new(schema)?.0, Name::new(table)?.0],
            None => vec![Name::new(&config.table)?.0],
        };
        let column = |field: &FieldConfig| Ok(Column { name: Name::new(&field.column)?, kind: field.kind });
        let columns = config.fields.iter().map(column).collect::<Result<_, TableError>>()?;
        Ok(Self { table: parts.join("."), subject: Name::new(&config.subject)?, columns })
    }

    /// The column of a field.
    pub(super) fn column(&self, field: u16) -> Option<&Column> {
        self.columns.get(usize::from(field))
    }

    /// Columns as text, for SQLite: two rows at most, because two are as many as many.
    pub(super) fn for_one(&self, columns: &[&Column]) -> String {
        let Self { table, subject, .. } = self;
        let columns: Vec<String> = columns.iter().map(|column| format!("CAST(r.{} AS TEXT)", column.name.0)).collect();
        format!("SELECT {} FROM {table} AS r WHERE r.{} = ?1 LIMIT 2", columns.join(", "), subject.0)
    }

    /// The place of each subject in the list and its columns as text, for PostgreSQL.
    pub(super) fn for_many(&self, columns: &[&Column]) -> String {
        let Self { table, subject, .. } = self;
        let columns: Vec<String> = columns.iter().map(|column| format!(", r.{}::text", column.name.0)).collect();
        format!(
            "SELECT q.place{} FROM unnest($1::text[]) WITH ORDINALITY AS q(subject, place) \
             CROSS JOIN LATERAL (SELECT t.* FROM {table} AS t WHERE t.{} = q.subject LIMIT 2) AS r",
            columns.concat(),
            subject.0
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(table: &str, column: &str) -> Result<Table, TableError> {
        let field = FieldConfig { column: column.to_owned(), kind: Kind::Text };
        Table::new(&TableConfig { table: table.to_owned(), subject: "id".to_owned(), fields: vec![field] })
    }

    #[test]
    fn names_are_quoted_and_nothing_else_is_a_name() {
        let statement = |table: &Table| table.for_one(&[table.column(0).expect("one field")]);
        let plain = table("hrs.参保", "months").expect("names");
        assert_eq!(
            statement(&plain),
            "SELECT CAST(r.\"months\" AS TEXT) FROM \"hrs\".\"参保\" AS r WHERE r.\"id\" = ?1 LIMIT 2"
        );
        for (of, column) in [("", "a"), ("a.b.c", "a"), ("a\"b", "a"), ("a", "x; DROP TABLE a"), ("a", "\0")] {
            assert!(table(of, column).is_err(), "{of} {column}");
        }
        assert!(table(&"a".repeat(64), "a").is_err());
    }
}
