//! What goes on by itself. Every replica runs all of it: rows are taken with a lease and no row twice.

use std::{convert::Infallible, sync::Arc, time::Duration};

use chassis::Lifecycle;
use tokio::sync::Notify;

use crate::{
    AppState,
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
pub fn start(state: &AppState, lifecycle: &Lifecycle) {
    let Wakes { notifications, refunds, voids } = state.wakes.clone();
    lifecycle.every_or_woken("notifications", TICK, notifications, state, async move |state| {
        handle_notifications(&state).await
    });
    lifecycle.every_or_woken("refunds", TICK, refunds, state, async move |state| make_refunds(&state).await);
    lifecycle.every_or_woken("voids", TICK, voids, state, async move |state| make_voids(&state).await);
    lifecycle.every("polls", TICK, state, async move |state| poll_payments(&state).await);
    lifecycle.every("gauges", COUNT, state, async move |state| {
        keep_house::count_waiting(&state).await.map(|()| 0)
    });
    lifecycle.every("purge", FORGET, state, async move |state| keep_house::purge(&state).await);
    lifecycle.every("server-key", CHECK, state, async move |state| {
        keep_house::check_key(&state).await;
        Ok::<_, Infallible>(0)
    });
}
