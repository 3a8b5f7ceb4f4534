use contracts::events::{Event, SessionEnded};
use futures::future::join_all;
use redis::AsyncCommands;
use reqwest::Method;
use serde_json::json;
use testkit::eventually;

use crate::{PASSWORD, Shop, count, email, join, log_in, refresh, register};

const SESSIONS: &str = "/api/v1/auth/sessions";

#[tokio::test]
async fn the_list_shows_where_one_is_logged_in() {
    let shop = Shop::start().await;
    let ani = join(&shop, "ani").await;
    join(&shop, "budi").await;
    let body = json!({ "email": email("ani"), "password": PASSWORD });
    let long = format!("Phone/{}", "1".repeat(400));
    shop.anyone().send(Method::POST, "/api/v1/login", &[("user-agent", &long)], Some(body)).await.expect(200);

    let list = ani.actor.get(SESSIONS).await.expect(200);
    assert_eq!(list.as_array().unwrap().len(), 2, "{list}");
    assert_eq!((&list[0]["current"], &list[1]["current"]), (&false.into(), &true.into()));
    assert_eq!(list[0]["user_agent"], long[..255]);
    assert!(list[1]["user_agent"].is_null(), "{list}");
    for session in list.as_array().unwrap() {
        assert!(session["id"].as_i64().unwrap() > 0);
        assert!(session["created_at"].is_string() && session["last_used_at"].is_string());
    }

    refresh(&shop, &ani.refresh_token).await.expect(200);
    assert_eq!(
        ani.actor.get(SESSIONS).await.expect(200)[0]["current"],
        true,
        "the one used last comes first"
    );
}

#[tokio::test]
async fn a_session_is_ended_from_another_one() {
    let shop = Shop::start().await;
    let ani = join(&shop, "ani").await;
    let phone = log_in(&shop, "ani").await;
    let budi = join(&shop, "budi").await;
    let list = ani.actor.get(SESSIONS).await.expect(200);
    let path = format!(
        "{SESSIONS}/{}",
        list.as_array().unwrap().iter().find(|s| s["current"] == false).unwrap()["id"]
    );

    budi.actor.delete(&path).await.problem(404, "not_found");
    phone.actor.get(SESSIONS).await.expect(200);
    assert_eq!(ani.actor.delete(&path).await.status(), 204);
    phone.actor.get(SESSIONS).await.problem(401, "unauthorized");
    refresh(&shop, &phone.refresh_token).await.problem(401, "unauthorized");
    ani.actor.delete(&path).await.problem(404, "not_found");
    assert_eq!(ani.actor.get(SESSIONS).await.expect(200).as_array().unwrap().len(), 1);
    assert_eq!(shop.published::<SessionEnded>().await.len(), 1);
}

#[tokio::test]
async fn of_more_than_twenty_sessions_the_one_that_was_used_longest_ago_ends() {
    let shop = Shop::start().await;
    let oldest = join(&shop, "ani").await;
    let unused = log_in(&shop, "ani").await;
    join(&shop, "budi").await;
    for _ in 0..18 {
        log_in(&shop, "ani").await;
    }
    refresh(&shop, &oldest.refresh_token).await.expect(200);
    assert!(shop.published::<SessionEnded>().await.is_empty());
    let newest = log_in(&shop, "ani").await;
    unused.actor.get(SESSIONS).await.problem(401, "unauthorized");
    refresh(&shop, &unused.refresh_token).await.problem(401, "unauthorized");
    oldest.actor.get(SESSIONS).await.expect(200);
    assert_eq!(newest.actor.get(SESSIONS).await.expect(200).as_array().unwrap().len(), 20);
    assert_eq!(shop.published::<SessionEnded>().await.len(), 1);
}

#[tokio::test]
async fn logins_that_come_at_once_leave_twenty_sessions() {
    let shop = Shop::start().await;
    register(&shop, "ani").await;
    join_all((0..25).map(|_| log_in(&shop, "ani"))).await;
    assert_eq!(count(&shop, "select count(*) from sessions").await, 20);
    assert_eq!(shop.published::<SessionEnded>().await.len(), 5);
}

#[tokio::test]
async fn who_logs_out_is_logged_out_at_once_and_the_others_are_told() {
    let shop = Shop::start().await;
    shop.start_background().await;
    let ani = join(&shop, "ani").await;
    let elsewhere = log_in(&shop, "ani").await;
    let reply = ani.actor.post("/api/v1/auth/logout", json!({})).await.expect(200);
    assert!(reply["message"].is_string());
    ani.actor.get("/api/v1/auth/profile").await.problem(401, "unauthorized");
    ani.actor.post("/api/v1/auth/logout", json!({})).await.problem(401, "unauthorized");
    refresh(&shop, &ani.refresh_token).await.problem(401, "unauthorized");
    elsewhere.actor.get("/api/v1/auth/profile").await.expect(200);

    let mut redis = shop.redis_client(1).get_multiplexed_async_connection().await.unwrap();
    let entries = eventually("the event is on its stream", async || {
        let count: i64 = redis.xlen(SessionEnded::STREAM.name).await.unwrap();
        (count > 0).then_some(count)
    });
    assert_eq!(entries.await, 1);
}

#[tokio::test]
async fn refreshing_while_logging_out_is_answered_by_either_and_never_fails() {
    let shop = Shop::start().await;
    register(&shop, "ani").await;
    for _ in 0..5 {
        let ani = log_in(&shop, "ani").await;
        let refreshes = join_all((0..20).map(|_| refresh(&shop, &ani.refresh_token)));
        let (replies, out) =
            tokio::join!(refreshes, async { ani.actor.post("/api/v1/auth/logout", json!({})).await });
        out.expect(200);
        assert!(replies.iter().all(|reply| [200, 401].contains(&reply.status())));
        refresh(&shop, &ani.refresh_token).await.problem(401, "unauthorized");
    }
    assert_eq!(shop.published::<SessionEnded>().await.len(), 5);
}

#[tokio::test]
async fn ids_of_sessions_are_positive_integers() {
    let shop = Shop::start().await;
    let ani = join(&shop, "ani").await;
    for bad in ["0", "-1", "x", "9223372036854775808", "1.5", "%F0%9F%98%80"] {
        let problem = ani.actor.delete(&format!("{SESSIONS}/{bad}")).await.problem(400, "invalid");
        assert_eq!(problem["errors"][0]["field"], "id", "{bad}");
    }
    ani.actor.delete(&format!("{SESSIONS}/4294967297")).await.problem(404, "not_found");
}
