//! The journal is ended at every step, and opened again as the disk has it.

use std::path::PathBuf;
use std::sync::Arc;

use fengni_client::submit::Prepared;
use fengni_core::bytes::Bytes;
use fengni_core::record::{AccessBasis, Mode};
use fengni_core::sharing::{Batch, ResultCode};
use fengni_core::transaction::TransactionId;
use fengni_core::{
    Height, KeyAlgorithm, KeyNumber, LineNumber, LinePlace, NetworkId, PurposeCode, RequestNumber, ResourceNumber,
    SecretKey, Suite,
};
use tempfile::TempDir;

use super::*;

/// Ends the journal at a step, and keeps the file as the disk has it then.
pub(super) struct Kill {
    path: PathBuf,
    at: Mutex<Option<(Step, PathBuf)>>,
}

impl Kill {
    pub(super) fn never(path: &Path) -> Self {
        Self { path: path.to_owned(), at: Mutex::default() }
    }

    pub(super) fn at(&self, step: Step) -> Result<(), JournalError> {
        match &*self.at.lock().expect("one test") {
            Some((at, kept)) if *at == step => {
                std::fs::copy(&self.path, kept).expect("room for a copy");
                Err(JournalError::Killed)
            }
            _ => Ok(()),
        }
    }
}

const NOW: Millis = Millis(1_773_014_400_000);
const WAIT: Duration = Duration::from_secs(5);

fn owner() -> Owner {
    let domain = Domain { suite: Suite::Standard, network: NetworkId(Digest([1; 32])) };
    Owner { domain, member: MemberNumber(3), book: BookNumber(7) }
}

/// The secret of every journal of a test, beside the first of them.
fn secret(path: &Path) -> Secret {
    Secret::open(&path.with_file_name("secret"), true).expect("randomness")
}

fn open(path: &Path) -> Result<Journal, JournalError> {
    Journal::open(path, secret(path), owner())
}

fn key() -> SecretKey {
    SecretKey::from_seed(KeyAlgorithm::Ed25519, &[9; 32]).expect("a seed")
}

fn sign(receipt: &Receipt) -> Result<MemberSignature, String> {
    Ok(MemberSignature { key: KeyNumber(2), signature: key().sign(&receipt.message(&owner().domain)) })
}

const GRANT: UseKey = UseKey { warrant: Digest([4; 32]), kind: 0 };

fn draft(access: Digest, question: u16) -> Draft {
    let receipt = Receipt {
        provider: owner().member,
        requester: MemberNumber(5),
        request: RequestNumber(7),
        resource: ResourceNumber(1),
        basis: AccessBasis::Authorisation,
        purpose: PurposeCode(1),
        item: "115300".to_owned(),
        case: "YS20260309000317".to_owned(),
        mode: Mode::Verify,
        fields: vec![0],
        warrant: Digest([4; 32]),
        use_number: 0,
        record: Digest([5; 32]),
        access,
        question,
        result: ResultCode::Yes,
        time: NOW,
        book: BookNumber(0),
        number: 0,
        salt: [question.to_be_bytes()[1]; 32],
    };
    Draft { receipt, uses: Some(GRANT), holder: Some(key().public()), subject: "甲".to_owned() }
}

fn answer() -> Option<Sealed> {
    Some(Sealed { key: [6; 32], content: Bytes(vec![1, 2, 3]) })
}

struct Story {
    folder: TempDir,
    journal: Arc<Journal>,
    copies: usize,
}

impl Story {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let journal = open(&folder.path().join("journal")).expect("a new one");
        Self { folder, journal: Arc::new(journal), copies: 0 }
    }

    /// Takes room for a use under a limit, and writes it; false where there is no room.
    fn use_once(&self, access: u8, limit: u32) -> Result<bool, JournalError> {
        let access = Digest([access; 32]);
        let Known::New(mut hold) = self.journal.begin(access)? else { panic!("it was asked before") };
        if !hold.take(GRANT, limit)? {
            return Ok(false);
        }
        let entry = Entry { hold, drafts: vec![draft(access, 0)], answer: answer() };
        self.journal.write(vec![entry], NOW, &sign).map(|_| true)
    }

    /// Ends it at a step of what `doing` does; what is there then is what the disk had.
    fn killed_at(&mut self, step: Step, doing: impl FnOnce(&Self) -> Result<(), JournalError>) {
        self.copies += 1;
        let kept = self.folder.path().join(format!("journal-{}", self.copies));
        *self.journal.kill.at.lock().expect("one test") = Some((step, kept.clone()));
        assert!(matches!(doing(self), Err(JournalError::Killed)), "{step:?}");
        self.journal = Arc::new(open(&kept).expect("whole after a crash"));
    }
}

pub(crate) fn prepared(number: u8) -> Prepared {
    Prepared { id: TransactionId(Digest([number; 32])), valid_until: Height(9), bytes: Bytes(vec![number]) }
}

#[test]
fn i20_no_use_is_lost_or_counted_twice_wherever_it_is_killed() {
    let mut story = Story::new();
    assert!(story.use_once(1, 3).expect("a healthy disk"));
    // Nothing was on the disk: nothing was used, and the same access is new.
    story.killed_at(Step::Writing, |story| story.use_once(2, 3).map(drop));
    assert_eq!(story.journal.uses(&GRANT).expect("a healthy disk"), 1);
    assert!(story.use_once(2, 3).expect("a healthy disk"));
    // It was on the disk, and nobody was told: it was used, and the same access gets the same answer.
    story.killed_at(Step::Written, |story| story.use_once(3, 3).map(drop));
    assert_eq!(story.journal.uses(&GRANT).expect("a healthy disk"), 3);
    let Known::Written(again) = story.journal.begin(Digest([3; 32])).expect("a healthy disk") else {
        panic!("it was written")
    };
    assert_eq!((again.receipts[0].receipt.use_number, again.receipts[0].receipt.number), (3, 2));
    assert!(again.answer == answer());
    assert!(!story.use_once(4, 3).expect("a healthy disk"), "used up");
}

#[test]
fn i20_two_at_once_do_not_share_the_last_use() {
    let story = Story::new();
    let begin = |access: u8| story.journal.begin(Digest([access; 32])).expect("a healthy disk");
    let (Known::New(mut first), Known::New(mut second)) = (begin(1), begin(2)) else { panic!("both are new") };
    assert!(matches!(begin(1), Known::Busy));
    assert!(first.take(GRANT, 1).expect("a healthy disk"));
    assert!(!second.take(GRANT, 1).expect("a healthy disk"));
    assert_eq!(story.journal.uses(&GRANT).expect("a healthy disk"), 1);
    // Nothing came of the first: its room is another's.
    drop(first);
    assert!(second.take(GRANT, 1).expect("a healthy disk"));
    let access = *second.access();
    let refused = |_: &Receipt| Err("the token was pulled out".to_owned());
    let entry = Entry { hold: second, drafts: vec![draft(access, 0)], answer: answer() };
    assert!(matches!(story.journal.write(vec![entry], NOW, &refused), Err(JournalError::Sign(_))));
    assert_eq!(story.journal.uses(&GRANT).expect("a healthy disk"), 0, "without a receipt there is no use");
    assert!(matches!(begin(1), Known::New(_)));
    assert!(matches!(begin(2), Known::New(_)));
}

#[test]
fn i21_an_answer_is_kept_until_its_receipts_are_countersigned() {
    let story = Story::new();
    let access = Digest([1; 32]);
    let Known::New(hold) = story.journal.begin(access).expect("a healthy disk") else { panic!("it is new") };
    let drafts = vec![draft(access, 0), draft(access, 1)];
    let entry = Entry { hold, drafts, answer: answer() };
    let written = story.journal.write(vec![entry], NOW, &sign).expect("a healthy disk").remove(0);
    let taken = |receipt: &SidedReceipt| {
        let signature = key().sign(&receipt.receipt.taken_message(&owner().domain));
        (receipt.receipt.number, MemberSignature { key: KeyNumber(0), signature })
    };
    let [first, second] = [taken(&written.receipts[0]), taken(&written.receipts[1])];
    let now = || story.journal.written(&access).expect("a healthy disk").expect("it was written");
    story.journal.countersign(&[first]).expect("a healthy disk");
    assert!(now().answer.is_some() && now().receipts[0].requester == Some(first.1));
    story.journal.countersign(&[second, (99, second.1)]).expect("a healthy disk");
    assert!(now().answer.is_none() && now().receipts[1].requester == Some(second.1));
    // A second signature does not take the place of the first.
    story.journal.countersign(&[(first.0, second.1)]).expect("a healthy disk");
    assert!(now().receipts[0].requester == Some(first.1));
    assert_eq!(story.journal.forget(NOW).expect("a healthy disk"), 0);
    assert!(story.journal.written(&access).expect("a healthy disk").is_some(), "of before that moment");
    assert_eq!(story.journal.forget(Millis(NOW.0 + 1)).expect("a healthy disk"), 1);
    assert!(story.journal.written(&access).expect("a healthy disk").is_none());
    assert!(story.journal.receipt(1).expect("a healthy disk").is_some(), "receipts stay");
}

#[test]
fn i22_batches_follow_one_another_wherever_it_is_killed() {
    let mut story = Story::new();
    let due = |story: &Story, later: u64| story.journal.due(Millis(NOW.0 + later), WAIT).expect("a healthy disk");
    for access in 1..=3 {
        story.use_once(access, 9).expect("a healthy disk");
    }
    assert!(due(&story, 4_999).is_none());
    let found = due(&story, 5_000).expect("its time has come");
    assert_eq!((found.first, found.leaves.len()), (0, 3));
    let batch = Batch::of(&owner().domain, found.first, &found.leaves);
    story.killed_at(Step::Closing, |story| story.journal.close_batch(&batch, &prepared(1)));
    assert!(story.journal.last_batch().expect("a healthy disk").is_none());
    // What comes meanwhile is in the next batch, or in this one made anew: never in two.
    story.use_once(4, 9).expect("a healthy disk");
    let found = due(&story, 5_000).expect("they wait");
    let batch = Batch::of(&owner().domain, found.first, &found.leaves);
    assert_eq!(batch.count, 4);
    story.killed_at(Step::Closed, |story| story.journal.close_batch(&batch, &prepared(2)));
    let open = story.journal.last_batch().expect("a healthy disk").expect("it is there");
    assert_eq!((open.batch(), open.prepared(), open.place), (batch, prepared(2), None));
    assert!(due(&story, 60_000).is_none());
    let place = LinePlace { book: BookNumber(7), line: LineNumber(0) };
    story.killed_at(Step::Anchoring, |story| story.journal.anchored(0, place));
    assert_eq!(story.journal.last_batch().expect("a healthy disk").expect("it is there").place, None);
    story.journal.sign_batch_again(0, &prepared(3)).expect("a healthy disk");
    assert_eq!(story.journal.last_batch().expect("a healthy disk").expect("it is there").prepared(), prepared(3));
    story.journal.anchored(0, place).expect("a healthy disk");
    story.use_once(5, 9).expect("a healthy disk");
    let (row, leaves) = story.journal.batch_of(3).expect("a healthy disk").expect("it is there");
    assert_eq!((row.place, leaves.len()), (Some(place), 4));
    assert!(story.journal.batch_of(4).expect("a healthy disk").is_none());
    let gap = Batch { first: 5, ..batch };
    assert!(matches!(story.journal.close_batch(&gap, &prepared(4)), Err(JournalError::Damaged)));

    let mine = story.journal.receipts_of(&key().public(), &[], 0, 9).expect("a healthy disk");
    assert_eq!(mine.len(), 5);
    let some = |from, most| {
        let found = story.journal.receipts_of(&key().public(), &["甲".to_owned()], from, most);
        found.expect("a healthy disk").iter().map(|shown| shown.receipt.receipt.number).collect::<Vec<_>>()
    };
    assert_eq!((some(0, 2), some(2, 2), some(4, 2), some(5, 2)), (vec![0, 1], vec![2, 3], vec![4], vec![]));
    for shown in &mine[..4] {
        let (path, at) = shown.anchor.as_ref().expect("it is anchored");
        assert_eq!((path.batch(&owner().domain, &shown.receipt.receipt), *at), (Ok(batch), place));
    }
    assert!(mine[4].anchor.is_none());
    let stranger = SecretKey::from_seed(KeyAlgorithm::Ed25519, &[8; 32]).expect("a seed").public();
    let about = story.journal.receipts_of(&stranger, &["乙".to_owned(), "甲".to_owned()], 0, 9);
    assert!(about.expect("a healthy disk").iter().all(|shown| shown.subject.as_deref() == Some("甲")));
    assert!(story.journal.receipts_of(&stranger, &["乙".to_owned()], 0, 9).expect("a healthy disk").is_empty());
}

#[test]
fn i12_numbers_and_times_rise_together_though_a_clock_is_put_back() {
    let story = Story::new();
    let mut told = Vec::new();
    for (access, now) in [(1, NOW.0), (2, NOW.0 - 60_000), (3, NOW.0 + 1)] {
        let access = Digest([access; 32]);
        let Known::New(hold) = story.journal.begin(access).expect("a healthy disk") else { panic!("it is new") };
        let entry = Entry { hold, drafts: vec![draft(access, 0)], answer: answer() };
        let written = story.journal.write(vec![entry], Millis(now), &sign).expect("a healthy disk").remove(0);
        let receipt = &written.receipts[0].receipt;
        told.push((receipt.number, receipt.time.0 - NOW.0));
    }
    assert_eq!(told, [(0, 0), (1, 0), (2, 1)]);
}

#[test]
fn i12_times_do_not_fall_after_the_last_receipt_was_erased() {
    let story = Story::new();
    story.use_once(1, 9).expect("a healthy disk");
    let due = story.journal.due(Millis(NOW.0 + 9_000), WAIT).expect("a healthy disk").expect("it waits");
    let batch = Batch::of(&owner().domain, due.first, &due.leaves);
    story.journal.close_batch(&batch, &prepared(1)).expect("a healthy disk");
    let place = LinePlace { book: BookNumber(7), line: LineNumber(0) };
    story.journal.anchored(0, place).expect("a healthy disk");
    let erased = story.journal.erase(&["甲".to_owned()], Millis(NOW.0 + 1)).expect("a healthy disk");
    assert_eq!(erased.receipts, 1);
    let access = Digest([2; 32]);
    let Known::New(hold) = story.journal.begin(access).expect("a healthy disk") else { panic!("it is new") };
    let entry = Entry { hold, drafts: vec![draft(access, 0)], answer: None };
    let written = story.journal.write(vec![entry], Millis(NOW.0 - 60_000), &sign).expect("a healthy disk");
    let receipt = &written[0].receipts[0].receipt;
    assert_eq!((receipt.number, receipt.time), (1, NOW));
}

#[test]
fn i29_what_is_erased_leads_to_nobody_and_batches_stay_complete() {
    let story = Story::new();
    let both = Digest([1; 32]);
    let Known::New(hold) = story.journal.begin(both).expect("a healthy disk") else { panic!("it is new") };
    let other = Draft { subject: "乙".to_owned(), ..draft(both, 1) };
    let entry = Entry { hold, drafts: vec![draft(both, 0), other], answer: answer() };
    story.journal.write(vec![entry], NOW, &sign).expect("a healthy disk");
    story.use_once(2, 9).expect("a healthy disk");
    let due = story.journal.due(Millis(NOW.0 + 9_000), WAIT).expect("a healthy disk").expect("they wait");
    let batch = Batch::of(&owner().domain, due.first, &due.leaves);
    story.journal.close_batch(&batch, &prepared(1)).expect("a healthy disk");
    let (mine, later) = (["甲".to_owned()], Millis(NOW.0 + 1));
    let erase = |before| story.journal.erase(&mine, before).expect("a healthy disk");
    assert_eq!(erase(later), Erased { receipts: 0, young: 2 }, "it is not anchored yet");
    let place = LinePlace { book: BookNumber(7), line: LineNumber(0) };
    story.journal.anchored(0, place).expect("a healthy disk");
    assert_eq!(erase(NOW), Erased { receipts: 0, young: 2 }, "it may be asked again");
    assert_eq!(erase(later), Erased { receipts: 2, young: 0 });
    assert_eq!(erase(later), Erased::default());

    let found = story.journal.receipts_of(&key().public(), &mine, 0, 9).expect("a healthy disk");
    let numbers: Vec<u64> = found.iter().map(|shown| shown.receipt.receipt.number).collect();
    assert_eq!(numbers, [1], "what is about somebody else stays");
    assert!(story.journal.written(&both).expect("a healthy disk").is_none(), "its answer was about both");
    let (row, leaves) = story.journal.batch_of(0).expect("a healthy disk").expect("it is there");
    assert_eq!(Batch::of(&owner().domain, row.first, &leaves), batch);
    let (path, _) = found[0].anchor.as_ref().expect("it is anchored");
    assert_eq!(path.batch(&owner().domain, &found[0].receipt.receipt), Ok(batch));
    let listed = |story: &Story| {
        let newest = story.journal.newest(9).expect("a healthy disk");
        newest.iter().map(|it| (it.number, it.is_two_sided)).collect::<Vec<_>>()
    };
    assert_eq!(listed(&story), [(2, None), (1, Some(false)), (0, None)]);
    // Numbers go on, and uses stay counted.
    assert_eq!(story.journal.uses(&GRANT).expect("a healthy disk"), 3);
    assert!(!story.use_once(3, 3).expect("a healthy disk"));
    assert!(story.use_once(4, 9).expect("a healthy disk"));
    assert_eq!(listed(&story)[0], (3, Some(false)));

    // Receipts that are old go with all that was left of others.
    assert_eq!(story.journal.erase_old(NOW).expect("a healthy disk"), 0);
    assert_eq!(story.journal.erase_old(later).expect("a healthy disk"), 3);
    assert_eq!(listed(&story), [(3, Some(false))], "what is not anchored stays");
    assert_eq!(story.journal.batch_of(1).expect("a healthy disk").expect("it is there").1, leaves);
}

#[test]
fn a_journal_has_one_owner_and_one_process() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let path = folder.path().join("journal");
    let journal = open(&path).expect("a new one");
    assert!(matches!(open(&path), Err(JournalError::InUse)));
    drop(journal);
    let other = Owner { book: BookNumber(8), ..owner() };
    assert!(matches!(Journal::open(&path, secret(&path), other), Err(JournalError::Other)));
    let another = Secret::open(&folder.path().join("other.secret"), true).expect("a new one");
    assert!(matches!(Journal::open(&path, another, owner()), Err(JournalError::Other)), "nobody would be found in it");
    assert!(Secret::open(&folder.path().join("lost.secret"), false).is_err(), "a journal has one already");
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).expect("it is there").permissions());
    assert_eq!(mode & 0o077, 0);
}

#[tokio::test]
async fn i28_more_than_can_wait_are_told_to_come_again() {
    let story = Story::new();
    // The key waits for a token: nothing is written meanwhile.
    let (plugged_in, waits) = std::sync::mpsc::channel::<()>();
    let slow = move |receipt: &Receipt| {
        let _ = waits.recv();
        sign(receipt)
    };
    let writer = Writer::start(Arc::clone(&story.journal), Arc::new(|| NOW), Box::new(slow));
    let (mut writing, mut busy) = (Vec::new(), 0);
    for number in 0..2 * u32::try_from(crate::REQUESTS).expect("few") {
        let mut access = Digest::default();
        access.0[..4].copy_from_slice(&number.to_be_bytes());
        let Known::New(hold) = story.journal.begin(access).expect("a healthy disk") else { panic!("it is new") };
        let entry = Entry { hold, drafts: vec![Draft { uses: None, ..draft(access, 0) }], answer: None };
        let mut write = Box::pin({
            let writer = writer.clone();
            async move { writer.write(entry).await }
        });
        match futures::poll!(&mut write) {
            std::task::Poll::Pending => writing.push(write),
            std::task::Poll::Ready(written) => {
                assert!(matches!(*written.err().expect("nothing is written"), JournalError::Busy));
                busy += 1;
            }
        }
    }
    assert!(busy > 0 && writing.len() >= crate::REQUESTS);
    drop(plugged_in);
    for write in writing {
        write.await.expect("a healthy disk");
    }
}

#[tokio::test]
async fn many_are_written_in_a_step() {
    let story = Story::new();
    let writer = Writer::start(Arc::clone(&story.journal), Arc::new(|| NOW), Box::new(sign));
    let all = (0..100_u8).map(|access| {
        let (writer, access) = (writer.clone(), Digest([access; 32]));
        let Known::New(mut hold) = story.journal.begin(access).expect("a healthy disk") else { panic!("it is new") };
        assert!(hold.take(GRANT, 100).expect("a healthy disk"));
        let entry = Entry { hold, drafts: vec![draft(access, 0)], answer: answer() };
        tokio::spawn(async move { writer.write(entry).await })
    });
    let mut numbers = Vec::new();
    for written in all.collect::<Vec<_>>() {
        let written = written.await.expect("it ends").expect("a healthy disk");
        numbers.push((written.receipts[0].receipt.number, written.receipts[0].receipt.use_number));
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (0..100_u32).map(|number| (u64::from(number), number + 1)).collect::<Vec<_>>());
}
