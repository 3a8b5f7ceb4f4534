use futures::future::join_all;
use serde_json::json;

use crate::{PASSWORD, Shop, count, registration};

#[tokio::test]
async fn who_registers_becomes_a_plain_user() {
    let shop = Shop::start().await;
    let reply = shop.anyone().post("/api/v1/register", registration("Ani.W-1_x")).await.expect(201);
    let user = &reply["user"];
    assert!(user["id"].as_i64().unwrap() > 0);
    assert_eq!(user["username"], "Ani.W-1_x");
    assert_eq!(user["email"], "Ani.W-1_x@example.com");
    assert_eq!(user["role"], "user");
    assert!(user["created_at"].as_str().unwrap().ends_with('Z'));
    assert!(reply["message"].is_string());
    assert!(!reply.to_string().contains("password"), "{reply}");

    let stored: String =
        sqlx::query_scalar("select password_hash from users").fetch_one(shop.pool()).await.unwrap();
    assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
}

#[tokio::test]
async fn names_and_addresses_are_unique_without_case() {
    let shop = Shop::start().await;
    let register = |username: &str, email: &str| {
        let body = json!({ "username": username, "email": email, "password": PASSWORD });
        let anyone = shop.anyone();
        async move { anyone.post("/api/v1/register", body).await }
    };
    register("ani", "ani@example.com").await.expect(201);
    register("budi", "ANI@Example.COM").await.problem(409, "email_taken");
    register("ANI", "budi@example.com").await.problem(409, "username_taken");
    register("budi", "budi@example.com").await.expect(201);
    assert_eq!(count(&shop, "select count(*) from users").await, 2);
}

#[tokio::test]
async fn of_many_who_want_one_name_at_once_one_gets_it() {
    let shop = Shop::start().await;
    let anyone = shop.anyone();
    let replies = join_all((0..8).map(|_| anyone.post("/api/v1/register", registration("ani")))).await;
    assert_eq!(replies.iter().filter(|reply| reply.status() == 201).count(), 1);
    assert_eq!(replies.iter().filter(|reply| reply.status() == 409).count(), 7);
    assert_eq!(count(&shop, "select count(*) from users").await, 1);
}

#[tokio::test]
async fn passwords_are_measured_in_characters() {
    let shop = Shop::start().await;
    let anyone = shop.anyone();
    let with = |name: &str, password: String| {
        anyone.post(
            "/api/v1/register",
            json!({ "username": name, "email": format!("{name}@example.com"), "password": password }),
        )
    };
    with("ani", "\u{1f600}".repeat(8)).await.expect(201);
    with("budi", "\u{e9}".repeat(128)).await.expect(201);
    let problem = with("citra", "\u{1f600}".repeat(7)).await.problem(400, "invalid");
    assert_eq!(problem["errors"][0]["field"], "password");
    with("dewi", "x".repeat(129)).await.problem(400, "invalid");
}

#[tokio::test]
async fn a_password_that_is_guessed_first_is_refused() {
    let shop = Shop::start().await;
    let with = |password: &str| {
        let body =
            json!({ "username": "wijaya-ani", "email": "wijaya.ani+shop@example.com", "password": password });
        let anyone = shop.anyone();
        async move { anyone.post("/api/v1/register", body).await }
    };
    let common = ["password", "PassWord123", "12345678", "qwertyuiop", "shop1234"];
    let own = ["wijaya-ani", "Wijaya-Ani", "wijaya.ani+shop", "WIJAYA.ani+shop@example.com"];
    for password in common.into_iter().chain(own) {
        let problem = with(password).await.problem(400, "password_too_common");
        assert_eq!(problem["errors"][0]["field"], "password", "{password}");
    }
    assert_eq!(count(&shop, "select count(*) from users").await, 0);
    with("password of wijaya-ani").await.expect(201);
}
