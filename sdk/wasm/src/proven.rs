//! Proven entries for people: what a state proof says, once a quorum stands behind it.

use fengni_core::block::{Block, BlockId};
use fengni_core::book::Book;
use fengni_core::proof::{Place, ProofError, Proven};
use fengni_core::record::{Agreement, Authority, CertificateType, CodeSet, Member, Parameters, Record as _};
use fengni_core::shelf::Shelf;
use fengni_core::{CommitCertificate, Domain, Header, LinePlace, MemberNumber, ValidatorSet};
use serde::Serialize;

use crate::answer::{json, object};

/// A header and who made it final.
#[derive(Serialize)]
pub(crate) struct HeaderView<'a> {
    header: &'a Header,
    id: BlockId,
    round: u32,
    /// Members whose signatures were checked.
    signers: Vec<MemberNumber>,
    signed_power: u64,
    quorum: u64,
    power: u64,
}

impl<'a> HeaderView<'a> {
    /// Of a header that the light client has accepted.
    pub(crate) fn of(domain: &Domain, header: &'a Header, signed: &CommitCertificate, set: &ValidatorSet) -> Self {
        let signers: Vec<_> = signed.signatures.iter().map(|signature| signature.member).collect();
        let powers = signers.iter().filter_map(|member| set.get(*member)).map(|validator| validator.power);
        Self {
            header,
            id: header.id(domain),
            round: signed.round,
            signed_power: powers.sum(),
            signers,
            quorum: set.quorum(),
            power: set.power(),
        }
    }
}

/// Everything that a proof proves, as JSON.
///
/// # Errors
/// [`ProofError`] for an entry of a later version, which this program cannot read.
pub(crate) fn show(header: &HeaderView<'_>, proven: &Proven) -> Result<String, ProofError> {
    let sizes = Shelf::ALL.into_iter().map(|shelf| (shelf.name(), json(&proven.size(shelf))));
    let entries = proven.places().map(|place| Ok((place, entry(proven, *place)?)));
    let entries: Vec<_> = entries.collect::<Result<_, ProofError>>()?;
    Ok(object([("finality", json(header)), ("sizes", object(sizes)), ("entries", object(entries))]))
}

fn entry(proven: &Proven, place: Place) -> Result<String, ProofError> {
    Ok(match place {
        Place::Record(shelf, number) => record(proven, shelf, number)?,
        Place::Page(book, page) => json(&proven.page(book, page)?),
        Place::Seal(book, seal) => json(&proven.seal(book, seal)?),
        Place::Act(book, act) => json(&proven.act(book, act)?),
        Place::Heads(book, page) => json(&proven.heads(book, page)?),
        Place::Line(book, line) => json(&proven.line(LinePlace { book, line })?),
    })
}

fn record(proven: &Proven, shelf: Shelf, number: u32) -> Result<String, ProofError> {
    Ok(match shelf {
        Shelf::Parameters => json(&proven.record::<Parameters>(number)?),
        Shelf::Members => json(&proven.record::<Member>(number)?),
        Shelf::Types => {
            let found: CertificateType = proven.record(number)?;
            // The encoding comes along, so that a wallet can learn the type's fields from a proof.
            object([("record", json(&found)), ("encoded", json(&hex::encode(found.encode())))])
        }
        Shelf::Authorities => json(&proven.record::<Authority>(number)?),
        Shelf::Agreements => json(&proven.record::<Agreement>(number)?),
        Shelf::Books => json(&proven.record::<Book>(number)?),
        Shelf::Codes => json(&proven.record::<CodeSet>(number)?),
    })
}

/// A final block, as JSON: how many transactions, and what they weigh in bytes.
pub(crate) fn show_block(header: &HeaderView<'_>, block: &Block) -> String {
    let bytes: usize = block.transactions.iter().map(|transaction| transaction.0.len()).sum();
    object([("finality", json(header)), ("transactions", json(&block.transactions.len())), ("bytes", json(&bytes))])
}
