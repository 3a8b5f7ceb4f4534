//! The contract, from the outside: one shop, one file per group of routes, and at the end the proof that every route
//! and every status of the OpenAPI documents was seen, and none that they do not have.

pub mod accounts;
mod addresses;
mod authorisation;
mod bad_input;
mod cart;
mod categories;
mod cors;
mod coverage;
mod deliveries;
mod documents;
mod forgery;
mod limits;
pub mod mails;
mod money_back;
mod notifications;
mod orders;
mod outages;
mod payments;
mod placing;
mod products;
pub mod reviews;
mod routes;
mod sessions;
mod stage;
mod users;
mod webhook;

use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use futures::future::{LocalBoxFuture, join_all};
use stack::shop::ShopOptions;

use self::documents::Documents;
use crate::harness::Open;

const FRONT_END: &str = "https://front.example";

#[tokio::test]
async fn the_shop_does_what_its_documents_say_and_nothing_else() {
    // With a PostgreSQL of its own, which can be stopped.
    let mut options = ShopOptions::for_test(None).unwrap();
    options.settings = options.settings.with("CORS_ALLOWED_ORIGINS", FRONT_END);
    let mut open = Open::of(options).await;
    let documents = Documents::read(&open).await;
    each_group_holds(&open, &documents).await;
    authorisation::holds(&open, &documents).await;
    bad_input::is_refused(&open, &documents).await;
    outages::hold(&mut open, &documents).await;
    limits::hold(&open).await;
    coverage::is_complete(&open, &documents);
    open.close().await;
}

/// All groups at once, each to its end, whatever becomes of the others.
async fn each_group_holds(open: &Open, documents: &Documents) {
    let groups: Vec<(&str, LocalBoxFuture<'_, ()>)> = vec![
        ("routes", routes::hold(open, documents).boxed_local()),
        ("accounts", accounts::hold(open).boxed_local()),
        ("sessions", sessions::hold(open).boxed_local()),
        ("mails", mails::hold(open).boxed_local()),
        ("users", users::hold(open).boxed_local()),
        ("addresses", addresses::hold(open).boxed_local()),
        ("cors", cors::hold(open).boxed_local()),
        ("products", products::hold(open).boxed_local()),
        ("categories", categories::hold(open).boxed_local()),
        ("cart", cart::hold(open).boxed_local()),
        ("placing", placing::hold(open).boxed_local()),
        ("orders", orders::hold(open).boxed_local()),
        ("payments", payments::hold(open).boxed_local()),
        ("money back", money_back::hold(open).boxed_local()),
        ("reviews", reviews::hold(open).boxed_local()),
        ("webhook", webhook::hold(open).boxed_local()),
        ("deliveries", deliveries::hold(open).boxed_local()),
        ("notifications", notifications::hold(open).boxed_local()),
    ];
    let ends =
        groups.into_iter().map(async |(name, group)| (name, AssertUnwindSafe(group).catch_unwind().await));
    let broken: Vec<&str> =
        join_all(ends).await.into_iter().filter(|(_, end)| end.is_err()).map(|(name, _)| name).collect();
    assert!(broken.is_empty(), "what failed above is in {broken:?}");
}
