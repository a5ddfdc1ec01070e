//! What the listeners show: the ledger, the pool and consensus behind one front.

use std::collections::BTreeSet;
use std::sync::Arc;

use fengni_core::bytes::Bytes;
use fengni_core::id::CertificateId;
use fengni_core::light::{Handover, Recovery, SignedCheckpoint};
use fengni_core::outcome::Outcome;
use fengni_core::pack::{Basis, Pack, Subscription};
use fengni_core::proof::{OutcomeProof, Place, StateProof};
use fengni_core::record::{DoubleSigning, KeyPurpose, Member};
use fengni_core::transaction::TransactionId;
use fengni_core::{
    BookNumber, CommitCertificate, Domain, Header, Height, KeyNumber, LinePlace, MemberNumber, PageNumber, PublicKey,
    SecretKey,
};
use fengni_genesis::Genesis;
use fengni_state::{ProveError, line_places};
use tokio::sync::watch;

use crate::api::{NodeMode, NodeStatus, Readiness, Ready, Source, Submit, SubmitError};
use crate::config::Mode;
use crate::doctor::{Doctor, Finding, Level, Vitals};
use crate::engine::{Chain as _, HealthView};
use crate::ledger::{AdmitError, FinalState, Ledger};
use crate::membership;
use crate::network::{Mesh, Roster};
use crate::selfcheck::{CheckError, Checking, Checks};
use crate::spread::Spread;

/// Proofs against validators in one answer.
const EVIDENCE_MAX: usize = 64;

/// The node, as its listeners see it.
pub struct Service {
    genesis: Vec<u8>,
    name: String,
    ledger: Arc<Ledger>,
    spread: Spread,
    health: HealthView,
    consensus: Mesh,
    transactions: Mesh,
    roster: Roster,
    mode: Mode,
    doctor: Doctor,
    /// Names the node on the network, and signs what it vouches for.
    peer_key: SecretKey,
    checks: Checks,
}

impl Service {
    /// Puts the parts behind one front.
    ///
    /// - `own`: the node's own part: its mode, what it examines of itself, its peer key, and looks at
    ///   its store.
    pub fn new(
        genesis: &Genesis,
        ledger: Arc<Ledger>,
        spread: Spread,
        health: HealthView,
        meshes: (Mesh, Mesh),
        roster: Roster,
        own: (Mode, Doctor, SecretKey, Checks),
    ) -> Self {
        Self {
            genesis: genesis.encode(),
            name: genesis.name.clone(),
            ledger,
            spread,
            health,
            consensus: meshes.0,
            transactions: meshes.1,
            roster,
            mode: own.0,
            doctor: own.1,
            peer_key: own.2,
            checks: own.3,
        }
    }
}

/// The number of a member's key with which its node may vouch at a height.
fn peer_key_number(member: &Member, key: &PublicKey, height: Height) -> Option<KeyNumber> {
    let is_it = |known: &fengni_core::record::MemberKey| {
        known.purpose == KeyPurpose::Peer && known.key == *key && known.is_valid_at(height)
    };
    Some(KeyNumber(u16::try_from(member.keys.iter().position(is_it)?).ok()?))
}

impl Source for Service {
    fn genesis(&self) -> &[u8] {
        &self.genesis
    }

    fn network_name(&self) -> &str {
        &self.name
    }

    fn domain(&self) -> Domain {
        *self.ledger.domain()
    }

    fn latest(&self) -> Option<Arc<FinalState>> {
        self.ledger.latest()
    }

    fn at(&self, height: Height) -> Option<Arc<FinalState>> {
        self.ledger.at(height)
    }

    fn prove(&self, at: &FinalState, places: Vec<Place>) -> Result<StateProof, ProveError> {
        self.ledger.prove(at, places)
    }

    fn line_places(&self, at: &FinalState, place: LinePlace, verifier: Option<MemberNumber>) -> BTreeSet<Place> {
        line_places(&at.state, self.ledger.store(), place, verifier)
    }

    fn find_line(&self, identifier: &CertificateId) -> Option<LinePlace> {
        self.ledger.state().find_line(self.ledger.store(), identifier)
    }

    fn history_places(&self, at: &FinalState, place: LinePlace) -> BTreeSet<Place> {
        self.ledger.history_places(at, place)
    }

    fn block(&self, height: Height) -> Option<(Vec<u8>, CommitCertificate)> {
        let store = self.ledger.store();
        Some((store.body(height)?, store.finality(height)?.certificate))
    }

    fn outcomes(&self, height: Height) -> Option<Vec<Outcome>> {
        self.ledger.store().outcomes(height)
    }

    fn kept_from(&self) -> Height {
        self.ledger.store().kept_from()
    }

    fn final_header(&self, height: Height) -> Option<(Header, CommitCertificate)> {
        self.ledger.finality(height)
    }

    fn handovers(&self, since: Height) -> Vec<Handover> {
        self.ledger.handovers(since)
    }

    fn recoveries(&self, since: Height) -> Vec<Recovery> {
        self.ledger.recoveries(since)
    }

    fn checkpoint(&self, at: &FinalState) -> Option<SignedCheckpoint> {
        let member = membership::find(&at.state, &self.doctor.own.code)?;
        let key = peer_key_number(at.state.member(member)?, &self.peer_key.public(), at.header.height)?;
        Some(SignedCheckpoint::sign(at.checkpoint(), member, key, &self.peer_key))
    }

    fn page_lines(&self, at: &FinalState, book: BookNumber, page: PageNumber) -> Option<Vec<u8>> {
        self.ledger.page_lines(at, book, page)
    }

    fn pack(&self, at: &FinalState, subscription: Subscription, basis: Option<&Basis>) -> Pack {
        let (header, certificate) = (at.header.clone(), at.certificate.clone());
        fengni_state::pack(&at.state, self.ledger.store(), header, certificate, subscription, basis)
    }

    fn outcome(&self, id: &TransactionId) -> Option<OutcomeProof> {
        self.ledger.outcome(id)
    }

    fn is_pending(&self, id: &TransactionId) -> bool {
        self.ledger.pool().contains(id)
    }

    fn heights(&self) -> watch::Receiver<Height> {
        self.ledger.heights()
    }

    fn readiness(&self) -> Readiness {
        let health = self.health.look();
        let behind = behind(&health);
        let verdict = if let Some(damage) = self.ledger.damage() {
            Ready::NotReady { reason: format!("its store is damaged: {damage}") }
        } else if health.ready {
            Ready::Ready
        } else {
            Ready::NotReady { reason: health.reason.unwrap_or_else(|| "not following the network".to_owned()) }
        };
        Readiness { verdict, height: health.last_final, behind }
    }

    fn evidence(&self) -> Vec<DoubleSigning> {
        self.ledger.store().evidence(EVIDENCE_MAX)
    }

    fn examine(&self) -> Vec<Finding> {
        let health = self.health.look();
        let vitals = Vitals {
            unready: health.reason.filter(|_| !health.ready),
            connected: self.consensus.peers().iter().filter_map(|peer| self.roster.member(peer)).collect(),
            ahead_millis: self.ledger.ahead_millis(),
            versions: self
                .health
                .versions()
                .into_iter()
                .filter_map(|(peer, version)| Some((self.roster.member(&peer)?, version)))
                .collect(),
        };
        let mut findings = self.doctor.examine_running(&self.ledger.state(), &vitals);
        findings.push(match (self.ledger.damage(), self.checks.now()) {
            (Some(damage), _) => Finding::new("store", Level::Fail, format!("it is damaged: {damage}")),
            (None, Checking::Done { report }) => {
                Finding::new("store", Level::Ok, format!("every entry was sound at height {}", report.height))
            }
            (None, _) => Finding::new("store", Level::Ok, "the newest blocks and every list were sound at the start"),
        });
        findings
    }

    fn damage(&self) -> Option<String> {
        self.ledger.damage().map(ToOwned::to_owned)
    }

    fn begin_check(&self) -> Result<(), CheckError> {
        self.checks.begin()
    }

    fn checked(&self) -> Checking {
        self.checks.now()
    }

    fn status(&self) -> NodeStatus {
        let health = self.health.look();
        let state = self.ledger.state();
        let count = |peers: usize| u64::try_from(peers).unwrap_or(u64::MAX);
        NodeStatus {
            mode: match self.mode {
                Mode::Validator => NodeMode::Validator,
                Mode::Observer => NodeMode::Observer,
            },
            version: env!("CARGO_PKG_VERSION").to_owned(),
            protocol: state.parameters().protocol,
            speaks: self.ledger.speaks(),
            member: self.ledger.voter(),
            height: state.height(),
            time: state.time(),
            behind: behind(&health),
            kept_from: self.kept_from(),
            peers: count(self.consensus.peers().len()),
            transaction_peers: count(self.transactions.peers().len()),
            pool_transactions: count(self.ledger.pool().len()),
            pool_bytes: count(self.ledger.pool().bytes()),
        }
    }
}

fn behind(health: &crate::engine::Health) -> u64 {
    health.network_final.0.saturating_sub(health.last_final.0)
}

impl Submit for Service {
    fn submit(&self, bytes: Vec<u8>) -> Result<TransactionId, SubmitError> {
        let (id, _) = self.ledger.admit(bytes.clone()).map_err(|error| match error {
            AdmitError::Invalid(error) => SubmitError::Invalid(error),
            AdmitError::Full => SubmitError::Full,
        })?;
        // One that waits already is sent again: the caller repeats it because something was lost.
        if !self.spread.send(Bytes(bytes)) {
            if self.mode == Mode::Observer {
                // An observer has no turn of its own: what it cannot pass on would only wait here.
                return Err(SubmitError::Full);
            }
            tracing::debug!(transaction = %id, "too many transactions gather: this one waits for this node's turn");
        }
        Ok(id)
    }
}
