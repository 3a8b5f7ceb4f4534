//! The table `notifications`, as sending needs it.

use std::time::Duration;

use chassis::database::interval;
use contracts::{NotificationId, OrderId, UserId};
use sqlx::{PgConnection, Result, types::Json};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::{Channel, Details, Kind, Language, NewNotification, Notification, Preferences, State};

/// A notification, with all that is known here about sending it.
#[derive(Debug)]
pub struct Waiting {
    pub notification: Notification,
    pub state: State,
    /// Whether it has been tried for as long as it is.
    pub is_overdue: bool,
    chosen: Option<Preferences>,
    /// Whether its order was paid or has ended by now.
    has_moved_on: bool,
    /// What the order costs, where another notification says so.
    order_amount: Option<i64>,
}

impl Waiting {
    /// What the customer wants, in this language unless another was chosen.
    pub fn preferences(&self, language: Language) -> Preferences {
        self.chosen.unwrap_or(Preferences::of_nobody(language))
    }

    /// Whether it would ask for money that nobody owes any more.
    pub fn is_outdated(&self) -> bool {
        self.notification.kind == Kind::PaymentDue && self.has_moved_on
    }

    /// What its text may say. The event of goods that are set aside does not have the price.
    pub fn details(&self) -> Details {
        let details = self.notification.details.clone();
        Details { amount: details.amount.or(self.order_amount), ..details }
    }
}

struct Row {
    id: NotificationId,
    event_id: Uuid,
    kind: Kind,
    channel: Channel,
    order_id: OrderId,
    user_id: UserId,
    details: Json<Details>,
    created_at: OffsetDateTime,
    state: State,
    is_overdue: bool,
    language: Option<Language>,
    email: Option<bool>,
    webhook: Option<bool>,
    has_moved_on: bool,
    order_amount: Option<i64>,
}

impl From<Row> for Waiting {
    fn from(row: Row) -> Self {
        let chosen = row.language.zip(row.email).zip(row.webhook);
        Self {
            notification: Notification {
                id: row.id,
                event_id: row.event_id,
                kind: row.kind,
                channel: row.channel,
                order_id: row.order_id,
                user_id: row.user_id,
                details: row.details.0,
                created_at: row.created_at,
            },
            state: row.state,
            is_overdue: row.is_overdue,
            chosen: chosen.map(|((language, email), webhook)| Preferences { language, email, webhook }),
            has_moved_on: row.has_moved_on,
            order_amount: row.order_amount,
        }
    }
}

/// Writes notifications for each channel, those that are there already excepted, and returns the ids of the new ones.
pub async fn insert_notifications(
    db: &mut PgConnection,
    new: &[NewNotification],
    channels: &[Channel],
) -> Result<Vec<NotificationId>> {
    let kinds: Vec<&str> = new.iter().map(|new| new.what.kind.as_str()).collect();
    let parts: Vec<&str> = new.iter().map(|new| new.what.part.as_str()).collect();
    let channels: Vec<&str> = channels.iter().map(|channel| channel.as_str()).collect();
    let details: Vec<Json<&Details>> = new.iter().map(|new| Json(&new.what.details)).collect();
    sqlx::query_scalar!(
        r#"insert into notifications (event_id, kind, order_id, user_id, part, details, channel)
         select event_id, kind, order_id, user_id, part, details, channel
         from unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[], $5::text[], $6::jsonb[])
             as new (event_id, kind, order_id, user_id, part, details)
         cross join unnest($7::text[]) as channel
         order by order_id, user_id, kind, part, channel
         on conflict on constraint notifications_once do nothing
         returning id as "id: NotificationId""#,
        &new.iter().map(|new| new.event_id).collect::<Vec<Uuid>>(),
        &kinds as &[&str],
        &new.iter().map(|new| new.what.order_id.get()).collect::<Vec<i64>>(),
        &new.iter().map(|new| new.what.user_id.get()).collect::<Vec<i64>>(),
        &parts as &[&str],
        &details as _,
        &channels as &[&str],
    )
    .fetch_all(db)
    .await
}

/// A notification with what sending it needs; overdue if it has been tried for so long.
pub async fn find_waiting(
    db: &mut PgConnection,
    id: NotificationId,
    give_up_after: Duration,
) -> Result<Option<Waiting>> {
    let row = sqlx::query_as!(
        Row,
        r#"select n.id as "id: NotificationId", n.event_id, n.kind as "kind: Kind", n.channel as "channel: Channel",
                  n.order_id as "order_id: OrderId", n.user_id as "user_id: UserId",
                  n.details as "details: Json<Details>", n.created_at, n.state as "state: State",
                  n.due_since < now() - $2::interval as "is_overdue!",
                  p.language as "language?: Language", p.email as "email?", p.webhook as "webhook?",
                  exists (
                      select from notifications later
                      where later.order_id = n.order_id and later.user_id = n.user_id
                          and later.kind in ('paid', 'failed', 'cancelled')
                  ) as "has_moved_on!",
                  (
                      select (placed.details ->> 'amount')::bigint from notifications placed
                      where placed.order_id = n.order_id and placed.user_id = n.user_id
                          and placed.kind = 'order_received'
                      limit 1
                  ) as "order_amount"
           from notifications n left join preferences p on p.user_id = n.user_id
           where n.id = $1"#,
        id.get(),
        interval(give_up_after),
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(Waiting::from))
}

/// Ends a notification that was pending.
pub async fn end_notification(
    db: &mut PgConnection,
    id: NotificationId,
    to: State,
    reason: Option<&str>,
) -> Result<()> {
    sqlx::query!(
        "update notifications set state = $2, reason = $3, ended_at = now() where id = $1 and state = 'PENDING'",
        id.get(),
        to as State,
        reason,
    )
    .execute(db)
    .await?;
    Ok(())
}
