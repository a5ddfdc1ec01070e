//! Reference codes of the sample network.

use std::collections::BTreeMap;

/// Purposes (用证场景), by code.
pub(super) const PURPOSES: [(u16, &str); 8] = [
    (101, "交通执法"),
    (102, "企业开办"),
    (103, "住房补贴"),
    (104, "入境通关"),
    (105, "政务办事"),
    (106, "社会保险"),
    (107, "车辆租赁"),
    (108, "不动产交易"),
];

const DIVISIONS: [(&str, &str); 4] = [
    ("319900", "东海省(虚构)"),
    ("319901", "东海省海隅区(虚构)"),
    ("339900", "云山省(虚构)"),
    ("339901", "云山省云山市(虚构)"),
];

const REASONS: [(&str, &str); 21] = [
    ("101", "持证人申请"),
    ("102", "登记事项变更"),
    ("103", "有效期届满延续"),
    ("104", "信息更正"),
    ("105", "手机遗失补绑"),
    ("201", "涉嫌违法调查期间暂扣"),
    ("202", "行政处罚决定"),
    ("203", "调查终结发还"),
    ("204", "以欺骗手段取得"),
    ("205", "持证人死亡"),
    ("206", "企业终止"),
    ("301", "跨省转出"),
    ("302", "跨省转入"),
    ("401", "异议受理"),
    ("402", "异议办结"),
    ("501", "一次性证照核销"),
    ("601", "互认协议暂停或恢复"),
    ("602", "制发权限暂停或恢复"),
    ("603", "共享目录审核"),
    ("604", "共享申请答复"),
    ("901", "签发密钥应急处置"),
];

/// Steps of a case (办件), by code.
const STEPS: [(&str, &str); 10] = [
    ("1", "收件"),
    ("2", "补正告知"),
    ("3", "受理"),
    ("4", "不予受理"),
    ("5", "审查"),
    ("6", "查验"),
    ("7", "放行"),
    ("8", "决定"),
    ("9", "制证发证"),
    ("10", "撤回"),
];

/// Working days within which certificates of a type are on the ledger, by type code.
const SEALING_DAYS: [(&str, &str); 1] = [(super::types::PROPERTY, "5")];

/// The claim of each type that names its holder.
const IDENTITY_CLAIMS: [(&str, &str); 4] = [
    ("11100000XN0000012G001", "证件号码"),
    ("11100000XN0000020B001", "统一社会信用代码"),
    ("11100000XN00000398017", "统一社会信用代码"),
    (super::types::PROPERTY, "证件号码"),
];

/// Working days of the clocks of data sharing: Order 809 of the State Council, art. 21, and DB3208/T 219-2024
/// for objections, as the requirements have them, unconfirmed.
const SHARING_DAYS: [(&str, &str); 5] =
    [("unconditional", "1"), ("conditional", "10"), ("extension", "10"), ("provision", "20"), ("objection", "10")];

/// Statutory days off of 2026. Adjusted days are announced each year and added by vote.
const HOLIDAYS: [&str; 13] = [
    "20260101", "20260216", "20260217", "20260218", "20260219", "20260405", "20260501", "20260502", "20260619",
    "20260925", "20261001", "20261002", "20261003",
];

/// Every set of the sample network.
pub(super) fn sets() -> BTreeMap<String, BTreeMap<String, String>> {
    let owned = |(code, name): (&str, &str)| (code.to_owned(), name.to_owned());
    BTreeMap::from([
        ("divisions".to_owned(), DIVISIONS.into_iter().map(owned).collect()),
        ("purposes".to_owned(), PURPOSES.iter().map(|(code, name)| (code.to_string(), (*name).to_owned())).collect()),
        ("reasons".to_owned(), REASONS.into_iter().map(owned).collect()),
        ("steps".to_owned(), STEPS.into_iter().map(owned).collect()),
        ("sealing-days".to_owned(), SEALING_DAYS.into_iter().map(owned).collect()),
        ("sharing-days".to_owned(), SHARING_DAYS.into_iter().map(owned).collect()),
        ("identity-claims".to_owned(), IDENTITY_CLAIMS.into_iter().map(owned).collect()),
        ("calendar".to_owned(), HOLIDAYS.into_iter().map(|day| owned((day, "holiday"))).collect()),
    ])
}
