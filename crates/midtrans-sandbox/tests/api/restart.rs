use std::fs;
use std::net::TcpListener as StdListener;

use midtrans::{SnapRequest, TransactionStatus};
use midtrans_sandbox::run;
use serde_json::json;
use tokio::net::TcpListener;

use crate::merchant::Merchant;
use crate::sandbox::{Sandbox, config, eventually, order_id};

#[tokio::test]
async fn a_restart_keeps_pages_and_payments() {
    let sandbox = Sandbox::start().await;
    let (open, paid) = (order_id(), order_id());
    let page = sandbox.page(&open, 10_000).await;
    let token = sandbox.page(&paid, 20_000).await.token;
    sandbox.pay(json!({"token": token, "payment_type": "gopay"})).await;
    let before = sandbox.status(&paid).await;

    let sandbox = sandbox.restart().await;
    assert_eq!(sandbox.status(&paid).await, before);
    sandbox.pay(json!({"token": page.token})).await;
    assert!(sandbox.status(&open).await.is_paid());
    let again = sandbox.midtrans.create_snap(&SnapRequest::new(&paid, 1)).await;
    assert!(again.is_err(), "the order id is still taken");
}

#[tokio::test]
async fn what_was_answered_is_in_the_file_already() {
    let sandbox = Sandbox::start().await;
    let order_id = order_id();
    let token = sandbox.page(&order_id, 10_000).await.token;
    sandbox.pay(json!({"token": token, "payment_type": "qris"})).await;
    // What a process would find that starts after this one was killed here and now.
    let copy = sandbox.state_file.with_file_name("copy.json");
    fs::copy(&sandbox.state_file, &copy).unwrap();
    let after_kill = Sandbox::run(config(&copy)).await;
    assert_eq!(after_kill.status(&order_id).await.transaction_status, TransactionStatus::Settlement);
}

#[tokio::test]
async fn notifications_that_were_not_accepted_are_sent_after_a_restart() {
    // An address nobody listens at yet.
    let address = StdListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let url = format!("http://{address}/webhook");
    let sandbox = Sandbox::start_with(|config| {
        url.clone_into(&mut config.sandbox_notification_url);
        // Slow enough for the retries to outlive the restart.
        config.sandbox_speedup = 40;
    })
    .await;
    let order_id = order_id();
    let token = sandbox.page(&order_id, 10_000).await.token;
    sandbox.pay(json!({"token": token, "payment_type": "qris"})).await;
    let sandbox = sandbox.restart().await;
    assert_eq!(sandbox.show(&order_id).await["notifications_pending"], 1);
    let merchant = Merchant::listening_at(&address).await;
    let received = merchant.wait_for(1).await.remove(0);
    assert!(received.is_genuine());
    eventually(async || (sandbox.show(&order_id).await["notifications_pending"] == 0).then_some(())).await;
}

#[tokio::test]
async fn a_payment_that_ran_out_meanwhile_is_expired_after_the_start() {
    let sandbox = Sandbox::start().await;
    let order_id = order_id();
    let token = sandbox.page(&order_id, 10_000).await.token;
    sandbox.pay(json!({"token": token, "payment_type": "qris", "outcome": "pending"})).await;
    // The clock of the file is put back instead of waiting.
    let past = |text: String| text.replace("\"expires_at\":[20", "\"expires_at\":[19");
    let copy = sandbox.state_file.with_file_name("copy.json");
    fs::write(&copy, past(fs::read_to_string(&sandbox.state_file).unwrap())).unwrap();
    let later = Sandbox::run(config(&copy)).await;
    let expired = TransactionStatus::Expire;
    eventually(async || (later.status(&order_id).await.transaction_status == expired).then_some(())).await;
}

#[tokio::test]
async fn a_damaged_file_stops_the_start_with_its_name_and_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    fs::write(&path, "this is not ours\n").unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let error = run(listener, config(&path), std::future::pending()).await.unwrap_err().to_string();
    assert!(error.contains("state.json") && error.contains("line 1"), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "this is not ours\n", "nothing was overwritten");
}
