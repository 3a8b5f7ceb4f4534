//! Snap: a hosted payment page per order (section 2).

use std::time::Duration;

use serde::{Deserialize, Serialize, Serializer};
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use crate::times::WIB;
use crate::{Client, Error};

/// What the page is to charge (section 2.1). Only the order id and the amount are required.
#[derive(Debug, Clone, Serialize)]
pub struct SnapRequest {
    /// Which order is paid, and how much.
    pub transaction_details: TransactionDetails,
    /// What is bought; if given, the prices must add up to the amount.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub item_details: Vec<ItemDetail>,
    /// Who buys, for the page and the receipt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_details: Option<CustomerDetails>,
    /// How cards are charged.
    pub credit_card: CreditCard,
    /// Until when the page and the chosen method can be paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiry: Option<Expiry>,
    /// Until when the page can be used; more important than `expiry`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page_expiry: Option<PageExpiry>,
    /// Where the customer goes from the page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub callbacks: Option<Callbacks>,
    /// Up to 255 characters of the merchant's own, which notifications repeat.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_field1: Option<String>,
}

impl SnapRequest {
    /// A request with 3-D Secure on, and Midtrans' default of 24 hours.
    ///
    /// Midtrans takes at most 50 characters as `order_id`; stay with letters, digits and `-_~.`, and never use an id
    /// twice in the life of the account (section 2.1).
    pub fn new(order_id: impl Into<String>, gross_amount: i64) -> Self {
        Self {
            transaction_details: TransactionDetails { order_id: order_id.into(), gross_amount },
            item_details: Vec::new(),
            customer_details: None,
            credit_card: CreditCard { secure: true },
            expiry: None,
            page_expiry: None,
            callbacks: None,
            custom_field1: None,
        }
    }

    /// Ends page and payment `after` the given start. The start matters: without it Midtrans' clock starts when the
    /// customer picks a method, and a virtual account outlives the page by as much.
    #[must_use]
    pub fn expires(mut self, start: OffsetDateTime, after: Duration) -> Self {
        let (unit, duration) = ExpiryUnit::fitting(after);
        self.expiry = Some(Expiry { start_time: Some(start), unit, duration });
        self.page_expiry = Some(PageExpiry { unit, duration });
        self
    }

    /// Sends the customer here when done, with `order_id`, `status_code` and `transaction_status` appended. Those can be
    /// tampered with: for display only (section 2.3).
    #[must_use]
    pub fn finish(mut self, url: impl Into<String>) -> Self {
        self.callbacks = Some(Callbacks { finish: url.into() });
        self
    }

    /// Marks the order with a text of the merchant's own.
    #[must_use]
    pub fn custom_field1(mut self, text: impl Into<String>) -> Self {
        self.custom_field1 = Some(text.into());
        self
    }
}

/// The order that a page is made for: see [`SnapRequest`].
#[derive(Debug, Clone, Serialize)]
pub struct TransactionDetails {
    /// Unique for ever in the merchant's account.
    pub order_id: String,
    /// Whole rupiah, more than 0.
    pub gross_amount: i64,
}

/// One line of the order, as the page lists it.
#[derive(Debug, Clone, Serialize)]
pub struct ItemDetail {
    /// The merchant's id of the product, at most 50 characters.
    pub id: String,
    /// Whole rupiah per piece; negative for a discount.
    pub price: i64,
    /// Units, at least 1 of them.
    pub quantity: u32,
    /// At most 50 characters; Midtrans refuses longer ones.
    pub name: String,
}

/// The buyer, as far as the page should know.
#[derive(Debug, Clone, Default, Serialize)]
pub struct CustomerDetails {
    /// Shown on the page, beside the last name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// Shown on the page, beside the first name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// Where Midtrans sends its receipt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Where wallets send their requests to pay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
}

/// How cards are charged.
#[derive(Debug, Clone, Serialize)]
pub struct CreditCard {
    /// 3-D Secure; Midtrans' default is off, this crate's on.
    pub secure: bool,
}

/// Until when page and method can be paid: 20 seconds to 7 days.
#[derive(Debug, Clone, Serialize)]
pub struct Expiry {
    /// Start of the clock; without it, the moment the customer picks a method.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "start_time")]
    pub start_time: Option<OffsetDateTime>,
    /// In which unit `duration` counts.
    pub unit: ExpiryUnit,
    /// How long the payment can be made, in `unit`.
    pub duration: u64,
}

/// Until when the page can be used, from its creation. No notification is sent when it ends.
#[derive(Debug, Clone, Serialize)]
pub struct PageExpiry {
    /// In which unit `duration` counts.
    pub unit: ExpiryUnit,
    /// How long the page can be used, in `unit`.
    pub duration: u64,
}

/// The units in which Midtrans counts an expiry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ExpiryUnit {
    /// Documented for the Core API only; the local sandbox takes it in Snap too.
    Second,
    /// 60 seconds.
    Minute,
    /// 60 minutes.
    Hour,
    /// 24 hours.
    Day,
}

impl ExpiryUnit {
    /// Minutes where they are exact, as Snap documents them; seconds otherwise.
    fn fitting(duration: Duration) -> (Self, u64) {
        match duration.as_secs() {
            seconds if seconds % 60 == 0 => (Self::Minute, seconds / 60),
            seconds => (Self::Second, seconds),
        }
    }
}

/// Where the customer goes from the page.
#[derive(Debug, Clone, Serialize)]
pub struct Callbacks {
    /// The page to come back to, at most 255 characters.
    pub finish: String,
}

/// The page that was made, and its id.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct SnapPage {
    /// The id of the page, a UUID.
    pub token: String,
    /// Its address, to be treated as opaque.
    pub redirect_url: String,
}

impl Client {
    /// Makes a payment page. Doing it again before the customer has picked a method gives a new page and revokes the old
    /// one, so this is safe to repeat after [`Error::Unavailable`]; afterwards it is [`Error::DuplicateOrderId`].
    pub async fn create_snap(&self, request: &SnapRequest) -> Result<SnapPage, Error> {
        self.snap(&["transactions"], request).await?.into_value()
    }

    /// Closes a page that nobody has paid on (section 2.2); also one that is closed already.
    ///
    /// [`Error::CannotUpdate`]: the customer has picked a method, so there is a transaction to cancel instead.
    pub async fn cancel_snap_token(&self, token: &str) -> Result<(), Error> {
        let reply = self.snap(&["transactions", token, "cancel"], &serde_json::json!({})).await?;
        if reply.code < 400 {
            return Ok(());
        }
        // The HTTP codes of these errors are not documented, their texts are.
        let messages = reply.messages();
        let says = |text: &str| messages.iter().any(|message| message.to_ascii_lowercase().contains(text));
        if says("already canceled") {
            Ok(())
        } else if says("on progress") {
            Err(Error::CannotUpdate(messages.join("; ")))
        } else if says("not found") {
            Err(Error::NotFound(messages.join("; ")))
        } else {
            Err(reply.into_error())
        }
    }
}

const START_TIME: &[BorrowedFormatItem<'_>] = format_description!(
    "[year]-[month]-[day] [hour]:[minute]:[second] [offset_hour sign:mandatory][offset_minute]"
);

#[allow(clippy::ref_option, reason = "the signature is serde's")]
fn start_time<S: Serializer>(start: &Option<OffsetDateTime>, serializer: S) -> Result<S::Ok, S::Error> {
    let text = start.map(|start| start.to_offset(WIB).format(START_TIME)).transpose();
    text.map_err(serde::ser::Error::custom)?.serialize(serializer)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;
    use time::macros::datetime;

    use super::{CustomerDetails, ItemDetail, SnapRequest};

    #[test]
    fn the_smallest_request_holds_order_amount_and_3d_secure() {
        let request = SnapRequest::new("INV-1", 10_000);
        assert_eq!(
            serde_json::to_value(request).unwrap(),
            json!({
                "transaction_details": {"order_id": "INV-1", "gross_amount": 10_000},
                "credit_card": {"secure": true},
            })
        );
    }

    #[test]
    fn a_full_request_has_the_names_of_the_documentation() {
        let mut request = SnapRequest::new("INV-1", 10_000)
            .expires(datetime!(2030-12-20 11:11:08 UTC), Duration::from_mins(30))
            .finish("https://shop.example/paid")
            .custom_field1("INV-1");
        request.item_details =
            vec![ItemDetail { id: "1".into(), price: 5_000, quantity: 2, name: "Bear".into() }];
        request.customer_details =
            Some(CustomerDetails { first_name: Some("Ani".into()), ..Default::default() });
        assert_eq!(
            serde_json::to_value(request).unwrap(),
            json!({
                "transaction_details": {"order_id": "INV-1", "gross_amount": 10_000},
                "item_details": [{"id": "1", "price": 5_000, "quantity": 2, "name": "Bear"}],
                "customer_details": {"first_name": "Ani"},
                "credit_card": {"secure": true},
                "expiry": {"start_time": "2030-12-20 18:11:08 +0700", "unit": "minute", "duration": 30},
                "page_expiry": {"unit": "minute", "duration": 30},
                "callbacks": {"finish": "https://shop.example/paid"},
                "custom_field1": "INV-1",
            })
        );
    }

    #[test]
    fn an_end_that_is_no_whole_minute_is_given_in_seconds() {
        let request =
            SnapRequest::new("INV-1", 1).expires(datetime!(2030-01-01 0:00 UTC), Duration::from_secs(25));
        assert_eq!(
            serde_json::to_value(request).unwrap()["page_expiry"],
            json!({"unit": "second", "duration": 25})
        );
    }
}
