//! Judging, step by step: each refused in its own word, and the first step decides. Rule I-10.

use fengni_core::record::*;
use fengni_core::sharing::*;
use fengni_core::*;

use crate::common::domain;
use crate::sample::{day, key};
use crate::scene::*;

/// What a story begins with.
pub type Start = fn() -> Scene;
/// What a story changes.
pub type Change = fn(&mut Scene);
/// One thing that is wrong, and the word for it.
pub type Fault = (&'static str, Change, AccessRefusal);

fn ends() -> (ResourceStatus, ItemStatus) {
    (ResourceStatus::Ended { height: Height(1200) }, ItemStatus::Ended { height: Height(1200) })
}

/// Steps 1 to 12, in their order.
pub const ASKED: [Fault; 29] = [
    ("a requester that is no member", |s| s.requester = None, AccessRefusal::NotSigned),
    ("another member's key", |s| s.signer = key(KeyAlgorithm::Ed25519, 66), AccessRefusal::NotSigned),
    ("a key for something else", |s| (s.access.key, s.signer) = (KeyNumber(0), key(KeyAlgorithm::Ed25519, 20)), {
        AccessRefusal::NotSigned
    }),
    ("a key that the member does not have", |s| s.access.key = KeyNumber(2), AccessRefusal::NotSigned),
    ("a key that has ended", |s| s.requester_mut().keys[1].until = Some(Height(1299)), AccessRefusal::NotSigned),
    ("a suspended member", |s| s.requester_mut().status = MemberStatus::Suspended, AccessRefusal::NotSigned),
    ("asked of another provider", |s| s.access.provider = MemberNumber(5), AccessRefusal::OtherProvider),
    ("asked later than now", |s| s.access.time = Millis(NOW.0 + 30_001), AccessRefusal::OtherTime),
    ("asked long ago", |s| s.access.time = Millis(NOW.0 - 300_001), AccessRefusal::OtherTime),
    ("no such request", |s| s.request = None, AccessRefusal::RequestUnknown),
    ("another provider's resource", |s| s.cited().1.provider = MemberNumber(5), AccessRefusal::RequestUnknown),
    ("another member's request", |s| s.cited().0.requester = MemberNumber(3), AccessRefusal::NotTheRequester),
    ("not answered yet", |s| s.cited().0.status = RequestStatus::Filed, AccessRefusal::RequestNotOpen),
    ("agreed to and not provided yet", |s| s.cited().0.status = RequestStatus::Agreed, AccessRefusal::RequestNotOpen),
    ("a refused request", |s| s.cited().0.status = RequestStatus::Refused, AccessRefusal::RequestNotOpen),
    ("a suspended request", |s| s.cited().0.status = RequestStatus::Suspended { by: HRS }, {
        AccessRefusal::RequestNotOpen
    }),
    ("an ended request", |s| s.cited().0.status = RequestStatus::Ended { by: YHR }, AccessRefusal::RequestNotOpen),
    ("an ended resource", |s| s.cited().1.status = ends().0, AccessRefusal::RequestNotOpen),
    ("a resource that was never published", |s| s.cited().1.status = ResourceStatus::Proposed, {
        AccessRefusal::RequestNotOpen
    }),
    ("an ended item", |s| s.cited().2.status = ends().1, AccessRefusal::RequestNotOpen),
    ("before the first day", |s| s.cited().0.terms.from = day("2026-03-10"), AccessRefusal::OutsidePeriod),
    ("after the last day", |s| s.cited().0.terms.until = day("2026-03-08"), AccessRefusal::OutsidePeriod),
    ("another basis", |s| s.cited().0.terms.basis = AccessBasis::Entrustment, AccessRefusal::OtherBasis),
    ("another item", |s| s.access.item = "11339900XN0200022E4001".into(), AccessRefusal::OtherItem),
    ("another purpose", |s| s.access.purpose = PurposeCode(2), AccessRefusal::OtherPurpose),
    ("another mode", |s| s.cited().0.terms.modes = vec![Mode::Query], AccessRefusal::OtherMode),
    ("another field", |s| s.cited().0.terms.fields = vec![1, 2], AccessRefusal::OtherFields),
    ("one field too many", |s| s.access.fields = vec![0, 3], AccessRefusal::OtherFields),
    ("a field that is not in the resource", |s| s.access.fields = vec![0, 9], AccessRefusal::OtherFields),
];

/// Steps 13 to 25 of a grant, in their order.
pub const GRANT: [Fault; 31] = [
    ("no grant at all", |s| s.access.questions[0].warrant = Warrant::None, AccessRefusal::GrantRequired),
    ("a state of some seconds ago", |s| s.is_fresh = false, AccessRefusal::Stale),
    ("no line there", |s| s.line = None, AccessRefusal::GrantInvalid),
    ("another grant's line", |s| s.line_mut().line.commitment.0[0] ^= 1, AccessRefusal::GrantInvalid),
    ("in a book that another member opened", |s| s.line_mut().opener = MemberNumber(5), AccessRefusal::GrantInvalid),
    ("sealed again under the department's secret", Scene::seal_again, AccessRefusal::GrantInvalid),
    ("another secret", |s| s.presented().withdrawal.0[0] ^= 1, AccessRefusal::GrantInvalid),
    ("another network's", |s| s.presented().network.0.0[0] ^= 1, AccessRefusal::GrantInvalid),
    ("signed with another key", |s| s.sign_grant_with(66), AccessRefusal::GrantInvalid),
    ("another holder's key", |s| s.grant(|g| g.holder = key(KeyAlgorithm::P256, 66).public()), {
        AccessRefusal::GrantInvalid
    }),
    ("another member's grant", |s| s.grant(|g| g.grantee = MemberNumber(3)), AccessRefusal::OtherGrantee),
    ("withdrawn", |s| s.line_mut().is_withdrawn = true, AccessRefusal::GrantWithdrawn),
    ("sealed with a key that was revoked", |s| s.line_mut().is_suspended = true, AccessRefusal::GrantSuspended),
    ("a grant of later", |s| s.grant(|g| g.from = Millis(NOW.0 + 1)), AccessRefusal::GrantNotYetValid),
    ("a grant that has ended", |s| s.grant(|g| g.until = Millis(NOW.0 - 1)), AccessRefusal::GrantExpired),
    ("for another item", |s| s.grant(|g| g.item = "11339900XN0200022E4001".into()), AccessRefusal::OtherItem),
    ("for another purpose", |s| s.grant(|g| g.purpose = PurposeCode(2)), AccessRefusal::OtherPurpose),
    ("for another case", |s| s.grant(|g| g.case = Some("YS20260309000318".into())), AccessRefusal::OtherCase),
    ("asked for another case", |s| s.access.case = "YS20260309000319".into(), AccessRefusal::OtherCase),
    ("for showing alone", |s| s.grant(|g| g.kinds.truncate(1)), AccessRefusal::OtherResource),
    ("for another edition", |s| s.cited().0.terms.resource = ResourceNumber(3), AccessRefusal::OtherResource),
    ("for verifying, and asked to query", Scene::query, AccessRefusal::OtherMode),
    ("for other fields", |s| s.ask_for(&[1]), AccessRefusal::OtherFields),
    ("for fewer fields", |s| s.ask_for(&[0, 1]), AccessRefusal::OtherFields),
    ("sensitive without consent by itself", Scene::sensitive, AccessRefusal::ConsentRequired),
    ("an identity that says nothing", |s| s.person = None, AccessRefusal::IdentityInvalid),
    ("an identity of another key", |s| s.person_mut().key = key(KeyAlgorithm::P256, 66).public(), {
        AccessRefusal::IdentityInvalid
    }),
    ("about somebody else", |s| s.access.questions[0].subject = value("319901198511230041"), {
        AccessRefusal::OtherSubject
    }),
    ("a body's certificate for a person", |s| s.person_mut().kind = HolderKind::Body, AccessRefusal::OtherSubject),
    ("a resource about certificates", Scene::about_certificates, AccessRefusal::OtherSubject),
    ("used as often as granted", |s| s.used = 3, AccessRefusal::GrantUsedUp),
];

/// Steps 14 to 25 of a use code, in their order.
pub const CODE: [Fault; 16] = [
    ("a state of some seconds ago", |s| s.is_fresh = false, AccessRefusal::Stale),
    ("of another certificate", |s| s.code(|c| c.certificate.line.0 += 1), AccessRefusal::CodeInvalid),
    ("another member's code", |s| s.code(|c| c.grantee = MemberNumber(3)), AccessRefusal::OtherGrantee),
    ("made by a clock ahead", |s| s.code(|c| c.issued_secs = NOW.secs() + 31), AccessRefusal::CodeNotYetValid),
    ("expired", |s| s.code(|c| c.issued_secs = NOW.secs() - 151), AccessRefusal::CodeExpired),
    ("for another item", |s| s.code(|c| c.item = "11339900XN0200022E4001".into()), AccessRefusal::OtherItem),
    ("for another purpose", |s| s.code(|c| c.purpose = PurposeCode(2)), AccessRefusal::OtherPurpose),
    ("for another case", |s| s.code(|c| c.case = "YS20260309000318".into()), AccessRefusal::OtherCase),
    ("for another resource", |s| s.code(|c| c.resource = ResourceNumber(3)), AccessRefusal::OtherResource),
    ("for another mode", |s| s.code(|c| c.mode = Mode::Query), AccessRefusal::OtherMode),
    ("for other fields", |s| s.code(|c| c.fields = vec![2]), AccessRefusal::OtherFields),
    ("an identity that says nothing", |s| s.person = None, AccessRefusal::IdentityInvalid),
    ("an identity of another key", |s| s.person_mut().key = key(KeyAlgorithm::P256, 66).public(), {
        AccessRefusal::IdentityInvalid
    }),
    ("about somebody else", |s| s.access.questions[0].subject = value("319901198511230041"), {
        AccessRefusal::OtherSubject
    }),
    ("a body's certificate for a person", |s| s.person_mut().kind = HolderKind::Body, AccessRefusal::OtherSubject),
    ("used before", |s| s.used = 1, AccessRefusal::CodeUsed),
];

/// What changes nothing, for each of the three scenes that begin a story.
pub const ALLOWED: [(&str, Start, Change); 16] = [
    ("by a grant", Scene::new, |_| ()),
    ("its last use", Scene::new, |s| s.used = 2),
    ("at the grant's first moment", Scene::new, |s| s.grant(|g| g.from = NOW)),
    ("at the grant's last moment", Scene::new, |s| s.grant(|g| g.until = NOW)),
    ("a grant for any case", Scene::new, |s| s.grant(|g| g.case = None)),
    ("sensitive with consent by itself", Scene::new, |s| s.access.fields = vec![0, 2]),
    ("the same fields one by one", Scene::new, |s| s.ask_for(&[2])),
    ("a resource with a later edition", Scene::new, |s| {
        s.cited().1.status = ResourceStatus::Replaced { by: ResourceNumber(3), height: Height(1200) };
    }),
    ("on the request's last day", Scene::new, |s| s.cited().0.terms.until = day("2026-03-09")),
    ("asked as late as can be", Scene::new, |s| s.access.time = Millis(NOW.0 - 300_000)),
    ("asked by a clock ahead", Scene::new, |s| s.access.time = Millis(NOW.0 + 30_000)),
    ("by a use code", Scene::with_code, |_| ()),
    ("at the use code's last second", Scene::with_code, |s| s.code(|c| c.issued_secs = NOW.secs() - 150)),
    ("sensitive by a use code", Scene::with_code, |s| s.access.fields = vec![0, 2]),
    ("by a duty", Scene::by_function, |_| ()),
    ("by a duty, in a state of some seconds ago", Scene::by_function, |s| s.is_fresh = false),
];

impl Scene {
    fn requester_mut(&mut self) -> &mut Member {
        self.requester.as_mut().expect("a requester")
    }

    fn person_mut(&mut self) -> &mut Person {
        self.person.as_mut().expect("a person")
    }

    fn line_mut(&mut self) -> &mut GrantLine {
        self.line.as_mut().expect("a line")
    }

    fn sign_grant_with(&mut self, seed: u8) {
        let grant = self.presented();
        grant.signature = grant.content.sign(&domain(), &grant.withdrawal, &key(KeyAlgorithm::P256, seed));
    }

    /// The same content under a secret that the holder does not know, and the line of that.
    fn seal_again(&mut self) {
        self.presented().withdrawal = secret_digest(&domain(), &[0x66; 32]);
        self.line = line_of(&self.access.questions[0].warrant);
    }

    fn query(&mut self) {
        self.access.mode = Mode::Query;
        self.access.questions[0].tests.clear();
    }

    fn ask_for(&mut self, fields: &[u16]) {
        self.access.fields = fields.to_vec();
        self.access.questions[0].tests[0].field = fields[0];
    }

    fn sensitive(&mut self) {
        self.grant(|grant| grant.separate_consent = false);
        self.access.fields = vec![0, 2];
    }

    fn about_certificates(&mut self) {
        self.cited().1.terms.subject = DataSubject::Certificate { certificate_type: TypeNumber(0) };
    }
}

/// Every story with one fault.
pub fn stories() -> impl Iterator<Item = (Start, Fault)> {
    let of = |start: Start, faults: &'static [Fault]| faults.iter().map(move |fault| (start, *fault));
    of(Scene::new, &ASKED).chain(of(Scene::new, &GRANT)).chain(of(Scene::with_code, &CODE))
}

#[test]
fn i10_every_fault_is_refused_in_its_own_word() {
    for (start, (name, change, refusal)) in stories() {
        let mut scene = start();
        change(&mut scene);
        assert_eq!(scene.outcome(), Err(refusal), "{name}");
    }
    let told: Vec<_> = stories().map(|(_, (_, _, refusal))| refusal).collect();
    // What the data does not answer is no judge's to say.
    let mut judged = AccessRefusal::ALL.iter().filter(|refusal| **refusal != AccessRefusal::NoAnswer);
    assert!(judged.all(|refusal| told.contains(refusal)), "each has its story");
}

#[test]
fn i10_what_is_right_is_counted_as_far_as_it_was_granted() {
    for (name, start, change) in ALLOWED {
        let mut scene = start();
        change(&mut scene);
        let counted = scene.outcome().unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
        let uses = counted.map(|(counter, number)| (counter.kind, counter.uses, number));
        let expected = match scene.access.questions[0].warrant {
            Warrant::None => None,
            Warrant::Grant(_) => Some((1, 3, scene.used + 1)),
            Warrant::UseCode { .. } => Some((0, 1, 1)),
        };
        assert_eq!(uses, expected, "{name}");
    }
}

#[test]
fn i10_the_first_step_decides() {
    let of_grants: Vec<&Fault> = ASKED.iter().chain(&GRANT).collect();
    let of_codes: Vec<&Fault> = ASKED.iter().chain(&CODE).collect();
    let mut pairs = 0;
    for (start, faults) in [(Scene::new as Start, of_grants), (Scene::with_code, of_codes)] {
        let start = start();
        for (at, (first, change, refusal)) in faults.iter().enumerate() {
            for (second, later, _) in &faults[at + 1..] {
                let mut scene = start.clone();
                later(&mut scene);
                change(&mut scene);
                // Some two together are no access any more.
                if Access::new(scene.access.clone()).is_ok() {
                    assert_eq!(scene.outcome(), Err(*refusal), "{first}, and {second}");
                    pairs += 1;
                }
            }
        }
    }
    assert!(pairs > 2_000, "{pairs}");
}

#[test]
fn i10_each_question_of_a_batch_is_judged_by_itself() {
    let mut scene = Scene::new();
    scene.access.mode = Mode::Batch;
    scene.access.questions[0].tests.clear();
    let right = scene.access.questions[0].clone();
    scene.access.questions = vec![right.clone(), Question { warrant: Warrant::None, ..right.clone() }, right];
    scene.access.questions[2].subject = value("319901198511230041");
    let outcome = |question: usize| Scene { question, ..scene.clone() }.outcome();
    assert_eq!(outcome(0).map(|counted| counted.map(|(counter, number)| (counter.kind, number))), Ok(Some((2, 1))));
    assert_eq!(outcome(1), Err(AccessRefusal::GrantRequired));
    assert_eq!(outcome(2), Err(AccessRefusal::OtherSubject));
}

#[test]
fn i11_words_are_those_of_the_spec_and_of_json() {
    let page = include_str!("../../../spec/access.md");
    for (number, refusal) in AccessRefusal::ALL.into_iter().enumerate() {
        assert!(page.contains(&format!("| {number} | {refusal} ")), "{number} {refusal}");
        assert_eq!(serde_json::to_value(refusal).expect("plain data"), refusal.word());
        assert_eq!(u32::from(refusal) as usize, number);
    }
    assert_eq!(AccessRefusal::ALL.iter().filter(|refusal| refusal.is_undecided()).count(), 1);
    assert!(!AccessRefusal::NotSigned.is_receipted() && AccessRefusal::GrantWithdrawn.is_receipted());
}
