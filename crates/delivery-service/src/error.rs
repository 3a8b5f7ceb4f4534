//! What the errors of this service are to its callers.

use chassis::Problem;

use crate::app::advance_delivery::AdvanceDeliveryError;

/// The answer where a delivery does not exist, or is somebody else's.
pub(crate) fn no_such_delivery() -> Problem {
    Problem::not_found("There is no such delivery.")
}

impl From<AdvanceDeliveryError> for Problem {
    fn from(error: AdvanceDeliveryError) -> Self {
        match error {
            AdvanceDeliveryError::Unknown => no_such_delivery(),
            AdvanceDeliveryError::Illegal(illegal) => {
                let detail = format!("A delivery that is {} cannot become {}.", illegal.from, illegal.to);
                Self::conflict("illegal_change", detail)
                    .with("from", illegal.from.as_str())
                    .with("to", illegal.to.as_str())
            }
            AdvanceDeliveryError::Database(error) => error.into(),
        }
    }
}
