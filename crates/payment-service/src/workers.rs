//! What goes on by itself. Every replica runs all of it: rows are taken with a lease and no row twice.

use std::time::Duration;

use chassis::{BoxError, Kit, Service, problem::chain};
use contracts::events::{Event, PaymentFailed, PaymentRefunded, PaymentReversed, PaymentSuccess, Stream};
use futures::future::BoxFuture;
use messaging::Relay;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::{
    App, PaymentService,
    app::{handle_notifications, keep_house, make_refunds, make_voids, poll_payments},
    consumers,
};

/// The streams that this service writes.
const STREAMS: &[Stream] =
    &[PaymentSuccess::STREAM, PaymentFailed::STREAM, PaymentRefunded::STREAM, PaymentReversed::STREAM];
/// How often a worker looks by itself, for rows whose time has come and those of other replicas.
const TICK: Duration = Duration::from_secs(1);
/// How often what waits for people is counted.
const COUNT: Duration = Duration::from_secs(15);
/// How often old rows are looked for.
const FORGET: Duration = Duration::from_hours(1);
/// How often a key that Midtrans did not accept is tried again.
const CHECK: Duration = Duration::from_secs(10);

/// Wakes workers as soon as there is something to do that somebody waits for; the rest is found at the next look.
#[derive(Debug, Default)]
pub struct Wakes {
    /// A notification was stored.
    pub notifications: Notify,
    /// An administrator asked for a refund.
    pub refunds: Notify,
    /// A page was made too late.
    pub voids: Notify,
    /// Nothing: for what goes by the clock.
    never: Notify,
}

/// A piece of work that is done again and again.
struct Worker {
    name: &'static str,
    /// How often it looks by itself.
    every: Duration,
    /// What wakes it before.
    wake: fn(&Wakes) -> &Notify,
    /// Does what is due and says how much that was.
    work: for<'a> fn(&'a App) -> BoxFuture<'a, sqlx::Result<usize>>,
}

const WORKERS: [Worker; 7] = [
    Worker {
        name: "notifications",
        every: TICK,
        wake: |wakes| &wakes.notifications,
        work: |app| Box::pin(handle_notifications::handle_notifications(app)),
    },
    Worker {
        name: "refunds",
        every: TICK,
        wake: |wakes| &wakes.refunds,
        work: |app| Box::pin(make_refunds::make_refunds(app)),
    },
    Worker {
        name: "voids",
        every: TICK,
        wake: |wakes| &wakes.voids,
        work: |app| Box::pin(make_voids::make_voids(app)),
    },
    Worker {
        name: "polls",
        every: TICK,
        wake: |wakes| &wakes.never,
        work: |app| Box::pin(poll_payments::poll_payments(app)),
    },
    Worker {
        name: "gauges",
        every: COUNT,
        wake: |wakes| &wakes.never,
        work: |app| Box::pin(async move { keep_house::count_waiting(app).await.map(|()| 0) }),
    },
    Worker {
        name: "retention",
        every: FORGET,
        wake: |wakes| &wakes.never,
        work: |app| Box::pin(async move { keep_house::forget_old(app).await.map(|()| 0) }),
    },
    Worker {
        name: "server-key",
        every: CHECK,
        wake: |wakes| &wakes.never,
        work: |app| {
            Box::pin(async move {
                keep_house::check_key(app).await;
                Ok(0)
            })
        },
    },
];

/// Starts relay, consumer and workers.
///
/// # Errors
/// If Redis' address is malformed.
pub fn start(app: &App, kit: &Kit) -> Result<(), BoxError> {
    let redis = kit.common.redis.client(1)?;
    let stop = || kit.lifecycle.shutdown();
    let relay = Relay::new(PaymentService::NAME, app.db.clone(), redis.clone(), app.outbox.clone(), STREAMS);
    kit.lifecycle.spawn("relay", relay.run(stop()));
    kit.lifecycle.spawn("consumer", consumers::consumer(app).run(redis, stop()));
    for worker in WORKERS {
        kit.lifecycle.spawn(worker.name, run(worker, app.clone(), stop()));
    }
    Ok(())
}

/// Works until there is nothing due, then waits to be woken.
async fn run(worker: Worker, app: App, stop: CancellationToken) {
    while !stop.is_cancelled() {
        match (worker.work)(&app).await {
            Ok(0) => {}
            Ok(_) => continue,
            Err(error) => tracing::warn!(worker = worker.name, error = chain(&error), "will try again"),
        }
        tokio::select! {
            () = (worker.wake)(&app.wakes).notified() => {}
            () = tokio::time::sleep(worker.every) => {}
            () = stop.cancelled() => {}
        }
    }
}
