use std::time::Duration;

use midtrans::{Client, Config, Error};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::sandbox::{KEY, Sandbox, order_id};

#[tokio::test]
async fn it_lists_what_it_knows_newest_first() {
    let sandbox = Sandbox::start().await;
    let (first, second) = (order_id(), order_id());
    let page = sandbox.page(&first, 10_000).await;
    sandbox.page(&second, 20_000).await;
    let list = async |query: &str| {
        let path = format!("/transactions{query}");
        sandbox.control(Method::GET, &path, Value::Null).await.1.as_array().unwrap().clone()
    };
    let both = list("").await;
    assert_eq!([&both[0]["order_id"], &both[1]["order_id"]], [&json!(second), &json!(first)]);
    assert_eq!(
        (&both[0]["page"], &both[0]["gross_amount"], &both[0]["attempts"]),
        (&json!("open"), &json!("20000.00"), &json!([]))
    );
    sandbox.pay(json!({"token": page.token, "payment_type": "gopay"})).await;
    assert_eq!(list("?limit=1").await[0]["order_id"], json!(first));
    let settled = list("?status=settlement").await;
    assert_eq!((settled.len(), &settled[0]["page"]), (1, &json!("used")));
}

#[tokio::test]
async fn one_is_shown_by_order_id_transaction_id_and_token() {
    let sandbox = Sandbox::start().await;
    let order_id = order_id();
    let page = sandbox.page(&order_id, 10_000).await;
    assert_eq!(sandbox.show(&page.token).await["order_id"], json!(order_id));
    let paid = sandbox.pay(json!({"token": page.token})).await;
    for id in [&order_id, &page.token, paid["transaction_id"].as_str().unwrap()] {
        let shown = sandbox.show(id).await;
        assert_eq!((&shown["token"], &shown["transaction_status"]), (&json!(page.token), &json!("capture")));
    }
    let (status, problem) = sandbox.control(Method::GET, "/transactions/unknown", Value::Null).await;
    assert_eq!((status, &problem["status"]), (StatusCode::NOT_FOUND, &json!(404)));
}

#[tokio::test]
async fn what_a_tunnel_carries_in_is_forbidden() {
    let sandbox = Sandbox::start().await;
    let status = async |headers: &[(&str, &str)]| {
        let request = sandbox.http.get(format!("{}/sandbox/transactions", sandbox.base));
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        request.send().await.unwrap().status()
    };
    assert_eq!(status(&[]).await, StatusCode::OK);
    assert_eq!(status(&[("X-Forwarded-For", "127.0.0.1")]).await, StatusCode::OK, "the gateway's own entry");
    for headers in [
        &[("X-Forwarded-For", "203.0.113.7")][..],
        &[("X-Forwarded-For", "203.0.113.7, 127.0.0.1")],
        &[("X-Forwarded-For", "127.0.0.1"), ("X-Original-Forwarded-For", "203.0.113.7")],
    ] {
        assert_eq!(status(headers).await, StatusCode::FORBIDDEN, "{headers:?}");
    }
}

#[tokio::test]
async fn only_the_page_is_open_to_the_outside() {
    let sandbox = Sandbox::start().await;
    let page = sandbox.page(&order_id(), 10_000).await;
    for path in ["/snap/v1/transactions", "/v2/charge", "/sandbox/pay"] {
        let request = sandbox.http.post(format!("{}{path}", sandbox.base)).basic_auth(KEY, Some(""));
        let request = request.json(&json!({})).header("X-Forwarded-For", "203.0.113.7");
        assert_eq!(request.send().await.unwrap().status(), StatusCode::FORBIDDEN, "{path}");
    }
    let url = format!("{}/snap/v4/redirection/{}", sandbox.base, page.token);
    let response = sandbox.http.get(url).header("X-Forwarded-For", "203.0.113.7").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK, "customers may come from anywhere");
}

#[tokio::test]
async fn a_page_of_another_site_can_do_nothing() {
    let sandbox = Sandbox::start().await;
    let token = sandbox.page(&order_id(), 10_000).await.token;
    let pay = || sandbox.http.post(format!("{}/sandbox/pay", sandbox.base));
    let body = json!({ "token": token });
    let form = pay().header("content-type", "text/plain").body(body.to_string());
    assert_eq!(form.send().await.unwrap().status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let cross = pay().json(&body).header("Sec-Fetch-Site", "cross-site");
    assert_eq!(cross.send().await.unwrap().status(), StatusCode::FORBIDDEN);
    assert_eq!(sandbox.show(&token).await["page"], "open");
    let own = pay().json(&body).header("Sec-Fetch-Site", "same-origin");
    assert_eq!(own.send().await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn wrong_requests_are_told_what_is_wrong() {
    let sandbox = Sandbox::start().await;
    let token = sandbox.page(&order_id(), 10_000).await.token;
    for (body, about) in [
        (json!({}), "token"),
        (json!({"token": token, "surprise": 1}), "surprise"),
        (json!({"token": token, "outcome": "heaven"}), "heaven"),
        (json!({"token": token, "card_number": "1"}), "card_number"),
        (json!({"token": token, "gross_amount": 0}), "gross_amount"),
        (json!({"token": token, "payment_type": "gopay", "outcome": "capture"}), "cards only"),
        (json!({"token": token, "notify": {"delay_ms": -1}}), "delay_ms"),
    ] {
        let (status, problem) = sandbox.control(Method::POST, "/pay", body.clone()).await;
        assert_eq!((status, &problem["code"]), (StatusCode::BAD_REQUEST, &json!("invalid")), "{body}");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(about) || about == "delay_ms", "{body}: {detail}");
    }
    let request = sandbox
        .http
        .post(format!("{}/sandbox/pay", sandbox.base))
        .header("content-type", "application/json")
        .body("{");
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let (status, _) = sandbox.control(Method::POST, "/no-such-route", Value::Null).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn midtrans_can_be_down_and_come_back() {
    let sandbox = Sandbox::start().await;
    let faults = async |body: Value| sandbox.control(Method::PUT, "/faults", body).await;
    let (status, told) = faults(json!({"down": true})).await;
    assert_eq!(
        (status, told),
        (StatusCode::OK, json!({"latency_ms": 0, "error_rate": 0.0, "down": true, "limited": false}))
    );
    let error = sandbox.midtrans.status("x").await.unwrap_err();
    assert!(matches!(&error, Error::Unavailable { .. }) && error.is_retryable(), "{error}");
    faults(json!({})).await;
    assert!(matches!(sandbox.midtrans.status("x").await, Err(Error::NotFound(_))));
}

#[tokio::test]
async fn midtrans_can_fail_and_be_slow() {
    let sandbox = Sandbox::start().await;
    let faults = async |body: Value| sandbox.control(Method::PUT, "/faults", body).await.0;
    assert_eq!(faults(json!({"error_rate": 1.0})).await, StatusCode::OK);
    assert!(matches!(sandbox.midtrans.status("x").await, Err(Error::Unavailable { .. })));
    assert_eq!(faults(json!({"latency_ms": 60_000})).await, StatusCode::OK);
    let at_base = Config::at(&sandbox.base, KEY.into());
    let impatient = Client::new(Config { timeout: Duration::from_millis(100), ..at_base }).unwrap();
    assert!(matches!(impatient.status("x").await, Err(Error::Unavailable { .. })));
    assert_eq!(faults(json!({"error_rate": 1.5})).await, StatusCode::BAD_REQUEST);
    assert_eq!(faults(json!({"error_rat": 1})).await, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn health_is_told_without_authentication() {
    let sandbox = Sandbox::start().await;
    for path in ["live", "ready"] {
        let url = format!("{}/health/{path}", sandbox.base.trim_end_matches("/midtrans"));
        assert_eq!(sandbox.http.get(url).send().await.unwrap().status(), StatusCode::OK);
    }
}
