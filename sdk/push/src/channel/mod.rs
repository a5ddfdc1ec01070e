//! Channels (通道): the ways by which a subscriber is reached. Rules M-6 to M-8.

mod mail;
mod program;
mod webhook;

use std::fmt;
use std::time::Duration;

use anyhow::{Result, bail};
use fengni_core::{Millis, SecretKey};
use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::message::Message;

use mail::Mail;
use program::Program;
use webhook::Webhook;

/// Characters of an address.
const ADDRESS_CHARS: usize = 2_048;

/// Where a subscriber is reached: a URL, a mail address, a number. Never printed. Rule M-9.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Address(String);

impl From<String> for Address {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address")
    }
}

/// How a subscriber is reached.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(crate) enum Channel {
    /// A POST to a URL.
    Webhook {
        /// The URL.
        to: Address,
    },
    /// A mail.
    Mail {
        /// The mail address.
        to: Address,
    },
    /// A program that reaches it otherwise: a short message, WeChat.
    Program {
        /// Its name in the service's configuration.
        program: String,
        /// What the program knows the subscriber by.
        to: Address,
    },
}

impl Channel {
    /// The name its messages are counted under: `webhook`, `mail`, or a program's.
    pub(crate) fn counted_as(&self) -> String {
        match self {
            Self::Webhook { .. } => "webhook".to_owned(),
            Self::Mail { .. } => "mail".to_owned(),
            Self::Program { program, .. } => program.clone(),
        }
    }

    /// A word for it, such as `webhook` or `program sms`.
    pub(crate) fn kind(&self) -> String {
        match self {
            Self::Webhook { .. } => "webhook".to_owned(),
            Self::Mail { .. } => "mail".to_owned(),
            Self::Program { program, .. } => format!("program {program}"),
        }
    }

    /// A carrier by this channel, if the service is configured for it and the address is one.
    ///
    /// # Errors
    /// What is missing or wrong, without the address.
    pub(crate) fn carrier(&self, config: &Config, key: &SecretKey) -> Result<Box<dyn Carrier>> {
        let (Self::Webhook { to } | Self::Mail { to } | Self::Program { to, .. }) = self;
        if to.0.is_empty() || to.0.len() > ADDRESS_CHARS || to.0.contains(char::is_control) {
            bail!("an address is one line of at most {ADDRESS_CHARS} characters; next: correct its file");
        }
        Ok(match self {
            Self::Webhook { to } => Box::new(Webhook::new(&to.0, config, key.clone())?),
            Self::Mail { to } => Box::new(Mail::new(&to.0, config)?),
            Self::Program { program, to } => Box::new(Program::new(program, &to.0, config)?),
        })
    }
}

/// Why a message was not delivered. Facts alone, and never an address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Trouble {
    /// The receiver answered with another HTTP status than 2xx.
    Status(u16),
    /// There was no answer in time.
    TimedOut,
    /// There was no answer at all.
    NoAnswer,
    /// The mail server answered with this code.
    Mail(u16),
    /// The program ended with this code.
    Exit(i32),
    /// The program was ended by a signal, or did not start.
    NotRun,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "status {status}"),
            Self::TimedOut => f.write_str("no answer in time"),
            Self::NoAnswer => f.write_str("no answer"),
            Self::Mail(code) => write!(f, "mail server says {code}"),
            Self::Exit(code) => write!(f, "program ends with {code}"),
            Self::NotRun => f.write_str("program does not run"),
        }
    }
}

/// What became of an attempt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Answer {
    /// The receiver has it.
    Delivered,
    /// It may have it; to be tried again.
    Again {
        /// Why.
        why: Trouble,
        /// How long the receiver wants to be left alone, if it says so.
        after: Option<Duration>,
    },
    /// Trying again is no use before people have looked.
    Stop {
        /// Why.
        why: Trouble,
    },
}

/// Whatever carries messages to one subscriber.
pub(crate) trait Carrier {
    /// Carries one message, and waits for what becomes of it: not for ever.
    ///
    /// - `now`: when this attempt is made.
    fn carry(&mut self, message: &Message, now: Millis) -> Answer;
}

/// Whether a host is this machine: there, what is said needs no TLS.
fn is_loopback(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}
