//! Successors of lines that are suspended with a key: nobody suspends them, so people look. Rule O-15.

use anyhow::Result;
use fengni_core::book::{Book, SuspensionCause};
use fengni_core::proof::Place;
use fengni_core::standing::ActKind;
use fengni_core::{BookNumber, Height, KeyNumber, LineNumber, LinePlace, MemberNumber, PageNumber};
use serde::Serialize;

use crate::connect::Connection;

/// Entries asked for at once: a page's heads are some ten kilobytes.
const AT_ONCE: usize = 64;

/// A suspended line and the line that took its place.
#[derive(Serialize)]
pub(crate) struct Succeeded {
    /// The suspended line.
    pub(crate) line: LinePlace,
    /// What was done with it.
    pub(crate) act: ActKind,
    /// At which height.
    pub(crate) height: Height,
    /// The line that goes on from there.
    pub(crate) successor: LinePlace,
}

/// Finds what took the place of lines that are suspended with a key of a member, from the latest
/// act on each: nothing follows on a line that has a successor.
pub(crate) fn find(
    connection: &mut Connection,
    books: &[Book],
    member: MemberNumber,
    key: KeyNumber,
) -> Result<Vec<Succeeded>> {
    let cause = SuspensionCause::Key { key };
    let mut found = Vec::new();
    for (number, book) in (0..).map(BookNumber).zip(books).filter(|(_, book)| book.was_kept_by(member)) {
        let is_suspended = |line: LineNumber| {
            book.sealer(line) == member && book.suspended.iter().any(|run| run.cause == cause && run.covers(line))
        };
        let runs = book.suspended.iter().filter(|run| run.cause == cause);
        let mut pages: Vec<PageNumber> =
            runs.flat_map(|run| run.first.page().0..=run.last.page().0).map(PageNumber).collect();
        pages.dedup();
        for pages in pages.chunks(AT_ONCE) {
            let places: Vec<Place> = pages.iter().map(|page| Place::Heads(number, *page)).collect();
            let proven = connection.ledger.prove(&places)?.value;
            let mut latest = Vec::new();
            for page in pages {
                let heads = proven.heads(number, *page)?.heads;
                let lines = heads.into_iter().map(|(place, act)| (page.line(place), act));
                latest.extend(lines.filter(|(line, _)| is_suspended(*line)));
            }
            for acts in latest.chunks(AT_ONCE) {
                let places: Vec<Place> = acts.iter().map(|(_, act)| Place::Act(number, *act)).collect();
                let proven = connection.ledger.prove(&places)?.value;
                for (line, act) in acts {
                    let act = proven.act(number, *act)?;
                    let line = LinePlace { book: number, line: *line };
                    found.extend(act.successor.map(|successor| Succeeded {
                        line,
                        act: act.kind,
                        height: act.height,
                        successor,
                    }));
                }
            }
        }
    }
    Ok(found)
}
