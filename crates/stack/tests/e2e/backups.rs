//! Databases that are brought back to different moments: the shop heals what its outboxes still know, and the doctor names
//! the rest.

use std::path::Path;
use std::time::Duration;

use dev_servers::folder;
use serde_json::Value;
use stack::actors::Poller;
use stack::shop::{End, Service};

use crate::doctor::doctor;
use crate::harness::Open;

const STOP: Duration = Duration::from_secs(12);

async fn backup(open: &Open, to: &Path) {
    let output = open.stack("shop").arg("backup").arg(to).output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Restores these databases of a backup. Sessions that were closed just now may still be there.
async fn restore(open: &Open, from: &Path, services: &[Service]) {
    let mut poller = Poller::new();
    loop {
        let mut command = open.stack("shop");
        command.args(["restore", "--replace"]).arg(from).args(services.iter().map(|service| service.name()));
        let output = command.output().await.unwrap();
        if output.status.success() {
            return;
        }
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.contains("is in use"), "{error}");
        poller.wait(|| error).await.unwrap();
    }
}

/// Restores while no service runs.
async fn bring_back(open: &mut Open, parts: &[(&Path, &[Service])]) {
    for service in Service::SERVICES {
        open.shop.process_at(End::Service(service)).unwrap().stop(STOP).await.unwrap();
    }
    for (from, services) in parts {
        restore(open, from, services).await;
    }
    for service in Service::SERVICES {
        open.shop.process_at(End::Service(service)).unwrap().restart().await.unwrap();
    }
    open.shop.wait_ready(|_| {}).await.unwrap();
}

/// What stays broken, once the shop has settled and what is safe was repaired.
async fn left(open: &Open) -> Vec<Value> {
    let (_, report) = doctor(open, "postgres", &["--grace", "20", "--apply"]).await;
    let rules = report["rules"].as_array().unwrap().iter();
    rules.flat_map(|rule| rule["broken"].as_array().unwrap().clone()).collect()
}

fn names(broken: &[Value], order: i64) -> bool {
    broken.iter().any(|it| it["order_id"] == order)
}

#[tokio::test]
async fn databases_of_different_moments_heal_or_are_named() {
    let mut open = Open::shop().await;
    let folder = folder::temporary(None).unwrap();
    let (first, second) = (folder.path().join("first"), folder.path().join("second"));
    let (buyer, product) = (open.customer().await, open.product(50).await);
    let before = open.paid(&buyer, product).await;
    open.delivered(&buyer, before).await;
    open.ledger().await.settled().await.unwrap();
    backup(&open, &first).await;
    let paid = open.paid(&buyer, product).await;
    let delivered = open.paid(&buyer, product).await;
    open.delivered(&buyer, delivered).await;
    let (cancelled, _) = open.awaiting(&buyer, product).await;
    buyer.cancel(cancelled).await.unwrap();
    open.ledger().await.settled().await.unwrap();
    backup(&open, &second).await;
    let after = open.paid(&buyer, product).await;
    open.ledger().await.settled().await.unwrap();

    let older: (&Path, &[Service]) = (&first, &[Service::Product, Service::Delivery]);
    let newer: (&Path, &[Service]) = (&second, &[Service::User, Service::Order, Service::Payment]);
    bring_back(&mut open, &[older, newer]).await;

    // Whoever is behind gets again what it has missed.
    buyer.wait_for_delivery(paid).await.unwrap();
    // What only delivery-service knew, and what no backup has, a person has to see to.
    let broken = left(&open).await;
    assert!(names(&broken, delivered), "{broken:#?}");
    for order in [before, paid, cancelled] {
        assert!(!names(&broken, order), "{order} in {broken:#?}");
    }
    open.delivered(&buyer, delivered).await;
    let broken = left(&open).await;
    assert!(!names(&broken, delivered), "{broken:#?}");
    assert!(!broken.is_empty(), "the money of order {after}, which no backup has, is named");

    // Of an order that order-service does not know any more the others do.
    bring_back(&mut open, &[(&first, &[Service::Order])]).await;
    let broken = left(&open).await;
    for order in [paid, delivered] {
        assert!(names(&broken, order), "{order} in {broken:#?}");
    }
    assert!(!names(&broken, before), "{broken:#?}");
    open.shop.stop().await.unwrap();
}

#[tokio::test]
async fn a_backup_that_is_damaged_or_a_shop_that_runs_is_not_restored() {
    let open = Open::shop().await;
    let folder = folder::temporary(None).unwrap();
    let to = folder.path().join("backup");
    let refused = async |arguments: &[&str], why: &str| {
        let output = open.stack("shop").args(arguments).arg(&to).output().await.unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && error.contains(why), "{error}");
    };
    refused(&["restore"], "manifest.json").await;
    backup(&open, &to).await;
    refused(&["backup"], "is not empty").await;
    refused(&["restore", "--replace"], "is in use").await;
    std::fs::write(to.join("order-service.dump"), "PGDMP").unwrap();
    refused(&["restore", "--replace"], "is not what was written").await;
    open.close().await;
}
