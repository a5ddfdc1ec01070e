//! Blocks and what makes them final, from the last one down to the founding.
//!
//! A block is known by its child, which names its id, or by a quorum. So whichever entry of a height is
//! wrong, the others say so: header by id, transactions and outcomes by header, certificate by the
//! validators that the header before names, handovers by the headers at which they change.

use fengni_core::block::outcomes_digest;
use fengni_core::codec;
use fengni_core::limits::{BLOCK_BYTES, PROOF_BYTES, RECORD_BYTES};
use fengni_core::outcome::Outcome;
use fengni_core::proof::StateProof;
use fengni_core::record::DoubleSigning;
use fengni_core::recovery::RecoveryHandover;
use fengni_core::transaction::{Transaction, TransactionId};
use fengni_core::{Block, BlockId, Digest, Header, Height, ValidatorSet};

use super::{Depth, Look};
use crate::store::{Column, Finality, key_of_height};

/// The newest blocks that every start looks at.
const AT_START: u64 = 256;
/// Bytes of one encoded header.
const HEADER_BYTES: usize = 1024;

/// Which blocks a store has.
pub(super) struct Blocks {
    /// The oldest.
    pub(super) kept: Height,
    /// The newest.
    pub(super) last: Height,
    /// The newest one's header, if it is sound.
    pub(super) header: Option<Header>,
    /// Whether all that were looked at are sound.
    pub(super) sound: bool,
}

/// What the height above the one that is looked at says of it.
struct Above {
    height: Height,
    /// The block it follows, if its header is known.
    parent: Option<BlockId>,
    /// Digest of its validators, if its certificate holds.
    validators: Option<Digest>,
    /// Digest of the validators that its header names for the next one, if that is known.
    next: Option<Digest>,
}

/// Looks at every height; `None` where there is no block yet.
pub(super) fn check(look: &mut Look<'_>) -> Option<Blocks> {
    meta(look);
    let (kept, last) = ends(look)?;
    let first = match look.depth {
        Depth::Start => Height(last.0.saturating_sub(AT_START - 1)).max(kept),
        Depth::Beside | Depth::Whole => kept,
    };
    let before = look.report.damage.len();
    let mut blocks = Blocks { kept, last, header: None, sound: false };
    let mut above = None;
    let mut indexed = 0;
    for height in (first.0..=last.0).rev().map(Height) {
        let (at, header, transactions) = look.height(height, above);
        indexed += transactions;
        if height == last {
            blocks.header = header;
        }
        above = Some(at);
    }
    if look.depth.is_whole() {
        above = look.pruned(kept, above);
    }
    if let Some(above) = above.filter(|above| look.depth.is_whole() || above.height == Height(1)) {
        look.begins(&above);
    }
    blocks.sound = look.report.damage.len() == before;
    if look.depth.is_whole() {
        look.changes(kept, last);
        look.strays(kept, last, indexed);
        look.candidates();
    }
    Some(blocks)
}

/// What the column of odds and ends may hold.
fn meta(look: &mut Look<'_>) {
    look.each(Column::Meta, &[], |look, key, value| {
        let wrong = match key {
            b"network" => None,
            b"last" | b"kept" => (value.len() != 8).then(|| "no height".to_owned()),
            b"arriving" => Some("the store was never put together; next: take a snapshot anew".to_owned()),
            _ if key.starts_with(b"evidence/") => {
                codec::decode::<DoubleSigning>(value, RECORD_BYTES).err().map(|error| error.to_string())
            }
            _ => Some("nothing of this name belongs here".to_owned()),
        };
        if let Some(wrong) = wrong {
            let name = key.split(|byte| *byte == b'/').next().unwrap_or_default();
            look.damaged(Column::Meta, String::from_utf8_lossy(name), wrong);
        }
    });
}

/// The oldest and the newest height with a block, as most of those columns say that have one each.
fn ends(look: &mut Look<'_>) -> Option<(Height, Height)> {
    let said = |look: &mut Look<'_>, key: &[u8]| to_height(&look.read(Column::Meta, key)?);
    let (said_kept, said_last) = (said(look, b"kept").unwrap_or(Height(1)), said(look, b"last"));
    let end = |look: &mut Look<'_>, column| {
        let entry = look.store.look_back(column, None).next();
        entry.and_then(Result::ok).and_then(|(key, _)| to_height(&key))
    };
    let begin = |look: &mut Look<'_>, column| {
        let entry = look.store.look_through(column, &[]).next();
        entry.and_then(Result::ok).and_then(|(key, _)| to_height(&key))
    };
    let columns = [Column::Blocks, Column::Certificates, Column::Outcomes];
    let ends: Vec<Height> = columns.into_iter().filter_map(|column| end(look, column)).chain(said_last).collect();
    let last = most(&ends)?;
    let columns = [Column::Blocks, Column::Outcomes];
    let begins = columns.into_iter().filter_map(|column| begin(look, column)).chain([said_kept]);
    let kept = most(&begins.collect::<Vec<_>>())?;
    if said_last != Some(last) {
        let said = said_last.map_or_else(|| "nothing".to_owned(), |said| said.to_string());
        look.damaged(Column::Meta, "last", format!("it says {said}, and the blocks end at {last}"));
    }
    if said_kept != kept {
        look.damaged(Column::Meta, "kept", format!("it says {said_kept}, and the blocks begin at {kept}"));
    }
    Some((kept, last))
}

/// The value that most say; of several, the one that the first says.
fn most(values: &[Height]) -> Option<Height> {
    let count = |value: &Height| values.iter().filter(|other| *other == value).count();
    values.iter().copied().rev().max_by_key(count)
}

fn to_height(bytes: &[u8]) -> Option<Height> {
    Some(Height(u64::from_be_bytes(bytes.try_into().ok()?)))
}

fn at(height: Height) -> String {
    format!("height {height}")
}

impl Look<'_> {
    /// Looks at the block of a height and at all that belongs to it. Returns what it says of the height
    /// below, its header where it is sound, and how many transactions it has.
    fn height(&mut self, height: Height, above: Option<Above>) -> (Above, Option<Header>, u64) {
        let above = above.filter(|above| above.height == height.next());
        let finality = self.finality(height);
        let named = above.as_ref().and_then(|above| above.parent);
        let signed = finality.as_ref().map(|finality| finality.certificate.block);
        if named.is_some() && signed.is_some_and(|signed| Some(signed) != named) {
            self.damaged(Column::Certificates, at(height), "it is for another block than the next one follows");
        }
        let block = self.block(height, named.or(signed));
        let header = block.as_ref().map(|block| block.header.clone());
        if let (Some(header), Some(above)) = (&header, &above) {
            self.succeeds(header, above);
        }
        let validators = finality.as_ref().map(|finality| finality.validators.digest(&self.domain));
        let transactions = self.outcomes(height, block.as_ref());
        let (parent, next) = (header.as_ref().map(|it| it.parent), header.as_ref().map(|it| it.next_validators));
        (Above { height, parent, validators, next }, header, transactions)
    }

    /// What makes a block final, if it holds under the validators that stand beside it.
    fn finality(&mut self, height: Height) -> Option<Finality> {
        let Some(bytes) = self.read(Column::Certificates, &key_of_height(height)) else {
            self.damaged(Column::Certificates, at(height), "it is missing");
            return None;
        };
        let found: Result<Finality, _> = codec::decode(&bytes, PROOF_BYTES);
        let holds = found.map_err(|error| error.to_string()).and_then(|found| {
            let Finality { certificate, validators } = &found;
            let verified = certificate.verify(&self.domain, validators, height, certificate.block);
            verified.map(|()| found).map_err(|error| error.to_string())
        });
        holds.map_err(|wrong| self.damaged(Column::Certificates, at(height), wrong)).ok()
    }

    fn block(&mut self, height: Height, id: Option<BlockId>) -> Option<Block> {
        let Some(bytes) = self.read(Column::Blocks, &key_of_height(height)) else {
            self.damaged(Column::Blocks, at(height), "it is missing");
            return None;
        };
        let wrong = match Block::decode(&bytes) {
            Err(error) => format!("it is no block: {error}"),
            Ok(block) if block.header.height != height || id.is_some_and(|id| id != block.header.id(&self.domain)) => {
                "its header is not the one that the next block follows or that a quorum signed".to_owned()
            }
            Ok(block) if !block.is_bound(&self.domain) => {
                "its transactions or its certificate are not those that its header names".to_owned()
            }
            Ok(block) => return Some(block),
        };
        self.damaged(Column::Blocks, at(height), wrong);
        None
    }

    /// Whether the validators of the height above are those that a header names, or a recovery's; then,
    /// whether they hand over.
    fn succeeds(&mut self, header: &Header, above: &Above) {
        let Some(validators) = above.validators else { return };
        let (height, follows) = (above.height, validators == header.next_validators);
        match self.read(Column::Recoveries, &key_of_height(height)) {
            None if follows => (),
            None => {
                let wrong = "its validators are not those that the block before names, and no recovery named them";
                return self.damaged(Column::Certificates, at(height), wrong);
            }
            Some(bytes) => {
                let read: Result<(StateProof, RecoveryHandover), _> = codec::decode(&bytes, PROOF_BYTES);
                let holds = read.is_ok_and(|(proof, handover)| {
                    let seats = handover.plan.validators().map(|set| set.digest(&self.domain));
                    proof.header == *header
                        && proof.verify_under_final_header(&self.domain).is_ok()
                        && handover.plan.height == header.height
                        && seats.is_ok_and(|seats| seats == validators)
                });
                if !holds {
                    let wrong = "it does not lead from the block before to the validators of this one";
                    return self.damaged(Column::Recoveries, at(height), wrong);
                }
            }
        }
        self.hands_over(above);
    }

    /// The oldest height that a store knows anything of: a node that joined by a snapshot keeps every
    /// handover, so that its validators are the founding's.
    fn begins(&mut self, oldest: &Above) {
        let founding = self.founded.next_validators().digest(&self.domain);
        match oldest.validators {
            Some(validators) if validators != founding => {
                let wrong = "its validators are not those of the founding";
                self.damaged(Column::Certificates, at(oldest.height), wrong);
            }
            _ => self.hands_over(oldest),
        }
    }

    /// A handover stands where a header names other validators than those that decided it, and nowhere
    /// else.
    fn hands_over(&mut self, at_height: &Above) {
        let (Some(next), Some(validators)) = (at_height.next, at_height.validators) else { return };
        let (column, height) = (Column::Handovers, at_height.height);
        match (next != validators, self.read(column, &key_of_height(height))) {
            (false, None) => (),
            (false, Some(_)) => self.damaged(column, at(height), "the validators do not change there"),
            (true, None) => self.damaged(column, at(height), "it is missing"),
            (true, Some(bytes)) => {
                let set: Result<ValidatorSet, _> = codec::decode(&bytes, PROOF_BYTES);
                if set.map(|set| set.digest(&self.domain)) != Ok(next) {
                    self.damaged(column, at(height), "its validators are not those that the header names");
                }
            }
        }
    }

    /// Outcomes of a block, and where the index says that its transactions stand.
    fn outcomes(&mut self, height: Height, block: Option<&Block>) -> u64 {
        let column = Column::Outcomes;
        let read = self.read(column, &key_of_height(height));
        let outcomes: Option<Vec<Outcome>> = read.as_ref().and_then(|bytes| codec::decode(bytes, BLOCK_BYTES).ok());
        let asked: Option<Vec<TransactionId>> = block.and_then(|block| {
            let id = |transaction: Transaction| transaction.body.id(&self.domain);
            block.transactions.iter().map(|bytes| Transaction::decode(&bytes.0).map(id).ok()).collect()
        });
        let holds = |outcomes: &Vec<Outcome>| {
            block.is_none_or(|block| outcomes_digest(&self.domain, outcomes) == block.header.outcomes)
        };
        let told = match (read.is_some(), outcomes) {
            (false, _) => Err("they are missing"),
            (true, None) => Err("they are no outcomes"),
            (true, Some(outcomes)) if !holds(&outcomes) => Err("they are not those that the block's header names"),
            (true, Some(outcomes)) => Ok(outcomes.iter().map(|outcome| outcome.transaction).collect()),
        };
        let ids: Vec<TransactionId> = match told {
            Ok(ids) => ids,
            Err(wrong) => {
                self.damaged(column, at(height), wrong);
                asked.unwrap_or_default()
            }
        };
        for (id, place) in ids.iter().zip(0u32..) {
            let (column, key) = (Column::Transactions, id.0.0.to_vec());
            let right = [key_of_height(height).as_slice(), &place.to_be_bytes()].concat();
            let found = self.read(column, &key);
            if found.as_ref() != Some(&right) {
                let wrong = if found.is_some() { "the index leads elsewhere" } else { "the index does not have it" };
                self.damaged(column, format!("{}, transaction {place}", at(height)), wrong);
                self.mends.insert((column, key), Some(right));
            }
        }
        ids.len() as u64
    }

    /// Headers and certificates of heights whose blocks are not kept.
    fn pruned(&mut self, kept: Height, mut above: Option<Above>) -> Option<Above> {
        let (store, key) = (self.store, key_of_height(kept));
        for entry in store.look_back(Column::Certificates, Some(&key)) {
            let key = match entry {
                Ok((key, _)) => key,
                Err(error) => {
                    self.unreadable(Column::Certificates, &error);
                    return None;
                }
            };
            let Some(height) = to_height(&key) else {
                self.damaged(Column::Certificates, "an entry", "its key is no height");
                continue;
            };
            let finality = self.finality(height);
            let bytes = self.read(Column::Headers, &key);
            let header: Option<Header> = bytes.as_ref().and_then(|bytes| codec::decode(bytes, HEADER_BYTES).ok());
            let signed = finality.as_ref().map(|finality| finality.certificate.block);
            let is_it = |header: &Header| {
                header.height == height && signed.is_none_or(|signed| signed == header.id(&self.domain))
            };
            let header = match (bytes, header) {
                (None, _) => Err("it is missing"),
                (_, Some(header)) if is_it(&header) => Ok(header),
                _ => Err("it is not the header that its validators signed"),
            };
            let header = header.map_err(|wrong| self.damaged(Column::Headers, at(height), wrong)).ok();
            // Between the handovers that a node keeps which joined by a snapshot, validators do not change.
            if let (Some(header), Some(above)) = (&header, &above) {
                let follows = above.parent.filter(|_| above.height == height.next());
                if follows.is_some_and(|parent| parent != header.id(&self.domain)) {
                    self.damaged(Column::Headers, at(height), "it is not the one that the next header follows");
                }
                self.succeeds(header, above);
            }
            let validators = finality.as_ref().map(|finality| finality.validators.digest(&self.domain));
            let (parent, next) = (header.as_ref().map(|it| it.parent), header.as_ref().map(|it| it.next_validators));
            above = Some(Above { height, parent, validators, next });
        }
        above
    }

    /// Headers, handovers and recoveries at heights that have none.
    fn changes(&mut self, kept: Height, last: Height) {
        for column in [Column::Headers, Column::Handovers, Column::Recoveries, Column::Certificates] {
            self.each(column, &[], |look, key, value| {
                let entry = to_height(key).map_or_else(|| "an entry".to_owned(), at);
                let height = to_height(key).filter(|height| *height <= last && height.0 > 0);
                let known =
                    height.is_some_and(|_| matches!(look.store.look_up(Column::Certificates, key), Ok(Some(_))));
                if height.is_none() || !known {
                    look.damaged(column, entry, "there is no final block of this height");
                } else if column == Column::Headers && height >= Some(kept) {
                    let header: Result<Header, _> = codec::decode(value, HEADER_BYTES);
                    let body = look.store.look_up(Column::Blocks, key).ok().flatten();
                    let block = body.and_then(|body| Block::decode(&body).ok());
                    if block.is_some_and(|block| header != Ok(block.header)) {
                        look.damaged(column, entry, "it is not the header of the block");
                    }
                }
            });
        }
    }

    /// Entries of heights that have no block, and of the index that lead nowhere.
    fn strays(&mut self, kept: Height, last: Height, indexed: u64) {
        for column in [Column::Blocks, Column::Outcomes] {
            self.each(column, &[], |look, key, _| {
                if to_height(key).is_none_or(|height| height < kept || height > last) {
                    look.damaged(column, "an entry", "it is of no height whose block is kept");
                }
            });
        }
        let column = Column::Transactions;
        let (mut found, known) = (0u64, self.report.damage.iter().any(|damage| damage.column == column.name()));
        self.each(column, &[], |_, _, _| found += 1);
        if found == indexed && !known {
            return;
        }
        self.each(column, &[], |look, key, value| {
            let Some((height, place)) = value.split_first_chunk::<8>() else {
                return look.stray(key, "an entry".to_owned());
            };
            let place = <[u8; 4]>::try_from(place).map_or(usize::MAX, |place| u32::from_be_bytes(place) as usize);
            let outcomes = look.store.look_up(Column::Outcomes, height).ok().flatten();
            let outcomes: Option<Vec<Outcome>> = outcomes.and_then(|bytes| codec::decode(&bytes, BLOCK_BYTES).ok());
            // What is damaged itself says nothing of the index.
            let is_its = |outcomes: Vec<Outcome>| outcomes.get(place).is_some_and(|it| it.transaction.0.0 == *key);
            let height = Height(u64::from_be_bytes(*height));
            let leads = height >= kept && height <= last && outcomes.is_none_or(is_its);
            if !leads && !look.mends.contains_key(&(column, key.to_vec())) {
                look.stray(key, format!("{}, transaction {place}", at(height)));
            }
        });
    }

    fn stray(&mut self, key: &[u8], leads: String) {
        let column = Column::Transactions;
        self.damaged(column, format!("a stray entry to {leads}"), "no such transaction stands there");
        self.mends.insert((column, key.to_vec()), None);
    }

    /// Blocks that are not decided yet.
    fn candidates(&mut self) {
        let column = Column::Candidates;
        self.each(column, &[], |look, key, value| {
            let is_it = |block: Block| block.header.id(&look.domain).0.0 == key[12..] && block.is_bound(&look.domain);
            let holds =
                key.len() == 44 && value.len() > 9 && value[4] <= 1 && Block::decode(&value[9..]).is_ok_and(is_it);
            if !holds {
                let height = key.first_chunk().map(|height| Height(u64::from_be_bytes(*height)));
                look.damaged(
                    column,
                    height.map_or_else(|| "an entry".to_owned(), at),
                    "it is not the block of its key",
                );
            }
        });
    }
}
