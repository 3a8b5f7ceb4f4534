//! Every event as it stands on the wire. A changed snapshot is a broken contract, unless a member was only added.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use contracts::{DeliveryId, OrderId, ProductId, UserId, events::*};
use serde::Serialize;
use std::{collections::BTreeSet, fmt::Debug};
use time::macros::datetime;
use uuid::Uuid;

fn meta() -> Meta {
    Meta {
        event_id: Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001),
        occurred_at: datetime!(2026-01-02 03:04:05.678 UTC),
        correlation_id: "c-1".to_owned(),
        traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned(),
    }
}

fn order() -> OrderId {
    OrderId::try_from(41_i64).unwrap()
}

fn buyer() -> UserId {
    UserId::try_from(7_i64).unwrap()
}

fn delivery() -> DeliveryId {
    DeliveryId::try_from(9_i64).unwrap()
}

fn items() -> Vec<Item> {
    vec![Item { product_id: ProductId::try_from(3_i64).unwrap(), quantity: 2 }]
}

#[derive(Serialize)]
struct Locked {
    stream: &'static str,
    groups: &'static [&'static str],
    fields: Fields,
}

/// Locks the wire form of an event with all its members, and shows that it is read back whole, also with a member that this version does not know.
fn lock<E: Event + Clone + PartialEq + Debug>(event: E) {
    let fields = Envelope { meta: meta(), event: event.clone() }.to_fields().unwrap();
    let mut newer = fields.clone();
    newer.insert("added_later".to_owned(), "{\"x\":1}".to_owned());
    let read = Envelope::<E>::from_fields(&newer).unwrap();
    assert_eq!((read.event, read.meta), (event, meta()));
    let locked = Locked { stream: E::STREAM.name, groups: E::STREAM.groups, fields };
    insta::assert_json_snapshot!(E::TYPE, locked);
}

#[test]
fn order_events_are_locked() {
    let user_id = buyer();
    let at = datetime!(2026-01-02 03:04:05 UTC);
    lock(OrderCreated { order_id: order(), user_id, total_amount: 250_000, items: items(), created_at: at });
    let address = ShippingAddress {
        recipient: "Ani".to_owned(),
        phone: "+62 811".to_owned(),
        street: "Jl. Mawar 1".to_owned(),
        city: "Bandung".to_owned(),
        province: Some("Jawa Barat".to_owned()),
        postal_code: "40111".to_owned(),
        country: "ID".to_owned(),
    };
    let shipping_address = Some(address);
    let (order_id, items) = (order(), items());
    lock(OrderPaid {
        order_id,
        user_id,
        total_amount: 250_000,
        items: items.clone(),
        ordered_at: at,
        cart_read_at: Some(datetime!(2026-01-02 03:04:04.987654 UTC)),
        shipping_address,
    });
    lock(OrderCancelled {
        order_id,
        user_id,
        total_amount: Some(250_000),
        items,
        cause: CancelCause::Customer,
    });
}

#[test]
fn stock_events_are_locked() {
    let user_id = Some(buyer());
    lock(StockReserved { order_id: order(), user_id });
    let missing = Shortage { product_id: items()[0].product_id, requested: 2, available: 1 };
    let reason = InsufficientReason::Insufficient;
    lock(StockInsufficient { order_id: order(), user_id, reason, items: vec![missing] });
}

#[test]
fn payment_events_are_locked() {
    let (order_id, amount) = (order(), 250_000);
    let (user_id, total_amount) = (Some(buyer()), Some(amount));
    let paid_at = datetime!(2026-01-02 03:04:05 UTC);
    lock(PaymentSuccess {
        order_id,
        user_id,
        total_amount,
        amount,
        payment_type: "qris".to_owned(),
        paid_at,
    });
    lock(PaymentFailed { order_id, user_id, total_amount, reason: PaymentFailure::Expired });
    let cause = RefundCause::DeliveryFailed;
    lock(PaymentRefunded {
        order_id,
        user_id,
        total_amount,
        cause,
        amount,
        refunded_total: amount,
        full: true,
    });
    lock(PaymentReversed { order_id, user_id, total_amount, kind: ReversalKind::Chargeback, amount });
}

#[test]
fn delivery_and_account_events_are_locked() {
    let (order_id, user_id, delivery_id) = (order(), Some(buyer()), delivery());
    lock(DeliveryShipped { order_id, user_id, delivery_id, tracking_number: Some("JX-1".to_owned()) });
    lock(DeliverySuccess { order_id, user_id, delivery_id });
    lock(DeliveryFailed { order_id, user_id, delivery_id, note: Some("nobody at home".to_owned()) });
    lock(SessionEnded { sid: "s-1".to_owned(), ended_at: datetime!(2026-01-02 03:04:05 UTC) });
    lock(AccountMailRequested { mail_id: Uuid::from_u128(0x0190_0000_0000_4000_8000_0000_0000_0002) });
}

#[test]
fn an_entry_that_is_not_the_event_is_undecodable() {
    let good = Envelope { meta: meta(), event: StockReserved { order_id: order(), user_id: None } }
        .to_fields()
        .unwrap();
    let broken = |name: &str, value: Option<&str>| {
        let mut fields = good.clone();
        match value {
            Some(value) => fields.insert(name.to_owned(), value.to_owned()),
            None => fields.remove(name),
        };
        Envelope::<StockReserved>::from_fields(&fields).map(|_| ()).unwrap_err().to_string()
    };
    let errors: BTreeSet<String> = [
        broken("type", Some("OrderPaid")),
        broken("version", Some("2")),
        broken("event_id", None),
        broken("event_id", Some("1")),
        broken("occurred_at", Some("yesterday")),
        broken("order_id", Some("-4")),
        broken("order_id", None),
    ]
    .into();
    assert_eq!(errors.len(), 7, "{errors:#?}");
}
