//! Stories of the register: what members ask, in which block, and what becomes of it.
//!
//! The language is explained in `common/story.rs`. The exhaustive table of CRT-03 is in
//! `transitions.rs`.

// Numbers in tests are small.
#![allow(clippy::cast_possible_truncation)]

mod common;

use common::story::check;

#[test]
fn o1_a_member_opens_one_book_for_each_type_and_region_it_may_issue() {
    check(
        "
        block
          police        open B licence 31             ok
          police        open B2 licence 31            DUPLICATE_BOOK
          police        open B3 licence 319901        ok
          police        open P permit 31              ok
        block
          police        open B4 licence 31            DUPLICATE_BOOK
          yunshan       open Y licence 33             ok
          town          open T licence 319901         ok
          town          open T2 licence 31            ISSUER_NOT_AUTHORISED
          police        open X type:9 31              UNKNOWN_TYPE
          police        open X closed 31              TYPE_DISABLED
    ",
    );
}

#[test]
fn o1_authority_is_by_type_region_and_day_and_can_be_withheld() {
    // GOV-06: the police may issue passes on two days only, the town's permits are withheld.
    check(
        "
        block
          police        open W pass 3199              ok
          police        open L pass 31                ISSUER_NOT_AUTHORISED
          police        open L licence 33             ISSUER_NOT_AUTHORISED
          town          open L permit 3199            ISSUER_NOT_AUTHORISED
          yunshan       open L permit 33              ISSUER_NOT_AUTHORISED
          police        seal book:0 p1                ok
        block +1d
          police        seal W p2                     ok
        block +22h
          police        seal W p3                     ok
        block +2h
          police        seal W p4                     ISSUER_NOT_AUTHORISED
          police        cancel p1                     SECOND_PERSON_MISSING
          police*2      cancel p1                     ok
    ",
    );
}

#[test]
fn o2_the_keeper_alone_adds_lines_and_needs_two_persons_for_many() {
    // CRT-09: more than four lines need a second signature here.
    check(
        "
        block
          police        open B licence 31             ok
        block
          police        seal B a b c d                ok
          police        seal B 5*e                    SECOND_PERSON_MISSING
          police*2      seal B 5*e                    ok
          town          seal B f                      NOT_ENTITLED
          police        seal book:9 f                 UNKNOWN_BOOK
          police        seal B                        LINE_COUNT
          police*2      seal B 1024*g                 ok
          police*2      seal B 1025*h                 LINE_COUNT
        see a active
        see g1023 active
        block
          police        seal B i                      ok
    ",
    );
}

#[test]
fn o2_an_identifier_stands_once_among_an_issuers_books_of_a_type() {
    // CRT-01: in one transaction, in one block, in a later block, in the other book.
    check(
        "
        block
          police        open B licence 31             ok
          police        open C licence 3199           ok
          police        open P permit 31              ok
          town          open T licence 3199           ok
          police        seal book:0 a b a             DUPLICATE_TAG@2
          police        seal book:0 a b               ok
          police        seal book:0 c a               DUPLICATE_TAG@1
        block
          police        seal B b                      DUPLICATE_TAG
          police        seal C d a                    DUPLICATE_TAG@1
          police        seal C d                      ok
          police        seal B d                      DUPLICATE_TAG
          police        seal P a                      ok
          town          seal T a                      ok
        block
          police*2      cancel B:0                    ok
          police        seal B a                      DUPLICATE_TAG
    ",
    );
}

#[test]
fn o3_each_body_lifts_its_own_suspension_and_its_superior_may() {
    check(
        "
        block
          police        open B licence 31             ok
        block
          police        seal B a b c                  ok
        block
          police        suspend a                     ok
          court/enf     suspend a                     ok
          customs/enf   suspend a                     ok
          court/enf     suspend a                     ALREADY_HELD
          hall/enf      suspend b                     NOT_ENTITLED
          donghai/enf   suspend b                     NOT_ENTITLED
        see a active held:police,court,customs
        block
          police        return a court                NOT_ENTITLED
          court/enf     return a police               NOT_ENTITLED
          customs/enf   return a court                NOT_ENTITLED
          highcourt/enf return a customs              NOT_ENTITLED
          court/enf     return a court                ok
        see a active held:police,customs
        block
          court/enf     return a court                NOT_HELD
          court/enf     suspend a                     ok
          highcourt/enf return a court                ok
          council/enf   return a police               ok
          ministry/enf  return a customs              ok
        see a active
    ",
    );
}

#[test]
fn o3_a_suspension_ends_by_itself() {
    // CRT-06: a hold that ended is as if it had been lifted, for every later act.
    check(
        "
        block
          police        open B licence 31             ok
          police        open W pass 3199              ok
        block
          police        seal B a                      ok
          police        seal W p                      ok
        block
          court/enf     suspend a until:+0s           BAD_END
          court/enf     suspend a until:+60s          ok
          customs/enf   suspend p until:+60s          ok
          police        expire a                      WRONG_STATE
        see a active held:court
        block +59s
          court/enf     suspend a                     ALREADY_HELD
          customs/enf   consume p                     WRONG_STATE
        see a active held:court
        block
          court/enf     return a court                NOT_HELD
          customs/enf   consume p                     ok
          court/enf     suspend a until:+5s           ok
        see a active held:court
        block +5s
          police        expire a                      ok
        see a expired
    ",
    );
}

#[test]
fn s3_at_most_sixteen_bodies_hold_one_line() {
    use common::story::Story;
    use common::{Network, founding, member};
    use fengni_core::{MemberNumber, Suite};
    let mut founding = founding(Suite::Standard);
    // Every member is named, and there are six more of them, with the tribunal's keys and place.
    for extra in 0..6 {
        let mut copy = founding.members[member("tribunal").0 as usize].clone();
        copy.name = format!("body {extra}");
        let keys = (0..12).map(|key| common::secret(Suite::Standard, MemberNumber(13 + extra), key).public());
        copy.keys.iter_mut().zip(keys).for_each(|(slot, key)| slot.key = key);
        founding.members.push(copy);
    }
    founding.types[0].suspenders = (0..19).map(MemberNumber).collect();
    let mut story = Story::on(Network::found(Suite::Standard, founding));
    story.tell(
        "
        block
          police        open B licence 31             ok
        block
          police        seal B a                      ok
    ",
    );
    let place = story.place("a");
    let bodies: Vec<_> = (0..19).filter(|body| ![11, 12].contains(body)).map(MemberNumber).collect();
    let mut answers = Vec::new();
    for body in bodies {
        let change = fengni_core::operation::StandingChange::Suspend { until: None };
        let ground =
            fengni_core::operation::Ground { reason: fengni_core::ReasonCode(1), decision: Default::default() };
        let operation = fengni_core::operation::Operation::Change { place, change, ground };
        let transaction = story.network.transaction(body, &[6], operation);
        let clock = fengni_core::Millis(story.network.state.time().0 + 1);
        let outcomes = story.network.next_block(clock, vec![fengni_core::bytes::Bytes(transaction.encode())]);
        answers.push(format!("{:?}", outcomes[0].decision).contains("TooManyHolds"));
    }
    assert_eq!(answers, [vec![false; 16], vec![true]].concat());
}

#[test]
fn o4_terminal_acts_need_two_persons_and_have_a_daily_limit() {
    // CRT-09; three a day here, by the block's day in China.
    check(
        "
        block
          police        open B licence 31             ok
        block
          police*2      seal B 9*a                    ok
        block
          police        cancel a0                     SECOND_PERSON_MISSING
          police        annul a0                      SECOND_PERSON_MISSING
          tribunal/enf  revoke a0                     SECOND_PERSON_MISSING
          donghai/enf   annul a0                      SECOND_PERSON_MISSING
          police*2      cancel a0                     ok
          police*2      cancel a0                     WRONG_STATE
          police*2      annul a1                      ok
        see a0 cancelled
        see a1 annulled
        block
          police*2      cancel a2                     ok
          police*2      cancel a3                     DAILY_LIMIT
          police        suspend a3                    ok
          police        cancel a3                     SECOND_PERSON_MISSING
          donghai/enf*2 annul a3                      ok
          tribunal/enf*2 revoke a4                    ok
        block +1d
          police*2      cancel a5                     ok
          police*2      cancel a6                     ok
          police*2      cancel a7                     ok
          police*2      cancel a8                     DAILY_LIMIT
        block +24h
          police*2      cancel a8                     ok
    ",
    );
}

#[test]
fn o6_a_one_time_document_is_used_once() {
    // REC-04.
    check(
        "
        block
          police        open W pass 3199              ok
          police        open B licence 31             ok
          police        open P permit 31              ok
        block
          police        seal W p q r                  ok
          police        seal P m                      ok
        block
          police        consume p                     KEY_PURPOSE
          court/enf     consume p                     NOT_ENTITLED
          customs/enf   consume m                     ACT_NOT_ALLOWED
          customs/app   consume p                     ok
          customs/enf   consume p                     ALREADY_CONSUMED
          court/enf     suspend q                     ok
          customs/enf   consume q                     WRONG_STATE
          police*2      cancel r                      ok
          customs/enf   consume r                     WRONG_STATE
        see p consumed
    ",
    );
}

#[test]
fn o7_renewal_replaces_both_or_neither_and_the_old_one_names_the_new() {
    // CRT-04, CRT-08: the keeper's own hold ends, others' go along; a correction closes a dispute.
    check(
        "
        block
          police        open B licence 31             ok
          police        open C licence 319901         ok
          police        open P permit 31              ok
          yunshan       open Y licence 33             ok
        block
          police*2      seal B a b c d e f            ok
        block
          police        suspend a                     ok
          court/enf     suspend a                     ok
          police        dispute a                     ok
          police        block-key a                   ok
          police        dispute b                     ok
          police        expire c                      ok
        see a active held:police,court disputed blocked
        block
          police        renew a C a2                  ok
          police        renew a C a3                  WRONG_STATE
          police        correct b B b2                ok
          police        change c B c2                 WRONG_STATE
          police        renew c B c2                  ok
          police        change d B b2                 DUPLICATE_TAG
          police        change d B d                  DUPLICATE_TAG
          police        renew d P d2                  ACT_NOT_ALLOWED
          police        correct d P d2                WRONG_STATE
          police        renew d Y d2                  NOT_ENTITLED
          yunshan       renew d Y d2                  NOT_ENTITLED
          police        renew d book:9 d2             UNKNOWN_BOOK
          police        renew B:99 B d2               UNKNOWN_LINE
          police        renew d B d2 reason:7         UNKNOWN_REASON
        see a superseded disputed blocked
        see a2 active held:court disputed
        see b superseded disputed
        see b2 active
        see c superseded
        see c2 active
        see d active
        block
          court/enf     return a2 court               ok
        see a2 active disputed
    ",
    );
}

#[test]
fn o8_a_new_holder_key_takes_everything_along() {
    // Without authority or type either, because nothing new is issued.
    check(
        "
        block
          police        open B licence 31             ok
          police        open W pass 3199              ok
          police        open P permit 31              ok
        block
          police        seal B a b c d                ok
          police        seal W p                      ok
          police        seal P m                      ok
        block
          court/enf     suspend a until:+1h           ok
          police        suspend a                     ok
          police        dispute a                     ok
          police        block-key a                   ok
          police        expire b                      ok
        block
          police        rekey a b+                    OTHER_TAG
          police        rekey a a+                    ok
          police        rekey a a++                   WRONG_STATE
          police        rekey b b+                    ok
          police        rekey m m+                    ACT_NOT_ALLOWED
          town          rekey c c+                    NOT_ENTITLED
          police*2      cancel c                      ok
          police        rekey c c+                    WRONG_STATE
        see a rekeyed disputed blocked
        see a+ active held:police,court disputed
        see b rekeyed
        see b+ expired
        block
          police        rekey a+ a++                  ok
          police        seal B a                      DUPLICATE_TAG
        see a+ rekeyed disputed
        see a++ active held:police,court disputed
        block +3d
          police        seal W q                      ISSUER_NOT_AUTHORISED
    ",
    );
}

#[test]
fn o9_one_province_holds_a_certificate_at_any_height() {
    // CRT-07: given up to one member, taken over by it alone, or taken back.
    check(
        "
        block
          police        open B licence 31             ok
          town          open T licence 3199           ok
          yunshan       open Y licence 33             ok
          yunshan       open Z pass 33                ok
        block
          police        seal B a b c                  ok
          yunshan       seal Y x                      ok
        block
          yunshan       transfer-in a Y a2            WRONG_STATE
          police        transfer-out a member:99      UNKNOWN_MEMBER
          yunshan       transfer-out a yunshan        NOT_ENTITLED
          police        transfer-out a yunshan        ok
          police        transfer-out b town           ok
          police        suspend a                     WRONG_STATE
          police        cancel-transfer c             WRONG_STATE
        see a transferringout
        block
          police        dispute a                     ok
          police        block-key a                   ok
          police        clear-dispute a               ok
          police        dispute a                     ok
          town          transfer-in a T a2            OTHER_TARGET
          police        transfer-in a B a2            OTHER_TARGET
          yunshan       transfer-in b Y b2            OTHER_TARGET
          yunshan       transfer-in a Z a2            ACT_NOT_ALLOWED
          yunshan       transfer-in a B a2            NOT_ENTITLED
          yunshan       transfer-in a Y x             DUPLICATE_TAG
          police        cancel-transfer b             ok
          town          transfer-in b T b2            WRONG_STATE
        see a transferringout disputed blocked
        see b active
        block
          yunshan       transfer-in a Y a2            ok
          yunshan       transfer-in a Y a3            WRONG_STATE
          police        cancel-transfer a             WRONG_STATE
          police        transfer-out b yunshan        ok
        see a superseded disputed blocked
        see a2 active disputed
        block
          town          transfer-in b T b2            OTHER_TARGET
          yunshan       transfer-in b Y b2            ok
        see b superseded
        see b2 active
    ",
    );
}

#[test]
fn o10_to_o12_an_agreement_is_in_force_once_every_party_signed_it() {
    // REC-01.
    check(
        "
        block
          police/adm    propose RA police,yunshan,town ok
          police/adm    propose RB town,yunshan       NOT_ENTITLED
          police/adm    propose RA police,town        BAD_TERMS
          police/adm    propose RB police             BAD_TERMS
          police/adm    propose RB police,police      BAD_TERMS
          police/adm    propose RB town,police unsorted BAD_TERMS
          police/adm    propose RB police,town types: BAD_TERMS
          police/adm    propose RB police,town types:1,0 BAD_TERMS
          police/adm    propose RB police,town purposes: BAD_TERMS
          police/adm    propose RB police,town purposes:2,1 BAD_TERMS
          police/adm    propose RB police,town divisions:33,31 BAD_TERMS
          police/adm    propose RB police,town days:9..8 BAD_TERMS
          police/adm    propose RB police,town label: BAD_TERMS
          police/adm    propose RB police,member:99   UNKNOWN_MEMBER
          police/adm    propose RB police,town types:9 UNKNOWN_TYPE
          police/adm    propose RB police,town purposes:9 UNKNOWN_CODE
          police/adm    propose RB police,town divisions:44 UNKNOWN_CODE
          police        propose RB police,town        KEY_PURPOSE
        see RA proposed 1
        block
          yunshan/adm   sign RA other-digest          OTHER_TERMS
          yunshan/adm   sign agreement:7              UNKNOWN_AGREEMENT
          hall/adm      sign RA                       NOT_ENTITLED
          yunshan       sign RA                       KEY_PURPOSE
          police/adm    sign RA                       ALREADY_SIGNED
          yunshan/adm   sign RA                       ok
          police/adm    suspend-agreement RA          AGREEMENT_STATE
        see RA proposed 2
        block
          town/adm      sign RA                       ok
          town/adm      sign RA                       ALREADY_SIGNED
        see RA in-force
        block
          hall/adm      suspend-agreement RA          NOT_ENTITLED
          ministry/adm  suspend-agreement RA reason:9 UNKNOWN_REASON
          police/adm    resume-agreement RA           AGREEMENT_STATE
          ministry/adm  suspend-agreement RA          ok
          police/adm    suspend-agreement RA          AGREEMENT_STATE
        see RA suspended:ministry
        block
          police/adm    resume-agreement RA           NOT_ENTITLED
          council/adm   resume-agreement RA           NOT_ENTITLED
          ministry/adm  resume-agreement RA           ok
        see RA in-force
        block
          town/adm      suspend-agreement RA          ok
          ministry/adm  resume-agreement RA           NOT_ENTITLED
          town/adm      resume-agreement RA           ok
    ",
    );
}

#[test]
fn a_member_that_is_suspended_or_left_does_nothing() {
    // GOV-04. Signatures are right, so the transaction stands in the block and is refused there.
    check(
        "
        block
          police        open B licence 31             ok
          paused        open X licence 31             MEMBER_INACTIVE
          gone          open X licence 31             MEMBER_INACTIVE
        block
          police        seal B a                      ok
          paused/enf    suspend B:0                   MEMBER_INACTIVE
          gone/adm      propose R gone,police         MEMBER_INACTIVE
    ",
    );
}

#[test]
fn a_key_signs_at_the_heights_it_is_valid_and_for_one_purpose() {
    // GOV-05, SEC-08: the old issuing key ends at height 3, the new one begins at 4.
    check(
        "
        block
          police        open B licence 31             ok
          police/new    open C licence 319901         dropped
        block
          police/old    seal B a                      ok
          police/none   seal B b                      dropped
        block
          police/old    seal B b                      ok
          police/new    seal B c                      dropped
        block
          police/old    seal B c                      dropped
          police/new    seal B c                      ok
          police/enf    seal B d                      KEY_PURPOSE
          police/adm    seal B d                      KEY_PURPOSE
          police/app    seal B d                      KEY_PURPOSE
          police/con    seal B d                      KEY_PURPOSE
          police/peer   seal B d                      KEY_PURPOSE
          police/mixed  seal B d                      KEY_PURPOSE
        see a active
    ",
    );
}

#[test]
fn o13_the_lowest_broken_rule_answers() {
    // Each line breaks the rule that answers and every later one it can break together with it.
    check(
        "
        block
          police        open B licence 31             ok
          police        open P permit 31              ok
          police        open W pass 3199              ok
          yunshan       open Y licence 33             ok
        block
          police        seal B a b                    ok
          police        seal P m                      ok
          police        seal W p                      ok
        block
          paused/mixed  open X type:9 31              MEMBER_INACTIVE
          hall/mixed    open X type:9 31              ROLE_MISSING
          police/mixed  open X type:9 31              KEY_PURPOSE
          police        open X type:9 33              UNKNOWN_TYPE
          town          open X closed 31              ISSUER_NOT_AUTHORISED
          hall/enf      seal book:9 1025*x            ROLE_MISSING
          police/enf    seal book:9 1025*x            KEY_PURPOSE
          police        seal book:9 1025*x            UNKNOWN_BOOK
          yunshan       seal B 1025*x                 NOT_ENTITLED
          police        seal B 1025*x                 SECOND_PERSON_MISSING
          police*2      seal B 1024*x a               LINE_COUNT
          police/adm    cancel book:9:9 reason:9      KEY_PURPOSE
          hall          cancel book:9:9 reason:9      UNKNOWN_BOOK
          hall          cancel B:9 reason:9           UNKNOWN_LINE
          hall          transfer-out a member:99 reason:9 UNKNOWN_MEMBER
          hall          cancel m reason:9             UNKNOWN_REASON
          hall          cancel m                      NOT_ENTITLED
          police        cancel m                      SECOND_PERSON_MISSING
          police*2      cancel m                      ACT_NOT_ALLOWED
          hall/adm      consume book:9:9 reason:9     KEY_PURPOSE
          hall/enf      consume B:9 reason:9          UNKNOWN_LINE
          hall/enf      consume m reason:9            UNKNOWN_REASON
          hall/enf      consume m                     NOT_ENTITLED
          customs/enf   consume m                     ACT_NOT_ALLOWED
          hall/mixed    renew book:9:9 book:9 x       ROLE_MISSING
          police/mixed  renew book:9:9 book:9 x       KEY_PURPOSE
          yunshan       renew B:9 Y x reason:9        UNKNOWN_LINE
          yunshan       renew a Y x reason:9          UNKNOWN_REASON
          yunshan       renew a B a                   NOT_ENTITLED
          police        renew a P m                   DUPLICATE_TAG
          police        renew a P x                   ACT_NOT_ALLOWED
          hall/mixed    rekey book:9:9 x              ROLE_MISSING
          yunshan       rekey m x                     NOT_ENTITLED
          police        rekey m x                     OTHER_TAG
          police        rekey m m+                    ACT_NOT_ALLOWED
          hall/mixed    transfer-in book:9:9 book:9 x ROLE_MISSING
          police        transfer-in a P m             DUPLICATE_TAG
          yunshan       transfer-in a Y x             WRONG_STATE
          hall/enf      propose R town,town types:9   KEY_PURPOSE
          hall/adm      propose R town,member:99 types:9 purposes:9 UNKNOWN_MEMBER
          hall/adm      propose R town,town types:9 purposes:9 UNKNOWN_TYPE
          hall/adm      propose R town,town purposes:9 UNKNOWN_CODE
          hall/adm      propose R town,town           NOT_ENTITLED
          town/adm      propose R town,town           BAD_TERMS
        block +2d
          police        seal W p                      ISSUER_NOT_AUTHORISED
          police        seal W                        ISSUER_NOT_AUTHORISED
          police        cancel p                      SECOND_PERSON_MISSING
    ",
    );
}

#[test]
fn the_daily_limit_answers_before_what_the_type_and_the_state_forbid() {
    check(
        "
        block
          police        open B licence 31             ok
          police        open P permit 31              ok
        block
          police        seal B a b c d                ok
          police        seal P m                      ok
        block
          police*2      cancel a                      ok
          police*2      cancel b                      ok
          police*2      cancel c                      ok
          police*2      cancel m                      DAILY_LIMIT
          police*2      cancel a                      DAILY_LIMIT
          police        cancel a                      SECOND_PERSON_MISSING
    ",
    );
}
