//! E-mails about accounts: verifying an address, getting back into an account, and what its owner is told.

mod change;
mod reset;
mod verify;

use contracts::{
    events::AccountMailRequested,
    grpc::user::{
        AccountMailKind, GetAccountMailRequest, GetAccountMailResponse,
        user_service_client::UserServiceClient,
    },
};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::{Shop, count, email, execute, join, log_in, register, try_log_in};

const VERIFY: &str = "/api/v1/auth/verify-email";

/// What notification-service gets when it asks for an e-mail.
async fn find(shop: &Shop, id: Uuid) -> Result<GetAccountMailResponse, Status> {
    let request = GetAccountMailRequest { mail_id: id.to_string() };
    let mut client = UserServiceClient::new(shop.grpc_channel());
    client.get_account_mail(request).await.map(tonic::Response::into_inner)
}

/// The e-mails that were asked for so far and are still worth sending, in order.
async fn mails(shop: &Shop) -> Vec<GetAccountMailResponse> {
    let mut mails = Vec::new();
    for event in shop.published::<AccountMailRequested>().await {
        match find(shop, event.mail_id).await {
            Ok(mail) => mails.push(mail),
            Err(status) => assert_eq!(status.code(), Code::NotFound),
        }
    }
    mails
}

/// Those of one kind.
async fn mails_of(shop: &Shop, kind: AccountMailKind) -> Vec<GetAccountMailResponse> {
    mails(shop).await.into_iter().filter(|mail| mail.kind() == kind).collect()
}

/// The token of the last e-mail of a kind.
async fn last_token(shop: &Shop, kind: AccountMailKind) -> String {
    mails_of(shop, kind).await.pop().unwrap().token
}

/// All e-mails that were asked for are as old as this.
async fn age(shop: &Shop, interval: &str) {
    let aged = "update account_mails set expires_at = expires_at - $1::text::interval";
    sqlx::query(aged).bind(interval).execute(shop.pool()).await.unwrap();
}

#[tokio::test]
async fn a_login_on_a_new_device_is_told_and_neither_the_first_one_nor_a_known_device() {
    let shop = Shop::start().await;
    register(&shop, "ani").await;
    let tokens = try_log_in(&shop, &email("ani"), crate::PASSWORD).await.expect(200);
    let known = serde_json::json!({ "email": email("ani"), "password": crate::PASSWORD,
        "device_token": tokens["device_token"] });
    shop.anyone().post("/api/v1/login", known.clone()).await.expect(200);
    assert!(mails_of(&shop, AccountMailKind::NewLogin).await.is_empty());

    let agent = [("user-agent", "Phone/1")];
    let body = serde_json::json!({ "email": email("ani"), "password": crate::PASSWORD });
    shop.anyone().send(reqwest::Method::POST, "/api/v1/login", &agent, Some(body)).await.expect(200);
    let told = mails_of(&shop, AccountMailKind::NewLogin).await;
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].email.as_str(), told[0].device.as_str()), ("ani@example.com", "Phone/1"));
    assert_eq!((told[0].name.as_str(), told[0].token.as_str()), ("ani", ""));
}

#[tokio::test]
async fn of_very_many_logins_only_some_are_told() {
    let shop = Shop::with_flags(&["--mails-per-account=2"]).await;
    register(&shop, "ani").await;
    for _ in 0..5 {
        log_in(&shop, "ani").await;
    }
    assert!(mails_of(&shop, AccountMailKind::NewLogin).await.len() <= 2);
}

#[tokio::test]
async fn what_is_of_no_use_any_more_is_not_sent_and_purged() {
    let shop = Shop::start().await;
    join(&shop, "ani").await;
    assert_eq!(mails(&shop).await.len(), 1);
    age(&shop, "25 hours").await;
    assert!(mails(&shop).await.is_empty());
    assert!(user_service::app::purge_expired(shop.app()).await.unwrap() > 0);
    assert_eq!(count(&shop, "select count(*) from account_mails").await, 0);
    assert_eq!(find(&shop, Uuid::nil()).await.unwrap_err().code(), Code::NotFound);
    let mut client = UserServiceClient::new(shop.grpc_channel());
    let bad = GetAccountMailRequest { mail_id: "1".to_owned() };
    assert_eq!(client.get_account_mail(bad).await.unwrap_err().code(), Code::InvalidArgument);
}

#[tokio::test]
async fn neither_addresses_nor_tokens_are_on_a_stream_or_stored() {
    let shop = Shop::start().await;
    join(&shop, "ani").await;
    let forgot = serde_json::json!({ "email": email("ani") });
    shop.anyone().post("/api/v1/auth/forgot-password", forgot).await.expect(202);
    let rows = "select string_agg(fields::text, '') from messaging.outbox";
    let published: String = sqlx::query_scalar(rows).fetch_one(shop.pool()).await.unwrap();
    let rows = "select string_agg(to_jsonb(m)::text, '') from account_mails m";
    let stored: String = sqlx::query_scalar(rows).fetch_one(shop.pool()).await.unwrap();
    let all = mails(&shop).await;
    assert_eq!(all.len(), 2);
    for mail in all {
        assert_eq!(mail.token.len(), 64);
        assert!(!published.contains(&mail.token) && !stored.contains(&mail.token));
    }
    assert!(!published.contains("ani") && !published.contains('@'), "{published}");
    execute(&shop, "delete from users").await;
    assert!(mails(&shop).await.is_empty(), "nobody is there to send them to");
}
