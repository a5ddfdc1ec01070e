//! Problems: every answer that is not what was asked for, as RFC 9457 problem details.
//!
//! Each names a rule of `sdk/spec/http.md` (or of the ledger, for a transaction) and the next
//! step. A problem never repeats an identifier. Rule N-3.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use fengni_core::Height;
use fengni_core::codec::DecodeError;
use fengni_core::id::IdError;
use fengni_core::limits::{PACK_BYTES, PROOF_BYTES, TRANSACTION_BYTES};
use fengni_core::transaction::{TransactionError, TransactionId};
use fengni_state::ProveError;
use serde::Serialize;
use thiserror::Error;
use utoipa::ToSchema;

use super::limits::{BATCH_TRANSACTIONS, PLACES, URL_BYTES};
use super::source::SubmitError;

/// The media type of problem details.
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";

/// Why a request is not answered.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub(crate) enum ApiError {
    /// N-2: the method is not offered there.
    #[error("this method is not offered here")]
    Method {
        /// The methods that are.
        allow: &'static str,
    },
    /// N-3: nothing at this address.
    #[error("there is nothing at this address")]
    Route,
    /// N-3: a parameter is missing, unknown or malformed.
    #[error("a parameter is missing, unknown or malformed: {reason}")]
    Parameter {
        /// What the reader met.
        reason: String,
    },
    /// N-4: the height is not reached.
    #[error("height {height} is not reached; the newest is {newest}")]
    HeightAhead {
        /// The height asked for.
        height: Height,
        /// The newest final height.
        newest: Height,
    },
    /// N-4: the height is too old to be served from memory.
    #[error("the state of height {height} is not kept; the newest height is {newest}")]
    HeightGone {
        /// The height asked for.
        height: Height,
        /// The newest final height.
        newest: Height,
    },
    /// N-5: the block is too old for what this node keeps.
    #[error("the block of height {height} is not kept here; this node keeps blocks from height {kept_from} on")]
    BlockGone {
        /// The height asked for.
        height: Height,
        /// The oldest height whose block is kept.
        kept_from: Height,
    },
    /// N-4: no block yet.
    #[error("the network has no block yet")]
    NoBlock,
    /// N-6: too many places, or lines, for one question.
    #[error("the places weigh {found}, more than {PLACES}; a line weighs 16")]
    TooManyPlaces {
        /// What they weigh.
        found: usize,
    },
    /// N-6: the proof would be larger than a reader accepts.
    #[error("the proof would have {found} bytes, more than {PROOF_BYTES}")]
    ProofTooLarge {
        /// Its size.
        found: usize,
    },
    /// N-20: the pack would be larger than a reader accepts.
    #[error("the pack would have {found} bytes, more than {PACK_BYTES}")]
    PackTooLarge {
        /// Its size.
        found: usize,
    },
    /// N-6: an entry is not in the register.
    #[error(transparent)]
    NotThere(#[from] ProveError),
    /// N-7: not a certificate identifier.
    #[error("not a certificate identifier: {0}")]
    Identifier(IdError),
    /// N-7: no line with this identifier.
    #[error("no line of this identifier is in the register at this height")]
    UnknownIdentifier,
    /// N-9: no such book or page, or no such set of codes.
    #[error("there is no such {what} at this height")]
    Unknown {
        /// What was asked for.
        what: &'static str,
    },
    /// N-24: the node's key is not one of its member's.
    #[error("this node vouches for no checkpoint: its key is not registered")]
    NoCheckpoint,
    /// N-25: the backup is not written.
    #[error("no backup was written: {reason}")]
    Backup {
        /// Why, with the next step.
        reason: String,
    },
    /// N-28: no check begins.
    #[error("no check begins: {reason}")]
    Check {
        /// Why, with the next step.
        reason: String,
    },
    /// N-28: the store is damaged.
    #[error("this node has found its store to be damaged, and serves nothing from it")]
    Damaged,
    /// N-11: the transaction is neither final nor waiting here.
    #[error("the transaction is neither final since height {kept_from} nor waiting at this node")]
    UnknownTransaction {
        /// The oldest height whose outcomes are kept.
        kept_from: Height,
    },
    /// N-13: the body is no octet stream.
    #[error("a body is sent as application/octet-stream")]
    MediaType,
    /// N-13: the transaction can be in no block.
    #[error("{error}")]
    Transaction {
        /// What is wrong.
        error: TransactionError,
        /// The transaction, where it could be read.
        id: Option<TransactionId>,
    },
    /// N-14: not the encoding of a batch.
    #[error("not a batch of transactions: {0}")]
    Batch(DecodeError),
    /// N-14: too many transactions.
    #[error("a batch holds 1 to {BATCH_TRANSACTIONS} transactions, this one {found}")]
    BatchSize {
        /// How many.
        found: usize,
    },
    /// N-15: the address is too long.
    #[error("the address has more than {URL_BYTES} bytes")]
    UrlTooLong,
    /// N-15: the body is too long.
    #[error("the body is longer than this route takes")]
    BodyTooLong,
    /// N-15: the body broke off.
    #[error("the body did not arrive in full")]
    BodyBroken,
    /// N-15: the body took too long.
    #[error("the body did not arrive in time")]
    BodyTimeout,
    /// N-16: more asked than can be answered.
    #[error("the node is busy")]
    Overloaded,
    /// N-16: the answer took too long.
    #[error("the answer took too long")]
    Timeout,
    /// N-13: the pool is full.
    #[error("the pool is full")]
    PoolFull,
    /// N-13: the node takes no transactions now.
    #[error("the node takes no transactions: {reason}")]
    NotAccepting {
        /// Why.
        reason: String,
    },
    /// N-16: a fault of this node.
    #[error("the node met a fault of its own")]
    Fault,
}

/// What all answers of one kind of error have in common.
struct Kind {
    status: StatusCode,
    name: &'static str,
    title: &'static str,
    rule: &'static str,
    next: &'static str,
}

/// Problem details.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// Names the kind of problem, for life.
    #[serde(rename = "type")]
    #[schema(example = "urn:fengni:problem:too-many-places")]
    kind: String,
    /// The kind of problem in words.
    title: &'static str,
    /// HTTP status.
    status: u16,
    /// This case.
    detail: String,
    /// The rule that was broken.
    #[schema(example = "N-6")]
    rule: &'static str,
    /// What to do.
    next: &'static str,
    /// The transaction, where the problem is about one that could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    transaction: Option<TransactionId>,
}

impl ApiError {
    fn kind(&self) -> Kind {
        let kind = |status, name, title, rule, next| Kind { status, name, title, rule, next };
        match self {
            Self::Method { .. } => kind(
                StatusCode::METHOD_NOT_ALLOWED,
                "method-not-allowed",
                "method not allowed",
                "N-2",
                "use a method of the allow header; transactions go to a relay",
            ),
            Self::Route => {
                kind(StatusCode::NOT_FOUND, "no-such-address", "no such address", "N-3", "see /openapi.json")
            }
            Self::Parameter { .. } => kind(
                StatusCode::BAD_REQUEST,
                "bad-parameter",
                "a parameter is wrong",
                "N-3",
                "see the route's parameters in /openapi.json",
            ),
            Self::HeightAhead { .. } => kind(
                StatusCode::NOT_FOUND,
                "height-not-reached",
                "height not reached",
                "N-4",
                "ask for a lower height, or later",
            ),
            Self::HeightGone { .. } => kind(
                StatusCode::NOT_FOUND,
                "height-not-kept",
                "height not kept",
                "N-4",
                "ask for one of the newest 1,024 heights, or replay the blocks",
            ),
            Self::BlockGone { .. } => kind(
                StatusCode::NOT_FOUND,
                "block-not-kept",
                "block not kept",
                "N-5",
                "ask an archive node, whose /v1/network says kept_from 1",
            ),
            Self::NoBlock => kind(
                StatusCode::SERVICE_UNAVAILABLE,
                "no-block",
                "no block yet",
                "N-4",
                "wait for the network's first block",
            ),
            Self::TooManyPlaces { .. } => kind(
                StatusCode::BAD_REQUEST,
                "too-many-places",
                "too many places",
                "N-6",
                "ask in several questions at one height",
            ),
            Self::ProofTooLarge { .. } => kind(
                StatusCode::UNPROCESSABLE_ENTITY,
                "proof-too-large",
                "proof too large",
                "N-6",
                "ask for fewer places at a time",
            ),
            Self::PackTooLarge { .. } => kind(
                StatusCode::UNPROCESSABLE_ENTITY,
                "pack-too-large",
                "pack too large",
                "N-20",
                "subscribe to fewer types or regions",
            ),
            Self::NotThere(_) => kind(
                StatusCode::NOT_FOUND,
                "not-in-the-register",
                "not in the register",
                "N-6",
                "ask for the record that counts the list: it proves what is absent",
            ),
            Self::Identifier(_) => kind(
                StatusCode::BAD_REQUEST,
                "bad-identifier",
                "not a certificate identifier",
                "N-7",
                "compare the identifier with the document",
            ),
            Self::UnknownIdentifier => kind(
                StatusCode::NOT_FOUND,
                "unknown-identifier",
                "identifier not found",
                "N-7",
                "treat the document as undecided: this answer proves nothing",
            ),
            Self::Unknown { .. } => {
                kind(StatusCode::NOT_FOUND, "unknown", "no such entry", "N-9", "see the list this belongs to")
            }
            Self::NoCheckpoint => kind(
                StatusCode::NOT_FOUND,
                "no-checkpoint",
                "no checkpoint",
                "N-24",
                "ask another gateway for its checkpoint",
            ),
            Self::Backup { .. } => {
                kind(StatusCode::CONFLICT, "no-backup", "no backup", "N-25", "see the detail: another name, or later")
            }
            Self::Check { .. } => kind(StatusCode::CONFLICT, "no-check", "no check", "N-28", "see the detail: later"),
            Self::Damaged => kind(
                StatusCode::SERVICE_UNAVAILABLE,
                "damaged-store",
                "the store is damaged",
                "N-28",
                "ask another node and tell the operator of this one, whose doctor says what is damaged",
            ),
            Self::UnknownTransaction { .. } => kind(
                StatusCode::NOT_FOUND,
                "unknown-transaction",
                "unknown transaction",
                "N-11",
                "hand it in again: a transaction is included once however often it is sent; for one from before that height, ask an archive node",
            ),
            Self::MediaType => kind(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "media-type",
                "wrong media type",
                "N-13",
                "set content-type to application/octet-stream",
            ),
            Self::Transaction { error, .. } => transaction_kind(error),
            Self::Batch(_) | Self::BatchSize { .. } => kind(
                StatusCode::BAD_REQUEST,
                "bad-batch",
                "not a batch",
                "N-14",
                "send the canonical encoding of 1 to 256 byte strings",
            ),
            Self::UrlTooLong => kind(
                StatusCode::URI_TOO_LONG,
                "address-too-long",
                "address too long",
                "N-15",
                "ask in several questions",
            ),
            Self::BodyTooLong => {
                kind(StatusCode::PAYLOAD_TOO_LARGE, "body-too-long", "body too long", "N-15", "send less at a time")
            }
            Self::BodyBroken => {
                kind(StatusCode::BAD_REQUEST, "body-broken", "body incomplete", "N-15", "send it again")
            }
            Self::BodyTimeout => {
                kind(StatusCode::REQUEST_TIMEOUT, "body-late", "body too slow", "N-15", "send it again")
            }
            Self::Overloaded => kind(
                StatusCode::SERVICE_UNAVAILABLE,
                "overloaded",
                "busy",
                "N-16",
                "ask again after the seconds of retry-after, or ask another node",
            ),
            Self::Timeout => kind(
                StatusCode::SERVICE_UNAVAILABLE,
                "late",
                "took too long",
                "N-16",
                "ask again after the seconds of retry-after, or ask another node",
            ),
            Self::PoolFull => kind(
                StatusCode::SERVICE_UNAVAILABLE,
                "pool-full",
                "pool full",
                "N-13",
                "hand it in again after the seconds of retry-after",
            ),
            Self::NotAccepting { .. } => kind(
                StatusCode::SERVICE_UNAVAILABLE,
                "not-accepting",
                "not accepting transactions",
                "N-13",
                "hand it in at another node",
            ),
            Self::Fault => kind(
                StatusCode::INTERNAL_SERVER_ERROR,
                "fault",
                "fault",
                "N-16",
                "ask another node and tell the operator of this one",
            ),
        }
    }

    fn problem(&self, kind: &Kind) -> Problem {
        let transaction = match self {
            Self::Transaction { id, .. } => *id,
            _ => None,
        };
        Problem {
            kind: format!("urn:fengni:problem:{}", kind.name),
            title: kind.title,
            status: kind.status.as_u16(),
            detail: self.to_string(),
            rule: kind.rule,
            next: kind.next,
            transaction,
        }
    }

    /// The problem's details, for an answer that lists several.
    pub(crate) fn details(&self) -> Problem {
        self.problem(&self.kind())
    }

    /// What a relay answers when a transaction did not enter the pool.
    pub(crate) fn of_submission(error: SubmitError, id: Option<TransactionId>) -> Self {
        match error {
            SubmitError::Invalid(error) => Self::Transaction { error, id },
            SubmitError::Full => Self::PoolFull,
            SubmitError::NotAccepting(reason) => Self::NotAccepting { reason },
        }
    }
}

fn transaction_kind(error: &TransactionError) -> Kind {
    let unprocessable = StatusCode::UNPROCESSABLE_ENTITY;
    let (status, rule, next) = match error {
        TransactionError::Encoding(DecodeError::TooLong { .. }) => (StatusCode::PAYLOAD_TOO_LARGE, "T-1", TOO_LONG),
        TransactionError::Encoding(_) => (StatusCode::BAD_REQUEST, "T-1", "encode it as sdk/spec/encoding.md says"),
        TransactionError::OtherNetwork { .. } => (unprocessable, "T-3", "sign for the network of /v1/network"),
        TransactionError::Signatures => (unprocessable, "T-4", "sign with one to four keys, in rising order"),
        TransactionError::UnknownMember { .. } => (unprocessable, "T-4", "look the member up in /v1/members"),
        TransactionError::UnknownKey { .. } => (unprocessable, "T-4", "sign with a key the member has now"),
        TransactionError::BadSignature { .. } => (unprocessable, "T-4", "sign again with the key that is named"),
        TransactionError::Window { .. } => (unprocessable, "T-5", "sign again with a height inside the window"),
        TransactionError::Recovery => {
            (StatusCode::UNPROCESSABLE_ENTITY, "T-7", "give it to each node: fengni-node recover")
        }
        TransactionError::LaterVersion { .. } => {
            (unprocessable, "T-8", "wait until members have voted for that version")
        }
        TransactionError::Replay => (StatusCode::CONFLICT, "T-6", "read its outcome at /v1/transactions/{id}"),
    };
    Kind { status, name: "transaction-refused", title: "the transaction can be in no block", rule, next }
}

const TOO_LONG: &str = "split the operation over several transactions";
const _: () = assert!(TRANSACTION_BYTES < super::limits::BATCH_BYTES, "a batch holds the largest transaction");

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let kind = self.kind();
        let body = serde_json::to_vec(&self.problem(&kind)).expect("problem details are plain data");
        let mut response = (kind.status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if kind.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if let Self::Method { allow } = self {
            headers.insert(header::ALLOW, HeaderValue::from_static(allow));
        }
        if matches!(self, Self::BodyTooLong | Self::BodyTimeout | Self::BodyBroken | Self::Overloaded) {
            // What is left of the body is not worth reading.
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response.extensions_mut().insert(ProblemName(kind.name));
        response
    }
}

/// Left in a response for the counters.
#[derive(Clone, Copy)]
pub(crate) struct ProblemName(pub(crate) &'static str);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n3_a_problem_names_its_rule_and_the_next_step() {
        let error = ApiError::TooManyPlaces { found: 5000 };
        let details = serde_json::to_value(error.details()).expect("plain data");
        assert_eq!(details["type"], "urn:fengni:problem:too-many-places");
        assert_eq!(details["status"], 400);
        assert_eq!(details["rule"], "N-6");
        assert_eq!(details["detail"], "the places weigh 5000, more than 4096; a line weighs 16");
        assert!(details["next"].as_str().is_some_and(|next| !next.is_empty()));
    }

    #[test]
    fn n3_a_refused_transaction_names_the_ledgers_rule() {
        let error = ApiError::of_submission(SubmitError::Invalid(TransactionError::Replay), None);
        assert_eq!((error.kind().status.as_u16(), error.kind().rule), (409, "T-6"));
    }
}
