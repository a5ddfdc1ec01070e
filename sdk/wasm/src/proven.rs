//! Proven entries for people: what a state proof says, once a quorum stands behind it.

#[cfg(feature = "register")]
use fengni_core::LinePlace;
#[cfg(feature = "register")]
use fengni_core::block::Block;
use fengni_core::block::BlockId;
#[cfg(feature = "register")]
use fengni_core::book::Book;
#[cfg(not(feature = "register"))]
use fengni_core::id::TypeCode;
use fengni_core::light::LightClient;
use fengni_core::limits::PROOF_BYTES;
use fengni_core::proof::{Place, ProofError, Proven, StateProof};
#[cfg(feature = "register")]
use fengni_core::record::{
    Agreement, Application, Authority, Objection, Offence, Order, Parameters, Proposal, Request, Resource, ServiceItem,
};
use fengni_core::record::{CertificateType, CodeSet, Member, Record as _};
use fengni_core::shelf::Shelf;
use fengni_core::{CommitCertificate, Domain, Header, MemberNumber, ValidatorSet, codec};
use serde::Serialize;

use crate::answer::{Answer, json, moment, object, thrown};

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
    fn of(domain: &Domain, header: &'a Header, signed: &CommitCertificate, set: &ValidatorSet) -> Self {
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

/// Reads a state proof: everything it proves, as JSON.
pub(crate) fn check_proof(light: &mut LightClient, proof: &[u8], now: f64) -> Answer<String> {
    let proof = StateProof::decode(proof).map_err(thrown)?;
    let proven = light.prove(&proof, moment(now)).map_err(thrown)?;
    let header = header_view(light, &proof.header, &proof.certificate)?;
    show(&header, &proven).map_err(thrown)
}

/// Reads a header with its certificate, as JSON.
pub(crate) fn check_header(light: &mut LightClient, bytes: &[u8], now: f64) -> Answer<String> {
    let (header, certificate): (Header, CommitCertificate) = codec::decode(bytes, PROOF_BYTES).map_err(thrown)?;
    light.accept(&header, &certificate, moment(now)).map_err(thrown)?;
    Ok(json(&header_view(light, &header, &certificate)?))
}

/// A header that the light client has accepted, for people.
pub(crate) fn header_view<'a>(
    light: &LightClient,
    header: &'a Header,
    certificate: &CommitCertificate,
) -> Answer<HeaderView<'a>> {
    let set = light.validators_at(header.height).map_err(thrown)?;
    Ok(HeaderView::of(light.domain(), header, certificate, set))
}

/// Everything that a proof proves, as JSON.
///
/// # Errors
/// [`ProofError`] for an entry of a later version, which this program cannot read.
fn show(header: &HeaderView<'_>, proven: &Proven) -> Result<String, ProofError> {
    let sizes = Shelf::ALL.into_iter().map(|shelf| (shelf.name(), json(&proven.size(shelf))));
    let entries = proven.places().map(|place| Ok((place, entry(proven, *place)?)));
    let entries: Vec<_> = entries.collect::<Result<_, ProofError>>()?;
    Ok(object([("finality", json(header)), ("sizes", object(sizes)), ("entries", object(entries))]))
}

/// What the verifier's part says of a type.
#[cfg(not(feature = "register"))]
#[derive(Serialize)]
struct TypeName {
    code: TypeCode,
    name: String,
}

/// What the verifier's part says of entries that only the register's part shows.
#[cfg(not(feature = "register"))]
const NOT_HERE: &str = "null";

fn entry(proven: &Proven, place: Place) -> Result<String, ProofError> {
    Ok(match place {
        Place::Record(shelf, number) => record(proven, shelf, number)?,
        #[cfg(feature = "register")]
        Place::Page(book, page) => json(&proven.page(book, page)?),
        #[cfg(feature = "register")]
        Place::Seal(book, seal) => json(&proven.seal(book, seal)?),
        #[cfg(feature = "register")]
        Place::Act(book, act) => json(&proven.act(book, act)?),
        #[cfg(feature = "register")]
        Place::Heads(book, page) => json(&proven.heads(book, page)?),
        #[cfg(feature = "register")]
        Place::Line(book, line) => json(&proven.line(LinePlace { book, line })?),
        #[cfg(not(feature = "register"))]
        _ => NOT_HERE.to_owned(),
    })
}

fn record(proven: &Proven, shelf: Shelf, number: u32) -> Result<String, ProofError> {
    Ok(match shelf {
        #[cfg(feature = "register")]
        Shelf::Parameters => json(&proven.record::<Parameters>(number)?),
        Shelf::Members => json(&proven.record::<Member>(number)?),
        Shelf::Types => {
            let found: CertificateType = proven.record(number)?;
            let encoded = json(&hex::encode(found.encode()));
            #[cfg(not(feature = "register"))]
            let found = TypeName { code: found.code, name: found.name };
            // The encoding comes along, so that a wallet can learn the type's fields from a proof.
            object([("record", json(&found)), ("encoded", encoded)])
        }
        #[cfg(feature = "register")]
        Shelf::Authorities => json(&proven.record::<Authority>(number)?),
        #[cfg(feature = "register")]
        Shelf::Agreements => json(&proven.record::<Agreement>(number)?),
        #[cfg(feature = "register")]
        Shelf::Books => json(&proven.record::<Book>(number)?),
        Shelf::Codes => json(&proven.record::<CodeSet>(number)?),
        #[cfg(feature = "register")]
        Shelf::Applications => json(&proven.record::<Application>(number)?),
        #[cfg(feature = "register")]
        Shelf::Proposals => json(&proven.record::<Proposal>(number)?),
        #[cfg(feature = "register")]
        Shelf::Orders => json(&proven.record::<Order>(number)?),
        #[cfg(feature = "register")]
        Shelf::Offences => json(&proven.record::<Offence>(number)?),
        #[cfg(feature = "register")]
        Shelf::Resources => json(&proven.record::<Resource>(number)?),
        #[cfg(feature = "register")]
        Shelf::Items => json(&proven.record::<ServiceItem>(number)?),
        #[cfg(feature = "register")]
        Shelf::Requests => json(&proven.record::<Request>(number)?),
        #[cfg(feature = "register")]
        Shelf::Objections => json(&proven.record::<Objection>(number)?),
        #[cfg(not(feature = "register"))]
        _ => NOT_HERE.to_owned(),
    })
}

/// A final block, as JSON: how many transactions, and what they weigh in bytes.
#[cfg(feature = "register")]
pub(crate) fn show_block(header: &HeaderView<'_>, block: &Block) -> String {
    let bytes: usize = block.transactions.iter().map(|transaction| transaction.0.len()).sum();
    object([("finality", json(header)), ("transactions", json(&block.transactions.len())), ("bytes", json(&bytes))])
}
