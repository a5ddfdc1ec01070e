//! Receipts: whose word they are, and whether they stand on the ledger. Rules I-12 to I-17.

use fengni_core::sharing::*;
use fengni_core::*;
use proptest::prelude::*;

use crate::common::domain;
use crate::scene::*;

pub const SALT: [u8; 32] = [0x5b; 32];

/// The receipt of a scene's question.
pub fn receipt(scene: &Scene, number: u64, result: ResultCode) -> Receipt {
    let access = Access::new(scene.access.clone()).expect("an access");
    let terms = access.terms();
    let refused = matches!(result, ResultCode::Refused(_));
    let counted = scene.outcome().ok().flatten().filter(|_| !refused);
    let asked = &terms.questions[scene.question];
    let values = (!refused && result != ResultCode::NotFound).then(found);
    Receipt {
        provider: terms.provider,
        requester: terms.requester,
        request: terms.request,
        resource: MONTHS,
        basis: terms.basis,
        purpose: terms.purpose,
        item: terms.item.clone(),
        case: terms.case.clone(),
        mode: terms.mode,
        fields: terms.fields.clone(),
        warrant: warrant_digest(&domain(), &SALT, asked.warrant.digest(&domain()).as_ref()),
        use_number: counted.map_or(0, |(_, number)| number),
        record: record_digest(&domain(), &SALT, &asked.subject, values.as_deref()),
        access: access.digest(&domain()),
        question: scene.question as u16,
        result,
        time: NOW,
        book: BookNumber(5),
        number,
        salt: SALT,
    }
}

/// What the provider found.
pub fn found() -> Vec<FieldValue> {
    vec![(0, Some("41".into()))]
}

pub fn signed(receipt: Receipt) -> SidedReceipt {
    let signature = |member, message: &[u8]| {
        Some(MemberSignature { key: KeyNumber(1), signature: application(member).sign(message) })
    };
    SidedReceipt {
        provider: signature(HRS, &receipt.message(&domain())),
        requester: signature(YHR, &receipt.taken_message(&domain())),
        receipt,
    }
}

fn sides(signed: &SidedReceipt) -> Sides {
    signed.sides(&domain(), &member(HRS), &member(YHR), Height(1300))
}

#[test]
fn i13_a_receipt_binds_whoever_signed_it_and_nobody_else() {
    let both = signed(receipt(&Scene::new(), 17, ResultCode::Yes));
    assert_eq!(sides(&both), Sides::Both);
    assert_eq!(sides(&SidedReceipt { requester: None, ..both.clone() }), Sides::Provider);
    assert_eq!(sides(&SidedReceipt { provider: None, ..both.clone() }), Sides::Requester);
    assert_eq!(sides(&SidedReceipt { provider: None, requester: None, ..both.clone() }), Sides::Neither);
    // The one's signature is not the other's, and neither is one over something else.
    let swapped = SidedReceipt { provider: both.requester, requester: both.provider, ..both.clone() };
    assert_eq!(sides(&swapped), Sides::Neither);
    let mut other = both.clone();
    other.receipt.result = ResultCode::No;
    assert_eq!(sides(&other), Sides::Neither);
    // A key that came later did not sign then; a member that left still stands by what it signed.
    let mut late = member(HRS);
    late.keys[1].from = Height(1301);
    assert_eq!(both.sides(&domain(), &late, &member(YHR), Height(1300)), Sides::Requester);
    let gone = record::Member { status: record::MemberStatus::Removed, ..member(HRS) };
    assert_eq!(both.sides(&domain(), &gone, &member(YHR), Height(1300)), Sides::Both);
}

#[test]
fn i13_a_receipt_repeats_its_access_and_says_what_the_answer_says() {
    let mut scene = Scene::new();
    scene.access.mode = record::Mode::Batch;
    scene.access.questions[0].tests.clear();
    let access = Access::new(scene.access.clone()).expect("an access");
    let right = receipt(&scene, 17, ResultCode::Answered);
    assert!(right.is_for(&domain(), &access));
    let changes: [fn(&mut Receipt); 12] = [
        |r| r.provider.0 += 1,
        |r| r.requester.0 += 1,
        |r| r.request.0 += 1,
        |r| r.basis = record::AccessBasis::Function,
        |r| r.purpose.0 += 1,
        |r| r.item.push('1'),
        |r| r.case.push('1'),
        |r| r.mode = record::Mode::Query,
        |r| r.fields.push(9),
        |r| r.access.0[0] ^= 1,
        |r| r.question = 1,
        |r| r.question = u16::MAX,
    ];
    for (at, change) in changes.into_iter().enumerate() {
        let mut wrong = right.clone();
        change(&mut wrong);
        assert!(!wrong.is_for(&domain(), &access), "{at}");
    }
    let subject = value(SUBJECT);
    let answer = Answer { result: ResultCode::Answered, values: found() };
    assert!(answer.is_receipted(&domain(), &right, &subject));
    let other = vec![(0, Some("14".to_owned()))];
    let wrong = [
        (Answer { values: other, ..answer.clone() }, &subject),
        (Answer { values: vec![], ..answer.clone() }, &subject),
        (Answer { result: ResultCode::NotFound, ..answer.clone() }, &subject),
        (answer, &value("319901198511230041")),
    ];
    for (at, (answer, subject)) in wrong.into_iter().enumerate() {
        assert!(!answer.is_receipted(&domain(), &right, subject), "{at}");
    }
}

#[test]
fn i17_a_test_is_answered_without_a_value() {
    let scene = Scene::new();
    let subject = value(SUBJECT);
    let refused = ResultCode::Refused(AccessRefusal::GrantWithdrawn);
    for result in [ResultCode::Yes, ResultCode::No, ResultCode::NotFound, refused] {
        let right = receipt(&scene, 17, result);
        assert!(Answer { result, values: vec![] }.is_receipted(&domain(), &right, &subject), "{result:?}");
        assert!(!Answer { result, values: found() }.is_receipted(&domain(), &right, &subject), "{result:?}");
    }
    let told = receipt(&scene, 17, ResultCode::Answered);
    let answer = Answer { result: ResultCode::Answered, values: found() };
    assert!(!answer.is_receipted(&domain(), &told, &subject), "a value in the mode verify");
}

/// Leaves of a batch from 10 on, with the receipt's own where it belongs.
fn leaves(receipt: &Receipt, count: u8) -> Vec<Digest> {
    let mut leaves: Vec<Digest> = (0..count).map(|number| Digest([number; 32])).collect();
    leaves[7] = receipt.leaf(&domain());
    leaves
}

#[test]
fn i15_a_receipt_is_in_its_batch_or_withheld() {
    let receipt = receipt(&Scene::new(), 17, ResultCode::Yes);
    let leaves = leaves(&receipt, 20);
    let batch = Batch::of(&domain(), 10, &leaves);
    let stands = |anchor| half_standing(&domain(), &receipt, &anchor);
    assert_eq!(stands(Anchor::In { batch, leaves: &leaves }), Ok(HalfStanding::Anchored));
    let mut other = leaves.clone();
    other.swap(7, 8);
    let swapped = Batch::of(&domain(), 10, &other);
    assert_eq!(stands(Anchor::In { batch: swapped, leaves: &other }), Ok(HalfStanding::Withheld));
    // Leaves that are not those of the line say nothing, and neither does a batch of other numbers.
    assert_eq!(stands(Anchor::In { batch, leaves: &other }), Err(AnchorError::OtherLeaves));
    assert_eq!(stands(Anchor::In { batch, leaves: &leaves[..19] }), Err(AnchorError::OtherLeaves));
    for first in [0, 18] {
        let elsewhere = Batch::of(&domain(), first, &leaves[..10]);
        assert_eq!(stands(Anchor::In { batch: elsewhere, leaves: &leaves[..10] }), Err(AnchorError::OtherLeaves));
    }
    let beyond = |millis| stands(Anchor::Beyond { as_of: Millis(NOW.0 + millis) });
    assert_eq!(beyond(0), Ok(HalfStanding::Waiting));
    assert_eq!(beyond(ANCHOR_MILLIS), Ok(HalfStanding::Waiting));
    assert_eq!(beyond(ANCHOR_MILLIS + 1), Ok(HalfStanding::Late));
}

/// What a holder asks about the grants and uses of her key, and about herself.
pub fn question() -> HolderQuestion {
    HolderQuestion {
        provider: HRS,
        holder: holder().public(),
        identity: Some(grant_file(grant_terms()).identity),
        from: 5,
        nonce: [9; 16],
        time: NOW,
    }
}

#[test]
fn i16_a_holder_is_answered_by_the_one_asked_for_two_minutes() {
    let question = question();
    let asked = question.clone().sign(&domain(), &holder());
    let check = |now: u64| asked.check(&domain(), HRS, Millis(now));
    assert_eq!(check(NOW.0 - 30_000), Ok(()));
    assert_eq!(check(NOW.0 + 150_000), Ok(()));
    assert_eq!(check(NOW.0 - 30_001), Err(HolderQuestionError::Time));
    assert_eq!(check(NOW.0 + 150_001), Err(HolderQuestionError::Time));
    assert_eq!(asked.check(&domain(), YHR, NOW), Err(HolderQuestionError::OtherProvider));
    let other = HolderQuestion { holder: application(YHR).public(), ..question.clone() };
    let other = other.sign(&domain(), &application(YHR));
    assert_eq!(other.check(&domain(), HRS, NOW), Err(HolderQuestionError::OtherKey));
    let bare = HolderQuestion { identity: None, ..question.clone() }.sign(&domain(), &holder());
    assert_eq!(bare.check(&domain(), HRS, NOW), Ok(()));
    let stranger = question.sign(&domain(), &application(YHR));
    assert_eq!(stranger.check(&domain(), HRS, NOW), Err(HolderQuestionError::Signature));
}

#[test]
fn i16_a_receipt_that_is_hidden_or_repeated_shows_in_the_numbers_of_uses() {
    let grant = grant_file(grant_terms()).content.digest(&domain());
    let use_of = |use_number| {
        let receipt = receipt(&Scene::new(), u64::from(use_number), ResultCode::Yes);
        Receipt { use_number, ..receipt }
    };
    let told = |numbers: &[u32]| {
        let receipts: Vec<Receipt> = numbers.iter().map(|number| use_of(*number)).collect();
        let found = miscounts(&domain(), &grant, &receipts).into_iter();
        found.map(|it| (it.first, it.last, it.is_repeated)).collect::<Vec<_>>()
    };
    assert_eq!(told(&[1, 2, 3]), []);
    assert_eq!(told(&[3, 1, 2]), [], "whatever the order in which they came");
    assert_eq!(told(&[2, 3]), [(1, 1, false)]);
    assert_eq!(told(&[1, 5]), [(2, 4, false)]);
    assert_eq!(told(&[1, 2, 2]), [(2, 2, true)]);
    assert_eq!(told(&[u32::MAX]), [(1, u32::MAX - 1, false)]);
    // A refused use counts none, and another grant's uses are its own.
    let mut others = [use_of(1), use_of(7)];
    others[0].use_number = 0;
    others[1].salt[0] ^= 1;
    assert_eq!(miscounts(&domain(), &grant, &others), []);
}

proptest! {
    #[test]
    fn i14_a_path_leads_to_its_batch_and_to_no_other(count in 1u64..200, first in 0u64..1_000_000, at in 0u64..200) {
        let at = at % count;
        let receipt = receipt(&Scene::by_function(), first + at, ResultCode::Yes);
        let mut leaves: Vec<Digest> =
            (0..count).map(|number| domain().digest("other", &[&number.to_be_bytes()])).collect();
        leaves[at as usize] = receipt.leaf(&domain());
        let batch = Batch::of(&domain(), first, &leaves);
        let path = ReceiptPath::of(&domain(), first, &leaves, first + at).expect("it is there");
        prop_assert_eq!(path.batch(&domain(), &receipt), Ok(batch));
        prop_assert!(ReceiptPath::of(&domain(), first, &leaves, first + count).is_none());
        let mut other = receipt.clone();
        other.salt[0] ^= 1;
        prop_assert_ne!(path.batch(&domain(), &other), Ok(batch));
        let moved = Receipt { number: receipt.number + 1, ..receipt.clone() };
        prop_assert_ne!(path.batch(&domain(), &moved), Ok(batch));
        for wrong in [
            ReceiptPath { first: first + 1, ..path.clone() },
            ReceiptPath { count: count + 1, ..path.clone() },
            ReceiptPath { count: 0, ..path.clone() },
            ReceiptPath { count: u64::MAX, ..path.clone() },
            ReceiptPath { path: [path.path.clone(), vec![Digest([1; 32])]].concat(), ..path.clone() },
        ] {
            prop_assert_ne!(wrong.batch(&domain(), &receipt), Ok(batch));
        }
    }
}
