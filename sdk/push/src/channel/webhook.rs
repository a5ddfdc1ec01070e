//! Webhooks: a signed POST. Rule M-6; Standard Webhooks 1.0.0.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Result, bail};
use fengni_core::{Millis, SecretKey};
use ureq::http::Uri;
use ureq::http::header::RETRY_AFTER;
use ureq::tls::TlsConfig;
use ureq::{Agent, Error};

use super::{Answer, Carrier, Trouble, is_loopback};
use crate::config::Config;
use crate::message::Message;
use crate::signature;

const CONNECT: Duration = Duration::from_secs(5);
/// Bytes of the headers of an answer; of its body nothing is read.
const ANSWER_BYTES: usize = 16 * 1024;
const GONE: u16 = 410;

/// A receiver of webhooks.
pub(super) struct Webhook {
    url: Uri,
    agent: Agent,
    key: SecretKey,
}

impl Webhook {
    pub(super) fn new(url: &str, config: &Config, key: SecretKey) -> Result<Self> {
        let Ok(url) = url.parse::<Uri>() else {
            bail!("the webhook's address is no URL; next: give https://HOST/PATH")
        };
        let Some(host) = url.host().filter(|_| url.authority().is_some_and(|it| !it.as_str().contains('@'))) else {
            bail!("the webhook's URL has no host, or a password in it; next: give https://HOST/PATH");
        };
        match url.scheme_str() {
            Some("https") => (),
            Some("http") if is_loopback(host) => (),
            _ => bail!("the webhook's URL is not https, and not on this machine; next: give https://HOST/PATH"),
        }
        let mut tls = TlsConfig::builder();
        if let Some(roots) = config.root_certificates()? {
            tls = tls.root_certs(roots);
        }
        // Nowhere but where a person approved: no redirect, no proxy from the environment.
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .max_redirects(0)
            .max_response_header_size(ANSWER_BYTES)
            .user_agent(concat!("fengni-push/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(CONNECT))
            .timeout_global(Some(config.webhook.timeout()))
            .tls_config(tls.build())
            .build()
            .new_agent();
        Ok(Self { url, agent, key })
    }
}

impl Carrier for Webhook {
    fn carry(&mut self, message: &Message, now: Millis) -> Answer {
        let (id, body) = (message.id(), message.body());
        let sent = self
            .agent
            .post(self.url.clone())
            .header("content-type", "application/json")
            .header("webhook-id", &id)
            .header("webhook-timestamp", now.secs().to_string())
            .header("webhook-signature", signature::sign(&self.key, &id, now.secs(), &body))
            .send(&body);
        // What the error says could repeat the URL.
        let response = match sent {
            Ok(response) => response,
            Err(Error::Timeout(_)) => return Answer::Again { why: Trouble::TimedOut, after: None },
            Err(_) => return Answer::Again { why: Trouble::NoAnswer, after: None },
        };
        let status = response.status().as_u16();
        let why = Trouble::Status(status);
        match status {
            200..300 => Answer::Delivered,
            GONE => Answer::Stop { why },
            _ => {
                let after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
                Answer::Again { why, after: after.and_then(|text| retry_after(text, now)) }
            }
        }
    }
}

/// How long from now, as `Retry-After` says: seconds, or a date. RFC 9110, section 10.2.3.
fn retry_after(text: &str, now: Millis) -> Option<Duration> {
    if let Ok(secs) = text.parse() {
        return Some(Duration::from_secs(secs));
    }
    let date: SystemTime = httpdate::parse_http_date(text).ok()?;
    let since = date.duration_since(UNIX_EPOCH).ok()?;
    Some(since.saturating_sub(Duration::from_millis(now.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m6_a_receiver_elsewhere_is_spoken_to_over_tls_alone() {
        let key = SecretKey::from_seed(fengni_core::KeyAlgorithm::Ed25519, &[7; 32]).expect("a seed");
        let cases = [
            ("https://desk.example/hook?token=1", true),
            ("http://127.0.0.1:8080/", true),
            ("http://[::1]:8080/", true),
            ("http://localhost/", true),
            ("http://desk.example/", false),
            ("http://127.0.0.1.example/", false),
            ("https://user:word@desk.example/", false),
            ("ftp://desk.example/", false),
            ("/hook", false),
            ("desk", false),
        ];
        for (url, right) in cases {
            let made = Webhook::new(url, &Config::sample(), key.clone()).map(drop);
            assert_eq!(made.is_ok(), right, "{url}");
            if let Err(error) = made {
                assert!(!format!("{error:#}").contains("desk"), "the address is not repeated: {error:#}");
            }
        }
    }

    #[test]
    fn m4_retry_after_is_read_in_both_forms() {
        let now = Millis::from_secs(784_111_777);
        for (text, secs) in [
            ("120", Some(120)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some(60)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
        ] {
            assert_eq!(retry_after(text, now), secs.map(Duration::from_secs), "{text}");
        }
    }
}
