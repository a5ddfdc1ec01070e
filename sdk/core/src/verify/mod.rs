//! Verifying: from a code and a proven state of the ledger to a verdict.
//!
//! ```text
//! code  -> content -> holder's signature -> times          what never changes, and the holder
//! state -> freshness -> authority -> key -> standing       what the ledger says now
//! policy -> purpose -> recognition -> grade -> assurance   what counts here
//! ```
//!
//! The first check that fails decides, in the order of `sdk/spec/verdicts.md`, rules V-1 to V-24.
//! Whatever a gateway did not prove is undecided. Nothing here knows a clock or a network.

mod assurance;
mod authority;
mod code;
mod finding;
mod identifier;
mod path;
mod policy;
mod recognition;
mod replay;
mod scene;
mod standing;

use crate::assurance::Assurance;
use crate::certificate::Grade;
use crate::code::Code;
use crate::day::Millis;
use crate::digest::{Digest, Domain};
use crate::number::{MemberNumber, PurposeCode};
use crate::proof::Proven;
use crate::shelf::Shelf;
use crate::verdict::{Ages, AsOf, Assured, Check, Document, ShownClaim, Verdict, VerdictCode};

pub use identifier::{verify_identifier, verify_static};
pub use policy::ShownGrant;
pub use replay::ReplayCache;
pub use scene::Scene;

use code::Sealed;
use finding::Finding;

/// How far two clocks may disagree, in seconds (VER-02).
pub const SKEW_SECS: u64 = 30;

/// Whether the ledger is at hand.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Mode {
    /// A gateway gave a proof just now: the header may be `online_age` old.
    Online,
    /// By a state that the device keeps: as old as the certificate's type allows.
    Offline,
}

/// Who verifies, for what, when, and what it insists on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Context {
    /// The network.
    pub domain: Domain,
    /// The member that verifies, or on whose behalf an application does.
    pub verifier: MemberNumber,
    /// What for.
    pub purpose: PurposeCode,
    /// Now.
    pub now: Millis,
    /// Since the checkpoint from which the validators are known, in seconds.
    pub checkpoint_age_secs: u64,
    /// The lowest trust grade that will do, if any (CRT-10).
    pub min_grade: Option<Grade>,
    /// How an identity service must at least have checked the holder, if that is asked (VER-10).
    pub min_assurance: Option<Assurance>,
    /// Hash of the challenge this verifier has shown, if it has.
    pub challenge: Option<Digest>,
    /// Whether the ledger is at hand.
    pub mode: Mode,
}

/// Judges a code by a proven state.
///
/// - `proven`: the entries of rule V-2 for [`Code`]'s place and service and the context's verifier.
///
/// # Source
/// `sdk/spec/verdicts.md`, rules V-3 to V-17, V-21 and V-24.
pub fn verify_code(code: &Code, proven: &Proven, context: &Context) -> Verdict {
    verify_with(code, proven, None, context)
}

/// As [`verify_code`], with a grant that the holder gave the verifier. Rule V-21.
///
/// - `grant`: from [`crate::sharing::PresentedGrant::prove`], just now.
pub fn verify_code_granted(code: &Code, proven: &Proven, grant: &ShownGrant<'_>, context: &Context) -> Verdict {
    verify_with(code, proven, Some(grant), context)
}

fn verify_with(code: &Code, proven: &Proven, grant: Option<&ShownGrant<'_>>, context: &Context) -> Verdict {
    let scene = Scene::load(proven, code.shown.place.book, context.verifier);
    let scene = scene.as_ref().map_err(Clone::clone);
    conclude(code, Some(proven), context, |steps| judge(steps, code, proven, scene, grant, context))
}

/// As [`verify_code`], with what does not depend on the line read before: for gateways.
pub fn verify_code_in(scene: &Scene, code: &Code, proven: &Proven, context: &Context) -> Verdict {
    let scene = match scene.suits(proven, code, context) {
        true => Ok(scene),
        false => Err(Finding::missing("the registries at hand are of another state, book or verifier")),
    };
    conclude(code, Some(proven), context, |steps| judge(steps, code, proven, scene, None, context))
}

/// Judges what a code alone can tell, where no proof could be had for the reason given: it may
/// still be expired or not its holder's. The best answer is undecided.
pub fn verify_without_ledger(code: &Code, context: &Context, reason: &str) -> Verdict {
    conclude(code, None, context, |steps| {
        let header = code::header(code, &context.domain)?;
        check_holder(steps, code, &header.commitment(&context.domain), context)?;
        Err(Finding::missing(reason))
    })
}

/// Rule V-7 alone: the verdict where a state is too old for a statement about now, such as that a
/// line is missing.
pub fn verdict_if_stale(proven: &Proven, context: &Context) -> Option<Verdict> {
    let finding = standing::check_ages_alone(proven, context).err()?;
    let mut verdict = finding.verdict();
    verdict.ages = ages(Some(proven), context);
    verdict.as_of = Some(as_of(proven));
    Some(verdict)
}

/// What has been established so far.
#[derive(Default)]
struct Steps {
    checked: Vec<Check>,
    warnings: Vec<VerdictCode>,
    document: Option<Document>,
    claims: Vec<ShownClaim>,
    assurance: Option<Assured>,
}

impl Steps {
    fn passed(&mut self, check: Check) {
        self.checked.push(check);
    }
}

/// Runs the checks and puts the verdict together.
fn conclude(
    code: &Code,
    proven: Option<&Proven>,
    context: &Context,
    checks: impl FnOnce(&mut Steps) -> Result<VerdictCode, Finding>,
) -> Verdict {
    let mut steps = Steps::default();
    let outcome = checks(&mut steps);
    let mut verdict = outcome.map_or_else(Finding::verdict, |code| Verdict::new(code, None));
    verdict.ages = Ages {
        holder_proof_secs: Some(context.now.secs().saturating_sub(code.terms.issued_secs)),
        ..ages(proven, context)
    };
    verdict.as_of = proven.map(as_of);
    verdict.checked = steps.checked;
    verdict.document = steps.document;
    if verdict.is_valid() {
        // What was not accepted is not repeated: neither its claims nor a mere warning.
        verdict.warnings = steps.warnings;
        verdict.assurance = steps.assurance;
        if let Some(document) = &mut verdict.document {
            document.claims = steps.claims;
        }
    }
    verdict.presented()
}

fn ages(proven: Option<&Proven>, context: &Context) -> Ages {
    Ages {
        holder_proof_secs: None,
        standing_secs: proven.map(|proven| context.now.0.saturating_sub(proven.header().time.0) / 1000),
        checkpoint_secs: proven.map(|_| context.checkpoint_age_secs),
    }
}

fn as_of(proven: &Proven) -> AsOf {
    AsOf { height: proven.header().height, time: proven.header().time }
}

/// Rules V-3 to V-17, V-21 and V-24, in their order.
fn judge(
    steps: &mut Steps,
    code: &Code,
    proven: &Proven,
    scene: Result<&Scene, Finding>,
    grant: Option<&ShownGrant<'_>>,
    context: &Context,
) -> Result<VerdictCode, Finding> {
    let header = code::header(code, &context.domain)?;
    let commitment = header.commitment(&context.domain);
    let sealed = scene.and_then(|scene| Ok((scene, code::sealed(scene, code, &commitment, proven, context)?)));
    // Lines never change, so that other content there is a refusal whatever else is wrong. What
    // could not be checked waits: a code that is expired or not its holder's is refused anyway.
    if let Err(finding) = &sealed
        && finding.is_refusal()
    {
        return Err(finding.clone());
    }
    if matches!(sealed, Ok((_, Sealed::Here(_)))) {
        steps.checked.extend([Check::Finality, Check::Content]);
    }
    check_holder(steps, code, &commitment, context)?;
    if u64::from(code.shown.place.book.0) >= proven.size(Shelf::Books) {
        // The shelf's size proves that there is no such book, as long as the state is a recent one.
        standing::check_ages_alone(proven, context)?;
        steps.passed(Check::Freshness);
        return Err(code::beyond_count(code));
    }
    let (scene, sealed) = sealed?;
    let vouched = assurance::vouched(code, proven)?;
    if let Sealed::Here(identifier) = &sealed {
        steps.document = Some(scene.document(code, identifier));
    }
    standing::check_freshness(scene, proven, context)?;
    steps.passed(Check::Freshness);
    let Sealed::Here(identifier) = sealed else {
        // A line may have been sealed since: only a state of this moment proves that it is not there.
        standing::check_ages_alone(proven, context)?;
        return Err(code::beyond_count(code));
    };
    code::check_lifetime(scene, code)?;
    steps.claims = code::claims(scene, code)?;

    authority::check_authority(scene, &code.shown.facts)?;
    steps.passed(Check::IssuerAuthority);
    authority::check_seal_keys(scene, code.shown.place, proven, context)?;
    steps.passed(Check::IssuerKey);
    let standing = standing::check_line(&scene.book, code.shown.place, &identifier, proven, context)?;
    steps.passed(Check::Standing);
    standing::check_validity(&code.shown.facts, context)?;
    steps.passed(Check::Validity);
    standing::check_holder_key(standing)?;
    steps.passed(Check::HolderKey);
    if standing.disputed {
        steps.warnings.push(VerdictCode::Disputed);
    }

    policy::check_verifier(scene)?;
    policy::check_purpose(scene, code, context)?;
    policy::check_grant(scene, code, grant, context)?;
    steps.passed(Check::Purpose);
    recognition::check(scene, &code.shown.facts, context)?;
    steps.passed(Check::Recognition);
    policy::check_grade(&code.shown.facts, context)?;
    steps.passed(Check::Grade);
    steps.assurance = assurance::check(scene, vouched, proven, context)?;
    if steps.assurance.is_some() {
        steps.passed(Check::Assurance);
    }
    Ok(match context.mode {
        Mode::Online => VerdictCode::Valid,
        Mode::Offline => VerdictCode::ValidOffline,
    })
}

/// Rules V-4 to V-6: what the code tells about its holder and its time.
fn check_holder(steps: &mut Steps, code: &Code, commitment: &Digest, context: &Context) -> Result<(), Finding> {
    code::check_signature(code, commitment, &context.domain)?;
    steps.passed(Check::HolderSignature);
    code::check_challenge(code, context)?;
    if context.challenge.is_some() {
        steps.passed(Check::Challenge);
    }
    code::check_time(code, context.now)?;
    steps.passed(Check::CodeTime);
    Ok(())
}
