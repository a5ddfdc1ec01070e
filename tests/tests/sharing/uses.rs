//! J6 and what J7 says of each use: a grant and its limits, a use code, its withdrawal, and receipts that the
//! holder finds on the ledger.

use fengni_core::sharing::{ResultCode, SignedAccess};
use fengni_core::{Day, Millis};
use fengni_tests::sharing::papers::CASE;
use fengni_tests::sharing::{Consent, Desk, GrantTerms, taken, word};
use fengni_tests::{Manner, Receiver, free_ports};
use serde_json::Value;

/// Another 办件编号 than that of the story.
const OTHER_CASE: &str = "YS20260309000318";
/// Code of the story's item, and of another.
const ITEM: &str = "11339900XN0200022E400011";
const OTHER_ITEM: &str = "11339900XN0200022E400022";
/// Whom HRS has data of besides.
const SOMEBODY_ELSE: &str = "319901194905120133";

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

/// What the holder sees of each use: the day, the item, the case, what came of it, and who signed its receipt.
fn mine(desk: &Desk) -> Vec<[String; 5]> {
    let row = |it: &Value| {
        let receipt = &it["receipt"]["receipt"];
        assert_eq!((&receipt["mode"], &receipt["requester"]), (&"verify".into(), &7.into()), "{it}");
        let day = Day::of(Millis(receipt["time"].as_u64().expect("a time")));
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let (item, case, sides) = (text(&receipt["item"]), text(&receipt["case"]), text(&it["sides"]));
        [day.to_string(), item, case, word(&receipt["result"]), sides]
    };
    desk.mine(&["g1", "g2", "g3"]).iter().map(row).collect()
}

/// A row of her list that both sides signed for.
fn used(day: &str, item: &str, case: &str, result: &str) -> [String; 5] {
    [day, item, case, result, "both"].map(str::to_owned)
}

/// A use code is for one use, one case and one item.
fn use_codes(desk: &Desk) {
    let code = desk.use_code(0, CASE);
    assert_eq!(desk.ask(Consent::Code(&code), 0, None).0, "yes");
    assert_eq!(desk.ask(Consent::Code(&code), 0, None).0, "CODE_USED");
    assert_eq!(desk.ask(Consent::Code(&desk.use_code(0, OTHER_CASE)), 0, None).0, "OTHER_CASE");
    assert_eq!(desk.ask(Consent::Code(&desk.use_code(1, CASE)), 0, None).0, "OTHER_ITEM");
}

/// What was kept before a break is asked once more, and counts once however often.
fn a_break_counts_nothing(desk: &mut Desk) {
    desk.grant("g3", &GrantTerms { uses: 2, days: 31, more: "" });
    let [once, twice] = desk.ask_again_after_a_break(Consent::Grant("g3")).map(|kept| taken(&kept));
    assert_eq!(once.receipts[0].receipt.use_number, 1);
    assert!(once.receipts[0].receipt == twice.receipts[0].receipt, "the same receipt");
}

/// What YHD asked before, with somebody else's signature.
fn nobody_is_answered_without_a_signature(desk: &Desk, kept: &str) {
    let taken = taken(kept);
    let signature = taken.receipts[0].provider.expect("HRS signed its receipt").signature;
    let unsigned = SignedAccess { signature, ..taken.access };
    let trouble = desk.provider.departments().access(&unsigned).map(drop).expect_err("it is refused").to_string();
    assert!(trouble.contains("NOT_SIGNED"), "{trouble}");
}

/// A gateway that knows nothing of a batch which the ledger counts: YHD's half says that it is kept back.
fn a_batch_kept_back_is_told(desk: &Desk, kept: &str) {
    let silent = Receiver::start(free_ports());
    silent.be(Manner::Fails(404));
    let url = silent.url("");
    let check = ["access", "check", kept, "--provider", url.trim_end_matches('/')];
    let said = desk.network.view(&check).expect(1).json();
    let standing = said["receipts"][0]["standing"].as_str().expect("a text");
    assert!(standing.starts_with("WITHHELD"), "{said}");
}

#[test]
fn j6_a_grant_is_used_for_what_it_says_as_often_as_it_says_until_it_is_withdrawn() {
    let mut desk = Desk::open();

    // What the subsidy needs: her title, which lacks her grant alone, and months that HRS has.
    desk.go_to("2026-03-09");
    assert_eq!(needs(&desk, None, 1), ["no", "GRANT_REQUIRED", "yes"]);
    assert_eq!(desk.ask(Consent::None, 0, None).0, "GRANT_REQUIRED", "before the grant");
    assert_eq!(desk.scanned(None)["code"], "GRANT_REQUIRED");
    // One grant of both: her title to be shown, and her months to be asked for, three times each until 04-09.
    desk.grant("g1", &GrantTerms { uses: 3, days: 31, more: "[[kinds]]\nshowing = \"T-RE\"\nuses = 3\n" });
    assert_eq!(needs(&desk, Some("g1"), 0), ["yes", "VALID", "yes"]);
    assert_eq!(desk.scanned(Some("g1"))["code"], "VALID");
    let (result, first) = desk.ask(Consent::Grant("g1"), 0, None);
    assert_eq!(result, "yes");
    // Another matter is not what she agreed to: another case, item or purpose.
    assert_eq!(desk.ask(Consent::Grant("g1"), 0, Some(OTHER_CASE)).0, "OTHER_CASE");
    assert_eq!(desk.ask(Consent::Grant("g1"), 1, None).0, "OTHER_ITEM");
    assert_eq!(desk.ask(Consent::Grant("g1"), 2, None).0, "OTHER_PURPOSE");
    // Over the count; and a grant of her months alone shows no title.
    desk.grant("g2", &GrantTerms { uses: 1, days: 2, more: "" });
    assert_eq!(desk.ask(Consent::Grant("g2"), 0, None).0, "yes");
    assert_eq!(desk.ask(Consent::Grant("g2"), 0, None).0, "GRANT_USED_UP");
    assert_eq!(desk.scanned(Some("g2"))["code"], "GRANT_REQUIRED");
    nobody_is_answered_without_a_signature(&desk, &first);
    use_codes(&desk);
    a_break_counts_nothing(&mut desk);
    // A use of somebody else's data, which is none of hers (HLD-01).
    assert_eq!(desk.ask_about(SOMEBODY_ELSE, Consent::None, 0, None).0, "GRANT_REQUIRED");

    desk.go_to("2026-03-10");
    assert_eq!(desk.scanned(Some("g1"))["code"], "VALID");
    let (result, second) = desk.ask(Consent::Grant("g1"), 0, None);
    assert_eq!(result, "yes");
    assert_eq!(desk.use_without_signing_for_it(&second).receipt.result, ResultCode::Yes);
    // She sees every use, the refused ones as well, and which of them YHD did not sign for.
    let told = mine(&desk);
    let one_sided = ["2026-03-10", ITEM, CASE, "yes", "provider"].map(str::to_owned);
    assert_eq!(
        told,
        [
            used("2026-03-09", ITEM, CASE, "GRANT_REQUIRED"),
            used("2026-03-09", ITEM, CASE, "yes"),
            used("2026-03-09", ITEM, OTHER_CASE, "OTHER_CASE"),
            used("2026-03-09", OTHER_ITEM, CASE, "OTHER_ITEM"),
            used("2026-03-09", ITEM, CASE, "OTHER_PURPOSE"),
            used("2026-03-09", ITEM, CASE, "yes"),
            used("2026-03-09", ITEM, CASE, "GRANT_USED_UP"),
            // By use codes.
            used("2026-03-09", ITEM, CASE, "yes"),
            used("2026-03-09", ITEM, CASE, "CODE_USED"),
            used("2026-03-09", ITEM, CASE, "OTHER_CASE"),
            used("2026-03-09", ITEM, CASE, "OTHER_ITEM"),
            // After a break.
            used("2026-03-09", ITEM, CASE, "yes"),
            used("2026-03-10", ITEM, CASE, "yes"),
            one_sided,
        ]
    );
    desk.is_anchored(&first);
    desk.is_anchored(&second);
    a_batch_kept_back_is_told(&desk, &first);

    desk.go_to("2026-03-11");
    desk.withdraw("g1");
    desk.withdraw_past_the_provider("g3", "gov");

    desk.go_to("2026-03-12");
    assert_eq!(desk.scanned(Some("g1"))["code"], "GRANT_REQUIRED");
    assert_eq!(needs(&desk, Some("g1"), 1), ["no", "GRANT_REQUIRED", "yes"]);
    // The journey says GRANT_REQUIRED; there is a grant, and the exact word says that it was withdrawn.
    let (result, third) = desk.ask(Consent::Grant("g1"), 0, None);
    assert_eq!(result, "GRANT_WITHDRAWN");
    assert_eq!(desk.ask(Consent::Grant("g2"), 0, None).0, "GRANT_EXPIRED");
    assert_eq!(desk.ask(Consent::Grant("g3"), 0, None).0, "GRANT_WITHDRAWN");
    let now = mine(&desk);
    let refused = |result: &str| used("2026-03-12", ITEM, CASE, result);
    let new = ["GRANT_WITHDRAWN", "GRANT_EXPIRED", "GRANT_WITHDRAWN"].map(refused);
    assert_eq!(now, [&told[..], &new].concat());
    desk.is_anchored(&third);
    let receipts = desk.provider.ask(&["receipts", "--newest", "50"]).expect(0).json();
    assert_eq!(receipts["receipts"].as_array().map(Vec::len), Some(now.len() + 1), "one for each, and somebody else's");
    let _ = desk.network.replayed("gov");
}
