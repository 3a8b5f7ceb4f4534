//! The routes of this service.

mod payments;
mod refunds;
mod reviews;
mod webhook;

use contracts::OrderId;
use serde::Deserialize;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::App;

/// Every route with its description.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(webhook::receive_notification))
        .routes(routes!(webhook::receive_notification_at_the_short_path))
        .routes(routes!(payments::get_payment))
        .routes(routes!(refunds::refund_payment))
        .routes(routes!(reviews::review_payment))
}

/// The order in a path.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct OrderPath {
    order_id: OrderId,
}
