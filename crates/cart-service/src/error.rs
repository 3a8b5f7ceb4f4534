//! What the errors of this service are to its callers.

use chassis::{Codes, Problem, Refuses, codes};
use messaging::HandlerError;

use crate::{
    app::{AddItemError, SetQuantityError},
    domain::{MAX_LINES, MAX_QUANTITY},
    store::StoreError,
};

codes! {
    /// Why this service refuses a request.
    pub enum Code {
        /// There is no such product.
        UnknownProduct(NOT_FOUND, "not_found"),
        /// The product is not in the cart.
        NotInCart(NOT_FOUND, "not_found"),
        /// More than 100 products, or 1000 units of one.
        LimitReached(CONFLICT, "limit_reached"),
        /// The catalogue does not answer; try again soon.
        ProductServiceUnavailable(SERVICE_UNAVAILABLE, "product_service_unavailable"),
    }
}

impl Refuses for AddItemError {
    const CODES: Codes = &[&Code::UnknownProduct, &Code::LimitReached, &Code::ProductServiceUnavailable];
}

impl From<AddItemError> for Problem {
    fn from(error: AddItemError) -> Self {
        match error {
            AddItemError::UnknownProduct => Code::UnknownProduct.into(),
            AddItemError::LimitReached => {
                let detail =
                    format!("A cart holds at most {MAX_LINES} products and {MAX_QUANTITY} units of each.");
                Self::new(Code::LimitReached, detail)
            }
            AddItemError::Products(status) => Self::from_peer(status, Code::ProductServiceUnavailable),
            AddItemError::Store(error) => error.into(),
        }
    }
}

impl Refuses for SetQuantityError {
    const CODES: Codes = &[&Code::NotInCart];
}

impl From<SetQuantityError> for Problem {
    fn from(error: SetQuantityError) -> Self {
        match error {
            SetQuantityError::NotInCart => Code::NotInCart.into(),
            SetQuantityError::Store(error) => error.into(),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Redis(error) => error.into(),
            unreadable @ StoreError::Unreadable(_) => Self::internal(unreadable),
        }
    }
}

impl From<StoreError> for HandlerError {
    /// A script that fails in itself is a bug; any other failure of Redis passes, and the event is retried.
    fn from(error: StoreError) -> Self {
        use redis::{ErrorKind, ServerErrorKind};
        match &error {
            StoreError::Redis(redis) if redis.kind() != ErrorKind::Server(ServerErrorKind::ResponseError) => {
                Self::retry(error)
            }
            StoreError::Redis(_) | StoreError::Unreadable(_) => Self::bug(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_documented() {
        let faults = testkit::undocumented::<crate::CartService>(Code::ALL, &[]);
        assert!(faults.is_empty(), "{faults:#?}");
    }
}
