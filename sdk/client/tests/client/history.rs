//! History: complete, or visibly broken (journey J8).

use fengni_client::history::{Whole, whole};
use fengni_client::ledger::Ledger;
use fengni_core::history::{Gap, History, Origin};
use fengni_core::proof::{BookList, Place};
use fengni_core::shelf::Shelf;
use fengni_core::standing::{ActKind, Standing, State};
use fengni_core::{ActNumber, BookNumber, LineNumber, LinePlace, ReasonCode};
use fengni_genesis::sample;

use crate::ledger::{Chain, Mood, NOW, Network};

const C1: LinePlace = LinePlace { book: BookNumber(0), line: LineNumber(0) };
const C1V2: LinePlace = LinePlace { book: BookNumber(0), line: LineNumber(2) };

/// Issued, disputed, cleared, and changed into version 002; acts on another line in between.
fn story(chain: &mut Chain) {
    let ids: Vec<_> = sample::certificates().iter().map(|sample| sample.id()).collect();
    for place in [0, 5, 1] {
        chain.seal_for_another(&ids[place]);
    }
    let disputed = Standing { disputed: true, ..Standing::ACTIVE };
    chain.act(LineNumber(0), |act| fengni_core::standing::Act { kind: ActKind::Dispute, to: disputed, ..act });
    chain.act(LineNumber(1), |act| act);
    chain.act(LineNumber(0), |act| fengni_core::standing::Act {
        kind: ActKind::ClearDispute,
        to: Standing::ACTIVE,
        ..act
    });
    chain.act(LineNumber(0), |act| fengni_core::standing::Act {
        kind: ActKind::Change,
        to: Standing::ACTIVE.with(State::Superseded),
        successor: Some(C1V2),
        reason: ReasonCode(1),
        ..act
    });
}

#[test]
fn a_history_lists_every_event_and_follows_the_line_that_took_over() {
    let network = Network::new();
    story(&mut network.chain());
    let history = network.ledger(0).history(C1).expect("an honest ledger").value;
    assert_eq!(history.gaps, []);
    assert_eq!((history.chapters.len(), history.events()), (2, 5));
    let first = &history.chapters[0];
    let kinds: Vec<ActKind> = first.events.iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [ActKind::Dispute, ActKind::ClearDispute, ActKind::Change]);
    assert_eq!(first.events[0].by.name.as_deref(), Some("东海省公安厅交通管理局"));
    assert_eq!((first.events[0].seq, first.standing.state), (2, State::Superseded));
    assert_eq!(history.chapters[1].place, C1V2);
}

fn list_of(place: Place) -> Option<(BookNumber, BookList)> {
    match place {
        Place::Record(..) | Place::Line(..) => None,
        Place::Page(book, _) => Some((book, BookList::Pages)),
        Place::Seal(book, _) => Some((book, BookList::Seals)),
        Place::Act(book, _) => Some((book, BookList::Acts)),
        Place::Heads(book, _) => Some((book, BookList::Heads)),
    }
}

#[test]
fn j8_whatever_is_left_out_is_named() {
    let network = Network::new();
    story(&mut network.chain());
    let chain = network.chain();
    let whole = chain.history(C1).expect("a history");
    let without = |place: Place| {
        let mut proof = whole.clone();
        proof.entries.retain(|entry| entry.place != place);
        // Whoever leaves out the only entry of a list leaves out the list's root as well.
        let left: Vec<_> = proof.entries.iter().filter_map(|entry| list_of(entry.place)).collect();
        proof.roots.retain(|(list, _)| left.contains(list));
        let proven = proof.verify_under_final_header(&chain.domain).expect("what is left is still proven");
        History::read(&proven, C1).expect("book and page are there").gaps
    };
    let book = BookNumber(0);
    assert_eq!(without(Place::Act(book, ActNumber(2))), [Gap::Act { place: C1, number: ActNumber(2) }]);
    assert_eq!(without(Place::Act(book, ActNumber(3)))[0], Gap::Act { place: C1, number: ActNumber(3) });
    assert_eq!(without(Place::Heads(book, C1.line.page()))[0], Gap::Head { place: C1 });
    let seal = fengni_core::SealNumber(0);
    assert_eq!(without(Place::Seal(book, seal)), [Gap::Seal { place: C1 }]);
}

/// Three versions: the second took over from the first, and the third from the second.
fn versions(chain: &mut Chain) -> [LinePlace; 3] {
    let ids: Vec<_> = sample::certificates().iter().map(|sample| sample.id()).collect();
    chain.seal_for_another(&ids[0]);
    chain.act(LineNumber(0), |act| fengni_core::standing::Act { kind: ActKind::Dispute, to: act.from, ..act });
    let second = chain.supersede(LineNumber(0), &ids[5]);
    chain.seal_for_another(&ids[2]);
    let third = chain.supersede(second.line, &ids[1]);
    [C1, second, third]
}

fn read_whole(network: &Network, place: LinePlace) -> Whole {
    read_by(&mut network.ledger(0), place)
}

fn read_by(ledger: &mut Ledger, place: LinePlace) -> Whole {
    let at = ledger.highest().expect("an honest node").0.height;
    whole(ledger, place, at).expect("an honest node")
}

#[test]
fn s10_a_history_begins_with_the_line_that_was_issued_first() {
    let network = Network::new();
    let versions = versions(&mut network.chain());
    for place in versions {
        let found = read_whole(&network, place);
        let chapters: Vec<LinePlace> = found.history.chapters.iter().map(|chapter| chapter.place).collect();
        assert_eq!((chapters.as_slice(), found.history.gaps.as_slice()), (&versions[..], &[] as &[Gap]));
        assert_eq!(found.origin, Some(Origin::Issued));
        // What proves that nothing came before holds by itself.
        // A seal of one line does not say it.
        let [proof] = found.origin_proofs.as_slice() else { panic!("of one book: {:?}", found.origin_proofs) };
        let proven = network.ledger(0).light_mut().prove(proof, NOW).expect("final");
        let mut again = found.history.clone();
        assert_eq!(again.begins(&[proven]), Some(Origin::Issued));
        assert_eq!((again.begins(&[]), again.gaps), (None, vec![Gap::Origin { place: C1 }]));
    }
}

#[test]
fn s10_a_line_that_took_over_is_not_shown_as_issued() {
    let network = Network::new();
    let early = {
        let chain = network.chain();
        let proof = chain.prove([Place::Record(Shelf::Books, 0)]).expect("it is there");
        proof.verify_under_final_header(&chain.domain).expect("an honest proof")
    };
    let [_, second, _] = versions(&mut network.chain());
    let chain = network.chain();
    let seal = chain.sealed(second);
    // A state of before has no act at all, and says nothing.
    assert!(Origin::read(&[early], second, &seal).is_err());
    // The act of that height names it; with the acts beside that height alone, nothing can be said.
    let prove = |acts: &[u64]| {
        let places = acts.iter().map(|act| Place::Act(BookNumber(0), ActNumber(*act)));
        let proof = chain.prove(places).expect("they are there");
        [proof.verify_under_final_header(&chain.domain).expect("an honest proof")]
    };
    assert_eq!(Origin::read(&prove(&[0, 1, 2]), second, &seal), Ok(Origin::TookOver { place: C1, act: ActNumber(1) }));
    assert!(Origin::read(&prove(&[0, 2]), second, &seal).is_err());
    assert!(Origin::read(&prove(&[0]), second, &seal).is_err());
}

#[test]
fn j8_a_node_that_leaves_something_out_is_passed_over() {
    let network = Network::new();
    let [first, ..] = versions(&mut network.chain());
    network.set(0, Mood::Forgets);
    let mut ledger = network.ledger(0);
    let found = read_by(&mut ledger, first);
    assert_eq!(found.history.gaps, []);
    let troubles = ledger.gateway().troubles();
    assert!(troubles.iter().any(|trouble| trouble.node == "node-a"), "{troubles:?}");
    // Where nobody gives more, what is missing is named.
    network.set_all(Mood::Forgets);
    let found = read_whole(&network, first);
    assert_eq!(found.history.gaps, [Gap::Act { place: C1, number: ActNumber(0) }]);
}
