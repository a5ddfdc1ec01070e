//! The file of an audit: the counts, and what proves them.
//!
//! It proves how many seals, lines and acts the ledger counts of a time: the book's record and the
//! entries at the edges of the time are in it, under one quorum. That each of them was there when
//! the audit was made, is the word of whoever made it; so are the counts by kind.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use fengni_client::audit::Audit;
use fengni_client::clock;
use fengni_core::audit::{Counts, CountsError, Heights};
use fengni_core::light::{FinalHeader, Handover, LightClient, LightError};
use fengni_core::{BookNumber, NetworkId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::connect::Connection;
use crate::ending::Ending;
use crate::evidence::Proof;
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
        let now = clock::now();
        if let Err(error) = self.handovers.iter().try_for_each(|handover| light.follow(handover, now)) {
            return Ok(not_proven(&error.to_string(), error.is_fault_of_answer(), output));
        }
        let mut defects = Vec::new();
        let mut proven = Vec::new();
        for part in &self.books {
            let proof = part.proof.state_proof();
            let counts = light.prove(&proof, now).and_then(|proven| {
                Counts::read(&proven, part.book, self.heights).map_err(|error| match error {
                    CountsError::Proof(error) => LightError::Proof(error),
                    CountsError::Edge(place) => LightError::Proof(fengni_core::proof::ProofError::Missing(place)),
                })
            });
            let counts = match counts {
                Ok(counts) => counts,
                Err(error) => {
                    let reason = format!("book {}: {error}", part.book);
                    return Ok(not_proven(&reason, error.is_fault_of_answer(), output));
                }
            };
            defects.extend(part.differences(&counts).into_iter().map(|says| format!("book {}: {says}", part.book)));
            let said: Vec<Value> = part.audited.get("defects").and_then(Value::as_array).cloned().unwrap_or_default();
            defects.extend(said.iter().map(|said| format!("book {}: the audit found {said}", part.book)));
            proven.push((part.book, counts, proof.header));
        }
        let ending = Ending::from(defects.is_empty());
        let result = if ending == Ending::Holds { "complete" } else { "incomplete" };
        let books: Vec<Value> = proven
            .iter()
            .map(|(book, counts, header)| {
                json!({ "book": book, "counts": counts, "as_of_height": header.height, "as_of_time": header.time })
            })
            .collect();
        let facts = json!({ "result": result, "complete": defects.is_empty(), "defects": defects, "heights": self.heights, "books": books });
        output.answer(&facts, || text(&proven, &defects));
        Ok(ending)
    }
}

fn not_proven(reason: &str, altered: bool, output: Output) -> Ending {
    let (ending, result) = if altered { (Ending::Refused, "refused") } else { (Ending::Undecided, "undecided") };
    output.answer(&json!({ "result": result, "complete": false, "defects": [reason] }), || {
        format!("{result}: the file proves nothing: {reason}\nnext: have the audit made anew")
    });
    ending
}

fn text(proven: &[(BookNumber, Counts, fengni_core::Header)], defects: &[String]) -> String {
    let mut said: Vec<String> = proven
        .iter()
        .map(|(book, counts, header)| {
            let count = |range: &std::ops::Range<u64>| range.end - range.start;
            format!(
                "book {book}: {} issues in {} seals + {} acts are on the ledger of that time, by header {} of {}",
                count(&counts.lines),
                count(&counts.seals),
                count(&counts.acts),
                header.height,
                header.time.show()
            )
        })
        .collect();
    if defects.is_empty() {
        said.push(
            "that each of them was seen, and the counts by kind, is the word of whoever made the file".to_owned(),
        );
    } else {
        said.push(format!("incomplete: {}", defects.join("; ")));
    }
    said.join("\n")
}
