//! The department's own database: where answers come from, and the only place where data lies.
//!
//! ```text
//! resource, fields, subjects -> one statement with bound values -> none, one or many rows each
//! ```
//!
//! Reading is all that is done there. No error, log line or metric repeats a value of it: what a
//! database says about a failure may quote one, so that its code alone is passed on. Rule I-23.

mod table;
mod value;

use std::collections::BTreeMap;
use std::str::FromStr as _;
use std::time::Duration;

use fengni_core::ResourceNumber;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Row as _};
use thiserror::Error;

pub(crate) use table::{Column, Table, TableConfig};
pub(crate) use value::{Kind, ValueError};

use crate::config::{Address, DatabaseConfig};

/// Bytes of one value, at most.
const VALUE_BYTES: usize = 4 * 1024;

/// What was found about a subject.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Found {
    /// Nothing.
    None,
    /// One row: a value for each field that was asked for, in that order; `None` where there is none.
    One(Vec<Option<String>>),
    /// More than one row, so that nobody knows which is meant.
    Many,
    /// One row, with a value that is longer than may be answered.
    Unfit,
}

/// Why the database gave no answer. Repeats nothing of what it holds.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub(crate) enum DataTrouble {
    /// Nobody configured the resource.
    #[error("resource {0} is not in provider.toml; next: add a table for it")]
    NotConfigured(ResourceNumber),
    /// The configuration has no column for a field.
    #[error("resource {0} has no column for a field that was asked for; next: see provider.toml")]
    NoColumn(ResourceNumber),
    /// It took too long, or there was no connection to be had.
    #[error("the database did not answer in time")]
    Slow,
    /// It cannot be reached.
    #[error("the database cannot be reached")]
    Unreachable,
    /// It refused the statement, by its own code.
    #[error("the database refused the statement (its code: {0}); next: see table and columns in provider.toml")]
    Refused(String),
}

impl DataTrouble {
    fn of(error: &sqlx::Error) -> Self {
        match error {
            sqlx::Error::PoolTimedOut => Self::Slow,
            // 57014: cancelled by its statement_timeout.
            sqlx::Error::Database(refused) if refused.code().as_deref() == Some("57014") => Self::Slow,
            sqlx::Error::Database(refused) => Self::Refused(refused.code().unwrap_or_default().into_owned()),
            sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::PoolClosed => Self::Unreachable,
            _ => Self::Refused("none".to_owned()),
        }
    }
}

#[derive(Clone, Debug)]
enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// The database, and what each resource is in it.
#[derive(Clone, Debug)]
pub(crate) struct Data {
    pool: Pool,
    timeout: Duration,
    tables: BTreeMap<ResourceNumber, Table>,
}

impl Data {
    /// Prepares to ask; nothing is connected yet.
    ///
    /// # Errors
    /// [`DataTrouble::Unreachable`] for an address that is none.
    pub(crate) fn open(config: &DatabaseConfig, tables: BTreeMap<ResourceNumber, Table>) -> Result<Self, DataTrouble> {
        let timeout = config.timeout();
        let wrong = |_| DataTrouble::Unreachable;
        let pool = match config.address() {
            Address::Postgres(url) => {
                let millis = timeout.as_millis().to_string();
                // Dates in one form, nothing written, and no statement that outlives whoever asked.
                let always = [
                    ("datestyle", "ISO, YMD"),
                    ("default_transaction_read_only", "on"),
                    ("statement_timeout", millis.as_str()),
                ];
                let options = PgConnectOptions::from_str(&url).map_err(wrong)?.options(always);
                let options = options.application_name("fengni-provider").disable_statement_logging();
                let pool = PgPoolOptions::new().max_connections(config.connections()).acquire_timeout(timeout);
                Pool::Postgres(pool.connect_lazy_with(options))
            }
            Address::Sqlite(path) => {
                let options = SqliteConnectOptions::new()
                    .filename(path)
                    .read_only(true)
                    .busy_timeout(timeout)
                    .disable_statement_logging();
                let pool = SqlitePoolOptions::new().max_connections(config.connections()).acquire_timeout(timeout);
                Pool::Sqlite(pool.connect_lazy_with(options))
            }
        };
        Ok(Self { pool, timeout, tables })
    }

    /// The columns of a resource's fields, in the order asked for.
    ///
    /// # Errors
    /// [`DataTrouble::NotConfigured`] and [`DataTrouble::NoColumn`].
    pub(crate) fn columns(&self, resource: ResourceNumber, fields: &[u16]) -> Result<Vec<&Column>, DataTrouble> {
        let table = self.tables.get(&resource).ok_or(DataTrouble::NotConfigured(resource))?;
        let columns = fields.iter().map(|field| table.column(*field));
        columns.collect::<Option<_>>().ok_or(DataTrouble::NoColumn(resource))
    }

    /// Whether the database answers at all.
    ///
    /// # Errors
    /// [`DataTrouble`].
    pub(crate) async fn ping(&self) -> Result<(), DataTrouble> {
        self.in_time(async {
            match &self.pool {
                Pool::Sqlite(pool) => sqlx::query("SELECT 1").execute(pool).await.map(drop),
                Pool::Postgres(pool) => sqlx::query("SELECT 1").execute(pool).await.map(drop),
            }
        })
        .await
    }

    /// Asks for fields of subjects: an entry for each, in their order.
    ///
    /// # Errors
    /// [`DataTrouble`].
    pub(crate) async fn look_up(
        &self,
        resource: ResourceNumber,
        fields: &[u16],
        subjects: &[String],
    ) -> Result<Vec<Found>, DataTrouble> {
        let table = self.tables.get(&resource).ok_or(DataTrouble::NotConfigured(resource))?;
        let columns = self.columns(resource, fields)?;
        let mut found = match &self.pool {
            Pool::Sqlite(pool) => {
                let statement = table.for_one(&columns);
                self.in_time(async {
                    let mut connection = pool.acquire().await?;
                    let mut found = vec![Found::None; subjects.len()];
                    for (found, subject) in found.iter_mut().zip(subjects) {
                        let query = sqlx::query(AssertSqlSafe(statement.clone())).bind(subject);
                        for row in query.fetch_all(&mut *connection).await? {
                            found.add(values(&row, 0, columns.len())?);
                        }
                    }
                    Ok(found)
                })
                .await?
            }
            Pool::Postgres(pool) => {
                let query = sqlx::query(AssertSqlSafe(table.for_many(&columns))).bind(subjects);
                self.in_time(async {
                    let mut found = vec![Found::None; subjects.len()];
                    for row in query.fetch_all(pool).await? {
                        let place = usize::try_from(row.try_get::<i64, _>(0)?).unwrap_or_default();
                        let of = place.checked_sub(1).and_then(|place| found.get_mut(place));
                        of.ok_or(sqlx::Error::RowNotFound)?.add(values(&row, 1, columns.len())?);
                    }
                    Ok(found)
                })
                .await?
            }
        };
        let is_long = |value: &Option<String>| value.as_ref().is_some_and(|value| value.len() > VALUE_BYTES);
        for found in &mut found {
            if matches!(found, Found::One(row) if row.iter().any(is_long)) {
                *found = Found::Unfit;
            }
        }
        Ok(found)
    }

    /// Bounds the whole question, waiting for a connection included.
    async fn in_time<T>(&self, asked: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, DataTrouble> {
        let answer = tokio::time::timeout(self.timeout, asked).await.map_err(|_| DataTrouble::Slow)?;
        answer.map_err(|error| DataTrouble::of(&error))
    }
}

impl Found {
    fn add(&mut self, row: Vec<Option<String>>) {
        *self = if *self == Self::None { Self::One(row) } else { Self::Many };
    }
}

/// So many values of a row as text, from a place on.
fn values<R>(row: &R, from: usize, count: usize) -> Result<Vec<Option<String>>, sqlx::Error>
where
    R: sqlx::Row,
    usize: sqlx::ColumnIndex<R>,
    String: for<'r> sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
{
    (from..from + count).map(|place| row.try_get(place)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MONTHS: ResourceNumber = ResourceNumber(3);

    const ROWS: &str = "
        CREATE TABLE insured (\"id number\" text, months numeric, since date, employer text);
        INSERT INTO insured VALUES
            ('1', 36, '2023-01-05', 'a'), ('2', NULL, '2024-02-29', 'b'), ('3', 1, NULL, 'c'), ('3', 2, NULL, 'd');
        INSERT INTO insured SELECT '4', 1, NULL, replace(replace(replace('aaaaaaaaaaaaaaaa', 'a', 'bbbbbbbbbbbbbbbb'), 'b', 'cccccccccccccccc'), 'c', 'dd');
    ";

    fn table() -> BTreeMap<ResourceNumber, Table> {
        let config: TableConfig = toml::from_str(
            "table = 'insured'\nsubject = 'id number'\n\
             fields = [{ column = 'months', kind = 'number' }, { column = 'since', kind = 'date' }, { column = 'employer' }]",
        )
        .expect("well formed");
        BTreeMap::from([(MONTHS, Table::new(&config).expect("names"))])
    }

    async fn stories(data: &Data) {
        let ask = async |fields: &[u16], subjects: &[&str]| {
            let subjects: Vec<String> = subjects.iter().map(|subject| (*subject).to_owned()).collect();
            data.look_up(MONTHS, fields, &subjects).await
        };
        let value = |text: &str| Some(text.to_owned());
        data.ping().await.expect("it answers");
        let found = ask(&[1, 0], &["2", "1", "none", "3", "1"]).await.expect("it answers");
        let one = Found::One(vec![value("2023-01-05"), value("36")]);
        let expected = [Found::One(vec![value("2024-02-29"), None]), one.clone(), Found::None, Found::Many, one];
        assert!(found == expected, "each subject has its own answer, and no other's");
        assert!(ask(&[2], &["4"]).await.expect("it answers") == [Found::Unfit], "nobody has so long an employer");
        // What somebody else chose is a value, and never a part of the statement.
        let sly = ask(&[2], &["1' OR '1'='1", "\"id number\""]).await.expect("it answers");
        assert!(sly == [Found::None, Found::None]);
        assert!(ask(&[3], &["1"]).await == Err(DataTrouble::NoColumn(MONTHS)));
        let other = ResourceNumber(4);
        assert!(data.look_up(other, &[0], &[]).await == Err(DataTrouble::NotConfigured(other)));
    }

    fn config(address: &str) -> DatabaseConfig {
        toml::from_str(&format!("{address}\ntimeout_millis = 1000\nconnections = 2")).expect("well formed")
    }

    #[tokio::test]
    async fn a_row_is_found_in_sqlite() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let path = folder.path().join("hrs.db");
        let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
        let mut connection = options.connect().await.expect("a new file");
        sqlx::raw_sql(ROWS).execute(&mut connection).await.expect("a healthy disk");
        let url = format!("sqlite = '{}'", path.display());
        let data = Data::open(&config(&url), table()).expect("an address");
        stories(&data).await;
        // SQLite takes a quoted name that is no column for a string, where nothing says whose column it is.
        let missing: TableConfig =
            toml::from_str("table = 'insured'\nsubject = 'id number'\nfields = [{ column = 'gone' }]").expect("formed");
        let tables = BTreeMap::from([(MONTHS, Table::new(&missing).expect("names"))]);
        let data = Data::open(&config(&url), tables).expect("an address");
        assert!(matches!(data.look_up(MONTHS, &[0], &["1".to_owned()]).await, Err(DataTrouble::Refused(_))));
    }

    #[tokio::test]
    async fn a_row_is_found_in_postgresql() {
        let server = fengni_test_postgres::Server::start();
        server.run(ROWS);
        let data = Data::open(&config(&format!("postgres = '{}'", server.url())), table()).expect("an address");
        stories(&data).await;
        let Pool::Postgres(pool) = &data.pool else { panic!("another database") };
        assert!(sqlx::query("DELETE FROM insured").execute(pool).await.is_err(), "nothing is written");
        // A lock that somebody holds is waited for, and not for ever.
        let mut held = PgConnectOptions::from_str(&server.url()).expect("an address").connect().await.expect("it runs");
        sqlx::raw_sql("BEGIN; LOCK TABLE insured").execute(&mut held).await.expect("nobody else has it");
        assert!(data.look_up(MONTHS, &[0], &["1".to_owned()]).await == Err(DataTrouble::Slow));
        drop(server);
        let gone = data.look_up(MONTHS, &[0], &["1".to_owned()]).await;
        assert!(matches!(gone, Err(DataTrouble::Unreachable | DataTrouble::Slow | DataTrouble::Refused(_))));
    }
}
