//! Registering, logging in, and one's own account.

use serde_json::{Value, json};

use super::forgery::claims;
use crate::harness::{Answer, NOBODY, Open};

pub const PASSWORD: &str = "correct horse battery";

pub async fn hold(open: &Open) {
    a_registration_makes_a_customer(open).await;
    names_and_addresses_are_taken_whatever_their_case(open).await;
    nobody_registers_as_somebody_special(open).await;
    a_login_opens_a_session(open).await;
    an_unknown_address_and_a_wrong_password_look_the_same(open).await;
    ten_failures_close_an_address_known_or_not(open).await;
    a_profile_is_ones_own(open).await;
    another_address_needs_the_password(open).await;
    another_password_needs_the_old_one(open).await;
    passwords_cannot_be_guessed_by_a_stolen_session(open).await;
}

pub async fn log_in(open: &Open, email: &str, password: &str) -> stack::api::Reply {
    open.ask(NOBODY, "POST /api/v1/login", json!({"email": email, "password": password})).await
}

/// The e-mail address of a customer.
pub fn email(customer: &stack::actors::Customer) -> String {
    format!("{}@example.com", customer.username)
}

async fn a_registration_makes_a_customer(open: &Open) {
    let body = json!({"username": "Ani.Wijaya-1_", "email": "Ani@Example.com", "password": "8 chars!"});
    let made = open.ask(NOBODY, "POST /api/v1/register", body).await.is(201);
    assert!(made["message"].is_string());
    let user = &made["user"];
    assert!(user["id"].as_i64().unwrap() > 0);
    assert_eq!(user["username"], "Ani.Wijaya-1_");
    assert!(user["email"].as_str().unwrap().eq_ignore_ascii_case("ani@example.com"));
    assert_eq!(user["role"], "user");
    assert!(user["created_at"].as_str().unwrap().ends_with('Z'));
    assert_eq!(user.as_object().unwrap().len(), 5, "nothing else: {user}");
    log_in(open, "ANI@example.COM", "8 chars!").await.is(200);
}

async fn names_and_addresses_are_taken_whatever_their_case(open: &Open) {
    let known = open.customer().await;
    let register = async |username: String, email: String| {
        let body = json!({"username": username, "email": email, "password": PASSWORD});
        open.ask(NOBODY, "POST /api/v1/register", body).await
    };
    let fresh = format!("{}-2", known.username);
    register(fresh.clone(), email(&known).to_uppercase()).await.refused(409, "email_taken");
    register(known.username.to_uppercase(), format!("{fresh}@example.com"))
        .await
        .refused(409, "username_taken");
    register(fresh.clone(), format!("{fresh}@example.com")).await.is(201);
}

async fn nobody_registers_as_somebody_special(open: &Open) {
    for (member, value) in
        [("role", json!("admin")), ("id", json!(1)), ("created_at", json!("2026-01-01T00:00:00Z"))]
    {
        let mut body = json!({"username": "special", "email": "special@example.com", "password": PASSWORD});
        body[member] = value;
        open.ask(NOBODY, "POST /api/v1/register", body).await.invalid(member);
    }
    log_in(open, "special@example.com", PASSWORD).await.refused(401, "wrong_credentials");
}

async fn a_login_opens_a_session(open: &Open) {
    let customer = open.customer().await;
    let reply = log_in(open, &email(&customer), PASSWORD).await;
    assert_eq!(reply.header("cache-control"), "no-store");
    let tokens = reply.is(200);
    assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&json!("Bearer"), &json!(900)));
    assert!(tokens["refresh_token"].as_str().unwrap().len() >= 32);
    let claims = claims(tokens["access_token"].as_str().unwrap());
    assert_eq!(claims["userID"], customer.id);
    assert_eq!(claims["email"], email(&customer));
    assert_eq!(claims["username"], customer.username);
    assert_eq!(
        (&claims["role"], &claims["iss"], &claims["aud"]),
        (&json!("user"), &json!("user-service"), &json!("shop"))
    );
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 900);
    assert!(claims["sid"].is_string());
}

async fn an_unknown_address_and_a_wrong_password_look_the_same(open: &Open) {
    let customer = open.customer().await;
    let wrong = log_in(open, &email(&customer), "another password").await.refused(401, "wrong_credentials");
    let unknown = log_in(open, "nobody@example.com", PASSWORD).await.refused(401, "wrong_credentials");
    let without_id = |mut body: Value| {
        body.as_object_mut().unwrap().remove("correlation_id");
        body
    };
    assert_eq!(without_id(wrong), without_id(unknown));
}

async fn ten_failures_close_an_address_known_or_not(open: &Open) {
    let customer = open.customer().await;
    for address in [email(&customer), format!("not-{}", email(&customer))] {
        for _ in 0..10 {
            log_in(open, &address, "guess, guess").await.refused(401, "wrong_credentials");
        }
        log_in(open, &address, "guess, guess").await.refused(429, "too_many_requests");
        log_in(open, &address.to_uppercase(), PASSWORD).await.refused(429, "too_many_requests");
    }
    let other = open.customer().await;
    log_in(open, &email(&other), PASSWORD).await.is(200);
}

async fn a_profile_is_ones_own(open: &Open) {
    let (customer, other) = (open.customer().await, open.customer().await);
    let profile = open.ask(&customer.token, "GET /api/v1/auth/profile", Value::Null).await.is(200);
    assert_eq!((&profile["id"], &profile["userID"]), (&json!(customer.id), &json!(customer.id)));
    assert_eq!(profile["username"], customer.username);
    assert_eq!((&profile["email"], &profile["role"]), (&json!(email(&customer)), &json!("user")));
    let change = async |body: Value| open.ask(&customer.token, "PUT /api/v1/auth/profile", body).await;
    let name = format!("{}.renamed", customer.username);
    let mut expected = profile.clone();
    expected["username"] = json!(name);
    assert_eq!(change(json!({"username": name})).await.is(200), expected);
    assert_eq!(change(json!({})).await.is(200), expected, "what is left out stays");
    change(json!({"username": other.username.to_uppercase()})).await.refused(409, "username_taken");
    change(json!({"role": "admin"})).await.invalid("role");
    assert_eq!(open.ask(&customer.token, "GET /api/v1/auth/profile", Value::Null).await.is(200), expected);
}

async fn another_address_needs_the_password(open: &Open) {
    let (customer, other) = (open.customer().await, open.customer().await);
    let change = async |body: Value| open.ask(&customer.token, "PUT /api/v1/auth/profile", body).await;
    let address = format!("new-{}", email(&customer));
    change(json!({"email": address})).await.invalid("current_password");
    let wrong = json!({"email": address, "current_password": "not my password"});
    change(wrong).await.refused(422, "wrong_password");
    let taken = json!({"email": email(&other), "current_password": PASSWORD});
    change(taken).await.refused(409, "email_taken");
    let changed = change(json!({"email": address, "current_password": PASSWORD})).await.is(200);
    assert_eq!(changed["email"], address);
    log_in(open, &address, PASSWORD).await.is(200);
    log_in(open, &email(&customer), PASSWORD).await.refused(401, "wrong_credentials");
}

async fn another_password_needs_the_old_one(open: &Open) {
    let customer = open.customer().await;
    let change = async |old: &str, new: &str| {
        let body = json!({"old_password": old, "new_password": new});
        open.ask(&customer.token, "POST /api/v1/auth/change-password", body).await
    };
    change("not my password", "a new password").await.refused(422, "wrong_password");
    change(PASSWORD, "7 chars").await.invalid("new_password");
    assert!(change(PASSWORD, "a new password").await.is(200)["message"].is_string());
    log_in(open, &email(&customer), PASSWORD).await.refused(401, "wrong_credentials");
    log_in(open, &email(&customer), "a new password").await.is(200);
}

async fn passwords_cannot_be_guessed_by_a_stolen_session(open: &Open) {
    let customer = open.customer().await;
    let guess = json!({"old_password": "guess, guess", "new_password": "a new password"});
    for _ in 0..10 {
        let reply = open.ask(&customer.token, "POST /api/v1/auth/change-password", guess.clone()).await;
        reply.refused(422, "wrong_password");
    }
    let right = json!({"old_password": PASSWORD, "new_password": "a new password"});
    let reply = open.ask(&customer.token, "POST /api/v1/auth/change-password", right).await;
    reply.refused(429, "too_many_requests");
    let right = json!({"email": format!("new-{}", email(&customer)), "current_password": PASSWORD});
    open.ask(&customer.token, "PUT /api/v1/auth/profile", right).await.refused(429, "too_many_requests");
}
