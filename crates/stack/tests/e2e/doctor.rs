//! `stack doctor` as an operator runs it, with addresses that are given and a role that may only read.

use std::process::Command;

use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use stack::shop::Service;

use crate::harness::Open;

async fn run(open: &Open, service: Service, sql: impl Into<String>) {
    let mut database = PgConnection::connect(&open.shop.database_url(service).unwrap()).await.unwrap();
    database.execute(AssertSqlSafe(sql.into())).await.unwrap();
}

/// Runs it and returns its exit code and its report.
pub async fn doctor(open: &Open, role: &str, arguments: &[&str]) -> (Option<i32>, Value) {
    let output = open.stack(role).args(["doctor", "--json"]).args(arguments).output().await.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let report = serde_json::from_str(&text).unwrap_or_default();
    assert_ne!(report, Value::Null, "{text} {}", String::from_utf8_lossy(&output.stderr));
    (output.status.code(), report)
}

fn broken<'a>(report: &'a Value, rule: &str) -> &'a Value {
    &report["rules"].as_array().unwrap().iter().find(|it| it["rule"] == rule).unwrap()["broken"]
}

#[tokio::test]
async fn an_operator_reads_what_is_wrong_and_has_repaired_what_is_safe() {
    let open = Open::shop().await;
    let (buyer, product) = (open.customer().await, open.product(5).await);
    let order = open.paid(&buyer, product).await;
    buyer.wait_for_delivery(order).await.unwrap();
    let settled = open.ledger().await.settled().await.unwrap();
    assert!(settled.iter().all(stack::ledger::Finding::holds), "{settled:#?}");
    let reader = format!("reader_{:08x}", rand::random::<u32>());
    run(&open, Service::User, format!("CREATE ROLE {reader} LOGIN; GRANT pg_read_all_data TO {reader}"))
        .await;

    let (code, report) = doctor(&open, &reader, &["--grace", "0"]).await;
    assert_eq!((code, &report["healthy"]), (Some(0), &Value::Bool(true)), "{report:#}");

    // delivery-service lost the delivery and the event that began it, and order-service what would have noticed.
    run(&open, Service::Order, "UPDATE jobs.queue SET run_at = now() + interval '1 day'").await;
    let lost = "TRUNCATE deliveries CASCADE; DELETE FROM messaging.inbox";
    run(&open, Service::Delivery, lost).await;
    let (code, report) = doctor(&open, &reader, &["--grace", "3"]).await;
    assert_eq!((code, &report["healthy"]), (Some(1), &Value::Bool(false)), "{report:#}");
    let found = &broken(&report, "L5")[0];
    assert_eq!(found["order_id"], order, "{report:#}");
    for member in ["what", "since", "cause", "remedy"] {
        assert!(found[member].as_str().is_some_and(|text| !text.is_empty()), "{member} in {found}");
    }
    assert_eq!(broken(&report, "L6")[0]["repair"]["kind"], "publish", "{report:#}");

    let (code, report) = doctor(&open, &reader, &["--grace", "0", "--apply"]).await;
    assert_eq!((code, report["repairs"].as_array().unwrap().len()), (Some(1), 0), "a reader repairs nothing");
    let (code, report) = doctor(&open, "postgres", &["--grace", "60", "--apply"]).await;
    assert_eq!(code, Some(0), "{report:#}");
    let repairs = report["repairs"].to_string();
    assert!(repairs.contains("of order-service again"), "{report:#}");
    buyer.wait_for_delivery(order).await.unwrap();
    open.close().await;
}

#[test]
fn a_doctor_that_cannot_look_says_so() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stack"));
    let output = command.args(["doctor", "--json"]).env("STACK_HOSTS", "given").output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("STACK_HOSTS=given needs STACK_GATEWAY_URL"), "{error}");
    assert_eq!(output.status.code(), Some(2));
}
