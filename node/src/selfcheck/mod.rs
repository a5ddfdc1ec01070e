//! The node examines its own store: whatever is damaged is found and named, and nothing is served from it.
//!
//! ```text
//! founding -> validators -> certificates -> headers -> blocks, outcomes -> index of transactions
//!                                           header  -> state root -> records -> pages, heads, seals, acts
//!                                                                               pages -> lines -> tags
//! ```
//!
//! Every arrow is a digest or a signature that is computed again, so that what is wrong is found at the
//! entry where it is wrong and nothing behind it is blamed. Where a digest over many entries says only
//! that one of them is wrong, the blocks are run again and say which. What can be computed from the rest
//! (the indexes of transactions and tags) can be put right; anything else is fetched anew.
//!
//! What is looked at: [`Depth`]. The manual's page is `node/docs/operating.md`.

mod background;
mod careful;
mod chain;
mod lines;
mod register;
mod replayed;
mod shelves;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use fengni_core::codec;
use fengni_core::limits::BLOCK_BYTES;
use fengni_core::outcome::Outcome;
use fengni_core::{Domain, Height};
use fengni_state::{Founding, State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::store::{Column, FETCH_ANEW, Mend, Store, StoreError, Unreadable, key_of_height};

pub use background::{CheckError, Checking, Checks};
pub(crate) use careful::Careful;
pub(crate) use lines::are_of_page;
pub(crate) use shelves::{ShelfError, Shelves};

/// Damage that is named one by one; the rest is counted.
const NAMED: usize = 64;
/// Blocks that are run again at most to name what is damaged, at a start and beside a node's work: more
/// would take longer than people wait, and the register that they make more memory than there is to spare.
const RUN_AT_START: u64 = 4096;

/// How much is looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Depth {
    /// What every start looks at: the newest blocks, and every list behind the state root.
    Start,
    /// Every entry of every column, beside a node's work: as [`Depth::Whole`], but a long chain is not run
    /// again to tell one entry of a list from another.
    Beside,
    /// Every entry of every column.
    Whole,
}

impl Depth {
    /// Whether every entry is looked at.
    fn is_whole(self) -> bool {
        self != Self::Start
    }

    /// How many blocks are run again at most.
    fn runs(self) -> u64 {
        match self {
            Self::Start | Self::Beside => RUN_AT_START,
            Self::Whole => u64::MAX,
        }
    }
}

/// One damaged entry.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Damage {
    /// The column it stands in, such as `pages`.
    pub column: String,
    /// Which entry: a height, a place in the register, or what else names it.
    pub entry: String,
    /// What is wrong with it.
    pub says: String,
}

impl std::fmt::Display for Damage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, {}: {}", self.column, self.entry, self.says)
    }
}

/// What a look at a store found.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct Report {
    /// The store's last height.
    #[schema(value_type = u64)]
    pub height: Height,
    /// Entries that were looked at.
    pub entries: u64,
    /// What is damaged, at most 64 entries.
    pub damage: Vec<Damage>,
    /// Damaged entries besides.
    pub unnamed: u64,
    /// Whether all of it can be put right from what is sound.
    pub mendable: bool,
}

impl Report {
    /// Whether nothing is damaged.
    pub fn is_sound(&self) -> bool {
        self.damage.is_empty()
    }

    /// What is damaged first, and what a person does about it.
    pub fn says(&self) -> Option<String> {
        self.damage.first().map(|first| format!("{first}; next: stop the node, then {}", self.next()))
    }

    /// What a person does about it.
    pub fn next(&self) -> &'static str {
        match self.mendable {
            true => "fengni-node check --store --repair on the stopped node, which makes these indexes again",
            false => FETCH_ANEW,
        }
    }
}

/// Looks at a store that nobody writes to meanwhile.
///
/// - `tell`: told now and then how many entries were looked at.
pub fn check(store: &Store, domain: Domain, founding: &Founding, depth: Depth, tell: &mut dyn FnMut(u64)) -> Report {
    look(Look::new(store, domain, founding, depth, tell)).0
}

/// As [`check`] of everything, and puts right what can be computed where nothing else is damaged.
/// Returns what was damaged; [`Report::mendable`] says whether it is right now.
///
/// # Errors
/// [`StoreError`] where the disk takes no writes: what is left is found again.
pub fn repair(
    store: &Store,
    domain: Domain,
    founding: &Founding,
    tell: &mut dyn FnMut(u64),
) -> Result<Report, StoreError> {
    let (report, mends) = look(Look::new(store, domain, founding, Depth::Whole, tell));
    if report.mendable {
        store.mend(&mends)?;
    }
    Ok(report)
}

/// Looks at every entry of a stopped node's store, and marks the store for the next start: as damaged,
/// or no more so.
///
/// - `mend`: as [`repair`].
///
/// # Errors
/// [`StoreError`] where the disk takes no writes.
pub fn check_stopped(
    store: &Store,
    domain: Domain,
    founding: &Founding,
    mend: bool,
    tell: &mut dyn FnMut(u64),
) -> Result<Report, StoreError> {
    let report = match mend {
        true => repair(store, domain, founding, tell)?,
        false => check(store, domain, founding, Depth::Whole, tell),
    };
    let marked = match report.says().filter(|_| !(mend && report.mendable)) {
        Some(says) => store.mark_damaged(&says),
        None => store.unmark(),
    };
    marked.map_err(StoreError::Mark)?;
    Ok(report)
}

/// Looks at the newest blocks and whether the store ends where it says: what may be asked of one before
/// anything is read of it or written.
pub(crate) fn check_blocks(store: &Store, domain: Domain, founding: &Founding) -> Report {
    let mut tell = |_| ();
    let mut look = Look::new(store, domain, founding, Depth::Start, &mut tell);
    chain::check(&mut look);
    look.report
}

/// Outcomes of the block of a height.
///
/// # Errors
/// [`Damage`].
pub(crate) fn outcomes(store: &Store, height: Height) -> Result<Vec<Outcome>, Damage> {
    let column = Column::Outcomes;
    let damage = |says: String| Damage { column: column.name().to_owned(), entry: format!("height {height}"), says };
    let read = store.look_up(column, &key_of_height(height)).map_err(|error| damage(error.to_string()))?;
    let bytes = read.ok_or_else(|| damage("they are missing".to_owned()))?;
    codec::decode(&bytes, BLOCK_BYTES).map_err(|error| damage(error.to_string()))
}

fn look(mut look: Look<'_>) -> (Report, Vec<Mend>) {
    if let Some(blocks) = chain::check(&mut look) {
        look.report.height = blocks.last;
        if let Some(header) = &blocks.header {
            let doubts = register::check(&mut look, header);
            replayed::name(&mut look, &blocks, doubts);
        }
    }
    let Look { mut report, mends, lost, .. } = look;
    report.mendable = !report.is_sound() && !lost;
    let mends = mends.into_iter().map(|((column, key), value)| Mend { column, key, value }).collect();
    (report, mends)
}

/// A look that is under way.
struct Look<'a> {
    store: &'a Store,
    domain: Domain,
    founded: State,
    depth: Depth,
    /// How many blocks are run again at most.
    runs: u64,
    report: Report,
    /// What each entry of an index is to be.
    mends: BTreeMap<(Column, Vec<u8>), Option<Vec<u8>>>,
    /// Whether something is damaged that cannot be made again.
    lost: bool,
    tell: &'a mut dyn FnMut(u64),
}

impl<'a> Look<'a> {
    fn new(store: &'a Store, domain: Domain, founding: &Founding, depth: Depth, tell: &'a mut dyn FnMut(u64)) -> Self {
        let founded = State::found(domain, founding.clone());
        let (runs, report, mends) = (depth.runs(), Report::default(), BTreeMap::new());
        Self { store, domain, founded, depth, runs, report, mends, lost: false, tell }
    }

    /// Notes an entry as damaged, once.
    fn damaged(&mut self, column: Column, entry: impl Into<String>, says: impl Into<String>) {
        self.lost |= !matches!(column, Column::Transactions | Column::Tags);
        let (column, entry, says) = (column.name().to_owned(), entry.into(), says.into());
        if self.report.damage.iter().any(|known| known.column == column && known.entry == entry) {
            return;
        }
        if self.report.damage.len() == NAMED {
            self.report.unnamed += 1;
            return;
        }
        self.report.damage.push(Damage { column, entry, says });
    }

    fn unreadable(&mut self, column: Column, error: &Unreadable) {
        self.damaged(column, "some entries", error.to_string());
    }

    fn count(&mut self) {
        self.report.entries += 1;
        (self.tell)(self.report.entries);
    }

    /// An entry; `None` also where it cannot be read, which is noted.
    fn read(&mut self, column: Column, key: &[u8]) -> Option<Vec<u8>> {
        self.count();
        match self.store.look_up(column, key) {
            Ok(value) => value,
            Err(error) => {
                self.unreadable(column, &error);
                None
            }
        }
    }

    /// Goes through the entries of a column whose keys begin so, in order.
    fn each(&mut self, column: Column, prefix: &[u8], mut visit: impl FnMut(&mut Self, &[u8], &[u8])) {
        for entry in self.store.look_through(column, prefix) {
            self.count();
            match entry {
                Ok((key, _)) if !key.starts_with(prefix) => return,
                Ok((key, value)) => visit(self, &key, &value),
                Err(error) => return self.unreadable(column, &error),
            }
        }
    }
}
