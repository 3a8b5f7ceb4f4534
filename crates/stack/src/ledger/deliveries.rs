//! L5: the deliveries of paid orders.

use super::views::{Delivery, Order, Views};
use super::{Advice, Discrepancy, Finding};

const GHOST: Advice = Advice {
    cause: "order-service's database was restored to an earlier state, or the order was deleted by hand",
    remedy: "do not hand the goods out before order-service's database is complete again",
};
const MISSING: Advice = Advice {
    cause: "delivery-service does not read OrderPaid, or lost its database",
    remedy: "see L6 for the event and the log of delivery-service; order-service publishes OrderPaid again every few minutes",
};
const DISAGREE: Advice = Advice {
    cause: "an event of delivery-service did not arrive, or a status was changed by hand",
    remedy: "see L6 for an event that was lost; if there is none, compare both histories and put the wrong one right",
};
const STRANGER: Advice = Advice {
    cause: "a number of an order was given out twice after a restore, or a row was changed by hand",
    remedy: "stop this delivery, and compare both databases with their backups",
};

pub(super) fn paid_orders_have_one_delivery(views: &Views) -> Finding {
    let mut broken = Vec::new();
    for order in views.orders.values() {
        broken.extend(compare(order, views.deliveries.get(&order.id)));
    }
    for delivery in views.deliveries.values().filter(|it| !views.orders.contains_key(&it.order_id)) {
        let what =
            format!("delivery {} is for order {}, which does not exist", delivery.id, delivery.order_id);
        broken.push(Discrepancy::new(GHOST, what).of_order(delivery.order_id).since(delivery.updated_at));
    }
    Finding::new("L5", "exactly the paid orders have a delivery, and it stands where they do", broken)
}

fn compare(order: &Order, delivery: Option<&Delivery>) -> Option<Discrepancy> {
    let (id, status) = (order.id, &order.status);
    let since = delivery.map_or(order.updated_at, |delivery| delivery.updated_at.max(order.updated_at));
    let found = |advice, what| Some(Discrepancy::new(advice, what).of_order(id).since(since));
    let stands = delivery.map_or("nothing", |delivery| delivery.status.as_str());
    if fits(status, stands) {
        let stranger = delivery.is_some_and(|it| it.user_id.is_some_and(|user| user != order.user_id));
        return if stranger {
            found(STRANGER, format!("the delivery of order {id} is another buyer's"))
        } else {
            None
        };
    }
    match delivery {
        None => found(MISSING, format!("order {id} is {status} and has no delivery")),
        Some(_) => found(DISAGREE, format!("order {id} is {status}, but its delivery is {stands}")),
    }
}

/// Whether the delivery of an order stands where the order's status says.
fn fits(order: &str, delivery: &str) -> bool {
    match order {
        "PAID" => delivery == "PENDING",
        "SHIPPED" => delivery == "IN_TRANSIT",
        "DELIVERED" => delivery == "DELIVERED",
        "DELIVERY_FAILED" | "REFUNDED" => delivery == "FAILED",
        _ => ["nothing", "CANCELLED"].contains(&delivery),
    }
}
