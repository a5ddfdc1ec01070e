//! Killed at random moments under load. The moments are drawn from a seed, which is printed: `FENGNI_SEED` draws
//! them again, `FENGNI_KILLS` is how many the long loop draws.

#![allow(clippy::print_stdout, reason = "a seed that is not printed cannot be replayed")]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use fengni_client::clock;
use fengni_client::sharing::provider::Provider;
use fengni_client::sharing::sealed::ReplyKey;
use fengni_core::record::AccessBasis;
use fengni_core::sharing::{AccessRefusal, ResultCode, SidedReceipt, SignedAccess};
use fengni_tests::sharing::{Holder, Stage};
use fengni_tests::{Deadline, Draw, random, until};

use super::{Desk, answered, batch_of, countersigned};

/// Departments' clerks who ask without pause.
const CLERKS: usize = 3;
/// Uses of each holder's grant: one that is never used up, and one that is soon.
const USES: [u32; 2] = [10_000, 40];
/// After a breath: the moment itself is what is drawn.
const MOMENT_MILLIS: u64 = 2_500;
const START_MILLIS: u64 = 400;
const PAUSE: Duration = Duration::from_millis(20);

/// What somebody was answered.
struct Told {
    access: SignedAccess,
    holder: usize,
    receipt: SidedReceipt,
}

/// How the clerks are doing.
#[derive(Default)]
struct Shift {
    ended: AtomicBool,
    answers: AtomicUsize,
}

#[test]
fn i20_six_random_kills_lose_no_use_and_count_none_twice() {
    random_kills(6);
}

/// `make test-long`.
#[test]
#[ignore = "takes minutes: make test-long"]
fn i20_a_hundred_random_kills_lose_no_use_and_count_none_twice() {
    let given = std::env::var("FENGNI_KILLS").ok();
    random_kills(given.map_or(100, |kills| kills.parse().expect("a number")));
}

fn random_kills(kills: usize) {
    let begun = Instant::now();
    let mut draw = Draw::seeded();
    let mut desk = Desk::open(&USES, "[receipts]\nbatch_secs = 1\n");
    let shift = Shift::default();
    let (stage, holders, departments) = (&desk.stage, &desk.holders, desk.provider.departments());
    let told: Vec<Told> = std::thread::scope(|scope| {
        let clerks: Vec<_> = (0..CLERKS).map(|_| scope.spawn(|| work(stage, holders, &departments, &shift))).collect();
        let end = End(&shift);
        for kill in 1..=kills {
            draw.pause(MOMENT_MILLIS);
            desk.provider.kill();
            // Now and then while it starts as well.
            if draw.below(4) == 0 {
                desk.provider.start();
                draw.pause(START_MILLIS);
                desk.provider.kill();
            }
            desk.provider.run();
            let answers = shift.answers.load(Ordering::SeqCst);
            println!("kill {kill} of {kills}: {answers} answers so far");
            until("clerks are answered again", Deadline::default(), || {
                assert!(!clerks.iter().any(|clerk| clerk.is_finished()), "a clerk gave up: see above");
                (shift.answers.load(Ordering::SeqCst) > answers).then_some(())
            });
        }
        drop(end);
        clerks.into_iter().flat_map(|clerk| clerk.join().expect("a clerk saw what must never be: see above")).collect()
    });
    for Told { access, receipt, .. } in &told {
        let again = desk.provider.departments().access(access).expect("it is answered");
        assert!(again.receipts[0].receipt == receipt.receipt, "what was answered once stays so");
    }
    assert_counted(&told);
    let batches = desk.anchored();
    assert_eq!(batches.last().map_or(0, fengni_tests::sharing::Anchored::end), told.len() as u64);
    for Told { receipt, .. } in &told {
        let _ = batch_of(&batches, &desk.stage, receipt);
    }
    println!(
        "FENGNI_SEED={}: {kills} kills in {} s; {} accesses in {} batches, each counted and anchored once",
        draw.seed,
        begun.elapsed().as_secs(),
        told.len(),
        batches.len(),
    );
}

/// Ends the shift, whatever happens: else the clerks of a failed test would go on for ever.
struct End<'a>(&'a Shift);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.ended.store(true, Ordering::SeqCst);
    }
}

/// Asks one thing after the other; what was not answered is asked again.
fn work(stage: &Stage, holders: &[Holder], departments: &Provider, shift: &Shift) -> Vec<Told> {
    let mut told = Vec::new();
    let reply = ReplyKey::from_seed(&random()).public();
    while !shift.ended.load(Ordering::SeqCst) {
        let holder = told.len() % holders.len();
        let terms = stage.access(&holders[holder], AccessBasis::Authorisation, reply, clock::now());
        let access = stage.sign(terms);
        let answered = answered(departments, &access);
        let [receipt] = <[SidedReceipt; 1]>::try_from(answered.receipts).expect("one for its question");
        // Every other one is signed for; where the gateway is gone, it is not.
        if told.len() % 2 == 0 {
            let _ = departments.countersign(&countersigned(stage, &receipt));
        }
        told.push(Told { access, holder, receipt });
        shift.answers.fetch_add(1, Ordering::SeqCst);
        std::thread::sleep(PAUSE);
    }
    told
}

/// Numbers run through the book without a gap, and uses through each grant; who was refused had used it up.
fn assert_counted(told: &[Told]) {
    let mut numbers: Vec<u64> = told.iter().map(|it| it.receipt.receipt.number).collect();
    numbers.sort_unstable();
    assert!(numbers.iter().copied().eq(0..told.len() as u64), "numbers of receipts: {numbers:?}");
    let mut uses: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
    for Told { holder, receipt, .. } in told {
        match receipt.receipt.result {
            ResultCode::Yes => uses.entry(*holder).or_default().push(receipt.receipt.use_number),
            result => assert_eq!(result, ResultCode::Refused(AccessRefusal::GrantUsedUp)),
        }
    }
    for (holder, mut counted) in uses {
        counted.sort_unstable();
        let count = u32::try_from(counted.len()).expect("few");
        assert!(counted.iter().copied().eq(1..=count), "uses of grant {holder}: {counted:?}");
        let asked = told.iter().filter(|it| it.holder == holder).count();
        assert_eq!(counted.len(), asked.min(USES[holder] as usize), "grant {holder} is used as often as it says");
    }
}
