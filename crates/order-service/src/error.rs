//! The problem that each error becomes.

use chassis::{Codes, Problem, Refuses, codes};
use contracts::ProductId;
use serde_json::Value;

use crate::{
    app::{CancelOrderError, PlaceOrderError},
    domain::{OverLimit, Refusal, Unorderable},
};

codes! {
    /// Why this service refuses a request.
    pub enum Code {
        /// There is no such order, or it is not yours.
        UnknownOrder(NOT_FOUND, "not_found"),
        /// Some products of the cart are not on sale any more.
        ProductUnavailable(CONFLICT, "product_unavailable"),
        /// The order costs something else than expected.
        PriceChanged(CONFLICT, "price_changed"),
        /// The shop sells only to accounts with a verified e-mail address: verify it, then refresh the token.
        EmailNotVerified(CONFLICT, "email_not_verified"),
        /// There are too many unpaid orders already: pay or cancel one of them first.
        TooManyOpenOrders(CONFLICT, "too_many_open_orders"),
        /// Unpaid orders can have only so many units.
        TooManyUnits(CONFLICT, "too_many_units"),
        /// There is nothing in the cart.
        EmptyCart(UNPROCESSABLE_ENTITY, "empty_cart"),
        /// Some of the products are not in the cart.
        NotInCart(UNPROCESSABLE_ENTITY, "not_in_cart"),
        /// The order costs more than an order may.
        TotalTooLarge(UNPROCESSABLE_ENTITY, "total_too_large"),
        /// This Idempotency-Key was used for another request; use a new one.
        IdempotencyKeyReused(UNPROCESSABLE_ENTITY, "idempotency_key_reused"),
        /// The cart cannot be read at the moment; try again.
        CartUnavailable(SERVICE_UNAVAILABLE, "cart_unavailable"),
        /// The catalogue cannot be read at the moment; try again.
        CatalogueUnavailable(SERVICE_UNAVAILABLE, "catalogue_unavailable"),
        /// The order is paid.
        AlreadyPaid(CONFLICT, "already_paid"),
        /// The goods have left.
        AlreadyShipped(CONFLICT, "already_shipped"),
        /// The order has ended.
        NotCancellable(CONFLICT, "not_cancellable"),
        /// It is not known at the moment whether the order was paid; it is cancelled if not.
        PaymentUnknown(SERVICE_UNAVAILABLE, "payment_unknown"),
        /// The delivery cannot be stopped at the moment; the order is cancelled once it can.
        DeliveryUnavailable(SERVICE_UNAVAILABLE, "delivery_unavailable"),
        /// The order is changing at this moment; try again.
        OrderBusy(SERVICE_UNAVAILABLE, "order_busy"),
    }
}

impl Refuses for PlaceOrderError {
    const CODES: Codes = &[
        &Code::ProductUnavailable,
        &Code::PriceChanged,
        &Code::EmailNotVerified,
        &Code::TooManyOpenOrders,
        &Code::TooManyUnits,
        &Code::EmptyCart,
        &Code::NotInCart,
        &Code::TotalTooLarge,
        &Code::IdempotencyKeyReused,
        &chassis::Code::TooManyRequests,
        &Code::CartUnavailable,
        &Code::CatalogueUnavailable,
    ];
}

impl From<PlaceOrderError> for Problem {
    fn from(error: PlaceOrderError) -> Self {
        match error {
            PlaceOrderError::Unorderable(why) => unorderable(why),
            PlaceOrderError::NotInCart(ids) => Self::from(Code::NotInCart).with("product_ids", numbers(&ids)),
            PlaceOrderError::EmailNotVerified => Code::EmailNotVerified.into(),
            PlaceOrderError::OverLimit(limit) => over_limit(limit),
            PlaceOrderError::TooOften(error) => error.into(),
            PlaceOrderError::KeyReused => Code::IdempotencyKeyReused.into(),
            PlaceOrderError::Cart(status) => Self::from_peer(status, Code::CartUnavailable),
            PlaceOrderError::Product(status) => Self::from_peer(status, Code::CatalogueUnavailable),
            PlaceOrderError::Database(error) => error.into(),
            PlaceOrderError::Json(error) => Self::internal(error),
        }
    }
}

fn unorderable(why: Unorderable) -> Problem {
    match why {
        Unorderable::Empty => Code::EmptyCart.into(),
        Unorderable::Gone(ids) => Problem::from(Code::ProductUnavailable).with("product_ids", numbers(&ids)),
        Unorderable::TotalTooLarge => Code::TotalTooLarge.into(),
        Unorderable::PriceChanged { expected, total } => {
            Problem::from(Code::PriceChanged).with("expected_total", expected).with("total_amount", total)
        }
    }
}

fn over_limit(limit: OverLimit) -> Problem {
    match limit {
        OverLimit::Orders(limit) => {
            let detail = format!("You have {limit} unpaid orders already: pay or cancel one of them first.");
            Problem::new(Code::TooManyOpenOrders, detail).with("limit", limit)
        }
        OverLimit::UnitsOfProduct(product, limit) => {
            let detail = format!("Your unpaid orders can have {limit} units of one product at most.");
            let problem = Problem::new(Code::TooManyUnits, detail).with("limit", limit);
            problem.with("product_id", product.get())
        }
        OverLimit::Units(limit) => {
            let detail = format!("Your unpaid orders can have {limit} units at most.");
            Problem::new(Code::TooManyUnits, detail).with("limit", limit)
        }
    }
}

fn numbers(ids: &[ProductId]) -> Value {
    ids.iter().map(|id| id.get()).collect()
}

impl Refuses for CancelOrderError {
    const CODES: Codes = &[
        &Code::UnknownOrder,
        &Code::AlreadyPaid,
        &Code::AlreadyShipped,
        &Code::NotCancellable,
        &chassis::Code::TooManyRequests,
        &Code::PaymentUnknown,
        &Code::DeliveryUnavailable,
        &Code::OrderBusy,
    ];
}

impl From<CancelOrderError> for Problem {
    fn from(error: CancelOrderError) -> Self {
        match error {
            CancelOrderError::Unknown => Code::UnknownOrder.into(),
            CancelOrderError::Refused(status, refusal) => {
                let detail = format!("An order that is {status} cannot be cancelled.");
                Self::new(code(refusal), detail).with("order_status", status.as_str())
            }
            CancelOrderError::TooOften(error) => error.into(),
            CancelOrderError::PaymentUnknown(source) => {
                let problem = Self::from(Code::PaymentUnknown);
                match source {
                    Some(status) => problem.caused_by(status),
                    None => problem,
                }
            }
            CancelOrderError::Delivery(status) => Self::from_peer(status, Code::DeliveryUnavailable),
            CancelOrderError::Busy => Code::OrderBusy.into(),
            CancelOrderError::Database(error) => error.into(),
            CancelOrderError::Failed(error) => Self::internal(error),
        }
    }
}

const fn code(refusal: Refusal) -> Code {
    match refusal {
        Refusal::AlreadyPaid => Code::AlreadyPaid,
        Refusal::AlreadyShipped => Code::AlreadyShipped,
        Refusal::Ended => Code::NotCancellable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_documented() {
        let faults = testkit::undocumented::<crate::OrderService>(Code::ALL, &[]);
        assert!(faults.is_empty(), "{faults:#?}");
    }
}
