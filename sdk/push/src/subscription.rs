//! Subscriptions (订阅): who wants which events, by which way, and how far they are. Rules M-1 to M-4.

use std::fmt;

use fengni_core::Millis;
use fengni_core::event::{Event, Filter, Position};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::channel::Channel;

const NAME_CHARS: usize = 32;

/// A subscription's name: lower-case letters, digits and hyphens. It is no secret.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Name(String);

impl Name {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Name {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let right = (1..=NAME_CHARS).contains(&text.len()) && text.bytes().all(plain) && !text.starts_with('-');
        if right { Ok(Self(text)) } else { Err("a name has at most 32 lower-case letters, digits and hyphens") }
    }
}

impl std::str::FromStr for Name {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.to_owned().try_into()
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a subscription stands. Rule M-1.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub(crate) enum State {
    /// Asked for; nothing is sent.
    Pending,
    /// What comes after its position is sent.
    Approved,
    /// Nothing is sent; its position stays, so that nothing is lost when it is resumed.
    Paused {
        /// Why; never with an address.
        why: String,
    },
    /// Over; its address is erased.
    Ended,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pending => f.write_str("pending"),
            Self::Approved => f.write_str("approved"),
            Self::Paused { why } => write!(f, "paused: {why}"),
            Self::Ended => f.write_str("ended"),
        }
    }
}

/// What a subscription's state does not allow.
#[derive(Clone, PartialEq, Eq, Debug, Error, Serialize, Deserialize)]
pub(crate) enum Refusal {
    /// M-1: no subscription of that name.
    #[error("there is no subscription {0}; next: fengni-push list")]
    Unknown(Name),
    /// M-1: one of that name is there and has not ended.
    #[error("there is a subscription {0}; next: end it, or choose another name")]
    Taken(Name),
    /// M-1: as many as there may be.
    #[error("there are {0} subscriptions, as many as there may be; next: end one")]
    TooMany(usize),
    /// M-1: the step does not follow from the state.
    #[error("{name} is {state}, so that it cannot be {step}")]
    Step {
        /// The subscription.
        name: Name,
        /// What it is.
        state: String,
        /// What was asked for.
        step: String,
    },
}

/// Who wants which events, by which way, and how far they are.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Subscription {
    pub(crate) name: Name,
    /// Which of all there ever were: names are given again.
    pub(crate) serial: u64,
    pub(crate) filter: Filter,
    /// Erased at its end.
    pub(crate) channel: Option<Channel>,
    #[serde(flatten)]
    pub(crate) state: State,
    /// Everything up to here was delivered or was not wanted; from its approval on.
    pub(crate) position: Option<Position>,
    /// Failures in a row.
    pub(crate) failures: u32,
    /// No attempt before.
    pub(crate) next_attempt: Millis,
    /// Messages delivered.
    pub(crate) delivered: u64,
    /// Number of the next entry of its log.
    pub(crate) next_entry: u64,
}

impl Subscription {
    /// One that waits for its approval.
    pub(crate) fn new(name: Name, filter: Filter, channel: Channel) -> Self {
        Self {
            name,
            serial: 0,
            filter,
            channel: Some(channel),
            state: State::Pending,
            position: None,
            failures: 0,
            next_attempt: Millis(0),
            delivered: 0,
            next_entry: 0,
        }
    }

    /// Approves it from a position on. Rule M-2.
    pub(crate) fn approve(&mut self, at: Position) -> Result<(), Refusal> {
        self.from(matches!(self.state, State::Pending), "approved")?;
        (self.state, self.position) = (State::Approved, Some(at));
        Ok(())
    }

    /// Pauses it.
    pub(crate) fn pause(&mut self, why: &str) -> Result<(), Refusal> {
        self.from(matches!(self.state, State::Approved), "paused")?;
        self.state = State::Paused { why: why.to_owned() };
        Ok(())
    }

    /// Goes on where it was paused, or tries again at once where it waits.
    pub(crate) fn resume(&mut self) -> Result<(), Refusal> {
        self.from(matches!(self.state, State::Approved | State::Paused { .. }), "resumed")?;
        (self.state, self.failures, self.next_attempt) = (State::Approved, 0, Millis(0));
        Ok(())
    }

    /// Ends it for good and erases its address. Rule M-9.
    pub(crate) fn end(&mut self) -> Result<(), Refusal> {
        self.from(!matches!(self.state, State::Ended), "ended")?;
        (self.state, self.channel) = (State::Ended, None);
        Ok(())
    }

    fn from(&self, follows: bool, step: &str) -> Result<(), Refusal> {
        let (name, state) = (self.name.clone(), self.state.to_string());
        if follows { Ok(()) } else { Err(Refusal::Step { name, state, step: step.to_owned() }) }
    }

    /// Whether an event is to be sent, as far as position and filter say. Rule M-2.
    pub(crate) fn wants(&self, event: &Event) -> bool {
        self.position.is_some_and(|position| event.position > position) && self.filter.matches(event)
    }

    /// What others may see of it.
    pub(crate) fn view(&self) -> View {
        View {
            name: self.name.clone(),
            channel: self.channel.as_ref().map(|channel| channel.kind().to_owned()),
            filter: self.filter.fields().into_iter().map(|(field, text)| (field.to_owned(), text)).collect(),
            state: self.state.clone(),
            position: self.position.map(|position| position.to_string()),
            delivered: self.delivered,
            failures: self.failures,
            next_attempt: (self.failures > 0).then_some(self.next_attempt),
        }
    }
}

/// What others may see of a subscription: everything but its address.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct View {
    pub(crate) name: Name,
    pub(crate) channel: Option<String>,
    pub(crate) filter: std::collections::BTreeMap<String, String>,
    #[serde(flatten)]
    pub(crate) state: State,
    pub(crate) position: Option<String>,
    pub(crate) delivered: u64,
    pub(crate) failures: u32,
    pub(crate) next_attempt: Option<Millis>,
}

impl View {
    /// Whether it gets what it should.
    pub(crate) fn is_well(&self) -> bool {
        !matches!(self.state, State::Paused { .. }) && self.failures == 0
    }

    /// One line for people.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("{} {}", self.name, self.state);
        if let Some(channel) = &self.channel {
            text.push_str(&format!(", by {channel}"));
        }
        if let Some(position) = &self.position {
            text.push_str(&format!(", {} delivered up to {position}", self.delivered));
        }
        if let Some(next) = self.next_attempt {
            text.push_str(&format!(", {} failures in a row, next attempt {}", self.failures, next.show()));
        }
        for (field, values) in &self.filter {
            text.push_str(&format!(", {field} {values}"));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn desk() -> Subscription {
        let channel = Channel::Program { program: "sms".to_owned(), to: "13800000000".to_owned().into() };
        Subscription::new("desk".parse().expect("a name"), Filter::default(), channel)
    }

    #[test]
    fn m1_steps_follow_one_another_and_no_other_way() {
        let at = Position::after(fengni_core::Height(7));
        type Step = fn(&mut Subscription) -> Result<(), Refusal>;
        let approve: Step = |it| it.approve(Position::after(fengni_core::Height(7)));
        let pause: Step = |it| it.pause("asked for");
        let (resume, end): (Step, Step) = (Subscription::resume, Subscription::end);
        let story: [(Step, bool); 10] = [
            (pause, false),
            (resume, false),
            (approve, true),
            (approve, false),
            (pause, true),
            (pause, false),
            (resume, true),
            (end, true),
            (approve, false),
            (end, false),
        ];
        let mut desk = desk();
        assert_eq!((&desk.state, desk.position), (&State::Pending, None));
        for (place, (step, follows)) in story.into_iter().enumerate() {
            assert_eq!(step(&mut desk).is_ok(), follows, "step {place}");
        }
        assert_eq!((&desk.state, desk.position), (&State::Ended, Some(at)));
        assert!(desk.channel.is_none(), "its address is erased");
    }

    #[test]
    fn m9_nobody_sees_an_address() {
        let desk = desk();
        let seen =
            format!("{}{:?}{}", desk.view().text(), desk.view(), serde_json::to_string(&desk.view()).expect("JSON"));
        assert!(!seen.contains("138") && !format!("{:?}", desk.channel).contains("138"), "{seen}");
    }

    #[test]
    fn a_name_is_a_plain_word() {
        for (name, right) in
            [("desk", true), ("desk-2", true), ("", false), ("-", false), ("Desk", false), ("a/b", false)]
        {
            assert_eq!(name.parse::<Name>().is_ok(), right, "{name}");
        }
        assert!("a".repeat(33).parse::<Name>().is_err());
    }
}
