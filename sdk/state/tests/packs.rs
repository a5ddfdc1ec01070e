//! Trust packs: full and since any height, they open to the same, and nothing else opens at all.

// Numbers in tests are small.
#![allow(clippy::cast_possible_truncation)]

mod common;

use common::story::Story;
use fengni_core::bytes::Bytes;
use fengni_core::light::{Checkpoint, LightError};
use fengni_core::pack::{Basis, Pack, PackError, RecordPart, ShelfPart, Subscription, TrustPack};
use fengni_core::record::Record as _;
use fengni_core::trust::{TrustError, TrustStore};
use fengni_core::{CommitCertificate, Header, Height, LineNumber, Millis, Suite, TypeNumber};
use fengni_state::{State, pack};
use proptest::prelude::*;
use serde_json::json;

/// What happens to books of two types in two provinces, over a full page and more.
const YEARS: &str = "
    block
      police        open B licence 31             ok
      yunshan       open Y licence 33             ok
    block
      police*2      seal B 1000*a                 ok
    block
      police*2      seal B 30*b                   ok
      yunshan*2     seal Y 7*y                    ok
      police        suspend a5                    ok
    block
      police*2      cancel a7                     ok
      police        dispute b3                    ok
      town          open T licence 319901         ok
    block
      police        return a5 police              ok
      police        suspend b29                   ok
      police        rekey a9 a9+                  ok
      yunshan       block-key y2                  ok
    block
      police*2      seal B 1000*c                 ok
      police        renew a11 B r                 ok
    block
      police        suspend c999 until:+9d        ok
    block
      police/adm    revoke-key police 5 from:3    ok
";

/// A state and what made it final.
struct Moment {
    state: State,
    header: Header,
    certificate: CommitCertificate,
}

/// The network after the years, and every state on the way.
fn years(suite: Suite) -> (Story, Vec<Moment>) {
    let mut story = Story::new(suite);
    let mut moments = Vec::new();
    for block in YEARS.split("    block\n").skip(1) {
        story.tell(&format!("block\n{block}"));
        let last = story.network.blocks.last().expect("a block was made");
        let (header, certificate) = (last.block.header.clone(), last.certificate.clone());
        moments.push(Moment { state: story.network.state.clone(), header, certificate });
    }
    (story, moments)
}

fn make(story: &Story, at: &Moment, subscription: &Subscription, basis: Option<&Basis>) -> Pack {
    let (header, certificate) = (at.header.clone(), at.certificate.clone());
    let made = pack(&at.state, &story.network.records, header, certificate, subscription.clone(), basis);
    assert_eq!(Pack::decode(&made.encode()).as_ref(), Ok(&made), "a pack reads its own bytes");
    made
}

fn open(story: &Story, pack: Pack, held: Option<&TrustPack>) -> Result<TrustPack, PackError> {
    TrustPack::open(pack, held, &story.network.domain)
}

#[test]
fn q7_a_delta_from_any_height_opens_to_the_full_pack() {
    for suite in [Suite::Standard, Suite::Trial] {
        let (story, moments) = years(suite);
        let everything = Subscription::default();
        let licences = Subscription::new(vec![common::kind("licence")], vec![common::division("31")]);
        for subscription in [everything, licences] {
            let full = |at: &Moment| open(&story, make(&story, at, &subscription, None), None).expect("it adds up");
            for (number, at) in moments.iter().enumerate() {
                let whole = full(at);
                assert_eq!(open(&story, whole.to_full(), None).as_ref(), Ok(&whole), "as a device keeps it");
                for before in &moments[..=number] {
                    let held = full(before);
                    let delta = make(&story, at, &subscription, Some(&held.basis()));
                    assert_eq!(delta.since, Some(before.header.height));
                    assert_eq!(open(&story, delta, Some(&held)).as_ref(), Ok(&whole), "from {}", before.header.height);
                }
            }
        }
    }
}

#[test]
fn q2_only_the_books_subscribed_to_bring_pages() {
    let (story, moments) = years(Suite::Standard);
    let at = moments.last().expect("the last");
    let licences = Subscription::new(vec![common::kind("licence")], vec![common::division("31")]);
    let opened = open(&story, make(&story, at, &licences, None), None).expect("it adds up");
    let covered: Vec<bool> = opened.books().map(|(_, _, covered)| covered).collect();
    assert_eq!(covered, [true, false, true]);
}

#[test]
fn q7_nothing_changed_costs_little() {
    let (story, moments) = years(Suite::Standard);
    let at = moments.last().expect("the last");
    let full = make(&story, at, &Subscription::default(), None);
    let held = open(&story, full.clone(), None).expect("it adds up");
    let delta = make(&story, at, &Subscription::default(), Some(&held.basis()));
    assert!(delta.changed.is_empty() && delta.shelves.iter().all(|part| *part == ShelfPart::Same));
    assert!(delta.encode().len() < 1200, "{} bytes, {} full", delta.encode().len(), full.encode().len());
}

#[test]
fn q7_a_revocation_reaches_a_device_and_costs_its_book_one_whole_record() {
    let (story, moments) = years(Suite::Standard);
    let (before, after) = (&moments[6], &moments[7]);
    let held = open(&story, make(&story, before, &Subscription::default(), None), None).expect("it adds up");
    let delta = make(&story, after, &Subscription::default(), Some(&held.basis()));
    let kept = after.state.books().find(|(_, book)| !book.record().suspended.is_empty()).expect("the licences");
    let changed: Vec<_> = delta.changed.iter().map(|part| (part.number, &part.record)).collect();
    assert_eq!(changed, [(kept.0, &RecordPart::Whole(Bytes(kept.1.record().encode())))]);
    let opened = open(&story, delta.clone(), Some(&held)).expect("it adds up");
    let keys = |line: u64| {
        let (_, book, _) = opened.books().find(|(number, ..)| *number == kept.0).expect("the licences");
        book.revoked_keys(LineNumber(line)).map(|key| key.0).collect::<Vec<_>>()
    };
    // What both keys sealed at height 2 was sealed before; 30 lines at height 3 were not.
    assert_eq!((keys(999), keys(1000), keys(1029), keys(1030)), (vec![], vec![5], vec![5], vec![]));
    // A delta that hides the suspension does not add up.
    let mut hidden = delta;
    let record = kept.1.record();
    let lists = [record.pages, record.seals, record.acts, record.heads];
    hidden.changed[0].record = RecordPart::Grown { lines: record.lines, lists };
    assert_eq!(open(&story, hidden, Some(&held)), Err(PackError::StateRoot));
}

#[test]
fn q8_a_pack_of_another_past_or_an_older_one_is_refused() {
    let (story, moments) = years(Suite::Standard);
    let subscription = Subscription::default();
    let full = |at: &Moment| open(&story, make(&story, at, &subscription, None), None).expect("it adds up");
    let (first, last) = (full(&moments[1]), full(&moments[6]));
    let (held, offered) = (last.header().height, first.header().height);
    let older = open(&story, first.to_full(), Some(&last));
    assert_eq!(older, Err(PackError::Older { offered, held }));
    let delta = make(&story, &moments[6], &subscription, Some(&first.basis()));
    let other_basis = |held| Err(PackError::OtherBasis { needed: Some(Height(2)), held });
    assert_eq!(open(&story, delta.clone(), None), other_basis(None));
    assert_eq!(open(&story, delta.clone(), Some(&full(&moments[2]))), other_basis(Some(Height(3))));
    let mut other = delta;
    other.subscription = Subscription::new(vec![TypeNumber(0)], vec![]);
    assert_eq!(open(&story, other, Some(&first)), Err(PackError::OtherSubscription));
}

#[test]
fn q8_under_a_checkpoint_that_is_too_old_no_pack_is_taken() {
    let (story, moments) = years(Suite::Standard);
    let at = &moments[6];
    let Header { suite, network, time, .. } = at.header;
    let checkpoint = Checkpoint {
        network,
        suite,
        height: Height(0),
        time,
        block: None,
        validators: at.state.next_validators(),
        trusting_period_secs: 60,
    };
    let mut store = TrustStore::new(checkpoint, Subscription::default());
    let bytes = make(&story, at, &Subscription::default(), None).encode();
    let late = store.update(&bytes, Millis(time.0 + 61_000));
    assert_eq!(late, Err(TrustError::Light(LightError::TooOld { age_secs: 61, limit_secs: 60 })));
    assert!(store.pack().is_none() && store.light().newest().is_none());
    store.update(&bytes, Millis(time.0 + 60_000)).expect("in time");
}

#[test]
fn q6_a_pack_that_leaves_something_out_is_refused() {
    let (story, moments) = years(Suite::Standard);
    let full = make(&story, &moments[6], &Subscription::default(), None);
    let refused = |change: &dyn Fn(&mut Pack)| {
        let mut altered = full.clone();
        change(&mut altered);
        open(&story, altered, None).expect_err("it does not add up")
    };
    let book = full.changed[0].number;
    assert_eq!(refused(&|pack| drop(pack.changed.remove(0))), PackError::Malformed("a book is left out"));
    assert_eq!(refused(&|pack| drop(pack.changed.pop())), PackError::Malformed("a book is left out"));
    let fewer = |pack: &mut Pack| {
        pack.changed.pop();
        pack.books -= 1;
    };
    assert_eq!(refused(&fewer), PackError::StateRoot);
    assert_eq!(refused(&|pack| pack.changed[0].pages.0.clear()), PackError::Pages(book));
    assert_eq!(refused(&|pack| pack.changed[0].pages.0.push(0)), PackError::Pages(book));
    let member = |pack: &mut Pack| match &mut pack.shelves[1] {
        ShelfPart::Whole(records) => drop(records.pop()),
        ShelfPart::Same => panic!("a full pack has every shelf"),
    };
    assert_eq!(refused(&member), PackError::StateRoot);
    let same = |pack: &mut Pack| pack.shelves[1] = ShelfPart::Same;
    assert_eq!(refused(&same), PackError::Malformed("a full pack leaves a registry out"));
    let mut elsewhere = full.clone();
    elsewhere.header.network = Default::default();
    assert_eq!(open(&story, elsewhere, None), Err(PackError::OtherNetwork));
    // A book that is not subscribed to brings no pages.
    let narrow = Subscription::new(vec![], vec![common::division("33")]);
    let mut wide = make(&story, &moments[6], &narrow, None);
    wide.changed[0].pages = full.changed[0].pages.clone();
    assert_eq!(open(&story, wide, None), Err(PackError::Pages(book)));
    assert!(matches!(full.changed[0].record, RecordPart::Whole(_)));
}

/// What a reader in another language compares: `sdk/spec/vectors/packs.json`.
#[test]
fn the_vectors_are_what_this_code_makes() {
    let mut story = Story::new(Suite::Standard);
    story.tell(
        "
        block
          police        open B licence 31             ok
          yunshan       open Y licence 33             ok
        block
          police        seal B a b c                  ok
        block
          police        suspend b until:+9d           ok
    ",
    );
    let moment = |story: &Story| {
        let last = story.network.blocks.last().expect("a block was made");
        let (header, certificate) = (last.block.header.clone(), last.certificate.clone());
        Moment { state: story.network.state.clone(), header, certificate }
    };
    let first = moment(&story);
    story.tell(
        "
        block
          police        seal B d e                    ok
          police        dispute a                     ok
    ",
    );
    let second = moment(&story);
    let subscription = Subscription::new(vec![common::kind("licence")], vec![common::division("31")]);
    let full = make(&story, &first, &subscription, None);
    let held = open(&story, full.clone(), None).expect("it adds up");
    let delta = make(&story, &second, &subscription, Some(&held.basis()));
    let latest = open(&story, delta.clone(), Some(&held)).expect("it adds up");
    let accepted =
        [("full", &full, None, &held), ("delta", &delta, Some("full"), &latest)].map(|(name, pack, below, opened)| {
            let books = opened.books().map(|(number, book, covered)| {
            json!({ "number": number, "lines": book.lines, "covered": covered, "pages": book.pages })
        });
            json!({
                "name": name, "pack": hex::encode(pack.encode()), "on_top_of": below,
                "height": opened.header().height, "state_root": opened.header().state_root,
                "shelves": opened.basis().shelves_hex(), "books": books.collect::<Vec<_>>(),
                "full": hex::encode(opened.to_full().encode()),
            })
        });
    let mut left_out = full.clone();
    drop(left_out.changed.pop());
    let mut no_pages = full.clone();
    no_pages.changed[0].pages.0.clear();
    let mut fewer = full.clone();
    if let ShelfPart::Whole(records) = &mut fewer.shelves[1] {
        records.pop();
    }
    let mut same = full.clone();
    same.shelves[0] = ShelfPart::Same;
    let refused = [
        ("a book is left out", "Q-6", &left_out, None),
        ("pages of a covered book are left out", "Q-6", &no_pages, None),
        ("a member is left out", "Q-3", &fewer, None),
        ("a full pack builds on nothing", "Q-7", &same, None),
        ("a delta without what it builds on", "Q-7", &delta, None),
        ("a delta twice", "Q-7", &delta, Some("delta")),
        ("an older pack", "Q-8", &full, Some("delta")),
    ]
    .map(|(name, rule, pack, below)| {
        let held = below.map(|_| &latest);
        let error = open(&story, pack.clone(), held).expect_err("it is refused").to_string();
        json!({ "name": name, "rule": rule, "pack": hex::encode(pack.encode()), "on_top_of": below, "error": error })
    });
    let made = json!({
        "about": "Rules Q-1 to Q-8, for readers that believe the validators given. Each delta builds on the accepted pack named.",
        "network": story.network.domain.network,
        "validators": story.network.state.next_validators(),
        "accepted": accepted,
        "refused": refused,
    });
    common::assert_vectors("packs.json", &made);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn q6_one_altered_byte_never_opens_to_other_facts(
        at in any::<prop::sample::Index>(),
        bit in 0..8u8,
    ) {
        thread_local! {
            static MADE: (Story, Vec<u8>) = {
                let (story, moments) = years(Suite::Standard);
                let bytes = make(&story, &moments[6], &Subscription::default(), None).encode();
                (story, bytes)
            };
        }
        MADE.with(|(story, bytes)| {
            let good = open(story, Pack::decode(bytes).expect("our own"), None).expect("it adds up");
            let mut altered = bytes.clone();
            altered[at.index(bytes.len())] ^= 1 << bit;
            if let Ok(pack) = Pack::decode(&altered)
                && let Ok(opened) = open(story, pack, None)
            {
                // Only what the state root does not bind can differ: the header's other fields and
                // its certificate, which the light client judges, and what was asked for.
                let same = |pack: &TrustPack| {
                    pack.books().map(|(number, book, _)| (number, book.clone())).collect::<Vec<_>>()
                };
                assert_eq!(same(&opened), same(&good));
                assert_eq!(opened.basis().shelves, good.basis().shelves);
                let header = opened.header().id(&story.network.domain) != good.header().id(&story.network.domain);
                let other = header || opened.certificate() != good.certificate();
                assert!(other || opened.subscription() != good.subscription() || opened == good);
            }
        });
    }
}
