//! The file of an audit: the counts, and what proves them.
//!
//! It proves how many seals, lines and acts the ledger counts of a time: the book's record and the
//! entries at the edges of the time are in it, under one quorum. That each of them was there when
//! the audit was made, is the word of whoever made it; so are the counts by kind, and which books the
//! file names.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use fengni_client::audit::Audit;
use fengni_client::clock;
use fengni_core::audit::{Counts, CountsError, Heights};
use fengni_core::light::{FinalHeader, Handover, LightClient, LightError};
use fengni_core::{BookNumber, Header, NetworkId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::connect::Connection;
use crate::ending::Ending;
use crate::history::file::{Proof, other_network};
use crate::output::Output;

/// What the file says it is.
pub(crate) const KIND: &str = "fengni-book-audit";
/// Version of its form.
const FORMAT: u16 = 1;

/// A file of an audit.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Saved {
    kind: String,
    format: u16,
    network: NetworkId,
    /// The time.
    heights: Heights,
    books: Vec<Part>,
    /// Handovers from the founding to the heights of the proofs, in order.
    handovers: Vec<Handover>,
}

/// What was found in one book.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Part {
    book: BookNumber,
    /// In words.
    audited: Value,
    proof: Proof,
}

impl Part {
    /// The part of a book, if its counts were proven.
    pub(crate) fn of(audit: &Audit) -> Option<Self> {
        let audited = serde_json::to_value(&audit.audited).ok()?;
        Some(Self { book: audit.audited.book, audited, proof: Proof::of(audit.proof.as_ref()?) })
    }

    /// How the words differ from what is proven.
    fn differences(&self, counts: &Counts) -> Vec<String> {
        let Counts { seals, lines, acts } = counts;
        let numbers = |range: &std::ops::Range<u64>| match range.is_empty() {
            true => Value::Null,
            false => json!([range.start, range.end - 1]),
        };
        let events = (lines.end - lines.start) + (acts.end - acts.start);
        let before = lines.start + acts.start;
        let counter = if events == 0 { Value::Null } else { json!([before + 1, before + events]) };
        let proven = [
            ("seals", json!(seals.end - seals.start)),
            ("seal_numbers", numbers(seals)),
            ("lines", json!(lines.end - lines.start)),
            ("line_numbers", numbers(lines)),
            ("acts", json!(acts.end - acts.start)),
            ("act_numbers", numbers(acts)),
            ("counter", counter),
            ("book", json!(self.book)),
        ];
        let said = |name: &str| self.audited.get(name).cloned().unwrap_or_default();
        let differs = proven.into_iter().filter(|(name, value)| said(name) != *value);
        differs.map(|(name, value)| format!("{name} was altered: {value} is proven, not {}", said(name))).collect()
    }
}

impl Saved {
    /// The file of these books.
    pub(crate) fn new(books: Vec<Part>, heights: Heights, connection: &mut Connection) -> Result<Self> {
        let proofs = books.iter().map(|part| part.proof.state_proof());
        let last = proofs.max_by_key(|proof| proof.header.height).context("there is no book")?;
        let found = FinalHeader { header: last.header, certificate: last.certificate };
        let handovers = connection.ledger.handovers(&connection.genesis.checkpoint(), &found)?;
        let network = connection.genesis.network();
        Ok(Self { kind: KIND.to_owned(), format: FORMAT, network, heights, books, handovers })
    }

    /// Reads a file's text.
    pub(crate) fn parse(text: &str, path: &Path) -> Result<Self> {
        let file: Self = serde_json::from_str(text)
            .with_context(|| format!("{} is no file of an audit, or a damaged one", path.display()))?;
        if file.format != FORMAT {
            bail!("{} is of format {}, this program reads {KIND} of format {FORMAT}", path.display(), file.format);
        }
        Ok(file)
    }

    /// Writes the file.
    pub(crate) fn save(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self)? + "\n";
        std::fs::write(path, text).with_context(|| path.display().to_string())
    }

    /// `fengni check`: what the file proves without any network.
    pub(crate) fn check(&self, light: &mut LightClient, output: Output) -> Result<Ending> {
        let Judged { proven, defects } = match self.judge(light) {
            Ok(judged) => judged,
            Err(nothing) => return Ok(not_proven(&nothing, output)),
        };
        let ending = Ending::from(defects.is_empty());
        let result = if ending == Ending::Holds { "complete" } else { "incomplete" };
        let books: Vec<Value> = proven
            .iter()
            .map(|(book, counts, header)| {
                json!({ "book": book, "counts": counts, "as_of_height": header.height, "as_of_time": header.time })
            })
            .collect();
        let facts = json!({ "result": result, "complete": defects.is_empty(), "defects": defects, "heights": self.heights, "books": books });
        output.answer(&facts, || self.text(&proven, &defects));
        Ok(ending)
    }

    /// What it proves, and what is wrong with its words.
    fn judge(&self, light: &mut LightClient) -> Result<Judged, Nothing> {
        self.names_books()?;
        let now = clock::now();
        self.handovers.iter().try_for_each(|handover| light.follow(handover, now))?;
        let mut defects: Vec<String> = other_network(self.network, light.domain().network).into_iter().collect();
        let mut proven = Vec::new();
        for part in &self.books {
            let proof = part.proof.state_proof();
            let counts = light.prove(&proof, now).and_then(|proven| {
                Counts::read(&proven, part.book, self.heights).map_err(|error| match error {
                    CountsError::Proof(error) => LightError::Proof(error),
                    CountsError::Edge(place) => LightError::Proof(fengni_core::proof::ProofError::Missing(place)),
                })
            });
            let counts = counts.map_err(|error| Nothing {
                reason: format!("book {}: {error}", part.book),
                altered: error.is_fault_of_answer(),
            })?;
            // Of heights above its header a proof says nothing; a time without an end goes to the header.
            if !self.is_open() && self.heights.to > proof.header.height {
                let (to, height) = (self.heights.to, proof.header.height);
                defects.push(format!(
                    "book {}: height {to} was not final yet, the proof is of height {height}",
                    part.book
                ));
            }
            defects.extend(part.differences(&counts).into_iter().map(|says| format!("book {}: {says}", part.book)));
            let said: Vec<Value> = part.audited.get("defects").and_then(Value::as_array).cloned().unwrap_or_default();
            defects.extend(said.iter().map(|said| format!("book {}: the audit found {said}", part.book)));
            proven.push((part.book, counts, proof.header));
        }
        Ok(Judged { proven, defects })
    }

    /// Whether there is anything to judge: books, each once, and a time.
    fn names_books(&self) -> Result<(), Nothing> {
        let altered = |reason: String| Nothing { reason, altered: true };
        if self.heights.from > self.heights.to {
            return Err(altered(format!("height {} is after height {}", self.heights.from, self.heights.to)));
        }
        if self.books.is_empty() {
            return Err(altered("it names no book".to_owned()));
        }
        let mut seen = BTreeSet::new();
        match self.books.iter().find(|part| !seen.insert(part.book)) {
            Some(part) => Err(altered(format!("it names book {} twice", part.book))),
            None => Ok(()),
        }
    }

    /// Whether the time has no end.
    fn is_open(&self) -> bool {
        self.heights.to == Heights::ALL.to
    }

    fn text(&self, proven: &[Proven], defects: &[String]) -> String {
        let mut said: Vec<String> = proven
            .iter()
            .map(|(book, counts, header)| {
                let count = |range: &std::ops::Range<u64>| range.end - range.start;
                let to = if self.is_open() { header.height } else { self.heights.to };
                format!(
                    "book {book}: {} issues in {} seals + {} acts are on the ledger of heights {} to {to}, by header {} of {}",
                    count(&counts.lines),
                    count(&counts.seals),
                    count(&counts.acts),
                    self.heights.from,
                    header.height,
                    header.time.show()
                )
            })
            .collect();
        if defects.is_empty() {
            said.push(
                "that each of them was seen, the counts by kind, and that no book is left out of the list, is the word \
                 of whoever made the file"
                    .to_owned(),
            );
        } else {
            said.push(format!("incomplete: {}", defects.join("; ")));
        }
        said.join("\n")
    }
}

/// A book, its counts, and the header that proves them.
type Proven = (BookNumber, Counts, Header);

/// What a file proves.
struct Judged {
    proven: Vec<Proven>,
    defects: Vec<String>,
}

/// Why a file proves nothing.
#[derive(Debug)]
struct Nothing {
    reason: String,
    /// Whether the file is at fault, and not what is known here.
    altered: bool,
}

impl From<LightError> for Nothing {
    fn from(error: LightError) -> Self {
        Self { reason: error.to_string(), altered: error.is_fault_of_answer() }
    }
}

fn not_proven(nothing: &Nothing, output: Output) -> Ending {
    let Nothing { reason, altered } = nothing;
    let (ending, result) = if *altered { (Ending::Refused, "refused") } else { (Ending::Undecided, "undecided") };
    output.answer(&json!({ "result": result, "complete": false, "defects": [reason] }), || {
        format!("{result}: the file proves nothing: {reason}\nnext: have the audit made anew")
    });
    ending
}

#[cfg(test)]
mod tests {
    use fengni_core::Height;
    use fengni_core::book::Book;
    use fengni_core::proof::Place;
    use fengni_core::shelf::Shelf;
    use fengni_state::prove;

    use super::super::compare::tests::{chain, genesis};
    use super::*;

    /// The file of book 0, by the header of height 5.
    fn file() -> Saved {
        let (finals, records) = chain(5, None);
        let last = finals.last().expect("five blocks");
        let book = BookNumber(0);
        let (header, certificate) = (last.header.header.clone(), last.header.certificate.clone());
        let record: &Book = &last.state.books().next().expect("a book").1.record().clone();
        let mut places = vec![Place::Record(Shelf::Books, 0)];
        places.extend(Counts::places(book, record, &(0..1), &(0..0)));
        let proof = prove(&last.state, &records, header, certificate, places).expect("it is there");
        let audited = json!({
            "book": 0, "seals": 1, "seal_numbers": [0, 0], "lines": 3, "line_numbers": [0, 2],
            "acts": 0, "act_numbers": null, "counter": [1, 3],
        });
        let books = vec![Part { book, audited, proof: Proof::of(&proof) }];
        let heights = Heights { from: Height(1), to: Height(5) };
        let network = genesis().network();
        Saved { kind: KIND.to_owned(), format: FORMAT, network, heights, books, handovers: Vec::new() }
    }

    fn judge(file: &Saved) -> Result<Judged, Nothing> {
        file.judge(&mut LightClient::of_the_past(genesis().checkpoint()))
    }

    #[test]
    fn u6_a_file_holds_for_the_heights_of_its_proof_and_names_them() {
        let mut file = file();
        let judged = judge(&file).expect("it is proven");
        assert_eq!(judged.defects, Vec::<String>::new());
        let text = file.text(&judged.proven, &judged.defects);
        assert!(text.contains("heights 1 to 5") && text.contains("no book is left out"), "{text}");
        // Without an end, it goes to the header.
        file.heights.to = Heights::ALL.to;
        let judged = judge(&file).expect("it is proven");
        assert_eq!(judged.defects, Vec::<String>::new());
        assert!(file.text(&judged.proven, &[]).contains("heights 1 to 5,"));
        file.heights.to = Height(6);
        let judged = judge(&file).expect("its proof holds");
        assert!(judged.defects[0].contains("height 6 was not final yet"), "{:?}", judged.defects);
    }

    #[test]
    fn u6_a_file_of_no_book_or_of_one_twice_or_of_another_network_does_not_hold() {
        let refused = |file: &Saved| judge(file).map(|_| ()).expect_err("it proves nothing");
        let mut empty = file();
        empty.books.clear();
        let nothing = refused(&empty);
        assert!(nothing.altered && nothing.reason.contains("no book"), "{nothing:?}");
        let mut twice = file();
        twice.books.extend(file().books);
        assert!(refused(&twice).reason.contains("book 0 twice"));
        let mut backwards = file();
        backwards.heights = Heights { from: Height(4), to: Height(1) };
        assert!(refused(&backwards).altered);
        let mut other = file();
        other.network.0.0[0] ^= 1;
        let judged = judge(&other).expect("its proof holds");
        assert!(judged.defects[0].contains("network was altered"), "{:?}", judged.defects);
    }
}
