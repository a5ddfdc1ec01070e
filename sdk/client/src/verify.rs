//! Verifying online: from what a clerk scanned to a verdict, by any node's proof.
//!
//! No node is believed. One that is silent, behind or gives what does not hold is passed over, and
//! named beside the verdict. That no node could be asked is undecided, never a refusal.

use std::fmt;

use fengni_core::assurance::Assurance;
use fengni_core::book::{Book, Line, Tag};
use fengni_core::certificate::{CertificateFile, Grade};
use fengni_core::challenge::Challenge;
use fengni_core::code::{AnyCode, Code, StaticCode};
use fengni_core::id::CertificateId;
use fengni_core::proof::{Place, Proven, StateProof};
use fengni_core::sharing::{AccessRefusal, PresentedGrant};
use fengni_core::shelf::Shelf;
use fengni_core::verdict::{Answer, Detail, Evidence, HolderFault, LineFault, Verdict, VerdictCode};
use fengni_core::verify::{
    Context, Mode, ReplayCache, ShownGrant, verdict_if_stale, verify_code, verify_code_granted, verify_identifier,
    verify_static, verify_without_ledger,
};
use fengni_core::{Digest, LinePlace, MemberNumber, PurposeCode};

use crate::gateway::{NodeTrouble, Trouble};
use crate::handovers::Others;
use crate::ledger::{Ledger, certify};
use crate::node::Node;
use crate::picture::{self, PictureError};

/// Codes remembered at a time: at 250 scans a second, more than live for seven minutes.
const CODES_REMEMBERED: usize = 100_000;

/// What a verifier insists on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Policy {
    /// The member that verifies, or on whose behalf an application does.
    pub verifier: MemberNumber,
    /// What for.
    pub purpose: PurposeCode,
    /// The lowest trust grade that will do, if any.
    pub min_grade: Option<Grade>,
    /// How an identity service must at least have checked the holder, if that is asked (VER-10).
    pub min_assurance: Option<Assurance>,
}

/// A verdict, and how the nodes behaved.
#[derive(Clone, PartialEq, Eq)]
pub struct Checked {
    /// The verdict.
    pub verdict: Verdict,
    /// The node whose proof decided.
    pub node: Option<String>,
    /// Nodes that gave nothing of use, and why; [`Trouble::Lied`] names those to report.
    pub troubles: Vec<NodeTrouble>,
}

/// The code and the nodes, and no claim that was shown.
impl fmt::Debug for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { verdict, node, troubles } = self;
        write!(f, "Checked({}, decided by {node:?}, {troubles:?})", verdict.code)
    }
}

impl Checked {
    fn without_nodes(verdict: Verdict) -> Self {
        Self { verdict, node: None, troubles: Vec::new() }
    }
}

/// Verifies codes for one member and purpose, and remembers which it has accepted.
#[derive(Debug)]
pub struct Verifier {
    ledger: Ledger,
    policy: Policy,
    replays: ReplayCache,
    grants: Vec<PresentedGrant>,
    decided_by: Option<StateProof>,
}

/// What a grant says now; where no state was to be had, nothing recent.
fn shown<'a>(grant: &'a PresentedGrant, state: Option<&Proven>, context: &Context) -> ShownGrant<'a> {
    let state = state.ok_or(AccessRefusal::Stale)?;
    grant.prove(&context.domain, state, context.verifier, context.now)
}

impl Verifier {
    /// A verifier behind a ledger.
    pub fn new(ledger: Ledger, policy: Policy) -> Self {
        let replays = ReplayCache::new(CODES_REMEMBERED);
        Self { ledger, policy, replays, grants: Vec::new(), decided_by: None }
    }

    /// The ledger, to save its light client when the work is done.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The ledger, to sync or to pin a checkpoint.
    pub fn ledger_mut(&mut self) -> &mut Ledger {
        &mut self.ledger
    }

    /// The proof that decided the last judgement; `None` where none did.
    pub fn decided_by(&self) -> Option<&StateProof> {
        self.decided_by.as_ref()
    }

    /// What it insists on.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Another purpose or grade, with the same memory of codes.
    pub fn set_policy(&mut self, policy: Policy) {
        self.policy = policy;
    }

    /// A grant that a holder gave this verifier: it lets codes of the same certificate through for purposes
    /// that ask for one (V-21).
    pub fn add_grant(&mut self, grant: PresentedGrant) {
        self.grants.push(grant);
    }

    /// The state that shows where the holder's grant stands, if there is one for this code.
    fn granted(&mut self, code: &Code) -> Option<(PresentedGrant, Option<Proven>)> {
        let (verifier, purpose) = (self.policy.verifier, self.policy.purpose);
        let is_its = |grant: &&PresentedGrant| {
            let terms = grant.content.terms();
            (terms.holder, terms.grantee, terms.purpose) == (code.shown.facts.holder, verifier, purpose)
        };
        let grant = self.grants.iter().rev().find(is_its)?.clone();
        let LinePlace { book, line } = grant.place;
        let places = [
            Place::Record(Shelf::Parameters, 0),
            Place::Record(Shelf::Books, book.0),
            Place::Page(book, line.page()),
            Place::Line(book, line),
        ];
        let proven = self.ledger.prove(&places).ok().map(|answer| answer.value);
        Some((grant, proven))
    }

    fn context(&self, challenge: Option<Digest>) -> Context {
        let now = self.ledger.now();
        Context {
            domain: self.ledger.domain(),
            verifier: self.policy.verifier,
            purpose: self.policy.purpose,
            now,
            checkpoint_age_secs: self.ledger.light().checkpoint_age_secs(now),
            min_grade: self.policy.min_grade,
            min_assurance: self.policy.min_assurance,
            challenge,
            mode: Mode::Online,
        }
    }

    /// Judges what was scanned: the text of a code, dynamic or static, or a typed identifier.
    pub fn verify_text(&mut self, text: &str, challenge: Option<Digest>) -> Checked {
        self.decided_by = None;
        let text = text.trim();
        if let Ok(identifier) = CertificateId::parse(text) {
            return self.verify_identifier(&identifier);
        }
        match AnyCode::parse(text) {
            Ok(AnyCode::Dynamic(code)) => self.verify_code(&code, challenge),
            Ok(AnyCode::Static(code)) => self.verify_static(&code),
            Err(error) => Checked::without_nodes(Verdict::malformed(&error)),
        }
    }

    /// Judges what was scanned as the answer to a question that this verifier has asked. An answer
    /// to another's, to one for another purpose, or after its time is no answer.
    pub fn verify_answer(&mut self, text: &str, challenge: &Challenge) -> Checked {
        self.decided_by = None;
        let now = self.ledger.now();
        match challenge.expect(&self.ledger.domain(), self.policy.verifier, self.policy.purpose, now) {
            Ok(hash) => self.verify_text(text, Some(hash)),
            Err(_) => {
                let detail = Detail::Holder { fault: HolderFault::Challenge };
                Checked::without_nodes(Verdict::new(VerdictCode::HolderProofInvalid, Some(detail)))
            }
        }
    }

    /// Judges a picture of a code, in PNG or JPEG.
    ///
    /// # Errors
    /// [`PictureError`] where no code can be read: that is no verdict on anything.
    pub fn verify_picture(&mut self, bytes: &[u8], challenge: Option<Digest>) -> Result<Checked, PictureError> {
        Ok(self.verify_text(&picture::read(bytes)?, challenge))
    }

    /// Judges a code. A code that was accepted once is refused afterwards.
    pub fn verify_code(&mut self, code: &Code, challenge: Option<Digest>) -> Checked {
        let (place, service) = (code.shown.place, code.service());
        let verifier = Some(self.policy.verifier);
        let granted = self.granted(code);
        let mut checked = self.judge(
            challenge,
            |node| node.line_proof(place, verifier, service, None).map(|proof| (place, proof)),
            |found, context| match found {
                Ok((_, proven)) => match &granted {
                    Some((grant, state)) => {
                        verify_code_granted(code, proven, &shown(grant, state.as_ref(), context), context)
                    }
                    None => verify_code(code, proven, context),
                },
                Err(reason) => verify_without_ledger(code, context, reason),
            },
        );
        let context = self.context(challenge);
        checked.verdict = self.replays.admit(checked.verdict, code, &context);
        checked.verdict.recovered = self.ledger.light().unacknowledged();
        checked
    }

    /// What is recorded about a document whose identifier somebody typed. Never valid: nobody was
    /// checked to be its holder.
    pub fn verify_identifier(&mut self, identifier: &CertificateId) -> Checked {
        self.recorded(identifier, |found, context| verify_identifier(identifier, found, context))
    }

    /// What is recorded about the document on whose paper a static code stands. Never valid: a
    /// photocopy is as good as the paper.
    pub fn verify_static(&mut self, code: &StaticCode) -> Checked {
        self.recorded(&code.identifier, |found, context| verify_static(code, found, context))
    }

    /// Asks for the newest line of an identifier, and judges what is recorded there.
    fn recorded(
        &mut self,
        identifier: &CertificateId,
        verdict: impl Fn(Option<(LinePlace, &Proven)>, &Context) -> Verdict,
    ) -> Checked {
        let verifier = Some(self.policy.verifier);
        let tag = Tag::of(&self.ledger.domain(), identifier);
        self.judge(
            None,
            |node| {
                let proof = node.identifier_proof(identifier, verifier)?;
                let place = named_line(&proof, tag).ok_or_else(|| Trouble::Lied("the proof lacks the line".into()))?;
                Ok((place, proof))
            },
            |found, context| match found {
                Ok((place, proven)) => verdict(Some((*place, proven)), context),
                Err(NOT_FOUND) => verdict(None, context),
                Err(reason) => Verdict::unreachable(*reason),
            },
        )
    }

    /// What is recorded about a certificate file: whether the ledger holds it as it is, and its
    /// standing. Never valid: whoever has a copy of the file need not be its holder.
    pub fn verify_file(&mut self, file: &CertificateFile) -> Checked {
        self.decided_by = None;
        let domain = self.ledger.domain();
        if file.network != domain.network {
            return Checked::without_nodes(Verdict::malformed(&"the file is of another network"));
        }
        if let Err(error) = file.certificate.check(&domain) {
            return Checked::without_nodes(Verdict::malformed(&error));
        }
        let (place, line, identifier) = (file.place, file.line(&domain), file.identifier());
        let verifier = Some(self.policy.verifier);
        self.judge(
            None,
            |node| node.line_proof(place, verifier, None, None).map(|proof| (place, proof)),
            |found, context| match found {
                Ok((_, proven)) => match line_fault(proven, place, line) {
                    Some((code, fault)) => {
                        let refused = || Verdict::new(code, Some(Detail::Line { place, fault }));
                        // Lines never change, but an old state does not know the newest ones.
                        let stale = (fault == LineFault::BeyondCount).then(|| verdict_if_stale(proven, context));
                        stale.flatten().unwrap_or_else(refused)
                    }
                    None => verify_identifier(&identifier, Some((place, proven)), context),
                },
                Err(reason) => Verdict::unreachable(*reason),
            },
        )
    }

    /// Asks one node after the other until a verdict is decided by a state that is not behind.
    ///
    /// - `verdict`: judges a proof, or the lack of one for the reason given.
    fn judge(
        &mut self,
        challenge: Option<Digest>,
        question: impl Fn(&Node) -> Result<(LinePlace, StateProof), Trouble>,
        verdict: impl Fn(Result<&(LinePlace, Proven), &&str>, &Context) -> Verdict,
    ) -> Checked {
        let nodes: Vec<Node> = self.ledger.gateway().nodes().to_vec();
        let mut others = Others::among(&nodes);
        let mut troubles: Vec<NodeTrouble> = Vec::new();
        // The best so far: one that decides before one that does not, then the newest state.
        let mut best: Option<(bool, u64, Checked)> = None;
        let mut proofs: Option<StateProof> = None;
        for node in &nodes {
            let before = self.ledger.light().newest().map_or(0, |newest| newest.height.0);
            let found = question(node).and_then(|(place, mut proof)| {
                let proven = self.ledger.believe(node, &mut others, |light, now| light.prove(&proof, now))?;
                certify(self.ledger.light(), &mut proof);
                Ok(((place, proven), proof))
            });
            let (found, proof) = match found {
                Ok(found) => found,
                Err(trouble) => {
                    troubles.push(NodeTrouble { node: node.name().to_owned(), trouble });
                    continue;
                }
            };
            let height = found.1.header().height.0;
            let judgement = verdict(Ok(&found), &self.context(challenge));
            let decides = judgement.answer != Answer::Undecided || judgement.code == VerdictCode::DocumentStatusOnly;
            if !decides || height < before {
                let trouble = shortcoming(&judgement, height, before);
                troubles.push(NodeTrouble { node: node.name().to_owned(), trouble });
            }
            if best.as_ref().is_none_or(|(decided, at, _)| (*decided, *at) < (decides, height)) {
                let checked = Checked { verdict: judgement, node: Some(node.name().to_owned()), troubles: Vec::new() };
                best = Some((decides, height, checked));
                proofs = Some(proof);
            }
            if decides && height >= before {
                break;
            }
        }
        self.decided_by = proofs.filter(|_| self.ledger.light().evidence().is_empty());
        // Contradicting quorums outweigh any proof.
        let contradiction = self.ledger.light().evidence().first().map(|evidence| {
            format!("two final headers contradict one another at height {}", evidence.second.header.height)
        });
        let mut checked = match (contradiction, best) {
            (Some(reason), _) => Checked::without_nodes(verdict(Err(&reason.as_str()), &self.context(challenge))),
            (None, Some((_, _, checked))) => checked,
            (None, None) => Checked::without_nodes(verdict(Err(&reason(&troubles).as_str()), &self.context(challenge))),
        };
        checked.troubles = troubles;
        checked.verdict.recovered = self.ledger.light().unacknowledged();
        checked
    }
}

/// The verdict on a code or an identifier by one proven state, whoever asks and whenever: what a
/// kept proof says, long after the nodes have gone.
///
/// - `proof`, `proven`: the same entries, before and after their quorum was checked.
pub fn verdict_by(text: &str, proof: &StateProof, proven: &Proven, context: &Context) -> Verdict {
    let named = |identifier: &CertificateId| {
        named_line(proof, Tag::of(&context.domain, identifier)).map(|place| (place, proven))
    };
    if let Ok(identifier) = CertificateId::parse(text) {
        return verify_identifier(&identifier, named(&identifier), context);
    }
    match AnyCode::parse(text) {
        Ok(AnyCode::Dynamic(code)) => verify_code(&code, proven, context),
        Ok(AnyCode::Static(code)) => verify_static(&code, named(&code.identifier), context),
        Err(error) => Verdict::malformed(&error),
    }
}

/// Why a proof that holds did not decide: the node is behind, or it is not the node's fault.
fn shortcoming(verdict: &Verdict, height: u64, before: u64) -> Trouble {
    let stale = matches!(verdict.detail, Some(Detail::Stale { what: Evidence::Standing, .. }));
    if height < before {
        Trouble::Behind(format!("height {height}, where {before} was seen before"))
    } else if stale {
        Trouble::Behind(verdict.reason.en.clone())
    } else {
        Trouble::Unjudged(verdict.reason.en.clone())
    }
}

/// The reason that stands for every answering node not knowing what was asked.
const NOT_FOUND: &&str = &"no node finds it";

/// Why no node's answer could be used, in a few words for a clerk.
fn reason(troubles: &[NodeTrouble]) -> String {
    let not_found = |trouble: &Trouble| matches!(trouble, Trouble::Refused(problem) if problem.is_not_found());
    let silent = |trouble: &Trouble| matches!(trouble, Trouble::Unreachable(_));
    let answered = troubles.iter().filter(|found| !silent(&found.trouble));
    match troubles {
        [] => "there is no node to ask".to_owned(),
        _ if troubles.iter().all(|found| silent(&found.trouble)) => "no node can be reached".to_owned(),
        _ if answered.clone().all(|found| not_found(&found.trouble)) => (*NOT_FOUND).to_owned(),
        _ if troubles.iter().any(|found| matches!(found.trouble, Trouble::Lied(_))) => {
            "no node gives a proof that holds".to_owned()
        }
        _ => "no node gives a proof".to_owned(),
    }
}

/// The line with a tag among the entries of a proof that is not checked yet.
fn named_line(proof: &StateProof, tag: Tag) -> Option<LinePlace> {
    let mut lines = proof.entries.iter().rev().filter_map(|entry| match entry.place {
        Place::Line(book, line) if entry.bytes.0.starts_with(&tag.0) => Some(LinePlace { book, line }),
        _ => None,
    });
    lines.next()
}

/// What is wrong with a proven line, for a certificate whose line is known.
fn line_fault(proven: &Proven, place: LinePlace, line: Line) -> Option<(VerdictCode, LineFault)> {
    let book: Book = proven.record(place.book.0).ok()?;
    if place.line.0 >= book.lines {
        return Some((VerdictCode::UnknownCert, LineFault::BeyondCount));
    }
    let found = proven.line(place).ok()?;
    if found == line {
        None
    } else if found.tag == line.tag || found.commitment == line.commitment {
        Some((VerdictCode::ContentMismatch, LineFault::OtherContent))
    } else {
        Some((VerdictCode::UnknownCert, LineFault::OtherCertificate))
    }
}
