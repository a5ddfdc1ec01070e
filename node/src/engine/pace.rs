//! Pacing: an idle ledger rests between blocks, and a waiting transaction wakes it at once.
//!
//! After a block is final, a validator holds back its go-ahead for the next height until its pool
//! has work, until the idle interval has passed, or until somebody else is ahead: a vote, a
//! proposal or a part for the next height, or a status that names it as final. Only the answer
//! to the engine waits; every other message is answered meanwhile.

use std::time::Duration;

use fengni_core::Height;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// The longest rest, also where answers may be older: a stall must be told within ten seconds.
const IDLE_MAX: Duration = Duration::from_secs(5);
/// How long after its due time a block may be missing before that is a stall: two rounds without
/// their proposers.
const GRACE: Duration = Duration::from_secs(5);

/// How fast blocks follow one another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pace {
    /// The longest rest between two blocks.
    pub idle: Duration,
    /// The shortest rest between two blocks, also with work at hand.
    pub shortest: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { idle: IDLE_MAX, shortest: Duration::from_millis(10) }
    }
}

impl Pace {
    /// A pace for answers that may be this old.
    pub fn for_age(age: Duration) -> Self {
        Self { idle: (age / 3).min(IDLE_MAX), ..Self::default() }
    }

    /// Without a final block for this long, consensus stalls: at most ten seconds.
    pub fn stall_after(&self) -> Duration {
        self.idle + GRACE
    }

    /// Waits for a reason to begin the next height.
    pub(crate) async fn hold(
        &self,
        next: Height,
        since: Instant,
        mut work: watch::Receiver<bool>,
        mut ahead: watch::Receiver<Height>,
    ) {
        let others = async {
            if ahead.wait_for(|ahead| *ahead >= next).await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        let own = async {
            sleep_until(since + self.shortest).await;
            // A pool that is gone has no work any more.
            if work.wait_for(|work| *work).await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            () = others => {}
            () = own => {}
            () = sleep_until(since + self.idle) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::timeout;

    const HOUR: Duration = Duration::from_secs(3600);

    #[tokio::test]
    async fn work_others_or_time_end_the_rest_and_nothing_else() {
        let pace = Pace { idle: HOUR, shortest: Duration::ZERO };
        let (work, ahead) = (watch::Sender::new(false), watch::Sender::new(Height(4)));
        let hold = |pace: Pace| pace_of(pace, &work, &ahead);
        // Nobody is ahead of height 5 yet, and there is no work.
        assert!(timeout(Duration::from_millis(1), hold(pace)).await.is_err());
        let resting = tokio::spawn(hold(pace));
        work.send_replace(true);
        resting.await.expect("work wakes");
        work.send_replace(false);
        let resting = tokio::spawn(hold(pace));
        ahead.send_replace(Height(5));
        resting.await.expect("others wake");
        ahead.send_replace(Height(0));
        hold(Pace { idle: Duration::from_millis(1), ..pace }).await;
        // With work at hand, the shortest rest is kept; a pool that is gone is no work.
        work.send_replace(true);
        let slow = Pace { shortest: HOUR, ..pace };
        assert!(timeout(Duration::from_millis(1), hold(slow)).await.is_err());
        let gone = { watch::Sender::new(false).subscribe() };
        let rest = pace.hold(Height(5), Instant::now(), gone, ahead.subscribe());
        assert!(timeout(Duration::from_millis(1), rest).await.is_err());
    }

    fn pace_of(
        pace: Pace,
        work: &watch::Sender<bool>,
        ahead: &watch::Sender<Height>,
    ) -> impl Future<Output = ()> + use<> {
        let (work, ahead) = (work.subscribe(), ahead.subscribe());
        async move { pace.hold(Height(5), Instant::now(), work, ahead).await }
    }
}
