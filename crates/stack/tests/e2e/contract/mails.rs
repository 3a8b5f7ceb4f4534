//! E-mails about accounts, as a script that knows only the contract reads them in the mailbox.

use serde_json::{Value, json};
use stack::actors::{Customer, Poller};
use stack::api::Reply;

use super::accounts::{PASSWORD, email, log_in};
use super::sessions::refused_everywhere;
use crate::harness::{Answer, NOBODY, Open};

const NEW: &str = "a wholly new password";

pub async fn hold(open: &Open) {
    a_lost_password_is_replaced_through_the_mailbox(open).await;
    an_address_is_verified_through_the_mailbox(open).await;
    another_address_is_confirmed_and_the_old_one_told(open).await;
    a_login_on_a_new_device_is_told(open).await;
}

/// Waits for a mail to an address with this subject, and returns its text.
pub async fn received(open: &Open, address: &str, subject: &str) -> String {
    let mut poller = Poller::new();
    loop {
        let mails = open.api.get(&format!("/mail/api/messages?to={address}"), None).await.unwrap().is(200);
        let found = mails.as_array().unwrap().iter().find(|mail| mail["subject"] == subject);
        if let Some(mail) = found {
            return mail["text"].as_str().unwrap().to_owned();
        }
        poller.wait(|| format!("no mail says: {subject},")).await.unwrap();
    }
}

/// The token behind the link of a mail.
pub fn token(text: &str, action: &str) -> String {
    let (_, rest) = text.split_once(&format!("/account#{action}=")).unwrap();
    rest.chars().take_while(char::is_ascii_hexdigit).collect()
}

async fn forgot(open: &Open, address: &str) -> Value {
    open.ask(NOBODY, "POST /api/v1/auth/forgot-password", json!({"email": address})).await.is(202)
}

async fn reset(open: &Open, token: &str, new: &str) -> Reply {
    let body = json!({"token": token, "new_password": new});
    open.ask(NOBODY, "POST /api/v1/auth/reset-password", body).await
}

async fn verify(open: &Open, token: &str) -> Reply {
    open.ask(NOBODY, "POST /api/v1/auth/verify-email", json!({"token": token})).await
}

async fn a_lost_password_is_replaced_through_the_mailbox(open: &Open) {
    let customer = open.customer().await;
    let answer = forgot(open, &email(&customer)).await;
    assert_eq!(forgot(open, &format!("not-{}", email(&customer))).await, answer, "known or not");
    let token = token(&received(open, &email(&customer), "Choose a new password").await, "reset-password");
    verify(open, &token).await.refused(422, "token_refused");
    reset(open, &token, "password123").await.refused(400, "password_too_common");
    reset(open, &token, NEW).await.is(200);
    refused_everywhere(open, &customer.token).await;
    log_in(open, &email(&customer), PASSWORD).await.refused(401, "wrong_credentials");
    log_in(open, &email(&customer), NEW).await.is(200);
    reset(open, &token, PASSWORD).await.refused(422, "token_refused");
}

async fn an_address_is_verified_through_the_mailbox(open: &Open) {
    let customer = open.customer().await;
    let text = received(open, &email(&customer), "Please verify your e-mail address").await;
    verify(open, &token(&text, "verify-email")).await.is(200);
    verify(open, &token(&text, "verify-email")).await.refused(422, "token_refused");
    let profile = open.ask(&customer.token, "GET /api/v1/auth/profile", Value::Null).await.is(200);
    assert_eq!(profile["email_verified"], true);
    let line = "POST /api/v1/auth/verify-email/resend";
    open.ask(&customer.token, line, Value::Null).await.refused(409, "already_verified");
}

async fn another_address_is_confirmed_and_the_old_one_told(open: &Open) {
    let (customer, other) = (open.customer().await, open.customer().await);
    let change = async |customer: &Customer, body: Value| {
        open.ask(&customer.token, "POST /api/v1/auth/change-email", body).await
    };
    let new = format!("new-{}", email(&customer));
    let wrong = json!({"email": new, "current_password": "not my password"});
    change(&customer, wrong).await.refused(422, "wrong_password");
    let taken = json!({"email": email(&other), "current_password": PASSWORD});
    change(&customer, taken).await.refused(409, "email_taken");
    for one in [&customer, &other] {
        change(one, json!({"email": new, "current_password": PASSWORD})).await.is(202);
    }
    let mut poller = Poller::new();
    let texts = loop {
        let texts = texts(open, &new).await;
        if texts.len() == 2 {
            break texts;
        }
        poller.wait(|| format!("{} mails to the new address", texts.len())).await.unwrap();
    };
    verify(open, &token(&texts[0], "verify-email")).await.is(200);
    // The address is somebody's by now.
    verify(open, &token(&texts[1], "verify-email")).await.refused(409, "email_taken");
    let first = if texts[0].contains(&customer.username) { &customer } else { &other };
    received(open, &email(first), "Your account has another e-mail address").await;
    log_in(open, &new, PASSWORD).await.is(200);
}

async fn texts(open: &Open, address: &str) -> Vec<String> {
    let mails = open.api.get(&format!("/mail/api/messages?to={address}"), None).await.unwrap().is(200);
    mails.as_array().unwrap().iter().map(|mail| mail["text"].as_str().unwrap().to_owned()).collect()
}

async fn a_login_on_a_new_device_is_told(open: &Open) {
    let customer = open.customer().await;
    let body = json!({"email": email(&customer), "password": PASSWORD});
    open.ask_with(NOBODY, "POST /api/v1/login", &[("user-agent", "Phone/1")], body).await.is(200);
    assert!(received(open, &email(&customer), "New login to your account").await.contains("Phone/1"));
}
