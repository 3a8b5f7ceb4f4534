//! The ways an order can go.

use serde_json::{Value, json};

use super::Cast;
use super::teller::Teller;
use crate::api::{number, text};
use crate::people::Customer;
use crate::{Error, Result};

const PRICE: i64 = 125_000;

pub(super) async fn happy(tell: &Teller, cast: &Cast) -> Result<()> {
    Teller::begin("A purchase, from the shelf to the door");
    let ani = arrive(tell, cast).await?;
    let product = browse(tell, cast).await?;
    tell.step(async {
        let reply = ani.add_to_cart(number(&product, "/id")?, 2).await?;
        let total = number(&reply, "/cart/total_amt")?;
        Ok(((), format!("put 2 x {} into her cart: {}", text(&product, "/name")?, rupiah(total))))
    })
    .await?;
    let order = place(tell, &ani).await?;
    let token = offered(tell, &ani, order).await?;
    pay(tell, cast, &token).await?;
    paid(tell, &ani, order).await?;
    let delivery = ship(tell, cast, &ani, order).await?;
    tell.step(async {
        cast.admin.set_delivery(delivery, "DELIVERED", None).await?;
        ani.wait_for(order, &["DELIVERED"]).await?;
        Ok(((), format!("delivery {delivery} arrived: order {order} is DELIVERED")))
    })
    .await?;
    timeline(tell, cast, &ani, order).await
}

pub(super) async fn denied(tell: &Teller, cast: &Cast) -> Result<()> {
    Teller::begin("A card is denied, another one is not");
    let (budi, product) = newcomer(tell, cast, 5).await?;
    let order = order_one(tell, &budi, product).await?;
    let token = offered(tell, &budi, order).await?;
    tell.step(async {
        let card =
            json!({"payment_type": "credit_card", "card_number": "4911111111111113", "outcome": "deny"});
        cast.bank.act(&token, &card).await?;
        budi.wait_for(order, &["AWAITING_PAYMENT"]).await?;
        Ok(((), "his bank denies the card; the order still waits for its payment".to_owned()))
    })
    .await?;
    pay(tell, cast, &token).await?;
    paid(tell, &budi, order).await?;
    cast.admin.remove_product(product).await
}

pub(super) async fn expired(tell: &Teller, cast: &Cast) -> Result<()> {
    Teller::begin("Nobody pays in time");
    let (citra, product) = newcomer(tell, cast, 3).await?;
    let order = order_one(tell, &citra, product).await?;
    let token = offered(tell, &citra, order).await?;
    tell.step(async {
        let stock = cast.admin.stock(product).await?;
        expect(stock == 2, format!("2 of 3 units should be free, not {stock}"))?;
        Ok(((), "one of 3 units is held for her: 2 are free".to_owned()))
    })
    .await?;
    tell.step(async {
        cast.bank.act(&token, &json!({"payment_type": "bank_transfer", "outcome": "expire"})).await?;
        let seen = citra.wait_for(order, &["FAILED"]).await?;
        let reason = seen["failure_reason"].as_str().unwrap_or("no reason");
        Ok(((), format!("her time to pay runs out: order {order} is FAILED ({reason})")))
    })
    .await?;
    back_on_the_shelf(tell, cast, product, 3).await
}

pub(super) async fn sold_out(tell: &Teller, cast: &Cast) -> Result<()> {
    Teller::begin("There is not enough of it");
    let (dewi, product) = newcomer(tell, cast, 1).await?;
    let eka = arrive(tell, cast).await?;
    for customer in [&dewi, &eka] {
        customer.add_to_cart(product, 1).await?;
    }
    let order = place(tell, &dewi).await?;
    offered(tell, &dewi, order).await?;
    tell.step(async {
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
    back_on_the_shelf(tell, cast, product, 1).await
}

pub(super) async fn cancelled(tell: &Teller, cast: &Cast) -> Result<()> {
    Teller::begin("The customer changes her mind");
    let (fitri, product) = newcomer(tell, cast, 4).await?;
    let order = order_one(tell, &fitri, product).await?;
    offered(tell, &fitri, order).await?;
    tell.step(async {
        let seen = fitri.cancel(order).await?;
        Ok(((), format!("she cancels order {order} before paying: it is {}", text(&seen, "/status")?)))
    })
    .await?;
    back_on_the_shelf(tell, cast, product, 4).await
}

pub(super) async fn undeliverable(tell: &Teller, cast: &Cast) -> Result<()> {
    Teller::begin("The parcel is lost");
    let (gita, product) = newcomer(tell, cast, 2).await?;
    let order = order_one(tell, &gita, product).await?;
    let token = offered(tell, &gita, order).await?;
    pay(tell, cast, &token).await?;
    paid(tell, &gita, order).await?;
    let delivery = ship(tell, cast, &gita, order).await?;
    tell.step(async {
        cast.admin.set_delivery(delivery, "FAILED", None).await?;
        gita.wait_for(order, &["DELIVERY_FAILED", "REFUNDED"]).await?;
        Ok(((), format!("delivery {delivery} fails: order {order} is DELIVERY_FAILED")))
    })
    .await?;
    tell.step(async {
        let seen = gita.wait_for(order, &["REFUNDED"]).await?;
        let refunded = number(&seen, "/refunded_amount")?;
        Ok(((), format!("Midtrans returns {}: order {order} is REFUNDED", rupiah(refunded))))
    })
    .await?;
    back_on_the_shelf(tell, cast, product, 2).await
}

async fn arrive(tell: &Teller, cast: &Cast) -> Result<Customer> {
    tell.step(async {
        let customer = Customer::arrive(&cast.api).await?;
        let words = format!("{} registers (user {}) and logs in", customer.username, customer.id);
        Ok((customer, words))
    })
    .await
}

/// A product of the catalogue that can be bought.
async fn browse(tell: &Teller, cast: &Cast) -> Result<Value> {
    tell.step(async {
        let path = "/api/v1/products?sort_by=stock&order=desc&limit=5";
        let list = cast.api.get(path, None).await?.expect(200)?;
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
async fn newcomer(tell: &Teller, cast: &Cast, stock: i64) -> Result<(Customer, i64)> {
    let customer = arrive(tell, cast).await?;
    let product = tell
        .step(async {
            let product = cast.admin.add_product(PRICE, stock).await?;
            Ok((
                product,
                format!("the administrator adds product {product}: stock {stock}, {}", rupiah(PRICE)),
            ))
        })
        .await?;
    Ok((customer, product))
}

async fn order_one(tell: &Teller, customer: &Customer, product: i64) -> Result<i64> {
    customer.add_to_cart(product, 1).await?;
    place(tell, customer).await
}

async fn place(tell: &Teller, customer: &Customer) -> Result<i64> {
    tell.step(async {
        let placed = customer.try_order().await?.expect(201)?;
        let order = number(&placed, "/order_id")?;
        let total = number(&placed, "/order/total_amount")?;
        Ok((order, format!("orders: {}, order {order}, {}", text(&placed, "/message")?, rupiah(total))))
    })
    .await
}

async fn offered(tell: &Teller, customer: &Customer, order: i64) -> Result<String> {
    tell.step(async {
        let token = customer.payment_token(order).await?;
        Ok((token, format!("stock is held and the payment page is there: order {order} is AWAITING_PAYMENT")))
    })
    .await
}

async fn pay(tell: &Teller, cast: &Cast, token: &str) -> Result<()> {
    tell.step(async {
        let paid = cast.bank.pay(token).await?;
        let status = paid["transaction_status"].as_str().unwrap_or("accepted").to_owned();
        Ok(((), format!("pays by card on Midtrans' page: {status}")))
    })
    .await
}

async fn paid(tell: &Teller, customer: &Customer, order: i64) -> Result<()> {
    tell.step(async {
        customer.wait_for(order, &["PAID"]).await?;
        Ok(((), format!("Midtrans confirms it: order {order} is PAID")))
    })
    .await
}

async fn ship(tell: &Teller, cast: &Cast, customer: &Customer, order: i64) -> Result<i64> {
    let delivery = tell
        .step(async {
            let delivery = number(&customer.wait_for_delivery(order).await?, "/id")?;
            Ok((delivery, format!("delivery {delivery} appears")))
        })
        .await?;
    tell.step(async {
        cast.admin.set_delivery(delivery, "IN_TRANSIT", Some("JNE-0012345678")).await?;
        customer.wait_for(order, &["SHIPPED"]).await?;
        Ok((delivery, format!("the administrator hands it to the carrier: order {order} is SHIPPED")))
    })
    .await
}

async fn back_on_the_shelf(tell: &Teller, cast: &Cast, product: i64, stock: i64) -> Result<()> {
    tell.step(async {
        cast.admin.wait_for_stock(product, stock).await?;
        Ok(((), format!("the goods are back: product {product} has {stock} free again")))
    })
    .await?;
    cast.admin.remove_product(product).await
}

async fn timeline(tell: &Teller, cast: &Cast, customer: &Customer, order: i64) -> Result<()> {
    tell.step(async {
        let path = format!("/api/v1/order/{order}/events");
        let events = cast.api.get(&path, Some(&customer.token)).await?.expect(200)?;
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

/// An amount as people write it.
fn rupiah(amount: i64) -> String {
    let digits = amount.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push('.');
        }
        grouped.push(digit);
    }
    format!("Rp {grouped}")
}
