//! Processes of two versions at once: what an older one wrote is read today, and what is written today an older one
//! reads.
//!
//! `v1.json` are entries as version 1 wrote them, with and without each member that may be absent and with every
//! value of each list of values. They stay as they are; entries of members that are new go below them.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{collections::BTreeSet, fs, path::Path};

use contracts::events::*;
use serde::Deserialize;
use serde_json::Value;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

macro_rules! types {
    ($($event:ident),*) => {
        const TYPES: &[&str] = &[$($event::TYPE),*];

        /// Reads an entry and writes it again, as today.
        fn again(entry: &Fields) -> Result<Fields, Undecodable> {
            match entry["type"].as_str() {
                $($event::TYPE => Ok(Envelope::<$event>::from_fields(entry)?.to_fields()?),)*
                other => panic!("{other} is not in this list of events"),
            }
        }
    };
}

types!(
    OrderCreated,
    StockReserved,
    StockInsufficient,
    PaymentSuccess,
    PaymentFailed,
    PaymentRefunded,
    PaymentReversed,
    OrderPaid,
    OrderCancelled,
    DeliveryShipped,
    DeliverySuccess,
    DeliveryFailed,
    SessionEnded,
    AccountMailRequested
);

/// How a consumer of version 1 reads a member.
enum Kind {
    Id,
    Rupiah,
    Flag,
    Time,
    Text,
    OneOf(&'static [&'static str]),
    List(&'static [&'static str]),
    Address,
}
use Kind::{Address, Flag, Id, List, OneOf, Rupiah, Text, Time};

const ITEMS: Kind = List(&["product_id", "quantity"]);

/// What a consumer of version 1 reads, whatever else is there. Frozen.
fn read_by_version_1(event: &str) -> Vec<(&'static str, Kind)> {
    let mut members = match event {
        "OrderCreated" => {
            vec![("user_id", Id), ("total_amount", Rupiah), ("items", ITEMS), ("created_at", Time)]
        }
        "StockInsufficient" => vec![
            ("reason", OneOf(&["insufficient", "product_gone"])),
            ("items", List(&["product_id", "requested", "available"])),
        ],
        "PaymentSuccess" => vec![("amount", Rupiah), ("payment_type", Text), ("paid_at", Time)],
        "PaymentFailed" => vec![("reason", OneOf(&["expired", "denied", "cancelled", "not_created"]))],
        "PaymentRefunded" => vec![
            ("cause", OneOf(&["delivery_failed", "late", "admin", "cancelled"])),
            ("amount", Rupiah),
            ("refunded_total", Rupiah),
            ("full", Flag),
        ],
        "PaymentReversed" => {
            vec![("kind", OneOf(&["chargeback", "denied_after_settlement"])), ("amount", Rupiah)]
        }
        "OrderPaid" => vec![
            ("user_id", Id),
            ("total_amount", Rupiah),
            ("items", ITEMS),
            ("ordered_at", Time),
            ("shipping_address", Address),
        ],
        "OrderCancelled" => vec![
            ("user_id", Id),
            ("items", ITEMS),
            ("cause", OneOf(&["customer", "admin", "stock", "payment", "timeout"])),
        ],
        "DeliveryShipped" => vec![("delivery_id", Id), ("tracking_number", Text)],
        "DeliverySuccess" => vec![("delivery_id", Id)],
        "DeliveryFailed" => vec![("delivery_id", Id), ("note", Text)],
        "SessionEnded" => return vec![("sid", Text), ("ended_at", Time)],
        "AccountMailRequested" => return vec![("mail_id", Text)],
        _ => Vec::new(),
    };
    members.push(("order_id", Id));
    members
}

/// The members that may be absent.
const OPTIONAL: [(&str, &str); 3] =
    [("OrderPaid", "shipping_address"), ("DeliveryShipped", "tracking_number"), ("DeliveryFailed", "note")];

fn reads(kind: &Kind, text: &str) -> bool {
    let json = || serde_json::from_str::<Value>(text).ok();
    match kind {
        Id => text.parse::<i64>().is_ok_and(|id| id > 0),
        Rupiah => text.parse::<i64>().is_ok(),
        Flag => ["true", "false"].contains(&text),
        Time => OffsetDateTime::parse(text, &Rfc3339).is_ok(),
        Text => !text.is_empty(),
        OneOf(values) => values.contains(&text),
        List(members) => json().is_some_and(|list| {
            let whole = |item: &Value| members.iter().all(|name| item[*name].is_i64());
            list.as_array().is_some_and(|list| !list.is_empty() && list.iter().all(whole))
        }),
        Address => json().is_some_and(|address| {
            ["recipient", "phone", "street", "city", "postal_code", "country"]
                .iter()
                .all(|name| address[*name].is_string())
        }),
    }
}

fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn old_entries() -> Vec<Fields> {
    serde_json::from_str(&fs::read_to_string(folder().join("tests/v1.json")).unwrap()).unwrap()
}

#[derive(Deserialize)]
struct Locked {
    fields: Fields,
}

/// What is written today, by type.
fn locked(event: &str) -> Fields {
    let file = folder().join(format!("tests/snapshots/events__{event}.snap"));
    let text = fs::read_to_string(&file).unwrap_or_else(|_| panic!("{event} has no snapshot"));
    serde_json::from_str::<Locked>(text.splitn(3, "---\n").nth(2).unwrap()).unwrap().fields
}

#[test]
fn every_event_type_is_locked_and_nothing_else() {
    let files = fs::read_dir(folder().join("src/events/payloads")).unwrap();
    let source: String = files.map(|file| fs::read_to_string(file.unwrap().path()).unwrap()).collect();
    let declared = source.lines().filter_map(|line| {
        let by_macro = line.strip_prefix("event!(").and_then(|rest| rest.split(',').next());
        by_macro.or_else(|| line.strip_prefix("impl Event for ")?.split(' ').next())
    });
    let declared: BTreeSet<_> = declared.filter(|name| !name.starts_with('$')).collect();
    assert_eq!(declared, TYPES.iter().copied().collect(), "src/events/payloads and this test differ");
    let snapshots = fs::read_dir(folder().join("tests/snapshots")).unwrap();
    let snapshots = snapshots.map(|file| file.unwrap().file_name().into_string().unwrap());
    let expected: BTreeSet<_> = TYPES.iter().map(|event| format!("events__{event}.snap")).collect();
    assert_eq!(snapshots.collect::<BTreeSet<_>>(), expected);
    let old: BTreeSet<_> = old_entries().iter().map(|entry| entry["type"].clone()).collect();
    assert_eq!(old, TYPES.iter().map(|&event| event.to_owned()).collect(), "v1.json");
}

#[test]
fn what_version_1_wrote_is_read_today_without_loss() {
    for entry in old_entries() {
        let written = again(&entry).unwrap_or_else(|error| panic!("{error}: {entry:?}"));
        for (name, value) in &entry {
            assert_eq!(written.get(name), Some(value), "{name} of {}", entry["type"]);
        }
    }
}

#[test]
fn what_is_written_today_version_1_reads() {
    for event in TYPES {
        let entry = locked(event);
        for (name, kind) in read_by_version_1(event) {
            let value = entry.get(name).unwrap_or_else(|| panic!("{event} has lost {name}"));
            assert!(reads(&kind, value), "{name} of {event} is {value}");
        }
        for common in ["event_id", "type", "version", "occurred_at", "correlation_id", "traceparent"] {
            assert!(entry.contains_key(common), "{event} has lost {common}");
        }
        assert_eq!(entry["version"], "1", "{event}: version 1 reads no other");
    }
}

#[test]
fn today_every_value_of_each_list_is_read_and_an_unknown_one_is_refused() {
    for event in TYPES {
        for (name, kind) in read_by_version_1(event) {
            let OneOf(values) = kind else { continue };
            let with = |value: &str| {
                let mut entry = locked(event);
                entry.insert(name.to_owned(), value.to_owned());
                again(&entry)
            };
            for value in values {
                assert_eq!(with(value).unwrap()[name], *value);
            }
            assert!(with("surprise").is_err(), "{name} of {event}");
        }
    }
}

#[test]
fn only_the_optional_members_may_be_absent_and_unknown_ones_are_passed_over() {
    for event in TYPES {
        for (name, _) in read_by_version_1(event) {
            let mut entry = locked(event);
            entry.remove(name);
            entry.insert("added_later".to_owned(), "{\"x\":[1]}".to_owned());
            assert_eq!(again(&entry).is_ok(), OPTIONAL.contains(&(event, name)), "{event} without {name}");
        }
    }
}

#[test]
fn a_member_that_is_added_inside_an_item_or_an_address_is_passed_over() {
    for (event, name) in
        [("OrderPaid", "items"), ("OrderPaid", "shipping_address"), ("StockInsufficient", "items")]
    {
        let mut entry = locked(event);
        let newer = entry[name].replacen('{', "{\"added_later\":{\"x\":1},", 1);
        entry.insert(name.to_owned(), newer);
        assert_eq!(again(&entry).unwrap()[name], locked(event)[name], "{name} of {event}");
    }
}
