//! What anybody sees: GET /products and GET /products/{id}.

use serde_json::{Value, json};

use crate::{CATEGORIES, PRODUCTS, Shop, at, category, consume, created, product, seen};

async fn add(app: &Shop, name: &str, price: i64, stock: i64, categories: &[i64]) -> i64 {
    let body = json!({ "name": name, "price": price, "stock": stock, "category_ids": categories });
    app.admin().post(PRODUCTS, body).await.expect(201)["product"]["id"].as_i64().unwrap()
}

/// The names that a list shows, and its total.
async fn names(app: &Shop, query: &str) -> (Vec<String>, i64) {
    let page = app.anyone().get(&format!("{PRODUCTS}?{query}")).await.expect(200);
    let name = |product: &Value| product["name"].as_str().unwrap().to_owned();
    let names = page["products"].as_array().unwrap().iter().map(name).collect();
    (names, page["total"].as_i64().unwrap())
}

async fn assert_names(app: &Shop, query: &str, expected: &[&str]) {
    let (found, total) = names(app, query).await;
    assert_eq!(found, expected, "{query}");
    assert_eq!(total, i64::try_from(expected.len()).unwrap(), "{query}");
}

#[tokio::test]
async fn a_product_is_shown_to_everybody_and_what_is_held_to_administrators() {
    let app = Shop::start().await;
    let drinks = category(&app, "Drinks").await;
    let id = add(&app, "Kopi", 25_000, 5, &[drinks]).await;
    consume(&app, created(1, &[(id, 2)])).await;

    let shown = app.anyone().get(&at(id)).await.expect(200)["product"].clone();
    assert_eq!(shown["name"], "Kopi");
    assert_eq!(shown["description"], "");
    assert_eq!((shown["price"].as_i64(), shown["stock"].as_i64()), (Some(25_000), Some(3)));
    assert_eq!(shown["categories"], json!([{ "id": drinks, "name": "Drinks" }]));
    assert!(shown["created_at"].as_str().unwrap().ends_with('Z'));
    assert!(shown.get("held").is_none());
    let customer = app.customer(7).get(&at(id)).await.expect(200);
    assert!(customer["product"].get("held").is_none());
    assert_eq!(seen(&app, id).await["held"], 2);

    let list = |page: Value| page["products"][0].clone();
    assert!(list(app.anyone().get(PRODUCTS).await.expect(200)).get("held").is_none());
    assert_eq!(list(app.admin().get(PRODUCTS).await.expect(200))["held"], 2);
}

#[tokio::test]
async fn a_token_that_does_not_count_is_refused_although_none_is_needed() {
    let app = Shop::start().await;
    app.with_token("made-up").get(PRODUCTS).await.problem(401, "unauthorized");
    app.with_token("made-up").get(&at(1)).await.problem(401, "unauthorized");
    app.anyone().get(&at(1)).await.problem(404, "not_found");
    app.anyone().get(CATEGORIES).await.expect(200);
}

#[tokio::test]
async fn a_list_comes_in_pages_of_which_none_overlap() {
    let app = Shop::start().await;
    let empty = app.anyone().get(PRODUCTS).await.expect(200);
    assert_eq!(empty, json!({ "products": [], "total": 0, "page": 1, "limit": 10, "total_pages": 0 }));

    for n in 1..=5 {
        product(&app, &format!("Product {n}"), 1).await;
    }
    let page = app.anyone().get(&format!("{PRODUCTS}?page=2&limit=2")).await.expect(200);
    let about = ["total", "page", "limit", "total_pages"].map(|member| page[member].as_i64().unwrap());
    assert_eq!(about, [5, 2, 2, 3]);
    assert_eq!(names(&app, "page=1&limit=2").await.0, ["Product 5", "Product 4"], "newest first");
    assert_eq!(names(&app, "page=2&limit=2").await.0, ["Product 3", "Product 2"]);
    assert_eq!(names(&app, "page=3&limit=2").await.0, ["Product 1"]);
    assert_eq!(names(&app, "page=4&limit=2").await, (vec![], 5), "beyond the end the total is still told");
    assert_eq!(
        names(&app, "page=1&limit=2&sort_by=price").await.0,
        ["Product 1", "Product 2"],
        "equal: by id"
    );
    assert_eq!(names(&app, "search=product&page=9").await, (vec![], 5));
}

#[tokio::test]
async fn a_list_is_sorted_by_what_was_asked_for() {
    let app = Shop::start().await;
    for (name, price, stock) in [("banana", 300, 1), ("Apple", 200, 3), ("cherry", 100, 2)] {
        add(&app, name, price, stock, &[]).await;
    }
    let sorted = [
        ("", ["cherry", "Apple", "banana"]),
        ("sort_by=created_at&order=asc", ["banana", "Apple", "cherry"]),
        ("sort_by=created_at", ["cherry", "Apple", "banana"]),
        ("sort_by=price&order=asc", ["cherry", "Apple", "banana"]),
        ("sort_by=price&order=desc", ["banana", "Apple", "cherry"]),
        ("sort_by=name", ["Apple", "banana", "cherry"]),
        ("sort_by=name&order=desc", ["cherry", "banana", "Apple"]),
        ("sort_by=stock&order=asc", ["banana", "cherry", "Apple"]),
        ("sort_by=stock&order=desc", ["Apple", "cherry", "banana"]),
    ];
    for (query, expected) in sorted {
        assert_names(&app, query, &expected).await;
    }
}

#[tokio::test]
async fn a_search_looks_into_names_without_case_and_takes_wildcards_literally() {
    let app = Shop::start().await;
    for name in ["Kopi Gayo 100%", "Kopi Toraja", "Teh_Melati", "TehXMelati", "CAFÉ crème", r"back\slash"] {
        product(&app, name, 1).await;
    }
    assert_names(&app, "search=KOPI", &["Kopi Toraja", "Kopi Gayo 100%"]).await;
    assert_names(&app, "search=o%25", &[]).await;
    assert_names(&app, "search=100%25", &["Kopi Gayo 100%"]).await;
    assert_names(&app, "search=h_m", &["Teh_Melati"]).await;
    assert_names(&app, "search=caf%C3%A9", &["CAFÉ crème"]).await;
    assert_names(&app, r"search=k%5Cs", &[r"back\slash"]).await;
    assert_names(&app, "search=%27;drop+table+products--", &[]).await;
    assert_eq!(names(&app, "search=").await.1, 6, "an empty search finds everything");
}

#[tokio::test]
async fn a_name_is_found_however_it_is_written() {
    let app = Shop::start().await;
    for name in ["ΟΔΟΣΚΟΠΙΑ", "ὁδός", "Straßenkarte", "Cafe\u{301}", "İstanbul"] {
        product(&app, name, 1).await;
    }
    for (search, found) in [
        ("ΟΔΟΣ", "ΟΔΟΣΚΟΠΙΑ"),
        ("οδος", "ΟΔΟΣΚΟΠΙΑ"),
        ("ὉΔΌΣ", "ὁδός"),
        ("STRASSE", "Straßenkarte"),
        ("Café", "Cafe\u{301}"),
        ("CAFÉ", "Cafe\u{301}"),
        ("İ", "İstanbul"),
    ] {
        assert_names(&app, &format!("search={search}"), &[found]).await;
    }
}

#[tokio::test]
async fn filters_narrow_a_list_together() {
    let app = Shop::start().await;
    let (drinks, food) = (category(&app, "Drinks").await, category(&app, "Food").await);
    add(&app, "Kopi", 100, 1, &[drinks]).await;
    add(&app, "Kopi Cake", 200, 1, &[drinks, food]).await;
    let gone = add(&app, "Kopi Ice", 200, 1, &[drinks]).await;
    add(&app, "Rice", 300, 1, &[food]).await;
    app.admin().delete(&at(gone)).await.expect(200);

    assert_names(&app, &format!("category_id={drinks}"), &["Kopi Cake", "Kopi"]).await;
    assert_names(&app, &format!("category_id={drinks}&search=cake"), &["Kopi Cake"]).await;
    assert_names(&app, "category_id=999999", &[]).await;
    assert_names(&app, "min_price=200", &["Rice", "Kopi Cake"]).await;
    assert_names(&app, "max_price=200", &["Kopi Cake", "Kopi"]).await;
    assert_names(&app, "min_price=200&max_price=200&sort_by=price", &["Kopi Cake"]).await;
    assert_names(&app, "min_price=300&max_price=200", &[]).await;
    assert_names(&app, &format!("category_id={food}&min_price=250"), &["Rice"]).await;
    assert_eq!(names(&app, "").await.1, 3, "what was taken off sale does not count");
}

#[tokio::test]
async fn a_search_of_any_length_finds_few_and_many_in_a_large_catalogue() {
    const MANY: &str = "
        insert into products (name, name_key, description, price, stock, created_at)
        select 'Kopi ' || n, 'kopi ' || n, '', n, 1, now() - n * interval '1 second' from generate_series(1, 10050) n
        union all
        select 'Teh Qz ' || n, 'teh qz ' || n, '', n, 1, now() - n * interval '1 day' from generate_series(1, 3) n;
        update catalogue_size set products = (select count(*) from products)";
    let app = Shop::start().await;
    sqlx::raw_sql(MANY).execute(app.pool()).await.unwrap();
    for many in
        ["search=KO&limit=2", "search=o&limit=2", "search=kopi&limit=2", "min_price=1&search=pi+&limit=2"]
    {
        for actor in [app.anyone(), app.admin()] {
            let page = actor.get(&format!("{PRODUCTS}?{many}")).await.expect(200);
            assert_eq!(page["total"], 10_050, "{many}");
            let newest = [&page["products"][0]["name"], &page["products"][1]["name"]];
            assert_eq!(newest, ["Kopi 1", "Kopi 2"], "{many}");
        }
    }
    for few in ["search=QZ", "search=z", "search=h+qz", "search=qz&max_price=3"] {
        assert_names(&app, few, &["Teh Qz 1", "Teh Qz 2", "Teh Qz 3"]).await;
    }
    assert_names(&app, "search=zq", &[]).await;
    assert_eq!(names(&app, "search=ko&sort_by=price&page=1005").await.0.first().unwrap(), "Kopi 10041");
    assert_eq!(
        names(&app, "sort_by=price&order=desc&limit=1").await,
        (vec!["Kopi 10050".to_owned()], 10_053)
    );
}
