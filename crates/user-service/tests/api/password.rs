use contracts::{UserId, events::SessionEnded};
use serde_json::json;
use user_service::store::sessions::{NewSession, insert_session};
use uuid::Uuid;

use crate::{PASSWORD, Shop, count, email, join, log_in, refresh, try_log_in};

const CHANGE: &str = "/api/v1/auth/change-password";
const NEW: &str = "a wholly new password";

#[tokio::test]
async fn a_new_password_ends_all_other_sessions() {
    let shop = Shop::start().await;
    let ani = join(&shop, "ani").await;
    let (phone, tablet) = (log_in(&shop, "ani").await, log_in(&shop, "ani").await);
    let budi = join(&shop, "budi").await;
    let change = json!({ "old_password": PASSWORD, "new_password": NEW });
    let reply = ani.actor.post(CHANGE, change).await.expect(200);
    assert!(reply["message"].is_string());

    for gone in [&phone, &tablet] {
        gone.actor.get("/api/v1/auth/profile").await.problem(401, "unauthorized");
        refresh(&shop, &gone.refresh_token).await.problem(401, "unauthorized");
    }
    budi.actor.get("/api/v1/auth/profile").await.expect(200);
    assert_eq!(shop.published::<SessionEnded>().await.len(), 3, "two, and the one that asked is another now");

    try_log_in(&shop, &email("ani"), PASSWORD).await.problem(401, "wrong_credentials");
    try_log_in(&shop, &email("ani"), NEW).await.expect(200);
}

#[tokio::test]
async fn a_new_password_gives_new_tokens_to_the_session_that_asks() {
    let shop = Shop::start().await;
    let ani = join(&shop, "ani").await;
    let successor = refresh(&shop, &ani.refresh_token).await.expect(200);
    let change = json!({ "old_password": PASSWORD, "new_password": NEW });
    let reply = ani.actor.post(CHANGE, change).await;
    assert_eq!(reply.header("cache-control"), "no-store");
    let tokens = reply.expect(200);
    assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&"Bearer".into(), &900.into()));

    ani.actor.get("/api/v1/auth/profile").await.problem(401, "unauthorized");
    for old in [ani.refresh_token.as_str(), successor["refresh_token"].as_str().unwrap()] {
        refresh(&shop, old).await.problem(401, "unauthorized");
    }
    let renewed = shop.with_token(tokens["access_token"].as_str().unwrap());
    let sessions = renewed.get("/api/v1/auth/sessions").await.expect(200);
    assert_eq!((sessions.as_array().unwrap().len(), &sessions[0]["current"]), (1, &true.into()));
    refresh(&shop, tokens["refresh_token"].as_str().unwrap()).await.expect(200);

    let ended = shop.published::<SessionEnded>().await;
    let sid = |token: &serde_json::Value| {
        shop.context().tokens.verify(token.as_str().unwrap()).unwrap().sid.clone()
    };
    assert_eq!(
        ended.iter().map(|event| event.sid.clone()).collect::<Vec<_>>(),
        [sid(&successor["access_token"])]
    );
    assert_ne!(ended[0].sid, sid(&tokens["access_token"]));
}

#[tokio::test]
async fn of_two_changes_at_once_one_counts() {
    let shop = Shop::start().await;
    let ani = join(&shop, "ani").await;
    let change = |new: &str| ani.actor.post(CHANGE, json!({ "old_password": PASSWORD, "new_password": new }));
    let (one, other) = tokio::join!(change(NEW), change("another new password"));
    let mut statuses = [one.status(), other.status()];
    statuses.sort_unstable();
    assert_eq!(statuses[0], 200);
    assert!([401, 422].contains(&statuses[1]), "{statuses:?}");
    assert_eq!(count(&shop, "select count(*) from sessions").await, 1);
}

#[tokio::test]
async fn a_new_password_that_is_guessed_first_is_refused() {
    let shop = Shop::start().await;
    let ani = join(&shop, "ani.wijaya").await;
    for new in ["Password123", "ani.wijaya", "ANI.wijaya@example.com"] {
        let change = json!({ "old_password": PASSWORD, "new_password": new });
        let problem = ani.actor.post(CHANGE, change).await.problem(400, "password_too_common");
        assert_eq!(problem["errors"][0]["field"], "new_password");
    }
    try_log_in(&shop, &email("ani.wijaya"), PASSWORD).await.expect(200);
}

#[tokio::test]
async fn a_wrong_old_password_changes_nothing() {
    let shop = Shop::start().await;
    let ani = join(&shop, "ani").await;
    let phone = log_in(&shop, "ani").await;
    let change = json!({ "old_password": "wrong", "new_password": NEW });
    ani.actor.post(CHANGE, change).await.problem(422, "wrong_password");
    phone.actor.get("/api/v1/auth/profile").await.expect(200);
    try_log_in(&shop, &email("ani"), PASSWORD).await.expect(200);
    assert!(shop.published::<SessionEnded>().await.is_empty());
}

#[tokio::test]
async fn a_login_that_was_checked_against_the_old_password_opens_no_session() {
    let shop = Shop::start().await;
    let id = crate::register(&shop, "ani").await["id"].as_i64().unwrap();
    let session = NewSession {
        user_id: UserId::try_from(id).unwrap(),
        password_hash: "what was stored before the change",
        sid: Uuid::new_v4(),
        salt: b"salt",
        user_agent: None,
        first_token: b"hash",
    };
    assert!(!insert_session(&mut shop.pool().acquire().await.unwrap(), &session).await.unwrap());
    assert_eq!(count(&shop, "select count(*) from sessions").await, 0);
}
