//! What happens by itself: payments expire, slow cards are answered, notifications are sent and sent again, old orders
//! are purged.

use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::app::App;
use crate::state::State;
use crate::webhooks::{self, Next, Webhook};
use crate::wib;

/// How long an order is kept after the last change.
const RETENTION: Duration = Duration::from_hours(7 * 24);

/// How many notifications are sent at the same time; after the merchant was down thousands may be due at once.
const CONCURRENCY: usize = 64;

const BETWEEN_CLEANUPS: Duration = Duration::from_hours(1);

/// Runs until stopped. A notification that is on its way then is sent again after the next start.
pub(crate) async fn run(app: App, http: reqwest::Client, stop: CancellationToken) {
    let on_their_way = TaskTracker::new();
    let slots = Arc::new(Semaphore::new(CONCURRENCY));
    let mut next_cleanup = OffsetDateTime::now_utc();
    loop {
        let now = OffsetDateTime::now_utc();
        if next_cleanup <= now {
            app.store.purge_before(now - RETENTION);
            next_cleanup = now + BETWEEN_CLEANUPS;
        }
        if app.store.read(State::next_time).is_some_and(|next| next <= now) {
            // If this is not written, it was logged, and the next change writes it.
            let _ = app.handle(|mut handler| {
                handler.tick();
                Ok(())
            });
            for webhook in app.store.take_due_webhooks(now) {
                let delivery = deliver(app.clone(), http.clone(), webhook, slots.clone());
                on_their_way.spawn(stop.clone().run_until_cancelled_owned(delivery));
            }
        }
        let wake_at = app.store.read(State::next_time).map_or(next_cleanup, |next| next.min(next_cleanup));
        tokio::select! {
            () = stop.cancelled() => break,
            () = app.store.changed() => {}
            () = tokio::time::sleep(wib::until(wake_at, OffsetDateTime::now_utc())) => {}
        }
    }
    on_their_way.close();
    on_their_way.wait().await;
}

async fn deliver(app: App, http: reqwest::Client, webhook: Webhook, slots: Arc<Semaphore>) {
    // Fails only once the semaphore is closed, which nobody does.
    let _slot = slots.acquire().await;
    let answer = webhooks::send(&http, &webhook).await;
    let next = webhook.clone().after(answer, OffsetDateTime::now_utc(), app.terms.speedup);
    let order_id = &webhook.order_id;
    match &next {
        Next::Delivered => tracing::debug!(order_id, retries = webhook.retries, "notification delivered"),
        Next::GivenUp => {
            tracing::warn!(order_id, ?answer, retries = webhook.retries, "notification given up");
        }
        Next::Again(again) => {
            let next_at = wib::format(again.next_at);
            tracing::info!(order_id, ?answer, next_at, "notification not accepted, will be sent again");
        }
    }
    let _ = app.handle(|mut handler| {
        handler.answered(&webhook, next);
        Ok(())
    });
}
