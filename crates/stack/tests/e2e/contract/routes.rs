//! Four lists that are one: the contract's routes, the documents', the routers', and what the gateway lets through.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::Value;
use stack::api::Api;

use super::documents::{Documents, Operation};
use crate::harness::{Answer, NOBODY, Open};

const ROUTES: [&str; 56] = [
    "DELETE /api/v1/auth/addresses/{id}",
    "DELETE /api/v1/auth/sessions/{id}",
    "DELETE /api/v1/auth/users/{id}/sessions",
    "DELETE /api/v1/cart",
    "DELETE /api/v1/cart/item/{product_id}",
    "DELETE /api/v1/categories/{id}",
    "DELETE /api/v1/products/{id}",
    "GET /api/v1/auth/addresses",
    "GET /api/v1/auth/profile",
    "GET /api/v1/auth/sessions",
    "GET /api/v1/auth/users",
    "GET /api/v1/auth/users/{id}",
    "GET /api/v1/cart",
    "GET /api/v1/categories",
    "GET /api/v1/delivery",
    "GET /api/v1/delivery/{id}",
    "GET /api/v1/notification",
    "GET /api/v1/notification/preferences",
    "GET /api/v1/order",
    "GET /api/v1/order/all",
    "GET /api/v1/order/{id}",
    "GET /api/v1/order/{id}/events",
    "GET /api/v1/payment/{order_id}",
    "GET /api/v1/products",
    "GET /api/v1/products/{id}",
    "POST /api/v1/auth/addresses",
    "POST /api/v1/auth/change-email",
    "POST /api/v1/auth/change-password",
    "POST /api/v1/auth/forgot-password",
    "POST /api/v1/auth/logout",
    "POST /api/v1/auth/refresh",
    "POST /api/v1/auth/reset-password",
    "POST /api/v1/auth/verify-email",
    "POST /api/v1/auth/verify-email/resend",
    "POST /api/v1/cart/item",
    "POST /api/v1/categories",
    "POST /api/v1/checkout",
    "POST /api/v1/login",
    "POST /api/v1/notification/{id}/retry",
    "POST /api/v1/order",
    "POST /api/v1/order/{id}/cancel",
    "POST /api/v1/payment/webhook",
    "POST /api/v1/payment/{order_id}/refund",
    "POST /api/v1/payment/{order_id}/review",
    "POST /api/v1/products",
    "POST /api/v1/products/{id}/stock",
    "POST /api/v1/register",
    "POST /api/v1/webhook",
    "PUT /api/v1/auth/addresses/{id}",
    "PUT /api/v1/auth/profile",
    "PUT /api/v1/auth/users/{id}",
    "PUT /api/v1/cart/item/{product_id}",
    "PUT /api/v1/categories/{id}",
    "PUT /api/v1/delivery/{id}/status",
    "PUT /api/v1/notification/preferences",
    "PUT /api/v1/products/{id}",
];

pub async fn hold(open: &Open, documents: &Documents) {
    the_documents_have_the_routes_of_the_contract(documents);
    routers_and_gateway_have_the_methods_of_the_documents(open, documents).await;
    nothing_lies_beside_a_documented_path(open, documents).await;
}

fn the_documents_have_the_routes_of_the_contract(documents: &Documents) {
    let documented: BTreeSet<String> = documents.operations().map(Operation::name).collect();
    assert_eq!(documented, ROUTES.map(str::to_owned).into());
}

/// A method that no route has is answered by the router of the path, which lists those that are there.
async fn routers_and_gateway_have_the_methods_of_the_documents(open: &Open, documents: &Documents) {
    for operation in documents.operations() {
        let path = some(&operation.path);
        let (router, gateway) = (Api::new(open.shop.service_url(operation.service)).unwrap(), &open.api);
        for (api, who) in [(&router, "router"), (gateway, "gateway")] {
            let reply = api.send(api.request(Method::PATCH, &path)).await.unwrap();
            let allowed = reply.header("allow").to_owned();
            let allowed = allowed.split(',').map(str::trim).filter(|method| *method != "HEAD");
            // Where a fixed path lies beside one with a parameter, as /order/all beside /order/{id}, each has its own.
            let documented = documents.methods(&operation.path);
            assert_eq!(allowed.collect::<BTreeSet<_>>(), documented, "{who}: {}", operation.path);
            reply.refused(405, "method_not_allowed");
        }
    }
}

async fn nothing_lies_beside_a_documented_path(open: &Open, documents: &Documents) {
    let known =
        |path: &str| ["GET", "POST", "PUT", "DELETE"].iter().any(|m| documents.find(m, path).is_some());
    for operation in documents.operations() {
        let path = some(&operation.path);
        let parent = path.rsplit_once('/').unwrap().0;
        for beside in [format!("{path}/nothing"), format!("{path}/"), format!("{path}x"), parent.to_owned()] {
            if !known(&beside) {
                open.ask(NOBODY, &format!("{} {beside}", operation.method), Value::Null)
                    .await
                    .refused(404, "not_found");
            }
        }
    }
}

/// A path with its id filled in.
fn some(path: &str) -> String {
    path.split('/').map(|part| if part.starts_with('{') { "1" } else { part }).collect::<Vec<_>>().join("/")
}
