use futures::future::join_all;
use serde_json::{Value, json};
use testkit::Actor;

use crate::{Shop, count, join};

const ADDRESSES: &str = "/api/v1/auth/addresses";

fn address(recipient: &str) -> Value {
    json!({
        "recipient": recipient, "phone": "+62 812 3456 7890", "street": "Jalan Merdeka 17", "city": "Bandung",
        "postal_code": "40111", "country": "ID"
    })
}

fn with(mut address: Value, name: &str, value: impl Into<Value>) -> Value {
    address[name] = value.into();
    address
}

async fn add(actor: &Actor, address: Value) -> i64 {
    actor.post(ADDRESSES, address).await.expect(201)["id"].as_i64().unwrap()
}

/// The ids of an address book, and of those that are the default.
async fn book(actor: &Actor) -> (Vec<i64>, Vec<i64>) {
    let list = actor.get(ADDRESSES).await.expect(200);
    let id = |address: &Value| address["id"].as_i64().unwrap();
    let all = list.as_array().unwrap();
    (
        all.iter().map(id).collect(),
        all.iter().filter(|address| address["is_default"] == true).map(id).collect(),
    )
}

#[tokio::test]
async fn an_address_is_kept_changed_and_deleted() {
    let shop = Shop::start().await;
    let ani = join(&shop, "ani").await.actor;
    assert_eq!(ani.get(ADDRESSES).await.expect(200), json!([]));

    let full = with(with(address("Ani"), "label", "Home"), "province", "Jawa Barat");
    let added = ani.post(ADDRESSES, full.clone()).await.expect(201);
    let path = format!("{ADDRESSES}/{}", added["id"]);
    assert_eq!(added, with(with(full, "id", added["id"].clone()), "is_default", true));
    assert_eq!(ani.get(ADDRESSES).await.expect(200), json!([added]));

    let replaced = ani.put(&path, with(address("Budi"), "country", "SG")).await.expect(200);
    assert_eq!((&replaced["recipient"], &replaced["country"]), (&"Budi".into(), &"SG".into()));
    assert!(replaced.get("label").is_none() && replaced.get("province").is_none(), "{replaced}");
    assert_eq!(replaced["is_default"], true, "as it was");

    assert_eq!(ani.delete(&path).await.status(), 204);
    assert_eq!(ani.get(ADDRESSES).await.expect(200), json!([]));
    ani.delete(&path).await.problem(404, "not_found");
    ani.put(&path, address("Ani")).await.problem(404, "not_found");
}

#[tokio::test]
async fn at_most_one_address_is_the_default() {
    let shop = Shop::start().await;
    let ani = join(&shop, "ani").await.actor;
    let first = add(&ani, address("first")).await;
    let second = add(&ani, address("second")).await;
    assert_eq!(book(&ani).await, (vec![first, second], vec![first]), "the first is, the second is not");
    let third = add(&ani, with(address("third"), "is_default", true)).await;
    assert_eq!(book(&ani).await.1, [third]);
    ani.put(&format!("{ADDRESSES}/{second}"), with(address("second"), "is_default", true)).await.expect(200);
    assert_eq!(book(&ani).await.1, [second]);

    ani.put(&format!("{ADDRESSES}/4711"), with(address("none"), "is_default", true))
        .await
        .problem(404, "not_found");
    assert_eq!(book(&ani).await.1, [second], "an unknown address takes nothing");
    assert_eq!(ani.delete(&format!("{ADDRESSES}/{second}")).await.status(), 204);
    assert_eq!(book(&ani).await, (vec![first, third], vec![first]), "the oldest takes over");
    assert_eq!(ani.delete(&format!("{ADDRESSES}/{third}")).await.status(), 204);
    assert_eq!(book(&ani).await.1, [first]);
    ani.put(&format!("{ADDRESSES}/{first}"), with(address("first"), "is_default", false)).await.expect(200);
    assert!(book(&ani).await.1.is_empty());
}

#[tokio::test]
async fn twenty_addresses_are_enough_also_when_they_come_at_once() {
    let shop = Shop::start().await;
    let ani = join(&shop, "ani").await.actor;
    let defaults = (0..25).map(|n| ani.post(ADDRESSES, with(address(&n.to_string()), "is_default", true)));
    let replies = join_all(defaults.collect::<Vec<_>>()).await;
    assert_eq!(replies.iter().filter(|reply| reply.status() == 201).count(), 20);
    for refused in replies.iter().filter(|reply| reply.status() != 201) {
        refused.problem(409, "limit_reached");
    }
    let (all, defaults) = book(&ani).await;
    assert_eq!((all.len(), defaults.len()), (20, 1));
}

#[tokio::test]
async fn nobody_reaches_into_anothers_address_book() {
    let shop = Shop::start().await;
    let ani = join(&shop, "ani").await.actor;
    let budi = join(&shop, "budi").await.actor;
    let path = format!("{ADDRESSES}/{}", add(&ani, address("Ani")).await);
    budi.put(&path, address("Budi")).await.problem(404, "not_found");
    budi.delete(&path).await.problem(404, "not_found");
    assert_eq!(budi.get(ADDRESSES).await.expect(200), json!([]));
    assert_eq!(ani.get(ADDRESSES).await.expect(200)[0]["recipient"], "Ani");
}

#[tokio::test]
async fn a_malformed_address_is_refused_by_the_member() {
    let shop = Shop::start().await;
    let ani = join(&shop, "ani").await.actor;
    let kept = format!("{ADDRESSES}/{}", add(&ani, address("Ani")).await);
    let mut bad: Vec<(&str, Value)> = vec![
        ("country", json!("XX")),
        ("country", json!("id")),
        ("country", json!("Indonesia")),
        ("is_default", json!("yes")),
        ("id", json!(1)),
        ("user_id", json!(1)),
    ];
    for name in ["label", "recipient", "phone", "street", "city", "province", "postal_code"] {
        bad.extend([
            (name, json!("")),
            (name, json!(" \u{a0}")),
            (name, json!("x".repeat(201))),
            (name, json!(1)),
        ]);
        bad.push((name, json!("a\0b")));
    }
    for (name, value) in bad {
        let body = with(address("Ani"), name, value.clone());
        for reply in [ani.post(ADDRESSES, body.clone()).await, ani.put(&kept, body).await] {
            assert_eq!(reply.problem(400, "invalid")["errors"][0]["field"], name, "{value}");
        }
    }
    for name in ["recipient", "phone", "street", "city", "postal_code", "country"] {
        let mut body = address("Ani");
        body.as_object_mut().unwrap().remove(name);
        let problem = ani.post(ADDRESSES, body).await.problem(400, "invalid");
        assert_eq!(problem["errors"][0]["field"], name);
    }
    assert_eq!(count(&shop, "select count(*) from addresses").await, 1);
    add(&ani, address(&"\u{1f600}".repeat(200))).await;
}
