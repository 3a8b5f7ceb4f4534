//! The second channel: a signed post to an adapter of the shop's own, which sends SMS or whatever else.
//!
//! The headers and the signature are those of Standard Webhooks (<https://www.standardwebhooks.com>).

use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use chassis::{BoxError, failpoint::around};
use hmac::{Hmac, KeyInit, Mac};
use reqwest::{StatusCode, redirect::Policy};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use sha2::Sha256;
use time::OffsetDateTime;

use super::SendError;
use crate::domain::{Contact, Message, Notification};

/// How long the adapter may take, within the deadline of a job.
const DEADLINE: Duration = Duration::from_secs(8);
/// Statuses below 500 that ask for another try.
const TRY_AGAIN: [StatusCode; 3] =
    [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_EARLY, StatusCode::TOO_MANY_REQUESTS];

/// What posts are signed with.
#[derive(Clone)]
pub struct SigningKey {
    mac: Hmac<Sha256>,
}

impl SigningKey {
    /// Reads `whsec_` and 24 to 64 bytes in base64.
    pub fn parse(secret: &SecretString) -> Option<Self> {
        let bytes = BASE64_STANDARD.decode(secret.expose_secret().strip_prefix("whsec_")?).ok()?;
        let mac = (24..=64).contains(&bytes.len()).then(|| Hmac::new_from_slice(&bytes).ok())??;
        Some(Self { mac })
    }

    /// The value of `webhook-signature` for a post.
    pub fn sign(&self, id: &str, timestamp: i64, body: &str) -> String {
        let mut mac = self.mac.clone();
        mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
        format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()))
    }
}

/// Posts notifications to the adapter.
#[derive(Clone)]
pub struct Webhook {
    client: reqwest::Client,
    url: String,
    key: SigningKey,
}

impl Webhook {
    /// Connects to nothing yet.
    ///
    /// # Errors
    /// If the secret is none.
    pub fn new(url: &str, secret: &SecretString) -> Result<Self, BoxError> {
        let client = reqwest::Client::builder().timeout(DEADLINE).redirect(Policy::none()).build()?;
        let key = SigningKey::parse(secret).ok_or("NOTIFICATION_WEBHOOK_SECRET cannot be read")?;
        Ok(Self { client, url: url.to_owned(), key })
    }

    /// Posts a message. If it may have been taken before, the adapter knows it by its `webhook-id`.
    ///
    /// # Errors
    /// If the adapter does not take it, for good or for now.
    pub async fn send(
        &self,
        notification: &Notification,
        contact: &Contact,
        message: &Message,
    ) -> Result<(), SendError> {
        let (id, timestamp) = (notification.message_id(), OffsetDateTime::now_utc().unix_timestamp());
        let body = body(notification, contact, message);
        let request = self
            .client
            .post(&self.url)
            .header("content-type", "application/json")
            .header("webhook-id", &id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", self.key.sign(&id, timestamp, &body))
            .body(body);
        let sent = around("sending", "a message to the adapter", request.send()).await;
        match sent.map(|response| response.status()) {
            Ok(status) if status.is_success() => Ok(()),
            Ok(status) if status.is_client_error() && !TRY_AGAIN.contains(&status) => {
                Err(SendError::Refused(status.as_u16()))
            }
            Ok(status) => Err(SendError::NotYet(format!("the adapter answered {status}"))),
            Err(error) => Err(SendError::not_yet(&error.without_url())),
        }
    }
}

fn body(notification: &Notification, contact: &Contact, message: &Message) -> String {
    json!({
        "type": format!("order.{}", notification.kind),
        "order_id": notification.order_id,
        "user_id": notification.user_id,
        "to": { "name": contact.name, "email": contact.email, "phone": contact.phone },
        "language": message.language,
        "subject": message.subject,
        "text": message.text,
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_that_of_the_standard() {
        let secret = SecretString::from("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let key = SigningKey::parse(&secret).unwrap();
        let signature = key.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
