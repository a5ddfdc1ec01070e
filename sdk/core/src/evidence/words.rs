//! Words of acts and standings in both languages, as people read them on a page.

use crate::standing::{ActKind, Standing, State};

/// An act in both languages.
pub fn act_words(kind: ActKind) -> &'static str {
    match kind {
        ActKind::Suspend => "suspend 暂扣",
        ActKind::Return => "return 暂扣发还",
        ActKind::Cancel => "cancel 注销",
        ActKind::Annul => "annul 撤销",
        ActKind::Revoke => "revoke 吊销",
        ActKind::TransferOut => "transfer out 转出",
        ActKind::CancelTransfer => "cancel transfer 取消转出",
        ActKind::Expire => "expire 过期失效",
        ActKind::Dispute => "dispute 异议标注",
        ActKind::ClearDispute => "clear dispute 撤销异议标注",
        ActKind::BlockKey => "block key 挂失",
        ActKind::Renew => "renew 延续",
        ActKind::Change => "change 变更",
        ActKind::Correct => "correct 更正",
        ActKind::Rekey => "new holder key 补绑",
        ActKind::TransferIn => "transfer in 转入",
        ActKind::Consume => "consume 核销",
    }
}

/// A standing in both languages.
pub fn standing_words(standing: Standing) -> String {
    let state = match standing.state {
        State::Active => "active 有效",
        State::Annulled => "annulled 撤销",
        State::Cancelled => "cancelled 注销",
        State::Expired => "expired 失效",
        State::TransferringOut => "transferring out 转出",
        State::Revoked => "revoked 吊销",
        State::Superseded => "superseded 已换发",
        State::Consumed => "consumed 已核销",
        State::Rekeyed => "goes on with a new holder key 补绑",
    };
    let disputed = if standing.disputed { ", disputed 异议" } else { "" };
    let blocked = if standing.key_blocked { ", holder key blocked 挂失" } else { "" };
    format!("{state}{disputed}{blocked}")
}
