//! Reading deliveries: `GET /delivery` and `GET /delivery/{id}`.

use serde_json::{Value, json};

use super::{TestApp, advance, grpc, start};

fn orders(list: &Value) -> Vec<i64> {
    list.as_array().unwrap().iter().map(|delivery| delivery["order_id"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn a_customer_sees_the_own_deliveries_and_an_administrator_all() {
    let app = TestApp::start().await;
    let first = start(&app, 41, 7).await;
    start(&app, 42, 8).await;
    start(&app, 43, 7).await;
    grpc::cancel(&app, 99).await;
    let list = async |actor: testkit::Actor, query: &str| {
        orders(&actor.get(&format!("/api/v1/delivery{query}")).await.expect(200))
    };
    assert_eq!(list(app.admin(), "").await, [43, 42, 41], "newest first, and no tombstone");
    assert_eq!(list(app.customer(7), "").await, [43, 41]);
    assert_eq!(list(app.customer(9), "").await, [0_i64; 0]);
    assert_eq!(list(app.customer(7), "?order_id=42").await, [0_i64; 0], "somebody else's");
    assert_eq!(list(app.customer(8), "?order_id=42").await, [42]);

    advance(&app, &first, "IN_TRANSIT").await;
    assert_eq!(list(app.admin(), "?status=IN_TRANSIT").await, [41]);
    assert_eq!(list(app.customer(7), "?status=PENDING").await, [43]);
    assert_eq!(list(app.customer(8), "?status=IN_TRANSIT").await, [0_i64; 0]);
    app.anyone().get("/api/v1/delivery").await.problem(401, "unauthorized");
}

#[tokio::test]
async fn a_long_list_has_pages_with_a_total_and_a_link_to_the_next() {
    let app = TestApp::start().await;
    for order in 1..=5 {
        start(&app, order, 7).await;
    }
    start(&app, 6, 8).await;
    let ani = app.customer(7);
    let mut pages = vec![];
    let mut path = "/api/v1/delivery?status=PENDING&limit=2".to_owned();
    loop {
        let reply = ani.get(&path).await;
        pages.push(orders(&reply.expect(200)));
        assert_eq!(reply.header("x-total-count"), "5");
        let link = reply.header("link");
        if link.is_empty() {
            break;
        }
        path = link.trim_start_matches('<').trim_end_matches(">; rel=\"next\"").to_owned();
        assert!(path.contains("status=PENDING") && path.contains("limit=2"), "{link}");
    }
    assert_eq!(pages, [vec![5, 4], vec![3, 2], vec![1]]);

    let beyond = ani.get("/api/v1/delivery?page=9&limit=2").await;
    assert_eq!((beyond.expect(200), beyond.header("x-total-count")), (json!([]), "5"));
    let whole = ani.get("/api/v1/delivery?limit=5").await;
    assert_eq!((whole.header("x-total-count"), whole.header("link")), ("5", ""));
}

#[tokio::test]
async fn a_delivery_is_its_owners_and_an_administrators_business_only() {
    let app = TestApp::start().await;
    let path = start(&app, 41, 7).await;
    let seen = app.customer(7).get(&path).await.expect(200);
    assert_eq!(seen, app.admin().get(&path).await.expect(200));
    assert_eq!(seen.get("tracking_number"), None, "absent while unknown");
    assert!(seen["created_at"].as_str().unwrap().ends_with('Z'));
    assert_eq!(seen["history"][0]["at"], seen["created_at"]);

    app.customer(8).get(&path).await.problem(404, "not_found");
    app.anyone().get(&path).await.problem(401, "unauthorized");
    app.admin().get("/api/v1/delivery/4294967297").await.problem(404, "not_found");
}

#[tokio::test]
async fn a_tombstone_is_no_delivery() {
    let app = TestApp::start().await;
    grpc::cancel(&app, 41).await;
    app.admin().get("/api/v1/delivery/1").await.problem(404, "not_found");
    let list = app.admin().get("/api/v1/delivery?status=CANCELLED").await;
    assert_eq!((list.expect(200), list.header("x-total-count")), (json!([]), "0"));
}

#[tokio::test]
async fn bad_queries_are_refused_and_named() {
    let app = TestApp::start().await;
    let cases = [
        ("status=LOST", "status"),
        ("status=", "status"),
        ("status=PENDING'--", "status"),
        ("order_id=0", "order_id"),
        ("order_id=-1", "order_id"),
        ("order_id=x", "order_id"),
        ("order_id=9223372036854775808", "order_id"),
        ("page=0", "page"),
        ("page=9223372036854775807", "page"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=1.5", "limit"),
        ("user_id=8", "user_id"),
        ("page=1&page=2", "page"),
    ];
    for (query, field) in cases {
        let reply = app.customer(7).get(&format!("/api/v1/delivery?{query}")).await;
        assert_eq!(reply.problem(400, "invalid")["errors"][0]["field"], field, "{query}");
    }
    for id in ["0", "-1", "x", "9223372036854775808"] {
        let reply = app.customer(7).get(&format!("/api/v1/delivery/{id}")).await;
        assert_eq!(reply.problem(400, "invalid")["errors"][0]["field"], "id", "{id}");
    }
}
