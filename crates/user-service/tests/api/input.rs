//! Bad input on every route with a body, and that it leaves no trace.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{PASSWORD, Shop, count, join, registration};

const BODIES: [(&str, &str); 7] = [
    ("POST", "/api/v1/register"),
    ("POST", "/api/v1/login"),
    ("POST", "/api/v1/auth/refresh"),
    ("PUT", "/api/v1/auth/profile"),
    ("POST", "/api/v1/auth/change-password"),
    ("POST", "/api/v1/auth/addresses"),
    ("PUT", "/api/v1/auth/addresses/1"),
];

#[tokio::test]
async fn what_is_no_json_object_is_refused_by_every_route() {
    let shop = Shop::start().await;
    let ani = join(&shop, "ani").await.actor;
    for (method, path) in BODIES {
        let method: Method = method.parse().unwrap();
        let json = [("content-type", "application/json")];
        let send = |headers: &'static [(&'static str, &'static str)], body: Vec<u8>| {
            ani.raw(method.clone(), path, headers, body)
        };
        for malformed in ["", "{", "{]", "\u{0}"] {
            ani.raw(method.clone(), path, &json, malformed).await.problem(400, "malformed");
        }
        for other in ["[]", "1", "null", "\"text\""] {
            assert_eq!(ani.raw(method.clone(), path, &json, other).await.status(), 400, "{path} {other}");
        }
        ani.raw(method.clone(), path, &json, vec![0xff, 0xfe]).await.problem(400, "malformed");
        send(&[("content-type", "text/plain")], b"{}".to_vec()).await.problem(415, "unsupported_media_type");
        send(&[], b"{}".to_vec()).await.problem(415, "unsupported_media_type");
        let big = format!("{{\"a\":\"{}\"}}", "x".repeat(65 * 1024));
        ani.raw(method.clone(), path, &json, big).await.problem(413, "too_large");
        let unknown = ani.send(method.clone(), path, &[], Some(json!({ "role": "admin" }))).await;
        assert_eq!(unknown.problem(400, "invalid")["errors"][0]["field"], "role", "{path}");
    }
    assert_eq!(count(&shop, "select count(*) from users").await, 1);
    assert_eq!(count(&shop, "select count(*) from addresses").await, 0);
}

/// Values that no text member takes, with the ones that only this member refuses.
fn bad_texts(more: &[&str]) -> Vec<Value> {
    let mut bad = vec![
        json!(null),
        json!(1),
        json!(4_294_967_297_u64),
        json!(9.3e18),
        json!(-1),
        json!(true),
        json!([]),
        json!({}),
    ];
    bad.extend([json!(""), json!("x".repeat(300)), json!("a\0bcdefgh@example.com")]);
    bad.extend(more.iter().map(|text| json!(text)));
    bad
}

async fn refuse(shop: &Shop, path: &str, good: &Value, name: &str, values: Vec<Value>) {
    for value in values {
        let mut body = good.clone();
        body[name] = value.clone();
        let problem = shop.anyone().post(path, body).await.problem(400, "invalid");
        assert_eq!(problem["errors"][0]["field"], name, "{path} {value}");
    }
    let mut body = good.clone();
    body.as_object_mut().unwrap().remove(name);
    let problem = shop.anyone().post(path, body).await.problem(400, "invalid");
    assert_eq!(problem["errors"][0]["field"], name, "{path} without {name}");
}

#[tokio::test]
async fn registration_names_the_member_that_is_wrong() {
    let shop = Shop::start().await;
    let good = registration("ani");
    let path = "/api/v1/register";
    refuse(&shop, path, &good, "username", bad_texts(&["ab", "a b c", "ani\u{1f600}", "<script>"])).await;
    refuse(
        &shop,
        path,
        &good,
        "email",
        bad_texts(&["ani", "@", "a@b", "ani@example", "\u{1f600}@example.com"]),
    )
    .await;
    refuse(&shop, path, &good, "password", bad_texts(&["1234567"])).await;
    for read_only in ["role", "id", "created_at", "is_admin"] {
        let mut body = good.clone();
        body[read_only] = json!("admin");
        let problem = shop.anyone().post(path, body).await.problem(400, "invalid");
        assert_eq!(problem["errors"][0]["field"], read_only);
    }
    let all = json!({ "username": "a", "email": "b", "password": "c" });
    let problem = shop.anyone().post(path, all).await.problem(400, "invalid");
    assert_eq!(problem["errors"].as_array().unwrap().len(), 3, "every fault is named: {problem}");
    assert_eq!(count(&shop, "select count(*) from users").await, 0);
}

#[tokio::test]
async fn login_and_refresh_name_the_member_that_is_wrong() {
    let shop = Shop::start().await;
    let good = json!({ "email": "ani@example.com", "password": PASSWORD });
    refuse(&shop, "/api/v1/login", &good, "email", bad_texts(&["ani"])).await;
    refuse(&shop, "/api/v1/login", &good, "password", bad_texts(&[])).await;
    let good = json!({ "refresh_token": "x" });
    refuse(&shop, "/api/v1/auth/refresh", &good, "refresh_token", bad_texts(&[])).await;
}

#[tokio::test]
async fn changes_of_ones_account_name_the_member_that_is_wrong() {
    let shop = Shop::start().await;
    let ani = join(&shop, "ani").await.actor;
    let before = ani.get("/api/v1/auth/profile").await.expect(200);
    let profile = [
        ("username", json!("a")),
        ("username", json!(7)),
        ("email", json!("x")),
        ("current_password", json!("")),
        ("userID", json!(1)),
        ("created_at", json!("2026-01-01T00:00:00Z")),
    ];
    for (name, value) in profile {
        let problem = ani.put("/api/v1/auth/profile", json!({ name: value })).await.problem(400, "invalid");
        assert_eq!(problem["errors"][0]["field"], name);
    }
    assert_eq!(ani.get("/api/v1/auth/profile").await.expect(200), before);

    let passwords = [
        (json!({ "old_password": PASSWORD, "new_password": "1234567" }), "new_password"),
        (json!({ "old_password": PASSWORD, "new_password": "x".repeat(129) }), "new_password"),
        (json!({ "old_password": PASSWORD, "new_password": "with\0 a NUL" }), "new_password"),
        (json!({ "old_password": "", "new_password": "correct horse" }), "old_password"),
        (json!({ "new_password": "correct horse" }), "old_password"),
        (json!({ "old_password": PASSWORD }), "new_password"),
    ];
    for (body, name) in passwords {
        let problem = ani.post("/api/v1/auth/change-password", body).await.problem(400, "invalid");
        assert_eq!(problem["errors"][0]["field"], name);
    }
    crate::log_in(&shop, "ani").await;
}
