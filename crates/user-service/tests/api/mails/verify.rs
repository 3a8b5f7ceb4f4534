use contracts::grpc::user::AccountMailKind;
use serde_json::json;

use super::{VERIFY, age, last_token, mails, mails_of};
use crate::{Shop, email, join, limits::assert_limited, refresh};

const RESEND: &str = "/api/v1/auth/verify-email/resend";

#[tokio::test]
async fn who_registers_verifies_the_address_by_a_token_that_counts_once() {
    let shop = Shop::start().await;
    let ani = join(&shop, "ani").await;
    assert_eq!(ani.actor.get("/api/v1/auth/profile").await.expect(200)["email_verified"], false);
    let sent = mails(&shop).await;
    assert_eq!(sent.len(), 1);
    assert_eq!((sent[0].kind(), sent[0].email.as_str()), (AccountMailKind::VerifyEmail, "ani@example.com"));
    assert_eq!(mails(&shop).await, sent, "the same whenever it is asked for");

    let token = json!({ "token": sent[0].token });
    shop.anyone().post(VERIFY, token.clone()).await.expect(200);
    assert_eq!(ani.actor.get("/api/v1/auth/profile").await.expect(200)["email_verified"], true);
    shop.anyone().post(VERIFY, token).await.problem(422, "token_refused");
    assert!(mails(&shop).await.is_empty(), "what was used is not sent");
    ani.actor.post(RESEND, json!({})).await.problem(409, "already_verified");
}

#[tokio::test]
async fn tokens_of_sessions_say_whether_the_address_is_verified_from_the_next_refresh_on() {
    let shop = Shop::start().await;
    let ani = join(&shop, "ani").await;
    let token = last_token(&shop, AccountMailKind::VerifyEmail).await;
    let verified = async |refresh_token: &str| {
        let tokens = refresh(&shop, refresh_token).await.expect(200);
        let claims = shop.context().tokens.verify(tokens["access_token"].as_str().unwrap()).unwrap();
        (claims.email_verified, tokens["refresh_token"].as_str().unwrap().to_owned())
    };
    let (before, next) = verified(&ani.refresh_token).await;
    shop.anyone().post(VERIFY, json!({ "token": token })).await.expect(200);
    let (after, _) = verified(&next).await;
    assert_eq!((before, after), (false, true));
}

#[tokio::test]
async fn a_token_counts_for_a_day_and_another_one_can_be_had() {
    let shop = Shop::start().await;
    let ani = join(&shop, "ani").await;
    let old = last_token(&shop, AccountMailKind::VerifyEmail).await;
    age(&shop, "24 hours").await;
    shop.anyone().post(VERIFY, json!({ "token": old })).await.problem(422, "token_refused");
    ani.actor.post(RESEND, json!({})).await.expect(202);
    let new = last_token(&shop, AccountMailKind::VerifyEmail).await;
    shop.anyone().post(VERIFY, json!({ "token": new })).await.expect(200);
}

#[tokio::test]
async fn a_token_is_for_one_purpose_and_cannot_be_guessed() {
    let shop = Shop::start().await;
    join(&shop, "ani").await;
    let forgot = json!({ "email": email("ani") });
    shop.anyone().post("/api/v1/auth/forgot-password", forgot).await.expect(202);
    let verify = last_token(&shop, AccountMailKind::VerifyEmail).await;
    let reset = last_token(&shop, AccountMailKind::ResetPassword).await;
    shop.anyone().post(VERIFY, json!({ "token": reset })).await.problem(422, "token_refused");
    let body = json!({ "token": verify, "new_password": "a wholly new password" });
    shop.anyone().post("/api/v1/auth/reset-password", body).await.problem(422, "token_refused");
    for wrong in ["x", &verify.to_uppercase(), &verify[..63], &"0".repeat(64)] {
        shop.anyone().post(VERIFY, json!({ "token": wrong })).await.problem(422, "token_refused");
    }
    shop.anyone().post(VERIFY, json!({ "token": verify })).await.expect(200);
}

#[tokio::test]
async fn a_token_of_an_address_that_the_account_has_no_more_proves_nothing() {
    let shop = Shop::start().await;
    let ani = join(&shop, "ani").await;
    let old = last_token(&shop, AccountMailKind::VerifyEmail).await;
    let change = json!({ "email": "new@example.com", "current_password": crate::PASSWORD });
    ani.actor.put("/api/v1/auth/profile", change).await.expect(200);
    shop.anyone().post(VERIFY, json!({ "token": old })).await.problem(422, "token_refused");
    let sent = mails_of(&shop, AccountMailKind::VerifyEmail).await;
    assert_eq!((sent.len(), sent[0].email.as_str()), (1, "new@example.com"));
    let told = mails_of(&shop, AccountMailKind::EmailChanged).await;
    assert_eq!((told.len(), told[0].email.as_str()), (1, "ani@example.com"));
    shop.anyone().post(VERIFY, json!({ "token": sent[0].token })).await.expect(200);
    assert_eq!(ani.actor.get("/api/v1/auth/profile").await.expect(200)["email_verified"], true);
}

#[tokio::test]
async fn verifications_and_wrong_tokens_are_limited() {
    let shop = Shop::with_flags(&["--mails-per-account=2"]).await;
    let ani = join(&shop, "ani").await;
    for _ in 0..2 {
        ani.actor.post(RESEND, json!({})).await.expect(202);
    }
    assert_limited(&ani.actor.post(RESEND, json!({})).await);
    join(&shop, "budi").await.actor.post(RESEND, json!({})).await.expect(202);
    let right = last_token(&shop, AccountMailKind::VerifyEmail).await;
    for _ in 0..100 {
        shop.anyone().post(VERIFY, json!({ "token": "wrong" })).await.problem(422, "token_refused");
    }
    assert_limited(&shop.anyone().post(VERIFY, json!({ "token": "wrong" })).await);
    assert_limited(&shop.anyone().post(VERIFY, json!({ "token": right })).await);
}

#[tokio::test]
async fn of_two_uses_at_once_one_counts() {
    let shop = Shop::start().await;
    join(&shop, "ani").await;
    let token = json!({ "token": last_token(&shop, AccountMailKind::VerifyEmail).await });
    let anyone = shop.anyone();
    let (one, other) = tokio::join!(anyone.post(VERIFY, token.clone()), anyone.post(VERIFY, token));
    let mut statuses = [one.status(), other.status()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 422]);
}
