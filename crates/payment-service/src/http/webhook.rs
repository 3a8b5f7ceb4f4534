//! `/payment/webhook`: where Midtrans says that something happened.

use axum::extract::State;
use chassis::{Json, Problem, http::Refusals};
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    AppState,
    app::{self, ReceiveNotificationError},
    store::NewNotification,
};

/// A notification of Midtrans. It has many more members, and new ones at any time: they are passed over, since only
/// Midtrans' answer to a question of ours counts.
#[derive(Debug, Deserialize, Validate, ToSchema)]
pub struct Notification {
    /// The id that the payment goes by at Midtrans.
    #[garde(length(chars, min = 1, max = 255))]
    #[schema(
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\u0000]*$",
        example = "local-41-1-Vq3n8ZpK2xYb"
    )]
    order_id: String,
    /// Midtrans' own id of the transaction.
    #[garde(length(chars, min = 1, max = 255))]
    #[schema(
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\u0000]*$",
        example = "1149059b-6c4f-4b4a-8f3c-0d6f2a1c9e55"
    )]
    transaction_id: String,
    /// What has become of it; not signed, so only a hint.
    #[garde(length(chars, min = 1, max = 64))]
    #[schema(min_length = 1, max_length = 64, pattern = r"^[^\u0000]*$", example = "settlement")]
    transaction_status: String,
    /// Part of what is signed.
    #[garde(length(chars, min = 1, max = 8))]
    #[schema(min_length = 1, max_length = 8, pattern = r"^[^\u0000]*$", example = "200")]
    status_code: String,
    /// Part of what is signed, as it is written.
    #[garde(length(chars, min = 1, max = 64))]
    #[schema(min_length = 1, max_length = 64, pattern = r"^[^\u0000]*$", example = "150000.00")]
    gross_amount: String,
    /// Hexadecimal SHA-512 of `order_id`, `status_code`, `gross_amount` and the server key.
    #[garde(length(chars, min = 1, max = 255))]
    #[schema(
        example = "3f0b8e6d27c491a53f0b8e6d27c491a53f0b8e6d27c491a53f0b8e6d27c491a53f0b8e6d27c491a53f0b8e6d27c491a53f0b8e6d27c491a53f0b8e6d27c491a5",
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\u0000]*$"
    )]
    signature_key: String,
}

/// The notification was stored, or had been.
#[derive(Debug, Serialize, ToSchema)]
pub struct Received {
    /// Always `ok`.
    #[schema(pattern = "^ok$", example = "ok")]
    status: &'static str,
}

/// Receive a notification
///
/// For Midtrans. A repeated notification, or one about a payment that is not ours, is answered 200 too.
#[utoipa::path(
    post, path = "/api/v1/payment/webhook", operation_id = "receive_notification", tag = "midtrans",
    request_body = Notification,
    responses(
        (status = 200, description = "Stored", body = Received),
        Refusals<ReceiveNotificationError>,
    )
)]
pub async fn receive_notification(
    State(state): State<AppState>,
    Json(notification): Json<Notification>,
) -> Result<axum::Json<Received>, Problem> {
    let new = NewNotification {
        midtrans_order_id: notification.order_id,
        status_code: notification.status_code,
        gross_amount: notification.gross_amount,
        transaction_id: notification.transaction_id,
        transaction_status: notification.transaction_status,
    };
    app::receive_notification(&state, new, &notification.signature_key).await?;
    Ok(axum::Json(Received { status: "ok" }))
}

/// Receive a notification, at its other path
///
/// The same at the path that older settings of Midtrans' dashboard have.
#[utoipa::path(
    post, path = "/api/v1/webhook", operation_id = "receive_notification_at_the_short_path", tag = "midtrans",
    request_body = Notification,
    responses(
        (status = 200, description = "Stored", body = Received),
        Refusals<ReceiveNotificationError>,
    )
)]
pub async fn receive_notification_at_the_short_path(
    state: State<AppState>,
    notification: Json<Notification>,
) -> Result<axum::Json<Received>, Problem> {
    receive_notification(state, notification).await
}
