//! What goes on by itself. Every replica runs all of it: rows are taken with a lease and no row twice.

use std::{convert::Infallible, sync::Arc, time::Duration};

use chassis::Lifecycle;
use tokio::sync::Notify;

use crate::{
    App,
    app::{
        handle_notifications::handle_notifications, keep_house, make_refunds::make_refunds,
        make_voids::make_voids, poll_payments::poll_payments,
    },
};

/// How often a worker looks by itself, for rows whose time has come and those of other replicas.
const TICK: Duration = Duration::from_secs(1);
/// How often what waits for people is counted.
const COUNT: Duration = Duration::from_secs(15);
/// How often old rows are looked for.
const FORGET: Duration = Duration::from_hours(1);
/// How often a key that Midtrans did not accept is tried again.
const CHECK: Duration = Duration::from_secs(10);

/// Wakes workers as soon as there is something to do that somebody waits for; the rest is found at the next look. Clones
/// wake the same workers.
#[derive(Debug, Clone, Default)]
pub struct Wakes {
    /// A notification was stored.
    pub notifications: Arc<Notify>,
    /// An administrator asked for a refund.
    pub refunds: Arc<Notify>,
    /// A page was made too late.
    pub voids: Arc<Notify>,
}

/// Starts the workers.
pub fn start(app: &App, lifecycle: &Lifecycle) {
    let Wakes { notifications, refunds, voids } = app.wakes.clone();
    lifecycle.every_or_woken("notifications", TICK, notifications, app, async move |app| {
        handle_notifications(&app).await
    });
    lifecycle.every_or_woken("refunds", TICK, refunds, app, async move |app| make_refunds(&app).await);
    lifecycle.every_or_woken("voids", TICK, voids, app, async move |app| make_voids(&app).await);
    lifecycle.every("polls", TICK, app, async move |app| poll_payments(&app).await);
    lifecycle.every("gauges", COUNT, app, async move |app| keep_house::count_waiting(&app).await.map(|()| 0));
    lifecycle.every("purge", FORGET, app, async move |app| keep_house::purge(&app).await);
    lifecycle.every("server-key", CHECK, app, async move |app| {
        keep_house::check_key(&app).await;
        Ok::<_, Infallible>(0)
    });
}
