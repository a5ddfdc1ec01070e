//! Notices (通知): what people read of an event, in Chinese and English. Nothing in it is personal,
//! because nothing in an event is.

use fengni_core::Height;
use fengni_core::event::{Event, EventKind, Position};

use crate::message::Message;

/// The subject of a mail.
pub(crate) fn subject(event: &Event) -> String {
    let (chinese, english) = words(event.kind);
    format!("电子证照登记通知 {chinese} / notice of the register: {english} {}", event.position)
}

/// The text of a mail or of a short message.
pub(crate) fn text(message: &Message) -> String {
    let event = message.event();
    let (chinese, english) = words(event.kind);
    let (zh, en) = (about(event, ",登记簿", "第", "行"), about(event, ", book", "line", ""));
    let (zh_end, en_end, asked) = if event.done { ("", "", "") } else { ("(未受理)", " (refused)", " --refused") };
    let (time, position, network) = (event.time.show(), event.position, message.network());
    format!(
        "{time} 登记发生变动:{chinese}{zh_end}{zh},由成员 {member} 提出。\n\
         位置 {position},网络 {network}。\n\
         本通知不是证明。请凭位置向任一节点查询并核验:fengni watch --since {before} --count 1{asked}\n\
         \n\
         {time} (UTC+8) the register changed: {english}{en_end}{en}, asked for by member {member}.\n\
         Position {position}, network {network}.\n\
         This notice proves nothing. Ask any node by the position, and check: fengni watch --since {before} --count 1{asked}\n",
        member = event.member,
        before = before(event),
    )
}

/// What it is about, as far as it names it.
fn about(event: &Event, book: &str, line: &str, end: &str) -> String {
    match (event.book, event.line) {
        (Some(number), Some(place)) => format!("{book} {number} {line} {place} {end}").trim_end().to_owned(),
        (Some(number), None) => format!("{book} {number}"),
        _ => String::new(),
    }
}

/// The position from which on the event comes first: the end of the block before it, if it is the
/// block's first.
fn before(event: &Event) -> String {
    let position = event.position;
    match (position.place, position.part) {
        (place, part) if part > 0 => format!("{}.{place}.{}", position.height, part - 1),
        (0, _) => Position::after(Height(position.height.0.saturating_sub(1))).to_string(),
        (place, _) => format!("{}.{}.{}", position.height, place - 1, u8::MAX),
    }
}

/// A kind in Chinese and English. One that people meet rarely is named by its word alone.
fn words(kind: EventKind) -> (&'static str, &'static str) {
    let chinese = match kind {
        EventKind::OpenBook => "开立登记簿",
        EventKind::Seal => "登记",
        EventKind::Suspend => "暂扣",
        EventKind::Return => "发还",
        EventKind::Cancel => "注销",
        EventKind::Annul => "撤销",
        EventKind::Revoke => "吊销",
        EventKind::TransferOut => "转出",
        EventKind::CancelTransfer => "取消转出",
        EventKind::Expire => "过期失效",
        EventKind::Dispute => "异议标注",
        EventKind::ClearDispute => "撤销异议标注",
        EventKind::BlockKey => "挂失",
        EventKind::Renew => "延续",
        EventKind::Change => "变更",
        EventKind::Correct => "更正",
        EventKind::Rekey => "补绑",
        EventKind::TransferIn => "转入",
        EventKind::Consume => "核销",
        EventKind::Succeed => "接续登记",
        EventKind::Step => "办件进展",
        EventKind::Order => "批量暂扣",
        EventKind::LiftOrder => "解除批量暂扣",
        EventKind::RevokeKey => "密钥紧急吊销",
        EventKind::Confirm => "密钥吊销后确认",
        other => other.word(),
    };
    (chinese, kind.word())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::courier::tests::event;

    #[test]
    fn a_notice_says_what_where_when_and_how_to_check() {
        let (message, suspended) = (Message::sample(), event(7, 2));
        let (subject, text) = (subject(&suspended), text(&message));
        assert!(subject.contains("暂扣") && subject.contains("suspend 7.2.0"), "{subject}");
        for part in ["2023-11-15 06:13:20", "7.2.0", "book 0 line 417", "登记簿 0 第 417 行", "--since 7.1.255"] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
        assert!(before(&event(7, 0)).starts_with("6."));
    }
}
