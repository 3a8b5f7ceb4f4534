//! The examples of the documents are true: they fit their schemas, the shop takes every request of them, and what it
//! answers fits the schema and has no member that the example lacks.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use stack::shop::Service;

use crate::story::Story;
use crate::support::{Operation, document, example, fits, schema};

#[test]
fn every_example_fits_its_schema() {
    for operation in Operation::all() {
        let document = document(operation.service);
        let answers = operation.answers().filter_map(|(_, answer)| schema(answer));
        for schema in answers.chain(operation.request()).filter(|schema| schema.get("allOf").is_none()) {
            fits(&document, schema, &example(&document, schema), operation.id());
        }
        for (_, answer) in operation.answers() {
            let problem = &answer["content"]["application/problem+json"];
            for example in problem["examples"].as_object().into_iter().flatten().map(|(_, example)| example) {
                fits(&document, &problem["schema"], &example["value"], operation.id());
            }
        }
    }
    for service in Service::SERVICES {
        let document = document(service);
        for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
            fits(&document, schema, &example(&document, schema), name);
        }
    }
}

#[tokio::test]
async fn every_request_example_is_taken_and_every_reply_is_as_described() {
    let mut story = Story::begin().await;
    accounts(&mut story).await;
    mails(&mut story).await;
    users(&mut story).await;
    catalogue(&mut story).await;
    let paid = orders(&mut story).await;
    money(&mut story, paid).await;
    messages(&mut story).await;
    farewell(&mut story).await;
    let all: BTreeSet<String> = Operation::all().iter().map(|operation| operation.id().to_owned()).collect();
    assert_eq!(story.told(), all, "every route has a part in this story");
    story.end().await;
}

async fn accounts(story: &mut Story) {
    story.expect("register", &[], json!({}), 201).await;
    let tokens = story.expect("log_in", &[], json!({}), 200).await;
    let tokens = story.expect("refresh", &[], json!({ "refresh_token": tokens["refresh_token"] }), 200).await;
    story.log_in(tokens["access_token"].as_str().unwrap());
    story.expect("get_profile", &[], json!({}), 200).await;
    story.expect("update_profile", &[], json!({}), 200).await;
    let tokens = story.expect("change_password", &[], json!({}), 200).await;
    story.log_in(tokens["access_token"].as_str().unwrap());
    let address = story.expect("add_address", &[], json!({}), 201).await["id"].clone();
    story.expect("list_addresses", &[], json!({}), 200).await;
    story.expect("replace_address", &[&address], json!({}), 200).await;
    story.expect("delete_address", &[&address], json!({}), 204).await;
    story.expect("list_sessions", &[], json!({}), 200).await;
}

/// An example has no business with the tokens that are sent by e-mail.
async fn mails(story: &mut Story) {
    story.expect("resend_verification", &[], json!({}), 202).await;
    story.expect("verify_email", &[], json!({}), 422).await;
    story.expect("change_email", &[], json!({}), 202).await;
    story.expect("forgot_password", &[], json!({}), 202).await;
    story.expect("reset_password", &[], json!({}), 422).await;
}

async fn users(story: &mut Story) {
    let own = story.expect("get_profile", &[], json!({}), 200).await["id"].clone();
    story.admin("list_users", &[], json!({}), 200).await;
    story.admin("get_user", &[&own], json!({}), 200).await;
    story.admin("update_user", &[&own], json!({}), 200).await;
    story.admin("end_user_sessions", &[&own], json!({}), 204).await;
    let tokens = story.expect("log_in", &[], json!({}), 200).await;
    story.log_in(tokens["access_token"].as_str().unwrap());
}

async fn catalogue(story: &mut Story) {
    let category = story.admin("create_category", &[], json!({}), 201).await["category"]["id"].clone();
    story.admin("rename_category", &[&category], json!({}), 200).await;
    story.admin("list_categories", &[], json!({}), 200).await;
    story.admin("delete_category", &[&category], json!({}), 200).await;
    let product = story.admin("create_product", &[], json!({}), 201).await["product"]["id"].clone();
    story.admin("update_product", &[&product], json!({}), 200).await;
    story.admin("change_stock", &[&product], json!({}), 200).await;
    story.admin("delete_product", &[&product], json!({}), 200).await;
    story.admin("list_products", &[], json!({}), 200).await;
    story.admin("get_product", &[&json!(1)], json!({}), 200).await;
}

/// The ids of two orders: one is paid, and one was charged another amount than asked for.
async fn orders(story: &mut Story) -> [Value; 2] {
    story.expect("add_cart_item", &[], json!({}), 200).await;
    story.expect("set_cart_item_quantity", &[&json!(1)], json!({}), 200).await;
    let total = story.expect("get_cart", &[], json!({}), 200).await["total_amt"].clone();
    let body = json!({ "product_ids": [1], "expected_total": total });
    let cancelled = story.expect("checkout", &[], body.clone(), 201).await["order_id"].clone();
    story.expect("cancel_order", &[&cancelled], json!({}), 200).await;
    let mut ids = Vec::new();
    for charged in [total.clone(), json!(1000)] {
        let order = story.expect("place_order", &[], body.clone(), 201).await["order_id"].clone();
        story.pay(&order, &charged).await;
        ids.push(order);
    }
    story.expect("list_orders", &[], json!({}), 200).await;
    story.expect("get_order", &[&ids[0]], json!({}), 200).await;
    story.expect("list_order_events", &[&ids[0]], json!({}), 200).await;
    story.admin("list_all_orders", &[], json!({}), 200).await;
    ids.try_into().unwrap()
}

async fn money(story: &mut Story, [paid, wrong]: [Value; 2]) {
    story.wait("get_payment", &[&wrong], "REVIEW").await;
    story.admin("review_payment", &[&wrong], json!({}), 200).await;
    story.wait("get_payment", &[&paid], "SUCCESS").await;
    let by_midtrans = json!({ "method": null, "reference": null });
    story.admin("refund_payment", &[&paid], by_midtrans, 202).await;
    story.expect("get_payment", &[&paid], json!({}), 200).await;
    // An example has no business with the secret that signs a notification.
    story.expect("receive_notification", &[], json!({}), 403).await;
    story.expect("receive_notification_at_the_short_path", &[], json!({}), 403).await;
    let delivery = story.delivery(&paid).await;
    story.expect("list_deliveries", &[], json!({}), 200).await;
    story.expect("get_delivery", &[&delivery], json!({}), 200).await;
    story.admin("set_delivery_status", &[&delivery], json!({ "status": "IN_TRANSIT" }), 200).await;
}

async fn messages(story: &mut Story) {
    story.expect("get_notification_preferences", &[], json!({}), 200).await;
    story.expect("set_notification_preferences", &[], json!({}), 200).await;
    let sent = story.notification().await;
    story.admin("retry_notification", &[&sent], json!({}), 409).await;
}

async fn farewell(story: &mut Story) {
    story.expect("remove_cart_item", &[&json!(1)], json!({}), 200).await;
    story.expect("clear_cart", &[], json!({}), 200).await;
    story.expect("log_in", &[], json!({}), 200).await;
    let sessions = story.expect("list_sessions", &[], json!({}), 200).await;
    let other = sessions.as_array().unwrap().iter().find(|session| session["current"] == false).unwrap();
    story.expect("end_session", &[&other["id"]], json!({}), 204).await;
    story.expect("log_out", &[], json!({}), 200).await;
}
