use serde_json::json;

use crate::{PASSWORD, Shop, email, join, try_log_in};

const PROFILE: &str = "/api/v1/auth/profile";

#[tokio::test]
async fn a_profile_is_ones_own_account() {
    let shop = Shop::start().await;
    join(&shop, "budi").await;
    let ani = join(&shop, "ani").await;
    let profile = ani.actor.get(PROFILE).await.expect(200);
    assert_eq!(profile["id"], profile["userID"]);
    assert_eq!((&profile["username"], &profile["email"]), (&"ani".into(), &"ani@example.com".into()));
    assert_eq!(profile["role"], "user");
    assert_eq!(profile["email_verified"], false);
    assert_eq!(profile.as_object().unwrap().len(), 7, "{profile}");
}

#[tokio::test]
async fn a_name_is_changed_without_the_password() {
    let shop = Shop::start().await;
    let ani = join(&shop, "ani").await;
    let changed = ani.actor.put(PROFILE, json!({ "username": "anita" })).await.expect(200);
    assert_eq!((&changed["username"], &changed["email"]), (&"anita".into(), &"ani@example.com".into()));
    assert_eq!(ani.actor.get(PROFILE).await.expect(200), changed);
    assert_eq!(ani.actor.put(PROFILE, json!({})).await.expect(200), changed, "nothing to change");
    ani.actor.put(PROFILE, json!({ "username": "ANITA" })).await.expect(200);
}

#[tokio::test]
async fn an_email_address_is_changed_only_with_the_password() {
    let shop = Shop::start().await;
    let ani = join(&shop, "ani").await;
    let change = |body| ani.actor.put(PROFILE, body);
    let problem =
        change(json!({ "email": "new@example.com", "username": "anita" })).await.problem(400, "invalid");
    assert_eq!(problem["errors"][0]["field"], "current_password");
    let wrong = json!({ "email": "new@example.com", "username": "anita", "current_password": "wrong" });
    change(wrong).await.problem(422, "wrong_password");
    let unneeded = json!({ "username": "anita", "current_password": "wrong" });
    change(unneeded).await.problem(422, "wrong_password");
    assert_eq!(ani.actor.get(PROFILE).await.expect(200)["username"], "ani", "nothing changed");

    let right = json!({ "email": "new@example.com", "current_password": PASSWORD });
    assert_eq!(change(right).await.expect(200)["email"], "new@example.com");
    try_log_in(&shop, "new@example.com", PASSWORD).await.expect(200);
    try_log_in(&shop, &email("ani"), PASSWORD).await.problem(401, "wrong_credentials");
}

#[tokio::test]
async fn what_somebody_else_has_is_not_to_be_had() {
    let shop = Shop::start().await;
    let ani = join(&shop, "ani").await;
    join(&shop, "budi").await;
    let change = |body| ani.actor.put(PROFILE, body);
    change(json!({ "username": "Budi" })).await.problem(409, "username_taken");
    let body = json!({ "email": "BUDI@example.com", "current_password": PASSWORD });
    change(body).await.problem(409, "email_taken");
    let own = json!({ "email": "Ani@Example.com", "current_password": PASSWORD });
    assert_eq!(change(own).await.expect(200)["email"], "Ani@Example.com");
}

#[tokio::test]
async fn a_found_device_does_not_help_to_guess_the_password() {
    let shop = Shop::start().await;
    let ani = join(&shop, "ani").await;
    let guess = json!({ "email": "new@example.com", "current_password": "wrong" });
    for _ in 0..5 {
        ani.actor.put(PROFILE, guess.clone()).await.problem(422, "wrong_password");
        let guess = json!({ "old_password": "wrong", "new_password": "correct horse" });
        ani.actor.post("/api/v1/auth/change-password", guess).await.problem(422, "wrong_password");
    }
    let right = json!({ "email": "new@example.com", "current_password": PASSWORD });
    let reply = ani.actor.put(PROFILE, right).await;
    reply.problem(429, "too_many_requests");
    assert!(!reply.header("retry-after").is_empty());
    try_log_in(&shop, &email("ani"), PASSWORD).await.expect(200);
}
