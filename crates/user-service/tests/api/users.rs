//! Administrators see to accounts.

use contracts::events::SessionEnded;
use serde_json::{Value, json};
use testkit::Actor;
use user_service::{app::make_first_admin, cli};

use crate::{Customer, PASSWORD, Shop, email, join, log_in, refresh, register, try_log_in};

const USERS: &str = "/api/v1/auth/users";

async fn administrator(shop: &Shop) -> Actor {
    make_first_admin(shop.app()).await.unwrap();
    let tokens = try_log_in(shop, "admin@admin.com", "admin123").await.expect(200);
    shop.with_token(tokens["access_token"].as_str().unwrap())
}

async fn id(customer: &Customer) -> i64 {
    customer.actor.get("/api/v1/auth/profile").await.expect(200)["id"].as_i64().unwrap()
}

fn claims(shop: &Shop, tokens: &Value) -> chassis::Claims {
    (*shop.context().tokens.verify(tokens["access_token"].as_str().unwrap()).unwrap()).clone()
}

#[tokio::test]
async fn accounts_are_listed_searched_and_paged() {
    let shop = Shop::start().await;
    let admin = administrator(&shop).await;
    for name in ["ani", "budi", "ani_2", "citra"] {
        register(&shop, name).await;
    }
    let names = async |query: &str| {
        let listed = admin.get(&format!("{USERS}{query}")).await;
        let users = listed.expect(200);
        let names =
            users.as_array().unwrap().iter().map(|user| user["username"].as_str().unwrap().to_owned());
        (names.collect::<Vec<_>>(), listed.header("x-total-count").to_owned())
    };
    let (all, total) = names("").await;
    assert_eq!((all.join(" ").as_str(), total.as_str()), ("citra ani_2 budi ani admin", "5"));
    assert_eq!(names("?search=ANI").await.0, ["ani_2", "ani"]);
    assert_eq!(names("?search=budi@example").await.0, ["budi"]);
    assert_eq!(names("?search=%25").await.0, Vec::<String>::new(), "nothing in it is a pattern");
    assert_eq!(names("?role=admin").await.0, ["admin"]);
    assert_eq!(names("?disabled=true").await.0, Vec::<String>::new());
    let page = admin.get(&format!("{USERS}?role=user&limit=3")).await;
    assert_eq!(page.expect(200).as_array().unwrap().len(), 3);
    assert_eq!(page.header("link"), format!("<{USERS}?role=user&page=2&limit=3>; rel=\"next\""));
    let user = admin.get(&format!("{USERS}?search=budi")).await.expect(200)[0].clone();
    assert_eq!(user, admin.get(&format!("{USERS}/{}", user["id"])).await.expect(200));
    assert_eq!((&user["staff_roles"], &user["disabled"]), (&json!([]), &json!(false)));
    assert!(!user.to_string().contains("password"), "{user}");
    admin.get(&format!("{USERS}/1000000000")).await.problem(404, "not_found");
}

#[tokio::test]
async fn nobody_else_sees_or_changes_accounts() {
    let shop = Shop::start().await;
    administrator(&shop).await;
    let ani = join(&shop, "ani").await;
    let own = format!("{USERS}/{}", id(&ani).await);
    for actor in [&ani.actor, &shop.staff(chassis::auth::StaffRole::Support)] {
        actor.get(USERS).await.problem(403, "forbidden");
        actor.get(&own).await.problem(403, "forbidden");
        actor.put(&own, json!({ "role": "admin" })).await.problem(403, "forbidden");
        actor.delete(&format!("{own}/sessions")).await.problem(403, "forbidden");
    }
    // A token that says admin is not enough: its session has to be there.
    shop.admin().get(USERS).await.problem(401, "unauthorized");
    shop.anyone().get(USERS).await.problem(401, "unauthorized");
}

#[tokio::test]
async fn roles_are_given_from_the_next_refresh_on_and_taken_at_once() {
    let shop = Shop::start().await;
    let admin = administrator(&shop).await;
    let ani = join(&shop, "ani").await;
    let path = format!("{USERS}/{}", id(&ani).await);
    let changed = admin.put(&path, json!({ "staff_roles": ["finance", "support"] })).await.expect(200);
    assert_eq!(changed["staff_roles"], json!(["finance", "support"]));
    let tokens = refresh(&shop, &ani.refresh_token).await.expect(200);
    let claims_now = claims(&shop, &tokens);
    assert_eq!(
        (claims_now.role, claims_now.roles),
        (chassis::Role::User, vec!["finance".into(), "support".into()])
    );
    assert!(shop.published::<SessionEnded>().await.is_empty(), "who gets something stays logged in");
    assert_eq!(admin.get(&format!("{USERS}?staff_role=finance")).await.expect(200)[0]["username"], "ani");

    admin.put(&path, json!({ "staff_roles": ["support"] })).await.expect(200);
    assert_eq!(shop.published::<SessionEnded>().await.len(), 1);
    refresh(&shop, tokens["refresh_token"].as_str().unwrap()).await.problem(401, "unauthorized");
    let tokens = try_log_in(&shop, &email("ani"), PASSWORD).await.expect(200);
    assert_eq!(claims(&shop, &tokens).roles, ["support"]);
}

#[tokio::test]
async fn an_account_is_disabled_and_enabled() {
    let shop = Shop::start().await;
    let admin = administrator(&shop).await;
    let (ani, phone) = (join(&shop, "ani").await, log_in(&shop, "ani").await);
    let path = format!("{USERS}/{}", id(&ani).await);
    let disabled = admin.put(&path, json!({ "disabled": true })).await.expect(200);
    assert!(disabled["disabled"] == true && disabled["disabled_at"].is_string(), "{disabled}");
    for session in [&ani, &phone] {
        session.actor.get("/api/v1/auth/profile").await.problem(401, "unauthorized");
        refresh(&shop, &session.refresh_token).await.problem(401, "unauthorized");
    }
    assert_eq!(shop.published::<SessionEnded>().await.len(), 2);
    try_log_in(&shop, &email("ani"), PASSWORD).await.problem(401, "account_disabled");
    try_log_in(&shop, &email("ani"), "wrong").await.problem(401, "wrong_credentials");
    let forgot = json!({ "email": email("ani") });
    shop.anyone().post("/api/v1/auth/forgot-password", forgot).await.expect(202);
    let to_ani = "select count(*) from account_mails where kind = 'reset_password' and user_id is not null";
    assert_eq!(crate::count(&shop, to_ani).await, 0, "there is no way back in by e-mail");
    assert_eq!(admin.get(&format!("{USERS}?disabled=true")).await.expect(200)[0]["username"], "ani");

    let enabled = admin.put(&path, json!({ "disabled": false })).await.expect(200);
    assert!(enabled["disabled"] == false && enabled.get("disabled_at").is_none(), "{enabled}");
    try_log_in(&shop, &email("ani"), PASSWORD).await.expect(200);
}

#[tokio::test]
async fn sessions_are_ended_by_an_administrator() {
    let shop = Shop::start().await;
    let admin = administrator(&shop).await;
    let ani = join(&shop, "ani").await;
    let path = format!("{USERS}/{}/sessions", id(&ani).await);
    assert_eq!(admin.delete(&path).await.status(), 204);
    ani.actor.get("/api/v1/auth/profile").await.problem(401, "unauthorized");
    assert_eq!(admin.delete(&path).await.status(), 204, "there is nothing left to end");
    assert_eq!(shop.published::<SessionEnded>().await.len(), 1);
    admin.delete(&format!("{USERS}/1000000000/sessions")).await.problem(404, "not_found");
    try_log_in(&shop, &email("ani"), PASSWORD).await.expect(200);
}

#[tokio::test]
async fn somebody_has_to_remain_who_can_run_the_shop() {
    let shop = Shop::start().await;
    let admin = administrator(&shop).await;
    let own = format!("{USERS}/{}", admin.get("/api/v1/auth/profile").await.expect(200)["id"]);
    for change in [json!({ "role": "user" }), json!({ "disabled": true })] {
        admin.put(&own, change).await.problem(409, "last_administrator");
    }
    let ani = join(&shop, "ani").await;
    let other = format!("{USERS}/{}", id(&ani).await);
    admin.put(&other, json!({ "role": "admin" })).await.expect(200);
    let tokens = refresh(&shop, &ani.refresh_token).await.expect(200);
    let ani = shop.with_token(tokens["access_token"].as_str().unwrap());
    // Both at once: one of them has to stay.
    let (demote, disable) = (json!({ "role": "user" }), json!({ "disabled": true }));
    let (one, two) = tokio::join!(admin.put(&other, demote), ani.put(&own, disable));
    let mut statuses = [one.status(), two.status()];
    statuses.sort_unstable();
    assert!(statuses[0] == 200 && [401, 403, 409].contains(&statuses[1]), "{statuses:?}");
    let admins = "select count(*) from users where role = 'admin' and disabled_at is null";
    assert_eq!(crate::count(&shop, admins).await, 1);
}

#[tokio::test]
async fn a_change_is_read_strictly() {
    let shop = Shop::start().await;
    let admin = administrator(&shop).await;
    let path = format!("{USERS}/{}", register(&shop, "ani").await["id"]);
    for (member, body) in [
        ("staff_roles", json!({ "staff_roles": ["finance", "finance"] })),
        ("staff_roles", json!({ "staff_roles": ["boss"] })),
        ("role", json!({ "role": "finance" })),
        ("disabled", json!({ "disabled": "yes" })),
        ("email", json!({ "email": "x@example.com" })),
    ] {
        let problem = admin.put(&path, body).await.problem(400, "invalid");
        assert!(problem["errors"][0]["field"].as_str().unwrap().starts_with(member), "{problem}");
    }
    admin.put(&path, json!({})).await.expect(200);
}

async fn run(shop: &Shop, arguments: &[&str]) -> Result<(), String> {
    let matches = cli::command().try_get_matches_from([&["admin"], arguments].concat()).unwrap();
    cli::run(shop.app(), &matches).await.map_err(|error| error.to_string())
}

#[tokio::test]
async fn a_shop_that_has_lost_its_administrators_gets_one_from_the_command_line() {
    let shop = Shop::start().await;
    let ani = join(&shop, "ani").await;
    run(&shop, &["promote", "--email", "ANI@example.com"]).await.unwrap();
    let tokens = refresh(&shop, &ani.refresh_token).await.expect(200);
    let admin = shop.with_token(tokens["access_token"].as_str().unwrap());
    admin.get(USERS).await.expect(200);

    run(&shop, &["create", "--email", "boss@example.com", "--username", "boss"]).await.unwrap();
    let boss = admin.get(&format!("{USERS}?search=boss")).await.expect(200)[0].clone();
    assert_eq!((&boss["role"], &boss["email_verified"]), (&json!("admin"), &json!(true)));
    assert!(run(&shop, &["create", "--email", "boss@example.com", "--username", "x"]).await.is_err());

    run(&shop, &["reset", "--email", &email("ani")]).await.unwrap();
    try_log_in(&shop, &email("ani"), PASSWORD).await.problem(401, "wrong_credentials");
    admin.get(USERS).await.problem(401, "unauthorized");
    assert_eq!(shop.published::<SessionEnded>().await.len(), 1);
    let unknown = run(&shop, &["reset", "--email", &email("nobody")]).await.unwrap_err();
    assert!(unknown.contains("no account"), "{unknown}");
}
