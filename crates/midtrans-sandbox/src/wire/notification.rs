//! The body of a notification, signed, in the order of members that Midtrans has.

use secrecy::SecretString;
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::{Body, amount, notification_code, signature};
use crate::transaction::Transaction;

/// In what a notification is made to deviate from the truth.
#[derive(Debug, Clone, Default)]
pub(crate) struct Claim {
    pub(crate) amount: Option<i64>,
    pub(crate) forged: bool,
}

/// A notification: signed, members in reverse alphabetical order.
pub(crate) fn notification(body: Body, attempt: &Transaction, claim: &Claim, key: &SecretString) -> String {
    let mut body = body;
    if let Some(rupiah) = claim.amount {
        body.gross_amount = amount(rupiah);
    }
    let mut body = body.answer(notification_code(attempt), "midtrans payment notification", key);
    if claim.forged {
        body.signature_key =
            signature(&body.order_id, body.status_code, &body.gross_amount, &"forged".into());
    }
    serde_json::to_value(body).map(|value| Reversed(&value).to_json()).unwrap_or_default()
}

/// Writes objects with their members in reverse alphabetical order.
struct Reversed<'a>(&'a Value);

impl Reversed<'_> {
    fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl Serialize for Reversed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Object(members) => {
                let mut names: Vec<_> = members.keys().collect();
                names.sort_unstable_by(|a, b| b.cmp(a));
                let mut map = serializer.serialize_map(Some(names.len()))?;
                for name in names {
                    map.serialize_entry(name, &Reversed(&members[name]))?;
                }
                map.end()
            }
            Value::Array(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    list.serialize_element(&Reversed(item))?;
                }
                list.end()
            }
            other => other.serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn notifications_have_their_members_backwards_at_every_level() {
        let value = json!({"a": [{"x": 1, "y": 2}], "c": "1", "b": {}});
        assert_eq!(super::Reversed(&value).to_json(), r#"{"c":"1","b":{},"a":[{"y":2,"x":1}]}"#);
    }
}
