use std::time::{Duration, Instant};

use contracts::{
    events::{AccountMailRequested, SessionEnded},
    grpc::user::AccountMailKind,
};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::Reply;

use super::{age, last_token, mails, mails_of};
use crate::{
    PASSWORD, Shop, count, email, join, limits::assert_limited, log_in, refresh, register, try_log_in,
};

const FORGOT: &str = "/api/v1/auth/forgot-password";
const RESET: &str = "/api/v1/auth/reset-password";
const NEW: &str = "a wholly new password";

async fn forgot(shop: &Shop, email: &str) -> Reply {
    shop.anyone().post(FORGOT, json!({ "email": email })).await
}

async fn reset(shop: &Shop, token: &str, new: &str) -> Reply {
    shop.anyone().post(RESET, json!({ "token": token, "new_password": new })).await
}

#[tokio::test]
async fn a_new_password_is_chosen_by_a_token_and_ends_all_sessions() {
    let shop = Shop::start().await;
    let (ani, phone) = (join(&shop, "ani").await, log_in(&shop, "ani").await);
    forgot(&shop, "ANI@example.com").await.expect(202);
    let sent = mails_of(&shop, AccountMailKind::ResetPassword).await;
    assert_eq!((sent.len(), sent[0].email.as_str()), (1, "ani@example.com"), "as the account has it");
    reset(&shop, &sent[0].token, NEW).await.expect(200);

    for session in [&ani, &phone] {
        session.actor.get("/api/v1/auth/profile").await.problem(401, "unauthorized");
        refresh(&shop, &session.refresh_token).await.problem(401, "unauthorized");
    }
    assert_eq!(shop.published::<SessionEnded>().await.len(), 2);
    try_log_in(&shop, &email("ani"), PASSWORD).await.problem(401, "wrong_credentials");
    let tokens = try_log_in(&shop, &email("ani"), NEW).await.expect(200);
    let claims = shop.context().tokens.verify(tokens["access_token"].as_str().unwrap()).unwrap();
    assert!(claims.email_verified, "who has the token reads the address");
    reset(&shop, &sent[0].token, "another new password").await.problem(422, "token_refused");
}

#[tokio::test]
async fn an_unknown_address_gets_the_same_answer_and_costs_the_same() {
    let shop = Shop::start().await;
    register(&shop, "ani").await;
    let (known, unknown) = (forgot(&shop, &email("ani")).await, forgot(&shop, &email("nobody")).await);
    assert_eq!(known.expect(202), unknown.expect(202));
    // The same rows are written, and the same event is published.
    assert_eq!(shop.published::<AccountMailRequested>().await.len(), 3);
    assert_eq!(count(&shop, "select count(*) from account_mails where kind = 'reset_password'").await, 2);
    assert_eq!(mails_of(&shop, AccountMailKind::ResetPassword).await.len(), 1);
    assert!(!mails(&shop).await.iter().any(|mail| mail.email.contains("nobody")));
}

#[tokio::test]
async fn whether_somebody_has_an_address_does_not_show_in_the_time_it_takes() {
    let shop = Shop::with_flags(&["--rate-limit=off"]).await;
    register(&shop, "ani").await;
    let mut times = [Vec::new(), Vec::new()];
    for n in 0..200 {
        // In turn, so that whatever else goes on here concerns both alike.
        let name = if n % 2 == 0 { "ani" } else { "nobody" };
        let started = Instant::now();
        forgot(&shop, &email(name)).await.expect(202);
        times[n % 2].push(started.elapsed());
    }
    let [known, unknown] = times.map(|mut times| {
        times.sort_unstable();
        times[times.len() / 2]
    });
    let difference = known.abs_diff(unknown);
    assert!(difference < known.min(unknown) / 2 + Duration::from_micros(500), "{known:?}, {unknown:?}");
}

#[tokio::test]
async fn a_token_counts_for_half_an_hour_and_until_the_password_changes() {
    let shop = Shop::start().await;
    let ani = join(&shop, "ani").await;
    forgot(&shop, &email("ani")).await.expect(202);
    let old = last_token(&shop, AccountMailKind::ResetPassword).await;
    age(&shop, "30 minutes").await;
    reset(&shop, &old, NEW).await.problem(422, "token_refused");

    forgot(&shop, &email("ani")).await.expect(202);
    forgot(&shop, &email("ani")).await.expect(202);
    let sent = mails_of(&shop, AccountMailKind::ResetPassword).await;
    assert_ne!(sent[0].token, sent[1].token);
    let change = json!({ "old_password": PASSWORD, "new_password": NEW });
    ani.actor.post("/api/v1/auth/change-password", change).await.expect(200);
    for mail in &sent {
        reset(&shop, &mail.token, "another new password").await.problem(422, "token_refused");
    }
    try_log_in(&shop, &email("ani"), NEW).await.expect(200);
}

#[tokio::test]
async fn of_two_tokens_one_counts_even_at_once() {
    let shop = Shop::start().await;
    register(&shop, "ani").await;
    forgot(&shop, &email("ani")).await.expect(202);
    forgot(&shop, &email("ani")).await.expect(202);
    let sent = mails_of(&shop, AccountMailKind::ResetPassword).await;
    let (one, other) = tokio::join!(reset(&shop, &sent[0].token, NEW), reset(&shop, &sent[1].token, NEW));
    let mut statuses = [one.status(), other.status()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 422]);
}

#[tokio::test]
async fn a_password_that_is_guessed_first_is_refused_and_the_token_still_counts() {
    let shop = Shop::start().await;
    register(&shop, "ani.wijaya").await;
    forgot(&shop, &email("ani.wijaya")).await.expect(202);
    let token = last_token(&shop, AccountMailKind::ResetPassword).await;
    for new in ["Password123", "ani.wijaya", "ANI.wijaya@example.com"] {
        let problem: Value = reset(&shop, &token, new).await.problem(400, "password_too_common");
        assert_eq!(problem["errors"][0]["field"], "new_password");
    }
    reset(&shop, &token, NEW).await.expect(200);
}

#[tokio::test]
async fn requests_are_limited_by_address_and_network_known_or_not() {
    let shop = Shop::with_flags(&["--mails-per-account=2", "--mails-per-network=5"]).await;
    register(&shop, "ani").await;
    let from = |address: &'static str, email: String| {
        let anyone = shop.anyone();
        async move {
            let (headers, body) = ([("x-forwarded-for", address)], Some(json!({ "email": email })));
            anyone.send(Method::POST, FORGOT, &headers, body).await
        }
    };
    for name in ["ani", "nobody"] {
        from("203.0.113.7", email(name)).await.expect(202);
        from("203.0.113.8", email(name).to_uppercase()).await.expect(202);
        assert_limited(&from("203.0.113.9", email(name)).await);
    }
    for n in 0..3 {
        from("203.0.113.7", email(&format!("other{n}"))).await.expect(202);
    }
    assert_limited(&from("203.0.113.7", email("another")).await);
}
