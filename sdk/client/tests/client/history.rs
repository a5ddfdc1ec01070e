//! History: complete, or visibly broken (journey J8).

use fengni_core::history::{Gap, History};
use fengni_core::proof::{BookList, Place};
use fengni_core::standing::{ActKind, Standing, State};
use fengni_core::{ActNumber, BookNumber, LineNumber, LinePlace, ReasonCode};
use fengni_genesis::sample;

use crate::ledger::{Chain, Network};

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
