//! Orders with their lines.

use std::collections::BTreeMap;

use contracts::{DeliveryId, OrderId, UserId};
use sqlx::{PgConnection, Result, types::Json};
use time::OffsetDateTime;

use crate::domain::{Item, Order, ShippingAddress, State, Status};

/// An order as a row with its lines in one member, so that a list is one round trip.
struct Row {
    id: OrderId,
    user_id: UserId,
    status: Status,
    total_amount: i64,
    shipping_address: Option<Json<ShippingAddress>>,
    payment_url: Option<String>,
    payment_expires: Option<OffsetDateTime>,
    delivery_id: Option<DeliveryId>,
    refunded_amount: Option<i64>,
    failure_reason: Option<String>,
    created_at: OffsetDateTime,
    updated_at: OffsetDateTime,
    cart_read_at: Option<OffsetDateTime>,
    items: Json<Vec<Item>>,
}

impl From<Row> for Order {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            user_id: row.user_id,
            status: row.status,
            total_amount: row.total_amount,
            items: row.items.0,
            shipping_address: row.shipping_address.map(|Json(address)| address),
            payment_url: row.payment_url,
            payment_expires: row.payment_expires,
            delivery_id: row.delivery_id,
            refunded_amount: row.refunded_amount,
            failure_reason: row.failure_reason,
            created_at: row.created_at,
            updated_at: row.updated_at,
            cart_read_at: row.cart_read_at,
        }
    }
}

/// A query for whole orders; the first argument is what follows `from orders`.
macro_rules! select_orders {
    ($rest:literal, $($argument:expr),+) => {
        sqlx::query_as!(
            Row,
            r#"select
                id as "id: OrderId",
                user_id as "user_id: UserId",
                status as "status: Status",
                total_amount,
                shipping_address as "shipping_address: Json<ShippingAddress>",
                payment_url,
                payment_expires,
                delivery_id as "delivery_id: DeliveryId",
                refunded_amount,
                failure_reason,
                created_at,
                updated_at,
                cart_read_at,
                (
                    select json_agg(json_build_object(
                        'id', line.id, 'order_id', line.order_id, 'product_id', line.product_id,
                        'name', line.name, 'price', line.price, 'quantity', line.quantity
                    ) order by line.id)
                    from order_items as line where line.order_id = orders.id
                ) as "items!: Json<Vec<Item>>"
            from orders "# + $rest,
            $($argument),+
        )
    };
}

/// An order that is placed, with the number that it has.
#[derive(Debug)]
pub struct NewOrderRow<'a> {
    pub order: &'a Order,
    /// The outbox row of its `OrderCreated`.
    pub awaited_row: i64,
}

/// Inserts orders with their lines and the first rows of their timelines.
pub async fn insert_orders(db: &mut PgConnection, new: &[NewOrderRow<'_>]) -> Result<()> {
    let orders = || new.iter().map(|new| new.order);
    let lines = || orders().flat_map(|order| &order.items);
    let ids: Vec<i64> = orders().map(|order| order.id.get()).collect();
    let buyers: Vec<i64> = orders().map(|order| order.user_id.get()).collect();
    let totals: Vec<i64> = orders().map(|order| order.total_amount).collect();
    let addresses: Vec<Option<Json<&ShippingAddress>>> =
        orders().map(|order| order.shipping_address.as_ref().map(Json)).collect();
    let read_at: Vec<Option<OffsetDateTime>> = orders().map(|order| order.cart_read_at).collect();
    let created_at: Vec<OffsetDateTime> = orders().map(|order| order.created_at).collect();
    let awaited: Vec<i64> = new.iter().map(|new| new.awaited_row).collect();
    let line_ids: Vec<i64> = lines().map(|line| line.id).collect();
    let of_orders: Vec<i64> = lines().map(|line| line.order_id.get()).collect();
    let products: Vec<i64> = lines().map(|line| line.product_id.get()).collect();
    let names: Vec<&str> = lines().map(|line| line.name.as_str()).collect();
    let prices: Vec<i64> = lines().map(|line| line.price).collect();
    let quantities: Vec<i32> = lines().map(|line| line.quantity).collect();
    sqlx::query!(
        "with placed as (
            insert into orders (id, user_id, total_amount, shipping_address, cart_read_at, awaited_row, created_at,
                updated_at)
            overriding system value
            select *, created_at
            from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::jsonb[], $5::timestamptz[], $6::bigint[],
                $7::timestamptz[]) as new (id, user_id, total_amount, address, read_at, awaited_row, created_at)
        ), lines as (
            insert into order_items (id, order_id, product_id, name, price, quantity)
            overriding system value
            select * from unnest($8::bigint[], $9::bigint[], $10::bigint[], $11::text[], $12::bigint[], $13::integer[])
        )
        insert into order_history (order_id, to_status, cause) select id, 'RECEIVED', 'Placed' from unnest($1::bigint[]) as id",
        &ids,
        &buyers,
        &totals,
        &addresses as _,
        &read_at as &[Option<OffsetDateTime>],
        &awaited,
        &created_at,
        &line_ids,
        &of_orders,
        &products,
        &names as &[&str],
        &prices,
        &quantities
    )
    .execute(db)
    .await?;
    Ok(())
}

/// An order, if it is there and within the scope: its buyer's, or anybody's.
pub async fn find_order(db: &mut PgConnection, id: OrderId, scope: Option<UserId>) -> Result<Option<Order>> {
    let row = select_orders!(
        "where id = $1 and ($2::bigint is null or user_id = $2)",
        id.get(),
        scope.map(UserId::get)
    );
    Ok(row.fetch_optional(db).await?.map(Into::into))
}

/// An order that exists, as this transaction has left it.
pub async fn read_order(db: &mut PgConnection, id: OrderId) -> Result<Order> {
    Ok(select_orders!("where id = $1", id.get()).fetch_one(db).await?.into())
}

/// Orders that nobody else changes before this transaction ends; locked in the order of their numbers, so that no two
/// transactions deadlock.
pub async fn lock_orders(db: &mut PgConnection, ids: &[i64]) -> Result<BTreeMap<OrderId, Order>> {
    let rows = select_orders!("where id = any($1) order by id for no key update of orders", ids);
    Ok(rows.fetch_all(db).await?.into_iter().map(|row| (row.id, row.into())).collect())
}

/// An order that nobody else changes before this transaction ends.
pub async fn lock_order(db: &mut PgConnection, id: OrderId) -> Result<Option<Order>> {
    Ok(lock_orders(db, &[id.get()]).await?.remove(&id))
}

/// Which part of a list to read.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    /// Only orders in this state.
    pub status: Option<Status>,
    /// Only orders older than this one.
    pub before: Option<OrderId>,
    /// At most this many.
    pub limit: i64,
}

impl Part {
    fn status(&self) -> Option<&'static str> {
        self.status.map(Status::as_str)
    }

    fn before(&self) -> i64 {
        self.before.map_or(i64::MAX, OrderId::get)
    }
}

/// Orders, newest first: a buyer's, or everybody's.
pub async fn list_orders(db: &mut PgConnection, buyer: Option<UserId>, part: Part) -> Result<Vec<Order>> {
    let rows = match (buyer, part.status()) {
        (Some(buyer), status) => select_orders!(
            "where user_id = $1 and ($2::text is null or status = $2) and id < $3 order by id desc limit $4",
            buyer.get(),
            status,
            part.before(),
            part.limit
        )
        .fetch_all(db)
        .await?,
        (None, Some(status)) => {
            select_orders!(
                "where status = $1 and id < $2 order by id desc limit $3",
                status,
                part.before(),
                part.limit
            )
            .fetch_all(db)
            .await?
        }
        (None, None) => {
            select_orders!("where id < $1 order by id desc limit $2", part.before(), part.limit)
                .fetch_all(db)
                .await?
        }
    };
    Ok(rows.into_iter().map(Into::into).collect())
}

/// How many orders the whole list has.
pub async fn count_orders(
    db: &mut PgConnection,
    buyer: Option<UserId>,
    status: Option<Status>,
) -> Result<i64> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from orders
        where ($1::bigint is null or user_id = $1) and ($2::text is null or status = $2)"#,
        buyer.map(UserId::get),
        status.map(Status::as_str)
    )
    .fetch_one(db)
    .await
}

/// A change of an order's state.
#[derive(Debug)]
pub struct Move {
    pub id: OrderId,
    /// The state that the change was decided for.
    pub from: Status,
    pub to: State,
    /// For the timeline.
    pub cause: &'static str,
    pub detail: Option<String>,
    /// The outbox row of the event that the next change waits for.
    pub awaited_row: Option<i64>,
}

/// Moves orders that are locked, with the rows of their timelines. A cancellation that waits for an answer ends with any
/// move: it was requested for the state before.
///
/// # Errors
/// If one is not in the state that it is to be moved from: whoever moves it has not locked it.
pub async fn move_orders(db: &mut PgConnection, moves: &[Move]) -> Result<()> {
    if moves.is_empty() {
        return Ok(());
    }
    let ids: Vec<i64> = moves.iter().map(|change| change.id.get()).collect();
    let from: Vec<&str> = moves.iter().map(|change| change.from.as_str()).collect();
    let to: Vec<&str> = moves.iter().map(|change| change.to.status().as_str()).collect();
    let urls: Vec<Option<&str>> =
        moves.iter().map(|change| change.to.page().map(|page| page.url.as_str())).collect();
    let expires: Vec<Option<OffsetDateTime>> =
        moves.iter().map(|change| change.to.page().map(|page| page.expires)).collect();
    let deliveries: Vec<Option<i64>> =
        moves.iter().map(|change| change.to.delivery().map(DeliveryId::get)).collect();
    let refunded: Vec<Option<i64>> = moves.iter().map(|change| change.to.refunded()).collect();
    let reasons: Vec<Option<&str>> = moves.iter().map(|change| change.to.failure_reason()).collect();
    let awaited: Vec<Option<i64>> = moves.iter().map(|change| change.awaited_row).collect();
    let causes: Vec<&str> = moves.iter().map(|change| change.cause).collect();
    let details: Vec<Option<&str>> = moves.iter().map(|change| change.detail.as_deref()).collect();
    let updated = sqlx::query!(
        "with moved as (
            update orders set
                status = change.to_status,
                payment_url = change.url,
                payment_expires = change.expires,
                delivery_id = coalesce(change.delivery, delivery_id),
                refunded_amount = greatest(refunded_amount, change.refunded),
                failure_reason = change.reason,
                awaited_row = change.awaited,
                updated_at = clock_timestamp()
            from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::bigint[], $7::bigint[],
                $8::text[], $9::bigint[], $10::text[], $11::text[])
                as change (id, from_status, to_status, url, expires, delivery, refunded, reason, awaited, cause, detail)
            where orders.id = change.id and status = change.from_status
            returning orders.id, change.from_status, change.to_status, change.cause, change.detail
        ), overtaken as (
            delete from cancellations where order_id in (select id from moved)
        )
        insert into order_history (order_id, from_status, to_status, cause, detail) select * from moved",
        &ids,
        &from as &[&str],
        &to as &[&str],
        &urls as &[Option<&str>],
        &expires as &[Option<OffsetDateTime>],
        &deliveries as &[Option<i64>],
        &refunded as &[Option<i64>],
        &reasons as &[Option<&str>],
        &awaited as &[Option<i64>],
        &causes as &[&str],
        &details as &[Option<&str>]
    )
    .execute(db)
    .await?;
    if updated.rows_affected() == moves.len() as u64 {
        return Ok(());
    }
    Err(sqlx::Error::Decode("an order is not in the state any more that it is to be moved from".into()))
}

/// Records what was refunded of orders in all. Refunds may arrive out of order: the sum never falls.
pub async fn record_refunds(db: &mut PgConnection, refunds: &[(OrderId, i64)]) -> Result<()> {
    if refunds.is_empty() {
        return Ok(());
    }
    let (ids, totals): (Vec<i64>, Vec<i64>) = refunds.iter().map(|(id, total)| (id.get(), *total)).unzip();
    sqlx::query!(
        "update orders set refunded_amount = greatest(refunded_amount, total), updated_at = clock_timestamp()
        from (
            select id, max(total) as total from unnest($1::bigint[], $2::bigint[]) as refund (id, total) group by id
        ) as refund
        where orders.id = refund.id",
        &ids,
        &totals
    )
    .execute(db)
    .await?;
    Ok(())
}

/// What a payment page is requested for.
#[derive(Debug, Clone, Copy)]
pub struct Payable {
    pub id: OrderId,
    pub user_id: UserId,
    pub total_amount: i64,
    /// Whether the buyer has paid an order before.
    pub has_paid: bool,
}

/// Those of the orders that are RECEIVED, with what is needed to request their payment pages.
pub async fn list_payable(db: &mut PgConnection, ids: &[i64]) -> Result<Vec<Payable>> {
    sqlx::query_as!(
        Payable,
        r#"select
            id as "id: OrderId",
            user_id as "user_id: UserId",
            total_amount,
            exists(select from paying_buyers where paying_buyers.user_id = orders.user_id) as "has_paid!"
        from orders where id = any($1) and status = 'RECEIVED'"#,
        ids
    )
    .fetch_all(db)
    .await
}

/// Lets new orders begin after a number, if they do not anyway. Returns whether any number was skipped.
pub async fn skip_numbers(db: &mut PgConnection, taken: i64) -> Result<bool> {
    let skipped = sqlx::query_scalar!(
        r#"select setval('orders_id_seq', $1) from orders_id_seq where last_value < $1"#,
        taken
    )
    .fetch_optional(db)
    .await?;
    Ok(skipped.is_some())
}
