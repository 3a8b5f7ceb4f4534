//! What `stack doctor` finds when somebody changed a database by hand.

use sqlx::{Connection, Executor, PgConnection};
use stack::ledger::Finding;
use stack::shop::Service;

use crate::contract::reviews::in_review;
use crate::harness::Open;

async fn run(open: &Open, service: Service, sql: String) {
    let mut database = PgConnection::connect(&open.shop.database_url(service).unwrap()).await.unwrap();
    database.execute(sqlx::AssertSqlSafe(sql)).await.unwrap();
}

fn found<'a>(findings: &'a [Finding], rule: &str) -> Vec<&'a str> {
    findings.iter().find(|finding| finding.rule == rule).unwrap().words()
}

#[tokio::test]
async fn a_payment_moved_by_hand_and_a_job_that_was_given_up_are_found() {
    let mut open = Open::shop().await;
    let (_, order) = in_review(&open).await;
    assert!(found(&open.ledger().await.check().await.unwrap(), "L7").is_empty());
    let moved = format!(
        "UPDATE payments SET status = 'FAILED' WHERE order_id = {order};
         INSERT INTO payment_history (order_id, from_status, to_status, cause)
         VALUES ({order}, 'REVIEW', 'FAILED', 'by hand')"
    );
    run(&open, Service::Payment, moved).await;
    for service in [Service::Order, Service::Payment] {
        let job =
            "INSERT INTO jobs.queue (kind, key, error, dead_at) VALUES ('example', '17', 'refused', now())";
        run(&open, service, job.to_owned()).await;
    }
    let findings = open.ledger().await.check().await.unwrap();
    assert_eq!(found(&findings, "L7"), [format!("payment of order {order} went from REVIEW to FAILED")]);
    for service in ["order-service", "payment-service"] {
        let job = format!("job given up by {service}: example of 17: refused");
        assert!(found(&findings, "L6").contains(&job.as_str()), "{findings:?}");
    }
    open.shop.stop().await.unwrap();
}
