//! Cancels an order. Before it is paid its payment has to be closed, after that its delivery has to be stopped.

use chassis::User;
use contracts::{OrderId, events::CancelCause};
use sqlx::PgTransaction;
use tonic::Status as GrpcStatus;

use super::advance_order::move_order;
use crate::{
    App,
    clients::{DeliveryEnd, PaymentEnd},
    domain::{By, CancelPlan, Order, Refusal, State, Status},
    store,
};

/// How often the plan is made anew when the order moves on meanwhile. It can only move on so many times.
const TRIES: usize = 4;

/// Why an order was not cancelled.
#[derive(Debug, thiserror::Error)]
pub enum CancelOrderError {
    /// There is none, or it is somebody else's.
    #[error("there is no such order")]
    Unknown,
    /// Its state does not allow it.
    #[error("an order that is {0} cannot be cancelled")]
    Refused(Status, Refusal),
    /// payment-service does not know at the moment whether it was paid.
    #[error("it is not known whether the order was paid")]
    PaymentUnknown(#[source] Option<GrpcStatus>),
    /// delivery-service does not answer.
    #[error("delivery-service")]
    Delivery(#[source] GrpcStatus),
    /// The order kept moving.
    #[error("the order kept moving")]
    Busy,
    /// The database did not help.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Cancels an order for somebody, and returns it as it is then.
pub async fn cancel_order(
    app: &App,
    user: &User,
    id: OrderId,
    reason: Option<String>,
) -> Result<Order, CancelOrderError> {
    for _ in 0..TRIES {
        let mut db = app.db.acquire().await?;
        let order =
            store::orders::find_order(&mut db, id, user.scope()).await?.ok_or(CancelOrderError::Unknown)?;
        drop(db);
        let by = by(user, &order);
        match order.status.plan_cancel(by) {
            CancelPlan::AtOnce => {}
            CancelPlan::AfterPayment => close_payment(app, &order).await?,
            CancelPlan::AfterDelivery => stop_delivery(app, &order).await?,
            CancelPlan::Done => return Ok(order),
            CancelPlan::Refused(refusal) => return Err(CancelOrderError::Refused(order.status, refusal)),
        }
        let cause = by.cause(order.status);
        if let Some(cancelled) = end_order(app, id, order.status, cause, reason.clone()).await? {
            return Ok(cancelled);
        }
    }
    Err(CancelOrderError::Busy)
}

fn by(user: &User, order: &Order) -> By {
    let owner = user.id() == order.user_id;
    if user.is_admin() { By::Admin { owner } } else { By::Buyer }
}

async fn close_payment(app: &App, order: &Order) -> Result<(), CancelOrderError> {
    match app.peers.cancel_payment(order.id).await {
        Ok(PaymentEnd::Cancelled) => Ok(()),
        Ok(PaymentEnd::Paid) => Err(CancelOrderError::Refused(Status::Paid, Refusal::AlreadyPaid)),
        Ok(PaymentEnd::Unknown) => Err(CancelOrderError::PaymentUnknown(None)),
        Err(status) => Err(CancelOrderError::PaymentUnknown(Some(status))),
    }
}

/// Stops the delivery. Should this process die after that, the sweep finds the stopped delivery and ends the order.
async fn stop_delivery(app: &App, order: &Order) -> Result<(), CancelOrderError> {
    let mut db = app.db.acquire().await?;
    store::sweep::update_check_soon(&mut db, order.id).await?;
    drop(db);
    match app.peers.cancel_delivery(order.id).await {
        Ok(DeliveryEnd::Cancelled) => Ok(()),
        Ok(DeliveryEnd::Shipped) => Err(CancelOrderError::Refused(Status::Shipped, Refusal::AlreadyShipped)),
        Err(status) => Err(CancelOrderError::Delivery(status)),
    }
}

/// Ends an order that still is where the plan saw it, and returns it; nothing if it has moved on.
pub async fn end_order(
    app: &App,
    id: OrderId,
    planned: Status,
    cause: CancelCause,
    reason: Option<String>,
) -> sqlx::Result<Option<Order>> {
    let mut tx: PgTransaction<'_> = app.db.begin().await?;
    let order = match store::orders::lock_order(&mut tx, id).await? {
        Some(order) if order.status == planned => order,
        _ => return Ok(None),
    };
    let told = match cause {
        CancelCause::Admin => "CancelledByAdmin",
        CancelCause::Customer | CancelCause::Stock | CancelCause::Payment | CancelCause::Timeout => {
            "CancelledByCustomer"
        }
    };
    let state = State::Cancelled { cause, reason: reason.clone() };
    move_order(&mut tx, &order, &state, told, reason.as_deref()).await?;
    let cancelled = store::orders::find_order(&mut tx, id, None).await?;
    app.outbox.commit(tx).await?;
    Ok(cancelled)
}
