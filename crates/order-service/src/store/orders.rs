//! Orders with their lines.

use contracts::{DeliveryId, OrderId, UserId};
use sqlx::{PgConnection, Result, types::Json};
use time::OffsetDateTime;

use crate::domain::{Basket, Item, Line, Order, ShippingAddress, State, Status};

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

/// Inserts an order with its lines and the first row of its timeline.
pub async fn insert_order(
    db: &mut PgConnection,
    buyer: UserId,
    Basket { lines, total, read_at }: Basket,
    address: Option<ShippingAddress>,
) -> Result<Order> {
    let products: Vec<i64> = lines.iter().map(|line| line.product_id.get()).collect();
    let names: Vec<String> = lines.iter().map(|line| line.name.clone()).collect();
    let prices: Vec<i64> = lines.iter().map(|line| line.price).collect();
    let quantities: Vec<i32> = lines.iter().map(|line| line.quantity).collect();
    let placed = sqlx::query!(
        r#"with placed as (
            insert into orders (user_id, total_amount, shipping_address, cart_read_at) values ($1, $2, $3, $8)
            returning id, created_at
        ), lines as (
            insert into order_items (order_id, product_id, name, price, quantity)
            select placed.id, line.product_id, line.name, line.price, line.quantity
            from placed, unnest($4::bigint[], $5::text[], $6::bigint[], $7::integer[]) with ordinality
                as line (product_id, name, price, quantity, position)
            order by line.position
            returning id
        ), history as (
            insert into order_history (order_id, to_status, cause) select id, 'RECEIVED', 'Placed' from placed
        )
        select id as "id: OrderId", created_at, (select array_agg(id order by id) from lines) as "line_ids!"
        from placed"#,
        buyer.get(),
        total,
        address.as_ref().map(Json) as _,
        &products,
        &names,
        &prices,
        &quantities,
        read_at
    )
    .fetch_one(db)
    .await?;
    Ok(Order {
        id: placed.id,
        user_id: buyer,
        status: Status::Received,
        total_amount: total,
        items: placed.line_ids.into_iter().zip(lines).map(|(id, line)| item(id, placed.id, line)).collect(),
        shipping_address: address,
        payment_url: None,
        payment_expires: None,
        delivery_id: None,
        refunded_amount: None,
        failure_reason: None,
        created_at: placed.created_at,
        updated_at: placed.created_at,
        cart_read_at: read_at,
    })
}

fn item(id: i64, order_id: OrderId, line: Line) -> Item {
    let Line { product_id, name, price, quantity } = line;
    Item { id, order_id, product_id, name, price, quantity }
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

/// An order that nobody else changes before this transaction ends.
pub async fn lock_order(db: &mut PgConnection, id: OrderId) -> Result<Option<Order>> {
    let row = select_orders!("where id = $1 for no key update of orders", id.get());
    Ok(row.fetch_optional(db).await?.map(Into::into))
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

/// Moves an order that still is in the state `from`, with the row of its timeline. False if it is in another one. A
/// cancellation that waits for an answer ends with any move: it was requested for the state before.
pub async fn move_order(
    db: &mut PgConnection,
    id: OrderId,
    from: Status,
    to: &State,
    cause: &str,
    detail: Option<&str>,
) -> Result<bool> {
    let refunded = if let State::Refunded(total) = to { Some(*total) } else { None };
    let moved = sqlx::query!(
        "with moved as (
            update orders set
                status = $3,
                payment_url = $4,
                payment_expires = $5,
                delivery_id = coalesce($6, delivery_id),
                refunded_amount = greatest(refunded_amount, $7),
                failure_reason = $8,
                awaited_row = null,
                updated_at = clock_timestamp()
            where id = $1 and status = $2
            returning id
        ), overtaken as (
            delete from cancellations where order_id in (select id from moved)
        )
        insert into order_history (order_id, from_status, to_status, cause, detail)
        select id, $2, $3, $9, $10 from moved",
        id.get(),
        from.as_str(),
        to.status().as_str(),
        to.page().map(|page| page.url.as_str()),
        to.page().map(|page| page.expires),
        to.delivery().map(DeliveryId::get),
        refunded,
        to.failure_reason(),
        cause,
        detail
    )
    .execute(db)
    .await?;
    Ok(moved.rows_affected() == 1)
}

/// Records what was refunded in all. Refunds may arrive out of order: the sum never falls.
pub async fn record_refund(db: &mut PgConnection, id: OrderId, total: i64) -> Result<()> {
    sqlx::query!(
        "update orders set refunded_amount = greatest(refunded_amount, $2), updated_at = clock_timestamp() where id = $1",
        id.get(),
        total
    )
    .execute(db)
    .await?;
    Ok(())
}

/// What a payment page is requested for.
#[derive(Debug, Clone, Copy)]
pub struct Payable {
    pub user_id: UserId,
    pub status: Status,
    pub total_amount: i64,
    /// Whether the buyer has paid an order before.
    pub has_paid: bool,
}

/// What is needed to request an order's payment page.
pub async fn find_payable(db: &mut PgConnection, id: OrderId) -> Result<Option<Payable>> {
    sqlx::query_as!(
        Payable,
        r#"select
            user_id as "user_id: UserId",
            status as "status: Status",
            total_amount,
            exists(select from paying_buyers where paying_buyers.user_id = orders.user_id) as "has_paid!"
        from orders where id = $1"#,
        id.get()
    )
    .fetch_optional(db)
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
