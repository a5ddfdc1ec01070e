//! A gateway that lies: no wrong statement gets past a tool, and where an honest gateway is named as
//! well, the right answer comes and the liar is named.

use std::sync::Arc;

use fengni_core::finality::CommitCertificate;
use fengni_core::proof::{Place, StateProof};
use fengni_core::{ActNumber, BookNumber, LineNumber, PageNumber, SealNumber};
use fengni_tests::liar::{Rule, Said, alter_handovers, alter_headers, alter_proofs, as_of, instead, rewrite, withhold};

use crate::foreign;
use crate::rows::{Lie, Row, Tool};
use crate::world::World;

const BOOK: BookNumber = BookNumber(0);
/// Where each tool gets what it judges.
const HISTORY: &str = "/v1/history/";
const LINE: &str = "/v1/proofs/line";
const PROOFS: &str = "/v1/proofs?";
const LATEST: &str = "/v1/headers/latest";
const LIED: &str = "{liar}: an answer that does not hold";

/// The rows.
pub fn rows(world: &World) -> Vec<Row> {
    let mut rows = histories(world);
    rows.extend(books(world));
    rows.extend(verdicts());
    rows.extend(packs(world));
    rows.extend(foundings());
    rows
}

/// Drops an entry; what is left still proves itself.
fn drop_place(on: &'static str, place: Place) -> Rule {
    alter_proofs(on, move |proof| proof.entries.retain(|entry| entry.place != place))
}

/// Alters a byte of an entry.
fn alter(on: &'static str, place: Place, byte: usize) -> Rule {
    alter_proofs(on, move |proof| {
        let found = proof.entries.iter_mut().find(|entry| entry.place == place);
        found.into_iter().for_each(|entry| entry.bytes.0[byte] ^= 1);
    })
}

/// A proof whose header is signed by others.
fn own_quorum(on: &'static str) -> Rule {
    alter_proofs(on, |proof: &mut StateProof| {
        proof.header.time.0 += 1;
        proof.certificate = foreign::signed_by_its_own(&proof.header);
    })
}

fn other_network(on: &'static str) -> Rule {
    alter_proofs(on, |proof| (proof.header, proof.certificate) = foreign::header(&proof.header))
}

/// Certificates of fewer than a quorum, wherever there are any: of a header that was believed before,
/// another certificate is not looked at.
fn few_signatures() -> Vec<Rule> {
    certificates(|certificate| certificate.signatures.truncate(2))
}

/// As many signatures as a quorum, two of them by one validator.
fn signed_twice() -> Vec<Rule> {
    certificates(|certificate| {
        certificate.signatures.truncate(2);
        let again = certificate.signatures[1].clone();
        certificate.signatures.push(again);
    })
}

fn certificates(alter: fn(&mut CommitCertificate)) -> Vec<Rule> {
    vec![
        alter_headers("/v1/headers/", move |_, certificate| alter(certificate)),
        alter_proofs("/v1/proofs", move |proof| alter(&mut proof.certificate)),
        alter_proofs(HISTORY, move |proof| alter(&mut proof.certificate)),
    ]
}

fn histories(world: &World) -> Vec<Row> {
    let row = |name, rules: Vec<Rule>, code, says: &[&str]| Row::gateway(name, Tool::History, rules, code, says);
    let (act, page) = (Place::Act(BOOK, ActNumber(1)), Place::Page(BOOK, PageNumber(0)));
    let old = format!("header {} of", world.before);
    vec![
        row("history: an act is left out", vec![drop_place(HISTORY, act)], 1, &["gap at act 1"])
            .never(&["act 0", "act 3"]),
        row(
            "history: a seal is left out",
            vec![drop_place(HISTORY, Place::Seal(BOOK, SealNumber(0)))],
            1,
            &["book 0 line 0: the seal is missing"],
        ),
        row(
            "history: the heads are left out",
            vec![drop_place(HISTORY, Place::Heads(BOOK, PageNumber(0)))],
            2,
            &[LIED, "a root is given that no entry uses"],
        ),
        row("history: an act is altered", vec![alter(HISTORY, act, 3)], 2, &[LIED, "the path of act/0/1"])
            .never(&["act/0/0", "act/0/3"]),
        row("history: a standing is lifted", vec![alter(HISTORY, page, 40)], 2, &[LIED, "the path of page/0/0"]),
        row("history: a quorum of strangers", vec![own_quorum(HISTORY)], 2, &[LIED, "does not verify"]),
        row("history: another network's state", vec![other_network(HISTORY)], 2, &[LIED, "of another network"]),
        row("history: too few signatures", few_signatures(), 2, &[LIED, "is below quorum"]),
        row("history: a signature that counts twice", signed_twice(), 2, &[LIED, "stands out of order or signs twice"]),
        row(
            "history: another line's",
            vec![asked_otherwise(HISTORY, "/0/0", "/0/1")],
            1,
            &[LIED, "book 0 line 0: the seal is missing"],
        ),
        row("history: nothing", vec![instead(HISTORY, Said::nothing("unknown"))], 2, &["{liar}: refused"]),
        row("history: an older state as the newest", vec![as_of(world.before)], 2, &["undecided", &old])
            .stale()
            .never(&["complete:"]),
        row(
            "history: forged handovers",
            vec![alter_handovers(|handovers| {
                // No reader follows what its known validators have not signed.
                for handover in handovers {
                    handover.header.time.0 += 1;
                    handover.certificate = foreign::signed_by_its_own(&handover.header);
                }
            })],
            2,
            &["{liar}", "does not hold"],
        ),
    ]
}

fn books(world: &World) -> Vec<Row> {
    let row = |name, rules: Vec<Rule>, code, says: &[&str]| Row::gateway(name, Tool::Book, rules, code, says);
    let act = Place::Act(BOOK, ActNumber(1));
    let old = format!("header {} of", world.before);
    vec![
        row("book: an act is withheld", vec![withhold("act/0/1")], 1, &["act 1 is withheld or altered", "{liar}"])
            .never(&["act 0 ", "act 2 ", "act 3 ", "seal 0", "seal 1", "page 0"]),
        row("book: the last act is withheld", vec![withhold("act/0/4")], 1, &["act 4 is withheld or altered"])
            .never(&["act 3 ", "line 2"]),
        row("book: a seal is withheld", vec![withhold("seal/0/1")], 1, &["seal 1 is withheld or altered"])
            .never(&["seal 0 ", "seal 2 ", "act"]),
        row("book: a page is withheld", vec![withhold("page/0/0")], 1, &["page 0 is withheld or altered"])
            .never(&["act ", "seal "]),
        row(
            "book: the heads are withheld",
            vec![withhold("heads/0/0")],
            1,
            &["the list of heads of page 0 is withheld or altered"],
        ),
        row(
            "book: the lines are withheld",
            vec![instead("/v1/pages/", Said::nothing("unknown"))],
            1,
            &["the lines of page 0 are withheld or altered"],
        )
        .never(&["act ", "seal "]),
        row(
            "book: a line is cut off",
            vec![rewrite("/v1/pages/", |body| Some(body[..body.len() - 48].to_vec()))],
            1,
            &["the lines of page 0 are withheld or altered"],
        ),
        row(
            "book: lines are swapped",
            vec![rewrite("/v1/pages/", |body| {
                let (first, rest) = body.split_at(48);
                let (second, rest) = rest.split_at(48);
                Some([second, first, rest].concat())
            })],
            1,
            &["the lines of page 0 are withheld or altered"],
        ),
        row(
            "book: a line is put in",
            vec![rewrite("/v1/pages/", |body| Some([&[7; 48], body.as_slice()].concat()))],
            1,
            &["the lines of page 0 are withheld or altered"],
        ),
        row("book: the book is withheld", vec![withhold("books/0")], 2, &["{liar}: refused"]),
        Row::gateway(
            "department: a book is withheld",
            Tool::Department,
            vec![withhold("books/0")],
            2,
            &["{liar}: refused"],
        ),
        Row::gateway(
            "department: an act is withheld",
            Tool::Department,
            vec![withhold("act/0/2")],
            1,
            &["book 0: act 2 is withheld or altered"],
        )
        .never(&["act 1 ", "act 3 "]),
        row(
            "book: an act is altered",
            vec![alter(PROOFS, act, 3)],
            1,
            &["act 1 is withheld or altered", LIED, "the path of act/0/1"],
        )
        .never(&["act 0 ", "act 2 "]),
        row(
            "book: a seal counts a line less",
            vec![alter(PROOFS, Place::Seal(BOOK, SealNumber(1)), 1)],
            1,
            &["seal 1 is withheld or altered"],
        )
        .never(&["seal 0 ", "seal 2 "]),
        row(
            "book: a hold is lifted",
            vec![alter(PROOFS, Place::Page(BOOK, PageNumber(0)), 36)],
            1,
            &["page 0 is withheld or altered"],
        )
        .never(&["act "]),
        row(
            "book: acts are swapped",
            vec![alter_proofs(PROOFS, |proof| {
                for entry in &mut proof.entries {
                    match &mut entry.place {
                        Place::Act(_, number @ ActNumber(1)) => *number = ActNumber(2),
                        Place::Act(_, number @ ActNumber(2)) => *number = ActNumber(1),
                        _ => (),
                    }
                }
                proof.entries.sort_by_key(|entry| entry.place);
            })],
            1,
            &["act 1 is withheld or altered", "act 2 is withheld or altered"],
        )
        .never(&["act 0 ", "act 3 "]),
        row(
            "book: the record counts an act less",
            vec![alter_proofs(PROOFS, |proof| {
                let book = proof
                    .entries
                    .iter_mut()
                    .find(|entry| matches!(entry.place, Place::Record(fengni_core::shelf::Shelf::Books, _)));
                book.into_iter().for_each(|entry| entry.bytes.0[40] ^= 1);
            })],
            2,
            &[LIED, "the path of books/0"],
        ),
        row("book: a quorum of strangers", vec![own_quorum(PROOFS)], 2, &[LIED]),
        row(
            "book: another network's header",
            vec![alter_headers(LATEST, |header, certificate| (*header, *certificate) = foreign::header(header))],
            2,
            &["of another network"],
        ),
        row("book: too few signatures", few_signatures(), 2, &[LIED, "is below quorum"]),
        row("book: an older state as the newest", vec![as_of(world.before)], 2, &["undecided", &old])
            .stale()
            .never(&["complete:"]),
        row("book: always busy", vec![instead(PROOFS, Said::busy())], 2, &["overloaded"]),
        // One header of another node is enough to notice what a gateway leaves out (AUD-02).
        row(
            "book: an older state, and another node's header",
            vec![header_of(world), as_of(world.before)],
            2,
            &["{liar}"],
        )
        .alone(),
    ]
}

/// The newest header is true, and it is all that is: it comes from another node.
fn header_of(world: &World) -> Rule {
    let honest = world.honest();
    fengni_tests::liar::pass_to(LATEST, &honest)
}

fn verdicts() -> Vec<Row> {
    let row = |name, rules: Vec<Rule>, says: &[&str]| Row::gateway(name, Tool::Verify, rules, 2, says);
    vec![
        row(
            "verify: the standing is altered",
            vec![alter(LINE, Place::Page(BOOK, PageNumber(0)), 36)],
            &[LIED, "the path of page/0/0"],
        ),
        row(
            "verify: the line is another's",
            vec![alter(LINE, Place::Line(BOOK, LineNumber(3)), 20)],
            &[LIED, "the path of line/0/3"],
        ),
        row("verify: a quorum of strangers", vec![own_quorum(LINE)], &[LIED]),
        row("verify: another network's state", vec![other_network(LINE)], &[LIED, "of another network"]),
        // Not even the verifier's number can be looked up.
        Row::gateway(
            "verify: too few signatures",
            Tool::Verify,
            few_signatures(),
            3,
            &["an answer that does not hold", "is below quorum"],
        ),
        row("verify: nothing", vec![instead(LINE, Said::nothing("unknown"))], &["undecided"]),
        row(
            "verify: cut off",
            vec![rewrite(LINE, |body| Some(body[..body.len() / 2].to_vec()))],
            &["{liar}: malformed answer"],
        ),
    ]
}

fn packs(world: &World) -> Vec<Row> {
    let row = |name, rules: Vec<Rule>, says: &[&str]| Row::gateway(name, Tool::Trust, rules, 3, says);
    let pack = "/v1/packs?";
    vec![
        row(
            "pack: a byte is flipped",
            vec![rewrite(pack, |mut body| {
                let middle = body.len() / 2;
                body[middle] ^= 1;
                Some(body)
            })],
            &["no node gave a trust pack that holds", "{liar}"],
        ),
        row(
            "pack: cut off",
            vec![rewrite(pack, |body| Some(body[..body.len() - 9].to_vec()))],
            &["no node gave a trust pack that holds"],
        ),
        row(
            "pack: an older one after a newer one",
            vec![as_of(world.before)],
            &["no node gave a trust pack that holds", "{liar}"],
        ),
        row(
            "pack: a quorum of strangers",
            vec![alter_headers(LATEST, |header, certificate| {
                header.time.0 += 1;
                *certificate = foreign::signed_by_its_own(header);
            })],
            &["{liar}", "does not hold"],
        ),
        row("pack: nothing", vec![instead(pack, Said::nothing("no-pack"))], &["{liar}: refused"]),
    ]
}

/// The founding document is another network's, and everybody else is honest.
fn foundings() -> Vec<Row> {
    vec![
        Row::file("history: another founding", Lie::Founding(Tool::History), 2, &["of another network"]),
        Row::file("book: another founding", Lie::Founding(Tool::Book), 2, &["of another network"]),
        Row::file("check: another founding", Lie::Founding(Tool::Check), 1, &["of another network"]),
        Row::file("replay: another founding", Lie::Founding(Tool::Replay), 1, &["block 1"]),
    ]
}

/// Asked one by one, each gateway answers for itself.
pub fn assert_blame(world: &World) {
    world.liar.lie(vec![withhold("act/0/1")]);
    let (liar, honest) = (world.liar.url(), world.honest());
    let answer = world.ask_with(Tool::Book, &[&liar, &honest], &world.genesis, &["--node-blame"]);
    world.liar.be_honest();
    assert_eq!(answer.code, 0, "{answer:?}");
    for says in
        [format!("gateway {liar}: book 0: act 1 is withheld or altered"), format!("gateway {honest}: gives everything")]
    {
        assert!(answer.out.contains(&says), "{says:?} is not in {}", answer.out);
    }
}

/// Asks for something else than was asked.
fn asked_otherwise(on: &'static str, what: &'static str, other: &'static str) -> Rule {
    Arc::new(move |path, node| path.contains(on).then(|| node.says(&path.replacen(what, other, 1))))
}
