use contracts::grpc::user::AccountMailKind;
use serde_json::{Value, json};

use super::{VERIFY, last_token, mails_of};
use crate::{PASSWORD, Shop, email, join, register, try_log_in};

const CHANGE: &str = "/api/v1/auth/change-email";

fn to(address: &str) -> Value {
    json!({ "email": address, "current_password": PASSWORD })
}

#[tokio::test]
async fn a_new_address_is_the_accounts_once_its_owner_has_confirmed_it_and_the_old_one_is_told() {
    let shop = Shop::start().await;
    let ani = join(&shop, "ani").await;
    ani.actor.post(CHANGE, to("New@example.com")).await.expect(202);
    assert_eq!(ani.actor.get("/api/v1/auth/profile").await.expect(200)["email"], "ani@example.com");
    assert!(mails_of(&shop, AccountMailKind::EmailChanged).await.is_empty());
    let asked = mails_of(&shop, AccountMailKind::ConfirmEmail).await;
    assert_eq!((asked.len(), asked[0].email.as_str()), (1, "New@example.com"));

    shop.anyone().post(VERIFY, json!({ "token": asked[0].token })).await.expect(200);
    let profile = ani.actor.get("/api/v1/auth/profile").await.expect(200);
    assert_eq!((&profile["email"], &profile["email_verified"]), (&json!("New@example.com"), &json!(true)));
    let told = mails_of(&shop, AccountMailKind::EmailChanged).await;
    assert_eq!((told.len(), told[0].email.as_str()), (1, "ani@example.com"));
    try_log_in(&shop, "new@example.com", PASSWORD).await.expect(200);
    try_log_in(&shop, &email("ani"), PASSWORD).await.problem(401, "wrong_credentials");
    shop.anyone().post(VERIFY, json!({ "token": asked[0].token })).await.problem(422, "token_refused");
}

#[tokio::test]
async fn a_change_needs_the_password_and_an_address_that_is_to_be_had() {
    let shop = Shop::start().await;
    let ani = join(&shop, "ani").await;
    register(&shop, "budi").await;
    let wrong = json!({ "email": "new@example.com", "current_password": "wrong" });
    ani.actor.post(CHANGE, wrong).await.problem(422, "wrong_password");
    for taken in [email("budi").to_uppercase(), "admin@admin.com".to_owned()] {
        ani.actor.post(CHANGE, to(&taken)).await.problem(409, "email_taken");
    }
    assert!(mails_of(&shop, AccountMailKind::ConfirmEmail).await.is_empty());
}

#[tokio::test]
async fn an_address_that_somebody_took_meanwhile_is_refused() {
    let shop = Shop::start().await;
    let ani = join(&shop, "ani").await;
    ani.actor.post(CHANGE, to(&email("budi"))).await.expect(202);
    let token = last_token(&shop, AccountMailKind::ConfirmEmail).await;
    register(&shop, "budi").await;
    shop.anyone().post(VERIFY, json!({ "token": token })).await.problem(409, "email_taken");
    assert_eq!(ani.actor.get("/api/v1/auth/profile").await.expect(200)["email"], "ani@example.com");
}

#[tokio::test]
async fn only_the_last_address_that_was_asked_for_can_be_confirmed() {
    let shop = Shop::start().await;
    let ani = join(&shop, "ani").await;
    ani.actor.post(CHANGE, to("one@example.com")).await.expect(202);
    let one = last_token(&shop, AccountMailKind::ConfirmEmail).await;
    ani.actor.post(CHANGE, to("two@example.com")).await.expect(202);
    let two = last_token(&shop, AccountMailKind::ConfirmEmail).await;
    shop.anyone().post(VERIFY, json!({ "token": one })).await.problem(422, "token_refused");
    shop.anyone().post(VERIFY, json!({ "token": two })).await.expect(200);
}
