//! The administrator of the first run.

use chassis::service::configuration_from_flags;
use secrecy::ExposeSecret;
use testkit::production_flags;
use user_service::{UserService, app::make_first_admin, config::Config};

use crate::{Shop, count, execute, register, try_log_in};

const ADMINS: &str = "select count(*) from users where role = 'admin'";

#[tokio::test]
async fn a_development_shop_has_an_administrator_from_the_start() {
    let shop = Shop::start().await;
    shop.start_background().await;
    let tokens = try_log_in(&shop, "admin@admin.com", "admin123").await.expect(200);
    let admin = shop.with_token(tokens["access_token"].as_str().unwrap());
    assert_eq!(admin.get("/api/v1/auth/profile").await.expect(200)["role"], "admin");
    let claims = shop.context().tokens.verify(tokens["access_token"].as_str().unwrap()).unwrap();
    assert_eq!(claims.role, chassis::Role::Admin);
}

#[tokio::test]
async fn later_runs_and_replicas_make_no_other_one() {
    let shop = Shop::start().await;
    let app = shop.app();
    let (a, b, c) = tokio::join!(make_first_admin(app), make_first_admin(app), make_first_admin(app));
    assert!(a.is_ok() && b.is_ok() && c.is_ok());
    assert_eq!(count(&shop, ADMINS).await, 1);

    execute(&shop, "update users set email = 'boss@example.com', username = 'boss'").await;
    make_first_admin(app).await.unwrap();
    assert_eq!(count(&shop, "select count(*) from users").await, 1, "an administrator may take another name");
}

#[tokio::test]
async fn an_administrator_who_was_asked_for_is_made_as_asked() {
    let flags = ["--admin-email=boss@example.com", "--admin-password=another password"];
    let shop = Shop::with_flags(&flags).await;
    make_first_admin(shop.app()).await.unwrap();
    try_log_in(&shop, "boss@example.com", "another password").await.expect(200);
    try_log_in(&shop, "admin@admin.com", "admin123").await.problem(401, "wrong_credentials");
}

#[tokio::test]
async fn a_customer_does_not_become_an_administrator() {
    let shop = Shop::start().await;
    register(&shop, "ani").await;
    execute(&shop, "update users set email = 'Admin@admin.com'").await;
    make_first_admin(shop.app()).await.unwrap();
    assert_eq!(count(&shop, ADMINS).await, 0);
}

fn production(own: &[&str]) -> Result<Config, String> {
    let mut flags = production_flags();
    flags.extend(own.iter().map(|flag| (*flag).to_owned()));
    configuration_from_flags::<UserService>(&flags).map_err(|faults| faults.to_string())
}

#[test]
fn production_has_no_administrator_but_the_one_that_was_asked_for() {
    assert!(production(&[]).unwrap().first_admin().is_none());
    let asked = production(&["--admin-email=boss@example.com", "--admin-password=another password"]).unwrap();
    let admin = asked.first_admin().unwrap();
    assert_eq!((admin.email.as_str(), admin.well_known), ("boss@example.com", false));
    assert_eq!(asked.admin_password.expose_secret(), "another password");

    let fault = |flags: &[&str]| production(flags).unwrap_err();
    assert!(fault(&["--admin-password=another password"]).contains("ADMIN_EMAIL"));
    assert!(fault(&["--admin-email=boss@example.com"]).contains("ADMIN_PASSWORD"));
    let common = fault(&["--admin-email=boss@example.com", "--admin-password=Password123"]);
    assert!(
        common.contains("ADMIN_PASSWORD is one of the first") && !common.contains("assword123"),
        "{common}"
    );
    let own = fault(&["--admin-email=the.big.boss@example.com", "--admin-password=The.Big.Boss"]);
    assert!(own.contains("ADMIN_PASSWORD is one of the first"), "{own}");
    let well_known = fault(&["--admin-email=boss@example.com", "--admin-password=admin123"]);
    assert!(well_known.contains("everybody knows") && !well_known.contains("admin123"), "{well_known}");
    assert!(fault(&["--admin-email=boss", "--admin-password=short"]).contains("2 fault(s)"));
    let jwt_secret =
        production_flags().into_iter().find_map(|flag| Some(flag.strip_prefix("--jwt-secret=")?.to_owned()));
    let reused = format!("--admin-password={}", jwt_secret.unwrap());
    assert!(
        fault(&["--admin-email=boss@example.com", &reused])
            .contains("ADMIN_PASSWORD is the same as JWT_SECRET")
    );
}
