//! Where the line itself was not proven: whether the path that a code brings leads to its page.

use crate::book::Line;
use crate::certificate::PagePath;
use crate::number::LinePlace;
use crate::proof::Proven;

use super::{Context, Finding};

/// What there is to do where a code's path is older than what is known of the page.
const PATH_TOO_OLD: &str =
    "the code's path does not lead to the page as it is now; next: let the holder's wallet refresh the certificate";

/// Rule V-3 without the line: its path may lead to the page's root, or to a part of the page that
/// was complete when the path was made. One that does not shows nothing: the page may have grown.
pub(super) fn check_path(
    path: &PagePath,
    place: LinePlace,
    shown: &Line,
    proven: &Proven,
    context: &Context,
) -> Result<(), Finding> {
    let page = proven.page(place.book, place.line.page())?;
    let leads = if path.lines == page.lines {
        path.root(&context.domain, place.line, shown).is_ok_and(|root| root == page.root)
    } else {
        let peaks = proven.peaks(place.book, place.line.page());
        let found = path.peak(&context.domain, place.line, shown, page.lines);
        found.is_some_and(|(peak, digest)| peaks.get(peak) == Some(&digest))
    };
    if leads { Ok(()) } else { Err(Finding::missing(PATH_TOO_OLD)) }
}
