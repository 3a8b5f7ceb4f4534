//! `/notification`: a customer sees what they were sent, support sees all and has some sent again.

use axum::{extract::State, response::IntoResponse};
use chassis::{
    Path, Problem, Query, User,
    auth::{StaffRole, Support},
    http::{Page, Refusals, list_headers},
};
use contracts::{NotificationId, OrderId, UserId};
use garde::Validate;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::{
    AppState,
    app::{self, Notifications, RetryNotificationError},
    domain::{self, Channel, Kind},
    store::{Filter, Row},
};

const PATH: &str = "/api/v1/notification";

/// Which notifications to list.
#[derive(Debug, Clone, Copy, Deserialize, Validate, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListNotifications {
    /// Only those in this state.
    #[garde(skip)]
    state: Option<domain::State>,
    /// Only this order's.
    #[garde(skip)]
    #[param(value_type = Option<i64>, minimum = 1, maximum = 9_223_372_036_854_775_807_i64)]
    order_id: Option<OrderId>,
    /// The page, from 1.
    #[serde(default = "Page::first")]
    #[garde(range(min = 1, max = 1_000_000_000))]
    #[param(minimum = 1, maximum = 1_000_000_000, default = 1)]
    page: i64,
    /// Notifications per page.
    #[serde(default = "Page::ten")]
    #[garde(range(min = 1, max = 100))]
    #[param(minimum = 1, maximum = 100, default = 10)]
    limit: i64,
}

/// A message to a customer over one channel.
#[derive(Debug, Serialize, ToSchema)]
pub struct NotificationView {
    /// Its id.
    id: NotificationId,
    /// The order that it is about.
    order_id: OrderId,
    /// Whom it is for.
    user_id: UserId,
    /// What it says.
    kind: Kind,
    /// How it is sent.
    channel: Channel,
    /// Where it is.
    state: domain::State,
    /// Why it was not sent: `opted_out`, `outdated`, `unknown_user`, `given_up`, or `refused_` and the server's code.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, pattern = "^[a-z_]+[0-9]*$", max_length = 50, example = "refused_550")]
    reason: Option<String>,
    /// When its event was consumed.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(example = "2026-01-02T03:04:05Z")]
    created_at: OffsetDateTime,
    /// When it was sent, or given up.
    #[serde(skip_serializing_if = "Option::is_none", with = "time::serde::rfc3339::option")]
    #[schema(nullable = false, example = "2026-01-02T03:04:06Z")]
    ended_at: Option<OffsetDateTime>,
}

impl From<Row> for NotificationView {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            order_id: row.order_id,
            user_id: row.user_id,
            kind: row.kind,
            channel: row.channel,
            state: row.state,
            reason: row.reason,
            created_at: row.created_at,
            ended_at: row.ended_at,
        }
    }
}

/// List notifications
///
/// Newest first, of the last 90 days: administrators and support see all, a customer only their own. What a message said, and to which address, is not kept.
#[utoipa::path(
    get, path = "/api/v1/notification", operation_id = "list_notifications", tag = "notification",
    params(ListNotifications), security(("token" = [])),
    extensions(("x-sees-all" = json!(["support"]))),
    responses((status = 200, description = "A page of notifications", body = [NotificationView], headers(
        ("Link" = String, description = "The next page, with rel=next; absent on the last one"),
        ("X-Total-Count" = i64, description = "How many there are on all pages"),
    )))
)]
pub async fn list_notifications(
    State(state): State<AppState>,
    user: User,
    Query(query): Query<ListNotifications>,
) -> Result<impl IntoResponse, Problem> {
    let filter =
        Filter { user_id: user.scope(&[StaffRole::Support]), state: query.state, order_id: query.order_id };
    let page = Page { page: query.page, limit: query.limit };
    let Notifications { page: found, total } = app::list_notifications(&state, filter, page).await?;
    let notifications: Vec<_> = found.into_iter().map(NotificationView::from).collect();
    let filters = [
        ("state", query.state.map(|it| it.to_string())),
        ("order_id", query.order_id.map(|id| id.to_string())),
    ];
    Ok((list_headers(PATH, total, filters, page.next(total)), axum::Json(notifications)))
}

/// Retry a notification
///
/// For administrators and support: sends one again that bounced or was given up, once its cause is gone. It keeps its `Message-ID`, so a receiver that has it already can tell.
#[utoipa::path(
    post, path = "/api/v1/notification/{id}/retry", operation_id = "retry_notification", tag = "notification",
    params(("id" = NotificationId, Path, description = "The notification's id")), security(("token" = ["support"])),
    responses(
        (status = 200, description = "The notification, which is to be sent", body = NotificationView),
        Refusals<Support, RetryNotificationError>,
    )
)]
pub async fn retry_notification(
    State(state): State<AppState>,
    _: Support,
    Path(id): Path<NotificationId>,
) -> Result<axum::Json<NotificationView>, Problem> {
    Ok(axum::Json(app::retry_notification(&state, id).await?.into()))
}
