//! The story: J2 to J8 and the case of J12 of the journeys, in the fictitious provinces 东海 and 云山.

use std::time::{Duration, Instant};

use fengni_genesis::sample;

use super::share::share;
use super::stage::Demo;

/// After its lifetime a code holds for the skew of two clocks, and then no more.
const PHOTOGRAPH: Duration = Duration::from_secs(33);

/// Tells the story; true when every answer was the expected one.
pub fn tell(demo: &Demo) -> bool {
    let photographed = issue(demo);
    recognise(demo);
    let licence = certificate(demo, "C1");
    withhold(demo, &licence);
    offices(demo);
    let changed = replace(demo, &licence);
    clearance(demo);
    share(demo);
    audit(demo);
    photograph(demo, photographed);
    return_home(demo, &changed);
    demo.conclude()
}

/// J2: a thousand licences in one file; a second run adds nothing; a wrong row is named.
fn issue(demo: &Demo) -> Instant {
    demo.title(
        "J2: the traffic police issue 1,000 driving licences, the market regulator a business licence / 批量制证",
    );
    let (psb, amr) = (demo.path("members/psb"), demo.path("members/amr"));
    let rows = demo.path("members/psb/rows.csv");
    let out = demo.path("holders");
    let issue = ["issue", &rows, "--type", "T-DL", "--home", &psb, "--out", &out];
    demo.expect("a thousand certificates under one signature", 0, "1000 sealed, 0 already issued", &issue);
    demo.expect("the same file again", 0, "0 sealed, 1000 already issued", &issue);
    let wrong = demo.write("wrong.csv", &wrong_row(&rows));
    demo.expect(
        "a row whose serial is a person's number",
        1,
        "line 2",
        &["issue", &wrong, "--type", "T-DL", "--home", &psb, "--out", &out],
    );
    let business = demo.path("members/amr/rows.csv");
    demo.expect(
        "a business licence",
        0,
        "1 sealed",
        &["issue", &business, "--type", "T-BL", "--home", &amr, "--out", &out],
    );

    demo.title("J3: a holder shows a code, and somebody takes a photograph of it / 亮证");
    let picture = demo.path("photograph.png");
    let licence = certificate(demo, "C1");
    let map = demo.path("network.json");
    demo.run(&[
        "show",
        &licence,
        "--purpose",
        "交通执法",
        "--lifetime-secs",
        "1",
        "--png",
        &picture,
        "--network",
        &map,
    ]);
    Instant::now()
}

/// J5, first half: what another province accepts is what both have signed.
fn recognise(demo: &Demo) {
    demo.title("J4, J5: the province 云山 scans it, before and after both provinces signed / 互认协议");
    let licence = certificate(demo, "C1");
    let (gov, ygov) = (demo.path("members/gov"), demo.path("members/ygov"));
    let scan = |what, verdict| demo.scan(what, &licence, "交通执法", "YHD", "hrs", verdict);
    scan("no agreement yet", "NOT_RECOGNISED");
    demo.expect(
        "one province proposes and signs",
        0,
        "not in force",
        &["agreement", "propose", "sample", "--home", &gov],
    );
    scan("one signature is missing", "NOT_RECOGNISED");
    demo.expect("the other signs", 0, "in force", &["agreement", "sign", "RA-2026-001", "--home", &ygov]);
    scan("J4a: an officer of the other province scans the code", "VALID");
}

/// J4f: suspended by the issuer, seen by the next scan, given back.
fn withhold(demo: &Demo, licence: &str) {
    demo.title("J4f: the police suspend the licence, and give it back / 暂扣与发还");
    let psb = demo.path("members/psb");
    let decision = demo.write("decision.txt", "暂扣决定书 (fictitious)\n");
    let identifier = identifier("C1");
    let act = |name: &str, reason: &str| {
        let arguments = ["standing", name, &identifier, "--reason", reason, "--decision", &decision, "--home", &psb];
        demo.expect(&format!("the issuer's act: {name}"), 0, "done", &arguments);
    };
    act("suspend", "201");
    demo.scan("the next scan", licence, "交通执法", "YHD", "hrs", "SUSPENDED");
    act("return", "203");
    demo.scan("the scan after that", licence, "交通执法", "YHD", "hrs", "VALID");
}

/// J5, second half: the issuer's node is down, and the other province verifies all the same.
fn offices(demo: &Demo) {
    demo.title("J5: the market regulator's node is stopped; 云山 verifies its certificate all the same / 跨省核验");
    let home = demo.path("");
    let home = home.trim_end_matches('/');
    demo.expect("the issuer's node stops", 0, "stopped", &["down", "--home", home, "--node", "amr"]);
    let business = certificate(demo, "C2");
    demo.scan("a window reads it through the observer", &business, "企业开办", "YHD", "observer", "VALID");
    let licence = certificate(demo, "C1");
    demo.scan(
        "a licence is no ground to open a business",
        &licence,
        "企业开办",
        "YHD",
        "observer",
        "PURPOSE_NOT_COVERED",
    );
    let (ygov, decision) = (demo.path("members/ygov"), demo.path("decision.txt"));
    let agreement = |name: &str, says: &str| {
        demo.expect(
            &format!("the agreement: {name}"),
            0,
            says,
            &["agreement", name, "RA-2026-001", "--reason", "601", "--decision", &decision, "--home", &ygov],
        );
    };
    agreement("suspend", "suspended");
    demo.scan("the agreement is suspended", &business, "企业开办", "YHD", "observer", "NOT_RECOGNISED");
    agreement("resume", "resumed");
    demo.scan("and back in force", &business, "企业开办", "YHD", "observer", "VALID");
}

/// A change: version 002 takes the place of 001 in one act.
fn replace(demo: &Demo, licence: &str) -> String {
    demo.title("The licence is changed: version 002 takes the place of 001, both or neither / 变更");
    let psb = demo.path("members/psb");
    let row = changed_row(&demo.path("members/psb/rows.csv"));
    let row = demo.write("changed.csv", &row);
    let (old, out, decision) = (identifier("C1"), demo.path("holders"), demo.path("decision.txt"));
    demo.expect(
        "the change",
        0,
        "done",
        &[
            "supersede",
            &old,
            "--row",
            &row,
            "--cause",
            "change",
            "--reason",
            "102",
            "--decision",
            &decision,
            "--home",
            &psb,
            "--out",
            &out,
        ],
    );
    let new = identifier("C1v2");
    demo.scan("the old code names the new certificate", licence, "交通执法", "YHD", "gov", "SUPERSEDED");
    let changed = certificate(demo, "C1v2");
    demo.scan(&format!("the new one, {new}"), &changed, "交通执法", "YHD", "gov", "VALID");
    changed
}

/// J12: a company follows its clearance, and sees its own documents.
fn clearance(demo: &Demo) {
    demo.title("J12: a company follows its clearance step by step, and sees its own documents / 办件进展与单证查询");
    let (ciq, map, company) = (demo.path("members/ciq"), demo.path("network.json"), demo.path("company"));
    let (number, item) = ("YS20260309000317", "11319900XN010003XA4000");
    let open = ["case", "open", number, "--item", item, "--home", &ciq, "--out", &company];
    demo.expect("the declaration is filed, under a salted hash", 0, "open in book", &open);
    let notice = demo.write("acceptance.txt", "受理通知书");
    let step = |step: &str, more: &[&str]| {
        let asked = ["case", "step", number, "--step", step, "--decision", &notice, "--home", &ciq];
        let said = if more.is_empty() { "open 办理中" } else { "closed 办结" };
        demo.expect(&format!("the bureau signs: {step}"), 0, said, &[&asked[..], more].concat());
    };
    step("受理", &[]);
    step("查验", &[]);
    step("放行", &["--close"]);
    let rows = demo.path("members/ciq/rows.csv");
    let issue = ["issue", &rows, "--type", "T-CL", "--home", &ciq, "--out", &company];
    demo.expect("the clearance document is issued", 0, "sealed", &issue);
    let slip = demo.path(&format!("company/{number}.slip.json"));
    let show = ["case", "show", &slip, "--prove", "--network", &map];
    demo.expect("with its slip the company sees every step", 0, "complete: ", &show);
    let documents = ["documents", &company, "--network", &map];
    demo.expect("and all its documents", 0, "every history complete", &documents);
}

/// J8: what happened, and that nothing is missing.
fn audit(demo: &Demo) {
    demo.title("J8: an auditor rebuilds what happened, and replays the ledger / 审计");
    let (map, file, genesis) = (demo.path("network.json"), demo.path("c1.history"), demo.path("genesis.bin"));
    let history = ["history", &identifier("C1"), "--prove", "--out", &file, "--network", &map];
    demo.expect("every event, in order, none missing", 0, "complete: ", &history);
    demo.expect("the file holds without any network", 0, "complete: ", &["check", &file, "--genesis", &genesis]);
    let mut bytes = std::fs::read(&file).unwrap_or_default();
    // A digit of the proof: anywhere else, chance might make it a file that nobody can read.
    let field = b"\"state_root\": \"";
    let place = bytes.windows(field.len()).position(|window| window == field).map(|at| at + field.len());
    if let Some(digit) = place.and_then(|place| bytes.get_mut(place)) {
        *digit = if *digit == b'0' { b'1' } else { b'0' };
    }
    let altered = demo.path("altered.history");
    let written = std::fs::write(&altered, bytes).is_ok();
    let answer = demo.run(&["check", &altered, "--genesis", &genesis]);
    demo.judge("one digit of it altered", written && answer.code == 1, "exit code 1");
    demo.expect(
        "the department's books, none missing",
        0,
        "none missing",
        &["audit", "book", "PSB", "--network", &map],
    );
    let gateway = demo.gateway("hrs");
    demo.expect(
        "all blocks run again outside the node",
        0,
        "state root equal",
        &["audit", "replay", "--gateway", &gateway, "--genesis", &genesis],
    );
}

/// J4c: the photograph is shown when its time is over.
fn photograph(demo: &Demo, taken: Instant) {
    demo.title("J4c: the photograph of the code is shown, when its time is over / 截图无效");
    let rest = PHOTOGRAPH.saturating_sub(taken.elapsed());
    if !rest.is_zero() {
        eprintln!("waiting {} seconds until the photograph is too old", rest.as_secs() + 1);
        // The story waits for a moment of the clock, not for a condition.
        std::thread::sleep(rest);
    }
    demo.verify("an old photograph", &demo.path("photograph.png"), "交通执法", "YHD", "gov", "CODE_EXPIRED");
}

/// The stopped node comes back and catches up by itself.
fn return_home(demo: &Demo, changed: &str) {
    demo.title("The stopped node comes back and catches up by itself / 节点恢复");
    let home = demo.path("");
    let home = home.trim_end_matches('/');
    demo.expect("it starts", 0, "amr", &["up", "--home", home, "--node", "amr"]);
    demo.scan("and answers with proof", changed, "交通执法", "YHD", "amr", "VALID");
    demo.expect("all nodes hold one register", 0, "state roots equal", &["status", "--home", home]);
}

/// The identifier of a sample certificate.
pub(super) fn identifier(key: &str) -> String {
    let found = sample::certificates().iter().find(|certificate| certificate.key == key);
    found.expect("the sample has it").identifier.to_owned()
}

/// The holder's file of a sample certificate.
pub(super) fn certificate(demo: &Demo, key: &str) -> String {
    demo.path(&format!("holders/{}.certificate", identifier(key)))
}

fn lines_of(rows: &str) -> (String, Vec<String>) {
    let text = std::fs::read_to_string(rows).expect("sample wrote the rows");
    let mut lines = text.lines().map(str::to_owned);
    let header = lines.next().expect("rows have a header");
    (header, lines.collect())
}

/// The first row under a serial that holds a person's number.
fn wrong_row(rows: &str) -> String {
    let (header, lines) = lines_of(rows);
    let person = sample::people()[0].resident_number();
    let rest = lines[0].split_once(',').expect("rows have columns").1;
    format!("{header}\n{},{rest}\n", person.expose())
}

/// The first row as version 002.
fn changed_row(rows: &str) -> String {
    let (header, lines) = lines_of(rows);
    format!("{header}\n{}\n", lines[0].replacen(",001,", ",002,", 1))
}
