//! `stack letters`, `replay` and `discard` as an operator runs them.

use serde_json::Value;
use stack::shop::Service;

use crate::harness::Open;
use crate::nights::{database, publish_unreadable, wait_for_letters};

/// Runs the program, and returns what it printed.
async fn stack(open: &Open, arguments: &[&str]) -> String {
    let output = open.stack("postgres").args(arguments).output().await.unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

async fn letters(open: &Open, arguments: &[&str]) -> Vec<Value> {
    let printed = stack(open, &[&["letters", "--json"], arguments].concat()).await;
    serde_json::from_str(&printed).unwrap()
}

#[tokio::test]
async fn letters_are_listed_shown_put_back_by_group_and_discarded_with_a_reason() {
    let open = Open::shop().await;
    let event_id = publish_unreadable(&open).await;
    wait_for_letters(&open, &event_id).await;
    let all = letters(&open, &[]).await;
    assert_eq!(all.len(), 4);
    for letter in &all {
        assert_eq!(
            (&letter["event_id"], &letter["correlation_id"]),
            (&event_id.as_str().into(), &"tomorrow".into())
        );
        assert!(letter["tries"].as_i64().is_some_and(|tries| tries > 0), "{letter}");
        assert!(["error", "since", "stream"].iter().all(|name| letter[*name].is_string()), "{letter}");
        assert_eq!(letter["fields"]["version"], "2", "the event itself is there: {letter}");
    }

    let of_product = letters(&open, &["--group", "product-group"]).await;
    let name = of_product[0]["name"].as_str().unwrap();
    assert_eq!((of_product.len(), name.starts_with("product-service/")), (1, true));
    assert!(stack(&open, &["letters", name]).await.contains("version: 2"));

    assert!(
        stack(&open, &["replay", "--group", "product-group"]).await.contains("1 dead letters were put back")
    );
    assert!(stack(&open, &["replay", name]).await.contains("was replayed or discarded already"));
    // It is as unreadable as before, so that product-service gives it up once more; the others still have their letters.
    let again = wait_for_letters(&open, &event_id).await;
    assert_ne!(again[0].to_string(), name);

    let names: Vec<String> = again.iter().map(ToString::to_string).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let discard = [&["discard", "--reason", "made for a test"], names.as_slice()].concat();
    assert_eq!(stack(&open, &discard).await.matches("discarded ").count(), 4);
    assert_eq!(
        stack(&open, &discard).await.matches("is no open dead letter").count(),
        4,
        "the second time changes nothing"
    );
    assert!(letters(&open, &[]).await.is_empty());
    let kept = "SELECT discard_reason FROM messaging.dead_letters WHERE discarded_at IS NOT NULL";
    let products = database(&open, Service::Product).await;
    let kept: String = sqlx::query_scalar(kept).fetch_one(&products).await.unwrap();
    assert_eq!(kept, "made for a test");
    let refused = open.stack("postgres").args(["discard", "product-service/1"]).output().await.unwrap();
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--reason"), "a reason is required");
    open.close().await;
}
