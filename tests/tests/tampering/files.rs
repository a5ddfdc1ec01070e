//! Files that were tampered with: a history, an audit, a verdict. What happens in them to words, to
//! entries, to the header, its signatures and the handovers.

use serde_json::{Value, json};

use crate::rows::{Lie, Row};

/// Files of a history: seal, suspended, returned, changed, and the seal of the line that goes on.
pub fn histories() -> Vec<Row> {
    let mut rows = words();
    rows.extend(entries());
    rows.extend(headers());
    rows.extend(signatures());
    rows.extend(handovers());
    rows
}

fn history(name: &'static str, alter: fn(&mut Value), says: &[&str]) -> Row {
    Row::file(name, Lie::History(alter), 1, says)
}

fn words() -> Vec<Row> {
    vec![
        history("an event is removed", |file| remove(&mut file["events"], 1), &["gap at seq 2"]).never(&[
            "gap at seq 1",
            "gap at seq 3",
            "seq 3 was",
        ]),
        history("the first event is removed", |file| remove(&mut file["events"], 0), &["gap at seq 1"])
            .never(&["seq 2"]),
        history("events are reordered", |file| swap(&mut file["events"], 1, 2), &["the events are not in their order"]),
        history("the last event is cut off", |file| remove(&mut file["events"], 4), &["gap at seq 5"])
            .never(&["seq 4"]),
        history(
            "an event is there twice",
            |file| duplicate(&mut file["events"], 2),
            &["an event stands in the file twice"],
        ),
        history(
            "an event is made up",
            |file| {
                let mut event = file["events"][1].clone();
                event["seq"] = json!(6);
                push(&mut file["events"], event);
            },
            &["seq 6 is in the file and not proven"],
        ),
        history(
            "the kind of an event is altered",
            |file| file["events"][1]["kind"] = json!("dispute"),
            &["seq 2 was altered: kind"],
        )
        .never(&["seq 3"]),
        history(
            "the reason is altered",
            |file| change(&mut file["events"][1]["reason"]),
            &["seq 2 was altered: reason"],
        ),
        history(
            "the decision's hash is altered",
            |file| change(&mut file["events"][2]["decision"]),
            &["seq 3 was altered: decision"],
        )
        .never(&["seq 2"]),
        history(
            "the actor is altered",
            |file| change(&mut file["events"][1]["by"]["member"]),
            &["seq 2 was altered: by"],
        ),
        history(
            "the height is altered",
            |file| change(&mut file["events"][3]["height"]),
            &["seq 4 was altered: height"],
        ),
        history("the time is altered", |file| change(&mut file["events"][3]["time"]), &["seq 4 was altered: time"]),
        history("the keys are altered", |file| change(&mut file["events"][1]["keys"][0]), &["seq 2 was altered: keys"]),
        history(
            "an act is renumbered",
            |file| change(&mut file["events"][1]["number"]),
            &["seq 2 was altered: number"],
        ),
        history(
            "the standing after an act is altered",
            |file| file["events"][3]["to"] = json!(0),
            &["seq 4 was altered: to"],
        ),
        history(
            "a lifted hold is another's",
            |file| change(&mut file["events"][2]["hold"]),
            &["seq 3 was altered: hold"],
        ),
        history(
            "the successor is altered",
            |file| change(&mut file["events"][3]["successor"]["line"]),
            &["seq 4 was altered: successor"],
        ),
        history("the file names another line", |file| file["place"]["line"] = json!(1), &["book 0 line 1"]),
    ]
}

fn entries() -> Vec<Row> {
    vec![
        history(
            "the proof of where it comes from is removed",
            |file| truncate(&mut file["origin"], 0),
            &["book 0 line 0: what came before it is not shown"],
        ),
        history(
            "the proof of where it comes from is altered",
            |file| {
                let place = position(&file["origin"][0], "Act", 0);
                change(&mut file["origin"][0]["entries"][place]["bytes"]);
            },
            &["the path of act/0/0 does not lead to its list"],
        ),
        history(
            "the line that was issued first is left out",
            |file| {
                file["place"]["line"] = json!(4);
                file["events"] = json!([]);
            },
            &["book 0 line 4: what came before it is not shown"],
        )
        .never(&["gap at act"]),
        history(
            "the proof of an act is removed",
            |file| drop_entry(file, "Act", 1),
            &["gap at seq 3", "gap at act 1", "head hash mismatch"],
        )
        .never(&["act 0", "act 3"]),
        history(
            "the proof of the last act is removed",
            |file| drop_entry(file, "Act", 3),
            &["gap at seq 4", "gap at act 3"],
        ),
        history(
            "the proof of a seal is removed",
            |file| drop_entry(file, "Seal", 0),
            &["book 0 line 0: the seal is missing"],
        ),
        history(
            "the proof of the heads is removed",
            |file| drop_entry(file, "Heads", 0),
            &["a root is given that no entry uses"],
        ),
        history("the proof of the page is removed", |file| drop_entry(file, "Page", 0), &["the file proves nothing"]),
        history(
            "entries are swapped",
            |file| {
                let (one, other) = (index(file, "Act", 0), index(file, "Act", 1));
                swap(&mut file["proof"]["entries"], one, other);
            },
            &["act/0/0 stands out of order"],
        ),
        history(
            "an entry is there twice",
            |file| {
                let place = index(file, "Act", 1);
                duplicate(&mut file["proof"]["entries"], place);
            },
            &["act/0/1 stands out of order"],
        ),
        history(
            "an act's bytes are altered",
            |file| change(&mut entry(file, "Act", 1)["bytes"]),
            &["the path of act/0/1 does not lead to its list"],
        )
        .never(&["act/0/0", "act/0/3"]),
        history(
            "a page's record is altered",
            |file| change(&mut entry(file, "Page", 0)["bytes"]),
            &["the path of page/0/0 does not lead to its list"],
        ),
        history(
            "a path is altered",
            |file| change(&mut entry(file, "Act", 3)["path"][0]),
            &["the path of act/0/3 does not lead to its list"],
        )
        .never(&["act/0/1"]),
        history(
            "a path is cut",
            |file| remove(&mut entry(file, "Act", 3)["path"], 0),
            &["the path of act/0/3 does not lead to its list"],
        ),
        history(
            "an act stands at another's place",
            |file| {
                let place = index(file, "Act", 3);
                file["proof"]["entries"][place]["place"] = json!({"Act": [0, 4]});
            },
            &["the path of act/0/4 does not lead to its list"],
        ),
        history(
            "the book's record is altered",
            |file| {
                let place = book(file);
                change(&mut file["proof"]["entries"][place]["bytes"]);
            },
            &["the path of books/0 does not lead to its list"],
        ),
        history(
            "a list's root is altered",
            |file| change(&mut file["proof"]["roots"][0]["root"]),
            &["does not lead to its list"],
        ),
        history(
            "a shelf's root is altered",
            |file| change(&mut file["proof"]["shelves"][1]["root"]),
            &["the shelves do not give the header's state root"],
        ),
        history(
            "a shelf's size is altered",
            |file| change(&mut file["proof"]["shelves"][5]["size"]),
            &["the shelves do not give the header's state root"],
        ),
    ]
}

/// A row for each field of the header.
macro_rules! fields {
    ($($name:literal, $field:literal, $says:literal;)*) => {
        vec![$(
            history(
                $name,
                |file| change(&mut file["proof"]["header"][$field]),
                &[$says],
            )
        ),*]
    };
}

fn headers() -> Vec<Row> {
    let other = "the certificate is for another block";
    let mut rows = fields! {
        "forged header: version", "version", "the certificate is for another block";
        "forged header: network", "network", "the header is of another network";
        "forged header: height", "height", "the certificate is for another block";
        "forged header: time", "time", "the certificate is for another block";
        "forged header: parent", "parent", "the certificate is for another block";
        "forged header: proposer", "proposer", "the certificate is for another block";
        "forged header: transactions", "transactions", "the certificate is for another block";
        "forged header: outcomes", "outcomes", "the certificate is for another block";
        "forged header: parent's certificate", "parent_certificate", "the certificate is for another block";
        "forged header: state root", "state_root", "the certificate is for another block";
        "forged header: next validators", "next_validators", "the certificate is for another block";
    };
    rows.extend([
        history(
            "the header of an event is altered",
            |file| change(&mut file["headers"][1]["header"]["time"]),
            &[other],
        ),
        history(
            "the header of an event is removed",
            |file| remove(&mut file["headers"], 1),
            &["is missing, which says when"],
        ),
        history("another network is named", |file| change(&mut file["network"]), &["network was altered"]),
    ]);
    rows
}

fn signatures() -> Vec<Row> {
    vec![
        history(
            "too few signatures",
            |file| truncate(&mut file["proof"]["certificate"]["signatures"], 1),
            &["is below quorum"],
        ),
        history(
            "no signature",
            |file| truncate(&mut file["proof"]["certificate"]["signatures"], 0),
            &["signed weight 0 is below quorum"],
        ),
        history(
            "a signer counts twice",
            |file| duplicate(&mut file["proof"]["certificate"]["signatures"], 0),
            &["stands out of order or signs twice"],
        ),
        history(
            "a signer is no validator",
            |file| {
                let signatures = &mut file["proof"]["certificate"]["signatures"];
                let last = signatures.as_array().map_or(0, Vec::len) - 1;
                signatures[last]["member"] = json!(9);
            },
            &["member 9 is not a validator of this height"],
        ),
        history(
            "a signature is another's",
            |file| {
                let first = file["proof"]["certificate"]["signatures"][0]["signature"].clone();
                file["proof"]["certificate"]["signatures"][1]["signature"] = first;
            },
            &["does not verify"],
        ),
        history(
            "the certificate is of another height",
            |file| change(&mut file["proof"]["certificate"]["height"]),
            &["the certificate is for another block"],
        ),
        history(
            "the certificate is of another round",
            |file| change(&mut file["proof"]["certificate"]["round"]),
            &["the signature of member", "does not verify"],
        ),
    ]
}

fn handovers() -> Vec<Row> {
    vec![
        Row::file(
            "the first handover is left out",
            Lie::History(|file| remove(&mut file["handovers"], 0)),
            2,
            &["no validator set is known for height"],
        ),
        Row::file(
            "the last handover is left out",
            Lie::History(|file| remove(&mut file["handovers"], 1)),
            2,
            &["no validator set is known for height"],
        ),
        Row::file(
            "handovers are reordered",
            Lie::History(|file| swap(&mut file["handovers"], 0, 1)),
            2,
            &["is not above height"],
        ),
        history(
            "a handover names other validators",
            |file| change(&mut file["handovers"][0]["next"][3]["power"]),
            &["the validators are not those the header names"],
        ),
        history(
            "a handover's header is altered",
            |file| change(&mut file["handovers"][1]["header"]["time"]),
            &["the certificate is for another block"],
        ),
        history(
            "a handover has too few signatures",
            |file| truncate(&mut file["handovers"][1]["certificate"]["signatures"], 2),
            &["is below quorum"],
        ),
    ]
}

/// Files of an audit.
pub fn audits() -> Vec<Row> {
    let audit = |name, alter: fn(&mut Value), says: &[&str]| Row::file(name, Lie::Audit(alter), 1, says);
    vec![
        audit(
            "an audit counts a line less",
            |file| file["books"][0]["audited"]["lines"] = json!(4),
            &["lines was altered: 5 is proven, not 4"],
        )
        .never(&["acts was", "seals was"]),
        audit(
            "an audit counts an act less",
            |file| file["books"][0]["audited"]["acts"] = json!(4),
            &["acts was altered: 5 is proven, not 4"],
        ),
        audit(
            "an audit counts a seal more",
            |file| file["books"][0]["audited"]["seals"] = json!(5),
            &["seals was altered: 4 is proven, not 5"],
        ),
        audit(
            "an audit's counter is altered",
            |file| change(&mut file["books"][0]["audited"]["counter"][1]),
            &["counter was altered"],
        ),
        audit("an audit names another network", |file| change(&mut file["network"]), &["network was altered"]),
        audit("an audit names no book", |file| file["books"] = json!([]), &["it names no book"]),
        audit(
            "an audit names a book twice",
            |file| {
                let part = file["books"][0].clone();
                list(&mut file["books"]).push(part);
            },
            &["it names book 0 twice"],
        ),
        audit(
            "an audit is of heights above its proof",
            |file| file["heights"]["to"] = json!(1_000_000_000),
            &["height 1000000000 was not final yet"],
        ),
        audit("an audit is of another time", |file| file["heights"]["from"] = json!(30), &["seal/0/1 is missing"]),
        audit(
            "an audit is of another book",
            |file| file["books"][0]["book"] = json!(1),
            &["book 1: books/1 is missing"],
        ),
        audit(
            "the edge of an audit is removed",
            |file| {
                let place = position(&file["books"][0]["proof"], "Act", 4);
                remove(&mut file["books"][0]["proof"]["entries"], place);
            },
            &["act/0/1 is missing"],
        ),
        audit(
            "the last seal of an audit is altered",
            |file| {
                let place = position(&file["books"][0]["proof"], "Seal", 3);
                change(&mut file["books"][0]["proof"]["entries"][place]["bytes"]);
            },
            &["the path of seal/0/3 does not lead to its list"],
        ),
        audit(
            "an audit has too few signatures",
            |file| truncate(&mut file["books"][0]["proof"]["certificate"]["signatures"], 1),
            &["is below quorum"],
        ),
    ]
}

/// Files of a verdict.
pub fn verdicts() -> Vec<Row> {
    let verdict = |name, alter: fn(&mut Value), says: &[&str]| Row::file(name, Lie::Verdict(alter), 1, says);
    vec![
        verdict(
            "a verdict's word is altered",
            |file| file["verdict"]["code"] = json!("SUSPENDED"),
            &["the words of the file are not what its proof says"],
        ),
        verdict(
            "a verdict's claims are altered",
            |file| {
                let claims = &mut file["verdict"]["document"]["claims"];
                remove(claims, 0);
            },
            &["the words of the file are not what its proof says"],
        ),
        verdict(
            "a verdict is of another verifier",
            |file| change(&mut file["asked"]["verifier"]),
            &["the words of the file are not what its proof says"],
        ),
        verdict(
            "a verdict is of another purpose",
            |file| change(&mut file["asked"]["purpose"]),
            &["the words of the file are not what its proof says"],
        ),
        verdict(
            "a verdict's line is altered",
            |file| {
                let place = position(&file["proof"], "Line", 3);
                change(&mut file["proof"]["entries"][place]["bytes"]);
            },
            &["the path of line/0/3 does not lead to its list"],
        ),
        verdict(
            "a verdict's header is altered",
            |file| change(&mut file["proof"]["header"]["time"]),
            &["the certificate is for another block"],
        ),
    ]
}

/// Another value of the same kind.
fn change(value: &mut Value) {
    *value = match &*value {
        Value::Number(number) => json!(number.as_u64().expect("a count") + 1),
        Value::String(text) => {
            let (rest, last) = text.split_at(text.len() - 1);
            json!(format!("{rest}{}", if last == "0" { "1" } else { "0" }))
        }
        other => panic!("{other} is neither a number nor a text"),
    };
}

fn list(value: &mut Value) -> &mut Vec<Value> {
    value.as_array_mut().expect("a list")
}

fn remove(value: &mut Value, place: usize) {
    drop(list(value).remove(place));
}

fn swap(value: &mut Value, one: usize, other: usize) {
    list(value).swap(one, other);
}

fn duplicate(value: &mut Value, place: usize) {
    let again = list(value)[place].clone();
    list(value).insert(place, again);
}

fn push(value: &mut Value, last: Value) {
    list(value).push(last);
}

fn truncate(value: &mut Value, count: usize) {
    list(value).truncate(count);
}

/// Where an entry of a book stands in a proof: `Act`, `Seal`, `Page`, `Heads` or `Line`, by number.
fn position(proof: &Value, kind: &str, number: u64) -> usize {
    let entries = proof["entries"].as_array().expect("a list");
    let found = entries.iter().position(|entry| entry["place"][kind][1] == json!(number));
    found.unwrap_or_else(|| panic!("there is no {kind} {number} in the proof"))
}

fn index(file: &Value, kind: &str, number: u64) -> usize {
    position(&file["proof"], kind, number)
}

fn entry<'a>(file: &'a mut Value, kind: &str, number: u64) -> &'a mut Value {
    let place = index(file, kind, number);
    &mut file["proof"]["entries"][place]
}

/// The entry of the book's record.
fn book(file: &Value) -> usize {
    let entries = file["proof"]["entries"].as_array().expect("a list");
    let is_book =
        |entry: &Value| entry["place"]["Record"][0].as_str().is_some_and(|shelf| shelf.eq_ignore_ascii_case("books"));
    entries.iter().position(is_book).expect("a history has the book's record")
}

fn drop_entry(file: &mut Value, kind: &str, number: u64) {
    let place = index(file, kind, number);
    remove(&mut file["proof"]["entries"], place);
}
