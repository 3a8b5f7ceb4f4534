//! E-mail over SMTP, on connections that are kept open.

use std::time::{Duration, SystemTime};

use chassis::{BoxError, failpoint::around};
use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport, Tokio1Executor,
    message::{
        Mailbox, MultiPart,
        header::{HeaderName, HeaderValue},
    },
    transport::smtp::{Error, PoolConfig},
};
use secrecy::{ExposeSecret, SecretString};
use time::OffsetDateTime;
use tokio::time::timeout;

use super::SendError;
use crate::domain::Mail;

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(3);
/// How long the server may take for a message, with all its answers: within the deadline of a job, with time to note it.
const DEADLINE: Duration = Duration::from_secs(8);
/// As many as one process sends at once.
const CONNECTIONS: u32 = 8;
/// What a server says of who is sending (RFC 4954), whatever the message is.
const NOT_ABOUT_THE_MESSAGE: [u16; 4] = [530, 534, 535, 538];
/// What is said of a recipient who is no address at all.
const NO_ADDRESS: u16 = 553;

/// Sends e-mails.
#[derive(Debug, Clone)]
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Mailer {
    /// Whether this is the URL of a mail server.
    pub fn is_url(url: &SecretString) -> bool {
        AsyncSmtpTransport::<Tokio1Executor>::from_url(url.expose_secret()).is_ok()
    }

    /// Connects to nothing yet. Its pool works in the background, so it needs a runtime.
    ///
    /// # Errors
    /// If the URL or the sender is none.
    pub fn new(url: &SecretString, from: &str) -> Result<Self, BoxError> {
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(url.expose_secret())?;
        let transport =
            builder.timeout(Some(CONNECT)).pool_config(PoolConfig::new().max_size(CONNECTIONS)).build();
        Ok(Self { transport, from: from.parse()? })
    }

    /// Sends a message. If it may have been taken before, the receiver knows it by its `Message-ID`.
    ///
    /// # Errors
    /// If the server does not take it, for good or for now.
    pub async fn send(&self, mail: &Mail<'_>) -> Result<(), SendError> {
        let mail = self.compose(mail)?;
        let sent = timeout(DEADLINE, self.submit(mail)).await;
        sent.unwrap_or_else(|_| Err(SendError::NotYet(format!("no answer within {} s", DEADLINE.as_secs()))))
    }

    async fn submit(&self, mail: lettre::Message) -> Result<(), SendError> {
        // What the server refuses before it has seen the message, such as our login, is never the message's fault.
        self.transport.test_connection().await.map_err(|error| SendError::NotYet(describe(&error)))?;
        let sent = around("sending", "a mail", self.transport.send(mail)).await;
        sent.map(drop).map_err(|error| classify(&error))
    }

    fn compose(&self, mail: &Mail<'_>) -> Result<lettre::Message, SendError> {
        let Mail { id, created_at, name, email, message } = mail;
        let address: Address = email.parse().map_err(|_| SendError::Refused(NO_ADDRESS))?;
        let id = format!("<{id}@{}>", self.from.email.domain());
        lettre::Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(Some((*name).to_owned()), address))
            .subject(&message.subject)
            .message_id(Some(id))
            .date(system_time(*created_at))
            // RFC 3834: no vacation notice should answer this.
            .raw_header(header("Auto-Submitted", "auto-generated"))
            .raw_header(header("Content-Language", message.language.as_str()))
            .multipart(MultiPart::alternative_plain_html(message.text.clone(), message.html.clone()))
            .map_err(|error| SendError::not_yet(&error))
    }
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

fn system_time(at: OffsetDateTime) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(at.unix_timestamp().max(0).unsigned_abs())
}

fn classify(error: &Error) -> SendError {
    match error.status().map(u16::from) {
        Some(code) if error.is_permanent() && !NOT_ABOUT_THE_MESSAGE.contains(&code) => {
            SendError::Refused(code)
        }
        _ => SendError::NotYet(describe(error)),
    }
}

/// An error without what the server said, which may repeat the recipient's address.
fn describe(error: &Error) -> String {
    match error.status() {
        Some(code) => format!("the mail server answered {code}"),
        None if error.is_response() => "the mail server's answer cannot be read".to_owned(),
        None => chassis::error_chain(error),
    }
}
