//! Every kind of hole: a change of one database, and what the doctor has to say about it.

use stack::shop::Service::{Delivery, Order, Payment, Product};

use super::{Hole, Orders, hole};

pub fn all(orders: &Orders) -> Vec<Hole> {
    [goods(orders), deadlines(orders), money(orders), events(orders)].into_iter().flatten().collect()
}

/// Removes what a table has of an order.
fn without(order: i64, table: &str) -> String {
    format!("DELETE FROM {table} WHERE order_id = {order};")
}

/// L1 and L2: orders that are gone, and goods.
#[rustfmt::skip]
fn goods(orders: &Orders) -> Vec<Hole> {
    let Orders { delivered, paid, product, .. } = orders;
    vec![
        hole(Order, ["order_history", "order_items", "cancellations", "stock_returns"].map(|table| without(*paid, table)).concat()
                + &format!("DELETE FROM orders WHERE id = {paid}"),
            &[("L1", format!("order {paid} was published but does not exist")),
              ("L2", format!("goods of order {paid}, which does not exist, are SOLD")),
              ("L4", format!("the payment of order {paid}, which does not exist, is SUCCESS and keeps 20000")),
              ("L5", format!("is for order {paid}, which does not exist"))]),
        hole(Order, "INSERT INTO idempotency_keys (user_id, route, key, request, status, reply, order_id)
                VALUES (1, '/order', 'k', '{}', 201, '{}', 99999)",
            &[("L1", "a reply was kept for order 99999, which does not exist".to_owned())]),
        hole(Product, format!("UPDATE products SET stock = stock + 1 WHERE id = {product}"),
            &[("L2", format!("product {product} has a stock of"))]),
        hole(Product, format!("DELETE FROM holds WHERE order_id = {delivered}"),
            &[("L2", format!("order {delivered} is DELIVERED, but its goods are nothing"))]),
        hole(Product, format!("UPDATE holds SET status = 'RELEASED' WHERE order_id = {paid}"),
            &[("L2", format!("order {paid} is PAID, but its goods are RELEASED"))]),
        hole(Product, format!("UPDATE holds SET user_id = user_id + 1 WHERE order_id = {paid}"),
            &[("L2", format!("the goods held for order {paid} are for another buyer"))]),
        hole(Product, format!("UPDATE holds SET items = jsonb_set(items, '{{0,quantity}}', '2') WHERE order_id = {paid}"),
            &[("L2", format!("order {paid} is for {product}:1, but {product}:2 are SOLD"))]),
        hole(Product, format!("DELETE FROM stock_movements WHERE order_id = {paid} AND reason = 'hold'"),
            &[("L2", format!("order {paid}: 1 x product {product} are SOLD, but movements say 0"))]),
    ]
}

/// L3: what nobody goes on with.
#[rustfmt::skip]
fn deadlines(orders: &Orders) -> Vec<Hole> {
    let Orders { delivered, awaiting, refunded, .. } = orders;
    vec![
        hole(Order, format!("UPDATE orders SET payment_expires = now() - interval '10 minutes' WHERE id = {awaiting}"),
            &[("L3", format!("order {awaiting} is still AWAITING_PAYMENT"))]),
        hole(Order, "DELETE FROM jobs.queue",
            &[("L3", format!("no job reconcile-unpaid waits for an order that is AWAITING_PAYMENT of order {awaiting}"))]),
        hole(Order, format!("INSERT INTO cancellations (order_id, step, requested_by, cause)
                VALUES ({awaiting}, 'close_payment', 1, 'customer')"),
            &[("L3", format!("no job close-payment waits for a cancellation of order {awaiting}"))]),
        hole(Order, format!("UPDATE stock_returns SET done_at = NULL WHERE order_id = {refunded}"),
            &[("L3", format!("no job stock-return waits for goods that come back of order {refunded}"))]),
        hole(Payment, "DELETE FROM jobs.queue",
            &[("L3", format!("no job poll waits for a payment that is open of order {awaiting}"))]),
        hole(Payment, "UPDATE notifications SET handled_at = NULL",
            &[("L3", format!("no job notification waits for a notification of order {delivered}"))]),
        hole(Payment, format!("UPDATE refunds SET state = 'REQUESTED', created_at = now() - interval '3 days'
                WHERE order_id = {refunded}"),
            &[("L3", format!("of 20000 for order {refunded} is still REQUESTED")),
              ("L3", format!("no job refund waits for a refund of order {refunded}"))]),
        hole(Payment, format!("UPDATE refunds SET state = 'MANUAL', updated_at = now() - interval '3 days'
                WHERE order_id = {refunded}"),
            &[("L3", format!("the payment of order {refunded} waits for an administrator"))]),
    ]
}

/// L4: what order- and payment-service say of money.
#[rustfmt::skip]
fn money(orders: &Orders) -> Vec<Hole> {
    let Orders { paid, .. } = orders;
    vec![
        hole(Payment, format!("DELETE FROM transactions WHERE midtrans_order_id IN
                (SELECT midtrans_order_id FROM payment_attempts WHERE order_id = {paid});")
                + &["payment_history", "payment_attempts", "payments"].map(|table| without(*paid, table)).concat(),
            &[("L4", format!("order {paid} is PAID and has no payment"))]),
        hole(Payment, format!("UPDATE payments SET status = 'CANCELLED' WHERE order_id = {paid}"),
            &[("L4", format!("order {paid} is PAID, but its payment is CANCELLED and keeps 20000")),
              ("L7", format!("payment of order {paid} is CANCELLED, but its history ends with SUCCESS"))]),
        hole(Payment, format!("UPDATE payments SET amount = 20001 WHERE order_id = {paid}"),
            &[("L4", format!("the payment of order {paid} is another buyer's or of another amount"))]),
        hole(Payment, format!("UPDATE payments SET refunded_amount = 5 WHERE order_id = {paid}"),
            &[("L4", format!("5 went back for order {paid}, but its refunds add up to 0"))]),
        hole(Order, format!("UPDATE orders SET refunded_amount = 5 WHERE id = {paid}"),
            &[("L4", format!("0 went back for order {paid}, which knows of 5")),
              ("L4", format!("order {paid} is PAID and stands for 19995, Midtrans kept 20000"))]),
    ]
}

/// L5 to L7: deliveries, events and histories.
#[rustfmt::skip]
fn events(orders: &Orders) -> Vec<Hole> {
    let Orders { delivered, paid, .. } = orders;
    vec![
        hole(Order, format!("UPDATE orders SET status = 'PAID' WHERE id = {delivered}"),
            &[("L5", format!("order {delivered} is PAID, but its delivery is DELIVERED")),
              ("L7", format!("order {delivered} is PAID, but its history ends with DELIVERED"))]),
        hole(Delivery, format!("DELETE FROM delivery_history WHERE delivery_id IN
                (SELECT id FROM deliveries WHERE order_id = {paid}); DELETE FROM deliveries WHERE order_id = {paid}"),
            &[("L5", format!("order {paid} is PAID and has no delivery"))]),
        hole(Delivery, format!("UPDATE deliveries SET user_id = user_id + 1 WHERE order_id = {paid}"),
            &[("L5", format!("the delivery of order {paid} is another buyer's"))]),
        hole(Delivery, "DELETE FROM messaging.inbox",
            &[("L6", "delivery-group never got event".to_owned())]),
        hole(Product, "DELETE FROM messaging.inbox", &[("L6", "product-group never got event".to_owned())]),
        hole(Payment, "DELETE FROM messaging.inbox", &[("L6", "payment-group never got event".to_owned())]),
        hole(Order, "DELETE FROM messaging.inbox", &[("L6", "order-group never got event".to_owned())]),
        hole(Order, "DELETE FROM messaging.outbox WHERE stream = 'stream:orders:paid'",
            &[("L6", "delivery-group has handled event".to_owned())]),
        hole(Payment, "UPDATE messaging.outbox SET published_at = NULL, mark = NULL, entry_ms = NULL, entry_seq = NULL",
            &[("L6", "of payment-service for stream:payment:success is unpublished".to_owned())]),
        hole(Payment, "INSERT INTO jobs.queue (kind, key, error, dead_at) VALUES ('example', '17', 'refused', now())",
            &[("L6", "job given up by payment-service: example of 17: refused".to_owned())]),
        hole(Order, format!("DELETE FROM order_history WHERE order_id = {delivered} AND to_status = 'SHIPPED'"),
            &[("L7", format!("order {delivered} was PAID, then went from SHIPPED to DELIVERED"))]),
    ]
}
