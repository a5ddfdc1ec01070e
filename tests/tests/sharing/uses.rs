//! J6 and what J7 says of each use: a grant and its limits, its withdrawal, and receipts that the
//! holder finds on the ledger.

use fengni_core::sharing::{ResultCode, SignedAccess};
use fengni_tests::sharing::{Desk, GrantTerms, taken, word};
use serde_json::Value;

/// Another 办件编号 than that of the story.
const OTHER_CASE: &str = "YS20260309000318";

/// 免证办: what the item needs, in its order; of each whether it is met, and why the certificate is not.
fn needs(desk: &Desk, grant: Option<&str>, code: i32) -> [Value; 3] {
    let list = desk.needs(grant).expect(code).json();
    let needs = list["needs"].as_array().expect("a list").clone();
    let of = |kind: &str| needs.iter().find_map(|need| need.get(kind)).unwrap_or_else(|| panic!("no {kind}: {list}"));
    let (certificate, months) = (of("certificate"), of("resource"));
    assert_eq!(certificate["name"], "不动产权证书", "{list}");
    assert_eq!((&months["provider"]["member"], &months["grant_needed"]), (&3.into(), &true.into()), "{list}");
    [certificate["met"].clone(), certificate["verdict"]["code"].clone(), months["met"].clone()]
}

/// What the holder sees: what came of each use, and who signed its receipt.
fn mine(desk: &Desk) -> Vec<(String, String)> {
    let row = |it: &Value| {
        let receipt = &it["receipt"]["receipt"];
        assert_eq!((&receipt["mode"], &receipt["requester"]), (&"verify".into(), &7.into()), "{it}");
        (word(&receipt["result"]), it["sides"].as_str().expect("a word").to_owned())
    };
    desk.mine(&["g1", "g2"]).iter().map(row).collect()
}

/// What YHD asked before, with somebody else's signature.
fn nobody_is_answered_without_a_signature(desk: &Desk, kept: &str) {
    let taken = taken(kept);
    let signature = taken.receipts[0].provider.expect("HRS signed its receipt").signature;
    let unsigned = SignedAccess { signature, ..taken.access };
    let trouble = desk.provider.departments().access(&unsigned).map(drop).expect_err("it is refused").to_string();
    assert!(trouble.contains("NOT_SIGNED"), "{trouble}");
}

#[test]
fn j6_a_grant_is_used_for_what_it_says_as_often_as_it_says_until_it_is_withdrawn() {
    let mut desk = Desk::open();

    // What the subsidy needs: her title, which lacks her grant alone, and months that HRS has.
    desk.go_to("2026-03-09");
    assert_eq!(needs(&desk, None, 1), ["no", "GRANT_REQUIRED", "yes"]);
    assert_eq!(desk.ask(None, 0, None).0, "GRANT_REQUIRED", "before the grant");
    assert_eq!(desk.scanned(None)["code"], "GRANT_REQUIRED");
    // One grant of both: her title to be shown, and her months to be asked for, three times each until 04-09.
    desk.grant("g1", &GrantTerms { uses: 3, days: 31, more: "[[kinds]]\nshowing = \"T-RE\"\nuses = 3\n" });
    assert_eq!(needs(&desk, Some("g1"), 0), ["yes", "VALID", "yes"]);
    assert_eq!(desk.scanned(Some("g1"))["code"], "VALID");
    let (result, first) = desk.ask(Some("g1"), 0, None);
    assert_eq!(result, "yes");
    // Another matter is not what she agreed to: another case, item or purpose.
    assert_eq!(desk.ask(Some("g1"), 0, Some(OTHER_CASE)).0, "OTHER_CASE");
    assert_eq!(desk.ask(Some("g1"), 1, None).0, "OTHER_ITEM");
    assert_eq!(desk.ask(Some("g1"), 2, None).0, "OTHER_PURPOSE");
    // Over the count; and a grant of her months alone shows no title.
    desk.grant("g2", &GrantTerms { uses: 1, days: 2, more: "" });
    assert_eq!(desk.ask(Some("g2"), 0, None).0, "yes");
    assert_eq!(desk.ask(Some("g2"), 0, None).0, "GRANT_USED_UP");
    assert_eq!(desk.scanned(Some("g2"))["code"], "GRANT_REQUIRED");
    nobody_is_answered_without_a_signature(&desk, &first);

    desk.go_to("2026-03-10");
    assert_eq!(desk.scanned(Some("g1"))["code"], "VALID");
    let (result, second) = desk.ask(Some("g1"), 0, None);
    assert_eq!(result, "yes");
    assert_eq!(desk.use_without_signing_for_it(&second).receipt.result, ResultCode::Yes);
    // She sees every use, the refused ones as well, and which of them YHD did not sign for.
    let told = mine(&desk);
    let (results, sides): (Vec<&str>, Vec<&str>) = told.iter().map(|(result, sides)| (&**result, &**sides)).unzip();
    let matters = ["yes", "OTHER_CASE", "OTHER_ITEM", "OTHER_PURPOSE"];
    assert_eq!(results, [&["GRANT_REQUIRED"], &matters[..], &["yes", "GRANT_USED_UP", "yes", "yes"]].concat());
    assert_eq!(sides, [&["both"; 8][..], &["provider"]].concat());
    desk.is_anchored(&first);
    desk.is_anchored(&second);

    desk.go_to("2026-03-11");
    desk.withdraw("g1");

    desk.go_to("2026-03-12");
    assert_eq!(desk.scanned(Some("g1"))["code"], "GRANT_REQUIRED");
    assert_eq!(needs(&desk, Some("g1"), 1), ["no", "GRANT_REQUIRED", "yes"]);
    let (result, third) = desk.ask(Some("g1"), 0, None);
    assert_eq!(result, "GRANT_WITHDRAWN");
    assert_eq!(desk.ask(Some("g2"), 0, None).0, "GRANT_EXPIRED");
    let now = mine(&desk);
    let refused = |result: &str| (result.to_owned(), "both".to_owned());
    assert_eq!(now, [told, vec![refused("GRANT_WITHDRAWN"), refused("GRANT_EXPIRED")]].concat());
    desk.is_anchored(&third);
    let receipts = desk.provider.ask(&["receipts", "--newest", "50"]).expect(0).json();
    assert_eq!(receipts["receipts"].as_array().map(Vec::len), Some(now.len()), "one for each, and none besides");
    let _ = desk.network.replayed("gov");
}
