//! All commands to Redis. A cart is the hash `cart:{user_id}` on DB 0 with a field per product id, and lives for 7 days
//! after its last change.
//!
//! A field's value is a text that the scripts can take apart without losing digits:
//! `{quantity} {price added} {added at, µs} {cached price} {cached stock} {cached name}`. Whatever reads a
//! line to write it back is a script, so that parallel requests never overwrite one another.

use std::{str::FromStr, sync::LazyLock};

use contracts::{OrderId, ProductId, UserId, events::Item};
use redis::{AsyncCommands, RedisError, Script, aio::ConnectionManager};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::{CachedProduct, Line, MAX_LINES, MAX_QUANTITY};

/// How long a cart lives after its last change.
const CART_SECONDS: i64 = 7 * 24 * 60 * 60;
/// How long the marks that an order's items were taken out are kept.
const MARK_SECONDS: i64 = 30 * 24 * 60 * 60;

/// Adds units. An existing line keeps its place, its time and the price when it was added.
/// KEYS: cart. ARGV: product, quantity, price, its cached text, most units, most lines, seconds to live.
static ADD: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local line = redis.call('HGET', KEYS[1], ARGV[1])
        local quantity, added = tonumber(ARGV[2]), nil
        if line then
            local had, rest = string.match(line, '^(%d+) (%d+ %d+)')
            quantity, added = quantity + tonumber(had), rest
        elseif redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[6]) then
            return false
        else
            local now = redis.call('TIME')
            added = ARGV[3] .. ' ' .. now[1] .. string.format('%06d', tonumber(now[2]))
        end
        if quantity > tonumber(ARGV[5]) then
            return false
        end
        redis.call('HSET', KEYS[1], ARGV[1], quantity .. ' ' .. added .. ' ' .. ARGV[4])
        redis.call('EXPIRE', KEYS[1], ARGV[7])
        return redis.call('HGETALL', KEYS[1])",
    )
});

/// Sets the units of a line that is there.
/// KEYS: cart. ARGV: product, quantity, seconds to live.
static SET: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local line = redis.call('HGET', KEYS[1], ARGV[1])
        if not line then
            return false
        end
        redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. string.match(line, '^%d+( .*)$'))
        redis.call('EXPIRE', KEYS[1], ARGV[3])
        return redis.call('HGETALL', KEYS[1])",
    )
});

/// Caches products anew in the lines that are still there. Not a change of the cart: it does not live longer for it.
/// KEYS: cart. ARGV: product, its cached text, and so on.
static CACHE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        for i = 1, #ARGV, 2 do
            local line = redis.call('HGET', KEYS[1], ARGV[i])
            if line then
                redis.call('HSET', KEYS[1], ARGV[i], string.match(line, '^%d+ %d+ %d+ ') .. ARGV[i + 1])
            end
        end",
    )
});

/// Takes out what an order bought, once for each event and each order, from the lines that were there when the order
/// read them. The cart lives as long as before. Redis undoes nothing when a script fails, so all is read before anything is
/// written.
/// KEYS: cart, mark of the event, mark of the order. ARGV: until when, seconds to keep the marks, product, quantity, and so on.
static TAKE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        if redis.call('EXISTS', KEYS[2], KEYS[3]) > 0 then
            return 0
        end
        local left = {}
        for i = 3, #ARGV, 2 do
            local line = redis.call('HGET', KEYS[1], ARGV[i])
            if line then
                local had, rest, added = string.match(line, '^(%d+)( %d+ (%d+) .*)$')
                if tonumber(added) <= tonumber(ARGV[1]) then
                    table.insert(left, { ARGV[i], tonumber(had) - tonumber(ARGV[i + 1]), rest })
                end
            end
        end
        redis.call('SET', KEYS[2], '1', 'EX', ARGV[2])
        redis.call('SET', KEYS[3], '1', 'EX', ARGV[2])
        for _, line in ipairs(left) do
            local product, quantity, rest = unpack(line)
            if quantity > 0 then
                redis.call('HSET', KEYS[1], product, quantity .. rest)
            else
                redis.call('HDEL', KEYS[1], product)
            end
        end
        return 1",
    )
});

/// Why a cart could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("Redis failed")]
    Redis(#[from] RedisError),
    /// A line is not what this service writes.
    #[error("a line of a cart cannot be read: {0}")]
    Unreadable(String),
}

#[derive(Debug)]
pub struct Bought<'a> {
    pub event_id: Uuid,
    pub order_id: OrderId,
    pub user_id: UserId,
    /// Lines that were added after this time stay.
    pub until: OffsetDateTime,
    pub items: &'a [Item],
}

/// What the last field of a line looks like, in the order of its parts.
impl CachedProduct {
    fn to_text(&self) -> String {
        format!("{} {} {}", self.price, self.stock, self.name)
    }
}

fn cart(user_id: UserId) -> String {
    format!("cart:{user_id}")
}

/// A user's lines, in the order added.
pub async fn list_lines(redis: &ConnectionManager, user_id: UserId) -> Result<Vec<Line>, StoreError> {
    lines(redis.clone().hgetall(cart(user_id)).await?)
}

/// A user's lines, and when they were read: microseconds since 1970 by the clock that says when lines were added.
pub async fn read_cart(redis: &ConnectionManager, user_id: UserId) -> Result<(Vec<Line>, u64), StoreError> {
    let mut both = redis::pipe();
    both.atomic().hgetall(cart(user_id)).cmd("TIME");
    let (fields, (seconds, micros)): (_, (u64, u64)) = both.query_async(&mut redis.clone()).await?;
    Ok((lines(fields)?, seconds * 1_000_000 + micros))
}

/// Adds units of a product, and returns all lines; `None` if there would be too many units or lines.
pub async fn add_line(
    redis: &ConnectionManager,
    user_id: UserId,
    product_id: ProductId,
    quantity: i32,
    product: &CachedProduct,
) -> Result<Option<Vec<Line>>, StoreError> {
    let mut call = ADD.key(cart(user_id));
    call.arg(product_id.get()).arg(quantity).arg(product.price).arg(product.to_text());
    call.arg(MAX_QUANTITY).arg(MAX_LINES).arg(CART_SECONDS);
    let found: Option<Vec<(i64, String)>> = call.invoke_async(&mut redis.clone()).await?;
    found.map(lines).transpose()
}

/// Sets the units of a line, and returns all lines; `None` if there is no such line.
pub async fn update_quantity(
    redis: &ConnectionManager,
    user_id: UserId,
    product_id: ProductId,
    quantity: i32,
) -> Result<Option<Vec<Line>>, StoreError> {
    let mut call = SET.key(cart(user_id));
    call.arg(product_id.get()).arg(quantity).arg(CART_SECONDS);
    let found: Option<Vec<(i64, String)>> = call.invoke_async(&mut redis.clone()).await?;
    found.map(lines).transpose()
}

/// Caches products anew in the lines of a cart.
pub async fn cache_products(
    redis: &ConnectionManager,
    user_id: UserId,
    products: &[(ProductId, CachedProduct)],
) -> Result<(), StoreError> {
    let mut call = CACHE.key(cart(user_id));
    for (product_id, product) in products {
        call.arg(product_id.get()).arg(product.to_text());
    }
    Ok(call.invoke_async(&mut redis.clone()).await?)
}

/// Takes lines out, those that are there.
pub async fn delete_lines(
    redis: &ConnectionManager,
    user_id: UserId,
    product_ids: &[ProductId],
) -> Result<(), StoreError> {
    if product_ids.is_empty() {
        return Ok(());
    }
    let (cart, fields) = (cart(user_id), product_ids.iter().map(|id| id.get()).collect::<Vec<_>>());
    let mut both = redis::pipe();
    both.atomic().hdel(&cart, fields).ignore().expire(&cart, CART_SECONDS).ignore();
    Ok(both.exec_async(&mut redis.clone()).await?)
}

pub async fn delete_cart(redis: &ConnectionManager, user_id: UserId) -> Result<(), StoreError> {
    Ok(redis.clone().del(cart(user_id)).await?)
}

/// Takes out what an order bought; does nothing the second time. Returns whether it was the first.
pub async fn take_bought(redis: &ConnectionManager, bought: &Bought<'_>) -> Result<bool, StoreError> {
    let mut call = TAKE.key(cart(bought.user_id));
    call.key(format!("cart:seen:{}", bought.event_id)).key(format!("cart:seen:order:{}", bought.order_id));
    call.arg((bought.until.unix_timestamp_nanos() / 1000).to_string()).arg(MARK_SECONDS);
    for item in bought.items {
        call.arg(item.product_id.get()).arg(item.quantity);
    }
    Ok(call.invoke_async(&mut redis.clone()).await?)
}

fn lines(fields: Vec<(i64, String)>) -> Result<Vec<Line>, StoreError> {
    let read = |(id, text): (i64, String)| line(id, &text).ok_or(StoreError::Unreadable(text));
    let mut lines = fields.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
    lines.sort_by_key(|line| (line.added_at, line.product_id));
    Ok(lines)
}

fn line(product_id: i64, text: &str) -> Option<Line> {
    fn next<'a, T: FromStr>(parts: &mut impl Iterator<Item = &'a str>) -> Option<T> {
        parts.next()?.parse().ok()
    }
    let mut parts = text.splitn(6, ' ');
    Some(Line {
        product_id: product_id.try_into().ok()?,
        quantity: next(&mut parts)?,
        price_added: next(&mut parts)?,
        added_at: next(&mut parts)?,
        cached: CachedProduct { price: next(&mut parts)?, stock: next(&mut parts)?, name: next(&mut parts)? },
    })
}
