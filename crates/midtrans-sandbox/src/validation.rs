//! Reads the bodies of Snap create and Core charge by hand, so that every fault is reported at once and in Midtrans' words.

use std::time::Duration;

use serde_json::Value;
use time::OffsetDateTime;

use crate::cards::Card;
use crate::commands::{NewCharge, NewPage, NewRefund};
use crate::method::{Method, PaymentType};
use crate::order::{Destinations, PaymentExpiry};
use crate::wib;

const A_DAY: Duration = Duration::from_hours(24);
const SHORTEST_EXPIRY: Duration = Duration::from_secs(20);
const LONGEST_EXPIRY: Duration = Duration::from_hours(7 * 24);
const LONGEST_ORDER_ID: usize = 50;
const LONGEST_ITEM_NAME: usize = 50;
const LONGEST_TEXT: usize = 255;

/// The errors found so far, each in Midtrans' words.
#[derive(Default)]
struct ValidationErrors(Vec<String>);

impl ValidationErrors {
    fn add(&mut self, message: impl Into<String>) {
        self.0.push(message.into());
    }

    fn check<T>(self, value: T) -> Result<T, Vec<String>> {
        if self.0.is_empty() { Ok(value) } else { Err(self.0) }
    }
}

/// The body of Snap's create: a page to be made.
pub(crate) fn page(
    body: &Value,
    destinations: Destinations,
    now: OffsetDateTime,
) -> Result<NewPage, Vec<String>> {
    let mut errors = ValidationErrors::default();
    let (order_id, amount) = details(body, &mut errors);
    let payment_expiry = payment_expiry(&body["expiry"], ["start_time", "duration"], now, &mut errors);
    let page_expiry = duration(&body["page_expiry"], "page_expiry", "duration", &mut errors);
    let finish = text(body, "/callbacks/finish", &mut errors);
    let custom_fields = custom_fields(body, &mut errors);
    let fixed_end = payment_expiry.and_then(|expiry| expiry.start.map(|start| start + expiry.duration));
    let closes_at = page_expiry.map(|duration| now + duration).or(fixed_end).unwrap_or(now + A_DAY);
    errors.check(NewPage { order_id, amount, closes_at, payment_expiry, finish, custom_fields, destinations })
}

/// The body of the Core API's charge.
pub(crate) fn charge(
    body: &Value,
    destinations: Destinations,
    now: OffsetDateTime,
) -> Result<NewCharge, Vec<String>> {
    let mut errors = ValidationErrors::default();
    let (order_id, amount) = details(body, &mut errors);
    let expiry = payment_expiry(&body["custom_expiry"], ["order_time", "expiry_duration"], now, &mut errors);
    let custom_fields = custom_fields(body, &mut errors);
    let authorize_only = body["credit_card"]["type"] == "authorize";
    match method(body, &mut errors) {
        Some(method) => errors.check(NewCharge {
            order_id,
            amount,
            method,
            expiry,
            authorize_only,
            custom_fields,
            destinations,
        }),
        None => Err(errors.0),
    }
}

/// Core refund; null and nothing mean "all of it".
pub(crate) fn refund(body: &Value, direct: bool) -> Result<NewRefund, Vec<String>> {
    let mut errors = ValidationErrors::default();
    let key = text(body, "/refund_key", &mut errors);
    let plain = |key: &String| key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    if !key.as_ref().is_none_or(plain) {
        errors.add("refund_key format is invalid");
    }
    let amount = match &body["amount"] {
        Value::Null => None,
        amount => whole(amount).or_else(|| {
            errors.add("amount is not a number");
            None
        }),
    };
    let reason = text(body, "/reason", &mut errors).unwrap_or_default();
    errors.check(NewRefund { key, amount, reason, direct })
}

fn details(body: &Value, errors: &mut ValidationErrors) -> (String, i64) {
    let details = &body["transaction_details"];
    let amount = gross_amount(&details["gross_amount"], errors);
    let order_id = match details["order_id"].as_str() {
        None | Some("") => {
            errors.add("transaction_details.order_id is required");
            ""
        }
        Some(order_id) if order_id.chars().count() > LONGEST_ORDER_ID => {
            errors.add("transaction_details.order_id is too long");
            order_id
        }
        Some(order_id) => order_id,
    };
    if let Some(amount) = amount
        && items(&body["item_details"], errors).is_some_and(|sum| sum != amount)
    {
        errors.add("transaction_details.gross_amount is not equal to the sum of item_details");
    }
    (order_id.to_owned(), amount.unwrap_or_default())
}

fn gross_amount(value: &Value, errors: &mut ValidationErrors) -> Option<i64> {
    if value.is_null() {
        errors.add("transaction_details.gross_amount is required");
    }
    match whole(value) {
        None => errors.add("transaction_details.gross_amount is not a number"),
        Some(..=0) => errors.add("transaction_details.gross_amount must be greater than or equal to 0.01"),
        amount => return amount,
    }
    None
}

/// The sum of the items, or nothing if there are none or they cannot be added up.
fn items(value: &Value, errors: &mut ValidationErrors) -> Option<i64> {
    let items = value.as_array()?;
    let mut sum = Some(0_i64);
    for (n, item) in items.iter().enumerate() {
        let line = item_total(item, n, errors);
        sum = sum.zip(line).and_then(|(sum, line)| sum.checked_add(line));
    }
    sum
}

fn item_total(item: &Value, n: usize, errors: &mut ValidationErrors) -> Option<i64> {
    let name = item["name"].as_str().unwrap_or_default();
    if name.is_empty() {
        errors.add(format!("item_details[{n}].name is required"));
    } else if name.chars().count() > LONGEST_ITEM_NAME {
        errors.add(format!("item_details[{n}].name is too long"));
    }
    let mut number = |member: &str| {
        let number = whole(&item[member]);
        if number.is_none() {
            errors.add(format!("item_details[{n}].{member} is not a number"));
        }
        number
    };
    let (price, quantity) = (number("price"), number("quantity"));
    if quantity.is_some_and(|quantity| quantity < 1) {
        errors.add(format!("item_details[{n}].quantity must be greater than or equal to 1"));
        return None;
    }
    price?.checked_mul(quantity?)
}

fn payment_expiry(
    value: &Value,
    [start_name, duration_name]: [&str; 2],
    now: OffsetDateTime,
    errors: &mut ValidationErrors,
) -> Option<PaymentExpiry> {
    let duration = duration(value, "expiry", duration_name, errors)?;
    if duration < SHORTEST_EXPIRY {
        errors.add("expiry duration must be at least 20 seconds");
        return None;
    }
    let start = match &value[start_name] {
        Value::Null => None,
        start => {
            let Some(start) = start.as_str().and_then(wib::parse_request) else {
                errors.add(format!("expiry.{start_name} must be yyyy-MM-dd HH:mm:ss Z"));
                return None;
            };
            Some(start)
        }
    };
    let expiry = PaymentExpiry { start, duration: duration.min(LONGEST_EXPIRY) };
    if expiry.end(now) <= now {
        errors.add("expiry time is in the past");
    }
    Some(expiry)
}

fn duration(value: &Value, name: &str, member: &str, errors: &mut ValidationErrors) -> Option<Duration> {
    if value.is_null() {
        return None;
    }
    // The Core API takes minutes where no unit is given.
    let seconds = match value["unit"].as_str().unwrap_or("minute").trim_end_matches('s') {
        "second" => Some(1),
        "minute" => Some(60),
        "hour" => Some(60 * 60),
        "day" => Some(24 * 60 * 60),
        _ => None,
    };
    let count = value[member].as_u64().filter(|count| *count > 0);
    let duration = seconds.zip(count).and_then(|(seconds, count)| count.checked_mul(seconds));
    if duration.is_none() {
        errors.add(format!("{name} needs a positive {member} and a unit of second, minute, hour or day"));
    }
    // Nothing lives longer than a year, and dates further out cannot be written.
    duration.map(|seconds| Duration::from_secs(seconds).min(365 * A_DAY))
}

fn method(body: &Value, errors: &mut ValidationErrors) -> Option<Method> {
    let Some(name) = body["payment_type"].as_str() else {
        errors.add("payment_type is required");
        return None;
    };
    let of =
        |object: &str, member: &str, usual: &str| body[object][member].as_str().unwrap_or(usual).to_owned();
    Some(match PaymentType::parse(name) {
        Some(PaymentType::CreditCard) => {
            let Some(card) = body["credit_card"]["token_id"].as_str().and_then(Card::from_token) else {
                errors.add("credit_card.token_id is missing or invalid");
                return None;
            };
            Method::CreditCard { card }
        }
        Some(PaymentType::BankTransfer) => Method::bank_transfer(&of("bank_transfer", "bank", "bca")),
        Some(PaymentType::Echannel) => Method::echannel(),
        Some(PaymentType::Qris) => Method::qris(&of("qris", "acquirer", "gopay")),
        Some(PaymentType::Gopay) => Method::Gopay,
        Some(PaymentType::Shopeepay) => Method::Shopeepay,
        Some(PaymentType::Dana) => Method::Dana,
        Some(PaymentType::Cstore) => Method::cstore(&of("cstore", "store", "indomaret")),
        None => {
            errors.add("payment_type is not supported");
            return None;
        }
    })
}

fn custom_fields(body: &Value, errors: &mut ValidationErrors) -> [Option<String>; 3] {
    ["/custom_field1", "/custom_field2", "/custom_field3"].map(|pointer| text(body, pointer, errors))
}

fn text(body: &Value, pointer: &str, errors: &mut ValidationErrors) -> Option<String> {
    let text = body.pointer(pointer)?.as_str()?;
    if text.chars().count() > LONGEST_TEXT {
        errors.add(format!("{} is too long", pointer.trim_start_matches('/').replace('/', ".")));
    }
    Some(text.to_owned())
}

/// A whole number, also as `10000.0` or `"10000"`, read without floating point.
fn whole(value: &Value) -> Option<i64> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        _ => return None,
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, "0"));
    if fraction.is_empty() || fraction.bytes().any(|byte| byte != b'0') { None } else { whole.parse().ok() }
}

#[cfg(test)]
mod tests;
