//! A provider's gateway, as requesters and holders ask it. Nothing that it says is believed: what counts is
//! signed, or proven by the ledger. Rules I-25 to I-28.

use std::sync::Arc;
use std::time::Duration;

use fengni_core::sharing::{SignedAccess, SignedHolderQuestion};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::wire::{Answered, BatchLeaves, Countersignatures, HeldReceipts, Withdrawal, Withdrawn};
use crate::gateway::Trouble;
use crate::problem::Problem;
use crate::transport::{Http, HttpOptions, Request, Transport, UrlError};

/// Bytes of an answer: of a hundred questions with every item, or of the leaves of a full batch.
const ANSWER_BYTES: usize = 16 * 1024 * 1024;
/// How much longer than usual an answer may take: a provider asks its database, or waits for a block.
const PATIENCE: Duration = Duration::from_secs(15);

/// One provider's gateway.
#[derive(Clone)]
pub struct Provider(Arc<dyn Transport>);

impl Provider {
    /// The gateway at the other end of a transport.
    pub fn new(transport: Arc<dyn Transport>) -> Self {
        Self(transport)
    }

    /// The gateway at a URL.
    ///
    /// # Errors
    /// [`UrlError`].
    pub fn http(url: &str, options: &HttpOptions) -> Result<Self, UrlError> {
        Ok(Self::new(Arc::new(Http::new(url, options)?)))
    }

    /// Its name in messages, usually its URL.
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// Asks for data. The same access may be asked again: nothing counts twice.
    ///
    /// # Errors
    /// [`Trouble`].
    pub fn access(&self, signed: &SignedAccess) -> Result<Answered, Trouble> {
        self.post("/v1/access", signed)
    }

    /// Hands over the requester's signatures over receipts.
    ///
    /// # Errors
    /// [`Trouble`].
    pub fn countersign(&self, signatures: &Countersignatures) -> Result<(), Trouble> {
        self.post::<serde_json::Value>("/v1/receipts/countersign", signatures).map(drop)
    }

    /// The batch in which a receipt is, by the receipt's number, with its leaves.
    ///
    /// # Errors
    /// [`Trouble`].
    pub fn batch(&self, receipt: u64) -> Result<BatchLeaves, Trouble> {
        self.ask(format!("/v1/batches/{receipt}"), None)
    }

    /// The receipts about what a key signed.
    ///
    /// # Errors
    /// [`Trouble`].
    pub fn mine(&self, question: &SignedHolderQuestion) -> Result<HeldReceipts, Trouble> {
        self.post("/v1/mine", question)
    }

    /// Lets the provider bring a withdrawal to the ledger.
    ///
    /// # Errors
    /// [`Trouble`].
    pub fn withdraw(&self, withdrawal: &Withdrawal) -> Result<Withdrawn, Trouble> {
        self.post("/v1/withdraw", withdrawal)
    }

    fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, Trouble> {
        let body = serde_json::to_vec(body).map_err(|error| Trouble::Malformed(error.to_string()))?;
        self.ask(path.to_owned(), Some(&body))
    }

    fn ask<T: DeserializeOwned>(&self, path: String, body: Option<&[u8]>) -> Result<T, Trouble> {
        let request = Request { path, body, limit: ANSWER_BYTES, patience: PATIENCE };
        let response = self.0.exchange(&request).map_err(Trouble::Unreachable)?;
        if response.status != 200 {
            return Err(Trouble::Refused(Problem::read(response.status, &response.body)));
        }
        // What is wrong in it could be a value of somebody's record, and is not repeated.
        serde_json::from_slice(&response.body).map_err(|_| Trouble::Malformed("not what a provider answers".into()))
    }
}
