//! Reading a time of the ledger: every block bound by its final header, none left out. Rule E-1.

use fengni_core::Height;
use fengni_core::event::Event;

use crate::events::directory;
use crate::ledger::{Ledger, LedgerError};
use crate::patience::Patience;

/// How often a node that is behind or busy is waited for, in all.
const PAUSES: usize = 50;

/// Reads the blocks from one height to another, both included, in order; none where the last is below the
/// first.
///
/// - `newest`: a final height that some node has shown: the register's books are asked for as of it.
/// - `take`: is given each height with everything that its block did, whatever was refused included.
///
/// # Errors
/// [`LedgerError`], where no node gives a block that holds; what was taken until then is no whole.
pub fn read(
    ledger: &mut Ledger,
    (from, to): (Height, Height),
    newest: Height,
    take: &mut dyn FnMut(Height, &[Event]),
) -> Result<(), LedgerError> {
    let mut patience = Patience(PAUSES);
    let books = patience.ask(|| ledger.shelf_at(newest))?;
    let mut directory = directory(&books);
    let mut height = from.max(Height(1));
    while height <= to {
        let events = patience.ask(|| ledger.events(height, &mut directory))?.value;
        take(height, &events);
        height = height.next();
    }
    Ok(())
}
