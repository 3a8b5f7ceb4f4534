//! How much a buyer has ordered and not paid yet, and whether anything was ever paid.

use std::collections::BTreeMap;

use contracts::{OrderId, ProductId, UserId};
use sqlx::{PgConnection, Result};
use time::OffsetDateTime;

/// What a buyer has ordered and not paid.
#[derive(Debug, Default, Clone)]
pub struct OpenOrders {
    pub count: i64,
    /// The units of each product in them.
    pub units: BTreeMap<ProductId, i64>,
}

/// What new orders get from the database.
#[derive(Debug)]
pub struct Numbers {
    pub orders: Vec<OrderId>,
    pub lines: Vec<i64>,
    /// The time of the transaction, by the database's clock.
    pub now: OffsetDateTime,
}

/// Takes the numbers of new orders, one for each of these buyers, and of their lines; and takes turns with other
/// transactions that place orders for the same buyers.
pub async fn lock_buyers(db: &mut PgConnection, buyers: &[i64], lines: i64) -> Result<Numbers> {
    // Locks with two keys are apart from those with one key of relay and migrations.
    sqlx::query_as!(
        Numbers,
        r#"select
            array(select nextval('orders_id_seq') from unnest($1::bigint[])) as "orders!: Vec<OrderId>",
            array(select nextval('order_items_id_seq') from generate_series(1, $2::bigint)) as "lines!",
            now() as "now!"
        from (
            select count(pg_advisory_xact_lock(1, hashint8(buyer))::text)
            from (select distinct buyer from unnest($1::bigint[]) as buyer order by buyer) as buyers
        ) as locked"#,
        buyers,
        lines
    )
    .fetch_one(db)
    .await
}

/// What each of these buyers has ordered and not paid.
pub async fn list_open_orders(db: &mut PgConnection, buyers: &[i64]) -> Result<BTreeMap<UserId, OpenOrders>> {
    let rows = sqlx::query!(
        r#"select orders.user_id as "user_id: UserId", line.product_id as "product_id: ProductId",
            sum(line.quantity) as "units!", count(*) filter (where line.position = 1) as "orders!"
        from orders
        join lateral (
            select product_id, quantity, row_number() over (order by id) as position
            from order_items where order_id = orders.id
        ) as line on true
        where orders.user_id = any($1) and orders.status in ('RECEIVED', 'AWAITING_PAYMENT')
        group by orders.user_id, line.product_id"#,
        buyers
    );
    let mut open: BTreeMap<UserId, OpenOrders> = BTreeMap::new();
    for row in rows.fetch_all(db).await? {
        let of_buyer = open.entry(row.user_id).or_default();
        of_buyer.count += row.orders;
        of_buyer.units.insert(row.product_id, row.units);
    }
    Ok(open)
}

/// Records that buyers have paid an order.
pub async fn record_payers(db: &mut PgConnection, buyers: &[UserId]) -> Result<()> {
    if buyers.is_empty() {
        return Ok(());
    }
    let buyers: Vec<i64> = buyers.iter().map(|buyer| buyer.get()).collect();
    sqlx::query!(
        "insert into paying_buyers (user_id) select buyer from unnest($1::bigint[]) as buyer order by buyer
        on conflict do nothing",
        &buyers
    )
    .execute(db)
    .await?;
    Ok(())
}
