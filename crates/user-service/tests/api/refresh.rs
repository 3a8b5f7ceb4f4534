use contracts::events::SessionEnded;
use futures::future::join_all;
use serde_json::json;
use sha2::{Digest, Sha256};
use user_service::{
    app::{purge_expired, refresh as refresh_session},
    domain::{RefreshKey, RefreshToken},
};

use crate::{Shop, count, execute, join, log_in, refresh};

fn token(tokens: &serde_json::Value) -> String {
    tokens["refresh_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_refresh_token_is_exchanged_for_the_next_pair() {
    let shop = Shop::start().await;
    let ani = join(&shop, "ani").await;
    let reply = refresh(&shop, &ani.refresh_token).await;
    let tokens = reply.expect(200);
    assert_eq!(reply.header("cache-control"), "no-store");
    assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&"Bearer".into(), &900.into()));
    assert_ne!(token(&tokens), ani.refresh_token);
    let again = shop.with_token(tokens["access_token"].as_str().unwrap());
    again.get("/api/v1/auth/profile").await.expect(200);
    ani.actor.get("/api/v1/auth/profile").await.expect(200);
    refresh(&shop, &token(&tokens)).await.expect(200);
    assert_eq!(count(&shop, "select count(*) from sessions").await, 1, "it is one session all along");
}

#[tokio::test]
async fn a_refreshed_token_says_what_is_true_now() {
    let shop = Shop::start().await;
    let ani = join(&shop, "ani").await;
    ani.actor.put("/api/v1/auth/profile", json!({ "username": "anita" })).await.expect(200);
    let tokens = refresh(&shop, &ani.refresh_token).await.expect(200);
    assert_eq!(
        shop.context().tokens.verify(tokens["access_token"].as_str().unwrap()).unwrap().username,
        "anita"
    );
}

#[tokio::test]
async fn a_secret_may_be_replaced_between_a_refresh_and_its_repetition() {
    let shop = Shop::start().await;
    let ani = join(&shop, "ani").await;
    let successor = token(&refresh(&shop, &ani.refresh_token).await.expect(200));
    let old = &shop.context().common.jwt_secret;
    let key = RefreshKey::derive(&"the secret that replaces it, some day".into(), Some(old)).unwrap();
    let app = user_service::AppState { refresh: key, ..shop.app().clone() };
    let again = |token: String| refresh_session(&app, RefreshToken::new(token));
    assert_eq!(again(ani.refresh_token.clone()).await.ok().unwrap().refresh_token.into_text(), successor);
    let next = again(successor).await.ok().unwrap().refresh_token.into_text();
    again(next).await.ok().unwrap();
}

#[tokio::test]
async fn fifty_refreshes_at_once_all_get_the_same_successor() {
    let shop = Shop::start().await;
    let ani = join(&shop, "ani").await;
    let replies = join_all((0..50).map(|_| refresh(&shop, &ani.refresh_token))).await;
    let successors: Vec<String> = replies.iter().map(|reply| token(&reply.expect(200))).collect();
    assert!(successors.iter().all(|successor| *successor == successors[0]));
    refresh(&shop, &successors[0]).await.expect(200);
    refresh(&shop, &ani.refresh_token).await.expect(200);
    assert!(shop.published::<SessionEnded>().await.is_empty());
}

#[tokio::test]
async fn a_token_that_is_used_again_after_the_grace_ends_the_session() {
    let shop = Shop::start().await;
    let ani = join(&shop, "ani").await;
    let elsewhere = log_in(&shop, "ani").await;
    let tokens = refresh(&shop, &ani.refresh_token).await.expect(200);
    let first = token(&refresh(&shop, &ani.refresh_token).await.expect(200));
    assert_eq!(first, token(&tokens), "within the grace");

    execute(&shop, "update refresh_tokens set used_at = used_at - interval '21 seconds'").await;
    refresh(&shop, &ani.refresh_token).await.problem(401, "unauthorized");
    refresh(&shop, &token(&tokens)).await.problem(401, "unauthorized");
    ani.actor.get("/api/v1/auth/profile").await.problem(401, "unauthorized");
    let ended = shop.published::<SessionEnded>().await;
    let claims = shop.context().tokens.verify(tokens["access_token"].as_str().unwrap()).unwrap();
    assert_eq!(ended.iter().map(|event| event.sid.as_str()).collect::<Vec<_>>(), [claims.sid.as_str()]);

    elsewhere.actor.get("/api/v1/auth/profile").await.expect(200);
    refresh(&shop, &elsewhere.refresh_token).await.expect(200);
}

#[tokio::test]
async fn a_session_lives_seven_days_from_its_last_refresh() {
    let shop = Shop::start().await;
    let ani = join(&shop, "ani").await;
    let left = "select (extract(epoch from expires_at - now()) / 3600)::bigint from sessions";
    assert_eq!(count(&shop, left).await, 168);
    execute(&shop, "update sessions set expires_at = now() + interval '1 hour'").await;
    let tokens = refresh(&shop, &ani.refresh_token).await.expect(200);
    assert_eq!(count(&shop, left).await, 168);

    execute(&shop, "update sessions set expires_at = now()").await;
    refresh(&shop, &token(&tokens)).await.problem(401, "unauthorized");
    ani.actor.get("/api/v1/auth/profile").await.problem(401, "unauthorized");
}

#[tokio::test]
async fn a_session_ends_for_good_after_ninety_days() {
    let shop = Shop::start().await;
    let ani = join(&shop, "ani").await;
    execute(&shop, "update sessions set created_at = now() - interval '89 days'").await;
    let tokens = refresh(&shop, &ani.refresh_token).await.expect(200);
    let left = "select (extract(epoch from expires_at - now()) / 3600)::bigint from sessions";
    assert_eq!(count(&shop, left).await, 24);
    let change = json!({ "old_password": crate::PASSWORD, "new_password": "a wholly new password" });
    let tokens = shop.with_token(tokens["access_token"].as_str().unwrap());
    let tokens = tokens.post("/api/v1/auth/change-password", change).await.expect(200);
    assert_eq!(count(&shop, left).await, 24, "a new password makes no new session");

    execute(&shop, "update sessions set created_at = now() - interval '90 days'").await;
    refresh(&shop, &token(&tokens)).await.problem(401, "unauthorized");
}

#[tokio::test]
async fn a_session_keeps_its_last_thousand_tokens() {
    let shop = Shop::start().await;
    let ani = join(&shop, "ani").await;
    execute(&shop, "update refresh_tokens set n = 1201").await;
    execute(
        &shop,
        "insert into refresh_tokens (session_id, n, token_hash, used_at)
         select id, n, sha256(n::text::bytea), now() from sessions, generate_series(1, 1200) n",
    )
    .await;
    let tokens = refresh(&shop, &ani.refresh_token).await.expect(200);
    assert_eq!(count(&shop, "select count(*) from refresh_tokens").await, 1000);
    assert_eq!(count(&shop, "select max(n)::bigint from refresh_tokens").await, 1202);
    refresh(&shop, &token(&tokens)).await.expect(200);
    assert_eq!(count(&shop, "select count(*) from refresh_tokens").await, 1000);
}

#[tokio::test]
async fn what_was_never_given_out_is_refused() {
    let shop = Shop::start().await;
    let ani = join(&shop, "ani").await;
    let forged = "0".repeat(64);
    for token in [forged.as_str(), "x", "\u{1f600}", &ani.refresh_token.to_uppercase()] {
        refresh(&shop, token).await.problem(401, "unauthorized");
    }
    refresh(&shop, &ani.refresh_token).await.expect(200);
}

#[tokio::test]
async fn only_hashes_of_tokens_are_stored() {
    let shop = Shop::start().await;
    let ani = join(&shop, "ani").await;
    let stored: Vec<Vec<u8>> =
        sqlx::query_scalar("select token_hash from refresh_tokens").fetch_all(shop.pool()).await.unwrap();
    assert_eq!(stored, [Sha256::digest(ani.refresh_token.as_bytes()).to_vec()]);
}

#[tokio::test]
async fn what_has_expired_is_purged_and_nothing_else() {
    let shop = Shop::start().await;
    let kept = join(&shop, "ani").await;
    let successor = token(&refresh(&shop, &kept.refresh_token).await.expect(200));
    execute(&shop, "update refresh_tokens set used_at = now() - interval '8 days' where used_at is not null")
        .await;
    log_in(&shop, "ani").await;
    execute(&shop, "update sessions set expires_at = now() where id = (select max(id) from sessions)").await;

    assert_eq!(purge_expired(shop.app()).await.unwrap(), 2);
    assert_eq!(count(&shop, "select count(*) from sessions").await, 1);
    refresh(&shop, &successor).await.expect(200);
    assert!(shop.published::<SessionEnded>().await.is_empty(), "no service needs to know");
}
