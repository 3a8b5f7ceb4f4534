//! `/payment/{order_id}/refund`: finance gives money back.

use axum::{
    extract::State,
    http::{HeaderValue, StatusCode},
    response::{IntoResponse, Response},
};
use chassis::{
    BearerToken, IDEMPOTENCY_REPLAYED, IdempotencyKey, OptionalJson, Path, Problem, auth::Finance,
    http::Refusals, rules::not_blank,
};
use contracts::OrderId;
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::payments::PaymentView;
use crate::{
    AppState,
    app::{RefundRequest, RequestRefundError, Requester, request_refund},
};

/// How much to give back, and how.
#[derive(Debug, Clone, Default, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRefund {
    /// How much, in rupiah; all that is left if not said. With `manual` it is needed unless a refund waits to be made by hand.
    #[garde(range(min = 1, max = 9_000_000_000_000_000))]
    #[schema(minimum = 1, maximum = 9_000_000_000_000_000_i64, example = 50_000)]
    amount: Option<i64>,
    /// Why, for the books of the shop.
    #[garde(length(chars, min = 1, max = 255), inner(custom(not_blank)))]
    #[schema(
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$",
        example = "one of two shirts came back"
    )]
    reason: Option<String>,
    /// `manual`: the money was sent back by hand, past Midtrans. Closes the refund that waits for it, or records a new one.
    #[garde(skip)]
    method: Option<Method>,
    /// Where it can be found in the books; with `manual` only, and needed there.
    #[garde(length(chars, min = 1, max = 255), inner(custom(not_blank)), custom(with_manual(self.method)))]
    #[schema(min_length = 1, max_length = 255, pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$", extensions(("x-needed-with" = json!("method")), ("x-only-with" = json!("method"))), example = "bank transfer 4711")]
    reference: Option<String>,
}

/// How money goes back if not through Midtrans.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// By hand, past Midtrans; its reference is required.
    Manual,
}

fn with_manual(method: Option<Method>) -> impl FnOnce(&Option<String>, &()) -> garde::Result {
    move |reference, ()| match (method, reference) {
        (Some(Method::Manual), None) => Err(garde::Error::new("is needed with method manual")),
        (None, Some(_)) => Err(garde::Error::new("goes with method manual only")),
        (Some(Method::Manual), Some(_)) | (None, None) => Ok(()),
    }
}

/// Refund a payment
///
/// For administrators and finance: gives a payment back, in whole or in part. It is made soon after; a repetition with the same
/// Idempotency-Key gets the same reply and refunds once.
#[utoipa::path(
    post, path = "/api/v1/payment/{order_id}/refund", operation_id = "refund_payment", tag = "payment",
    params(
        ("order_id" = OrderId, Path, description = "The order's id"),
        ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255, pattern = r"^[\x21-\x7E]+$",
            description = "Recommended: a repetition with the same key gets the first reply, for 24 hours. 1 to 255 visible ASCII \
                characters",
            example = "refund-41-shirt"),
    ),
    request_body(content = Option<NewRefund>, description = "May be left out: then all that is left goes back"), security(("token" = ["finance"])),
    responses(
        (status = 202, description = "Accepted; the payment as it is now", body = PaymentView,
            headers(("Idempotency-Replayed" = String, description = "`true` on a stored reply"))),
        Refusals<Finance, RequestRefundError>,
    )
)]
pub async fn refund_payment(
    State(state): State<AppState>,
    Finance(claims): Finance,
    Path(order_id): Path<OrderId>,
    IdempotencyKey(key): IdempotencyKey,
    BearerToken(token): BearerToken,
    OptionalJson(new): OptionalJson<NewRefund>,
) -> Result<Response, Problem> {
    let requester = Requester { user_id: claims.user_id, token, key };
    let request = RefundRequest { amount: new.amount, reason: new.reason, reference: new.reference };
    let show = |view| serde_json::to_value(PaymentView::from(view));
    let answer = request_refund(&state, &requester, order_id, &request, show).await?;
    let mut response = (StatusCode::ACCEPTED, axum::Json(answer.body)).into_response();
    if answer.replayed {
        response.headers_mut().insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
    }
    Ok(response)
}
