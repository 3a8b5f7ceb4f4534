//! Who may do what: every route of the documents that reads a token, with every kind of token.

use jsonwebtoken::Algorithm;
use serde_json::{Value, json};
use stack::actors::{Admin, Customer};
use stack::shop::Service;

use super::accounts::{PASSWORD, email, log_in};
use super::cart;
use super::documents::{Documents, Operation};
use super::forgery::{claims, forgeries, sign};
use super::sessions::refused_everywhere;
use super::stage::Subject;
use crate::harness::{Answer, NOBODY, Open};

/// The roles beside `user` and `admin`.
const STAFF: [&str; 4] = ["catalogue", "fulfilment", "finance", "support"];

pub async fn holds(open: &Open, documents: &Documents) {
    let ended = an_ended_session(open).await;
    for operation in documents.operations().filter(|operation| operation.reads_token()) {
        let subject = Subject::of(open, operation).await;
        no_forged_token_counts(open, operation, &subject, &ended).await;
        the_staff_does_what_its_roles_say(open, operation, &subject).await;
        if operation.id().is_some() {
            everybody_gets_what_is_theirs(open, operation, &subject).await;
        } else {
            everybody_may_do_it_or_administrators_only(open, operation, &subject).await;
        }
    }
}

async fn an_ended_session(open: &Open) -> String {
    let customer = open.customer().await;
    open.ask(&customer.token, "POST /api/v1/auth/logout", Value::Null).await.is(200);
    refused_everywhere(open, &customer.token).await;
    customer.token
}

async fn attempt(open: &Open, operation: &Operation, subject: &Subject, token: &str) -> stack::api::Reply {
    let line = format!("{} {}", operation.method, subject.path);
    open.ask(token, &line, subject.body.clone()).await
}

/// Neither those of a customer nor those of an administrator.
async fn no_forged_token_counts(open: &Open, operation: &Operation, subject: &Subject, ended: &str) {
    let mut tokens = vec![("of an ended session", ended.to_owned())];
    tokens.extend(forgeries(open, &subject.owner.token));
    tokens.extend(forgeries(open, &open.admin.token));
    for (kind, token) in tokens {
        let reply = attempt(open, operation, subject, &token).await;
        assert_eq!(reply.status, 401, "{} with a token {kind}: {}", operation.name(), reply.text);
        reply.refused(401, "unauthorized");
    }
    let without = attempt(open, operation, subject, NOBODY).await;
    if operation.is_public() {
        without.is(operation.success());
    } else {
        without.refused(401, "unauthorized");
    }
}

/// Every role with every route: whoever has it may do what the document says, and is a stranger everywhere else.
async fn the_staff_does_what_its_roles_say(open: &Open, operation: &Operation, subject: &Subject) {
    for role in STAFF {
        let token = staff(open, role).await;
        if operation.roles().contains(role) {
            // What was done once cannot always be done again.
            let another = Subject::of(open, operation).await;
            attempt(open, operation, &another, &token).await.is(operation.success());
        } else if operation.is_for_administrators() {
            attempt(open, operation, subject, &token).await.refused(403, "forbidden");
        } else if operation.id().is_some() && !is_for_everybody(operation) {
            let sees = operation.sees_all().contains(role);
            let status = if sees { operation.success() } else { 404 };
            let reply = attempt(open, operation, subject, &token).await;
            assert_eq!(reply.status, status, "{} as {role}: {}", operation.name(), reply.text);
        }
    }
}

/// A token of somebody who has this role, as user-service would sign it.
async fn staff(open: &Open, role: &str) -> String {
    let mut claims = claims(&open.customer().await.token);
    claims["roles"] = json!([role]);
    sign(&claims, Algorithm::HS256, open.shop.settings().get("JWT_SECRET"))
}

/// Strangers first, for who owns it may end it.
async fn everybody_gets_what_is_theirs(open: &Open, operation: &Operation, subject: &Subject) {
    let stranger = open.customer().await;
    let (strangers, owners) = if operation.is_for_administrators() {
        (403, 403)
    } else if is_for_everybody(operation) {
        (operation.success(), operation.success())
    } else {
        (404, operation.success())
    };
    let sees_all = operation.is_for_administrators() || administrators_see_all(operation);
    let administrators = if sees_all { operation.success() } else { strangers };
    for (who, token, status) in [
        ("a stranger", &stranger.token, strangers),
        ("the owner", &subject.owner.token, owners),
        ("an administrator", &open.admin.token, administrators),
    ] {
        // What a session or an address was is gone after its owner deleted it: nobody else comes after.
        let reply = attempt(open, operation, subject, token).await;
        assert_eq!(reply.status, status, "{} as {who}: {}", operation.name(), reply.text);
    }
}

/// Products are everybody's, and a line of a cart is that of the cart of who asks.
fn is_for_everybody(operation: &Operation) -> bool {
    operation.is_public() || operation.name() == "DELETE /api/v1/cart/item/{product_id}"
}

/// The account and the cart are private even to administrators; the rest of the shop is theirs to see to.
fn administrators_see_all(operation: &Operation) -> bool {
    !matches!(operation.service, Service::User | Service::Cart)
}

async fn everybody_may_do_it_or_administrators_only(open: &Open, operation: &Operation, subject: &Subject) {
    let reply = attempt(open, operation, subject, &subject.owner.token).await;
    if operation.is_for_administrators() {
        reply.refused(403, "forbidden");
    } else {
        reply.is(operation.success());
    }
    let admin = another_administrator(open).await;
    if subject.path.ends_with("/order") || subject.path.ends_with("/checkout") {
        cart::add(open, &admin.token, open.product(1).await, 1).await.is(200);
    }
    attempt(open, operation, &renewed(subject), &admin.token).await.is(operation.success());
}

/// The same with names that are not taken.
fn renewed(subject: &Subject) -> Subject {
    let mut body = subject.body.clone();
    if body.get("username").is_some() {
        body["username"] = json!(format!("{:016x}", rand::random::<u64>()));
    }
    Subject { owner: subject.owner.clone(), path: subject.path.clone(), body }
}

/// One who may lose the session or the password.
async fn another_administrator(open: &Open) -> Admin {
    let customer = open.customer().await;
    promote(open, &customer).await;
    let tokens = log_in(open, &email(&customer), PASSWORD).await.is(200);
    assert_eq!(claims(tokens["access_token"].as_str().unwrap())["role"], "admin");
    Admin::log_in(&open.api, &email(&customer), PASSWORD).await.unwrap()
}

/// The contract has no route for that.
async fn promote(open: &Open, customer: &Customer) {
    let database = sqlx::PgPool::connect(&open.shop.database_url(Service::User).unwrap()).await.unwrap();
    let promoted = sqlx::query("UPDATE users SET role = 'admin' WHERE id = $1").bind(customer.id);
    assert_eq!(promoted.execute(&database).await.unwrap().rows_affected(), 1);
}
