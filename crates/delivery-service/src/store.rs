//! All SQL of this service. Every change of a delivery writes its history row in the same statement.

use std::collections::{BTreeMap, BTreeSet};

use contracts::{
    DeliveryId, OrderId, UserId,
    events::{OrderPaid, ShippingAddress},
};
use sqlx::{PgConnection, types::Json};
use time::OffsetDateTime;

use crate::domain::{Change, Delivery, Status};

/// A delivery or a tombstone, as far as deciding about it needs.
#[derive(Debug)]
pub struct DeliveryRow {
    pub id: DeliveryId,
    pub order_id: OrderId,
    pub status: Status,
    /// The buyer; `None` for a tombstone, whose order is not known.
    pub user_id: Option<UserId>,
    /// When the order was placed; `None` for a tombstone.
    pub ordered_at: Option<OffsetDateTime>,
}

impl DeliveryRow {
    /// Whether it can be this buyer's. What is not known contradicts nothing.
    pub fn is_of(&self, user_id: Option<UserId>) -> bool {
        self.user_id.zip(user_id).is_none_or(|(own, asked)| own == asked)
    }
}

/// An order that is to be delivered.
#[derive(Debug)]
pub struct NewDelivery<'a> {
    pub order_id: OrderId,
    pub user_id: UserId,
    pub ordered_at: OffsetDateTime,
    /// Where it goes, if the buyer said.
    pub shipping_address: Option<&'a ShippingAddress>,
}

/// Which deliveries a list shows; tombstones never.
#[derive(Debug, Clone, Copy)]
pub struct Filter {
    pub user_id: Option<UserId>,
    pub status: Option<Status>,
    pub order_id: Option<OrderId>,
}

/// A change that was decided on; `from` and `to` are the same where only the number or a note is new.
#[derive(Debug)]
pub struct Move<'a> {
    pub id: DeliveryId,
    /// The status that the decision was made for.
    pub from: Status,
    pub to: Status,
    /// The carrier's number; the known one stays unless there is a new one.
    pub tracking_number: Option<&'a str>,
    /// For the row of the history.
    pub note: Option<&'a str>,
}

struct Row {
    id: DeliveryId,
    order_id: OrderId,
    user_id: UserId,
    status: Status,
    tracking_number: Option<String>,
    shipping_address: Option<Json<ShippingAddress>>,
    created_at: OffsetDateTime,
    updated_at: OffsetDateTime,
    history: Json<Vec<Change>>,
}

impl From<Row> for Delivery {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            order_id: row.order_id,
            user_id: row.user_id,
            status: row.status,
            tracking_number: row.tracking_number,
            shipping_address: row.shipping_address.map(|Json(address)| address),
            created_at: row.created_at,
            updated_at: row.updated_at,
            history: row.history.0,
        }
    }
}

impl<'a> From<&'a OrderPaid> for NewDelivery<'a> {
    fn from(event: &'a OrderPaid) -> Self {
        Self {
            order_id: event.order_id,
            user_id: event.user_id,
            ordered_at: event.ordered_at,
            shipping_address: event.shipping_address.as_ref(),
        }
    }
}

/// Starts the deliveries of orders that have none and no tombstone, and returns which.
pub async fn insert_deliveries<'a>(
    db: &mut PgConnection,
    new: impl Iterator<Item = &'a NewDelivery<'a>> + Clone,
) -> sqlx::Result<BTreeSet<OrderId>> {
    let orders: Vec<i64> = new.clone().map(|new| new.order_id.get()).collect();
    let users: Vec<i64> = new.clone().map(|new| new.user_id.get()).collect();
    let addresses: Vec<Option<Json<&ShippingAddress>>> =
        new.clone().map(|new| new.shipping_address.map(Json)).collect();
    let ordered_at: Vec<OffsetDateTime> = new.map(|new| new.ordered_at).collect();
    let started = sqlx::query_scalar!(
        r#"with started as (
             insert into deliveries (order_id, user_id, status, shipping_address, ordered_at)
             select order_id, user_id, $1, address, ordered_at
             from unnest($2::bigint[], $3::bigint[], $4::jsonb[], $5::timestamptz[])
                 as new (order_id, user_id, address, ordered_at)
             order by order_id
             on conflict on constraint deliveries_one_per_order do nothing
             returning id, order_id, status
         ), history as (
             insert into delivery_history (delivery_id, status) select id, status from started
         )
         select order_id as "order_id: OrderId" from started"#,
        Status::Pending as Status,
        &orders,
        &users,
        &addresses as _,
        &ordered_at,
    )
    .fetch_all(db)
    .await?;
    Ok(started.into_iter().collect())
}

/// Makes sure that an order's delivery never starts, or does nothing if there is one or a tombstone.
pub async fn insert_tombstone(db: &mut PgConnection, order_id: OrderId) -> sqlx::Result<bool> {
    let inserted = sqlx::query!(
        "with stopped as (
             insert into deliveries (order_id, status) values ($1, $2)
             on conflict on constraint deliveries_one_per_order do nothing
             returning id, status
         )
         insert into delivery_history (delivery_id, status) select id, status from stopped",
        order_id.get(),
        Status::Cancelled as Status,
    )
    .execute(db)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// A query for whole deliveries; the first argument is what follows `from deliveries d`.
macro_rules! select_deliveries {
    ($rest:literal, $($argument:expr),+) => {
        sqlx::query_as!(
            Row,
            r#"select id as "id: DeliveryId", order_id as "order_id: OrderId", user_id as "user_id!: UserId",
                      status as "status: Status", tracking_number,
                      shipping_address as "shipping_address: Json<ShippingAddress>", created_at, updated_at,
                      (select jsonb_agg(jsonb_build_object('at', at, 'status', h.status, 'note', note) order by h.id)
                       from delivery_history h
                       where delivery_id = d.id) as "history!: Json<Vec<Change>>"
               from deliveries d
               "# + $rest,
            $($argument),+
        )
    };
}

/// A delivery, for `owner` only if it is the buyer.
pub async fn find_delivery(
    db: &mut PgConnection,
    id: DeliveryId,
    owner: Option<UserId>,
) -> sqlx::Result<Option<Delivery>> {
    let row = select_deliveries!(
        "where id = $1 and user_id = coalesce($2, user_id)",
        id.get(),
        owner.map(UserId::get)
    );
    Ok(row.fetch_optional(db).await?.map(Delivery::from))
}

/// Deliveries that nobody else changes before this transaction ends; locked in the order of their ids, so that no two
/// transactions deadlock. Tombstones are none.
pub async fn lock_deliveries(
    db: &mut PgConnection,
    ids: &[i64],
) -> sqlx::Result<BTreeMap<DeliveryId, Delivery>> {
    sqlx::query!("select from deliveries where id = any($1) order by id for no key update", ids)
        .execute(&mut *db)
        .await?;
    // A statement of its own: the one that waited for a lock does not see the history that it waited for.
    let rows = select_deliveries!("where id = any($1) and user_id is not null", ids);
    Ok(rows.fetch_all(db).await?.into_iter().map(|row| (row.id, row.into())).collect())
}

/// The deliveries of orders, or their tombstones.
pub async fn list_by_orders(
    db: &mut PgConnection,
    orders: &[i64],
) -> sqlx::Result<BTreeMap<OrderId, DeliveryRow>> {
    let rows = sqlx::query_as!(
        DeliveryRow,
        r#"select id as "id: DeliveryId", order_id as "order_id: OrderId", status as "status: Status",
                  user_id as "user_id: UserId", ordered_at
           from deliveries where order_id = any($1)"#,
        orders,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|row| (row.order_id, row)).collect())
}

/// The delivery of an order, or its tombstone.
pub async fn find_by_order(db: &mut PgConnection, order_id: OrderId) -> sqlx::Result<Option<DeliveryRow>> {
    Ok(list_by_orders(db, &[order_id.get()]).await?.remove(&order_id))
}

/// The delivery of an order, or its tombstone, which nobody else changes before this transaction ends.
pub async fn lock_by_order(db: &mut PgConnection, order_id: OrderId) -> sqlx::Result<Option<DeliveryRow>> {
    sqlx::query!("select from deliveries where order_id = $1 for no key update", order_id.get())
        .execute(&mut *db)
        .await?;
    find_by_order(db, order_id).await
}

/// A part of the deliveries that a filter lets through, newest first.
pub async fn list_deliveries(
    db: &mut PgConnection,
    filter: Filter,
    limit: i64,
    offset: i64,
) -> sqlx::Result<Vec<Delivery>> {
    let rows = select_deliveries!(
        "where user_id is not null and ($1::bigint is null or user_id = $1)
            and ($2::text is null or status = $2) and ($3::bigint is null or order_id = $3)
         order by id desc limit $4 offset $5",
        filter.user_id.map(UserId::get),
        filter.status as Option<Status>,
        filter.order_id.map(OrderId::get),
        limit,
        offset
    );
    Ok(rows.fetch_all(db).await?.into_iter().map(Delivery::from).collect())
}

/// How many deliveries a filter lets through.
pub async fn count_deliveries(db: &mut PgConnection, filter: Filter) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!"
           from deliveries
           where user_id is not null and ($1::bigint is null or user_id = $1)
             and ($2::text is null or status = $2) and ($3::bigint is null or order_id = $3)"#,
        filter.user_id.map(UserId::get),
        filter.status as Option<Status>,
        filter.order_id.map(OrderId::get),
    )
    .fetch_one(db)
    .await
}

/// Moves deliveries that are locked, each once. Returns when, by the database's clock; nothing if there are none.
///
/// # Errors
/// If one is not in the status that it is to be moved from: whoever moves it has not locked it.
pub async fn move_deliveries(
    db: &mut PgConnection,
    moves: &[Move<'_>],
) -> sqlx::Result<Option<OffsetDateTime>> {
    if moves.is_empty() {
        return Ok(None);
    }
    let ids: Vec<i64> = moves.iter().map(|change| change.id.get()).collect();
    let from: Vec<&str> = moves.iter().map(|change| change.from.as_str()).collect();
    let to: Vec<&str> = moves.iter().map(|change| change.to.as_str()).collect();
    let numbers: Vec<Option<&str>> = moves.iter().map(|change| change.tracking_number).collect();
    let notes: Vec<Option<&str>> = moves.iter().map(|change| change.note).collect();
    let times = sqlx::query_scalar!(
        "with moved as (
             update deliveries d
             set status = to_status, tracking_number = coalesce(number, tracking_number), updated_at = now()
             from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[])
                 as change (id, from_status, to_status, number, note)
             where d.id = change.id and status = from_status
             returning d.id, status, note
         )
         insert into delivery_history (delivery_id, status, note) select id, status, note from moved returning at",
        &ids,
        &from as &[&str],
        &to as &[&str],
        &numbers as &[Option<&str>],
        &notes as &[Option<&str>],
    )
    .fetch_all(db)
    .await?;
    if times.len() == moves.len() {
        return Ok(times.first().copied());
    }
    Err(sqlx::Error::Decode("a delivery is not in the status any more that it is to be moved from".into()))
}
