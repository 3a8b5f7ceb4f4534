//! Sessions: how they go on, and how they end.

use futures::future::join_all;
use serde_json::{Value, json};
use stack::actors::{Customer, Poller};

use super::accounts::{PASSWORD, email, log_in};
use crate::harness::{Answer, NOBODY, Open};

/// One route of each service that asks for a token and changes nothing.
pub const SIX_ROUTES: [&str; 6] = [
    "GET /api/v1/auth/profile",
    "GET /api/v1/products",
    "GET /api/v1/cart",
    "GET /api/v1/order",
    "GET /api/v1/payment/1000000000",
    "GET /api/v1/delivery",
];

pub async fn hold(open: &Open) {
    sessions_are_listed_and_ended_by_their_owner_only(open).await;
    a_refresh_token_is_good_for_one_successor(open).await;
    fifty_refreshes_at_once_log_nobody_out(open).await;
    a_token_that_was_never_given_out_is_refused(open).await;
    a_logout_counts_at_all_six_services(open).await;
    another_password_ends_all_other_sessions_at_all_six_services(open).await;
    a_spent_token_ends_its_session(open).await;
    no_cache_keeps_what_is_personal(open).await;
}

/// Waits until a token is refused by every service.
pub async fn refused_everywhere(open: &Open, token: &str) {
    for line in SIX_ROUTES {
        let mut poller = Poller::new();
        loop {
            let reply = open.ask(token, line, Value::Null).await;
            if reply.status == 401 {
                reply.refused(401, "unauthorized");
                break;
            }
            poller.wait(|| format!("an ended session counts at {line}")).await.unwrap();
        }
    }
}

async fn another_session(open: &Open, customer: &Customer) -> (String, String) {
    let tokens = log_in(open, &email(customer), PASSWORD).await.is(200);
    let text = |member: &str| tokens[member].as_str().unwrap().to_owned();
    (text("access_token"), text("refresh_token"))
}

async fn refresh(open: &Open, token: &str) -> stack::api::Reply {
    open.ask(NOBODY, "POST /api/v1/auth/refresh", json!({"refresh_token": token})).await
}

async fn sessions_are_listed_and_ended_by_their_owner_only(open: &Open) {
    let (customer, stranger) = (open.customer().await, open.customer().await);
    let (phone, _) = another_session(open, &customer).await;
    let line = "GET /api/v1/auth/sessions";
    let list = open.ask_with(&phone, line, &[("user-agent", "phone")], Value::Null).await.is(200);
    let sessions = list.as_array().unwrap();
    assert_eq!(sessions.len(), 2);
    for session in sessions {
        for member in ["id", "created_at", "last_used_at", "user_agent", "current"] {
            assert!(session.get(member).is_some(), "{member} in {session}");
        }
    }
    let current: Vec<&Value> = sessions.iter().filter(|session| session["current"] == true).collect();
    assert_eq!(current.len(), 1);
    let end = format!("DELETE /api/v1/auth/sessions/{}", current[0]["id"]);
    open.ask(&stranger.token, &end, Value::Null).await.refused(404, "not_found");
    open.ask(&customer.token, &end, Value::Null).await.is(204);
    open.ask(&customer.token, &end, Value::Null).await.refused(404, "not_found");
    let left = open.ask(&customer.token, line, Value::Null).await.is(200);
    assert_eq!(left.as_array().unwrap().len(), 1);
    assert_eq!(left[0]["current"], true);
    refused_everywhere(open, &phone).await;
}

async fn a_refresh_token_is_good_for_one_successor(open: &Open) {
    let customer = open.customer().await;
    let (_, first) = another_session(open, &customer).await;
    let reply = refresh(open, &first).await;
    assert_eq!(reply.header("cache-control"), "no-store");
    let second = reply.is(200)["refresh_token"].clone();
    assert_ne!(second, first);
    let again = refresh(open, &first).await.is(200);
    assert_eq!(again["refresh_token"], second, "the same one within the grace");
    let third = refresh(open, second.as_str().unwrap()).await.is(200);
    open.ask(third["access_token"].as_str().unwrap(), SIX_ROUTES[0], Value::Null).await.is(200);
}

async fn fifty_refreshes_at_once_log_nobody_out(open: &Open) {
    let customer = open.customer().await;
    let (_, token) = another_session(open, &customer).await;
    let replies = join_all((0..50).map(|_| refresh(open, &token))).await;
    let successors: Vec<Value> =
        replies.into_iter().map(|reply| reply.is(200)["refresh_token"].clone()).collect();
    assert!(successors.iter().all(|one| *one == successors[0]));
    refresh(open, successors[0].as_str().unwrap()).await.is(200);
}

async fn a_token_that_was_never_given_out_is_refused(open: &Open) {
    let customer = open.customer().await;
    let (access, token) = another_session(open, &customer).await;
    let changed = token.chars().rev().collect::<String>();
    for wrong in ["nonsense", changed.as_str(), access.get(..200).unwrap_or(&access)] {
        refresh(open, wrong).await.refused(401, "unauthorized");
    }
    refresh(open, &token).await.is(200);
}

async fn a_logout_counts_at_all_six_services(open: &Open) {
    let customer = open.customer().await;
    let (access, token) = another_session(open, &customer).await;
    for line in SIX_ROUTES.iter().filter(|line| !line.contains("/payment/")) {
        open.ask(&access, line, Value::Null).await.is(200);
    }
    assert!(open.ask(&access, "POST /api/v1/auth/logout", Value::Null).await.is(200)["message"].is_string());
    open.ask(&access, SIX_ROUTES[0], Value::Null).await.refused(401, "unauthorized");
    refresh(open, &token).await.refused(401, "unauthorized");
    refused_everywhere(open, &access).await;
    open.ask(&customer.token, SIX_ROUTES[0], Value::Null).await.is(200);
}

async fn another_password_ends_all_other_sessions_at_all_six_services(open: &Open) {
    let customer = open.customer().await;
    let (access, token) = another_session(open, &customer).await;
    let body = json!({"old_password": PASSWORD, "new_password": "another one, longer"});
    let renewed = open.ask(&customer.token, "POST /api/v1/auth/change-password", body).await.is(200);
    for ended in [&access, &customer.token] {
        refused_everywhere(open, ended).await;
    }
    refresh(open, &token).await.refused(401, "unauthorized");
    for line in SIX_ROUTES.iter().filter(|line| !line.contains("/payment/")) {
        open.ask(renewed["access_token"].as_str().unwrap(), line, Value::Null).await.is(200);
    }
    refresh(open, renewed["refresh_token"].as_str().unwrap()).await.is(200);
}

/// Within the grace it gets its successor again: so it is used until it is refused.
async fn a_spent_token_ends_its_session(open: &Open) {
    let customer = open.customer().await;
    let (_, spent) = another_session(open, &customer).await;
    let mut newest = refresh(open, &spent).await.is(200);
    newest = refresh(open, newest["refresh_token"].as_str().unwrap()).await.is(200);
    let mut poller = Poller::new();
    while refresh(open, &spent).await.status == 200 {
        poller.wait(|| "a spent refresh token counts".to_owned()).await.unwrap();
    }
    refresh(open, newest["refresh_token"].as_str().unwrap()).await.refused(401, "unauthorized");
    let access = newest["access_token"].as_str().unwrap();
    open.ask(access, SIX_ROUTES[0], Value::Null).await.refused(401, "unauthorized");
    refused_everywhere(open, access).await;
}

async fn no_cache_keeps_what_is_personal(open: &Open) {
    let customer = open.customer().await;
    for line in SIX_ROUTES {
        let reply = open.ask(&customer.token, line, Value::Null).await;
        assert_eq!(reply.header("cache-control"), "no-store", "{line}");
    }
    let reply = log_in(open, &email(&customer), PASSWORD).await;
    assert_eq!(reply.header("cache-control"), "no-store");
    let reply = refresh(open, reply.body["refresh_token"].as_str().unwrap()).await;
    assert_eq!((reply.status, reply.header("cache-control")), (200, "no-store"));
}
