//! `GetPaymentURL` and `GetPaymentURLs`: make the pages on which orders are paid, each once. Pages of many orders are made
//! side by side, and what is written about them at the same time is one commit.

use std::time::Duration;

use chassis::{database::commit, group_commit::Commit};
use contracts::{OrderId, UserId, events::PaymentFailure};
use futures::future::join_all;
use jobs::{Job, Queue};
use midtrans::{Error, SnapPage, SnapRequest};
use time::OffsetDateTime;
use tokio::time::{Instant, sleep, timeout};

use crate::{
    AppState,
    app::{PollPayment, VoidAttempt, publish},
    domain::{Status, new_midtrans_order_id, next_poll},
    store::{self, Link, MadePage, NewAttempt},
};

/// `OrderCreated` goes one way and `StockReserved`, through two services, another: how long it may be behind.
const EVENT_DELAY: Duration = Duration::from_millis(200);
/// How long a caller waits for a concurrent duplicate that makes the same page.
const DUPLICATE_DELAY: Duration = Duration::from_millis(1_500);
/// How long many callers wait for the slowest page among theirs. It is made all the same.
const SLOWEST_PAGE: Duration = Duration::from_millis(500);
/// How often the database is asked meanwhile.
const LOOK_INTERVAL: Duration = Duration::from_millis(10);
/// Longer than a call to Midtrans takes: nobody else makes the page of an attempt meanwhile.
const LEASE: Duration = Duration::from_secs(15);
/// How many ids are tried if Midtrans has them already.
const ATTEMPTS: i32 = 5;

/// An order whose page is requested.
#[derive(Debug, Clone, Copy)]
pub struct LinkRequest {
    pub order_id: OrderId,
    /// What the order costs, in whole rupiah.
    pub amount: i64,
    pub user_id: UserId,
    /// How long the page can be used, if it is made now.
    pub lifetime: Duration,
}

#[derive(Debug, Clone)]
pub struct PaymentLink {
    /// Where the customer pays: Midtrans' hosted page.
    pub payment_url: String,
    /// When page and payment end, by the database's clock.
    pub expires_at: OffsetDateTime,
    pub status: Status,
}

/// Why there is no page, or none yet.
#[derive(Debug, thiserror::Error)]
pub enum MakeLinkError {
    /// `OrderCreated` has not come, and did not in the time that is waited for it.
    #[error("the order is not known")]
    Unknown,
    /// Another amount or buyer than `OrderCreated` said.
    #[error("the order is another one")]
    Mismatch,
    /// The payment has ended: there will be no page.
    #[error("the payment is closed")]
    Closed,
    /// Another caller makes the page, and takes long.
    #[error("the page is being made")]
    Busy,
    /// Midtrans does not make it now.
    #[error("Midtrans did not make the page")]
    Midtrans(#[source] Error),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// The task that makes the page panicked: a bug.
    #[error("making the page failed")]
    Failed(#[from] tokio::task::JoinError),
}

/// The page of an order; the same at every call. The work goes on if the caller does not wait for it.
///
/// # Errors
/// If there is none, and cannot be one now.
pub async fn make_link(state: &AppState, request: LinkRequest) -> Result<PaymentLink, MakeLinkError> {
    let link = store::find_link(&mut *state.db.acquire().await?, request.order_id).await?;
    make_known(state, request, link).await
}

/// The pages of many orders, one result for each. `None`: it takes longer than those of the others may wait for, and is
/// made meanwhile.
///
/// # Errors
/// If the database does not answer.
pub async fn make_links(
    state: &AppState,
    requests: &[LinkRequest],
) -> sqlx::Result<Vec<Option<Result<PaymentLink, MakeLinkError>>>> {
    let orders: Vec<i64> = requests.iter().map(|request| request.order_id.get()).collect();
    let mut links = store::list_links(&mut *state.db.acquire().await?, &orders).await?;
    let pages = requests.iter().map(|request| {
        let link = links.remove(&request.order_id);
        timeout(SLOWEST_PAGE, make_known(state, *request, link))
    });
    Ok(join_all(pages).await.into_iter().map(Result::ok).collect())
}

async fn make_known(
    state: &AppState,
    request: LinkRequest,
    link: Option<Link>,
) -> Result<PaymentLink, MakeLinkError> {
    let link = match link {
        Some(link) => link,
        None => wait_for_payment(state, request.order_id).await?,
    };
    if link.user_id != request.user_id || link.amount.is_some_and(|known| known != request.amount) {
        return Err(MakeLinkError::Mismatch);
    }
    if let Some(made) = made(&link)? {
        return Ok(made);
    }
    let work = {
        let state = state.clone();
        async move { make(&state, request, link).await }
    };
    state.lifecycle.finish(work).await?
}

async fn wait_for_payment(state: &AppState, order_id: OrderId) -> Result<Link, MakeLinkError> {
    let deadline = Instant::now() + EVENT_DELAY;
    loop {
        match store::find_link(&mut *state.db.acquire().await?, order_id).await? {
            Some(link) => return Ok(link),
            None if Instant::now() >= deadline => return Err(MakeLinkError::Unknown),
            None => sleep(LOOK_INTERVAL).await,
        }
    }
}

async fn make(state: &AppState, request: LinkRequest, mut link: Link) -> Result<PaymentLink, MakeLinkError> {
    let deadline = Instant::now() + DUPLICATE_DELAY;
    loop {
        if let Some(made) = made(&link)? {
            return Ok(made);
        }
        if let Some(midtrans_order_id) = reserve(state, request.order_id, &link).await? {
            if let Some(made) = create(state, request, midtrans_order_id, link.now).await? {
                return Ok(made);
            }
        } else if Instant::now() >= deadline {
            return Err(MakeLinkError::Busy);
        } else {
            sleep(LOOK_INTERVAL).await;
        }
        let known = store::find_link(&mut *state.db.acquire().await?, request.order_id).await?;
        link = known.ok_or(MakeLinkError::Unknown)?;
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
    if let Some(id) = link.midtrans_order_id.as_ref().filter(|_| !link.id_taken) {
        let taken = store::lease_attempt(&mut *state.db.acquire().await?, id, LEASE).await?;
        return Ok(taken.then(|| id.clone()));
    }
    let n = link.n.unwrap_or(0) + 1;
    if n > ATTEMPTS {
        return Err(MakeLinkError::Busy);
    }
    let id = new_midtrans_order_id(state.config.midtrans_environment.prefix(), order_id, n);
    let attempt = NewAttempt { midtrans_order_id: id.clone(), order_id, n };
    let inserted = state.attempts.submit(state, attempt).await.map_err(sqlx::Error::from)?;
    Ok(inserted.then_some(id))
}

impl Commit for NewAttempt {
    type State = AppState;
    /// Whether nobody else was faster: then the caller has the lease, and makes the page.
    type Reply = bool;
    type Error = sqlx::Error;

    async fn commit(state: &AppState, group: &[Self]) -> sqlx::Result<Vec<bool>> {
        let inserted = store::insert_attempts(&mut *state.db.acquire().await?, group, LEASE).await?;
        Ok(group.iter().map(|attempt| inserted.contains(&attempt.midtrans_order_id)).collect())
    }
}

/// Has the page made; `None` if Midtrans has a payment of this id already, so that another one is needed.
async fn create(
    state: &AppState,
    LinkRequest { order_id, amount, lifetime, .. }: LinkRequest,
    midtrans_order_id: String,
    start: OffsetDateTime,
) -> Result<Option<PaymentLink>, MakeLinkError> {
    // Midtrans' times have no fraction; page and payment end together with ours.
    let start = start.truncate_to_second();
    let request = SnapRequest::new(&midtrans_order_id, amount)
        .expires(start, lifetime)
        .finish(state.config.finish_url())
        .custom_field1(&midtrans_order_id);
    match state.midtrans.create_page(&request).await {
        Ok(SnapPage { token, redirect_url: payment_url, .. }) => {
            let expires_at = start + lifetime;
            keep(state, MadePage { order_id, midtrans_order_id, token, payment_url, expires_at })
                .await
                .map(Some)
        }
        Err(Error::DuplicateOrderId(_)) => {
            store::mark_id_taken(&mut *state.db.acquire().await?, &midtrans_order_id).await?;
            Ok(None)
        }
        Err(error @ Error::Rejected { .. }) => {
            tracing::error!(order.id = %order_id, error = %error, "Midtrans refused to make a payment page");
            fail(state, order_id).await?;
            Err(MakeLinkError::Closed)
        }
        Err(error) => {
            store::release_attempt(&mut *state.db.acquire().await?, &midtrans_order_id).await?;
            Err(MakeLinkError::Midtrans(error))
        }
    }
}

/// Keeps the page. If the payment ended while Midtrans answered, the page is not shown to anybody, and is closed.
async fn keep(state: &AppState, page: MadePage) -> Result<PaymentLink, MakeLinkError> {
    let (payment_url, expires_at) = (page.payment_url.clone(), page.expires_at);
    if state.pages.submit(state, page).await.map_err(sqlx::Error::from)? {
        return Ok(PaymentLink { payment_url, expires_at, status: Status::Pending });
    }
    state.jobs.wake();
    Err(MakeLinkError::Closed)
}

impl Commit for MadePage {
    type State = AppState;
    /// Whether the order can be paid on it.
    type Reply = bool;
    type Error = sqlx::Error;

    async fn commit(state: &AppState, group: &[Self]) -> sqlx::Result<Vec<bool>> {
        let mut tx = state.db.begin().await?;
        let open = store::record_pages(&mut tx, group).await?;
        let is_open = |page: &Self| open.contains(&page.order_id);
        let jobs = group.iter().map(|page| {
            let key = &page.midtrans_order_id;
            if is_open(page) {
                PollPayment::of(key).after(next_poll(Duration::ZERO, left(page)))
            } else {
                VoidAttempt::of(key).now()
            }
        });
        Queue::enqueue(&mut tx, jobs).await?;
        commit(tx).await?;
        Ok(group.iter().map(is_open).collect())
    }
}

fn left(page: &MadePage) -> Duration {
    Duration::try_from(page.expires_at - OffsetDateTime::now_utc()).unwrap_or_default()
}

async fn fail(state: &AppState, order_id: OrderId) -> sqlx::Result<()> {
    let mut tx = state.db.begin().await?;
    let Some(payment) = store::lock_payment(&mut tx, order_id).await? else { return Ok(()) };
    if payment.status == Status::Pending {
        store::move_payment(&mut tx, &payment, Status::Failed, "not_created").await?;
        publish(&mut tx, &payment, [payment.failed_event(PaymentFailure::NotCreated)]).await?;
    }
    state.outbox.commit(tx).await
}
