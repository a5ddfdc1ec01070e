//! Messages (消息): one event, for one subscriber. A notice, not a proof. Rules M-3 and M-5.

use fengni_core::NetworkId;
use fengni_core::event::Event;
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::notice;
use crate::subscription::Name;

/// Version of what programs are given: for life, as long as fields are only added. Rule M-8.
const PROGRAM_SCHEMA: u16 = 1;

/// One event for one subscriber.
pub(crate) struct Message {
    network: NetworkId,
    subscription: Name,
    event: Event,
}

/// The message in JSON.
#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    timestamp: String,
    network: String,
    subscription: &'a Name,
    data: &'a Event,
}

/// What a program is given.
#[derive(Serialize)]
struct ForProgram<'a> {
    schema: u16,
    id: String,
    to: &'a str,
    subject: String,
    text: String,
    #[serde(flatten)]
    body: Body<'a>,
}

impl Message {
    pub(crate) fn new(network: NetworkId, subscription: Name, event: Event) -> Self {
        Self { network, subscription, event }
    }

    /// The event.
    pub(crate) fn event(&self) -> &Event {
        &self.event
    }

    /// The network, as people write it.
    pub(crate) fn network(&self) -> String {
        self.network.to_string()
    }

    /// The same at each attempt, and of no other event. Rule M-3.
    pub(crate) fn id(&self) -> String {
        let network: String = self.network().chars().take(8).collect();
        // No full stop: Standard Webhooks parts what is signed by it.
        format!("fengni-{network}-{}", self.event.position.to_string().replace('.', "-"))
    }

    fn parts(&self) -> Body<'_> {
        let nanos = i128::from(self.event.time.0) * 1_000_000;
        let moment = OffsetDateTime::from_unix_timestamp_nanos(nanos).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        Body {
            kind: self.event.kind.word(),
            timestamp: moment.format(&Rfc3339).unwrap_or_default(),
            network: self.network(),
            subscription: &self.subscription,
            data: &self.event,
        }
    }

    /// What a webhook carries.
    pub(crate) fn body(&self) -> String {
        serde_json::to_string(&self.parts()).expect("an event is plain data")
    }

    /// What a program is given on its standard input.
    pub(crate) fn for_program(&self, to: &str) -> Vec<u8> {
        let (subject, text) = (notice::subject(&self.event), notice::text(self));
        let given = ForProgram { schema: PROGRAM_SCHEMA, id: self.id(), to, subject, text, body: self.parts() };
        let mut bytes = serde_json::to_vec(&given).expect("an event is plain data");
        bytes.push(b'\n');
        bytes
    }
}

#[cfg(test)]
impl Message {
    /// A licence is suspended.
    pub(crate) fn sample() -> Self {
        let network = NetworkId(fengni_core::Digest([0xab; 32]));
        Self::new(network, "desk".parse().expect("a name"), crate::courier::tests::event(7, 2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m5_a_message_holds_the_event_and_where_to_ask_for_its_proof() {
        let message = Message::sample();
        let body: serde_json::Value = serde_json::from_str(&message.body()).expect("JSON");
        assert_eq!(body["data"], serde_json::to_value(message.event()).expect("plain data"));
        assert_eq!((&body["type"], &body["subscription"]), (&"suspend".into(), &"desk".into()));
        assert_eq!(body["timestamp"], "2023-11-14T22:13:20.123Z");
        assert_eq!(body["network"], message.network());
        assert!(!message.id().contains('.') && message.id().ends_with("-7-2-0"), "{}", message.id());
    }
}
