//! The registries as quorums prove them, in one value: what measures are tried on.

use std::collections::BTreeMap;

use anyhow::Result;
use fengni_core::Height;
use fengni_core::book::Book;
use fengni_core::record::{
    Agreement, Application, Authority, CertificateType, CodeSet, Measure, Member, Parameters, Proposal, Record,
};
use fengni_core::shelf::Shelf;
use fengni_state::Registries;

use crate::connect::Connection;

/// Every registry, books only where a measure asks for them, and the newest height when the first was fetched.
pub(crate) struct Register {
    /// The registries.
    pub(crate) registries: Registries,
    /// Every book, or none.
    pub(crate) books: Vec<Book>,
    /// The newest final height.
    pub(crate) height: Height,
}

impl Register {
    /// Fetches every registry by state proofs. A block that comes meanwhile may be in some and not
    /// in others: what the ledger does is judged by the ledger.
    pub(crate) fn fetch(connection: &mut Connection) -> Result<Self> {
        let height = connection.ledger.sync()?.value.height;
        // Measures know nothing of orders and offences, which take no vote: those stay away.
        let shelves = BTreeMap::from([
            shelf::<Parameters>(connection)?,
            shelf::<Member>(connection)?,
            shelf::<CertificateType>(connection)?,
            shelf::<Authority>(connection)?,
            shelf::<Agreement>(connection)?,
            shelf::<CodeSet>(connection)?,
            shelf::<Application>(connection)?,
            shelf::<Proposal>(connection)?,
        ]);
        let suite = connection.ledger.domain().suite;
        let registries = Registries::load(suite, |shelf| shelves.get(&shelf).cloned().unwrap_or_default())?;
        Ok(Self { registries, books: Vec::new(), height })
    }

    /// Fetches the books as well, where a measure is about one: there may be many.
    pub(crate) fn fetch_books(&mut self, connection: &mut Connection, measure: &Measure) -> Result<()> {
        if matches!(measure, Measure::ChangeKeeper { .. }) {
            self.books = connection.ledger.shelf()?;
        }
        Ok(())
    }
}

fn shelf<R: Record>(connection: &mut Connection) -> Result<(Shelf, Vec<Vec<u8>>)> {
    let records: Vec<R> = connection.ledger.shelf()?;
    Ok((R::SHELF, records.iter().map(Record::encode).collect()))
}
