//! J6 and J7 at the desk: what is answered, what is refused, and what is written down of both.

use std::time::Duration;

use fengni_client::sharing::sealed::ReplyKey;
use fengni_core::certificate::ClaimValue;
use fengni_core::record::{AccessBasis, Mode};
use fengni_core::sharing::{Comparison, MemberSignature, Test};
use fengni_core::{KeyNumber, LineNumber, LinePlace};
use tempfile::TempDir;

use super::*;
use crate::double::{self, Clock, Double, until};
use crate::journal::{Owner, Secret};
use crate::register::Pace;
use crate::scene::{GRANTS, HRS, SUBJECT, Scene, application};

const RECEIPTS: BookNumber = BookNumber(9);
const PACE: Pace = Pace { poll: Duration::from_millis(10), fresh_millis: 3_000 };
const GRANT: LinePlace = LinePlace { book: GRANTS, line: LineNumber(2) };
/// In the database as well, and no holder of anything here.
const OTHER: &str = "319901198501010010";

/// A gateway of HRS, and what it rests on.
pub(crate) struct Story {
    pub(crate) desk: Desk,
    pub(crate) ledger: Double,
    pub(crate) clock: Clock,
    pub(crate) folder: TempDir,
    nonce: std::sync::atomic::AtomicU8,
}

pub(crate) fn reply() -> ReplyKey {
    ReplyKey::from_seed(&[0x2e; 32])
}

impl Story {
    pub(crate) async fn of(scene: &Scene) -> Self {
        let (ledger, clock) = (Double::of(scene), Clock::new());
        let folder = tempfile::tempdir().expect("a folder for the test");
        let domain = crate::common::domain();
        let owner = Owner { domain, member: HRS, book: RECEIPTS };
        let secret = Secret::open(&folder.path().join("secret"), true).expect("a new one");
        let journal = Arc::new(Journal::open(&folder.path().join("journal"), secret, owner).expect("a new one"));
        let sign = move |receipt: &Receipt| {
            let signature = application(HRS).sign(&receipt.message(&domain));
            Ok(MemberSignature { key: KeyNumber(1), signature })
        };
        let desk = Desk {
            register: Register::start(ledger.clone(), clock.read(), PACE),
            data: double::database(folder.path()).await,
            writer: Writer::start(Arc::clone(&journal), clock.read(), Box::new(sign)),
            journal,
            identities: Identities::new(None),
            clock: clock.read(),
        };
        until("the first poll", || desk.register.freshness().is_ok()).await;
        Self { desk, ledger, clock, folder, nonce: 0.into() }
    }

    /// The scene's access, asked now and for the first time.
    pub(crate) fn signed(&self, scene: &Scene) -> SignedAccess {
        let mut scene = scene.clone();
        let nonce = self.nonce.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        scene.access.nonce = [nonce; 16];
        scene.access.reply_key = reply().public();
        scene.access.time = self.clock.now();
        scene.signed()
    }

    async fn ask(&self, scene: &Scene) -> Result<(Written, SignedAccess), DeskError> {
        let signed = self.signed(scene);
        Ok((self.desk.answer(&signed).await?, signed))
    }

    /// The result of the first question, and the number of the use.
    async fn result(&self, scene: &Scene) -> (ResultCode, u32) {
        let (written, signed) = self.ask(scene).await.expect("it is answered");
        let receipt = &written.receipts[0].receipt;
        assert!(receipt.is_for(&self.desk.domain(), &signed.access));
        let given = written.receipts[0].provider.expect("the provider signed");
        let message = receipt.message(&self.desk.domain());
        assert!(application(HRS).public().verify(&message, &given.signature));
        assert_eq!(written.answer.is_none(), matches!(receipt.result, ResultCode::Refused(_)));
        (receipt.result, receipt.use_number)
    }

    async fn polled(&self) {
        self.clock.pass(1);
        let now = self.clock.now();
        until("another poll", || self.desk.register.freshness().is_ok_and(|known| known.polled >= now)).await;
    }
}

fn refused(refusal: AccessRefusal) -> (ResultCode, u32) {
    (ResultCode::Refused(refusal), 0)
}

#[tokio::test(flavor = "multi_thread")]
async fn i25_j6_two_uses_a_withdrawal_and_a_third_that_is_refused_and_recorded() {
    let scene = Scene::new();
    let story = Story::of(&scene).await;
    assert_eq!(story.result(&scene).await, (ResultCode::Yes, 1));
    let mut more = scene.clone();
    more.access.questions[0].tests[0].value = ClaimValue::new("42").expect("short");
    assert_eq!(story.result(&more).await, (ResultCode::No, 2));
    story.ledger.withdraw(GRANT);
    story.polled().await;
    assert_eq!(story.result(&scene).await, refused(AccessRefusal::GrantWithdrawn));
    assert_eq!(story.desk.journal.sizes().expect("a healthy disk"), (0, 3));
    let holder = crate::scene::holder().public();
    let mine = story.desk.journal.receipts_of(&holder, &[], 0, 9).expect("a healthy disk");
    assert_eq!(mine.len(), 3, "the holder sees the refused one too");
}

#[tokio::test(flavor = "multi_thread")]
async fn i25_a_grant_is_used_as_often_as_it_says_and_a_code_once() {
    let scene = Scene::new();
    let story = Story::of(&scene).await;
    for number in 1..=3 {
        assert_eq!(story.result(&scene).await, (ResultCode::Yes, number));
    }
    assert_eq!(story.result(&scene).await, refused(AccessRefusal::GrantUsedUp));
    let scene = Scene::with_code();
    let story = Story::of(&scene).await;
    assert_eq!(story.result(&scene).await, (ResultCode::Yes, 1));
    assert_eq!(story.result(&scene).await, refused(AccessRefusal::CodeUsed));
}

#[tokio::test(flavor = "multi_thread")]
async fn i25_what_is_refused_is_written_down() {
    let story = Story::of(&Scene::new()).await;
    type Change = fn(&mut Scene);
    let cases: [(Change, AccessRefusal); 6] = [
        (|scene| scene.access.item = "2".into(), AccessRefusal::OtherItem),
        (|scene| scene.access.case = "YS1".into(), AccessRefusal::OtherCase),
        (|scene| scene.access.request.0 = 8, AccessRefusal::RequestUnknown),
        (|scene| scene.access.questions[0].warrant = Warrant::None, AccessRefusal::GrantRequired),
        (
            |scene| scene.access.questions[0].subject = ClaimValue::new(OTHER).expect("short"),
            AccessRefusal::OtherSubject,
        ),
        // Another grant's line.
        (|scene| scene.presented().place.line = LineNumber(0), AccessRefusal::GrantInvalid),
    ];
    for (place, (change, refusal)) in cases.into_iter().enumerate() {
        let mut scene = Scene::new();
        change(&mut scene);
        assert_eq!(story.result(&scene).await, refused(refusal));
        assert_eq!(story.desk.journal.sizes().expect("a healthy disk").1, place as u64 + 1);
    }
    story.clock.pass(32 * 86_400_000);
    story.ledger.lock().world.time = story.clock.now();
    story.polled().await;
    assert_eq!(story.result(&Scene::new()).await, refused(AccessRefusal::GrantExpired));
}

#[tokio::test(flavor = "multi_thread")]
async fn idn03_an_identity_of_an_issuer_that_is_not_listed_is_refused() {
    let scene = Scene::new();
    let mut story = Story::of(&scene).await;
    let identity = crate::scene::grant_file(crate::scene::grant_terms()).identity;
    let issuer = story.ledger.lock().world.books[identity.place().book.0 as usize].record.issuer;
    let another = story.ledger.lock().world.members[HRS.0 as usize].code;
    for (listed, expected) in [
        (vec![issuer], (ResultCode::Yes, 1)),
        (vec![], refused(AccessRefusal::IdentityInvalid)),
        (vec![another], refused(AccessRefusal::IdentityInvalid)),
    ] {
        story.desk.identities = Identities::new(Some(&listed));
        assert_eq!(story.result(&scene).await, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn i25_whoever_has_not_signed_gets_nothing() {
    let scene = Scene::new();
    let story = Story::of(&scene).await;
    let mut stranger = scene.clone();
    stranger.signer = application(HRS);
    let asked = story.ask(&stranger).await;
    assert!(matches!(asked, Err(DeskError::Refused(AccessRefusal::NotSigned))));
    let mut other = scene.clone();
    other.access.provider.0 = 5;
    assert!(matches!(story.ask(&other).await, Err(DeskError::Refused(AccessRefusal::OtherProvider))));
    // What was answered is not for whoever repeats it with another signature.
    let (_, signed) = story.ask(&scene).await.expect("it is answered");
    let forged = SignedAccess { access: signed.access, signature: application(HRS).sign(b"") };
    assert!(matches!(story.desk.answer(&forged).await, Err(DeskError::Refused(AccessRefusal::NotSigned))));
    assert_eq!(story.desk.journal.sizes().expect("a healthy disk").1, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn i20_the_same_access_gets_the_same_answer_and_counts_once() {
    let scene = Scene::new();
    let story = Story::of(&scene).await;
    let signed = story.signed(&scene);
    let first = story.desk.answer(&signed).await.expect("it is answered");
    story.ledger.withdraw(GRANT);
    story.clock.pass(3_600_000);
    story.ledger.lock().world.time = story.clock.now();
    story.polled().await;
    let again = story.desk.answer(&signed).await.expect("it is answered");
    assert!(first == again, "also after a withdrawal, and long after");
    assert_eq!(story.desk.journal.sizes().expect("a healthy disk").1, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn i24_nothing_is_used_where_nothing_fresh_is_known() {
    let scene = Scene::new();
    let story = Story::of(&scene).await;
    assert_eq!(story.result(&scene).await, (ResultCode::Yes, 1));
    story.ledger.lock().are_away = true;
    story.clock.pass(PACE.fresh_millis + 1);
    assert!(matches!(story.ask(&scene).await, Err(DeskError::Refused(AccessRefusal::Stale))));
    story.clock.pass(60_000);
    let asked = story.ask(&scene).await;
    assert!(matches!(asked, Err(DeskError::Register(RegisterTrouble::Stale))), "not even by a duty");
    story.ledger.lock().are_away = false;
    story.ledger.lock().world.time = story.clock.now();
    story.polled().await;
    assert_eq!(story.result(&scene).await, (ResultCode::Yes, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn i24_a_grant_that_is_not_there_yet_is_asked_for_at_once_and_refused_for_no_good() {
    let mut scene = Scene::new();
    let story = Story::of(&scene).await;
    let line = story.ledger.lock().world.books[GRANTS.0 as usize].lines[2];
    let next = LinePlace { line: LineNumber(3), ..GRANT };
    scene.presented().place = next;
    assert!(matches!(story.ask(&scene).await, Err(DeskError::Refused(AccessRefusal::Stale))));
    assert_eq!(story.desk.journal.sizes().expect("a healthy disk").1, 0);
    story.ledger.seal(next, line);
    assert_eq!(story.result(&scene).await, (ResultCode::Yes, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn i23_an_answer_is_sealed_and_the_folder_holds_no_data() {
    let mut scene = Scene::by_function();
    scene.access.mode = Mode::Batch;
    scene.access.fields = vec![0, 1];
    let question = |subject: &str| {
        let subject = ClaimValue::new(subject).expect("short");
        Question { subject, tests: vec![], warrant: Warrant::None }
    };
    scene.access.questions = vec![question(SUBJECT), question("nobody"), question(OTHER)];
    let story = Story::of(&scene).await;
    let (written, signed) = story.ask(&scene).await.expect("it is answered");
    let domain = story.desk.domain();
    let sealed = written.answer.expect("something was answered");
    let opened = reply().open(&domain, &signed.access.digest(&domain), &sealed).expect("it is sealed to the asker");
    let answers: Vec<Answer> = serde_json::from_slice(&opened).expect("answers");
    assert_eq!(answers[0].values, [(0, Some("41".to_owned())), (1, Some("示例市".to_owned()))]);
    assert_eq!((answers[1].result, answers[2].result), (ResultCode::NotFound, ResultCode::Answered));
    for ((answer, receipt), question) in answers.iter().zip(&written.receipts).zip(&signed.access.terms().questions) {
        assert!(answer.is_receipted(&domain, &receipt.receipt, &question.subject));
    }
    let bytes = std::fs::read(story.folder.path().join("journal")).expect("it is there");
    for text in [SUBJECT, OTHER, "nobody", "示例市"] {
        assert!(!bytes.windows(text.len()).any(|part| part == text.as_bytes()), "{text} is in the journal");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn i25_where_nothing_is_found_out_nothing_is_used() {
    let scene = Scene::new();
    let story = Story::of(&scene).await;
    let mut keyless = story.signed(&scene).access.terms().clone();
    keyless.reply_key = [0; 32];
    let keyless = fengni_core::sharing::Access::new(keyless).expect("an access");
    let keyless = keyless.sign(&story.desk.domain(), &scene.signer);
    assert!(matches!(story.desk.answer(&keyless).await, Err(DeskError::ReplyKey)));
    // Whatever connections there are by now.
    double::change(story.folder.path(), "ALTER TABLE insured RENAME TO away").await;
    assert!(matches!(story.ask(&scene).await, Err(DeskError::Data(_))));
    double::change(story.folder.path(), "ALTER TABLE away RENAME TO insured").await;
    assert_eq!(story.desk.journal.sizes().expect("a healthy disk").1, 0);
    for number in 1..=3 {
        assert_eq!(story.result(&scene).await, (ResultCode::Yes, number));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn i11_what_the_data_does_not_answer_the_requester_has_in_writing() {
    let scene = Scene::new();
    let story = Story::of(&scene).await;
    let mut unsuitable = scene.clone();
    unsuitable.access.questions[0].tests[0].value = ClaimValue::new("many").expect("short");
    assert_eq!(story.result(&unsuitable).await, refused(AccessRefusal::NoAnswer));
    let change = |statements| double::change(story.folder.path(), statements);
    change("UPDATE insured SET months = 'many'").await;
    assert_eq!(story.result(&scene).await, refused(AccessRefusal::NoAnswer));
    change("UPDATE insured SET months = 41").await;
    change("CREATE TABLE twice AS SELECT * FROM insured UNION ALL SELECT * FROM insured").await;
    change("ALTER TABLE insured RENAME TO once; ALTER TABLE twice RENAME TO insured").await;
    assert_eq!(story.result(&scene).await, refused(AccessRefusal::NoAnswer));
    change("ALTER TABLE insured RENAME TO twice; ALTER TABLE once RENAME TO insured").await;
    // Nothing of it was used.
    for number in 1..=3 {
        assert_eq!(story.result(&scene).await, (ResultCode::Yes, number));
    }
    assert_eq!(story.result(&scene).await, refused(AccessRefusal::GrantUsedUp));
}

#[tokio::test(flavor = "multi_thread")]
async fn i25_values_are_tested_as_what_they_are() {
    let scene = Scene::new();
    let story = Story::of(&scene).await;
    let mut by_function = Scene::by_function();
    assert!(matches!(by_function.access.basis, AccessBasis::Function));
    story.ledger.lock().world.requests[7].terms.basis = AccessBasis::Function;
    story.polled().await;
    for (is, value, expected) in [
        (Comparison::AtLeast, "9", ResultCode::Yes),
        (Comparison::AtMost, "9", ResultCode::No),
        (Comparison::Equal, "41.0", ResultCode::Yes),
    ] {
        let value = ClaimValue::new(value).expect("short");
        by_function.access.questions[0].tests = vec![Test { field: 0, is, value }];
        assert_eq!(story.result(&by_function).await, (expected, 0));
    }
}
