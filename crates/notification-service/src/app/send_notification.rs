//! Sends a notification: once, as far as a sender can know, and else again with the same id.

use std::time::Duration;

use chassis::BoxError;
use contracts::NotificationId;
use jobs::{Job, Outcome};

use crate::{
    AppState,
    clients::SendError,
    domain::{Channel, Contact, Mail, Message, Notification, State},
    store::{self, Waiting},
};

/// How long it is tried. RFC 5321 asks for four to five days.
const GIVE_UP_AFTER: Duration = Duration::from_hours(5 * 24);
/// For the list of what was given up: whoever sees it finds the rest in the row.
const GIVEN_UP: &str = "a notification was not taken for 5 days: once the cause is gone, retry it by POST /api/v1/notification/{id}/retry";

/// Sends the notification of a row.
#[derive(Debug)]
pub struct SendNotification;

impl Job for SendNotification {
    const KIND: &'static str = "notification";
    type State = AppState;
    type Key = NotificationId;

    async fn run(state: &AppState, id: NotificationId) -> Result<Outcome, BoxError> {
        let found = store::find_waiting(&mut *state.db.acquire().await?, id, GIVE_UP_AFTER).await?;
        match found {
            Some(waiting) if waiting.state == State::Pending => send(state, &waiting).await,
            Some(waiting) if waiting.state == State::Dead => Ok(Outcome::Dead(GIVEN_UP)),
            _ => Ok(Outcome::Done),
        }
    }
}

async fn send(state: &AppState, waiting: &Waiting) -> Result<Outcome, BoxError> {
    let preferences = waiting.preferences(state.language);
    let notification = &waiting.notification;
    if !preferences.allows(notification.channel, notification.kind) {
        return end(state, notification, State::Suppressed, "opted_out").await;
    }
    if waiting.is_outdated() {
        return end(state, notification, State::Suppressed, "outdated").await;
    }
    let contact = match state.users.find_contact(notification.user_id).await {
        Ok(Some(contact)) => contact,
        Ok(None) => return end(state, notification, State::Suppressed, "unknown_user").await,
        Err(status) => return try_later(state, waiting, status.into()).await,
    };
    let (language, kind, order_id) = (preferences.language, notification.kind, notification.order_id.get());
    let rendered = state.templates.render(language, kind, order_id, &contact.name, &waiting.details());
    let message = match rendered {
        Ok(message) => message,
        Err(error) => return try_later(state, waiting, error.into()).await,
    };
    match deliver(state, notification, &contact, &message).await {
        Ok(()) => end(state, notification, State::Sent, "").await,
        Err(SendError::Refused(code)) => {
            end(state, notification, State::Bounced, &format!("refused_{code}")).await
        }
        Err(error @ SendError::NotYet(_)) => try_later(state, waiting, error.into()).await,
    }
}

async fn deliver(
    state: &AppState,
    notification: &Notification,
    contact: &Contact,
    message: &Message,
) -> Result<(), SendError> {
    match (notification.channel, &state.webhook) {
        (Channel::Email, _) => state.mailer.send(&Mail::of_order(notification, contact, message)).await,
        (Channel::Webhook, Some(webhook)) => webhook.send(notification, contact, message).await,
        (Channel::Webhook, None) => {
            Err(SendError::NotYet("NOTIFICATION_WEBHOOK_URL is not set any more".to_owned()))
        }
    }
}

async fn end(
    state: &AppState,
    notification: &Notification,
    to: State,
    reason: &str,
) -> Result<Outcome, BoxError> {
    let Notification { id, kind, channel, order_id, .. } = notification;
    let reason = Some(reason).filter(|reason| !reason.is_empty());
    store::end_notification(&mut *state.db.acquire().await?, *id, to, reason).await?;
    tracing::info!(
        notification.id = %id, order.id = %order_id, %kind, channel = channel.as_str(), reason,
        "notification moved from PENDING to {to}"
    );
    Ok(Outcome::Done)
}

/// Fails, so that it is tried again after a pause, unless it has been tried for long enough.
async fn try_later(state: &AppState, waiting: &Waiting, error: BoxError) -> Result<Outcome, BoxError> {
    if !waiting.is_overdue {
        return Err(error);
    }
    end(state, &waiting.notification, State::Dead, "given_up").await?;
    Ok(Outcome::Dead(GIVEN_UP))
}
