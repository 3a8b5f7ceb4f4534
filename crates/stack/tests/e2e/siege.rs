//! Honest buyers beside many who want the shop closed.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures::future::{join, join_all};
use rand::seq::IndexedRandom;
use reqwest::Method;
use serde_json::{Value, json};
use stack::actors::{Bank, Customer};
use stack::api::Api;
use tokio::io::AsyncWriteExt;

use crate::floods::{answer, connect};
use crate::harness::Open;

const ATTACKERS: usize = 200;
const BUYERS: usize = 20;
const SIEGE: Duration = Duration::from_secs(20);
/// What a person takes to look at a page.
const LOOK: Duration = Duration::from_millis(200);
/// What compose lets a service have, bytes.
const MEMORY: u64 = 256 << 20;

/// What buyers tried, and what of it they did not get.
#[derive(Default)]
struct Score {
    tried: AtomicU64,
    failed: AtomicU64,
}

impl Score {
    fn count<T>(&self, what: stack::Result<T>) -> Option<T> {
        self.tried.fetch_add(1, Ordering::Relaxed);
        what.inspect_err(|error| {
            self.failed.fetch_add(1, Ordering::Relaxed);
            eprintln!("a buyer was refused: {error}");
        })
        .ok()
    }
}

/// An attacker's means: each is cheap, and asks for something expensive.
#[derive(Clone, Copy)]
enum Attack {
    InventedMethod,
    GuessedPassword,
    Registration,
    WholeCatalogue,
    OrderAndCancel,
    ForgedPayment,
    TwoReaders,
    Dawdler,
    DeepPage,
}

const ATTACKS: [Attack; 9] = [
    Attack::InventedMethod,
    Attack::GuessedPassword,
    Attack::Registration,
    Attack::WholeCatalogue,
    Attack::OrderAndCancel,
    Attack::ForgedPayment,
    Attack::TwoReaders,
    Attack::Dawdler,
    Attack::DeepPage,
];

/// An address of a network that others do not share.
fn api(open: &Open, network: u8, host: usize) -> Api {
    let host = u8::try_from(host % 250).unwrap() + 1;
    Api::at(open.shop.base_url(), Some(IpAddr::from([127, 0, network, host]))).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_attackers_do_not_keep_twenty_buyers_from_buying() {
    let open = Open::shop().await;
    let products = join_all((0..5).map(|_| open.product(100_000))).await;
    let buyers = join_all((0..BUYERS).map(async |n| {
        let api = api(&open, 1, n);
        (Customer::register(&api).await.unwrap(), api)
    }))
    .await;
    let (score, over) = (Score::default(), AtomicBool::new(false));
    let shopping = join_all(buyers.iter().map(|(buyer, api)| shop(buyer, api, &products, &score, &over)));
    let attacks = join_all((0..ATTACKERS).map(async |n| {
        let api = api(&open, 2, n);
        let thrall = Customer::register(&api).await.ok();
        while !over.load(Ordering::Relaxed) {
            attack(ATTACKS[n % ATTACKS.len()], &open, &api, thrall.as_ref(), &products).await;
            // Without a thrall there may have been nothing to wait for.
            tokio::task::yield_now().await;
        }
    }));
    let end = async {
        tokio::time::sleep(SIEGE).await;
        over.store(true, Ordering::Relaxed);
    };
    join(end, join(shopping, attacks)).await;
    let (tried, failed) = (score.tried.into_inner(), score.failed.into_inner());
    println!("{failed} of {tried} requests of {BUYERS} buyers failed beside {ATTACKERS} attackers");
    assert!(tried > 200 && failed * 100 < tried, "{failed} of {tried} of the buyers' requests failed");
    for (name, bytes) in open.shop.resident() {
        assert!(bytes < MEMORY, "{name} takes {bytes} bytes");
    }
    open.close().await;
}

/// Buys again and again, until it is over.
async fn shop(buyer: &Customer, api: &Api, products: &[i64], score: &Score, over: &AtomicBool) {
    while !over.load(Ordering::Relaxed) {
        let product = *products.choose(&mut rand::rng()).unwrap();
        let page = async { api.get(&format!("/api/v1/products/{product}"), None).await?.expect(200) };
        score.count(page.await);
        tokio::time::sleep(LOOK).await;
        score.count(buyer.empty_cart().await);
        score.count(buyer.add_to_cart(product, 1).await);
        tokio::time::sleep(LOOK).await;
        let Some(order) = score.count(buyer.order().await) else { continue };
        let Some(token) = score.count(buyer.payment_token(order).await) else { continue };
        score.count(Bank::of(api).pay(&token).await);
        score.count(buyer.wait_for(order, &["PAID"]).await);
    }
}

fn registration(number: u32) -> Value {
    json!({
        "username": format!("x{number}"),
        "email": format!("x{number}@example.com"),
        "password": "correct horse battery",
    })
}

fn forged_notification(number: u32) -> Value {
    json!({
        "order_id": format!("local-{number}-1-x"),
        "transaction_id": format!("t{number}"),
        "transaction_status": "settlement",
        "status_code": "200",
        "gross_amount": "1.00",
        "signature_key": "0",
    })
}

/// Begins a request and never ends it.
async fn dawdle(open: &Open) {
    let mut connection = connect(open).await;
    let head = "POST /api/v1/order HTTP/1.1\r\nHost: shop\r\nContent-Length: 9000\r\n\r\n{";
    if connection.write_all(head.as_bytes()).await.is_ok() {
        answer(connection).await;
    }
}

/// One blow; how it is answered is not the attacker's concern.
async fn attack(attack: Attack, open: &Open, api: &Api, thrall: Option<&Customer>, products: &[i64]) {
    let token = thrall.map(|thrall| thrall.token.as_str());
    let number: u32 = rand::random();
    let post = async |path: &str, token: Option<&str>, body: &Value| drop(api.post(path, token, body).await);
    match attack {
        Attack::InventedMethod => {
            let method = Method::from_bytes(format!("X{number}").as_bytes()).unwrap();
            drop(api.send(api.request(method, "/api/v1/products")).await);
        }
        Attack::GuessedPassword => {
            let body = json!({"email": "admin@admin.com", "password": format!("guess {number}")});
            post("/api/v1/login", None, &body).await;
        }
        Attack::Registration => {
            post("/api/v1/register", None, &registration(number)).await;
            let change = json!({"old_password": "wrong", "new_password": "another horse battery"});
            post("/api/v1/auth/change-password", token, &change).await;
        }
        Attack::WholeCatalogue => {
            for product in products {
                post("/api/v1/cart/item", token, &json!({"product_id": product, "quantity": 1000})).await;
            }
            post("/api/v1/order", token, &json!({})).await;
        }
        Attack::OrderAndCancel => {
            if let Some(thrall) = thrall
                && let Ok(order) = thrall.order_one(products[0]).await
            {
                drop(thrall.cancel(order).await);
            }
        }
        Attack::ForgedPayment => {
            post("/api/v1/payment/webhook", None, &forged_notification(number)).await;
        }
        Attack::TwoReaders => {
            let request =
                api.request(Method::POST, "/api/v1/cart/item").bearer_auth(token.unwrap_or_default());
            let request = request.header("content-type", "application/json");
            drop(api.send(request.body(r#"{"product_id":1,"quantity":2,"quantity":1e2}"#)).await);
        }
        Attack::Dawdler => {
            dawdle(open).await;
        }
        Attack::DeepPage => {
            drop(api.get(&format!("/api/v1/products?page={number}&search=%25a%25"), None).await);
        }
    }
}
