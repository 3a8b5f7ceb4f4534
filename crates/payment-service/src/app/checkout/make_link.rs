//! `GetPaymentURL`: makes the page on which an order is paid, once.

use std::time::Duration;

use contracts::{OrderId, UserId, events::PaymentFailure};
use jobs::{Job, Queue};
use midtrans::{Error, SnapPage, SnapRequest};
use time::OffsetDateTime;

use crate::{
    AppState,
    app::{PollPayment, VoidAttempt, settle::publish_failed},
    domain::{Status, new_midtrans_order_id, next_poll},
    store::{self, Link, Linked},
};

/// `OrderCreated` goes one way and `StockReserved`, through two services, another: how long it may be behind.
const EVENT_DELAY: Duration = Duration::from_millis(200);
/// How long a caller waits for a concurrent duplicate that makes the same page.
const DUPLICATE_DELAY: Duration = Duration::from_millis(1_500);
/// How often the database is asked meanwhile.
const LOOK_INTERVAL: Duration = Duration::from_millis(10);
/// Longer than a call to Midtrans takes: nobody else makes the page of an attempt meanwhile.
const LEASE: Duration = Duration::from_secs(15);
/// How many ids are tried if Midtrans has them already.
const ATTEMPTS: i32 = 5;

/// Where an order is paid.
#[derive(Debug, Clone)]
pub struct PaymentLink {
    /// The page.
    pub payment_url: String,
    /// When it ends.
    pub expires_at: OffsetDateTime,
    /// Where the payment stands.
    pub status: Status,
}

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum MakeLinkError {
    /// `OrderCreated` has not come.
    #[error("the order is not known")]
    Unknown,
    /// Another amount or buyer than `OrderCreated` said.
    #[error("the order is another one")]
    Mismatch,
    /// The payment has ended.
    #[error("the payment is closed")]
    Closed,
    /// Another caller makes the page, and takes long.
    #[error("the page is being made")]
    Busy,
    /// Midtrans does not make it now.
    #[error("Midtrans did not make the page")]
    Midtrans(#[source] Error),
    /// The database does not answer.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// A bug.
    #[error("making the page failed")]
    Failed(#[from] tokio::task::JoinError),
}

/// The page of an order, with this lifetime if it is made now; the same at every call. The work goes on if the caller
/// does not wait for it.
///
/// # Errors
/// If there is none, and cannot be one now.
pub async fn make_link(
    state: &AppState,
    order_id: OrderId,
    amount: i64,
    user_id: UserId,
    lifetime: Duration,
) -> Result<PaymentLink, MakeLinkError> {
    let link = wait_for_payment(state, order_id).await?;
    if link.user_id != user_id || link.amount.is_some_and(|known| known != amount) {
        return Err(MakeLinkError::Mismatch);
    }
    let work = {
        let (state, order) = (state.clone(), NewPage { order_id, amount, lifetime });
        async move { make(&state, order, link).await }
    };
    state.lifecycle.finish(work).await?
}

async fn find(state: &AppState, order_id: OrderId) -> sqlx::Result<Option<Link>> {
    store::find_link(&mut *state.db.acquire().await?, order_id).await
}

async fn wait_for_payment(state: &AppState, order_id: OrderId) -> Result<Link, MakeLinkError> {
    let deadline = tokio::time::Instant::now() + EVENT_DELAY;
    loop {
        match find(state, order_id).await? {
            Some(link) => return Ok(link),
            None if tokio::time::Instant::now() >= deadline => return Err(MakeLinkError::Unknown),
            None => tokio::time::sleep(LOOK_INTERVAL).await,
        }
    }
}

/// What a page is made for.
#[derive(Clone, Copy)]
struct NewPage {
    order_id: OrderId,
    amount: i64,
    lifetime: Duration,
}

async fn make(state: &AppState, order: NewPage, mut link: Link) -> Result<PaymentLink, MakeLinkError> {
    let deadline = tokio::time::Instant::now() + DUPLICATE_DELAY;
    loop {
        if let Some(made) = made(&link)? {
            return Ok(made);
        }
        if let Some(midtrans_order_id) = reserve(state, order.order_id, &link).await? {
            if let Some(made) = create(state, order, &midtrans_order_id, link.now).await? {
                return Ok(made);
            }
        } else if tokio::time::Instant::now() >= deadline {
            return Err(MakeLinkError::Busy);
        } else {
            tokio::time::sleep(LOOK_INTERVAL).await;
        }
        link = find(state, order.order_id).await?.ok_or(MakeLinkError::Unknown)?;
    }
}

/// The page, if there is one; an error if there will be none.
fn made(link: &Link) -> Result<Option<PaymentLink>, MakeLinkError> {
    match (link.status, &link.payment_url, link.expires_at) {
        (Status::Failed | Status::Cancelled, _, _) => Err(MakeLinkError::Closed),
        (status, Some(url), Some(expires_at)) => {
            Ok(Some(PaymentLink { payment_url: url.clone(), expires_at, status }))
        }
        (Status::Pending, _, _) => Ok(None),
        _ => Err(MakeLinkError::Closed),
    }
}

/// Takes the right to make a page, written down before Midtrans is called: for the attempt that has none yet, or for a
/// new one. `None`: somebody else has it.
async fn reserve(state: &AppState, order_id: OrderId, link: &Link) -> Result<Option<String>, MakeLinkError> {
    let mut db = state.db.acquire().await?;
    if let Some(id) = link.midtrans_order_id.as_ref().filter(|_| !link.id_taken) {
        let taken = store::lease_attempt(&mut db, id, LEASE).await?;
        return Ok(taken.then(|| id.clone()));
    }
    let n = link.n.unwrap_or(0) + 1;
    if n > ATTEMPTS {
        return Err(MakeLinkError::Busy);
    }
    let id = new_midtrans_order_id(state.config.midtrans_environment.prefix(), order_id, n);
    let inserted = store::insert_attempt(&mut db, &id, order_id, n, LEASE).await?;
    Ok(inserted.then_some(id))
}

/// Has the page made; `None` if Midtrans has a payment of this id already, so that another one is needed.
async fn create(
    state: &AppState,
    NewPage { order_id, amount, lifetime }: NewPage,
    midtrans_order_id: &str,
    start: OffsetDateTime,
) -> Result<Option<PaymentLink>, MakeLinkError> {
    // Midtrans' times have no fraction; page and payment end together with ours.
    let start = start.truncate_to_second();
    let request = SnapRequest::new(midtrans_order_id, amount)
        .expires(start, lifetime)
        .finish(state.config.finish_url())
        .custom_field1(midtrans_order_id);
    match state.midtrans.create_page(&request).await {
        Ok(page) => keep(state, order_id, midtrans_order_id, page, start, lifetime).await.map(Some),
        Err(Error::DuplicateOrderId(_)) => {
            store::mark_id_taken(&mut *state.db.acquire().await?, midtrans_order_id).await?;
            Ok(None)
        }
        Err(error @ Error::Rejected { .. }) => {
            tracing::error!(order.id = %order_id, error = %error, "Midtrans refused to make a payment page");
            fail(state, order_id).await?;
            Err(MakeLinkError::Closed)
        }
        Err(error) => {
            store::release_attempt(&mut *state.db.acquire().await?, midtrans_order_id).await?;
            Err(MakeLinkError::Midtrans(error))
        }
    }
}

/// Keeps the page. If the payment ended while Midtrans answered, the page is not shown to anybody, and is closed.
async fn keep(
    state: &AppState,
    order_id: OrderId,
    midtrans_order_id: &str,
    page: SnapPage,
    start: OffsetDateTime,
    lifetime: Duration,
) -> Result<PaymentLink, MakeLinkError> {
    let expires_at = start + lifetime;
    let mut tx = state.db.begin().await?;
    let open = store::set_expiry(&mut tx, order_id, expires_at).await?;
    let (token, payment_url) = (&*page.token, &*page.redirect_url);
    let linked = Linked { midtrans_order_id, token, payment_url };
    store::record_page(&mut tx, &linked).await?;
    let key = midtrans_order_id.to_owned();
    let job = if open {
        PollPayment::of(&key).after(next_poll(Duration::ZERO, lifetime))
    } else {
        VoidAttempt::of(&key).now()
    };
    Queue::enqueue(&mut tx, [job]).await?;
    tx.commit().await?;
    if open {
        return Ok(PaymentLink { payment_url: page.redirect_url, expires_at, status: Status::Pending });
    }
    state.jobs.wake();
    Err(MakeLinkError::Closed)
}

async fn fail(state: &AppState, order_id: OrderId) -> sqlx::Result<()> {
    let mut tx = state.db.begin().await?;
    let Some(payment) = store::lock_payment(&mut tx, order_id).await? else { return Ok(()) };
    let (from, to) = (Status::Pending, Status::Failed);
    if payment.status == from {
        store::move_payment(&mut tx, order_id, from, to, "not_created").await?;
        publish_failed(&mut tx, &payment, PaymentFailure::NotCreated).await?;
    }
    state.outbox.commit(tx).await
}
