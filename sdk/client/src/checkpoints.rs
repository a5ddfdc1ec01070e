//! Checkpoints: files of them, and what members vouch for compared with what quorums signed.
//!
//! A word makes nothing final; it is what somebody who was away for long has against validators of
//! then who would sign another past. Each gateway's word is checked against its member's proven
//! record, and compared with the final header of its height; then every gateway shows its header of
//! the lowest height that all vouched for. Rule F-8: `sdk/spec/finality.md`.

use std::path::Path;

use fengni_core::light::{Checkpoint, FinalHeader, SignedCheckpoint};
use fengni_core::proof::Place;
use fengni_core::record::Member;
use fengni_core::shelf::Shelf;
use fengni_core::{Height, Millis};
use serde::{Deserialize, Serialize};

use crate::disk::{self, FileError};
use crate::gateway::{Gateway, NodeTrouble, Trouble};
use crate::handovers::{Reader, believe};
use crate::node::Node;

/// Bytes of a file, at most: 256 validators and a signature, as text.
const FILE_BYTES: u64 = 256 * 1024;

/// A checkpoint that somebody supplied.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Supplied {
    /// Vouched for by whoever gave the file.
    Plain(Checkpoint),
    /// With the word of a member, as a gateway gives it.
    Signed(SignedCheckpoint),
}

impl Supplied {
    /// Reads a file, such as `fengni network --checkpoint` or a gateway's `/v1/checkpoint` gives it.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn load(path: &Path) -> Result<Self, FileError> {
        let bytes = disk::read(path, FILE_BYTES)?;
        match serde_json::from_slice(&bytes) {
            Ok(signed) => Ok(Self::Signed(signed)),
            Err(_) => serde_json::from_slice(&bytes)
                .map(Self::Plain)
                .map_err(|error| FileError::content(path, format!("not a checkpoint: {error}"))),
        }
    }

    /// The checkpoint.
    pub fn checkpoint(&self) -> &Checkpoint {
        match self {
            Self::Plain(checkpoint) => checkpoint,
            Self::Signed(signed) => &signed.checkpoint,
        }
    }
}

/// A gateway's word that agrees with what quorums signed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Word {
    /// The gateway.
    pub node: String,
    /// Its member's word.
    pub signed: SignedCheckpoint,
}

/// What excludes a member's word.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Against {
    /// Another's word for another block of the same height.
    Word(SignedCheckpoint),
    /// A header that a quorum made final.
    Header(FinalHeader),
}

/// A member's word, and what excludes it: one of the two was signed by somebody who lied.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Disagreement {
    /// The word.
    pub word: SignedCheckpoint,
    /// What excludes it.
    pub against: Against,
}

impl Disagreement {
    /// The height that both are about.
    pub fn height(&self) -> Height {
        self.word.checkpoint.height
    }
}

/// Asks every gateway for its member's word, and compares them. Those that give none are left out.
///
/// Also read `evidence` of the light client afterwards: quorums may contradict one another.
///
/// # Errors
/// The first [`Disagreement`].
pub(crate) fn compare(
    reader: &mut impl Reader,
    gateway: &Gateway,
    now: Millis,
    troubles: &mut Vec<NodeTrouble>,
) -> Result<Vec<Word>, Box<Disagreement>> {
    let mut words: Vec<(&Node, SignedCheckpoint)> = Vec::new();
    let mut note = |node: &Node, trouble| troubles.push(NodeTrouble { node: node.name().to_owned(), trouble });
    for node in gateway.nodes() {
        match word(reader, node, gateway, now) {
            Ok(signed) => {
                if let Some((_, other)) = words.iter().find(|(_, other)| exclude(&signed.checkpoint, &other.checkpoint))
                {
                    return Err(Box::new(Disagreement { word: signed, against: Against::Word(other.clone()) }));
                }
                words.push((node, signed));
            }
            // Nobody has to vouch for anything.
            Err(Trouble::Refused(problem)) if problem.is_not_found() => (),
            Err(trouble) => note(node, trouble),
        }
    }
    let mut agreed = Vec::new();
    let lowest = words.iter().map(|(_, signed)| signed.checkpoint.height).min();
    for (node, signed) in words {
        let height = signed.checkpoint.height;
        match shown(reader, node, gateway, height, now) {
            Ok(header) if !is_of(&signed.checkpoint, &header, reader) => {
                return Err(Box::new(Disagreement { word: signed, against: Against::Header(header) }));
            }
            Ok(_) => (),
            Err(trouble) => {
                note(node, trouble);
                continue;
            }
        }
        if let Some(lowest) = lowest.filter(|lowest| *lowest < height)
            && let Err(trouble) = shown(reader, node, gateway, lowest, now)
        {
            note(node, trouble);
            continue;
        }
        agreed.push(Word { node: node.name().to_owned(), signed });
    }
    Ok(agreed)
}

/// A node's word, if the member it names has signed it.
fn word(reader: &mut impl Reader, node: &Node, gateway: &Gateway, now: Millis) -> Result<SignedCheckpoint, Trouble> {
    let lied = |error: &dyn ToString| Trouble::Lied(error.to_string());
    let signed = node.checkpoint()?;
    let domain = *reader.light().domain();
    let member = signed.member.0;
    let proof = node.proof(&[Place::Record(Shelf::Members, member)], None)?;
    believe(reader, node, gateway, now, |reader| reader.accept(&proof.header, &proof.certificate, now))?;
    let proven = proof.verify_under_final_header(&domain).map_err(|error| lied(&error))?;
    let record: Member = proven.record(member).map_err(|error| lied(&error))?;
    signed.verify(&domain, &record, proof.header.height).map_err(|error| lied(&error))?;
    Ok(signed)
}

/// A node's header of a height, if a quorum signed it.
fn shown(
    reader: &mut impl Reader,
    node: &Node,
    gateway: &Gateway,
    height: Height,
    now: Millis,
) -> Result<FinalHeader, Trouble> {
    let (header, certificate) = node.header(height)?;
    if header.height != height {
        return Err(Trouble::Lied("the header is of another height".into()));
    }
    believe(reader, node, gateway, now, |reader| reader.accept(&header, &certificate, now))?;
    Ok(FinalHeader { header, certificate })
}

/// Whether two checkpoints of one height cannot both be true.
fn exclude(one: &Checkpoint, other: &Checkpoint) -> bool {
    one.height == other.height && one != other
}

/// Whether a checkpoint says of its height what the final header says.
fn is_of(checkpoint: &Checkpoint, found: &FinalHeader, reader: &impl Reader) -> bool {
    let domain = reader.light().domain();
    let header = &found.header;
    checkpoint.block == Some(header.id(domain))
        && checkpoint.time == header.time
        && checkpoint.validators.digest(domain) == header.next_validators
}
