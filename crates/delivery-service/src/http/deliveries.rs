//! `/delivery`: a customer sees their own deliveries, the staff sees all, and whoever sees to fulfilment moves them.

use axum::{extract::State, response::IntoResponse};
use chassis::{
    Json, Path, Problem, Query, User,
    auth::{Fulfilment, StaffRole},
    http::{Page, Refusals, list_headers},
    rules::not_blank,
};
use contracts::{DeliveryId, OrderId, UserId, events::ShippingAddress};
use garde::Validate;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::{
    AppState,
    app::{self, Advance, AdvanceDeliveryError, Deliveries},
    domain::{Change, Delivery, Status},
    error::{Code, code},
    store::{self, Filter},
};

/// Who sees everybody's deliveries.
const READERS: &[StaffRole] = &[StaffRole::Fulfilment, StaffRole::Support];

const PATH: &str = "/api/v1/delivery";

/// Which deliveries to list, and which page of them.
#[derive(Debug, Clone, Copy, Deserialize, Validate, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListDeliveries {
    /// Only deliveries that have this status.
    #[garde(skip)]
    status: Option<Status>,
    /// Only the deliveries of this order.
    #[garde(skip)]
    #[param(value_type = Option<i64>, minimum = 1, maximum = 9_223_372_036_854_775_807_i64)]
    order_id: Option<OrderId>,
    /// Which page to return, counted from 1.
    #[serde(default = "Page::first")]
    #[garde(range(min = 1, max = 1_000_000_000))]
    #[param(minimum = 1, maximum = 1_000_000_000, default = 1)]
    page: i64,
    /// How many deliveries a page has.
    #[serde(default = "Page::ten")]
    #[garde(range(min = 1, max = 100))]
    #[param(minimum = 1, maximum = 100, default = 10)]
    limit: i64,
}

/// Where a delivery is from now on.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewStatus {
    /// The state it is in now.
    #[garde(skip)]
    status: Status,
    /// The carrier's number; the known one stays unless there is a new one.
    #[garde(length(chars, min = 1, max = 64), inner(custom(not_blank)))]
    #[schema(
        min_length = 1,
        max_length = 64,
        pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$",
        example = "JX-0042-1977"
    )]
    tracking_number: Option<String>,
    /// Anything worth keeping in the history.
    #[garde(length(chars, min = 1, max = 255), inner(custom(not_blank)))]
    #[schema(
        min_length = 1,
        max_length = 255,
        pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$",
        example = "Handed over to the carrier"
    )]
    note: Option<String>,
}

/// The goods of a paid order on their way to its buyer.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeliveryView {
    /// The number of the delivery.
    id: DeliveryId,
    /// The order whose goods are delivered.
    order_id: OrderId,
    /// The customer who placed the order.
    user_id: UserId,
    /// Where it is at this moment.
    status: Status,
    /// The number by which the carrier knows it, once that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 64, example = "JX-0042-1977")]
    tracking_number: Option<String>,
    /// Where it goes, if the buyer said.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    shipping_address: Option<ShippingAddress>,
    /// When the order was found paid.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(example = "2026-01-02T03:04:05Z")]
    created_at: OffsetDateTime,
    /// When its status last changed.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(example = "2026-01-02T09:00:00Z")]
    updated_at: OffsetDateTime,
    /// What happened to it, in order.
    #[schema(max_items = 10_000)]
    history: Vec<ChangeView>,
}

/// A change of a delivery, or what was added to it meanwhile: another number or a note.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChangeView {
    /// When the status was set.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(example = "2026-01-02T09:00:00Z")]
    at: OffsetDateTime,
    /// The status that it got.
    status: Status,
    /// What whoever changed it had to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 255, example = "Handed over to the carrier")]
    note: Option<String>,
}

/// A delivery after a request to change it.
#[derive(Debug, Serialize, ToSchema)]
pub struct StatusSet {
    /// A sentence for people.
    #[schema(max_length = 200, example = "The delivery is IN_TRANSIT")]
    message: String,
    /// The delivery as it is now.
    delivery: DeliveryView,
}

impl From<Delivery> for DeliveryView {
    fn from(delivery: Delivery) -> Self {
        Self {
            id: delivery.id,
            order_id: delivery.order_id,
            user_id: delivery.user_id,
            status: delivery.status,
            tracking_number: delivery.tracking_number,
            shipping_address: delivery.shipping_address,
            created_at: delivery.created_at,
            updated_at: delivery.updated_at,
            history: delivery.history.into_iter().map(ChangeView::from).collect(),
        }
    }
}

impl From<Change> for ChangeView {
    fn from(change: Change) -> Self {
        Self { at: change.at, status: change.status, note: change.note }
    }
}

/// List deliveries
///
/// Newest first: administrators, fulfilment and support see all, a customer only their own.
#[utoipa::path(
    get, path = "/api/v1/delivery", operation_id = "list_deliveries", tag = "delivery",
    params(ListDeliveries), security(("token" = [])),
    extensions(("x-sees-all" = json!(["fulfilment", "support"]))),
    responses((status = 200, description = "A page of deliveries", body = [DeliveryView], headers(
        ("Link" = String, description = "The next page, with rel=next; absent on the last one"),
        ("X-Total-Count" = i64, description = "How many there are on all pages"),
    )))
)]
pub async fn list_deliveries(
    State(state): State<AppState>,
    user: User,
    Query(query): Query<ListDeliveries>,
) -> Result<impl IntoResponse, Problem> {
    let filter = Filter { user_id: user.scope(READERS), status: query.status, order_id: query.order_id };
    let page = Page { page: query.page, limit: query.limit };
    let Deliveries { page: found, total } = app::list_deliveries(&state, filter, page).await?;
    let deliveries: Vec<_> = found.into_iter().map(DeliveryView::from).collect();
    let filters = [
        ("status", query.status.map(|it| it.to_string())),
        ("order_id", query.order_id.map(|id| id.to_string())),
    ];
    Ok((list_headers(PATH, total, filters, page.next(total)), axum::Json(deliveries)))
}

/// Get a delivery
///
/// With its history; for its buyer, administrators, fulfilment and support.
#[utoipa::path(
    get, path = "/api/v1/delivery/{id}", operation_id = "get_delivery", tag = "delivery",
    params(("id" = DeliveryId, Path, description = "The delivery's id")), security(("token" = [])),
    extensions(("x-sees-all" = json!(["fulfilment", "support"]))),
    responses(
        (status = 200, description = "The delivery", body = DeliveryView),
        Refusals<code::UnknownDelivery>,
    )
)]
pub async fn get_delivery(
    State(state): State<AppState>,
    user: User,
    Path(id): Path<DeliveryId>,
) -> Result<axum::Json<DeliveryView>, Problem> {
    let mut db = state.db.acquire().await?;
    let found = store::find_delivery(&mut db, id, user.scope(READERS)).await?;
    let delivery = found.ok_or(Code::UnknownDelivery)?;
    Ok(axum::Json(delivery.into()))
}

/// Set the status of a delivery
///
/// For administrators and fulfilment: `PENDING` -> `IN_TRANSIT` -> `DELIVERED` or `FAILED`; the middle may be left out. Repeating the present status changes and publishes nothing; a number or a note that comes with it and is new is kept. `CANCELLED` is reached only by cancelling the order.
#[utoipa::path(
    put, path = "/api/v1/delivery/{id}/status", operation_id = "set_delivery_status", tag = "delivery",
    params(("id" = DeliveryId, Path, description = "The delivery's id")), request_body = NewStatus,
    security(("token" = ["fulfilment"])),
    responses(
        (status = 200, description = "The delivery as it is now", body = StatusSet),
        Refusals<Fulfilment, AdvanceDeliveryError>,
    )
)]
pub async fn set_delivery_status(
    State(state): State<AppState>,
    _: Fulfilment,
    Path(id): Path<DeliveryId>,
    Json(body): Json<NewStatus>,
) -> Result<axum::Json<StatusSet>, Problem> {
    let advance = Advance::new(id, body.status, body.tracking_number, body.note);
    let delivery = app::advance_delivery(&state, advance).await?;
    let message = format!("The delivery is {}", delivery.status);
    Ok(axum::Json(StatusSet { message, delivery: delivery.into() }))
}
