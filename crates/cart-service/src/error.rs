//! What the errors of this service are to its callers.

use chassis::Problem;
use messaging::HandlerError;

use crate::{
    app::{AddItemError, SetQuantityError},
    domain::{MAX_LINES, MAX_QUANTITY},
    store::StoreError,
};

impl From<AddItemError> for Problem {
    fn from(error: AddItemError) -> Self {
        match error {
            AddItemError::UnknownProduct => Self::not_found("There is no such product."),
            AddItemError::LimitReached => {
                let detail =
                    format!("A cart holds at most {MAX_LINES} products and {MAX_QUANTITY} units of each.");
                Self::conflict("limit_reached", detail)
            }
            AddItemError::Products(status) => Self::from_peer(
                status,
                "product_service_unavailable",
                "The catalogue does not answer; try again soon.",
            ),
            AddItemError::Store(error) => error.into(),
        }
    }
}

impl From<SetQuantityError> for Problem {
    fn from(error: SetQuantityError) -> Self {
        match error {
            SetQuantityError::NotInCart => Self::not_found("The product is not in the cart."),
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
