//! The server's side of one SMTP connection (RFC 5321), without IO. `smtp-proto` reads the commands.

use std::borrow::Cow;
use std::fmt;
use std::slice::Iter;

use smtp_proto::request::receiver::{DataReceiver, RequestReceiver};
use smtp_proto::{Error, Request};

use crate::FaultInjection;
use crate::mail::Envelope;

/// The largest mail, in bytes (RFC 1870).
const MOST_BYTES: usize = 1024 * 1024;
/// The least that RFC 5321 asks a server to take.
const MOST_RECIPIENTS: usize = 100;

/// One answer: a code and its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reply {
    code: u16,
    lines: Vec<Cow<'static, str>>,
}

/// What a piece of input has come to.
#[derive(Debug)]
pub(super) enum Step {
    /// The client gets an answer.
    Answer(Reply),
    /// A mail is complete; the answer is that it was taken.
    Taken(Envelope, Vec<u8>),
    /// The client gets a last answer.
    Farewell(Reply),
}

/// Where a connection is.
#[derive(Default)]
pub(super) struct Session {
    commands: RequestReceiver,
    greeted: bool,
    /// Begun with MAIL.
    envelope: Option<Envelope>,
    /// Begun with DATA.
    data: Option<Data>,
}

struct Data {
    receiver: DataReceiver,
    bytes: Vec<u8>,
    too_large: bool,
}

impl Reply {
    pub(super) fn new(code: u16, text: &'static str) -> Self {
        Self { code, lines: vec![text.into()] }
    }

    /// What a fault makes of an answer: its code decides the class of the enhanced one (RFC 3463).
    fn refused(code: u16, text: &'static str) -> Self {
        Self { code, lines: vec![format!("{}.7.1 {text}", code / 100).into()] }
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (last, others) = self.lines.split_last().ok_or(fmt::Error)?;
        for line in others {
            write!(f, "{}-{line}\r\n", self.code)?;
        }
        write!(f, "{} {last}\r\n", self.code)
    }
}

impl Session {
    /// What the server says first.
    pub(super) fn greeting() -> Reply {
        Reply::new(220, "mailbox ESMTP; nothing is delivered")
    }

    /// The next step that these bytes lead to; none if more are needed.
    pub(super) fn next(&mut self, bytes: &mut Iter<'_, u8>, faults: &FaultInjection) -> Option<Step> {
        if bytes.as_slice().is_empty() {
            return None;
        }
        if self.data.is_some() {
            return self.take_data(bytes, faults);
        }
        let request = match self.commands.ingest(bytes) {
            Ok(request) => Ok(request.into_owned()),
            Err(Error::NeedsMoreData { .. }) => return None,
            Err(error) => Err(error),
        };
        Some(match request {
            Ok(Request::Quit) => Step::Farewell(Reply::new(221, "2.0.0 bye")),
            Ok(request) => Step::Answer(self.answer(request, faults)),
            Err(Error::ResponseTooLong) => Step::Farewell(Reply::new(500, "5.5.6 the line is too long")),
            Err(error) => Step::Answer(misread(&error)),
        })
    }

    fn answer(&mut self, request: Request<String>, faults: &FaultInjection) -> Reply {
        match request {
            Request::Ehlo { .. } => self.greet(Reply { code: 250, lines: capabilities() }),
            Request::Helo { .. } => self.greet(Reply::new(250, "mailbox")),
            Request::Noop { .. } => Reply::new(250, "2.0.0 ok"),
            Request::Rset => {
                self.envelope = None;
                Reply::new(250, "2.0.0 ok")
            }
            Request::Vrfy { .. } => Reply::new(252, "2.1.5 try to send it"),
            _ if !self.greeted => Reply::new(503, "5.5.1 say EHLO first"),
            Request::Mail { from } => self.begin(from.address, from.size),
            Request::Rcpt { to } => self.add_recipient(to.address, faults),
            Request::Data => self.begin_data(),
            _ => Reply::new(502, "5.5.1 not known here"),
        }
    }

    fn greet(&mut self, reply: Reply) -> Reply {
        (self.greeted, self.envelope) = (true, None);
        reply
    }

    fn begin(&mut self, from: String, size: usize) -> Reply {
        if self.envelope.is_some() {
            return Reply::new(503, "5.5.1 a mail has begun already");
        }
        if size > MOST_BYTES {
            return too_large();
        }
        self.envelope = Some(Envelope { from, to: Vec::new() });
        Reply::new(250, "2.1.0 ok")
    }

    fn add_recipient(&mut self, to: String, faults: &FaultInjection) -> Reply {
        let Some(envelope) = &mut self.envelope else { return Reply::new(503, "5.5.1 say MAIL first") };
        if envelope.to.len() >= MOST_RECIPIENTS {
            return Reply::new(452, "4.5.3 too many recipients");
        }
        if let Some(code) = faults.refusal(&to) {
            return Reply::refused(code, "this recipient is refused on purpose");
        }
        envelope.to.push(to);
        Reply::new(250, "2.1.5 ok")
    }

    fn begin_data(&mut self) -> Reply {
        if self.envelope.as_ref().is_none_or(|envelope| envelope.to.is_empty()) {
            return Reply::new(503, "5.5.1 say MAIL and RCPT first");
        }
        self.data = Some(Data { receiver: DataReceiver::new(), bytes: Vec::new(), too_large: false });
        Reply::new(354, "end with a dot on a line of its own")
    }

    fn take_data(&mut self, bytes: &mut Iter<'_, u8>, faults: &FaultInjection) -> Option<Step> {
        let data = self.data.as_mut()?;
        let complete = data.receiver.ingest(bytes, &mut data.bytes);
        if data.bytes.len() > MOST_BYTES {
            (data.too_large, data.bytes) = (true, Vec::new());
        }
        if !complete {
            return None;
        }
        let (data, envelope) = (self.data.take()?, self.envelope.take()?);
        Some(match faults.get().refuse_data {
            Some(code) => Step::Answer(Reply::refused(code, "this mail is refused on purpose")),
            None if data.too_large => Step::Answer(too_large()),
            None => Step::Taken(envelope, data.bytes),
        })
    }
}

fn capabilities() -> Vec<Cow<'static, str>> {
    vec![
        "mailbox".into(),
        format!("SIZE {MOST_BYTES}").into(),
        "8BITMIME".into(),
        "SMTPUTF8".into(),
        "PIPELINING".into(),
        "ENHANCEDSTATUSCODES".into(),
    ]
}

fn too_large() -> Reply {
    Reply::new(552, "5.3.4 a mail has 1 MiB at most")
}

fn misread(error: &Error) -> Reply {
    match error {
        Error::UnknownCommand => Reply::new(500, "5.5.1 not known"),
        Error::InvalidSenderAddress => Reply::new(501, "5.1.7 this sender is no address"),
        Error::InvalidRecipientAddress => Reply::new(501, "5.1.3 this recipient is no address"),
        Error::UnsupportedParameter { .. } | Error::InvalidParameter { .. } => {
            Reply::new(555, "5.5.4 this parameter is not known")
        }
        _ => Reply::new(501, "5.5.2 this cannot be read"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::InjectedFaults;

    /// What a client that says this gets, and the mails that it has sent; the input comes in pieces of `size` bytes.
    fn talk(input: &[u8], size: usize, faults: &FaultInjection) -> (Vec<u16>, Vec<(Envelope, Vec<u8>)>) {
        let (mut session, mut codes, mut mails) = (Session::default(), Vec::new(), Vec::new());
        for piece in input.chunks(size) {
            let mut bytes = piece.iter();
            while let Some(step) = session.next(&mut bytes, faults) {
                match step {
                    Step::Answer(reply) | Step::Farewell(reply) => codes.push(reply.code),
                    Step::Taken(envelope, raw) => mails.push((envelope, raw)),
                }
            }
        }
        (codes, mails)
    }

    const MAIL: &str = "EHLO me\r\nMAIL FROM:<a@example.com> SIZE=20\r\nRCPT TO:<b@example.com>\r\n\
        RCPT TO:<c@example.com>\r\nDATA\r\nSubject: x\r\n\r\n..one\r\n.two\r\n.\r\nQUIT\r\n";

    #[test]
    fn a_mail_is_taken_however_its_bytes_come() {
        for size in [1, 2, 7, 4096] {
            let (codes, mails) = talk(MAIL.as_bytes(), size, &FaultInjection::default());
            assert_eq!(codes, [250, 250, 250, 250, 354, 221], "{size}");
            let to = vec!["b@example.com".to_owned(), "c@example.com".to_owned()];
            let envelope = Envelope { from: "a@example.com".to_owned(), to };
            assert_eq!(mails, [(envelope, b"Subject: x\r\n\r\n.one\r\ntwo\r\n".to_vec())], "{size}");
        }
    }

    #[test]
    fn commands_come_in_their_order() {
        let input = "MAIL FROM:<a@example.com>\r\nHELO me\r\nRCPT TO:<b@example.com>\r\nDATA\r\nNONSENSE\r\n\
            MAIL FROM:<>\r\nDATA\r\nMAIL FROM:<a@example.com>\r\nRSET\r\nNOOP\r\nSTARTTLS\r\nMAIL FROM:<nonsense\r\n";
        let (codes, mails) = talk(input.as_bytes(), 4096, &FaultInjection::default());
        assert_eq!(codes[..11], [503, 250, 503, 503, 500, 250, 503, 503, 250, 250, 502]);
        assert_eq!((codes.len(), mails.len()), (12, 0));
        assert!((500..600).contains(&codes[11]), "{codes:?}");
    }

    #[test]
    fn what_is_too_large_is_refused_and_the_next_one_taken() {
        let declared = format!("EHLO me\r\nMAIL FROM:<a@example.com> SIZE={}\r\n", MOST_BYTES + 1);
        assert_eq!(talk(declared.as_bytes(), 4096, &FaultInjection::default()).0, [250, 552]);
        let line = "x".repeat(998) + "\r\n";
        let large = MAIL.replace("..one\r\n", &line.repeat(1_100)).replace("QUIT\r\n", "");
        let (codes, mails) = talk((large + MAIL).as_bytes(), 8192, &FaultInjection::default());
        assert_eq!(codes[..6], [250, 250, 250, 250, 354, 552]);
        assert_eq!(mails.len(), 1);
    }

    #[test]
    fn a_line_without_an_end_ends_the_connection() {
        let endless = [b'x'; 10_000];
        let (codes, _) = talk(&endless, 1024, &FaultInjection::default());
        assert_eq!(codes[0], 500);
    }

    #[test]
    fn faults_are_injected_where_they_are_asked_for() {
        let faults = FaultInjection::default();
        faults.set(InjectedFaults { greylist: true, ..InjectedFaults::default() });
        let twice = MAIL.replace("QUIT\r\n", "") + MAIL;
        let (codes, mails) = talk(twice.as_bytes(), 4096, &faults);
        assert_eq!(
            codes[..6],
            [250, 250, 451, 451, 503, 500],
            "no recipient is left, so the data are commands"
        );
        assert_eq!(mails.len(), 1, "the second time they are taken");
        for code in [421, 550] {
            faults.set(InjectedFaults { refuse_data: Some(code), ..InjectedFaults::default() });
            let (codes, mails) = talk(MAIL.as_bytes(), 4096, &faults);
            assert_eq!((codes[5], mails.len()), (code, 0));
        }
    }
}
