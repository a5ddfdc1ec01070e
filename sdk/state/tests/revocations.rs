//! GOV-05, GOV-08: keys revoked in an emergency, and authorities withheld.
//!
//! The language is explained in `common/story.rs`. Every member has issuing keys 4, 5 and, from
//! height 4 on, 11 (`/new`); key 10 (`/old`) ends with height 3.

// Numbers in tests are small.
#![allow(clippy::cast_possible_truncation)]

mod common;

use common::story::{Story, check};
use common::{Network, member};
use fengni_core::book::{Line, Subject, Tag};
use fengni_core::bytes::Bytes;
use fengni_core::limits::{KEPT_BOOKS, REVOCATION_BOOK, REVOCATION_SEALS, SUSPENSIONS};
use fengni_core::operation::Operation;
use fengni_core::outcome::{Decision, Effect};
use fengni_core::{BookNumber, Digest, Height, LineNumber, Millis, Suite};

#[test]
fn o15_what_a_key_sealed_since_the_suspected_height_is_suspended() {
    check(
        "
        block
          police        open B licence 31             ok
          police        open C licence 319901         ok
          police        open P permit 31              ok
          town          open T licence 3199           ok
        block
          police        seal B a b                    ok
          police        seal C c                      ok
        block
          police        seal B d                      ok
          police*2      seal B e f                    ok
          town          seal T t                      ok
        block
          police/new    seal B g                      ok
          police        seal B h                      ok
          police        renew a C a2                  ok
        block
          police/adm    revoke-key police 4 from:3    ok
        see B key4:2-4 key4:6-6
        see C key4:1-1
        see P
        see T
        see a superseded
        see d active
        block
          police        seal B i                      dropped
          police*2      seal B i                      dropped
          police/new    seal B i                      ok
        block
          police/adm    revoke-key police 4 from:3    KEY_ENDED
          police/adm    revoke-key police 4 from:4    KEY_ENDED
          police/adm    revoke-key police 4 from:2    ok
        see B key4:0-4 key4:6-6
        see C key4:0-1
        block
          police/adm    revoke-key police 11 from:1   ok
        see B key4:0-4 key4:6-6 key11:5-5 key11:7-7
    ",
    );
}

#[test]
fn o15_a_key_is_its_members_to_revoke_and_of_those_above() {
    check(
        "
        block
          police        open B licence 31             ok
        block
          police        revoke-key police 4 from:1    KEY_PURPOSE
          police/enf    revoke-key police 4 from:1    KEY_PURPOSE
          police/mixed  revoke-key police 4 from:1    KEY_PURPOSE
          police/adm    revoke-key member:99 4 from:1 UNKNOWN_MEMBER
          police/adm    revoke-key member:99 4 from:1 reason:9 UNKNOWN_MEMBER
          police/adm    revoke-key police 99 from:1 reason:9 UNKNOWN_REASON
        block
          police/adm    revoke-key police 99 from:1   UNKNOWN_KEY
          town/adm*2    revoke-key police 4 from:1    NOT_ENTITLED
          town/adm      revoke-key police 99 from:1   UNKNOWN_KEY
          ministry/adm  revoke-key police 0 from:1    NOT_ENTITLED
          police/adm    revoke-key police 0 from:9    NODE_KEY
          donghai/adm*2 revoke-key police 1 from:1    NODE_KEY
        block
          police/adm    revoke-key police 4 from:5    BAD_HEIGHT
          paused/adm    revoke-key paused 4 from:1    MEMBER_INACTIVE
          police/adm    revoke-key police 10 from:9   BAD_HEIGHT
        block
          donghai/adm*2 revoke-key police 4 from:5    ok
          council/adm*2 revoke-key town 6 from:1      ok
          donghai/adm*2 revoke-key paused 4 from:1    ok
          town/adm      revoke-key town 9 from:2      ok
        block
          town/enf      consume B:0                   dropped
          police/adm    revoke-key police 10 from:4   KEY_ENDED
          police/adm    revoke-key police 10 from:3   ok
    ",
    );
}

#[test]
fn o15_one_person_ends_what_the_member_signs_with_and_two_end_the_rest() {
    // One stolen admin key ends no other admin key, and no key of anybody below.
    check(
        "
        block
          police        open B licence 31             ok
          police/adm    revoke-key police 4 from:1    ok
          police/adm    revoke-key police 6 from:1    ok
          police/adm    revoke-key police 8 from:1    ok
          police/adm    revoke-key police 3 from:1    SECOND_PERSON_MISSING
          police/adm    revoke-key police 2 from:9    SECOND_PERSON_MISSING
          police/adm    revoke-key police 0 from:1    NODE_KEY
          donghai/adm   revoke-key police 5 from:1    SECOND_PERSON_MISSING
          donghai/adm   revoke-key police 0 from:1    SECOND_PERSON_MISSING
          donghai/adm   revoke-key police 99 from:1   UNKNOWN_KEY
          town/adm      revoke-key police 5 from:1    NOT_ENTITLED
        block
          police/adm*2  revoke-key police 3 from:1    ok
          donghai/adm*2 revoke-key police 5 from:1    ok
        block
          police/adm*2  revoke-key police 2 from:1    dropped
          police/adm    revoke-key police 2 from:1    SECOND_PERSON_MISSING
          police/adm    revoke-key police 9 from:1    ok
    ",
    );
}

#[test]
fn o15_the_last_admin_key_falls_by_the_superior_alone() {
    let mut founding = common::founding(Suite::Standard);
    // The second person of the town is there until height 3.
    founding.members[member("town").0 as usize].keys[3].until = Some(Height(3));
    let mut story = Story::on(Network::found(Suite::Standard, founding));
    story.tell(
        "
        block
          council/adm*2 revoke-key council 2 from:1   ok
          town/adm*2    revoke-key town 3 from:2      BAD_HEIGHT
        block
          town/adm      revoke-key town 2 from:1      SECOND_PERSON_MISSING
        block
          town/adm*2    revoke-key town 2 from:9      LAST_KEY
          town/adm*2    revoke-key town 2 from:1      LAST_KEY
        block
          town/adm*2    revoke-key town 2 from:1      dropped
          town/adm      revoke-key town 2 from:1      SECOND_PERSON_MISSING
          police/adm*2  revoke-key town 2 from:1      ok
          town/adm      suspend-authority 0           KEY_REVOKED
        block
          town/adm      revoke-key town 4 from:1      dropped
          police/adm*2  revoke-key town 4 from:1      ok
    ",
    );
    story.network.assert_rebuilds();
}

#[test]
fn o15_a_key_signs_nothing_in_the_block_that_revokes_it_nor_later() {
    // What came before the revocation in the block is suspended with the rest.
    check(
        "
        block
          police        open B licence 31             ok
        block
          police        seal B a                      ok
        block
          police        seal B b                      ok
          police/adm    revoke-key police 4 from:3    ok
          police        seal B c                      KEY_REVOKED
          police*2      seal B c                      KEY_REVOKED
          police        suspend a                     KEY_REVOKED
          police        open C licence 319901         KEY_REVOKED
          police/mixed  seal B c                      KEY_PURPOSE
        see B key4:1-1
        see a active
    ",
    );
}

#[test]
fn b9_a_line_suspended_with_a_key_is_held_and_goes_on_when_it_is_sealed_anew() {
    check(
        "
        block
          police        open B licence 31             ok
          police        open W pass 3199              ok
          yunshan       open Y licence 33             ok
        block
          police        seal B a b c d                ok
          police        seal W p                      ok
        block
          police        transfer-out d yunshan        ok
        block
          police/adm    revoke-key police 4 from:2    ok
        block
          police/new    transfer-out a yunshan        WRONG_STATE
          police/new    expire a                      WRONG_STATE
          customs/enf   consume p                     WRONG_STATE
          yunshan       transfer-in d Y d2            WRONG_STATE
          police/new    cancel-transfer d             ok
          court/enf     suspend a                     ok
          police/new    renew b B b2                  ok
          police/new    rekey c c+                    ok
        see a active held:court
        see B key4:0-3
        block
          police/new    transfer-out b2 yunshan       ok
          police/new    transfer-out c+ yunshan       ok
          court/enf     return a court                ok
          police/new    expire a                      WRONG_STATE
        block
          yunshan       transfer-in b2 Y b3           ok
    ",
    );
}

#[test]
fn o15_moving_the_end_back_looks_only_at_what_lies_between() {
    // The book's past is too long to be read, and what lies after the old end is known already.
    let mut story = alternating(2, 5);
    story.tell("block\n police/adm revoke-key police 5 from:3 ok");
    assert_eq!(story.suspended_words(story.books["B"]), "key5:6-6 key5:8-8");
    story.tell("block\n police/adm revoke-key police 5 from:2 ok");
    assert_eq!(story.suspended_words(story.books["B"]), "key5:1-1 key5:3-3 key5:6-6 key5:8-8");
    story.network.assert_rebuilds();
}

/// Runs operations of the police in one block, each signed with one key.
fn in_one_block(story: &mut Story, operations: Vec<(u16, Operation)>) -> Vec<Decision> {
    let signed = operations
        .into_iter()
        .map(|(key, operation)| Bytes(story.network.transaction(member("police"), &[key], operation).encode()));
    let signed: Vec<Bytes> = signed.collect();
    let clock = Millis(story.network.state.time().0 + 1000);
    let count = signed.len();
    let outcomes = story.network.next_block(clock, signed);
    assert_eq!(outcomes.len(), count, "the block takes them all");
    outcomes.into_iter().map(|outcome| outcome.decision).collect()
}

/// A line that no other test number gives.
fn line(number: u64) -> Line {
    let mut line = Line { tag: Tag::default(), commitment: Digest([1; 32]) };
    line.tag.0[..8].copy_from_slice(&number.to_le_bytes());
    line
}

/// One line a seal, by key 4 and key 5 in turn: how many heights, how many seals each.
fn alternating(heights: u64, seals: u64) -> Story {
    let mut story = Story::new(Suite::Trial);
    story.tell("block\n police open B licence 31 ok");
    let book = story.books["B"];
    for height in 0..heights {
        let seal = |number| {
            let lines = vec![line(height * seals + number)];
            (4 + (number % 2) as u16, Operation::Seal { book, lines })
        };
        in_one_block(&mut story, (0..seals).map(seal).collect());
    }
    story
}

/// Opens books of the police, as many as said, each for a township of its own.
fn shelves(story: &mut Story, count: usize) -> Vec<BookNumber> {
    let open = |number| {
        let subject = Subject::Certificates { certificate_type: common::kind("licence") };
        (4, Operation::OpenBook { subject, division: common::division(&format!("31{number:07}")) })
    };
    let mut books = Vec::new();
    for few in (0..count).collect::<Vec<_>>().chunks(512) {
        let decisions = in_one_block(story, few.iter().map(|number| open(*number)).collect());
        books.extend(decisions.into_iter().map(|decision| match decision {
            Decision::Done(Effect::BookOpened { book }) => book,
            other => panic!("{other:?}"),
        }));
    }
    books
}

#[test]
fn o15_books_count_against_what_a_revocation_may_do() {
    let mut story = Story::new(Suite::Trial);
    let books = shelves(&mut story, 300);
    // Three seals of one line each: key 4, key 5, key 4. Some books have nothing of that height.
    let sealed: Vec<BookNumber> = books.iter().copied().filter(|book| book.0 % 30 != 7).collect();
    let seal = |(book, place): (BookNumber, u64)| {
        let key = if place == 1 { 5 } else { 4 };
        (key, Operation::Seal { book, lines: vec![line(u64::from(book.0) * 3 + place)] })
    };
    let seals = sealed.iter().flat_map(|book| (0..3).map(|place| (*book, place)));
    in_one_block(&mut story, seals.map(seal).collect());
    let lines = revoke(&mut story, 1);
    // Each book counts as its three seals and what a book does; from where these are used up, all
    // lines of a book count as the key's.
    let exact = usize::try_from(REVOCATION_SEALS / (3 + REVOCATION_BOOK)).expect("a small number");
    assert_eq!((sealed.len(), exact), (290, 215));
    for (place, book) in sealed.iter().enumerate() {
        let expected = if place < exact { "key5:1-1" } else { "key5:0-2" };
        assert_eq!(story.suspended_words(*book), expected, "{place}");
    }
    assert_eq!(lines, (exact + 3 * (290 - exact)) as u64);
    assert!(books.iter().filter(|book| book.0 % 30 == 7).all(|book| story.suspended_words(*book).is_empty()));
    story.network.assert_rebuilds();
}

#[test]
fn o1_a_member_keeps_no_more_books_than_a_revocation_can_go_through() {
    let mut story = Story::new(Suite::Trial);
    shelves(&mut story, KEPT_BOOKS);
    story.tell(
        "
        block
          police        open B permit 31              RECORD_FULL
          police        open B licence 310000000      DUPLICATE_BOOK
          town          open T licence 3199           ok
          police/adm    revoke-key police 4 from:1    ok
    ",
    );
}

/// Revokes key 5 of the police from a height, and gives the lines suspended for it.
fn revoke(story: &mut Story, from: u64) -> u64 {
    let ground = fengni_core::operation::Ground { reason: fengni_core::ReasonCode(1), decision: Digest([2; 32]) };
    let (police, key) = (member("police"), fengni_core::KeyNumber(5));
    let operation = Operation::RevokeKey { member: police, key, from: Height(from), ground };
    let transaction = Bytes(story.network.transaction(police, &[2], operation).encode());
    let clock = Millis(story.network.state.time().0 + 1000);
    match &story.network.next_block(clock, vec![transaction])[0].decision {
        Decision::Done(Effect::KeyRevoked { lines, .. }) => *lines,
        other => panic!("{other:?}"),
    }
}

#[test]
fn b9_a_book_with_too_many_runs_suspends_what_lies_between() {
    let mut story = alternating(2, 1500);
    let lines = revoke(&mut story, 2);
    let book = story.network.state.book(story.books["B"]).expect("a book").record().clone();
    assert_eq!(book.suspended.len(), SUSPENSIONS);
    assert!((1..3000).step_by(2).all(|line| book.revoked_keys(LineNumber(line)).count() == 1));
    // 1,500 runs of one line; each of the 476 that were joined took the line between along.
    assert_eq!(lines, 1500 + 476);
    story.network.assert_rebuilds();
}

#[test]
fn o15_a_long_past_counts_as_the_keys_as_a_whole() {
    let mut story = alternating(4, 1400);
    const { assert!(3 * 1400 + REVOCATION_BOOK > REVOCATION_SEALS) };
    // The newest height is looked at seal by seal, and the record stays exact.
    assert_eq!(revoke(&mut story, 5), 700);
    assert_eq!(revoke(&mut story, 1), 4200 + 700);
    let words = story.suspended_words(story.books["B"]);
    assert!(words.starts_with("key5:0-4199 key5:4201-4201 key5:4203-4203 "), "{words}");
}

#[test]
fn o16_an_authority_is_withheld_by_its_region_or_from_above_and_given_back() {
    // Authority 0: the police's licences in 31; 4: the town's in 3199; 5: withheld by the council.
    check(
        "
        block
          police        open B licence 31             ok
          town          open T licence 3199           ok
          police/enf    suspend-authority 4           KEY_PURPOSE
          police/adm    suspend-authority 99 reason:9 UNKNOWN_REASON
          police/adm    suspend-authority 99          UNKNOWN_AUTHORITY
          police/adm    resume-authority 99           UNKNOWN_AUTHORITY
          hall/adm      suspend-authority 4           NOT_ENTITLED
          town/adm      suspend-authority 4           NOT_ENTITLED
          council/adm   suspend-authority 6           NOT_ENTITLED
          police/adm    resume-authority 4            AUTHORITY_STATE
          hall/adm      resume-authority 4            AUTHORITY_STATE
          donghai/adm   suspend-authority 5           AUTHORITY_STATE
        block
          town          seal T a                      ok
          police/adm    suspend-authority 4           ok
          town          seal T b                      ISSUER_NOT_AUTHORISED
          town          open T2 licence 319901        ISSUER_NOT_AUTHORISED
          ministry/adm  suspend-authority 0           ok
        block
          police        seal B c                      ISSUER_NOT_AUTHORISED
          town          renew a T a2                  ISSUER_NOT_AUTHORISED
          town          suspend a                     ok
          donghai/adm   suspend-authority 4           AUTHORITY_STATE
          town/adm      resume-authority 4            NOT_ENTITLED
          ministry/adm  resume-authority 4            NOT_ENTITLED
          donghai/adm   resume-authority 4            ok
          donghai/adm   resume-authority 0            NOT_ENTITLED
          council/adm   resume-authority 0            NOT_ENTITLED
          ministry/adm  resume-authority 0            ok
        block
          town          seal T b                      ok
          police        seal B c                      ok
          council/adm   resume-authority 5            ok
          town          open P permit 3199            ok
    ",
    );
}
