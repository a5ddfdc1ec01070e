//! A history as people read it, row by row, with words in both languages.

use std::collections::BTreeSet;

use super::{Actor, Chapter, Event, History, Sealed};
use crate::book::Subject;
use crate::day::Millis;
use crate::number::{Height, KeyNumber, LinePlace};
use crate::standing::{ActKind, Standing, State};

/// What a line is while a hold, an order or a revoked key withholds it.
const SUSPENDED: &str = "suspended 暂扣";
/// What a line is that nothing was done to.
const ACTIVE: &str = "active 有效";
/// What a case is until its last step.
pub const CASE_OPEN: &str = "open 办理中";

/// One event as people read it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Told<'a> {
    /// The line.
    pub place: LinePlace,
    /// What was done.
    pub act: String,
    /// Standing afterwards; empty where no entry says it.
    pub after: String,
    /// Who.
    pub by: &'a Actor,
    /// With which of its keys.
    pub keys: &'a [KeyNumber],
    /// When.
    pub height: Height,
    /// The act; `None` for a seal.
    pub event: Option<&'a Event>,
}

impl History {
    /// Every event in order.
    pub fn told(&self) -> Vec<Told<'_>> {
        let before = std::iter::once(None).chain(self.chapters.iter().map(|chapter| Some(chapter.place)));
        self.chapters.iter().zip(before).flat_map(|(chapter, before)| chapter.told(before)).collect()
    }
}

impl Chapter {
    /// How the line stands at a moment, with the suspensions that lie beside its standing (S-3, B-9).
    pub fn standing_words(&self, now: Millis) -> String {
        let withheld = !self.together.is_empty() || self.holds.iter().any(|hold| hold.is_live(now));
        self.words(self.standing, withheld)
    }

    /// A standing in words, withheld or not.
    fn words(&self, standing: Standing, withheld: bool) -> String {
        let plain = standing_words(standing);
        match (standing.state, self.subject) {
            (State::Active, Subject::Cases) if withheld => {
                plain.replacen(ACTIVE, CASE_OPEN, 1) + ", sealed with a key that was revoked 待复核"
            }
            (State::Active, Subject::Cases) => plain.replacen(ACTIVE, CASE_OPEN, 1),
            (State::Active, Subject::Certificates { .. }) if withheld => plain.replacen(ACTIVE, SUSPENDED, 1),
            _ => plain,
        }
    }

    fn told(&self, before: Option<LinePlace>) -> Vec<Told<'_>> {
        let mut told = Vec::new();
        if let Some(Sealed { height, keys, .. }) = &self.sealed {
            // A line that goes on from another takes its standing along, which no act of its own says.
            let began = match self.subject {
                Subject::Certificates { .. } => "issue 新发",
                Subject::Cases => "file 登记",
                Subject::Grants => "grant 授权",
                Subject::Receipts => "anchor receipts 回执上链",
            };
            let (act, after) = match before {
                None => (began.to_owned(), self.words(Standing::ACTIVE, false)),
                Some(before) => (format!("goes on 承接, from {before}"), String::new()),
            };
            told.push(Told { place: self.place, act, after, by: &self.keeper, keys, height: *height, event: None });
        }
        let mut holds = BTreeSet::new();
        for event in &self.events {
            match (event.kind, event.hold) {
                (ActKind::Suspend, _) => drop(holds.insert(event.by.member)),
                (ActKind::Return, Some(hold)) => drop(holds.remove(&hold)),
                _ => (),
            }
            told.push(Told {
                place: self.place,
                act: event.words(),
                after: self.words(event.to, !holds.is_empty()),
                by: &event.by,
                keys: &event.keys,
                height: event.height,
                event: Some(event),
            });
        }
        told
    }
}

impl Event {
    /// What was done, with what belongs to it.
    fn words(&self) -> String {
        let mut words = act_words(self.kind).to_owned();
        if let Some(until) = self.until {
            words.push_str(&format!(" until {}", until.show()));
        }
        if let Some(successor) = self.successor {
            words.push_str(&format!(", goes on at {successor}"));
        }
        words
    }
}

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
        ActKind::Step => "step 办理进展",
        ActKind::Withdraw => "withdraw grant 撤回授权",
    }
}

/// A standing in both languages.
pub fn standing_words(standing: Standing) -> String {
    let state = match standing.state {
        State::Active => ACTIVE,
        State::Annulled => "annulled 撤销",
        State::Cancelled => "cancelled 注销",
        State::Expired => "expired 失效",
        State::TransferringOut => "transferring out 转出",
        State::Revoked => "revoked 吊销",
        State::Superseded => "superseded 已换发",
        State::Consumed => "consumed 已核销",
        State::Rekeyed => "goes on with a new holder key 补绑",
        State::Closed => "closed 办结",
        State::Withdrawn => "withdrawn 撤回",
    };
    let disputed = if standing.disputed { ", disputed 异议" } else { "" };
    let blocked = if standing.key_blocked { ", holder key blocked 挂失" } else { "" };
    format!("{state}{disputed}{blocked}")
}
