//! A holder's list: what a receipt and a grant are worth by what is proven. Rules I-5, I-13 to I-15, Z-7.

use fengni_core::book::{Book, ListHead, Subject};
use fengni_core::proof::{Place, Proven};
use fengni_core::sharing::*;
use fengni_core::standing::State;
use fengni_core::*;

use crate::common::domain;
use crate::receipts::{receipt, signed};
use crate::scene::*;
use crate::world::{TestBook, World};

/// HRS's book of receipts.
const RECEIPTS: BookNumber = BookNumber(3);
const FIRST: LinePlace = LinePlace { book: RECEIPTS, line: LineNumber(0) };

/// The small register with that book, and these batches in it.
fn ledger(batches: &[Batch]) -> World {
    let (mut world, _) = register();
    world.members = (0..=HRS.0).map(|number| member(MemberNumber(number))).collect();
    let empty = ListHead { size: 0, digest: Digest::default() };
    let subject = Subject::Receipts;
    let record = Book { subject, keeper: HRS, former: vec![], pages: empty, ..world.books[0].record.clone() };
    world.books.push(TestBook { record, lines: vec![], seals: vec![], acts: vec![], pages: vec![], heads: vec![] });
    for batch in batches {
        world.seal(RECEIPTS, batch.line());
    }
    world
}

fn proven(world: &World, lines: &[LinePlace]) -> Proven {
    world.prove(lines).verify(&domain(), &world.validators()).expect("a proof")
}

/// Receipt 17 in the batch of 10 to 29, with its way there.
fn anchored() -> (HeldReceipt, Batch) {
    let receipt = Receipt { book: RECEIPTS, ..receipt(&Scene::new(), 17, ResultCode::Yes) };
    let mut leaves: Vec<Digest> = (0..20).map(|number| Digest([number; 32])).collect();
    leaves[7] = receipt.leaf(&domain());
    let path = ReceiptPath::of(&domain(), 10, &leaves, 17);
    (HeldReceipt { receipt: signed(receipt), path, place: Some(FIRST) }, Batch::of(&domain(), 10, &leaves))
}

#[test]
fn i14_a_receipt_holds_where_its_way_leads_to_the_line_of_its_providers_book() {
    let (held, batch) = anchored();
    let proven = proven(&ledger(&[batch]), &[FIRST]);
    let record = |shelf, number| Place::Record(shelf, number);
    let [members, books] = [shelf::Shelf::Members, shelf::Shelf::Books];
    let line =
        [Place::Page(RECEIPTS, PageNumber(0)), Place::Line(RECEIPTS, FIRST.line), Place::Seal(RECEIPTS, SealNumber(0))];
    let mut wanted =
        [&[record(members, YHR.0), record(members, HRS.0), record(books, RECEIPTS.0)][..], &line[..]].concat();
    wanted.sort_unstable();
    assert_eq!(held.places(HRS, &proven), wanted);
    let found = held.judge(&domain(), HRS, &proven).expect("it holds");
    assert_eq!((found.sides, found.anchored), (Sides::Both, Some(FIRST)));
    assert_eq!(found.standing(&proven), Ok(Some(HalfStanding::Anchored)));
}

#[test]
fn i13_a_key_that_ended_after_the_seal_signed_what_it_signed() {
    let (held, batch) = anchored();
    let mut world = ledger(&[batch]);
    let sealed = proven(&world, &[FIRST]).seal_of(FIRST).expect("it was sealed").height;
    for number in [HRS, YHR] {
        world.members[number.0 as usize].keys[1].until = Some(sealed);
    }
    let later = proven(&world, &[FIRST]);
    assert!(later.header().height > sealed);
    assert_eq!(held.clone().judge(&domain(), HRS, &later).map(|found| found.sides), Ok(Sides::Both));
    // What waits for its batch is signed now or not at all.
    let waiting = HeldReceipt { path: None, ..held.clone() };
    assert_eq!(waiting.judge(&domain(), HRS, &later).map(drop), Err(UseError::NotSigned));
    for number in [HRS, YHR] {
        world.members[number.0 as usize].keys[1].until = Some(Height(sealed.0 - 1));
    }
    assert_eq!(held.judge(&domain(), HRS, &proven(&world, &[FIRST])).map(drop), Err(UseError::NotSigned));
}

#[test]
fn i13_to_i14_what_a_lying_gateway_changes_shows_no_use() {
    let (held, batch) = anchored();
    let proven = proven(&ledger(&[batch]), &[FIRST]);
    type Change = fn(&mut HeldReceipt);
    let changes: [(Change, UseError); 9] = [
        (|it| it.receipt.receipt.case.push('1'), UseError::NotSigned),
        (|it| it.receipt.receipt.time.0 += 1, UseError::NotSigned),
        (|it| it.receipt.provider = it.receipt.requester, UseError::NotSigned),
        (|it| it.receipt.receipt.requester = MemberNumber(99), UseError::NotSigned),
        (|it| it.receipt.receipt.provider = YHR, UseError::OtherProvider),
        (|it| it.path.as_mut().expect("a way").path[0].0[0] ^= 1, UseError::OtherLine),
        (|it| it.path.as_mut().expect("a way").first += 1, UseError::OtherLine),
        (|it| it.place = Some(LinePlace { line: LineNumber(1), ..FIRST }), UseError::OtherLine),
        (|it| it.place = Some(LinePlace { book: GRANTS, ..FIRST }), UseError::OtherLine),
    ];
    for (at, (change, expected)) in changes.into_iter().enumerate() {
        let mut wrong = held.clone();
        change(&mut wrong);
        assert_eq!(wrong.judge(&domain(), HRS, &proven).map(drop), Err(expected), "{at}");
    }
    // A receipt in a book of its provider's that is no book of receipts.
    let elsewhere = Receipt { book: GRANTS, ..held.receipt.receipt.clone() };
    let place = Some(LinePlace { book: GRANTS, line: LineNumber(0) });
    let wrong = HeldReceipt { receipt: signed(elsewhere), place, ..held };
    assert_eq!(wrong.judge(&domain(), HRS, &proven).map(drop), Err(UseError::OtherLine));
}

#[test]
fn i15_without_a_way_a_receipt_waits_is_late_or_is_counted() {
    let (held, batch) = anchored();
    let waiting = HeldReceipt { path: None, place: None, ..held };
    let before = Batch::of(&domain(), 0, &[Digest([1; 32]); 10]);
    let stands = |batches: &[Batch], later: u64| {
        let mut world = ledger(batches);
        world.time = Millis(NOW.0 + later);
        let last = batches.len().checked_sub(1).map(|line| LinePlace { line: LineNumber(line as u64), ..FIRST });
        let proven = proven(&world, last.as_slice());
        let found = waiting.clone().judge(&domain(), HRS, &proven).expect("it is signed");
        assert_eq!(found.anchored, None);
        found.standing(&proven).expect("it is in its book")
    };
    assert_eq!(stands(&[], ANCHOR_MILLIS), Some(HalfStanding::Waiting));
    assert_eq!(stands(&[before], ANCHOR_MILLIS), Some(HalfStanding::Waiting));
    assert_eq!(stands(&[before], ANCHOR_MILLIS + 1), Some(HalfStanding::Late));
    assert_eq!(stands(&[before, batch], 0), None, "the leaves of the batch decide");
}

#[test]
fn i15_a_receipt_from_later_than_the_ledger_shows_no_use() {
    let (held, batch) = anchored();
    let waiting = HeldReceipt { path: None, place: None, ..held.clone() };
    let judged = |held: &HeldReceipt, behind: u64| {
        let mut world = ledger(&[batch]);
        world.time = Millis(NOW.0 - behind);
        held.clone().judge(&domain(), HRS, &proven(&world, &[FIRST])).map(drop)
    };
    for held in [held, waiting] {
        assert_eq!(judged(&held, 30_000), Ok(()));
        assert_eq!(judged(&held, 30_001), Err(UseError::NotNow));
    }
}

#[test]
fn i12_a_receipt_is_of_the_grant_and_of_the_kind_that_it_counts_for() {
    let grant = grant_file(grant_terms()).content;
    let receipt = receipt(&Scene::new(), 17, ResultCode::Yes);
    assert!(receipt.is_under(&domain(), &grant.digest(&domain())));
    assert_eq!(grant.kind_of(&receipt), Some(1));
    let other = GrantContent::new(GrantTerms { salt: [1; 32], ..grant_terms() }).expect("a whole notice");
    assert!(!receipt.is_under(&domain(), &other.digest(&domain())));
    assert_eq!(grant.kind_of(&Receipt { resource: ResourceNumber(9), ..receipt }), None);
}

#[test]
fn z7_a_grant_stands_as_its_line_says() {
    let grant = grant_file(grant_terms()).present(&domain());
    let (mut world, _) = register();
    let line = grant.content.line(&domain(), &grant.withdrawal);
    assert_eq!(world.seal(GRANTS, line), grant.place);
    let stands = |world: &World, now| grant.standing(&domain(), &proven(world, &[grant.place]), now);
    assert_eq!(stands(&world, NOW), Ok(Some(GrantStanding::Active)));
    assert_eq!(stands(&world, Millis(grant_terms().until.0 + 1)), Ok(Some(GrantStanding::OutsidePeriod)));
    assert_eq!(stands(&world, Millis(grant_terms().from.0 - 1)), Ok(Some(GrantStanding::OutsidePeriod)));
    world.state(grant.place, State::Withdrawn);
    assert_eq!(stands(&world, NOW), Ok(Some(GrantStanding::Withdrawn)));
    let other = PresentedGrant { place: LinePlace { line: LineNumber(1), ..grant.place }, ..grant.clone() };
    let proven = proven(&world, &[other.place]);
    assert_eq!(other.standing(&domain(), &proven, NOW), Ok(None), "another line's");
}
