//! Mail: one for each event, by the operator's mail server. Rule M-7.

use anyhow::{Context as _, Result, bail};
use fengni_core::Millis;
use lettre::message::Mailbox;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::{SmtpTransport, Transport as _};

use super::{Answer, Carrier, Trouble, is_loopback};
use crate::config::{Config, MailConfig, MailTls};
use crate::message::Message;
use crate::notice;

/// Answers of a mail server that a mailbox is not there or takes nothing: 550 to 559.
const REFUSED: std::ops::Range<u16> = 550..560;

/// A reader of mail.
pub(super) struct Mail {
    from: Mailbox,
    to: Mailbox,
    transport: SmtpTransport,
}

impl Mail {
    pub(super) fn new(to: &str, config: &Config) -> Result<Self> {
        let mail = config.mail.as_ref().context("no mail server is configured; next: [mail] in push.toml")?;
        let from = mail.from.parse().context("mail.from is no mail address; next: correct push.toml")?;
        // The library's error would repeat the address.
        let Ok(to) = to.parse() else { bail!("the address is no mail address; next: give NAME@HOST") };
        let mut transport = SmtpTransport::builder_dangerous(&mail.server)
            .port(mail.port)
            .timeout(Some(mail.timeout()))
            .tls(tls(mail, config)?);
        if let Some(user) = &mail.user {
            transport = transport.credentials(Credentials::new(user.clone(), mail.password().to_owned()));
        }
        Ok(Self { from, to, transport: transport.build() })
    }
}

fn tls(mail: &MailConfig, config: &Config) -> Result<Tls> {
    if mail.tls == MailTls::None {
        if !is_loopback(&mail.server) {
            bail!("mail to another machine goes over TLS; next: tls = \"starttls\" or \"tls\" in push.toml");
        }
        return Ok(Tls::None);
    }
    let mut parameters = TlsParameters::builder(mail.server.clone());
    if let Some(roots) = config.root_list()? {
        parameters = parameters.certificate_store(CertificateStore::None);
        for root in roots {
            parameters = parameters.add_root_certificate(Certificate::from_der(root.der().to_vec())?);
        }
    }
    let parameters = parameters.build()?;
    Ok(if mail.tls == MailTls::Starttls { Tls::Required(parameters) } else { Tls::Wrapper(parameters) })
}

impl Carrier for Mail {
    fn carry(&mut self, message: &Message, _now: Millis) -> Answer {
        let event = message.event();
        let mail = lettre::Message::builder()
            .from(self.from.clone())
            .to(self.to.clone())
            .subject(notice::subject(event))
            // The same at each attempt, so that readers drop what came twice.
            .message_id(Some(format!("<{}@fengni.invalid>", message.id())))
            .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned()))
            .header(ContentType::TEXT_PLAIN)
            .body(notice::text(message));
        let Ok(mail) = mail else { return Answer::Stop { why: Trouble::NoAnswer } };
        // What the error says could repeat the address.
        let Err(error) = self.transport.send(&mail) else { return Answer::Delivered };
        match error.status().map(u16::from) {
            Some(code) if REFUSED.contains(&code) => Answer::Stop { why: Trouble::Mail(code) },
            Some(code) => Answer::Again { why: Trouble::Mail(code), after: None },
            None if error.is_timeout() => Answer::Again { why: Trouble::TimedOut, after: None },
            None => Answer::Again { why: Trouble::NoAnswer, after: None },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m7_mail_to_another_machine_goes_over_tls() {
        let config = |server: &str, tls| {
            let mut config = Config::sample();
            config.mail = Some(MailConfig::sample(server, tls));
            config
        };
        let cases = [
            ("127.0.0.1", MailTls::None, true),
            ("mail.example", MailTls::None, false),
            ("mail.example", MailTls::Starttls, true),
            ("mail.example", MailTls::Tls, true),
        ];
        for (server, tls, right) in cases {
            assert_eq!(Mail::new("desk@desk.example", &config(server, tls)).is_ok(), right, "{server} {tls:?}");
        }
        let wrong = Mail::new("desk at desk", &config("127.0.0.1", MailTls::None)).map(drop).expect_err("no address");
        assert!(!format!("{wrong:#}").contains("desk"), "{wrong:#}");
    }
}
