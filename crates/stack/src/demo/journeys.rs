//! The ways an order can go.

use contracts::money::rupiah;
use serde_json::{Value, json};

use super::reporter::Reporter;
use super::{Fixtures, mails};
use crate::actors::Customer;
use crate::api::{number, text};
use crate::{Error, Result};

const PRICE: i64 = 125_000;

pub(super) async fn happy(out: &Reporter, fixtures: &Fixtures) -> Result<()> {
    Reporter::begin("A purchase, from the catalogue to the door");
    let ani = arrive(out, fixtures).await?;
    let product = browse(out, fixtures).await?;
    out.step(async {
        let reply = ani.add_to_cart(number(&product, "/id")?, 2).await?;
        let total = number(&reply, "/cart/total_amt")?;
        Ok(((), format!("put 2 x {} into her cart: {}", text(&product, "/name")?, rupiah(total))))
    })
    .await?;
    let order = place(out, &ani).await?;
    let token = offered(out, &ani, order).await?;
    pay(out, fixtures, &token).await?;
    paid(out, &ani, order).await?;
    let delivery = ship(out, fixtures, &ani, order).await?;
    out.step(async {
        fixtures.admin.set_delivery(delivery, "DELIVERED", None).await?;
        ani.wait_for(order, &["DELIVERED"]).await?;
        Ok(((), format!("delivery {delivery} arrived: order {order} is DELIVERED")))
    })
    .await?;
    timeline(out, fixtures, &ani, order).await?;
    mails::show(out, fixtures, &ani, order).await
}

pub(super) async fn denied(out: &Reporter, fixtures: &Fixtures) -> Result<()> {
    Reporter::begin("A card is denied, another one is not");
    let (budi, product) = newcomer(out, fixtures, 5).await?;
    let order = order_one(out, &budi, product).await?;
    let token = offered(out, &budi, order).await?;
    out.step(async {
        let card =
            json!({"payment_type": "credit_card", "card_number": "4911111111111113", "outcome": "deny"});
        fixtures.bank.act(&token, &card).await?;
        budi.wait_for(order, &["AWAITING_PAYMENT"]).await?;
        Ok(((), "his bank denies the card; the order still waits for its payment".to_owned()))
    })
    .await?;
    pay(out, fixtures, &token).await?;
    paid(out, &budi, order).await?;
    fixtures.admin.remove_product(product).await
}

pub(super) async fn expired(out: &Reporter, fixtures: &Fixtures) -> Result<()> {
    Reporter::begin("Nobody pays in time");
    let (citra, product) = newcomer(out, fixtures, 3).await?;
    let order = order_one(out, &citra, product).await?;
    let token = offered(out, &citra, order).await?;
    out.step(async {
        let stock = fixtures.admin.stock(product).await?;
        expect(stock == 2, format!("2 of 3 units should be free, not {stock}"))?;
        Ok(((), "one of 3 units is held for her: 2 are free".to_owned()))
    })
    .await?;
    out.step(async {
        fixtures.bank.act(&token, &json!({"payment_type": "bank_transfer", "outcome": "expire"})).await?;
        let seen = citra.wait_for(order, &["FAILED"]).await?;
        let reason = seen["failure_reason"].as_str().unwrap_or("no reason");
        Ok(((), format!("her time to pay runs out: order {order} is FAILED ({reason})")))
    })
    .await?;
    back_in_stock(out, fixtures, product, 3).await
}

pub(super) async fn sold_out(out: &Reporter, fixtures: &Fixtures) -> Result<()> {
    Reporter::begin("There is not enough of it");
    let (dewi, product) = newcomer(out, fixtures, 1).await?;
    let eka = arrive(out, fixtures).await?;
    for customer in [&dewi, &eka] {
        customer.add_to_cart(product, 1).await?;
    }
    let order = place(out, &dewi).await?;
    offered(out, &dewi, order).await?;
    out.step(async {
        let words = match eka.try_order().await? {
            refused if refused.status == 409 => {
                format!("another customer is refused at once ({})", refused.code())
            }
            accepted => {
                let second = number(&accepted.expect(201)?, "/order_id")?;
                let seen = eka.wait_for(second, &["FAILED"]).await?;
                let reason = seen["failure_reason"].as_str().unwrap_or("no reason");
                format!("another customer's order {second} for the same last unit is FAILED ({reason})")
            }
        };
        Ok(((), words))
    })
    .await?;
    dewi.cancel(order).await?;
    back_in_stock(out, fixtures, product, 1).await
}

pub(super) async fn cancelled(out: &Reporter, fixtures: &Fixtures) -> Result<()> {
    Reporter::begin("The customer changes her mind");
    let (fitri, product) = newcomer(out, fixtures, 4).await?;
    let order = order_one(out, &fitri, product).await?;
    offered(out, &fitri, order).await?;
    out.step(async {
        let seen = fitri.cancel(order).await?;
        Ok(((), format!("she cancels order {order} before paying: it is {}", text(&seen, "/status")?)))
    })
    .await?;
    back_in_stock(out, fixtures, product, 4).await
}

pub(super) async fn undeliverable(out: &Reporter, fixtures: &Fixtures) -> Result<()> {
    Reporter::begin("The parcel is lost");
    let (gita, product) = newcomer(out, fixtures, 2).await?;
    let order = order_one(out, &gita, product).await?;
    let token = offered(out, &gita, order).await?;
    pay(out, fixtures, &token).await?;
    paid(out, &gita, order).await?;
    let delivery = ship(out, fixtures, &gita, order).await?;
    out.step(async {
        fixtures.admin.set_delivery(delivery, "FAILED", None).await?;
        gita.wait_for(order, &["DELIVERY_FAILED", "REFUNDED"]).await?;
        Ok(((), format!("delivery {delivery} fails: order {order} is DELIVERY_FAILED")))
    })
    .await?;
    out.step(async {
        let seen = gita.wait_for(order, &["REFUNDED"]).await?;
        let refunded = number(&seen, "/refunded_amount")?;
        Ok(((), format!("Midtrans returns {}: order {order} is REFUNDED", rupiah(refunded))))
    })
    .await?;
    back_in_stock(out, fixtures, product, 2).await
}

async fn arrive(out: &Reporter, fixtures: &Fixtures) -> Result<Customer> {
    out.step(async {
        let customer = Customer::register(&fixtures.api).await?;
        let words = format!("{} registers (user {}) and logs in", customer.username, customer.id);
        Ok((customer, words))
    })
    .await
}

/// A product of the catalogue that can be bought.
async fn browse(out: &Reporter, fixtures: &Fixtures) -> Result<Value> {
    out.step(async {
        let path = "/api/v1/products?sort_by=stock&order=desc&limit=5";
        let list = fixtures.api.get(path, None).await?.expect(200)?;
        let product = list.pointer("/products/0").cloned();
        let product =
            product.ok_or_else(|| Error::other("the catalogue is empty: SEED_DEMO_DATA fills it"))?;
        let (name, price) = (text(&product, "/name")?, number(&product, "/price")?);
        let words =
            format!("looks at {} products, likes {name} for {}", number(&list, "/total")?, rupiah(price));
        Ok((product, words))
    })
    .await
}

/// A new customer, and a product of which nobody else buys.
async fn newcomer(out: &Reporter, fixtures: &Fixtures, stock: i64) -> Result<(Customer, i64)> {
    let customer = arrive(out, fixtures).await?;
    let product = out
        .step(async {
            let product = fixtures.admin.add_product(PRICE, stock).await?;
            Ok((
                product,
                format!("the administrator adds product {product}: stock {stock}, {}", rupiah(PRICE)),
            ))
        })
        .await?;
    Ok((customer, product))
}

async fn order_one(out: &Reporter, customer: &Customer, product: i64) -> Result<i64> {
    customer.add_to_cart(product, 1).await?;
    place(out, customer).await
}

async fn place(out: &Reporter, customer: &Customer) -> Result<i64> {
    out.step(async {
        let placed = customer.try_order().await?.expect(201)?;
        let order = number(&placed, "/order_id")?;
        let total = number(&placed, "/order/total_amount")?;
        Ok((order, format!("orders: {}, order {order}, {}", text(&placed, "/message")?, rupiah(total))))
    })
    .await
}

async fn offered(out: &Reporter, customer: &Customer, order: i64) -> Result<String> {
    out.step(async {
        let token = customer.payment_token(order).await?;
        Ok((token, format!("stock is held and the payment page is there: order {order} is AWAITING_PAYMENT")))
    })
    .await
}

async fn pay(out: &Reporter, fixtures: &Fixtures, token: &str) -> Result<()> {
    out.step(async {
        let paid = fixtures.bank.pay(token).await?;
        let status = paid["transaction_status"].as_str().unwrap_or("accepted").to_owned();
        Ok(((), format!("pays by card on Midtrans' page: {status}")))
    })
    .await
}

async fn paid(out: &Reporter, customer: &Customer, order: i64) -> Result<()> {
    out.step(async {
        customer.wait_for(order, &["PAID"]).await?;
        Ok(((), format!("Midtrans confirms it: order {order} is PAID")))
    })
    .await
}

async fn ship(out: &Reporter, fixtures: &Fixtures, customer: &Customer, order: i64) -> Result<i64> {
    let delivery = out
        .step(async {
            let delivery = number(&customer.wait_for_delivery(order).await?, "/id")?;
            Ok((delivery, format!("delivery {delivery} appears")))
        })
        .await?;
    out.step(async {
        fixtures.admin.set_delivery(delivery, "IN_TRANSIT", Some("JNE-0012345678")).await?;
        customer.wait_for(order, &["SHIPPED"]).await?;
        Ok((delivery, format!("the administrator hands it to the carrier: order {order} is SHIPPED")))
    })
    .await
}

async fn back_in_stock(out: &Reporter, fixtures: &Fixtures, product: i64, stock: i64) -> Result<()> {
    out.step(async {
        fixtures.admin.wait_for_stock(product, stock).await?;
        Ok(((), format!("the goods are back: product {product} has {stock} free again")))
    })
    .await?;
    fixtures.admin.remove_product(product).await
}

async fn timeline(out: &Reporter, fixtures: &Fixtures, customer: &Customer, order: i64) -> Result<()> {
    out.step(async {
        let path = format!("/api/v1/order/{order}/events");
        let events = fixtures.api.get(&path, Some(&customer.token)).await?.expect(200)?;
        let moves: Vec<&str> = events
            .as_array()
            .map(|events| {
                events.iter().filter(|e| e["from"] != e["to"]).filter_map(|e| e["to"].as_str()).collect()
            })
            .unwrap_or_default();
        Ok(((), format!("its timeline: {}", moves.join(" > "))))
    })
    .await
}

fn expect(holds: bool, otherwise: String) -> Result<()> {
    if holds { Ok(()) } else { Err(Error::other(otherwise)) }
}
