//! Names that somebody else has, or nobody may have, and that nobody reads of it in the database's log.

use futures::future::join_all;
use serde_json::json;

use crate::{PASSWORD, Shop, count, email, execute, join, register, registration, try_log_in};

const REGISTER: &str = "/api/v1/register";
const PROFILE: &str = "/api/v1/auth/profile";

/// What PostgreSQL logged, about this database and others.
async fn database_log(shop: &Shop) -> String {
    let log = "select pg_read_file(current_setting('data_directory') || '/../postgres.log')";
    sqlx::query_scalar(log).fetch_one(shop.pool()).await.unwrap()
}

async fn assert_nothing_logged(shop: &Shop, name: &str) {
    let log = database_log(shop).await;
    assert!(log.contains("starting PostgreSQL"), "this is the log");
    for secret in [name, "users_email_key", "users_username_key"] {
        assert!(!log.contains(secret), "the database logged {secret}");
    }
}

#[tokio::test]
async fn a_name_that_is_taken_is_no_error_of_the_database() {
    let shop = Shop::start().await;
    let (taken, own) = ("taken-and-not-logged", "own-and-not-logged");
    register(&shop, taken).await;
    let actor = join(&shop, own).await.actor;
    shop.anyone().post(REGISTER, registration(taken)).await.problem(409, "email_taken");
    let other = json!({ "username": taken, "email": email("other"), "password": PASSWORD });
    shop.anyone().post(REGISTER, other).await.problem(409, "username_taken");
    actor.put(PROFILE, json!({ "username": taken })).await.problem(409, "username_taken");
    let address = json!({ "email": email(taken), "current_password": PASSWORD });
    actor.put(PROFILE, address).await.problem(409, "email_taken");
    assert_nothing_logged(&shop, "and-not-logged").await;
}

#[tokio::test]
async fn of_many_who_want_one_name_at_once_one_gets_it_and_nothing_is_logged() {
    let shop = Shop::start().await;
    let wanted = "wanted-and-not-logged";
    let customers = join_all((0..4).map(|n| join(&shop, ["ani", "budi", "citra", "dewi"][n]))).await;
    let anyone = shop.anyone();
    let registrations = join_all((0..4).map(|_| anyone.post(REGISTER, registration(wanted))));
    let address = json!({ "email": email(wanted), "username": wanted, "current_password": PASSWORD });
    let changes = join_all(customers.iter().map(|customer| customer.actor.put(PROFILE, address.clone())));
    let (strangers, owners) = tokio::join!(registrations, changes);
    let replies: Vec<u16> = strangers.iter().chain(&owners).map(testkit::Reply::status).collect();
    assert_eq!(replies.iter().filter(|status| [200, 201].contains(status)).count(), 1, "{replies:?}");
    assert_eq!(replies.iter().filter(|status| **status == 409).count(), 7, "{replies:?}");
    assert_nothing_logged(&shop, wanted).await;
}

#[tokio::test]
async fn nobody_looks_like_who_runs_the_shop() {
    let shop = Shop::start().await;
    let reserved =
        ["admin", "Admin", "ADMINISTRATOR", "adm1n", "a.d.m.i.n", "admin_", "r00t", "System", "5upport"];
    for name in reserved {
        let body = json!({ "username": name, "email": email("ani"), "password": PASSWORD });
        shop.anyone().post(REGISTER, body).await.problem(409, "username_taken");
    }
    let body = json!({ "username": "ani", "email": "Admin@Admin.com", "password": PASSWORD });
    shop.anyone().post(REGISTER, body).await.problem(409, "email_taken");
    assert_eq!(count(&shop, "select count(*) from users").await, 0);

    let ani = join(&shop, "ani").await.actor;
    ani.put(PROFILE, json!({ "username": "4dmin" })).await.problem(409, "username_taken");
    let address = json!({ "email": "ADMIN@admin.com", "current_password": PASSWORD });
    ani.put(PROFILE, address).await.problem(409, "email_taken");
    for name in ["admiral", "rooted", "ani-admin"] {
        ani.put(PROFILE, json!({ "username": name })).await.expect(200);
    }
}

#[tokio::test]
async fn an_administrator_may_be_called_so_again() {
    let shop = Shop::start().await;
    shop.start_background().await;
    let tokens = try_log_in(&shop, "admin@admin.com", "admin123").await.expect(200);
    let admin = shop.with_token(tokens["access_token"].as_str().unwrap());
    let change = |username: &str, email: &str| {
        admin.put(PROFILE, json!({ "username": username, "email": email, "current_password": "admin123" }))
    };
    change("boss", "boss@example.com").await.expect(200);
    change("Admin", "admin@admin.com").await.expect(200);
    let body = json!({ "username": "boss", "email": "boss@example.com", "password": PASSWORD });
    shop.anyone().post(REGISTER, body).await.expect(201);
}

#[tokio::test]
async fn a_shop_whose_administrators_name_is_taken_has_one_with_another() {
    let shop = Shop::start().await;
    register(&shop, "ani").await;
    execute(&shop, "update users set username = 'Admin'").await;
    user_service::app::make_first_admin(shop.app()).await.unwrap();
    let tokens = try_log_in(&shop, "admin@admin.com", "admin123").await.expect(200);
    let admin = shop.with_token(tokens["access_token"].as_str().unwrap()).get(PROFILE).await.expect(200);
    assert_eq!(admin["role"], "admin");
    assert!(admin["username"].as_str().unwrap().starts_with("admin-"), "{admin}");
}
