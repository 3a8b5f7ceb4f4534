//! Who counts as logged in: which tokens are taken, and which are refused.

use chassis::Claims;
use contracts::UserId;
use reqwest::Method;
use uuid::Uuid;

use crate::{Shop, join};

const PROTECTED: [(&str, &str); 12] = [
    ("POST", "/api/v1/auth/logout"),
    ("GET", "/api/v1/auth/profile"),
    ("PUT", "/api/v1/auth/profile"),
    ("POST", "/api/v1/auth/change-password"),
    ("GET", "/api/v1/auth/sessions"),
    ("DELETE", "/api/v1/auth/sessions/1"),
    ("GET", "/api/v1/auth/addresses"),
    ("POST", "/api/v1/auth/addresses"),
    ("PUT", "/api/v1/auth/addresses/1"),
    ("DELETE", "/api/v1/auth/addresses/1"),
    ("DELETE", "/api/v1/auth/addresses/x"),
    ("DELETE", "/api/v1/auth/sessions/x"),
];

#[tokio::test]
async fn nothing_of_ones_own_is_shown_without_a_token_that_counts() {
    let shop = Shop::start().await;
    let forged = shop.with_token("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJ1c2VySUQiOjEsInJvbGUiOiJhZG1pbiJ9.");
    let without_session = shop.customer(1);
    for (method, path) in PROTECTED {
        let method: Method = method.parse().unwrap();
        for actor in [&shop.anyone(), &forged, &without_session] {
            let reply = actor.send(method.clone(), path, &[], None).await;
            reply.problem(401, "unauthorized");
            assert_eq!(reply.header("www-authenticate"), "Bearer");
        }
    }
}

#[tokio::test]
async fn a_session_counts_only_for_the_account_that_opened_it() {
    let shop = Shop::start().await;
    let ani = join(&shop, "ani").await;
    join(&shop, "budi").await;
    let profile = ani.actor.get("/api/v1/auth/profile").await.expect(200);
    let sid: Uuid = sqlx::query_scalar("select sid from sessions where user_id = $1")
        .bind(profile["id"].as_i64())
        .fetch_one(shop.pool())
        .await
        .unwrap();
    let other = UserId::try_from(profile["id"].as_i64().unwrap() + 1).unwrap();
    let claims = Claims { sid: sid.to_string(), ..testkit::claims(other.get(), chassis::Role::User) };
    let token = shop.context().tokens.sign(&claims).unwrap();
    shop.with_token(&token).get("/api/v1/auth/profile").await.problem(401, "unauthorized");
}
