//! L4: every rupiah is somewhere. Midtrans' word counts for what was charged, the orders' for what is owed, and
//! payment-service must agree with both.

use super::views::{Order, Payment, Views};
use super::{Advice, Discrepancy, Finding, Ledger};
use crate::Result;

const KEPT: Advice = Advice {
    cause: "a payment or a refund was made that payment-service has not seen, or a row was changed by hand",
    remedy: "compare GET /api/v1/payment/{order_id} with Midtrans' dashboard; refund what was paid for nothing",
};
const DISAGREE: Advice = Advice {
    cause: "an event between order- and payment-service did not arrive, or one of the databases is an older copy",
    remedy: "see L6 for an event that was lost; do not hand out goods, and do not refund, before both agree",
};
const UNKNOWN: Advice = Advice {
    cause: "OrderCreated did not reach payment-service, or its database is an older copy",
    remedy: "see L6 for the event; order-service publishes OrderCreated of open orders again",
};
const GHOST: Advice = Advice {
    cause: "order-service's database was restored to an earlier state, or the order was deleted by hand",
    remedy: "restore the order, or refund at Midtrans' dashboard what was paid for it",
};
const STRANGER: Advice = Advice {
    cause: "a number of an order was given out twice after a restore, or a row was changed by hand",
    remedy: "compare both databases with their backups before money moves",
};
const REFUNDS: Advice = Advice {
    cause: "PaymentRefunded did not reach order-service, or a row was changed by hand",
    remedy: "see L6 for the event; Midtrans' dashboard says what went back",
};
const TAKEN_BACK: Advice = Advice {
    cause: "the customer's bank took the money back (a chargeback), or it was cancelled on Midtrans' dashboard",
    remedy: "stop the delivery if that is still possible, and answer the chargeback at Midtrans",
};
const NOT_ASKED: Advice = Advice {
    cause: "there is no server key, there are too many payments, or Midtrans did not answer",
    remedy: "set MIDTRANS_ENVIRONMENT and MIDTRANS_SERVER_KEY, and compare the others with Midtrans' own report",
};

impl Ledger {
    pub(super) async fn money_adds_up(&self, views: &Views) -> Result<Finding> {
        let charged = self.charged().await?;
        let mut broken = Vec::new();
        for order in views.orders.values() {
            let payment = views.payments.get(&order.id);
            broken.extend(compare(order, payment));
            let kept = charged.by_order.get(&order.id).copied();
            let kept = if charged.complete { Some(kept.unwrap_or_default()) } else { kept };
            broken.extend(kept.and_then(|kept| balance(order, payment, kept)));
        }
        for payment in views.payments.values().filter(|it| !views.orders.contains_key(&it.order_id)) {
            broken.push(ghost(payment));
        }
        let reversed = views.payments.values().filter(|payment| payment.status == "REVERSED");
        let mut remarks: Vec<Discrepancy> = reversed.map(taken_back).collect();
        remarks.extend(charged.missing.map(|what| Discrepancy::new(NOT_ASKED, what)));
        let what = "what Midtrans charged and did not return is what paid orders cost, and payment-service says so too";
        Ok(Finding::new("L4", what, broken).with_remarks(remarks))
    }
}

fn taken_back(payment: &Payment) -> Discrepancy {
    let what = format!("the bank took back the payment of order {}", payment.order_id);
    Discrepancy::new(TAKEN_BACK, what).of_order(payment.order_id).since(payment.updated_at)
}

fn ghost(payment: &Payment) -> Discrepancy {
    let order = payment.order_id;
    let kept = payment.paid_amount.unwrap_or_default() - payment.refunded_amount;
    let what =
        format!("the payment of order {order}, which does not exist, is {} and keeps {kept}", payment.status);
    Discrepancy::new(GHOST, what).of_order(order).since(payment.updated_at)
}

/// What order- and payment-service say of one order.
fn compare(order: &Order, payment: Option<&Payment>) -> Option<Discrepancy> {
    let (id, status) = (order.id, &order.status);
    let found = |advice, what| {
        let since = payment.map_or(order.updated_at, |payment| payment.updated_at.max(order.updated_at));
        Some(Discrepancy::new(advice, what).of_order(id).since(since))
    };
    let Some(payment) = payment else {
        let wrong = status != "RECEIVED";
        return wrong.then(|| found(UNKNOWN, format!("order {id} is {status} and has no payment")))?;
    };
    if payment.user_id != order.user_id || payment.amount.is_some_and(|amount| amount != order.total_amount) {
        return found(STRANGER, format!("the payment of order {id} is another buyer's or of another amount"));
    }
    if !fits(status, payment) {
        let kept = payment.paid_amount.unwrap_or_default() - payment.refunded_amount;
        let what = format!("order {id} is {status}, but its payment is {} and keeps {kept}", payment.status);
        return found(DISAGREE, what);
    }
    let (told, done) = (payment.refunded_amount, payment.refunds_done);
    if told != done {
        return found(REFUNDS, format!("{told} went back for order {id}, but its refunds add up to {done}"));
    }
    (order.refunded != told).then(|| {
        found(REFUNDS, format!("{told} went back for order {id}, which knows of {}", order.refunded))
    })?
}

/// Whether a payment stands where the order's status says.
fn fits(order: &str, payment: &Payment) -> bool {
    let paid = ["SUCCESS", "PARTIALLY_REFUNDED"].contains(&payment.status.as_str());
    let over = ["REFUNDED", "REVERSED"].contains(&payment.status.as_str());
    let never = ["FAILED", "CANCELLED"].contains(&payment.status.as_str());
    // All that was paid is on its way back.
    let returns = payment.paid_amount.unwrap_or_default() <= payment.refunded_amount + payment.refunds_open;
    match order {
        "RECEIVED" => payment.status == "PENDING",
        "AWAITING_PAYMENT" => ["PENDING", "CHALLENGE", "REVIEW"].contains(&payment.status.as_str()),
        "PAID" | "SHIPPED" | "DELIVERED" => paid || over,
        "DELIVERY_FAILED" => over || paid && returns,
        "REFUNDED" => over,
        _ => never || over || payment.status == "REVIEW" || paid && returns,
    }
}

/// What Midtrans kept for an order against what the order stands for.
fn balance(order: &Order, payment: Option<&Payment>, kept: i64) -> Option<Discrepancy> {
    let kept = kept - payment.map_or(0, |payment| payment.manual_done);
    let owed = owed(order, payment, kept);
    (kept != owed).then(|| {
        let (id, status) = (order.id, &order.status);
        let what = format!("order {id} is {status} and stands for {owed}, Midtrans kept {kept}");
        Discrepancy::new(KEPT, what).of_order(id).since(order.updated_at)
    })
}

/// What Midtrans should have kept for an order.
fn owed(order: &Order, payment: Option<&Payment>, kept: i64) -> i64 {
    let undecided = |payment: &Payment| ["REVIEW", "REVERSED"].contains(&payment.status.as_str());
    match order.status.as_str() {
        _ if payment.is_some_and(undecided) => kept,
        "PAID" | "SHIPPED" | "DELIVERED" | "DELIVERY_FAILED" => {
            let accepted = payment.and_then(|payment| payment.accepted_amount);
            accepted.unwrap_or(order.total_amount) - order.refunded
        }
        _ => payment.map_or(0, |payment| payment.manual_open),
    }
}
