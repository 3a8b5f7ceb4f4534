//! The routes of this service, a file per resource.

mod payments;
mod refunds;
mod reviews;
mod webhook;

use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::AppState;

/// What the document says beside the routes.
#[derive(OpenApi)]
#[openapi(
    info(description = "Payments of orders, their refunds, and what Midtrans has to say."),
    tags(
        (name = "payment", description = "The payment of an order"),
        (name = "midtrans", description = "For Midtrans, not for people"),
    )
)]
struct Document;

pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(webhook::receive_notification))
        .routes(routes!(webhook::receive_notification_at_the_short_path))
        .routes(routes!(payments::get_payment))
        .routes(routes!(refunds::refund_payment))
        .routes(routes!(reviews::review_payment))
}
