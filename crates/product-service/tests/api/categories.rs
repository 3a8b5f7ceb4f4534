//! Categories: who may change them, and what products show of them.

use serde_json::{Value, json};

use crate::{CATEGORIES, PRODUCTS, Shop, at, category};

/// A category without its times, which differ from run to run.
fn timeless(mut category: Value) -> Value {
    for member in ["created_at", "updated_at"] {
        assert!(category[member].as_str().unwrap().ends_with('Z'), "{member} of {category}");
        category.as_object_mut().unwrap().remove(member);
    }
    category
}

async fn listed(app: &Shop) -> Vec<Value> {
    app.anyone().get(CATEGORIES).await.expect(200)["categories"].as_array().unwrap().clone()
}

#[tokio::test]
async fn categories_are_listed_by_name_with_the_number_of_their_products() {
    let app = Shop::start().await;
    let (food, drinks) = (category(&app, "food").await, category(&app, "Drinks").await);
    let body = json!({ "name": "Kopi", "price": 5, "stock": 3, "category_ids": [drinks] });
    let id = app.admin().post(PRODUCTS, body).await.expect(201)["product"]["id"].as_i64().unwrap();
    let expected = |count: i64| {
        [
            json!({ "id": drinks, "name": "Drinks", "product_count": count }),
            json!({ "id": food, "name": "food", "product_count": 0 }),
        ]
    };
    let shown = async || listed(&app).await.into_iter().map(timeless).collect::<Vec<_>>();
    assert_eq!(shown().await, expected(1));
    app.admin().delete(&at(id)).await.expect(200);
    assert_eq!(shown().await, expected(0), "off sale does not count");
}

#[tokio::test]
async fn a_category_is_made_renamed_and_removed() {
    let app = Shop::start().await;
    let root = app.admin();
    let made = root.post(CATEGORIES, json!({ "name": " Drinks " })).await.expect(201);
    let id = made["category"]["id"].as_i64().unwrap();
    let path = format!("{CATEGORIES}/{id}");
    assert!(made["message"].is_string());
    assert_eq!(timeless(made["category"].clone()), json!({ "id": id, "name": "Drinks", "product_count": 0 }));
    assert_eq!(made["category"]["created_at"], made["category"]["updated_at"]);
    assert_eq!(listed(&app).await, [made["category"].clone()]);
    let renamed = root.put(&path, json!({ "name": "Beverages" })).await.expect(200);
    assert_eq!(renamed["category"]["name"], "Beverages");
    assert_eq!(renamed["category"]["created_at"], made["category"]["created_at"]);
    assert!(renamed["category"]["updated_at"].as_str() > made["category"]["updated_at"].as_str());
    root.put(&path, json!({ "name": "BEVERAGES" })).await.expect(200);
    let removed = root.delete(&path).await.expect(200);
    assert_eq!(removed["category"]["name"], "BEVERAGES");
    root.put(&path, json!({ "name": "x" })).await.problem(404, "not_found");
    root.delete(&path).await.problem(404, "not_found");
}

#[tokio::test]
async fn a_category_keeps_its_name_to_itself_and_stays_while_it_has_products() {
    let app = Shop::start().await;
    let root = app.admin();
    let (drinks, food) = (category(&app, "Drinks").await, category(&app, "Food").await);
    root.post(CATEGORIES, json!({ "name": "DRINKS" })).await.problem(409, "name_taken");
    root.put(&format!("{CATEGORIES}/{food}"), json!({ "name": "drinks" })).await.problem(409, "name_taken");

    root.post(CATEGORIES, json!({ "name": "ΟΔΟΣ" })).await.expect(201);
    root.post(CATEGORIES, json!({ "name": "οδος" })).await.problem(409, "name_taken");

    let body = json!({ "name": "Kopi", "price": 5, "stock": 3, "category_ids": [drinks] });
    let id = root.post(PRODUCTS, body).await.expect(201)["product"]["id"].as_i64().unwrap();
    root.delete(&format!("{CATEGORIES}/{drinks}")).await.problem(409, "not_empty");
    root.delete(&at(id)).await.expect(200);
    root.delete(&format!("{CATEGORIES}/{drinks}")).await.expect(200);
}

#[tokio::test]
async fn only_an_administrator_edits_categories() {
    let app = Shop::start().await;
    let path = format!("{CATEGORIES}/{}", category(&app, "Drinks").await);
    for (actor, status, code) in [(app.anyone(), 401, "unauthorized"), (app.customer(7), 403, "forbidden")] {
        actor.post(CATEGORIES, json!({ "name": "x" })).await.problem(status, code);
        actor.put(&path, json!({ "name": "x" })).await.problem(status, code);
        actor.delete(&path).await.problem(status, code);
    }
    let listed = app.anyone().get(CATEGORIES).await.expect(200);
    assert_eq!(listed["categories"][0]["name"], "Drinks");
}
