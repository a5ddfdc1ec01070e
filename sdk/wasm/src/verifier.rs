//! The verifier: a light client with a memory of codes, fed by whoever fetches.

use fengni_core::book::Tag;
use fengni_core::code::{AnyCode, Code};
use fengni_core::id::CertificateId;
use fengni_core::light::LightError;
use fengni_core::pack::Subscription;
use fengni_core::proof::{Place, Proven, StateProof};
use fengni_core::trust::TrustStore;
use fengni_core::verdict::Verdict;
use fengni_core::verify::{
    Context, Mode, ReplayCache, verify_code, verify_identifier, verify_static, verify_without_ledger,
};
use fengni_core::{LinePlace, Millis};
use serde::Serialize;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::answer::{Answer, json, moment, thrown};
use crate::proven;
use crate::question::Question;
use crate::trust;

/// Codes remembered at a time.
const CODES_REMEMBERED: usize = 20_000;

/// What a scanned or typed text is.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
enum Scanned {
    Code {
        book: u32,
        line: u64,
        purpose: u16,
        issued_secs: u64,
        expires_secs: u64,
        with_path: bool,
        /// The identity service that vouches for the holder: its record is needed too.
        service: Option<u32>,
    },
    Identifier {
        identifier: String,
    },
    /// A code on paper: it finds its document, and nobody was checked to be the holder.
    Static {
        identifier: String,
    },
    Malformed {
        verdict: Box<Verdict>,
    },
}

/// A verdict, and what was wrong with the proof it could not rest on.
#[derive(Serialize)]
pub(crate) struct Checked {
    pub(crate) verdict: Verdict,
    pub(crate) trouble: Option<Trouble>,
}

/// A gateway's shortcoming.
#[derive(Serialize)]
#[serde(tag = "kind", content = "message", rename_all = "kebab-case")]
pub(crate) enum Trouble {
    /// What it gave does not hold: worth a report.
    Lied(String),
    /// This client cannot judge it, for want of a handover or because quorums contradict.
    Unjudged(String),
    /// Its state is older than one that was seen.
    Behind(String),
}

impl From<LightError> for Trouble {
    fn from(error: LightError) -> Self {
        if error.is_fault_of_answer() { Self::Lied(error.to_string()) } else { Self::Unjudged(error.to_string()) }
    }
}

/// Follows one network from a checkpoint, judges codes and proofs, and remembers the codes it
/// has accepted.
#[wasm_bindgen]
pub struct Verifier {
    pub(crate) store: TrustStore,
    pub(crate) replays: ReplayCache,
}

#[wasm_bindgen]
impl Verifier {
    /// Begins at a checkpoint, in its encoding. Whoever chooses it chooses the network.
    ///
    /// # Errors
    /// Where the bytes are no checkpoint.
    #[wasm_bindgen(constructor)]
    pub fn new(checkpoint: &[u8]) -> Answer<Verifier> {
        let store = TrustStore::new(trust::checkpoint(checkpoint)?, Subscription::default());
        Ok(Self { store, replays: ReplayCache::new(CODES_REMEMBERED) })
    }

    /// Goes on where [`Verifier::save`] left off, so that no answer goes back.
    ///
    /// # Errors
    /// Where what was saved is damaged or of another network.
    pub fn resume(&mut self, saved: &[u8]) -> Answer<()> {
        trust::resume(self.store.light_mut(), saved)
    }

    /// What a device keeps of its light client between two uses.
    pub fn save(&self) -> Vec<u8> {
        trust::save(self.store.light())
    }

    /// Pins a newer checkpoint from an independent source.
    ///
    /// # Errors
    /// Where the bytes are no checkpoint, it is of another network, or would go back.
    pub fn pin(&mut self, checkpoint: &[u8]) -> Answer<()> {
        self.store.light_mut().pin(trust::checkpoint(checkpoint)?).map_err(thrown)
    }

    /// Follows handovers to the next sets of validators, as a gateway gives them; how many there
    /// were.
    ///
    /// # Errors
    /// Where one hands nothing over; those before it are followed.
    pub fn follow(&mut self, handovers: &[u8], now: f64) -> Answer<usize> {
        trust::follow(self.store.light_mut(), handovers, now)
    }

    /// Identity of the network.
    pub fn network(&self) -> String {
        self.store.light().domain().network.to_string()
    }

    /// Where trust stands: checkpoint, newest height, contradictions.
    pub fn trust(&self, now: f64) -> String {
        trust::show(self.store.light(), now)
    }

    /// What a scanned or typed text is, and where its line stands.
    pub fn place(&self, text: &str) -> String {
        let text = text.trim();
        let scanned = match (CertificateId::parse(text), AnyCode::parse(text)) {
            (Ok(identifier), _) => Scanned::Identifier { identifier: identifier.to_string() },
            (Err(_), Ok(AnyCode::Static(code))) => Scanned::Static { identifier: code.identifier.to_string() },
            (Err(_), Ok(AnyCode::Dynamic(code))) => Scanned::Code {
                book: code.shown.place.book.0,
                line: code.shown.place.line.0,
                purpose: code.terms.purpose.0,
                issued_secs: code.terms.issued_secs,
                expires_secs: code.expires_secs(),
                with_path: code.shown.path.is_known(),
                service: code.service().map(|member| member.0),
            },
            (Err(_), Err(error)) => Scanned::Malformed { verdict: Box::new(Verdict::malformed(&error)) },
        };
        json(&scanned)
    }

    /// Judges what was scanned or typed, by a gateway's proof or without one.
    ///
    /// Whatever is wrong with text or proof is in the answer.
    pub fn verify(&mut self, text: &str, proof: Option<Vec<u8>>, question: &Question, now: f64) -> String {
        let context = self.context(question, moment(now));
        let (proven, trouble) = match proof.map(|bytes| self.prove(&bytes, context.now)) {
            Some(Ok(proven)) => (Some(proven), None),
            Some(Err(trouble)) => (None, Some(trouble)),
            None => (None, None),
        };
        // The light client has moved on with what it was shown.
        let context = self.context(question, context.now);
        let text = text.trim();
        let verdict = if let Ok(identifier) = CertificateId::parse(text) {
            let judge = |found: Option<_>| verify_identifier(&identifier, found, &context);
            self.judge_record(&identifier, proven.as_ref(), question, trouble.is_some(), judge)
        } else {
            match AnyCode::parse(text) {
                Ok(AnyCode::Dynamic(code)) => {
                    self.judge_code(&code, proven.as_ref(), question, &context, trouble.is_some())
                }
                Ok(AnyCode::Static(code)) => {
                    let judge = |found: Option<_>| verify_static(&code, found, &context);
                    self.judge_record(&code.identifier, proven.as_ref(), question, trouble.is_some(), judge)
                }
                Err(error) => Verdict::malformed(&error),
            }
        };
        let behind = proven.as_ref().and_then(|proven| self.behind(proven));
        json(&Checked { verdict, trouble: trouble.or(behind) })
    }

    /// Reads a state proof: the members, reference codes and names of types that it proves, to choose
    /// from.
    ///
    /// # Errors
    /// Where it proves nothing, and why.
    #[wasm_bindgen(js_name = checkProof)]
    pub fn check_proof(&mut self, proof: &[u8], now: f64) -> Answer<String> {
        proven::check_proof(self.store.light_mut(), proof, now)
    }

    /// Reads a header with its certificate.
    ///
    /// # Errors
    /// Where no quorum stands behind it.
    #[wasm_bindgen(js_name = checkHeader)]
    pub fn check_header(&mut self, bytes: &[u8], now: f64) -> Answer<String> {
        proven::check_header(self.store.light_mut(), bytes, now)
    }
}

impl Verifier {
    pub(crate) fn context(&self, question: &Question, now: Millis) -> Context {
        Context {
            domain: *self.store.light().domain(),
            verifier: question.asked.verifier,
            purpose: question.asked.purpose,
            now,
            checkpoint_age_secs: self.store.light().checkpoint_age_secs(now),
            min_grade: question.asked.min_grade,
            min_assurance: question.asked.min_assurance,
            challenge: question.asked.challenge,
            mode: Mode::Online,
        }
    }

    fn prove(&mut self, bytes: &[u8], now: Millis) -> Result<Proven, Trouble> {
        let proof = StateProof::decode(bytes).map_err(|error| Trouble::Lied(error.to_string()))?;
        Ok(self.store.light_mut().prove(&proof, now)?)
    }

    /// Why nothing can rest on a proof: quorums that contradict one another outweigh any.
    fn obstacle(&self, question: &Question, troubled: bool) -> String {
        match self.store.light().evidence().first() {
            Some(evidence) => {
                format!("two final headers contradict one another at height {}", evidence.second.header.height)
            }
            None if troubled => "no node gives a proof that holds".to_owned(),
            None if question.not_found() => "no node finds it".to_owned(),
            None => question.unproven.clone().unwrap_or_else(|| "there is no node to ask".to_owned()),
        }
    }

    fn judge_code(
        &mut self,
        code: &Code,
        proven: Option<&Proven>,
        question: &Question,
        context: &Context,
        troubled: bool,
    ) -> Verdict {
        let verdict = match proven.filter(|_| self.store.light().evidence().is_empty()) {
            Some(proven) => verify_code(code, proven, context),
            None => verify_without_ledger(code, context, &self.obstacle(question, troubled)),
        };
        self.replays.admit(verdict, code, context)
    }

    /// What is recorded about a document, whose line the proof names by its tag.
    fn judge_record<'a>(
        &self,
        identifier: &CertificateId,
        proven: Option<&'a Proven>,
        question: &Question,
        troubled: bool,
        judge: impl Fn(Option<(LinePlace, &'a Proven)>) -> Verdict,
    ) -> Verdict {
        match proven.filter(|_| self.store.light().evidence().is_empty()) {
            Some(proven) => match line_of(proven, Tag::of(self.store.domain(), identifier)) {
                Some(place) => judge(Some((place, proven))),
                None => Verdict::unreachable("the proof lacks the line"),
            },
            None if !troubled && question.not_found() => judge(None),
            None => Verdict::unreachable(self.obstacle(question, troubled)),
        }
    }

    fn behind(&self, proven: &Proven) -> Option<Trouble> {
        let (height, newest) = (proven.header().height, self.store.light().newest()?.height);
        (height < newest).then(|| Trouble::Behind(format!("height {height}, where {newest} was seen before")))
    }
}

/// The line with a tag: the latest, where one took the place of another.
fn line_of(proven: &Proven, tag: Tag) -> Option<LinePlace> {
    let places = proven.places().filter_map(|place| match *place {
        Place::Line(book, line) => Some(LinePlace { book, line }),
        _ => None,
    });
    places.filter(|place| proven.line(*place).is_ok_and(|line| line.tag == tag)).last()
}
