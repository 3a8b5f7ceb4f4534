//! HTTP notifications: reading them, and telling a real one from a forged one.

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use sha2::{Digest, Sha512};
use subtle::ConstantTimeEq;

use crate::Transaction;

/// A notification as Midtrans posts it to the merchant (section 4).
///
/// `transaction_status` is not signed, so even a verified notification is only a hint: ask
/// [`Client::status`](crate::Client::status) before acting on it (section 4.3).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Notification {
    /// What the notification claims.
    pub transaction: Transaction,
    /// The code it was signed with; differs from that of GET status for the same transaction (section 0.5).
    pub status_code: String,
    gross_amount_as_received: String,
    signature_key: String,
}

/// The body is not a notification.
#[derive(Debug, thiserror::Error)]
#[error("not a Midtrans notification")]
pub struct MalformedNotification(#[from] serde_json::Error);

/// The signed members, as text: the signature covers the amount exactly as it was written.
#[derive(Deserialize)]
struct Signed {
    status_code: String,
    gross_amount: String,
    signature_key: String,
}

impl Notification {
    /// Reads a request body. Unknown members are ignored, amounts are read exactly.
    pub fn parse(body: &[u8]) -> Result<Self, MalformedNotification> {
        let Signed { status_code, gross_amount, signature_key } = serde_json::from_slice(body)?;
        let transaction = serde_json::from_slice(body)?;
        Ok(Self { transaction, status_code, gross_amount_as_received: gross_amount, signature_key })
    }

    /// True if the signature was made with this server key; compared in constant time.
    pub fn verify_signature(&self, server_key: &SecretString) -> bool {
        let order_id = &self.transaction.order_id;
        let expected = signature_key(order_id, &self.status_code, &self.gross_amount_as_received, server_key);
        expected.as_bytes().ct_eq(self.signature_key.as_bytes()).into()
    }
}

/// `hex(SHA512(order_id + status_code + gross_amount + server_key))` of the texts as they are on the wire (section 4.3).
pub fn signature_key(
    order_id: &str,
    status_code: &str,
    gross_amount: &str,
    server_key: &SecretString,
) -> String {
    let mut hash = Sha512::new();
    for part in [order_id, status_code, gross_amount, server_key.expose_secret()] {
        hash.update(part);
    }
    hex::encode(hash.finalize())
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;
    use serde_json::{Value, json};

    use super::{Notification, signature_key};
    use crate::TransactionStatus;

    const KEY: &str = "SB-Mid-server-abc123cde456";
    const SIGNATURE: &str = "4ba1be6b9fb678f95d4a5cfb8fbab562a4b5fa90f3222a05966393087fc3c2ad\
                             01a282d455c8bf40b9321660134c5fa3061c2a3d58c3cbefd9a6fc3a837dedec";

    fn card_capture() -> Value {
        json!({
            "transaction_time": "2024-04-30 16:13:31", "transaction_status": "capture",
            "transaction_id": "1149059b-0000-4000-8000-000000000000", "three_ds_version": "2",
            "status_message": "midtrans payment notification", "status_code": "200", "signature_key": SIGNATURE,
            "payment_type": "credit_card", "order_id": "ORDER-101", "metadata": {}, "merchant_id": "G282567700",
            "masked_card": "48111111-1114", "gross_amount": "10000.00", "fraud_status": "accept",
            "expiry_time": "2024-05-08 16:13:31", "eci": "05", "currency": "IDR",
            "channel_response_message": "Approved", "channel_response_code": "00", "card_type": "credit",
            "bank": "cimb", "approval_code": "1714468424429",
        })
    }

    fn parse(value: &Value) -> Notification {
        Notification::parse(value.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn the_signature_is_that_of_the_published_vectors() {
        let key = SecretString::from(KEY);
        assert_eq!(signature_key("ORDER-101", "200", "10000.00", &key), SIGNATURE);
        let key = SecretString::from("askvnoibnosifnboseofinbofinfgbiufglnbfg");
        assert_eq!(
            signature_key("1111", "200", "100000.00", &key),
            "edc076b21793ebe3e17926350f5b8ae67d902fe657b3d0aa31b932d5c127e237\
             5d308a2bc94f3265ac2d80a1f181a79b997ac178a236fcff35af263fc4d4c231"
        );
    }

    #[test]
    fn a_genuine_notification_is_verified() {
        let notification = parse(&card_capture());
        assert!(notification.verify_signature(&KEY.into()));
        assert!(!notification.verify_signature(&"another key".into()));
        assert_eq!(notification.transaction.transaction_status, TransactionStatus::Capture);
    }

    #[test]
    fn changing_anything_that_is_signed_breaks_the_signature() {
        for (member, forged) in [
            ("order_id", "ORDER-102"),
            ("status_code", "201"),
            ("gross_amount", "10000"),
            ("gross_amount", "1.00"),
            ("signature_key", ""),
            ("signature_key", &SIGNATURE.to_uppercase()),
        ] {
            let mut value = card_capture();
            value[member] = json!(forged);
            assert!(!parse(&value).verify_signature(&KEY.into()), "{member} = {forged}");
        }
    }

    #[test]
    fn the_dashboards_test_message_is_understood() {
        let value = json!({
            "transaction_time": "2023-11-15 18:45:13", "transaction_status": "settlement",
            "transaction_id": "513f1f01-c9da-474c-9fc9-d5c64364b709",
            "status_message": "midtrans payment notification", "status_code": "200", "signature_key": "ab",
            "settlement_time": "2023-11-15 22:45:13", "payment_type": "gopay",
            "order_id": "payment_notif_test_G706699487_6f3bb2f4-14f5-4f3a-9dd6-9a8f4a7b7d44",
            "merchant_id": "G706699487", "gross_amount": "105000.00", "fraud_status": "accept", "currency": "IDR",
        });
        assert_eq!(parse(&value).transaction.gross_amount, 105_000);
    }

    #[test]
    fn what_is_not_a_notification_is_malformed() {
        let mut without_signature = card_capture();
        without_signature.as_object_mut().unwrap().remove("signature_key");
        for body in ["", "null", "[]", "{}", &without_signature.to_string()] {
            assert!(Notification::parse(body.as_bytes()).is_err(), "{body}");
        }
    }
}
