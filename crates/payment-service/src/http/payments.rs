//! `/payment/{order_id}`: how an order's payment stands.

use axum::extract::State;
use chassis::{Path, Problem, User, auth::StaffRole, http::Refusals};
use contracts::{OrderId, events::RefundCause};
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::{
    AppState,
    app::view_payment,
    domain::{RefundState, Status},
    error::{Code, code},
    store::{RefundView, View},
};

/// Who sees everybody's payments.
const READERS: &[StaffRole] = &[StaffRole::Finance, StaffRole::Support];

/// The payment of an order, with its refunds.
#[derive(Debug, Serialize, ToSchema)]
pub struct PaymentView {
    /// The order that is paid by it.
    #[schema(example = 41)]
    order_id: OrderId,
    /// Where the payment stands at this moment.
    status: Status,
    /// What the order costs, in rupiah; 0 if it ended before that was known.
    #[schema(minimum = 0, maximum = 9_000_000_000_000_000_i64, example = 150_000)]
    amount: i64,
    /// Where to pay, while it can be paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(
        nullable = false,
        format = "uri",
        max_length = 2048,
        example = "http://localhost:8080/midtrans/snap/v4/redirection/66e4fa55-fdac-4ef9-91b5-733b97d1b862"
    )]
    payment_url: Option<String>,
    /// When the page and the payment end.
    #[serde(skip_serializing_if = "Option::is_none", with = "time::serde::rfc3339::option")]
    #[schema(nullable = false, example = "2026-01-02T03:34:05Z")]
    expires_at: Option<OffsetDateTime>,
    /// How it was paid, in Midtrans' words.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 64, example = "credit_card")]
    payment_type: Option<String>,
    /// When it was paid.
    #[serde(skip_serializing_if = "Option::is_none", with = "time::serde::rfc3339::option")]
    #[schema(nullable = false, example = "2026-01-02T03:14:05Z")]
    paid_at: Option<OffsetDateTime>,
    /// What went back in all, in whole rupiah.
    #[schema(minimum = 0, maximum = 9_000_000_000_000_000_i64, example = 50_000)]
    refunded_amount: i64,
    /// What goes back or went back, oldest first.
    #[schema(max_items = 1000)]
    refunds: Vec<Refund>,
}

/// Money that goes back, or went back, to the customer.
#[derive(Debug, Serialize, ToSchema)]
pub struct Refund {
    /// What made the refund necessary.
    cause: RefundCause,
    /// How much goes back, in whole rupiah.
    #[schema(minimum = 0, maximum = 9_000_000_000_000_000_i64, example = 50_000)]
    amount: i64,
    /// How far it has come. MANUAL: Midtrans cannot send it back, a person has to. REFUSED: there was nothing left.
    state: RefundState,
    /// The reference of a refund that a person made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 255, example = "bank transfer 4711")]
    reference: Option<String>,
}

impl From<View> for PaymentView {
    fn from(view: View) -> Self {
        Self {
            order_id: view.order_id,
            status: view.status,
            amount: view.amount,
            payment_url: view.payment_url,
            expires_at: view.expires_at,
            payment_type: view.payment_type,
            paid_at: view.paid_at,
            refunded_amount: view.refunded_amount,
            refunds: view.refunds.0.into_iter().map(Refund::from).collect(),
        }
    }
}

impl From<RefundView> for Refund {
    fn from(refund: RefundView) -> Self {
        let RefundView { cause, amount, state, reference } = refund;
        Self { cause, amount, state, reference }
    }
}

/// Get a payment
///
/// How the payment of an order stands, for its buyer, administrators, finance and support. While it is open Midtrans is asked first, at most every five seconds.
#[utoipa::path(
    get, path = "/api/v1/payment/{order_id}", operation_id = "get_payment", tag = "payment",
    params(("order_id" = OrderId, Path, description = "The order's id")), security(("token" = [])),
    extensions(("x-sees-all" = json!(["finance", "support"]))),
    responses(
        (status = 200, description = "The payment", body = PaymentView),
        Refusals<code::UnknownPayment>,
    )
)]
pub async fn get_payment(
    State(state): State<AppState>,
    user: User,
    Path(order_id): Path<OrderId>,
) -> Result<axum::Json<PaymentView>, Problem> {
    let view = view_payment(&state, order_id, user.scope(READERS)).await?.ok_or(Code::UnknownPayment)?;
    Ok(axum::Json(view.into()))
}
