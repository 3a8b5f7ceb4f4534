//! Notifications on their way to the merchant, and Midtrans' rules for sending them again (section 4.6).

use std::time::Duration;

use rand::RngExt as _;
use reqwest::header::{ACCEPT, CONTENT_TYPE, LOCATION, USER_AGENT};
use reqwest::{Client, StatusCode, Url, redirect};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

/// A notification that has not been accepted yet. It is signed when it is made, so later changes do not show in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Webhook {
    pub(crate) id: Uuid,
    pub(crate) order_id: String,
    pub(crate) url: String,
    pub(crate) body: String,
    /// How often it has been sent again.
    pub(crate) retries: usize,
    pub(crate) next_at: OffsetDateTime,
}

/// Waits before retry 1 to 5.
const WAITS: [Duration; 5] = [
    Duration::from_mins(2),
    Duration::from_mins(10),
    Duration::from_mins(30),
    Duration::from_mins(90),
    Duration::from_mins(210),
];

/// Midtrans starts a wait up to this much earlier: a first retry was changed after 33 of 120 seconds.
const EARLIEST: f64 = 0.25;

const TIMEOUT: Duration = Duration::from_secs(15);

const MAX_HOPS: usize = 5;

/// What the merchant made of a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Status(u16),
    /// No connection, no answer in time, or redirected in circles.
    None,
}

impl Answer {
    fn is_accepted(self) -> bool {
        matches!(self, Self::Status(200..=299))
    }

    /// How often a notification is sent again after this answer.
    fn retries(self) -> usize {
        match self {
            Self::Status(200..=299 | 301..=303) => 0,
            Self::Status(500) => 1,
            Self::Status(400 | 404) => 2,
            Self::Status(503) => 4,
            Self::Status(_) | Self::None => WAITS.len(),
        }
    }
}

/// What is to happen with a notification after an answer.
#[derive(Debug, PartialEq)]
pub(crate) enum Next {
    Delivered,
    GivenUp,
    Again(Webhook),
}

impl Webhook {
    /// Applies the rules; `speedup` divides the waits.
    pub(crate) fn after(mut self, answer: Answer, now: OffsetDateTime, speedup: u32) -> Next {
        if answer.is_accepted() {
            return Next::Delivered;
        }
        match WAITS.get(self.retries) {
            Some(wait) if self.retries < answer.retries() => {
                self.retries += 1;
                self.next_at = now + wait.mul_f64(rand::rng().random_range(EARLIEST..=1.0)) / speedup;
                Next::Again(self)
            }
            _ => Next::GivenUp,
        }
    }
}

/// The client notifications are sent with.
pub(crate) fn http_client() -> reqwest::Result<Client> {
    Client::builder().timeout(TIMEOUT).redirect(redirect::Policy::none()).build()
}

/// Posts it, following 307 and 308 with the same body.
pub(crate) async fn send(http: &Client, webhook: &Webhook) -> Answer {
    let mut url = webhook.url.clone();
    for _ in 0..=MAX_HOPS {
        let request = http
            .post(&url)
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, "application/json")
            .header(USER_AGENT, "Veritrans");
        let Ok(response) = request.body(webhook.body.clone()).send().await else { return Answer::None };
        let moved =
            [StatusCode::TEMPORARY_REDIRECT, StatusCode::PERMANENT_REDIRECT].contains(&response.status());
        let target = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
        match target.and_then(|target| Url::parse(&url).ok()?.join(target).ok()) {
            Some(target) if moved => url = target.into(),
            _ => return Answer::Status(response.status().as_u16()),
        }
    }
    Answer::None
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use time::OffsetDateTime;
    use time::macros::datetime;
    use uuid::Uuid;

    use super::{Answer, EARLIEST, Next, WAITS, Webhook};

    const NOW: OffsetDateTime = datetime!(2030-01-01 12:00 UTC);

    fn webhook() -> Webhook {
        Webhook {
            id: Uuid::nil(),
            order_id: "INV-1".to_owned(),
            url: "http://127.0.0.1/".to_owned(),
            body: "{}".to_owned(),
            retries: 0,
            next_at: NOW,
        }
    }

    /// The waits until it is given up, if the answer is always the same.
    fn waits(answer: Answer, speedup: u32) -> Vec<Duration> {
        let (mut webhook, mut waits) = (webhook(), Vec::new());
        loop {
            match webhook.after(answer, NOW, speedup) {
                Next::Again(again) => {
                    waits.push(Duration::try_from(again.next_at - NOW).unwrap());
                    webhook = again;
                }
                Next::GivenUp => return waits,
                Next::Delivered => panic!("{answer:?} is not an acceptance"),
            }
        }
    }

    #[test]
    fn what_is_accepted_is_not_sent_again() {
        for status in [200, 201, 204, 299] {
            assert_eq!(webhook().after(Answer::Status(status), NOW, 1), Next::Delivered);
        }
    }

    #[test]
    fn the_number_of_retries_depends_on_the_answer() {
        for (status, retries) in [
            (500, 1),
            (503, 4),
            (400, 2),
            (404, 2),
            (301, 0),
            (302, 0),
            (303, 0),
            (401, 5),
            (403, 5),
            (422, 5),
            (429, 5),
            (502, 5),
        ] {
            assert_eq!(waits(Answer::Status(status), 1).len(), retries, "{status}");
        }
        assert_eq!(waits(Answer::None, 1).len(), 5);
    }

    #[test]
    fn the_waits_are_midtrans_own_and_at_most_so_much_earlier() {
        for (wait, full) in waits(Answer::None, 1).iter().zip(WAITS) {
            assert!(*wait <= full && *wait >= full.mul_f64(EARLIEST), "{wait:?} of {full:?}");
        }
    }

    #[test]
    fn the_speedup_divides_the_waits() {
        for (wait, full) in waits(Answer::None, 1000).iter().zip(WAITS) {
            assert!(*wait <= full / 1000, "{wait:?} of {full:?}");
        }
    }

    #[test]
    fn a_better_answer_ends_the_retries_early() {
        let Next::Again(again) = webhook().after(Answer::Status(502), NOW, 1) else { panic!("a retry") };
        assert_eq!(again.after(Answer::Status(500), NOW, 1), Next::GivenUp);
    }
}
