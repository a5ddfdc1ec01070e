//! J6 and J7: one department uses what another keeps, with the holder's grant, and she sees it.

use fengni_core::BookNumber;
use fengni_genesis::sample;

use super::gateway::Gateway;
use super::stage::Demo;
use super::story::{certificate, identifier};
use crate::sharing::papers::{self, HOLDER};
use crate::sharing::{Consent, terms};

/// Tells the chapter; the gateway runs on after it.
pub(super) fn share(demo: &Demo) {
    demo.title("J7: a department asks for what another keeps; both sign for it on the ledger / 共享申请");
    let book = agree(demo);
    let gateway = match book.ok_or_else(|| "there is no book of receipts".to_owned()) {
        Ok(book) => Gateway::start(demo, book),
        Err(reason) => Err(reason),
    };
    let gateway = match gateway {
        Ok(gateway) => gateway,
        Err(reason) => return demo.judge("the provider's gateway runs", false, &reason),
    };
    demo.judge("the provider's gateway runs before its own database, SQLite", true, &gateway.public());

    demo.title("J6: 林晓禾 grants three uses, sees each of them, and withdraws / 授权、用证记录与撤回");
    let holder = grant(demo, &gateway);
    use_it(demo, &gateway);
    let url = gateway.public();
    let (kept, map) = (demo.path("g1.mine.json"), demo.path("network.json"));
    let withdraw = ["grant", "withdraw", &kept, "--provider", &url, "--network", &map];
    demo.expect("she withdraws in one step", 0, "withdrawn", &withdraw);
    let seen = gateway.sees(demo.height());
    ask(demo, &gateway, "after that nothing is answered", (0, "access-after"), (1, "GRANT_WITHDRAWN"));
    let asked = format!("HRS={url}");
    let mine = ["mine", "--certificate", &holder, "--disclose", "证件号码", "--grant", &kept, "--provider", &asked];
    demo.judge("every use is on the ledger", seen && gateway.anchors(), "no receipt waits");
    demo.expect(
        "she sees who used what, each use proven",
        0,
        "GRANT_WITHDRAWN",
        &[&mine[..], &["--network", &map]].concat(),
    );
    let number = sample::member("HRS").expect("a sample member");
    demo.mine(&format!("?provider={number}={url}"), &[&holder, &holder.replace(".certificate", ".key"), &kept]);
}

/// From the resource to the provision; the book for receipts of its use.
fn agree(demo: &Demo) -> Option<BookNumber> {
    let home = |member: &str| demo.path(&format!("members/{member}"));
    let (gov, hrs, yhd) = (home("gov"), home("hrs"), home("yhd"));
    let decision = demo.write("decision.txt", "审核意见 (fictitious)\n");
    let ground = |reason| ["--reason", reason, "--decision", &decision];
    let months = demo.write("months.toml", papers::MONTHS);
    demo.expect("what is shared, and on which terms", 0, "proposed", &["resource", "propose", &months, "--home", &hrs]);
    let publish = [&["resource", "publish", "0", "--home", &gov][..], &ground("603")].concat();
    demo.expect("reviewed, then published", 0, "published", &publish);
    let other = papers::HOUSING.replace("400011", "400022").replace("申领", "年审");
    for (name, item) in [("housing.toml", papers::HOUSING), ("review.toml", &other)] {
        let item = demo.write(name, item);
        demo.expect("an item that needs it", 0, "current", &["item", "put", &item, "--home", &yhd]);
    }
    for number in ["0", "1"] {
        let request = papers::request().replace("item = 0", &format!("item = {number}"));
        let request = demo.write("request.toml", &request);
        demo.expect("a request, for one item", 0, "filed", &["request", "file", &request, "--home", &yhd]);
        for (decision, says) in [("agree", "agreed"), ("provision", "provisioned")] {
            let decide = [&["request", decision, number, "--home", &hrs][..], &ground("604")].concat();
            demo.expect("the provider answers in time", 0, says, &decide);
        }
    }
    let opened = demo.expect("a book for receipts", 0, "is open", &["book", "open", "receipts", "--home", &hrs]);
    opened.out.split_whitespace().find_map(|word| word.parse().ok()).map(BookNumber)
}

/// The department asks, she reads and signs, a line goes on the ledger; her certificate's file.
fn grant(demo: &Demo, gateway: &Gateway) -> String {
    let (res, yhd, map) = (demo.path("members/res"), demo.path("members/yhd"), demo.path("network.json"));
    let (rows, out) = (demo.path("members/res/rows.csv"), demo.path("holders"));
    let issue = ["issue", &rows, "--type", "T-RE", "--home", &res, "--out", &out];
    demo.expect("her certificate says who she is", 0, "1 sealed", &issue);
    let holder = certificate(demo, "C4");
    let file = |stage: &str| demo.path(&format!("g1.{stage}.json"));
    let (asked, signed, pending, recorded) = (file("ask"), file("signed"), file("pending"), file("grant"));
    let terms = demo.write("g1.toml", papers::GRANT);
    demo.expect("the department asks", 0, "wrote", &["grant", "ask", &terms, "--out", &asked, "--home", &yhd]);
    let sign = ["grant", "sign", &asked, "--certificate", &holder, "--disclose", "证件号码", "--yes", "--out", &signed];
    let sign = [&sign[..], &["--keep", &pending, "--network", &map]].concat();
    demo.expect("she reads the notice and signs", 0, "recipient 接收方", &sign);
    demo.expect(
        "one line goes on the ledger",
        0,
        "the grant is",
        &["grant", "record", &signed, "--out", &recorded, "--home", &yhd],
    );
    let keep = ["grant", "keep", &pending, "--out", &file("mine"), "--network", &map];
    demo.expect("she keeps what withdraws it", 0, "kept", &keep);
    // The gateway looks at the ledger once a second.
    let seen = gateway.sees(demo.height());
    demo.judge("the gateway has seen it", seen, &identifier("C4"));
    holder
}

fn use_it(demo: &Demo, gateway: &Gateway) {
    ask(demo, gateway, "insured for 36 months? yes, and the months stay where they are", (0, "access"), (0, "yes"));
    ask(demo, gateway, "the same for another item, which she did not agree to", (1, "access-other"), (1, "OTHER_ITEM"));
}

/// YHD asks under a request, with her grant.
fn ask(demo: &Demo, gateway: &Gateway, what: &str, (request, name): (u32, &str), (code, says): (i32, &str)) {
    let terms = demo.write(&format!("{name}.toml"), &terms(HOLDER, Consent::Grant("g1"), request, None));
    let (url, kept, yhd) =
        (gateway.departments(), demo.path(&format!("{name}.receipts.json")), demo.path("members/yhd"));
    demo.expect(what, code, says, &["access", "ask", &terms, "--provider", &url, "--keep", &kept, "--home", &yhd]);
}
