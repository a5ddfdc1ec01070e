//! Data sharing: what a department holds of somebody leaves its database to whoever asked for it, and to nobody
//! else. SHR-15, HLD-10.

use std::collections::{BTreeMap, BTreeSet};

use fengni_core::sharing::Warrant;
use fengni_genesis::sample;
use fengni_tests::sharing::registries::{self, REQUEST};
use fengni_tests::sharing::{Consent, Desk, GrantTerms, taken};
use fengni_tests::{Deadline, Network, Push, Receiver, free_ports, until};

use super::search::{Search, metrics, secrets};

/// What HRS holds of somebody, and YHD may be told.
const REGISTERED: &str = r#"
name = "参保登记信息"
subject = "person"
fields = ["!姓名", "单位", "!联系电话", "!住址"]
sharing = "conditional"
conditions = "仅用于住房补贴"
basis = "社会保险法(示例)"
frequency = "每日"
modes = ["verify", "query"]
level = "important"
"#;

const TABLE: &str = r#"
[resources.1]
table = "registered"
subject = "id_number"
fields = [{ column = "name" }, { column = "employer" }, { column = "phone" }, { column = "home" }]
"#;

/// Nobody else's, and on no certificate.
const EMPLOYER: &str = "云海示例织造厂叁号车间";
const PHONE: &str = "19900990417";
const HOME: &str = "示例巷七七弄四一七号";

/// The person of the story.
fn person() -> &'static sample::Person {
    sample::people().iter().find(|person| person.key == "P1").expect("the sample has her")
}

/// HRS shares more than months, and YHD may ask for it.
fn share_more(desk: &mut Desk) {
    let registered = registries::propose(&desk.network, REGISTERED);
    registries::publish(&desk.network, registered);
    let request = REQUEST.replace("resource = 0", &format!("resource = {registered}"));
    let request = request.replace("\"参保月数\"", "\"姓名\", \"单位\", \"联系电话\", \"住址\"");
    let request = request.replace("modes = [\"verify\"]", "modes = [\"verify\", \"query\"]");
    assert_eq!(registries::file(&desk.network, &request)["request"], 3);
    for decision in ["agree", "provision"] {
        let _ = registries::decide(&desk.network, decision, 3);
    }
    desk.data.run(&format!(
        "CREATE TABLE registered (id_number text PRIMARY KEY, name text, employer text, phone text, home text);
         INSERT INTO registered VALUES ('{}', '{}', '{EMPLOYER}', '{PHONE}', '{HOME}');
         CHECKPOINT",
        person().number,
        person().name,
    ));
    desk.provider.kill();
    desk.provider.configure(|config| config.replace("[departments]", &format!("{TABLE}[departments]")));
    desk.provider.run();
}

/// J6 and J7: uses that are answered, and refused, before the withdrawal and after; the file of one that was told all.
fn uses(desk: &mut Desk) -> String {
    desk.go_to("2026-03-09");
    let fields = "[\"姓名\", \"单位\", \"联系电话\", \"住址\"]";
    let more = |mode: &str| format!("[[kinds]]\nresource = 1\nfields = {fields}\nmode = \"{mode}\"\nuses = 3\n");
    desk.grant("g1", &GrantTerms { uses: 3, days: 31, more: &(more("verify") + &more("query")) });
    assert_eq!(desk.ask(Consent::Grant("g1"), 0, None).0, "yes");
    let access = |mode: &str, tests: &str| {
        desk.access(&format!(
            "request = 3\ncase = \"YS20260309000317\"\nmode = \"{mode}\"\nfields = {fields}\n\
             [[questions]]\nsubject = \"{}\"\ngrant = \"g1.grant.json\"\n{tests}",
            person().number
        ))
    };
    let tests = format!("tests = {{ \"姓名\" = \"={}\", \"联系电话\" = \"={PHONE}\" }}\n", person().name);
    assert_eq!(access("verify", &tests).0.expect(0).json()["answers"][0]["result"], "yes");
    let (told, kept) = access("query", "");
    assert_eq!(told.expect(0).json()["answers"][0]["values"]["联系电话"], PHONE);
    assert_eq!(desk.ask(Consent::None, 0, None).0, "GRANT_REQUIRED");
    desk.withdraw("g1");
    assert_eq!(desk.ask(Consent::Grant("g1"), 0, None).0, "GRANT_WITHDRAWN");
    assert_eq!(desk.mine(&["g1"]).len(), 5);
    kept
}

/// J13: an objection and its answer, whose documents name her.
fn objection(desk: &Desk) {
    let document = desk.network.written("statement.txt", &format!("{} {} {HOME}", person().name, person().number));
    let file = ["objection", "file", desk.identifier(), "--reason", "401", "--decision", &document];
    let _ = desk.network.done("yhd", &file);
    let answer = ["objection", "answer", "0", "--maintain", "--reason", "402", "--decision", &document];
    let _ = desk.network.done("res", &answer);
}

/// Callers that do not know better send her data to every route of both listeners.
fn careless_callers(desk: &Desk) {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let percent: String = person().name.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let number = person().number;
    let body = format!("{{\"access\": \"{} {number} {PHONE} {EMPLOYER}\"}}", person().name);
    for listener in [desk.provider.departments(), desk.provider.public()] {
        let url = listener.name();
        for path in ["/v1/access", "/v1/receipts/countersign", "/v1/mine", "/v1/withdraw", "/v1/nothing"] {
            for kind in ["application/octet-stream", "application/json"] {
                let asked = agent.post(format!("{url}{path}")).header("content-type", kind);
                let answer = asked.header("user-agent", number).send(body.as_bytes()).expect("the listener answers");
                assert!(answer.status().as_u16() >= 400, "a careless call is refused");
            }
        }
        for path in
            [format!("/v1/batches/{number}"), format!("/v1/batches?before={percent}"), format!("/{percent}/{number}")]
        {
            let asked =
                agent.get(format!("{url}{path}")).header("referer", format!("https://example.invalid/{percent}"));
            assert!(asked.call().expect("the listener answers").status().as_u16() >= 400, "so is a question");
        }
    }
}

/// What leaves the ledger by the commands that write it out.
fn exports(network: &Network) -> Vec<(&'static str, Vec<u8>)> {
    let [blocks, events] = ["ledger.blocks", "events.jsonl"].map(|name| network.scratch().join(name));
    let [to_blocks, to_events] = [&blocks, &events].map(|path| path.display().to_string());
    let _ = network.view(&["export", "blocks", "--out", &to_blocks]).expect(0);
    let genesis = network.home().join("genesis.bin").display().to_string();
    let events_of = ["export", "events", "--blocks", &to_blocks, "--genesis", &genesis, "--out", &to_events];
    let _ = network.fengni(&events_of, b"").expect(0);
    let read = |path| std::fs::read(path).expect("it was written");
    vec![("the exported blocks", read(blocks)), ("the exported events", read(events))]
}

#[test]
fn shr15_what_a_department_holds_of_somebody_is_in_its_own_database_alone() {
    let mut desk = Desk::open();
    share_more(&mut desk);
    let mut push = Push::made(&desk.network, &["gov"], "");
    let receiver = Receiver::start(free_ports());
    push.run();
    push.add("yhd", "webhook", &receiver.url("yhd"), &["lines=0/0"]);
    let _ = push.approve("yhd");
    let kept = uses(&mut desk);
    objection(&desk);
    careless_callers(&desk);

    let genesis = std::fs::read(desk.network.home().join("genesis.bin")).expect("it was founded");
    let mut fields: BTreeMap<String, String> = secrets(&genesis);
    for (field, value) in [("employer", EMPLOYER), ("phone", PHONE), ("home", HOME)] {
        fields.insert(format!("{field} of P1"), value.to_owned());
    }
    // A key is a name as well, where it stands twice: without its form, which differs from place to place.
    let asked = taken(&kept).access.access;
    let Warrant::Grant(grant) = &asked.terms().questions[0].warrant else { panic!("it rests on a grant") };
    let key = ("key of P1", grant.content.terms().holder.wire()[2..].to_vec());
    let search = Search::of_all(&fields, &[key]);
    let look = |place: &str, bytes: &[u8]| {
        let mut found = BTreeSet::new();
        search.look(place, bytes, &mut found);
        found
    };
    let mut found = BTreeSet::new();

    // The gateway: what it says to whoever looks after it, its journal and everything else in its folder.
    let url = format!("{}/metrics", desk.provider.departments().name());
    let text = ureq::get(&url).call().expect("the gateway answers").body_mut().read_to_vec().expect("a body");
    assert!(text.len() > 1_000, "the gateway measures something");
    found.extend(look("metrics of the gateway", &text));
    for command in [&["status"][..], &["receipts", "--newest", "50"]] {
        let answer = desk.provider.ask(command).expect(0);
        found.extend(look("what the gateway says", format!("{}{}", answer.out, answer.err).as_bytes()));
    }
    let sizes = desk.provider.status();
    assert_eq!(sizes["receipts"], 5, "{sizes}");
    desk.provider.kill();
    assert!(search.look_in_files(desk.provider.home(), &mut found) >= 4, "configuration, journal, light client, log");

    // The ledger: metrics, exports, every node; and whoever is told of it.
    metrics(&desk.network).iter().for_each(|(place, text)| found.extend(look(place, text)));
    exports(&desk.network).iter().for_each(|(place, bytes)| found.extend(look(place, bytes)));
    until("YHD is told of the objection", Deadline::default(), || (!receiver.posted().is_empty()).then_some(()));
    receiver.posted().iter().for_each(|posted| found.extend(look("what YHD was told", posted.body.as_bytes())));
    push.kill();
    assert!(search.look_in_files(push.home(), &mut found) >= 2, "configuration, store, log");
    search.look_in_nodes(&desk.network, &mut found);
    assert!(found.is_empty(), "personal data is where it must not be: {found:#?}");

    // The department's database holds it, and YHD was told: the search sees what is there.
    let mut held = BTreeSet::new();
    assert!(search.look_in_files(desk.data.folder(), &mut held) > 100, "a database has many files");
    let told = look("what YHD kept", &std::fs::read(&kept).expect("it was kept"));
    for field in ["employer of P1", "phone of P1", "home of P1", "number of P1"] {
        assert!(held.iter().any(|hit| hit.starts_with(field)), "the database has the {field}");
        assert!(told.iter().any(|hit| hit.starts_with(field)), "YHD was told the {field}");
    }
}
