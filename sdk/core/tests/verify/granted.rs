//! A purpose for which the type asks for the holder's grant, and a verifier that brings one. Rule V-21.

use fengni_core::book::{Book, ListHead, Subject};
use fengni_core::sharing::{
    AccessRefusal, GrantContent, GrantFile, GrantTerms, Granted, GrantedKind, Identity, PresentedGrant, Secret,
};
use fengni_core::standing::State;
use fengni_core::verdict::{Verdict, VerdictCode};
use fengni_core::verify::verify_code_granted;
use fengni_core::{
    BookNumber, KeyAlgorithm, LineNumber, LinePlace, MemberNumber, Millis, PurposeCode, ResourceNumber, TypeNumber,
    record::Mode,
};

use crate::sample::{self, filler};
use crate::scan::Scan;
use crate::world::{OPENING, TRAFFIC, TestBook, YHD};

const GRANTS: BookNumber = BookNumber(2);

/// A scan for a purpose that needs a grant, and the grant for it.
struct Story {
    scan: Scan,
    grant: PresentedGrant,
    place: LinePlace,
}

impl Story {
    /// The grant is sealed with these changes to what it would say.
    fn new(change: Change) -> Self {
        let mut scan = Scan::standard();
        scan.world.types[0].grant_purposes = vec![TRAFFIC];
        let domain = scan.context.domain;
        let now = scan.context.now;
        let mut terms = GrantTerms {
            grantee: YHD,
            contact: "云山省住房和城乡建设厅 0990-1234567".into(),
            purpose: TRAFFIC,
            item: "11339900XN0200022E4000".into(),
            case: None,
            method: "核验一次".into(),
            kinds: vec![GrantedKind { what: Granted::Showing { certificate_type: TypeNumber(0) }, uses: 1 }],
            from: Millis(now.0 - 1000),
            until: Millis(now.0 + 86_400_000),
            separate_consent: false,
            holder: scan.phone.public(),
            salt: [4; 32],
        };
        change(&mut terms);
        let content = GrantContent::new(terms).expect("a whole notice");
        let secret = Secret([5; 32]);
        let withdrawal = secret.withdrawal(&domain);
        let line = content.line(&domain, &withdrawal);
        let empty = ListHead { size: 0, digest: fengni_core::Digest::default() };
        let record = Book { subject: Subject::Grants, keeper: YHD, pages: empty, ..scan.world.books[0].record.clone() };
        let book = TestBook { record, lines: vec![], seals: vec![], acts: vec![], pages: vec![], heads: vec![] };
        scan.world.books.push(book);
        scan.world.seal_all(GRANTS, &filler(&domain, 3));
        let place = scan.world.seal(GRANTS, line);
        let file = GrantFile {
            network: domain.network,
            place,
            signature: content.sign(&domain, &withdrawal, &scan.phone),
            content,
            identity: Identity::of(&domain, &scan.file, &[0]).expect("a claim"),
            secret,
        };
        Self { grant: file.present(&domain), scan, place }
    }

    fn verdict(&self) -> Verdict {
        self.verdict_by(&self.scan, self.place)
    }

    /// The code by its own state, the grant by that of another scan and by another line's entries.
    fn verdict_by(&self, of_grant: &Scan, place: LinePlace) -> Verdict {
        let (code, context) = (self.scan.code(), &self.scan.context);
        let proof = of_grant.world.prove(&[place]).verify(&context.domain, &of_grant.world.validators());
        let proof = proof.expect("the gateway is honest");
        let grant = self.grant.prove(&context.domain, &proof, context.verifier, context.now);
        verify_code_granted(&code, &self.scan.proven(code.shown.place), &grant, context)
    }
}

#[test]
fn v21_a_grant_lets_its_grantee_look_for_its_purpose() {
    let story = Story::new(|_| ());
    assert_eq!(story.scan.verdict().code, VerdictCode::GrantRequired, "without it");
    assert_eq!(story.verdict().code, VerdictCode::Valid);
}

type Change = fn(&mut GrantTerms);

#[test]
fn v21_another_grant_is_none() {
    let of_resource = Granted::Resource { resource: ResourceNumber(0), fields: vec![0], mode: Mode::Verify };
    let wrong: [(&str, Change); 7] = [
        ("another member's", |g| g.grantee = MemberNumber(3)),
        ("for another purpose", |g| g.purpose = OPENING),
        ("for a purpose that nobody has", |g| g.purpose = PurposeCode(99)),
        ("for another type", |g| g.kinds[0].what = Granted::Showing { certificate_type: TypeNumber(1) }),
        ("of another key", |g| g.holder = sample::key(KeyAlgorithm::P256, 66).public()),
        ("of later", |g| g.from = Millis(g.from.0 + 1001)),
        ("that has ended", |g| (g.from, g.until) = (Millis(g.from.0 - 9000), Millis(g.from.0))),
    ];
    for (name, change) in wrong {
        assert_eq!(Story::new(change).verdict().code, VerdictCode::GrantRequired, "{name}");
    }
    let mut story = Story::new(|_| ());
    let mut terms = story.grant.content.terms().clone();
    terms.kinds[0].what = of_resource;
    story.grant.content = GrantContent::new(terms).expect("a whole notice");
    assert_eq!(story.verdict().code, VerdictCode::GrantRequired, "altered after it was sealed");
}

#[test]
fn v21_a_sensitive_type_wants_consent_by_itself() {
    for (consent, expected) in [(false, VerdictCode::GrantRequired), (true, VerdictCode::Valid)] {
        let with: Change = if consent { |g| g.separate_consent = true } else { |_| () };
        let mut story = Story::new(with);
        story.scan.world.types[0].sensitive = true;
        assert_eq!(story.verdict().code, expected);
    }
}

#[test]
fn v21_a_grant_that_was_withdrawn_or_suspended_is_none() {
    let mut story = Story::new(|_| ());
    story.scan.world.state(story.place, State::Cancelled);
    assert_eq!(story.verdict().code, VerdictCode::GrantRequired);
    let mut story = Story::new(|_| ());
    let place = story.place;
    story.scan.world.suspend(place, 0, 9);
    assert_eq!(story.verdict().code, VerdictCode::GrantRequired);
    let mut story = Story::new(|_| ());
    story.grant.place.line = LineNumber(2);
    assert_eq!(story.verdict_by(&story.scan, story.grant.place).code, VerdictCode::GrantRequired, "another's line");
    let mut story = Story::new(|_| ());
    story.scan.world.books[GRANTS.0 as usize].record.keeper = MemberNumber(3);
    assert_eq!(story.verdict().code, VerdictCode::GrantRequired, "in another member's book");
}

#[test]
fn v21_an_old_state_says_nothing_about_a_grant() {
    let story = Story::new(|_| ());
    let by = |secs: i64| {
        let mut gateway = Story::new(|_| ()).scan;
        gateway.world.time = Millis(gateway.context.now.0.saturating_add_signed(secs * 1000));
        story.verdict_by(&gateway, story.place).code
    };
    let online = i64::from(story.scan.world.parameters.online_age_secs);
    assert_eq!(by(-(online + 30)), VerdictCode::Valid);
    assert_eq!(by(-(online + 31)), VerdictCode::StatusStale);
    assert_eq!(by(31), VerdictCode::StatusStale);
    // What the gateway left out is not proven either.
    let elsewhere = LinePlace { line: LineNumber(0), ..story.place };
    assert_eq!(story.verdict_by(&story.scan, elsewhere).code, VerdictCode::StatusStale);
    let proof = story.scan.world.prove(&[]).verify(&story.scan.context.domain, &story.scan.world.validators());
    let proof = proof.expect("the gateway is honest");
    let grant = story.grant.prove(&story.scan.context.domain, &proof, YHD, story.scan.context.now);
    assert_eq!(grant.err(), Some(AccessRefusal::Stale));
}

#[test]
fn v21_a_grant_repairs_nothing_else() {
    let mut story = Story::new(|_| ());
    story.scan.world.state(story.scan.file.place, State::Revoked);
    assert_eq!(story.verdict().code, VerdictCode::Revoked);
    let mut story = Story::new(|_| ());
    story.scan.context.purpose = OPENING;
    assert_eq!(story.verdict().code, VerdictCode::PurposeNotCovered);
}
