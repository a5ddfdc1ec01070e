//! What the HTTP side needs of a node: one trait to read, one to submit.
//!
//! Everything here is decided elsewhere; the HTTP side only carries it.

use std::collections::BTreeSet;
use std::sync::Arc;

use fengni_core::id::CertificateId;
use fengni_core::light::{Handover, Recovery, SignedCheckpoint};
use fengni_core::outcome::Outcome;
use fengni_core::pack::{Basis, Pack, Subscription};
use fengni_core::proof::{OutcomeProof, Place, StateProof};
use fengni_core::record::DoubleSigning;
use fengni_core::transaction::{TransactionError, TransactionId};
use fengni_core::{BookNumber, CommitCertificate, Domain, Header, Height, LinePlace, MemberNumber, Millis, PageNumber};
use fengni_state::ProveError;
use serde::Serialize;
use thiserror::Error;
use tokio::sync::watch;
use utoipa::ToSchema;

use crate::doctor::Finding;
pub use crate::ledger::FinalState;
use crate::selfcheck::{CheckError, Checking};

/// What a gateway reads from.
///
/// Methods marked *quick* answer from memory. The others may touch the disk or hash a page and
/// take some milliseconds: the HTTP side calls them on blocking threads, a few at a time.
pub trait Source: Send + Sync + 'static {
    /// The founding document's canonical bytes. Quick.
    fn genesis(&self) -> &[u8];

    /// The network's name. Quick.
    fn network_name(&self) -> &str;

    /// Suite and network. Quick.
    fn domain(&self) -> Domain;

    /// The newest final state; `None` before the first block. Quick.
    fn latest(&self) -> Option<Arc<FinalState>>;

    /// The state at one of the newest 1,024 heights. Quick.
    fn at(&self, height: Height) -> Option<Arc<FinalState>>;

    /// Proves the entries at `places`.
    ///
    /// # Errors
    /// [`ProveError::NotThere`].
    fn prove(&self, at: &FinalState, places: Vec<Place>) -> Result<StateProof, ProveError>;

    /// The places a verifier needs to judge one line, as `fengni_state::line_places` gives them.
    fn line_places(&self, at: &FinalState, place: LinePlace, verifier: Option<MemberNumber>) -> BTreeSet<Place>;

    /// Where the current line of a typed identifier stands.
    fn find_line(&self, identifier: &CertificateId) -> Option<LinePlace>;

    /// The places that prove a line's whole history: its seal, the act heads of its page, every
    /// act on it, and the same for each line that goes on from it in the chain of supersessions.
    fn history_places(&self, at: &FinalState, place: LinePlace) -> BTreeSet<Place>;

    /// A final block's bytes and its commit certificate, of any height that is kept.
    fn block(&self, height: Height) -> Option<(Vec<u8>, CommitCertificate)>;

    /// The outcomes of a final block, in order, of any height that is kept.
    fn outcomes(&self, height: Height) -> Option<Vec<Outcome>>;

    /// The oldest height whose block and outcomes are kept; 1 on an archive. Quick.
    fn kept_from(&self) -> Height;

    /// A final header and its commit certificate, of any height.
    fn final_header(&self, height: Height) -> Option<(Header, CommitCertificate)>;

    /// The first handovers of validators above a height, as many as fit in one answer.
    fn handovers(&self, since: Height) -> Vec<Handover>;

    /// The first recoveries whose first block is above a height.
    fn recoveries(&self, since: Height) -> Vec<Recovery>;

    /// The checkpoint of a state in the word of the node's member; `None` where the node's key is
    /// not one of the member's then.
    fn checkpoint(&self, at: &FinalState) -> Option<SignedCheckpoint>;

    /// Lines of a page as of a state, 48 bytes each; `None` where there is no such page.
    fn page_lines(&self, at: &FinalState, book: BookNumber, page: PageNumber) -> Option<Vec<u8>>;

    /// A trust pack of a state, whole or on top of what a reader has.
    fn pack(&self, at: &FinalState, subscription: Subscription, basis: Option<&Basis>) -> Pack;

    /// What became of a transaction, once its block is final.
    fn outcome(&self, id: &TransactionId) -> Option<OutcomeProof>;

    /// Whether the transaction waits in the pool. It leaves the pool only after its outcome can be
    /// read: a transaction is never neither. Quick.
    fn is_pending(&self, id: &TransactionId) -> bool;

    /// The newest final height. It rises after everything about the block can be read. Quick.
    fn heights(&self) -> watch::Receiver<Height>;

    /// Whether answers of this node are worth asking for. Quick.
    fn readiness(&self) -> Readiness;

    /// What an operator looks at. Quick.
    fn status(&self) -> NodeStatus;

    /// The newest proofs that a validator signed twice, as this node keeps them.
    fn evidence(&self) -> Vec<DoubleSigning>;

    /// What stands between the node and its work. Takes a second where peers' ports do not answer.
    fn examine(&self) -> Vec<Finding>;

    /// What was found to be damaged in the node's store, if anything: nothing is served then. Quick.
    fn damage(&self) -> Option<String>;

    /// Begins to look at every entry of the store, beside the node's work. Quick.
    ///
    /// # Errors
    /// [`CheckError`].
    fn begin_check(&self) -> Result<(), CheckError>;

    /// How far that is. Quick.
    fn checked(&self) -> Checking;
}

/// Where a relay hands transactions in.
pub trait Submit: Send + Sync + 'static {
    /// Checks a transaction and adds it to the pool. One that waits there already is accepted
    /// again, so that a client may repeat a call whose answer was lost.
    ///
    /// # Errors
    /// [`SubmitError`].
    fn submit(&self, bytes: Vec<u8>) -> Result<TransactionId, SubmitError>;
}

/// Why a transaction did not enter the pool.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum SubmitError {
    /// It can be in no block.
    #[error(transparent)]
    Invalid(#[from] TransactionError),
    /// The pool is full, or the member's share of it.
    #[error("the pool is full")]
    Full,
    /// The node takes no transactions now.
    #[error("the node takes no transactions: {0}")]
    NotAccepting(String),
}

/// Whether a node's answers are worth asking for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct Readiness {
    /// Ready or not, and why.
    #[serde(flatten)]
    pub verdict: Ready,
    /// The newest final height here.
    #[schema(value_type = u64)]
    pub height: Height,
    /// Heights this node knows to be missing.
    pub behind: u64,
}

/// Ready or not.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(tag = "status", rename_all = "kebab-case")]
pub enum Ready {
    /// Follows the network.
    Ready,
    /// Not now.
    NotReady {
        /// Why, without internal addresses: the public gateway shows it.
        reason: String,
    },
}

/// How a node takes part.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NodeMode {
    /// Votes.
    Validator,
    /// Follows without a vote.
    Observer,
}

/// What an operator looks at.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct NodeStatus {
    /// How the node takes part.
    pub mode: NodeMode,
    /// Version of the software.
    pub version: String,
    /// Version of the protocol that the next block speaks.
    pub protocol: u16,
    /// The newest version of the protocol that this node speaks.
    pub speaks: u16,
    /// The member whose node this is, if it votes.
    #[schema(value_type = Option<u32>)]
    pub member: Option<MemberNumber>,
    /// The newest final height.
    #[schema(value_type = u64)]
    pub height: Height,
    /// Time of that block, in milliseconds since 1970.
    #[schema(value_type = u64)]
    pub time: Millis,
    /// Heights this node knows to be missing.
    pub behind: u64,
    /// The oldest height whose block and outcomes are kept; 1 on an archive.
    #[schema(value_type = u64)]
    pub kept_from: Height,
    /// Peers connected for consensus.
    pub peers: u64,
    /// Peers connected for transactions.
    pub transaction_peers: u64,
    /// Transactions in the pool.
    pub pool_transactions: u64,
    /// Their bytes.
    pub pool_bytes: u64,
}
