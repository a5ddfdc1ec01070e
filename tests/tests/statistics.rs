//! A scripted day: what nodes and the ledger count of it is what was done, survives restarts, and the
//! regulator's report is the same from any gateway, or there is none. SVC-06, CAT-04, AUD-07, CRT-11, OPS-01.

#![forbid(unsafe_code)]

use std::path::Path;
use std::sync::Arc;

use fengni_client::standing;
use fengni_core::codec;
use fengni_core::limits::BLOCK_BYTES;
use fengni_core::operation::Operation;
use fengni_core::outcome::Outcome;
use fengni_core::{Day, KeyAlgorithm};
use fengni_tests::liar::{Liar, Rule, rewrite, withhold};
use fengni_tests::{Answer, Network, Paper, fengni, holder_key};
use serde_json::{Value, json};

/// A sample network whose gateways serve pages.
fn network() -> (tempfile::TempDir, Network) {
    let pages = tempfile::tempdir().expect("a folder for the test");
    for (name, text) in [("index.html", "<p>A page"), ("holder.html", "<p>Another"), ("page.js", "0;")] {
        std::fs::write(pages.path().join(name), text).expect("the folder is writable");
    }
    let network = Network::made_with(&["--pages", &pages.path().display().to_string()]);
    network.start_all();
    (pages, network)
}

/// Asks, and reads no more than the head of the answer; its status.
fn asked(method: &str, url: &str, fetch_for: &str) -> u16 {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let request = ureq::http::Request::builder().method(method).uri(url);
    let request = request.header("content-type", "application/octet-stream").header("sec-fetch-dest", fetch_for);
    let body = if method == "POST" { "no transaction" } else { "" };
    agent.run(request.body(body).expect("a request")).expect("the node answers").status().as_u16()
}

/// What a node counted on every day that it keeps, added up.
fn counted(network: &Network, name: &str) -> Value {
    let url = format!("{}/v1/counters", network.node(name).admin);
    let text = ureq::get(&url).call().expect("the node answers").body_mut().read_to_string().expect("a text");
    let counted: Value = serde_json::from_str(&text).expect("counters are JSON");
    let mut sums = json!({ "visits": 0, "queries": {}, "submissions": {}, "problems": {} });
    let add = |sum: &mut Value, more: &Value| {
        *sum = (sum.as_u64().unwrap_or_default() + more.as_u64().expect("a count")).into();
    };
    for day in counted["days"].as_array().expect("days") {
        add(&mut sums["visits"], &day["visits"]);
        for part in ["queries", "submissions", "problems"] {
            for (name, count) in day[part].as_object().expect("counts") {
                add(&mut sums[part][name], count);
            }
        }
    }
    sums
}

/// What people ask of the observer on the scripted day.
fn a_day_of_questions(network: &Network) {
    let gateway = &network.node("observer").gateway;
    let identifier = Paper::licence(1).identifier(&network.genesis()).to_string();
    let ask = |path: &str, fetch_for: &str, status: u16| {
        assert_eq!(asked("GET", &format!("{gateway}{path}"), fetch_for), status, "{path}");
    };
    for path in ["/web/", "/web/index.html", "/web/holder.html"] {
        ask(path, "document", 200);
    }
    ask("/web/holder.html", "empty", 200);
    ask("/web/page.js", "script", 200);
    ask("/web/nowhere.html", "document", 404);
    for path in ["/v1/codes", "/v1/codes/reasons", "/v1/codes/divisions", "/v1/codes/reasons", "/v1/codes/purposes"] {
        ask(path, "empty", 200);
    }
    for path in ["/v1/members", "/v1/types"] {
        ask(path, "empty", 200);
    }
    for line in 0..3 {
        ask(&format!("/v1/proofs/line?book=0&line={line}&verifier=3"), "empty", 200);
    }
    ask(&format!("/v1/proofs/identifier/{identifier}?verifier=3"), "empty", 200);
    ask("/v1/history/0/0", "empty", 200);
    ask("/v1/events?since=0.0.0", "empty", 200);
    ask("/v1/codes/nothing", "empty", 404);
    ask("/v1/members?count=1001", "empty", 400);
}

/// What members do on it: a book, two seals of five lines together, three acts, three refusals.
fn a_day_of_work(network: &Network) {
    let genesis = network.genesis();
    let mut psb = network.actor("psb", "issuing", 1, "psb");
    let mut police = network.actor("psb", "enforcement", 2, "psb");
    let book = psb.open_book("T-DL", &genesis);
    let mut files: Vec<_> = (1..=5)
        .map(|serial| Paper::licence(serial).certify(&genesis, &genesis.domain(), &holder_key(KeyAlgorithm::P256)))
        .collect();
    let (first, second) = files.split_at_mut(3);
    psb.seal(book, first);
    psb.seal(book, second);
    let again = vec![first[0].line(&genesis.domain())];
    let ground = police.ground(201);
    for file in first.iter() {
        police.done(standing::suspend(file.place, None, ground));
    }
    let _ = psb.submit(Operation::Seal { book, lines: again });
    let _ = psb.submit(Operation::Seal { book, lines: Vec::new() });
    let _ = police.submit(standing::suspend(first[0].place, None, police.ground(201)));
}

/// A category's figure, of all that `fengni stats` gave.
fn total(stats: &Value, source: &str, category: &str) -> u64 {
    let totals = stats["totals"].as_array().expect("totals");
    let found = totals.iter().find(|total| total["source"] == source && total["category"] == category);
    found.map_or(0, |total| total["count"].as_u64().expect("a count"))
}

fn report(gateways: &[&str], genesis: &Path, last: u64) -> Answer {
    let (genesis, last) = (genesis.display().to_string(), last.to_string());
    let mut arguments =
        vec!["report", "--from", "1", "--to", &last, "--over-acts", "2", "--json", "--genesis", &genesis];
    gateways.iter().for_each(|gateway| arguments.extend(["--gateway", *gateway]));
    fengni(&arguments, b"")
}

#[test]
fn svc06_what_is_counted_is_what_was_done_and_outlives_a_restart() {
    let (_pages, network) = network();
    a_day_of_work(&network);
    network.wait_agreed(&["gov", "psb", "amr", "hrs", "observer"]);
    a_day_of_questions(&network);
    let relay = network.node("psb").relay.clone().expect("a validator");
    assert_eq!(asked("POST", &format!("{relay}/v1/transactions"), "empty"), 400);

    // The height at which all agreed was compared by a header.
    let expected = json!({
        "visits": 3,
        "queries": { "header": 1, "reference-code": 5, "registry": 2, "line": 3, "identifier": 1, "history": 1, "subscription": 1 },
        "submissions": {},
        "problems": { "unknown": 1, "bad-parameter": 1 },
    });
    let seen = counted(&network, "observer");
    assert_eq!(seen, expected);
    assert_eq!(network.count("observer", "fengni_http_visits_total", ""), 3);
    assert_eq!(network.count("observer", "fengni_http_queries_total", "kind=\"reference-code\""), 5);
    assert_eq!(network.count("observer", "fengni_http_problems_total", "listener=\"gateway\""), 2);

    // All of it in one table: the ledger's by a node that is not counted here, and what two nodes say.
    let genesis = network.home().join("genesis.bin").display().to_string();
    let (observer, psb) = (network.node("observer").admin.clone(), network.node("psb").admin.clone());
    let connect = ["--gateway", &network.node("gov").gateway, "--genesis", &genesis];
    let ask = |more: &[&str]| fengni(&[&["stats", "--from", "2020-01-01"], more, &connect].concat(), b"");
    let stats = ask(&["--json", "--node", &observer, "--node", &psb]).expect(0).json();
    let ledger = [
        ("transactions", 9),
        ("books", 1),
        ("seals", 2),
        ("certificates", 5),
        ("acts", 3),
        ("refusals", 3),
        ("agreements", 0),
    ];
    for (category, count) in ledger {
        assert_eq!(total(&stats, "ledger", category), count, "{category} of {stats}");
    }
    let by_nodes = [("visits", 3), ("reference-code-queries", 5), ("verifications", 4), ("streams", 1)];
    for (category, count) in by_nodes {
        assert!(total(&stats, "nodes", category) >= count, "{category} of {stats}");
    }
    let answers = counted(&network, "psb")["submissions"].clone();
    assert_eq!(answers["refused"], 1);
    assert!(answers["accepted"].as_u64() >= Some(9), "every transaction came through it: {answers}");
    let values = ask(&["--csv"]).expect(0).out;
    let rows: Vec<&str> = values.lines().filter(|line| line.starts_with("ledger,certificates,seal,")).collect();
    assert!(rows.len() == 1 && rows[0].ends_with(",5"), "{values}");
    let early = ask(&["--to", "2020-01-02"]).expect(0).out;
    assert!(early.starts_with("no block is of that time;"), "{early}");
    let silent = ask(&["--node", "http://127.0.0.1:1"]).expect(2);
    assert!(silent.err.contains("gives no counters"), "{silent:?}");

    // A stop in order loses nothing; what was written then outlives a kill.
    assert_eq!(network.terminate("observer"), Some(0));
    network.run("observer");
    network.wait_ready("observer");
    assert_eq!(counted(&network, "observer"), seen);
    network.kill("observer");
    network.run("observer");
    network.wait_ready("observer");
    assert_eq!(counted(&network, "observer"), seen);

    // A file that cannot be read stops no node: it is set aside, named, and counting begins anew.
    assert_eq!(network.terminate("observer"), Some(0));
    let data = network.node("observer").home.join("data");
    std::fs::write(data.join("counters.json"), "{").expect("the folder is writable");
    network.run("observer");
    network.wait_ready("observer");
    assert_eq!(counted(&network, "observer")["visits"], 0);
    assert!(data.join("counters.aside").exists() && network.log("observer").contains("the counters cannot be read"));
    let gateway = &network.node("observer").gateway;
    assert_eq!(asked("GET", &format!("{gateway}/web/"), "document"), 200);
    assert_eq!(counted(&network, "observer")["visits"], 1);
}

#[test]
fn aud07_a_report_is_the_same_from_any_gateway_or_there_is_none() {
    let (_pages, network) = network();
    a_day_of_work(&network);
    // Certificates of title have five working days (CRT-11): these come after three weeks.
    let acted = Day(Day::of(fengni_client::clock::now()).0 - 21).to_string();
    let (map, home) = (network.map(), network.home().join("members/res").display().to_string());
    let rows = format!("{home}/rows.csv");
    let issue = ["--json", "issue", "--home", &home, "--type", "T-RE", &rows, "--acted", &acted, "--network", &map];
    let titles = fengni(&issue, b"").expect(0).json()["sealed"].as_u64().expect("a count");
    let last = network.wait_agreed(&["gov", "psb", "amr", "hrs", "observer"]);
    let genesis = network.home().join("genesis.bin");
    let gateway = |name: &str| network.node(name).gateway.clone();
    let honest = report(&[&gateway("psb")], &genesis, last).expect(0);
    for name in ["gov", "amr", "observer"] {
        assert_eq!(report(&[&gateway(name)], &genesis, last).expect(0).out, honest.out, "{name}");
    }
    let told = honest.json();
    // Its members stand by rising name: two programs write the same bytes.
    assert!(honest.out.starts_with("{\"ended\":true,\"frequent_users\":["), "{}", honest.out);
    let row = |name: &str, kind: &str, count: u64| (name.to_owned(), kind.to_owned(), count);
    let rows = |part: &str| -> Vec<(String, String, u64)> {
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let rows = told[part].as_array().expect("rows").iter();
        rows.map(|row| (text(&row["name"]), text(&row["kind"]), row["count"].as_u64().expect("a count"))).collect()
    };
    let repeats = [row("DUPLICATE_TAG", "seal", 1), row("ALREADY_HELD", "suspend", 1)];
    assert_eq!(rows("refusals"), [&[row("LINE_COUNT", "seal", 1)][..], &repeats].concat());
    assert_eq!(rows("repeats"), repeats);
    let users = told["frequent_users"].as_array().expect("rows");
    assert_eq!(users.iter().map(|row| row["acts"].as_u64().expect("a count")).sum::<u64>(), 3, "{told}");
    let lines: Vec<[u64; 3]> = told["overdue"]["rows"]
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| ["untimed", "timed", "late"].map(|part| row[part]["lines"].as_u64().expect("a count")))
        .collect();
    assert_eq!(lines, [[5, 0, 0], [0, titles, titles]], "{told}");
    let late = &told["overdue"]["seals"][0];
    assert_eq!((&late["acted"], &late["lines"]), (&acted.into(), &titles.into()));
    let days = late["late_days"].as_u64().expect("a count");
    assert!((1..=16).contains(&days), "five working days are at least five days: {late}");
    assert_eq!(told["unrecorded"][0]["report"], "repeat-collection");
    assert_eq!((&told["ended"], &told["to_height"]), (&true.into(), &last.into()));

    let liar = Liar::before(&gateway("gov"));
    let acted = suspended(&network, last);
    let path = format!("/v1/blocks/{acted}");
    let swapped: Rule = {
        let (path, other) = (path.clone(), format!("/v1/blocks/{}", acted - 1));
        Arc::new(move |asked, node| (asked == path).then(|| node.says(&other)))
    };
    let shortened = rewrite("/outcomes", |body| {
        let mut outcomes: Vec<Outcome> = codec::decode(&body, BLOCK_BYTES).ok()?;
        outcomes.pop().map(|_| codec::encode(&outcomes))
    });
    let lies: [(&str, Rule); 3] = [
        ("a block is left out", withhold(&path)),
        ("another block in its place", swapped),
        ("an outcome is left out", shortened),
    ];
    for (name, lie) in lies {
        liar.lie(vec![lie]);
        let alone = report(&[&liar.url()], &genesis, last);
        assert_eq!((alone.code, alone.json()["result"].clone()), (2, "undecided".into()), "{name}: {alone:?}");
        let helped = report(&[&liar.url(), &gateway("psb")], &genesis, last).expect(0);
        assert_eq!(helped.out, honest.out, "{name}");
    }
    liar.be_honest();
    assert_eq!(report(&[&liar.url()], &genesis, last).expect(0).out, honest.out);
}

/// The height of the first suspension.
fn suspended(network: &Network, last: u64) -> u64 {
    let genesis = network.home().join("genesis.bin").display().to_string();
    let gateway = &network.node("psb").gateway;
    let watch = ["--json", "watch", "--kind", "suspend", "--since", "0.0.0", "--count", "1"];
    let event = fengni(&[&watch[..], &["--gateway", gateway, "--genesis", &genesis]].concat(), b"").expect(0).json();
    event["height"].as_u64().filter(|height| *height <= last).expect("a height of the report")
}
