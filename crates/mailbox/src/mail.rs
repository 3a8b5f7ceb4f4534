//! A mail as it was taken.

use std::borrow::Cow;

use mail_parser::{MessageParser, MessagePart};
use serde::Serialize;
use time::OffsetDateTime;

/// A mail that was taken, with what a person or a test looks for.
#[derive(Debug, Clone, Serialize)]
pub struct Mail {
    /// Counts the mails of this process from 1.
    pub id: u64,
    /// When it was taken first.
    #[serde(with = "time::serde::rfc3339")]
    pub received_at: OffsetDateTime,
    /// Who sent it, by the envelope; empty for a bounce.
    pub from: String,
    /// Who gets it, by the envelope.
    pub to: Vec<String>,
    /// The header `Message-ID` without its brackets.
    pub message_id: Option<String>,
    /// The decoded subject.
    pub subject: String,
    /// The header `Content-Language`.
    pub language: Option<String>,
    /// The decoded plain text.
    pub text: String,
    /// The decoded HTML, if it has some.
    pub html: Option<String>,
    /// Its bytes as they came.
    pub size: usize,
    /// How often it came: a sender that does not know whether a mail was taken sends it again with the same `Message-ID`.
    pub copies: u32,
}

/// The envelope of a mail: what SMTP says of it, whatever its headers say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Envelope {
    pub from: String,
    pub to: Vec<String>,
}

impl Mail {
    /// Reads a mail. What cannot be read is shown as plain text, so that nothing is taken without a trace.
    pub(crate) fn read(envelope: Envelope, raw: &[u8], received_at: OffsetDateTime) -> Self {
        let parsed = MessageParser::default().parse(raw).unwrap_or_default();
        let text = parsed.body_text(0).map(Cow::into_owned);
        let has_html = parsed.html_bodies().any(MessagePart::is_text_html);
        Self {
            id: 0,
            received_at,
            from: envelope.from,
            to: envelope.to,
            message_id: parsed.message_id().map(str::to_owned),
            subject: parsed.subject().unwrap_or_default().to_owned(),
            language: parsed.header_raw("Content-Language").map(|value| value.trim().to_owned()),
            text: text.unwrap_or_else(|| String::from_utf8_lossy(raw).into_owned()),
            html: has_html.then(|| parsed.body_html(0).map(Cow::into_owned)).flatten(),
            size: raw.len(),
            copies: 1,
        }
    }

    /// Whether it is another one of the same: equal ids to equal recipients.
    pub(crate) fn is_copy_of(&self, other: &Self) -> bool {
        self.message_id.is_some() && self.message_id == other.message_id && self.to == other.to
    }
}
