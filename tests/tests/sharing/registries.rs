//! What HRS shares, for which items of YHD, and what YHD asks for.

use fengni_tests::Network;
use serde_json::Value;

use super::written;

const MONTHS: &str = r#"
name = "参保月数核验"
subject = "person"
fields = ["参保月数"]
sharing = "conditional"
conditions = "仅用于住房补贴"
basis = "社会保险法(示例)"
frequency = "每日"
modes = ["verify"]
level = "general"
"#;

/// The service item of the housing subsidy.
pub const HOUSING: &str = r#"
code = "11339900XN0200022E400011"
name = "住房补贴申领"
purpose = "住房补贴"
resources = [0]
[certificates]
T-RE = "A"
"#;

/// Q7.
pub const REQUEST: &str = r#"
resource = 0
item = 0
basis = "authorisation"
law = "住房补贴办法(示例)"
fields = ["参保月数"]
modes = ["verify"]
population = "申请人"
frequency = "一件一次"
measures = "用后即删"
from = "2026-03-06"
until = "2026-12-31"
"#;

/// Has HRS put its resource up for review.
pub fn propose(network: &Network) {
    let months = written(network, "months.toml", MONTHS);
    let proposed = network.member_command("hrs", &["resource", "propose", &months]).expect(0).json();
    assert_eq!(proposed["effect"]["resource"]["resource"], 0, "{proposed}");
}

/// Has GOV publish it.
pub fn publish(network: &Network) {
    let _ = network.decree("gov", &["resource", "publish", "0"], "603").expect(0);
}

/// Has YHD put up an item.
pub fn put(network: &Network, item: &str) {
    let item = written(network, "item.toml", item);
    let _ = network.member_command("yhd", &["item", "put", &item]).expect(0);
}

/// Has YHD file a request, and returns what it became.
pub fn file(network: &Network, request: &str) -> Value {
    let request = written(network, "request.toml", request);
    network.member_command("yhd", &["request", "file", &request]).expect(0).json()["effect"]["request"].clone()
}

/// Has HRS decide a request, and returns what it became.
pub fn decide(network: &Network, decision: &str, number: u64) -> Value {
    let decision = ["request", decision, &number.to_string()];
    network.decree("hrs", &decision, "604").expect(0).json()["effect"]["request"].clone()
}
