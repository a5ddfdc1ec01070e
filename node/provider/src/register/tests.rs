//! What is known follows the ledger, and says when it does not.

use std::time::Instant;

use fengni_core::record::{Member, MemberStatus, Request};
use fengni_core::sharing::GrantLine;
use fengni_core::{BookNumber, LineNumber};

use super::*;
use crate::double::{Clock, Double, until};
use crate::scene::{GRANTS, NOW, Scene, YHR};

const PACE: Pace = Pace { poll: Duration::from_millis(10), fresh_millis: 3_000 };
const GRANT: LinePlace = LinePlace { book: GRANTS, line: LineNumber(2) };

struct Story {
    ledger: Double,
    clock: Clock,
    register: Register,
}

impl Story {
    async fn new() -> Self {
        let (ledger, clock) = (Double::of(&Scene::new()), Clock::new());
        let register = Register::start(ledger.clone(), clock.read(), PACE);
        until("the first poll", || register.freshness().is_ok()).await;
        Self { ledger, clock, register }
    }

    async fn grant(&self, place: LinePlace) -> Option<GrantLine> {
        let proven = self.register.line(place).await.expect("a proof");
        GrantLine::load(&proven, place, self.clock.now()).expect("it has all of it")
    }

    /// Polls that were begun from now on came to an end.
    async fn polled(&self) {
        self.clock.pass(1);
        let now = self.clock.now();
        until("another poll", || self.register.freshness().is_ok_and(|known| known.polled >= now)).await;
    }
}

#[tokio::test]
async fn i24_a_withdrawal_is_seen_by_the_next_poll() {
    let story = Story::new().await;
    assert!(!story.grant(GRANT).await.expect("it is there").is_withdrawn);
    story.ledger.withdraw(GRANT);
    story.polled().await;
    assert!(story.grant(GRANT).await.expect("it is there").is_withdrawn);
}

#[tokio::test]
async fn i24_what_has_not_changed_is_not_asked_again() {
    let story = Story::new().await;
    story.grant(GRANT).await.expect("it is there");
    story.register.record::<Request>(7).await.expect("a proof").expect("it is there");
    story.polled().await;
    story.ledger.lock().asked.clear();
    story.polled().await;
    let poll = vec![Place::Record(Shelf::Parameters, 0), Place::Record(Shelf::Books, GRANTS.0)];
    let asked = story.ledger.lock().asked.clone();
    assert!(!asked.is_empty() && asked.iter().all(|places| *places == poll), "{asked:?}");
    // Another line of the same book is no reason either.
    story.ledger.lock().asked.clear();
    let other = LinePlace { line: LineNumber(0), ..GRANT };
    story.ledger.withdraw(other);
    story.polled().await;
    let asked = story.ledger.lock().asked.clone();
    assert!(asked.iter().all(|places| !places.contains(&Place::Line(GRANT.book, GRANT.line))), "{asked:?}");
}

#[tokio::test]
async fn i24_records_follow_their_registries() {
    let story = Story::new().await;
    let member = || async { story.register.record::<Member>(YHR.0).await.expect("a proof").expect("it is there") };
    assert_eq!(member().await.status, MemberStatus::Active);
    story.ledger.lock().world.members[YHR.0 as usize].status = MemberStatus::Suspended;
    story.polled().await;
    assert_eq!(member().await.status, MemberStatus::Suspended);
    assert!(story.register.record::<Request>(8).await.expect("a proof").is_none(), "there is none yet");
    let request = story.ledger.lock().world.requests[7].clone();
    story.ledger.lock().world.requests.push(request);
    story.polled().await;
    assert!(story.register.record::<Request>(8).await.expect("a proof").is_some());
}

#[tokio::test]
async fn i24_where_there_is_no_line_that_is_known_too() {
    let story = Story::new().await;
    let beyond = LinePlace { line: LineNumber(3), ..GRANT };
    assert!(story.grant(beyond).await.is_none());
    assert!(story.grant(LinePlace { book: BookNumber(9), line: LineNumber(0) }).await.is_none());
    let line = story.ledger.lock().world.books[GRANTS.0 as usize].lines[0];
    story.ledger.seal(beyond, line);
    assert!(story.grant(beyond).await.is_some(), "it is there by now, and was asked for at once");
}

#[tokio::test]
async fn i24_a_glance_leaves_nothing_behind() {
    let story = Story::new().await;
    let glance = || async { story.register.glance(GRANT).await.expect("a proof") };
    let load = |proven: &Proven| GrantLine::load(proven, GRANT, NOW).expect("it has all of it").expect("it is there");
    assert!(!load(&*glance().await).is_withdrawn);
    story.ledger.withdraw(GRANT);
    assert!(load(&*glance().await).is_withdrawn, "it was asked for again");
    story.polled().await;
    story.ledger.lock().asked.clear();
    story.polled().await;
    let asked = story.ledger.lock().asked.clone();
    assert!(asked.iter().all(|places| *places == [Place::Record(Shelf::Parameters, 0)]), "{asked:?}");
}

#[tokio::test]
async fn i24_nothing_is_fresh_where_nobody_answers() {
    let story = Story::new().await;
    assert!(story.register.freshness().expect("known").is_fresh);
    story.ledger.lock().are_away = true;
    story.clock.pass(PACE.fresh_millis + 1);
    let known = story.register.freshness().expect("known");
    assert!(!known.is_fresh && known.is_recent);
    let never_seen = LinePlace { line: LineNumber(1), ..GRANT };
    assert!(matches!(story.register.line(never_seen).await, Err(RegisterTrouble::Ledger(_))));
    // They answer again, with a block of long ago: that says nothing about now.
    story.ledger.lock().are_away = false;
    story.clock.pass(60_000);
    story.polled().await;
    let known = story.register.freshness().expect("known");
    assert!(!known.is_fresh && !known.is_recent);
    story.ledger.lock().world.time = Millis(NOW.0 + 60_000);
    story.polled().await;
    until("a new block", || story.register.freshness().is_ok_and(|known| known.is_fresh)).await;
}

#[tokio::test]
async fn i24_a_clock_that_is_behind_makes_nothing_fresh() {
    let story = Story::new().await;
    // Nobody answers: the last poll stays that of before.
    story.ledger.lock().are_away = true;
    story.clock.put_back(20_000);
    let known = story.register.freshness().expect("known");
    assert!(!known.is_fresh && known.is_recent, "a poll is not of later than now");
    story.clock.put_back(20_000);
    let known = story.register.freshness().expect("known");
    assert!(!known.is_fresh && !known.is_recent, "nor a header of much later");
}

#[test]
fn i24_questions_about_an_unknown_book_share_a_poll() {
    let (ledger, clock) = (Double::of(&Scene::new()), Clock::new());
    let (source, cache) = (ledger.clone(), Arc::default());
    let mut follower = Follower { source, cache, clock: clock.read(), begun: None };
    let unknown = Want::Glance(LinePlace { book: BookNumber(9), line: LineNumber(0) });
    let mut polls = |begun| {
        follower.begun = begun;
        ledger.lock().asked.clear();
        assert_eq!(follower.see(&[unknown].into()).expect("a proof").len(), 1, "what shows that there is none");
        ledger.lock().asked.len()
    };
    assert_eq!(polls(None), 1);
    // As if it were begun only now, however long the test takes.
    assert_eq!(polls(Some(Instant::now() + Duration::from_secs(600))), 0);
    assert_eq!(polls(Instant::now().checked_sub(Duration::from_secs(1))), 1);
}
