//! Checkpoints: files of them, and what members vouch for compared with what quorums signed.
//!
//! A word makes nothing final; it is what somebody who was away for long has against validators of
//! then who would sign another past. Each gateway's word is checked against its member's proven
//! record, and compared with the final header of its height; then every gateway shows its header of
//! the lowest height among the words that held. Rule F-8: `sdk/spec/finality.md`.

use std::collections::BTreeSet;
use std::path::Path;

use fengni_core::light::{Checkpoint, CheckpointError, FinalHeader, SignedCheckpoint};
use fengni_core::proof::Place;
use fengni_core::record::Member;
use fengni_core::shelf::Shelf;
use fengni_core::trust::TrustStore;
use fengni_core::{Height, MemberNumber, Millis};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::disk::{self, FileError};
use crate::gateway::{Gateway, NodeTrouble, Trouble};
use crate::handovers::{Others, Reader, believe};
use crate::node::Node;

/// Bytes of a file, at most: 256 validators and a signature, as text.
const FILE_BYTES: u64 = 256 * 1024;
/// How far a node's word may be behind the state it proves its member's record by. Rule F-8.
const HEIGHTS_BEHIND: u64 = 100;

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

    /// Rule F-8: whose word it is, as far as the records tell that a device holds.
    ///
    /// # Errors
    /// [`CheckpointError`] where a key that the device knows did not sign it, or is not for this.
    pub fn voucher(&self, store: &TrustStore) -> Result<Voucher, CheckpointError> {
        let Self::Signed(signed) = self else { return Ok(Voucher::Nobody) };
        let member = signed.member;
        let unchecked = |doubt| Ok(Voucher::Unchecked { member, doubt });
        let Some(pack) = store.pack() else { return unchecked(Doubt::NoPack) };
        let Some(record) = pack.record::<Member>(member.0) else { return unchecked(Doubt::Member) };
        if record.key(signed.key).is_none() {
            return unchecked(Doubt::Key);
        }
        match signed.verify(store.domain(), &record, pack.header().height) {
            Ok(()) => Ok(Voucher::Member(member)),
            Err(CheckpointError::NotActive) => unchecked(Doubt::NotActive),
            Err(error) => Err(error),
        }
    }
}

/// Whose word comes with a checkpoint.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Voucher {
    /// Nobody's: whoever gave the file vouches for it.
    Nobody,
    /// This member's, by a key that the device knows.
    Member(MemberNumber),
    /// It says this member's, and the device cannot check it: no more than nobody's.
    Unchecked {
        /// The member.
        member: MemberNumber,
        /// Why it cannot.
        doubt: Doubt,
    },
}

/// Why a device cannot check a word. What it holds may be older than the word.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum Doubt {
    /// There is no pack yet.
    #[error("no trust pack is at hand")]
    NoPack,
    /// A member that joined since, or none.
    #[error("the trust pack at hand has no such member")]
    Member,
    /// A key that came since, or none.
    #[error("the trust pack at hand has no such key of the member")]
    Key,
    /// A member that was taken back since, or not.
    #[error("by the trust pack at hand the member may not act")]
    NotActive,
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

/// How many members vouch: several gateways may pass on the word of one.
pub fn members(words: &[Word]) -> usize {
    words.iter().map(|word| word.signed.member).collect::<BTreeSet<_>>().len()
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
    let others = &mut Others::of(gateway);
    let mut note = |node: &Node, trouble| troubles.push(NodeTrouble { node: node.name().to_owned(), trouble });
    let mut words: Vec<(&Node, Given)> = Vec::new();
    for node in gateway.nodes() {
        match word(reader, node, others, now) {
            Ok(given) => {
                let excludes = |(_, other): &&(&Node, Given)| {
                    let (one, other) = (&given.signed.checkpoint, &other.signed.checkpoint);
                    one.height == other.height && one != other
                };
                if let Some((_, other)) = words.iter().find(excludes) {
                    let against = Against::Word(other.signed.clone());
                    return Err(Box::new(Disagreement { word: given.signed, against }));
                }
                words.push((node, given));
            }
            // Nobody has to vouch for anything.
            Err(Trouble::Refused(problem)) if problem.is_not_found() => (),
            Err(trouble) => note(node, trouble),
        }
    }
    let mut checked = Vec::new();
    for (node, given) in words {
        match shown(reader, node, others, given.height(), now) {
            Ok(header) if !is_of(&given.signed.checkpoint, &header, reader) => {
                return Err(Box::new(Disagreement { word: given.signed, against: Against::Header(header) }));
            }
            Ok(_) => match given.behind() {
                None => checked.push((node, given.signed)),
                Some(trouble) => note(node, trouble),
            },
            Err(trouble) => note(node, trouble),
        }
    }
    // Of words that hold alone: one that nobody can check would have everybody fail here.
    let lowest = checked.iter().map(|(_, signed)| signed.checkpoint.height).min();
    let mut agreed = Vec::new();
    for (node, signed) in checked {
        let below = lowest.filter(|lowest| *lowest < signed.checkpoint.height);
        match below.map(|lowest| shown(reader, node, others, lowest, now)) {
            Some(Err(trouble)) => note(node, trouble),
            _ => agreed.push(Word { node: node.name().to_owned(), signed }),
        }
    }
    Ok(agreed)
}

/// A member's word, and how far the node that gave it is.
struct Given {
    signed: SignedCheckpoint,
    /// Height of the state by which the node proved the member's record.
    newest: Height,
}

impl Given {
    fn height(&self) -> Height {
        self.signed.checkpoint.height
    }

    /// That the word is not one that the node's member gives today.
    fn behind(&self) -> Option<Trouble> {
        let Self { signed, newest } = self;
        let behind = newest.0.saturating_sub(self.height().0);
        (behind > HEIGHTS_BEHIND).then(|| {
            let member = signed.member;
            Trouble::Behind(format!("the word of member {member} is {behind} heights older than the node's own state"))
        })
    }
}

/// A node's word, if the member it names has signed it.
fn word(reader: &mut impl Reader, node: &Node, others: &mut Others<'_>, now: Millis) -> Result<Given, Trouble> {
    let lied = |error: &dyn ToString| Trouble::Lied(error.to_string());
    let signed = node.checkpoint()?;
    let domain = *reader.light().domain();
    let member = signed.member.0;
    let proof = node.proof(&[Place::Record(Shelf::Members, member)], None)?;
    believe(reader, node, others, now, |reader| reader.accept(&proof.header, &proof.certificate, now))?;
    let proven = proof.verify_under_final_header(&domain).map_err(|error| lied(&error))?;
    let record: Member = proven.record(member).map_err(|error| lied(&error))?;
    let newest = proof.header.height;
    signed.verify(&domain, &record, newest).map_err(|error| lied(&error))?;
    Ok(Given { signed, newest })
}

/// A node's header of a height, if a quorum signed it.
fn shown(
    reader: &mut impl Reader,
    node: &Node,
    others: &mut Others<'_>,
    height: Height,
    now: Millis,
) -> Result<FinalHeader, Trouble> {
    let (header, certificate) = node.header(height)?;
    if header.height != height {
        return Err(Trouble::Lied("the header is of another height".into()));
    }
    believe(reader, node, others, now, |reader| reader.accept(&header, &certificate, now))?;
    Ok(FinalHeader { header, certificate })
}

/// Whether a checkpoint says of its height what the final header says.
fn is_of(checkpoint: &Checkpoint, found: &FinalHeader, reader: &impl Reader) -> bool {
    let domain = reader.light().domain();
    let header = &found.header;
    checkpoint.block == Some(header.id(domain))
        && checkpoint.time == header.time
        && checkpoint.validators.digest(domain) == header.next_validators
}
