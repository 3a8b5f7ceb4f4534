//! A shop in which routes are called by their operationId, with the examples of the documents.

use std::collections::BTreeSet;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use stack::actors::{Admin, Bank};
use stack::api::{Api, Reply};
use stack::shop::{Shop, ShopOptions};

use crate::support::{Operation, document, example, fits, schema};

pub struct Story {
    shop: Shop,
    api: Api,
    admin: Admin,
    operations: Vec<Operation>,
    token: Option<String>,
    told: BTreeSet<String>,
}

impl Story {
    pub async fn begin() -> Self {
        #[allow(
            clippy::disallowed_methods,
            reason = "the runner of the tests hands its PostgreSQL over this way"
        )]
        let postgres = std::env::var("TEST_POSTGRES_URL").ok();
        let mut options = ShopOptions::for_test(postgres).unwrap();
        options.settings = options.settings.with("RATE_LIMIT", "off");
        let shop = Shop::start(options, |_| {}).await.unwrap();
        let api = Api::new(shop.base_url()).unwrap();
        let admin = Admin::log_in(&api, "admin@admin.com", "admin123").await.unwrap();
        let operations = Operation::all();
        Self { shop, api, admin, operations, token: None, told: BTreeSet::new() }
    }

    pub async fn end(mut self) {
        self.shop.check().unwrap();
        self.shop.stop().await.unwrap();
    }

    /// The customer goes on with this token.
    pub fn log_in(&mut self, token: &str) {
        self.token = Some(token.to_owned());
    }

    pub fn told(&self) -> BTreeSet<String> {
        self.told.clone()
    }

    /// The customer calls a route; see [`Story::call`].
    pub async fn expect(&mut self, id: &str, parts: &[&Value], changes: Value, status: u16) -> Value {
        let token = self.token.clone();
        self.call(token, id, parts, changes, status).await
    }

    /// The administrator calls a route; see [`Story::call`].
    pub async fn admin(&mut self, id: &str, parts: &[&Value], changes: Value, status: u16) -> Value {
        let token = Some(self.admin.token.clone());
        self.call(token, id, parts, changes, status).await
    }

    /// Sends the example of a route, with the parts of its path filled in and with changes of what no example can know,
    /// and compares the reply with its description.
    async fn call(
        &mut self,
        token: Option<String>,
        id: &str,
        parts: &[&Value],
        changes: Value,
        status: u16,
    ) -> Value {
        self.told.insert(id.to_owned());
        let operation = self.operations.iter().find(|operation| operation.id() == id).expect(id);
        let document = document(operation.service);
        let mut path = operation.path.clone();
        for part in parts {
            let (start, end) = (path.find('{').unwrap(), path.find('}').unwrap());
            path.replace_range(start..=end, &part.to_string());
        }
        let method: Method = operation.method.parse().unwrap();
        let mut request = self.api.request(method, &path);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(schema) = operation.request() {
            let mut body = example(&document, schema);
            body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
            request = request.json(&body);
        }
        let reply = self.api.send(request).await.unwrap();
        assert_eq!(reply.status, status, "{id}: {}", reply.text);
        compare(operation, &document, &reply);
        reply.body
    }

    pub async fn ask(&self, method: &str, path: &str, kind: &str, body: Vec<u8>) -> Reply {
        let request = self.api.request(method.parse().unwrap(), path).bearer_auth(&self.admin.token);
        let request = if body.is_empty() { request } else { request.header("content-type", kind).body(body) };
        self.api.send(request).await.unwrap()
    }

    /// Calls a route until the status that it shows is this one.
    pub async fn wait(&mut self, id: &str, parts: &[&Value], status: &str) {
        let deadline = tokio::time::Instant::now() + stack::actors::TIMEOUT;
        while self.expect(id, parts, json!({}), 200).await["status"] != status {
            assert!(tokio::time::Instant::now() < deadline, "{id} does not become {status}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Pays an order, once it can be paid, with this amount.
    pub async fn pay(&mut self, order: &Value, amount: &Value) {
        self.wait("get_order", &[order], "AWAITING_PAYMENT").await;
        let seen = self.expect("get_order", &[order], json!({}), 200).await;
        let token = seen["payment_url"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
        Bank::of(&self.api).act(&token, &json!({ "gross_amount": amount })).await.unwrap();
    }

    /// A notification that was sent.
    pub async fn notification(&mut self) -> Value {
        let deadline = tokio::time::Instant::now() + stack::actors::TIMEOUT;
        loop {
            let listed = self.expect("list_notifications", &[], json!({}), 200).await;
            let sent = listed.as_array().unwrap().iter().find(|one| one["state"] == "SENT");
            if let Some(sent) = sent {
                return sent["id"].clone();
            }
            assert!(tokio::time::Instant::now() < deadline, "nothing was sent");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The delivery of a paid order.
    pub async fn delivery(&mut self, order: &Value) -> Value {
        self.wait("get_order", &[order], "PAID").await;
        let path = format!("/api/v1/delivery?order_id={order}");
        let deadline = tokio::time::Instant::now() + stack::actors::TIMEOUT;
        loop {
            let found = self.api.get(&path, self.token.as_deref()).await.unwrap().body;
            if let Some(delivery) = found.get(0) {
                return delivery["id"].clone();
            }
            assert!(tokio::time::Instant::now() < deadline, "order {order} has no delivery");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

fn compare(operation: &Operation, document: &Value, reply: &Reply) {
    let (_, answer) =
        operation.answers().find(|(status, _)| *status == reply.status).expect("a documented status");
    for (name, header) in answer["headers"].as_object().unwrap() {
        if let Some(value) = reply.headers.get(name) {
            let text = value.to_str().unwrap();
            let value = text.parse::<i64>().map_or_else(|_| json!(text), |number| json!(number));
            let value = if header["schema"]["type"] == "string" { json!(text) } else { value };
            fits(document, &header["schema"], &value, name);
        }
    }
    let Some(schema) = schema(answer) else {
        assert_eq!(reply.text, "", "{} has a body", operation.id());
        return;
    };
    fits(document, schema, &reply.body, operation.id());
    if reply.status < 400 {
        let lacking = lacks(&example(document, schema), &reply.body, operation.id());
        assert!(lacking.is_empty(), "{lacking:?} is not in the example");
    }
}

/// What the reply has and the example does not.
fn lacks(example: &Value, reply: &Value, at: &str) -> Vec<String> {
    match (example, reply) {
        (Value::Object(known), Value::Object(members)) => members
            .iter()
            .flat_map(|(name, value)| match known.get(name) {
                Some(example) => lacks(example, value, &format!("{at}.{name}")),
                None => vec![format!("{at}.{name}")],
            })
            .collect(),
        (Value::Array(known), Value::Array(items)) => {
            known.iter().flat_map(|known| items.iter().flat_map(move |item| lacks(known, item, at))).collect()
        }
        _ => Vec::new(),
    }
}
