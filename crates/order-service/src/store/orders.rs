//! Orders with their lines: written together, read together, locked in the order of their ids.

use std::collections::BTreeMap;

use contracts::{DeliveryId, OrderId, UserId};
use sqlx::{PgConnection, Result, types::Json};
use time::OffsetDateTime;

use crate::domain::{Item, Order, ShippingAddress, Status};

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
    pub status: Option<Status>,
    /// Only orders older than this one.
    pub before: Option<OrderId>,
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
