//! Problems: every answer that is not what was asked for, as RFC 9457 problem details.
//!
//! None repeats what was asked: it may hold somebody's number. Rule I-28.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use fengni_core::sharing::{AccessRefusal, HolderQuestionError};
use serde::Serialize;
use thiserror::Error;
use utoipa::ToSchema;

use crate::data::DataTrouble;
use crate::desk::DeskError;
use crate::journal::JournalError;
use crate::register::RegisterTrouble;

/// The media type of problem details.
pub(super) const PROBLEM_JSON: &str = "application/problem+json";

/// Why a request is not answered.
#[derive(Debug, Error)]
pub(super) enum Problem {
    /// Nothing at this address.
    #[error("there is nothing at this address")]
    Route,
    /// Another method.
    #[error("this method is not offered here")]
    Method,
    /// The body is no JSON of the right kind; where it stops being that.
    #[error("the body is not what this address takes, at line {line}, column {column}")]
    Body {
        /// Line, from 1.
        line: usize,
        /// Column.
        column: usize,
    },
    /// A parameter.
    #[error("a parameter is missing, unknown or malformed")]
    Parameter,
    /// The body is too long, or broke off.
    #[error("the body is longer than this address takes, or did not arrive in full")]
    BodyLength,
    /// It is said to be something else.
    #[error("a body is sent as application/json")]
    MediaType,
    /// No entry.
    #[error("at least one at a time")]
    TooFew,
    /// Too many entries.
    #[error("at most {0} at a time")]
    TooMany(usize),
    /// More asked than can be answered.
    #[error("the gateway is busy")]
    Overloaded,
    /// It took too long.
    #[error("the answer took too long")]
    Timeout,
    /// The desk.
    #[error(transparent)]
    Desk(#[from] DeskError),
    /// A signature over a receipt is not its requester's.
    #[error("the signature over receipt {0} is not its requester's")]
    Countersignature(u64),
    /// No such receipt or batch.
    #[error("there is no such {0}")]
    Unknown(&'static str),
    /// A holder's question that is not answered.
    #[error(transparent)]
    Question(#[from] HolderQuestionError),
    /// An identity that is not proven.
    #[error("the identity is not that of a certificate in force")]
    Identity,
    /// It withdraws nothing.
    #[error("this withdraws no grant: there is none at that place, or it commits to something else")]
    OtherGrant,
    /// It was withdrawn before.
    #[error("the grant is withdrawn already")]
    Withdrawn,
    /// The withdrawal could not be brought to the ledger.
    #[error("the withdrawal could not be brought to the ledger")]
    NotWithdrawn,
    /// A fault of this program.
    #[error("the gateway met a fault of its own")]
    Fault,
}

impl From<RegisterTrouble> for Problem {
    fn from(error: RegisterTrouble) -> Self {
        Self::Desk(error.into())
    }
}

impl From<JournalError> for Problem {
    fn from(error: JournalError) -> Self {
        Self::Desk(error.into())
    }
}

/// Problem details.
#[derive(Serialize, ToSchema)]
pub(super) struct Details {
    /// Names the kind of problem, for life.
    #[serde(rename = "type")]
    #[schema(example = "urn:fengni:problem:access-refused")]
    kind: String,
    /// HTTP status.
    status: u16,
    /// This case.
    detail: String,
    /// The word of a refusal, for life.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "NOT_SIGNED")]
    code: Option<&'static str>,
    /// What to do.
    next: &'static str,
}

/// Left in a response for the counters.
#[derive(Clone, Copy)]
pub(super) struct ProblemName(pub(super) &'static str);

const AGAIN: &str = "ask the same again after the seconds of retry-after: nothing was used";
const OPERATOR: &str = "tell the operator of this gateway, whose log and status say more";

impl Problem {
    fn kind(&self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::Route => (StatusCode::NOT_FOUND, "no-such-address", "see /openapi.json"),
            Self::Method => (StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "see /openapi.json"),
            Self::Body { .. } => (StatusCode::BAD_REQUEST, "bad-body", "see /openapi.json and sdk/spec/gateway.md"),
            Self::Parameter => (StatusCode::BAD_REQUEST, "bad-parameter", "see /openapi.json"),
            Self::BodyLength => (StatusCode::PAYLOAD_TOO_LARGE, "body-too-long", "send less at a time"),
            Self::MediaType => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "media-type", "set content-type to application/json")
            }
            Self::TooFew => (StatusCode::BAD_REQUEST, "too-few", "send one at least"),
            Self::TooMany(_) => (StatusCode::BAD_REQUEST, "too-many", "send less at a time"),
            Self::Overloaded => (StatusCode::SERVICE_UNAVAILABLE, "overloaded", AGAIN),
            Self::Timeout => (
                StatusCode::SERVICE_UNAVAILABLE,
                "late",
                "ask the same again: what was used is in the answer, and is counted once",
            ),
            Self::Desk(error) => desk_kind(error),
            Self::Countersignature(_) => {
                (StatusCode::FORBIDDEN, "bad-countersignature", "sign with an application key that is in force")
            }
            Self::Unknown(_) => (StatusCode::NOT_FOUND, "unknown", "see /v1/batches"),
            Self::Question(_) => {
                (StatusCode::FORBIDDEN, "question-refused", "sign the question again, for this provider")
            }
            Self::Identity => {
                (StatusCode::FORBIDDEN, "identity-refused", "ask with a certificate in force, or without an identity")
            }
            Self::OtherGrant => (StatusCode::FORBIDDEN, "other-grant", "compare with the wallet's file of the grant"),
            Self::Withdrawn => (StatusCode::CONFLICT, "withdrawn", "nothing: it counts for no new access"),
            Self::NotWithdrawn => (
                StatusCode::SERVICE_UNAVAILABLE,
                "not-withdrawn",
                "bring it again, here or to any other member: the wallet's secret is the authority",
            ),
            Self::Fault => (StatusCode::INTERNAL_SERVER_ERROR, "fault", OPERATOR),
        }
    }

    fn code(&self) -> Option<&'static str> {
        match self {
            Self::Desk(DeskError::Refused(refusal)) => Some(refusal.word()),
            Self::Desk(DeskError::Register(_)) => Some(AccessRefusal::Stale.word()),
            _ => None,
        }
    }

    /// What a stranger may read: a database's or disk's own words are for the log.
    fn detail(&self) -> String {
        match self {
            Self::Desk(DeskError::Data(_)) => "the department's data cannot be read now".to_owned(),
            Self::Desk(DeskError::Journal(error)) if matches!(**error, JournalError::Busy) => error.to_string(),
            Self::Desk(DeskError::Journal(_) | DeskError::Random(_)) => "the gateway met a fault of its own".to_owned(),
            Self::Desk(DeskError::Register(_)) => "nothing recent is known of the ledger".to_owned(),
            other => other.to_string(),
        }
    }
}

fn desk_kind(error: &DeskError) -> (StatusCode, &'static str, &'static str) {
    match error {
        DeskError::Refused(refusal) if refusal.is_undecided() => (StatusCode::SERVICE_UNAVAILABLE, "stale", AGAIN),
        DeskError::Refused(_) => (StatusCode::FORBIDDEN, "access-refused", "see the word in sdk/spec/access.md, I-11"),
        DeskError::Busy => (StatusCode::SERVICE_UNAVAILABLE, "being-answered", AGAIN),
        DeskError::ReplyKey => (StatusCode::UNPROCESSABLE_ENTITY, "bad-reply-key", "give a fresh X25519 key"),
        DeskError::Register(_) => (StatusCode::SERVICE_UNAVAILABLE, "stale", AGAIN),
        DeskError::Data(DataTrouble::Slow | DataTrouble::Unreachable) => {
            (StatusCode::SERVICE_UNAVAILABLE, "no-data", AGAIN)
        }
        DeskError::Data(_) => (StatusCode::INTERNAL_SERVER_ERROR, "no-data", OPERATOR),
        DeskError::Journal(error) => match **error {
            JournalError::Sign(_) => (StatusCode::SERVICE_UNAVAILABLE, "no-signature", AGAIN),
            JournalError::Busy => (StatusCode::SERVICE_UNAVAILABLE, "overloaded", AGAIN),
            _ => (StatusCode::INTERNAL_SERVER_ERROR, "fault", OPERATOR),
        },
        DeskError::Random(_) => (StatusCode::INTERNAL_SERVER_ERROR, "fault", OPERATOR),
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, name, next) = self.kind();
        if status.is_server_error() {
            // Its name alone: a reason may hold a place that leads to somebody's line.
            tracing::warn!(problem = name, "not answered");
        }
        let details = Details {
            kind: format!("urn:fengni:problem:{name}"),
            status: status.as_u16(),
            detail: self.detail(),
            code: self.code(),
            next,
        };
        let body = serde_json::to_vec(&details).expect("problem details are plain data");
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response.extensions_mut().insert(ProblemName(name));
        response
    }
}
