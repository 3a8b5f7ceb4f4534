//! The problem that each error becomes.

use chassis::Problem;
use contracts::ProductId;
use serde_json::Value;

use crate::{
    app::{CancelOrderError, PlaceOrderError},
    domain::{OverLimit, Refusal, Unorderable},
};

/// The answer where an order does not exist, or is somebody else's.
pub(crate) fn no_such_order() -> Problem {
    Problem::not_found("There is no such order.")
}

impl From<PlaceOrderError> for Problem {
    fn from(error: PlaceOrderError) -> Self {
        match error {
            PlaceOrderError::Unorderable(why) => unorderable(why),
            PlaceOrderError::NotInCart(ids) => {
                Self::unprocessable("not_in_cart", "Some of the products are not in the cart.")
                    .with("product_ids", numbers(&ids))
            }
            PlaceOrderError::OverLimit(limit) => over_limit(limit),
            PlaceOrderError::TooOften(error) => error.into(),
            PlaceOrderError::KeyReused => {
                let detail = "This Idempotency-Key was used for another request; use a new one.";
                Self::unprocessable("idempotency_key_reused", detail)
            }
            PlaceOrderError::Cart(status) => Self::from_peer(
                status,
                "cart_unavailable",
                "The cart cannot be read at the moment; try again.",
            ),
            PlaceOrderError::Product(status) => {
                let detail = "The catalogue cannot be read at the moment; try again.";
                Self::from_peer(status, "catalogue_unavailable", detail)
            }
            PlaceOrderError::Database(error) => error.into(),
            PlaceOrderError::Json(error) => Self::internal(error),
        }
    }
}

fn unorderable(why: Unorderable) -> Problem {
    match why {
        Unorderable::Empty => Problem::unprocessable("empty_cart", "There is nothing in the cart."),
        Unorderable::Gone(ids) => {
            Problem::conflict("product_unavailable", "Some products of the cart are not on sale any more.")
                .with("product_ids", numbers(&ids))
        }
        Unorderable::TotalTooLarge => {
            Problem::unprocessable("total_too_large", "The order costs more than an order may.")
        }
        Unorderable::PriceChanged { expected, total } => {
            Problem::conflict("price_changed", "The order costs something else than expected.")
                .with("expected_total", expected)
                .with("total_amount", total)
        }
    }
}

fn over_limit(limit: OverLimit) -> Problem {
    match limit {
        OverLimit::Orders(limit) => {
            let detail = format!("You have {limit} unpaid orders already: pay or cancel one of them first.");
            Problem::conflict("too_many_open_orders", detail).with("limit", limit)
        }
        OverLimit::UnitsOfProduct(product, limit) => {
            let detail = format!("Your unpaid orders can have {limit} units of one product at most.");
            let problem = Problem::conflict("too_many_units", detail).with("limit", limit);
            problem.with("product_id", product.get())
        }
        OverLimit::Units(limit) => {
            let detail = format!("Your unpaid orders can have {limit} units at most.");
            Problem::conflict("too_many_units", detail).with("limit", limit)
        }
    }
}

fn numbers(ids: &[ProductId]) -> Value {
    ids.iter().map(|id| id.get()).collect()
}

impl From<CancelOrderError> for Problem {
    fn from(error: CancelOrderError) -> Self {
        match error {
            CancelOrderError::Unknown => no_such_order(),
            CancelOrderError::Refused(status, refusal) => {
                let detail = format!("An order that is {status} cannot be cancelled.");
                Self::conflict(code(refusal), detail).with("order_status", status.as_str())
            }
            CancelOrderError::TooOften(error) => error.into(),
            CancelOrderError::PaymentUnknown(source) => {
                let detail =
                    "It is not known at the moment whether the order was paid; it is cancelled if not.";
                let problem = Self::unavailable("payment_unknown", detail);
                match source {
                    Some(status) => problem.caused_by(status),
                    None => problem,
                }
            }
            CancelOrderError::Delivery(status) => {
                let detail =
                    "The delivery cannot be stopped at the moment; the order is cancelled once it can.";
                Self::from_peer(status, "delivery_unavailable", detail)
            }
            CancelOrderError::Busy => {
                Self::unavailable("order_busy", "The order is changing at this moment; try again.")
            }
            CancelOrderError::Database(error) => error.into(),
            CancelOrderError::Failed(error) => Self::internal(error),
        }
    }
}

const fn code(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::AlreadyPaid => "already_paid",
        Refusal::AlreadyShipped => "already_shipped",
        Refusal::Ended => "not_cancellable",
    }
}
