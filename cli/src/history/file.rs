//! The file of a history: what happened, in words, and the proof of every word.
//!
//! It is JSON that an auditor can read with any tool. `events` says what the proof shows; `proof`
//! is the ledger's own entries with their paths, the header and the quorum. Whoever checks the
//! file recomputes the events from the proof and compares, so that a word removed, moved, altered
//! or cut off is named.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use fengni_core::block::Header;
use fengni_core::finality::CommitCertificate;
use fengni_core::history::{Chapter, History};
use fengni_core::light::{FinalHeader, Handover};
use fengni_core::proof::{BookList, Entry, ShelfHead, StateProof};
use fengni_core::{BookNumber, Digest, Height, LinePlace, Millis, NetworkId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What the file says it is.
const KIND: &str = "fengni-history";
/// Version of its form.
const FORMAT: u16 = 1;
/// Bytes of a file, at most: a proof of 4 MiB in hexadecimal digits, with room.
const FILE_BYTES: u64 = 32 * 1024 * 1024;

/// A file of a history.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HistoryFile {
    kind: String,
    format: u16,
    /// The network.
    pub(crate) network: NetworkId,
    /// The line whose history it is.
    pub(crate) place: LinePlace,
    /// One entry a seal or act, as [`events`] gives them.
    pub(crate) events: Vec<Value>,
    /// Headers of the blocks in which something happened.
    pub(crate) headers: Vec<FinalHeader>,
    /// Handovers from the founding to the height of the proof, in order.
    pub(crate) handovers: Vec<Handover>,
    proof: Proof,
    /// What shows that no other line came before the first, where its seal alone does not: some books
    /// each.
    origin: Vec<Proof>,
}

/// A state proof in JSON, whose maps have words for keys.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Proof {
    header: Header,
    certificate: CommitCertificate,
    shelves: Vec<ShelfHead>,
    roots: Vec<Root>,
    entries: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Root {
    book: BookNumber,
    list: BookList,
    root: Digest,
}

impl HistoryFile {
    /// The file of a history that was proven.
    pub(crate) fn new(
        place: LinePlace,
        proof: &StateProof,
        events: Vec<Value>,
        headers: Vec<FinalHeader>,
        handovers: Vec<Handover>,
        origin: &[StateProof],
    ) -> Self {
        Self {
            kind: KIND.to_owned(),
            format: FORMAT,
            network: proof.header.network,
            place,
            events,
            headers,
            handovers,
            proof: Proof::of(proof),
            origin: origin.iter().map(Proof::of).collect(),
        }
    }

    /// Reads a file's text.
    pub(crate) fn parse(text: &str, path: &Path) -> Result<Self> {
        let file: Self = serde_json::from_str(text)
            .with_context(|| format!("{} is no file of a history, or a damaged one", path.display()))?;
        if file.kind != KIND || file.format != FORMAT {
            bail!(
                "{} is {} of format {}, this program reads {KIND} of format {FORMAT}",
                path.display(),
                file.kind,
                file.format
            );
        }
        Ok(file)
    }

    /// Writes the file.
    pub(crate) fn save(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self)? + "\n";
        std::fs::write(path, text).with_context(|| path.display().to_string())
    }

    /// The proof as the ledger gave it.
    pub(crate) fn state_proof(&self) -> StateProof {
        self.proof.state_proof()
    }

    /// What proves where the first line comes from.
    pub(crate) fn origin(&self) -> impl Iterator<Item = StateProof> + '_ {
        self.origin.iter().map(Proof::state_proof)
    }
}

/// How the network that a file names differs from the one that it proves something of.
pub(crate) fn other_network(said: NetworkId, proven: NetworkId) -> Option<String> {
    (said != proven).then(|| format!("network was altered: {proven} is proven, not {said}"))
}

/// Reads the text of a file with a proof.
pub(crate) fn read(path: &Path) -> Result<String> {
    let size = std::fs::metadata(path).with_context(|| path.display().to_string())?.len();
    if size > FILE_BYTES {
        bail!("{} is too large for a file of a history or a verdict", path.display());
    }
    std::fs::read_to_string(path).with_context(|| path.display().to_string())
}

/// What a file says it is, if it is one of ours.
pub(crate) fn kind(text: &str) -> Option<String> {
    let value: Value = serde_json::from_str(text).ok()?;
    Some(value.get("kind")?.as_str()?.to_owned())
}

impl Proof {
    /// The JSON form of a proof.
    pub(crate) fn of(proof: &StateProof) -> Self {
        let roots = proof.roots.iter().map(|((book, list), root)| Root { book: *book, list: *list, root: *root });
        Self {
            header: proof.header.clone(),
            certificate: proof.certificate.clone(),
            shelves: proof.shelves.clone(),
            roots: roots.collect(),
            entries: proof.entries.clone(),
        }
    }

    /// The proof as the ledger gave it.
    pub(crate) fn state_proof(&self) -> StateProof {
        StateProof {
            header: self.header.clone(),
            certificate: self.certificate.clone(),
            shelves: self.shelves.clone(),
            roots: self.roots.iter().map(|root| ((root.book, root.list), root.root)).collect(),
            entries: self.entries.clone(),
        }
    }
}

/// The events of a history in order, numbered from 1: each seal and each act, with its time where
/// a header tells.
pub(crate) fn events(history: &History, times: &BTreeMap<Height, Millis>) -> Result<Vec<Value>> {
    let mut events = Vec::new();
    for (place, chapter) in history.chapters.iter().enumerate() {
        // A line that goes on from another was not issued anew.
        if let Some(seal) = sealed(chapter, if place == 0 { "issue" } else { "succeed" })? {
            events.push((chapter.sealed.as_ref().map(|sealed| sealed.height), seal));
        }
        for event in &chapter.events {
            let mut value = serde_json::to_value(event)?;
            if let Some(fields) = value.as_object_mut() {
                fields.insert("place".to_owned(), serde_json::to_value(chapter.place)?);
            }
            events.push((Some(event.height), value));
        }
    }
    let numbered = (1u64..).zip(events).map(|(seq, (height, mut value))| {
        if let Some(fields) = value.as_object_mut() {
            fields.insert("seq".to_owned(), seq.into());
            let time = height.and_then(|height| times.get(&height));
            fields.extend(time.map(|time| ("time".to_owned(), time.0.into())));
        }
        value
    });
    Ok(numbered.collect())
}

fn sealed(chapter: &Chapter, kind: &str) -> Result<Option<Value>> {
    let Some(sealed) = &chapter.sealed else { return Ok(None) };
    let mut value = serde_json::to_value(sealed)?;
    if let Some(fields) = value.as_object_mut() {
        fields.insert("kind".to_owned(), kind.into());
        fields.insert("place".to_owned(), serde_json::to_value(chapter.place)?);
        fields.insert("by".to_owned(), serde_json::to_value(&chapter.keeper)?);
    }
    Ok(Some(value))
}

/// How the words of a file differ from what the proof shows, each with its place.
pub(crate) fn differences(said: &[Value], proven: &[Value]) -> Vec<String> {
    let seq = |value: &Value| value.get("seq").and_then(Value::as_u64);
    let mut found = Vec::new();
    for event in proven {
        let number = seq(event).unwrap_or_default();
        match said.iter().find(|other| seq(other) == seq(event)) {
            None => found.push(format!("gap at seq {number}: the event is proven and not in the file")),
            Some(other) if other != event => {
                let fields = event.as_object().into_iter().flatten();
                let changed: Vec<&str> = fields
                    .filter(|(name, value)| other.get(name.as_str()) != Some(value))
                    .map(|(name, _)| name.as_str())
                    .collect();
                let what =
                    if changed.is_empty() { "more fields than were proven".to_owned() } else { changed.join(", ") };
                found.push(format!("seq {number} was altered: {what}"));
            }
            Some(_) => (),
        }
    }
    for event in said {
        if !proven.iter().any(|other| seq(other) == seq(event)) {
            found.push(format!("seq {} is in the file and not proven", seq(event).unwrap_or_default()));
        }
    }
    let order: Vec<Option<u64>> = said.iter().map(seq).collect();
    if found.is_empty() && !order.is_sorted() {
        found.push("the events are not in their order".to_owned());
    }
    if found.is_empty() && said.len() != proven.len() {
        found.push("an event stands in the file twice".to_owned());
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_file_that_names_another_network_than_it_proves_is_named() {
        let (proven, said) = (NetworkId(Digest([1; 32])), NetworkId(Digest([2; 32])));
        assert_eq!(other_network(proven, proven), None);
        assert!(other_network(said, proven).is_some_and(|says| says.starts_with("network was altered")));
    }

    #[test]
    fn what_was_done_to_the_words_is_named() {
        let proven = vec![
            json!({"seq": 1, "kind": "issue"}),
            json!({"seq": 2, "kind": "suspend"}),
            json!({"seq": 3, "kind": "return"}),
        ];
        let said = |places: &[usize]| places.iter().map(|place| proven[*place].clone()).collect::<Vec<_>>();
        let cases: [(Vec<Value>, Option<&str>); 6] = [
            (said(&[0, 1, 2]), None),
            (said(&[0, 2]), Some("gap at seq 2")),
            (said(&[0, 2, 1]), Some("not in their order")),
            (said(&[0, 1]), Some("gap at seq 3")),
            (said(&[0, 1, 1, 2]), Some("twice")),
            (
                vec![proven[0].clone(), json!({"seq": 2, "kind": "dispute"}), proven[2].clone()],
                Some("seq 2 was altered: kind"),
            ),
        ];
        for (said, defect) in cases {
            let found = differences(&said, &proven);
            match defect {
                None => assert_eq!(found, Vec::<String>::new()),
                Some(defect) => assert!(found.first().is_some_and(|first| first.contains(defect)), "{found:?}"),
            }
        }
    }
}
