//! Demo data: there after the first start, and never a second time.

use chassis::service::configuration_from_flags;
use product_service::{
    ProductService,
    app::{refold_names, seed_catalogue},
};
use serde_json::Value;
use testkit::production_flags;

use crate::{CATEGORIES, PRODUCTS, Shop, assert_ledger, at};

async fn catalogue(app: &Shop) -> Value {
    app.anyone().get(&format!("{PRODUCTS}?limit=100")).await.expect(200)
}

#[tokio::test]
async fn the_first_run_makes_four_categories_and_ten_products_and_no_later_one_does() {
    let app = Shop::start().await;
    app.start_background().await;
    let products = catalogue(&app).await;
    assert_eq!(products["total"], 10);
    let categories = app.anyone().get(CATEGORIES).await.expect(200)["categories"].clone();
    assert_eq!(categories.as_array().unwrap().len(), 4);
    assert!(
        categories.as_array().unwrap().iter().all(|category| category["product_count"].as_i64() > Some(0))
    );
    let reasons: Vec<String> =
        sqlx::query_scalar("select reason from stock_movements").fetch_all(app.pool()).await.unwrap();
    assert_eq!(reasons, vec!["seed"; 10]);
    assert_ledger(&app).await;

    for product in products["products"].as_array().unwrap() {
        app.admin().delete(&at(product["id"].as_i64().unwrap())).await.expect(200);
    }
    assert!(!seed_catalogue(app.app()).await.unwrap(), "what was taken off sale does not come back");
    assert_eq!(catalogue(&app).await["total"], 0);
}

#[tokio::test]
async fn names_that_an_older_program_kept_are_found_after_a_start() {
    let app = Shop::with_flags(&["--seed-demo-data=false"]).await;
    for name in ["ΟΔΟΣΚΟΠΙΑ", "Straße", "STRASSE", "Kopi"] {
        sqlx::query(
            "insert into products (name, name_key, description, price, stock) values ($1, $2, '', 5, 0)",
        )
        .bind(name)
        .bind(name.to_lowercase())
        .execute(app.pool())
        .await
        .unwrap();
    }
    sqlx::query("insert into categories (name, name_key) values ('ΟΔΟΣ', 'οδος')")
        .execute(app.pool())
        .await
        .unwrap();
    app.start_background().await;
    let found = async |text: &str| {
        app.anyone().get(&format!("{PRODUCTS}?search={text}")).await.expect(200)["total"].as_i64().unwrap()
    };
    assert_eq!((found("οδοσ").await, found("kopi").await), (1, 1));
    assert_eq!(found("strasse").await, 1, "of two that are one name now, one keeps the key it had");
    let root = app.admin();
    root.post(CATEGORIES, serde_json::json!({ "name": "οδος" })).await.problem(409, "name_taken");
    assert!(!refold_names(app.app()).await.unwrap(), "once is enough");
}

#[tokio::test]
async fn two_processes_that_start_together_make_it_once() {
    let app = Shop::start().await;
    let (one, other) = tokio::join!(seed_catalogue(app.app()), seed_catalogue(app.app()));
    assert!(one.unwrap() != other.unwrap());
    assert_eq!(catalogue(&app).await["total"], 10);
}

#[tokio::test]
async fn nothing_is_made_if_that_is_not_wanted() {
    let app = Shop::with_flags(&["--seed-demo-data=false"]).await;
    app.start_background().await;
    assert_eq!(catalogue(&app).await["total"], 0);
}

#[test]
fn production_makes_none_unless_told_to() {
    let seeds = |extra: &[&str]| {
        let flags: Vec<String> =
            production_flags().into_iter().chain(extra.iter().map(|flag| (*flag).to_owned())).collect();
        configuration_from_flags::<ProductService>(&flags).unwrap().seeds()
    };
    assert!(!seeds(&[]));
    assert!(!seeds(&["--seed-demo-data=false"]));
    assert!(seeds(&["--seed-demo-data=true"]));
}
