//! `/payment/{order_id}/review`: finance decides about a payment of another amount than asked for.

use axum::extract::State;
use chassis::{Json, Path, Problem, auth::Finance, http::Refusals};
use contracts::OrderId;
use garde::Validate;
use serde::Deserialize;
use utoipa::ToSchema;

use super::payments::PaymentView;
use crate::{
    AppState,
    app::{self, DecideReviewError, decide_review},
};

/// What to do with the money.
#[derive(Debug, Clone, Copy, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Review {
    /// `accept`: the order counts as paid. `refund`: the money goes back, and the order has failed.
    #[garde(skip)]
    decision: Decision,
}

/// What becomes of the money that was paid.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// The order counts as paid, with what was paid.
    Accept,
    /// The money goes back, and the order has failed.
    Refund,
}

/// Review a payment
///
/// For administrators and finance: closes the review of a payment whose amount or currency was not the one asked for.
#[utoipa::path(
    post, path = "/api/v1/payment/{order_id}/review", operation_id = "review_payment", tag = "payment",
    params(("order_id" = OrderId, Path, description = "The order's id")),
    request_body = Review, security(("token" = ["finance"])),
    responses(
        (status = 200, description = "The payment as it is now", body = PaymentView),
        Refusals<Finance, DecideReviewError>,
    )
)]
pub async fn review_payment(
    State(state): State<AppState>,
    _: Finance,
    Path(order_id): Path<OrderId>,
    Json(review): Json<Review>,
) -> Result<axum::Json<PaymentView>, Problem> {
    let decision = match review.decision {
        Decision::Accept => app::Decision::Accept,
        Decision::Refund => app::Decision::Refund,
    };
    Ok(axum::Json(decide_review(&state, order_id, decision).await?.into()))
}
