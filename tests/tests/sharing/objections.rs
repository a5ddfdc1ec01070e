//! J13: a certificate shows a wrong area.

use fengni_genesis::sample;
use fengni_tests::{Deadline, Network, Push, Receiver, free_ports, until};
use serde_json::Value;

use super::{day, overdue};

/// A certificate of the journeys and the file that its holder has.
struct Held {
    identifier: String,
    file: String,
}

impl Held {
    fn of(folder: &str, identifier: &str) -> Self {
        Self { identifier: identifier.to_owned(), file: format!("{folder}/{identifier}.certificate") }
    }

    /// Issued by this member, from the sample's rows.
    fn issued(network: &Network, member: &str, key: &str, folder: &str) -> Self {
        let found = sample::certificates().iter().find(|it| it.key == key).expect("the sample has it");
        let rows = network.home().join("members").join(member).join("rows.csv").display().to_string();
        let issue = ["issue", &rows, "--type", found.certificate_type, "--out", folder];
        assert_eq!(network.done(member, &issue)["sealed"], 1);
        Self::of(folder, found.identifier)
    }

    /// What YHD makes of a code that the holder shows now.
    fn scanned(&self, network: &Network) -> Value {
        let map = network.map();
        let show = ["show", &self.file, "--purpose", "住房补贴", "--text", "--network", &map];
        let code = network.fengni(&show, b"").expect(0).out;
        let verify = ["--json", "verify", "-", "--as", "YHD", "--purpose", "住房补贴", "--network", &map];
        network.fengni(&verify, code.as_bytes()).json()
    }
}

#[test]
fn j13_a_wrong_area_is_disputed_on_its_day_corrected_in_time_and_whoever_used_it_is_told() {
    let network = Network::on("2026-03-13");
    let holder = network.scratch().join("holder").display().to_string();
    let area = Held::issued(&network, "res", "C4", &holder);
    let silent = Held::issued(&network, "amr", "C2", &holder);
    let _ = network.done("gov", &["agreement", "propose", "sample"]);
    let _ = network.done("ygov", &["agreement", "sign", "RA-2026-001"]);

    // YHD uses it, and subscribes to what becomes of it.
    let verdict = area.scanned(&network);
    assert_eq!((&verdict["code"], &verdict["warnings"]), (&"VALID".into(), &Value::Array(Vec::new())), "{verdict}");
    let mut push = Push::made(&network, &["gov", "observer"], "");
    let receiver = Receiver::start(free_ports());
    push.run();
    push.add("yhd", "webhook", &receiver.url("yhd"), &["lines=0/0"]);
    push.approve("yhd");

    // On 03-16 the holder's objection is filed at YHD's window; another one, to AMR, stays without answer.
    network.go_to("2026-03-16");
    for (number, certificate) in [(0, &area), (1, &silent)] {
        let filed =
            network.decreed("yhd", &["objection", "file", &certificate.identifier], "401")["effect"]["objection"]
                .clone();
        assert_eq!((&filed["objection"], &filed["due"]), (&number.into(), &day("2026-03-30")));
    }
    assert_eq!(
        network.decree("yhd", &["objection", "file", &area.identifier], "401").expect(1).json()["refusal"]["name"],
        "OBJECTION_OPEN"
    );
    let verdict = area.scanned(&network);
    assert_eq!((&verdict["code"], &verdict["warnings"][0]), (&"VALID".into(), &"DISPUTED".into()), "{verdict}");
    assert_eq!(verdict["display"], "abnormal");
    let cleared = network.decree("res", &["standing", "clear-dispute", &area.identifier], "402").expect(1);
    assert_eq!(cleared.json()["refusal"]["name"], "OBJECTION_OPEN", "the flag stays until there is an answer");

    // On 03-24 RES puts it right, and answers.
    network.go_to("2026-03-24");
    let refused = |home: &str| network.decree(home, &["objection", "answer", "0"], "402").expect(1).json();
    assert_eq!(refused("res")["refusal"]["name"], "OBJECTION_STATE", "the certificate still says what it said");
    let rows = std::fs::read_to_string(network.home().join("members/res/rows.csv")).expect("the sample's rows");
    let row = network.written("corrected.csv", &rows.replace(",001,", ",002,").replace("89.60", "98.60"));
    let correct = ["supersede", &area.identifier, "--row", &row, "--cause", "correct", "--out", &holder];
    let replaced = network.decreed("res", &correct, "104");
    assert_eq!(replaced["act"], "correct", "{replaced}");
    assert_eq!(refused("amr")["refusal"]["name"], "NOT_ENTITLED", "the keeper answers");
    let answer = network.decreed("res", &["objection", "answer", "0"], "402");
    assert_eq!(answer["effect"]["objection"]["status"], "corrected");
    let found =
        std::fs::read_dir(&holder).expect("the holder's folder").map(|entry| entry.expect("an entry").file_name());
    let mut names = found.filter_map(|name| name.into_string().ok()?.strip_suffix(".certificate").map(str::to_owned));
    let second = names.find(|name| name.contains(".002.")).expect("version 002 is the holder's");
    let verdict = Held::of(&holder, &second).scanned(&network);
    assert_eq!((&verdict["code"], &verdict["warnings"]), (&"VALID".into(), &Value::Array(Vec::new())), "{verdict}");
    let verdict = area.scanned(&network);
    assert_eq!(
        (&verdict["code"], &verdict["warnings"]),
        (&"SUPERSEDED".into(), &Value::Array(Vec::new())),
        "{verdict}"
    );

    // YHD was told of each, once and in order.
    let told = until("the subscription tells of the answer", Deadline::default(), || {
        let posted = receiver.posted();
        let kinds: Vec<String> = posted.iter().map(|it| kind(&it.body)).collect();
        (kinds.len() >= 3).then_some(kinds)
    });
    assert_eq!(told, ["file-objection", "correct", "answer-objection"]);

    // The last day is not too late; the day after is.
    network.go_to("2026-03-30");
    assert_eq!(overdue(&network, "objection"), Vec::<u64>::new());
    network.go_to("2026-03-31");
    assert_eq!(overdue(&network, "objection"), [1]);
    let words = network.fengni(&["objection", "list", "--overdue", "--network", &network.map()], b"").expect(0).out;
    assert!(words.contains("OVERDUE since 2026-03-30"), "{words}");
    let maintain = ["objection", "answer", "1", "--maintain"];
    assert_eq!(network.decreed("amr", &maintain, "402")["effect"]["objection"]["status"], "maintained");
    assert_eq!(overdue(&network, "objection"), Vec::<u64>::new());
    assert_eq!(
        network.view(&["objection", "list"]).expect(0).json()["objections"][1]["record"]["answer"]["done"],
        day("2026-03-31")
    );

    let history = network.fengni(&["history", &area.identifier, "--network", &network.map()], b"").expect(0).out;
    let days = ["2026-03-13", "2026-03-16", "2026-03-24", "2026-03-24"];
    assert!(history.lines().skip(1).zip(days).all(|(act, day)| act.contains(day)), "{history}");
    let _ = network.replayed("gov");
}

/// The kind of the event that a message brings.
fn kind(message: &str) -> String {
    let message: Value = serde_json::from_str(message).expect("JSON");
    message["data"]["kind"].as_str().unwrap_or_else(|| panic!("no event: {message}")).to_owned()
}
