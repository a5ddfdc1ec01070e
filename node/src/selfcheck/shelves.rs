//! The shelves of a register, as records come in by rising keys: from a store, or from a peer.

use fengni_core::book::Book;
use fengni_core::codec::DecodeError;
use fengni_core::list::{ListKind, NumberedList};
use fengni_core::record::{
    Agreement, Application, Authority, CertificateType, CodeSet, Member, Objection, Offence, Order, Parameters,
    Proposal, Record, Request, Resource, ServiceItem,
};
use fengni_core::shelf::{Shelf, state_root};
use fengni_core::{Digest, Domain, Suite};
use thiserror::Error;

use crate::store::key_of_record;

/// Why a record does not stand where it is said to stand.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub(crate) enum ShelfError {
    /// Another key was due.
    #[error("it does not follow the record before it")]
    Key,
    /// Not a record of its shelf.
    #[error("it is no record: {0}")]
    Record(DecodeError),
}

/// The lists of registry records.
pub(crate) struct Shelves {
    lists: Vec<NumberedList>,
    /// The books, by number.
    pub(crate) books: Vec<Book>,
    /// The window in which a transaction may come again.
    pub(crate) window: u64,
}

impl Shelves {
    /// Empty ones.
    pub(crate) fn new(suite: Suite) -> Self {
        let lists = Shelf::ALL.map(|_| NumberedList::new(suite, ListKind::Shelf)).to_vec();
        Self { lists, books: Vec::new(), window: 0 }
    }

    /// Takes the next record.
    ///
    /// # Errors
    /// [`ShelfError`]; then it is not taken.
    pub(crate) fn take(&mut self, key: &[u8], bytes: &[u8]) -> Result<(), ShelfError> {
        let place = key.first().map_or(usize::MAX, |shelf| usize::from(*shelf));
        let list = self.lists.get_mut(place).ok_or(ShelfError::Key)?;
        let number = u32::try_from(list.len()).map_err(|_| ShelfError::Key)?;
        if key != key_of_record(key[0], number) {
            return Err(ShelfError::Key);
        }
        match Shelf::ALL[place] {
            Shelf::Books => self.books.push(decode(bytes)?),
            Shelf::Parameters => self.window = decode::<Parameters>(bytes)?.window,
            Shelf::Members => holds::<Member>(bytes)?,
            Shelf::Types => holds::<CertificateType>(bytes)?,
            Shelf::Authorities => holds::<Authority>(bytes)?,
            Shelf::Agreements => holds::<Agreement>(bytes)?,
            Shelf::Codes => holds::<CodeSet>(bytes)?,
            Shelf::Applications => holds::<Application>(bytes)?,
            Shelf::Proposals => holds::<Proposal>(bytes)?,
            Shelf::Orders => holds::<Order>(bytes)?,
            Shelf::Offences => holds::<Offence>(bytes)?,
            Shelf::Resources => holds::<Resource>(bytes)?,
            Shelf::Items => holds::<ServiceItem>(bytes)?,
            Shelf::Requests => holds::<Request>(bytes)?,
            Shelf::Objections => holds::<Objection>(bytes)?,
        }
        self.lists[place].append(bytes);
        Ok(())
    }

    /// How many records of a shelf came.
    pub(crate) fn count(&self, shelf: Shelf) -> u64 {
        self.lists[shelf as usize].len()
    }

    /// The state root that these records give.
    pub(crate) fn root(&self, domain: &Domain) -> Digest {
        let digests: Vec<Digest> = self.lists.iter().map(|list| list.digest(domain)).collect();
        state_root(domain, &digests)
    }
}

fn decode<R: Record>(bytes: &[u8]) -> Result<R, ShelfError> {
    <R as Record>::decode(bytes).map_err(ShelfError::Record)
}

fn holds<R: Record>(bytes: &[u8]) -> Result<(), ShelfError> {
    decode::<R>(bytes).map(|_| ())
}
