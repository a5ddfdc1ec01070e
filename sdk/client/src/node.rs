//! A node's HTTP routes, typed. What they give is decoded and not yet believed.

use std::sync::Arc;
use std::time::Duration;

use fengni_core::block::Header;
use fengni_core::book::Line;
use fengni_core::bytes::Bytes;
use fengni_core::codec;
use fengni_core::finality::CommitCertificate;
use fengni_core::id::CertificateId;
use fengni_core::light::{Handover, Recovery, SignedCheckpoint};
use fengni_core::limits::{BLOCK_BYTES, HANDOVERS_BYTES, PACK_BYTES, PAGE_LINES, PROOF_BYTES, RECOVERIES_BYTES};
use fengni_core::outcome::Outcome;
use fengni_core::pack::{Basis, Subscription};
use fengni_core::proof::{OutcomeProof, Place, ProofError, StateProof};
use fengni_core::transaction::TransactionId;
use fengni_core::{BookNumber, Height, LinePlace, MemberNumber, PageNumber};
use fengni_genesis::{FOUNDING_BYTES, Genesis};
use serde::Deserialize;

use crate::gateway::Trouble;
use crate::problem::Problem;
use crate::transport::{Download, Request, Response, Transport};
use crate::trust;

/// Bytes of a header with its commit certificate, at most.
const HEADER_BYTES: usize = 256 * 1024;
/// Bytes of a JSON answer, at most.
const JSON_BYTES: usize = 1024 * 1024;
/// The longest a node holds a question open (`sdk/spec/http.md`, rule N-11).
const WAIT_MAX: Duration = Duration::from_secs(10);
/// Bytes of a problem, at most; every answer may be one.
const PROBLEM_BYTES: usize = 64 * 1024;

/// One node and its routes.
#[derive(Clone)]
pub struct Node(Arc<dyn Transport>);

/// What a relay says to one transaction of a batch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Relayed {
    /// Taken into the pool, or known already.
    Accepted(TransactionId),
    /// Not taken, in the relay's words.
    NotTaken(Problem),
}

impl Node {
    /// The node at the other end of a transport.
    pub fn new(transport: Arc<dyn Transport>) -> Self {
        Self(transport)
    }

    /// Its name in messages.
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// The founding document. Compare its network id with one from another source.
    ///
    /// # Errors
    /// [`Trouble`].
    pub fn genesis(&self) -> Result<Genesis, Trouble> {
        let bytes = self.get("/v1/genesis".into(), FOUNDING_BYTES, Duration::ZERO)?;
        Genesis::decode(&bytes).map_err(malformed)
    }

    /// The newest final header the node has.
    ///
    /// # Errors
    /// [`Trouble`].
    pub fn latest_header(&self) -> Result<(Header, CommitCertificate), Trouble> {
        self.header_at("/v1/headers/latest".into())
    }

    /// The final header of a height.
    ///
    /// # Errors
    /// [`Trouble`].
    pub fn header(&self, height: Height) -> Result<(Header, CommitCertificate), Trouble> {
        self.header_at(format!("/v1/headers/{height}"))
    }

    /// The first handovers above a height, rising; none where no more is known. Rule N-23.
    ///
    /// # Errors
    /// [`Trouble`].
    pub fn handovers(&self, since: Height) -> Result<Vec<Handover>, Trouble> {
        let bytes = self.get(format!("/v1/handovers?since={since}"), HANDOVERS_BYTES, Duration::ZERO)?;
        codec::decode(&bytes, HANDOVERS_BYTES).map_err(malformed)
    }

    /// The first recoveries whose first block is above a height, rising. Rule N-27.
    ///
    /// # Errors
    /// [`Trouble`].
    pub fn recoveries(&self, since: Height) -> Result<Vec<Recovery>, Trouble> {
        let bytes = self.get(format!("/v1/recoveries?since={since}"), RECOVERIES_BYTES, Duration::ZERO)?;
        codec::decode(&bytes, RECOVERIES_BYTES).map_err(malformed)
    }

    /// The checkpoint of its newest height in the word of the node's member. Rule N-24.
    ///
    /// # Errors
    /// [`Trouble`]; a problem with status 404 where the node vouches for nothing.
    pub fn checkpoint(&self) -> Result<SignedCheckpoint, Trouble> {
        codec::decode(&self.get("/v1/checkpoint".into(), HEADER_BYTES, Duration::ZERO)?, HEADER_BYTES)
            .map_err(malformed)
    }

    fn header_at(&self, path: String) -> Result<(Header, CommitCertificate), Trouble> {
        codec::decode(&self.get(path, HEADER_BYTES, Duration::ZERO)?, HEADER_BYTES).map_err(malformed)
    }

    /// The encoded block of a height, and its commit certificate.
    ///
    /// # Errors
    /// [`Trouble`].
    pub fn block(&self, height: Height) -> Result<(Bytes, CommitCertificate), Trouble> {
        let limit = BLOCK_BYTES + HEADER_BYTES;
        codec::decode(&self.get(format!("/v1/blocks/{height}"), limit, Duration::ZERO)?, limit).map_err(malformed)
    }

    /// What became of the transactions of a block, in order.
    ///
    /// # Errors
    /// [`Trouble`].
    pub fn outcomes(&self, height: Height) -> Result<Vec<Outcome>, Trouble> {
        let path = format!("/v1/blocks/{height}/outcomes");
        codec::decode(&self.get(path, BLOCK_BYTES, Duration::ZERO)?, BLOCK_BYTES).map_err(malformed)
    }

    /// A proof of exactly these places, at the newest height or at one of the newest 1,024.
    ///
    /// # Errors
    /// [`Trouble`].
    pub fn proof(&self, places: &[Place], height: Option<Height>) -> Result<StateProof, Trouble> {
        let places: Vec<String> = places.iter().map(Place::to_string).collect();
        let mut path = format!("/v1/proofs?places={}", places.join(","));
        push_query(&mut path, "height", height);
        self.state_proof(path)
    }

    /// A proof of all that a verifier needs to judge one line.
    ///
    /// - `service`: the identity service that a code names, whose record is needed too.
    ///
    /// # Errors
    /// [`Trouble`].
    pub fn line_proof(
        &self,
        place: LinePlace,
        verifier: Option<MemberNumber>,
        service: Option<MemberNumber>,
        height: Option<Height>,
    ) -> Result<StateProof, Trouble> {
        let mut path = format!("/v1/proofs/line?book={}&line={}", place.book, place.line);
        push_query(&mut path, "verifier", verifier);
        push_query(&mut path, "service", service);
        push_query(&mut path, "height", height);
        self.state_proof(path)
    }

    /// As [`Node::line_proof`], for the current line of an identifier, wherever it stands.
    ///
    /// # Errors
    /// [`Trouble`]; a problem with status 404 where the node finds no such line.
    pub fn identifier_proof(
        &self,
        identifier: &CertificateId,
        verifier: Option<MemberNumber>,
    ) -> Result<StateProof, Trouble> {
        let mut path = format!("/v1/proofs/identifier/{identifier}");
        if let Some(verifier) = verifier {
            path.push_str(&format!("?verifier={verifier}"));
        }
        self.state_proof(path)
    }

    /// A line with its seal, its acts, and the lines that took its place, at the newest height or at one
    /// of the newest 1,024.
    ///
    /// # Errors
    /// [`Trouble`].
    pub fn history(&self, place: LinePlace, height: Option<Height>) -> Result<StateProof, Trouble> {
        let at = height.map_or_else(String::new, |height| format!("?height={height}"));
        self.state_proof(format!("/v1/history/{}/{}{at}", place.book, place.line))
    }

    fn state_proof(&self, path: String) -> Result<StateProof, Trouble> {
        StateProof::decode(&self.get(path, PROOF_BYTES, Duration::ZERO)?).map_err(malformed)
    }

    /// The lines of a page, as many as there are.
    ///
    /// # Errors
    /// [`Trouble`].
    pub fn page_lines(&self, book: BookNumber, page: PageNumber) -> Result<Vec<Line>, Trouble> {
        const LINE_BYTES: usize = 48;
        let limit = usize::try_from(PAGE_LINES).unwrap_or(usize::MAX).saturating_mul(LINE_BYTES);
        let bytes = self.get(format!("/v1/pages/{book}/{page}"), limit, Duration::ZERO)?;
        let (lines, rest) = bytes.as_chunks::<LINE_BYTES>();
        if !rest.is_empty() {
            return Err(Trouble::Malformed(format!("{} bytes are no whole number of lines", bytes.len())));
        }
        Ok(lines.iter().map(Line::from_bytes).collect())
    }

    /// What became of a transaction; `None` while it waits for a block.
    ///
    /// # Errors
    /// [`Trouble`]; a problem with status 404 where the node does not know it.
    pub fn transaction(&self, id: TransactionId, wait: Duration) -> Result<Option<OutcomeProof>, Trouble> {
        let wait = wait.min(WAIT_MAX);
        let path = format!("/v1/transactions/{id}?wait_millis={}", wait.as_millis());
        match self.answer(&Request { path, body: None, limit: PROOF_BYTES, patience: wait })? {
            Response { status: 200, body } => outcome(&body).map(Some),
            Response { status: 202, .. } => Ok(None),
            other => Err(unexpected(&other)),
        }
    }

    /// Hands over a signed transaction; the proof of its outcome if that comes in time.
    ///
    /// # Errors
    /// [`Trouble`].
    pub fn submit(&self, transaction: &[u8], wait: Duration) -> Result<Option<OutcomeProof>, Trouble> {
        let wait = wait.min(WAIT_MAX);
        let path = format!("/v1/transactions?wait_millis={}", wait.as_millis());
        match self.answer(&Request { path, body: Some(transaction), limit: PROOF_BYTES, patience: wait })? {
            Response { status: 200, body } => outcome(&body).map(Some),
            Response { status: 202, .. } => Ok(None),
            other => Err(unexpected(&other)),
        }
    }

    /// Hands over several signed transactions, each taken or not by itself.
    ///
    /// # Errors
    /// [`Trouble`].
    pub fn submit_batch(&self, transactions: &[Bytes]) -> Result<Vec<Relayed>, Trouble> {
        #[derive(Deserialize)]
        struct Entry {
            id: Option<TransactionId>,
            error: Option<Problem>,
        }
        let body = codec::encode(transactions);
        let path = "/v1/transactions/batch".into();
        let request = Request { path, body: Some(&body), limit: JSON_BYTES, patience: Duration::ZERO };
        let response = self.answer(&request)?;
        if !(200..300).contains(&response.status) {
            return Err(unexpected(&response));
        }
        let entries: Vec<Entry> = serde_json::from_slice(&response.body).map_err(malformed)?;
        if entries.len() != transactions.len() {
            return Err(Trouble::Malformed("the batch has another number of answers".into()));
        }
        let relayed = |entry: Entry| match (entry.id, entry.error) {
            (Some(id), None) => Relayed::Accepted(id),
            (_, problem) => Relayed::NotTaken(problem.unwrap_or_default().cleaned()),
        };
        Ok(entries.into_iter().map(relayed).collect())
    }

    /// A body that can only come with status 200.
    /// A trust pack of a subscription, full or on top of a basis. Rule N-20.
    ///
    /// - `attempts`: how often a download that broke off is taken up again.
    /// - `progress`: told how many bytes have come, and of how many if that is known.
    ///
    /// # Errors
    /// [`Trouble`].
    pub fn pack(
        &self,
        subscription: &Subscription,
        basis: Option<&Basis>,
        attempts: usize,
        progress: &mut dyn FnMut(usize, Option<usize>),
    ) -> Result<Vec<u8>, Trouble> {
        let mut download = Download::default();
        let mut reason = String::new();
        for _ in 0..attempts {
            // The rest must be of the same state.
            let path = format!("/v1/packs?{}", trust::query(subscription, basis, download.height));
            let request = Request { path, body: None, limit: PACK_BYTES, patience: Duration::ZERO };
            match self.0.download(&request, &mut download, progress) {
                Ok(()) if matches!(download.status, 200 | 206) => return Ok(download.bytes),
                Ok(()) => return Err(Trouble::Refused(Problem::read(download.status, &download.bytes))),
                Err(error) if download.bytes.is_empty() => return Err(Trouble::Unreachable(error)),
                Err(error) => reason = error,
            }
        }
        Err(Trouble::Unreachable(reason))
    }

    fn get(&self, path: String, limit: usize, patience: Duration) -> Result<Vec<u8>, Trouble> {
        let response = self.answer(&Request { path, body: None, limit, patience })?;
        if response.status == 200 { Ok(response.body) } else { Err(unexpected(&response)) }
    }

    fn answer(&self, request: &Request<'_>) -> Result<Response, Trouble> {
        let request = Request { limit: request.limit.max(PROBLEM_BYTES), ..request.clone() };
        self.0.exchange(&request).map_err(Trouble::Unreachable)
    }
}

fn push_query(path: &mut String, name: &str, value: Option<impl ToString>) {
    if let Some(value) = value {
        path.push_str(&format!("&{name}={}", value.to_string()));
    }
}

fn outcome(body: &[u8]) -> Result<OutcomeProof, Trouble> {
    OutcomeProof::decode(body).map_err(|error: ProofError| malformed(error))
}

fn malformed(error: impl ToString) -> Trouble {
    Trouble::Malformed(error.to_string())
}

fn unexpected(response: &Response) -> Trouble {
    Trouble::Refused(Problem::read(response.status, &response.body))
}
