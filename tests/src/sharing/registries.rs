//! What HRS shares, for which items of YHD, and what YHD asks for.

use serde_json::Value;

use crate::network::Network;

/// 参保月数核验.
pub const MONTHS: &str = r#"
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

/// Has HRS put a resource up for review, and returns its number.
///
/// # Panics
/// When it is refused.
pub fn propose(network: &Network, resource: &str) -> u64 {
    let resource = network.written("resource.toml", resource);
    let proposed = network.done("hrs", &["resource", "propose", &resource]);
    proposed["effect"]["resource"]["resource"].as_u64().unwrap_or_else(|| panic!("no number: {proposed}"))
}

/// Has GOV publish it.
///
/// # Panics
/// When it is refused.
pub fn publish(network: &Network, number: u64) {
    let _ = network.decreed("gov", &["resource", "publish", &number.to_string()], "603");
}

/// Has YHD put up an item.
///
/// # Panics
/// When it is refused.
pub fn put(network: &Network, item: &str) {
    let item = network.written("item.toml", item);
    let _ = network.done("yhd", &["item", "put", &item]);
}

/// Has YHD file a request, and returns what it became.
///
/// # Panics
/// When it is refused.
pub fn file(network: &Network, request: &str) -> Value {
    let request = network.written("request.toml", request);
    network.done("yhd", &["request", "file", &request])["effect"]["request"].clone()
}

/// Has HRS decide a request, and returns what it became.
///
/// # Panics
/// When it is refused.
pub fn decide(network: &Network, decision: &str, number: u64) -> Value {
    let decision = ["request", decision, &number.to_string()];
    network.decreed("hrs", &decision, "604")["effect"]["request"].clone()
}
