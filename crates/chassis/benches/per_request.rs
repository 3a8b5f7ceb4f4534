//! What the chassis costs per request, in instructions: a number that does not depend on what else the machine does.
//! Without arguments it runs every case under valgrind and prints a table; with a case and how often, only that.
//! Compare the rows: `token` less `plain` is the price of an access token. All threads count, and making the request too.

#![allow(clippy::unwrap_used, clippy::print_stderr, clippy::print_stdout, reason = "a report for people")]

use std::{hint::black_box, process::Command};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{
        Request,
        header::{AUTHORIZATION, CONTENT_TYPE, ORIGIN},
        request::Builder,
    },
};
use chassis::{Json, User, auth::Role, telemetry};
use serde::{Deserialize, Serialize};
use testkit::{Sample, SampleRoutes};
use tokio::runtime;
use tower::ServiceExt;
use utoipa_axum::{router::OpenApiRouter, routes};

/// A case is run with so many requests, and with twice as many: the difference is theirs alone.
const REQUESTS: usize = 500;
const CASES: [&str; 8] = ["live", "plain", "traced", "token", "body", "problem", "cors", "invalid"];

struct Cases;

impl SampleRoutes for Cases {
    fn routes() -> OpenApiRouter {
        OpenApiRouter::new().routes(routes!(plain)).routes(routes!(token)).routes(routes!(body))
    }
}

#[utoipa::path(get, path = "/plain", responses((status = 200)))]
async fn plain() -> &'static str {
    "ok"
}

#[utoipa::path(get, path = "/token", responses((status = 200)))]
async fn token(user: User) -> String {
    user.id().to_string()
}

#[derive(Serialize, Deserialize, garde::Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Item {
    #[garde(range(min = 1))]
    product_id: i64,
    #[garde(range(min = 1, max = 1000))]
    quantity: i32,
}

#[utoipa::path(post, path = "/body", responses((status = 200)))]
async fn body(Json(item): Json<Item>) -> axum::Json<Item> {
    axum::Json(item)
}

fn request(case: &str, token: &str) -> Request<Body> {
    let json = |text: &'static str| {
        Request::post("/body").header(CONTENT_TYPE, "application/json").body(Body::from(text)).unwrap()
    };
    let empty = |builder: Builder| builder.body(Body::empty()).unwrap();
    match case {
        "live" => empty(Request::get("/health/live")),
        "traced" => empty(
            Request::get("/plain")
                .header("x-correlation-id", "0f8fad5bd9cb469fa16570867728950e")
                .header("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ),
        "token" => empty(Request::get("/token").header(AUTHORIZATION, format!("Bearer {token}"))),
        "body" => json(r#"{"product_id": 8, "quantity": 2}"#),
        "invalid" => json(r#"{"product_id": 8, "quantity": 0}"#),
        "problem" => empty(Request::get("/nothing")),
        "cors" => empty(Request::get("/plain").header(ORIGIN, "https://shop.example")),
        _ => empty(Request::get("/plain")),
    }
}

async fn ask(router: &Router, request: Request<Body>) {
    let response = router.clone().oneshot(request).await.unwrap();
    black_box(to_bytes(response.into_body(), usize::MAX).await.unwrap());
}

fn run(case: &str, requests: usize) {
    let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let flags = ["--cors-allowed-origins=https://shop.example", "--log-format=json"];
    let context = Sample::<Cases>::context(&flags);
    let _logs = telemetry::init(&context.common.logs).unwrap();
    let recorder = telemetry::recorder().unwrap();
    metrics::set_global_recorder(recorder).unwrap();
    let router = Sample::<Cases>::router(&context);
    let token = context.tokens.sign(&testkit::claims(7, Role::User)).unwrap();
    for _ in 0..requests {
        runtime.block_on(ask(&router, request(case, &token)));
    }
}

/// The instructions of a whole run.
fn total(case: &str, requests: usize) -> Option<usize> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe().ok()?)
        .args([case, &requests.to_string()])
        .output()
        .ok()?;
    output.status.success().then_some(())?;
    let report = String::from_utf8_lossy(&output.stderr).into_owned();
    let collected = report.lines().find_map(|line| line.split("Collected :").nth(1))?;
    collected.trim().parse().ok()
}

fn main() {
    // `cargo bench` adds a flag of its own.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    if let [case, requests] = arguments.as_slice() {
        return run(case, requests.parse().unwrap());
    }
    println!("{:<10} {:>12}", "request", "instructions");
    for case in CASES {
        match total(case, REQUESTS).zip(total(case, 2 * REQUESTS)) {
            Some((once, twice)) => println!("{case:<10} {:>12}", twice.abs_diff(once) / REQUESTS),
            None => eprintln!("{case}: valgrind could not run it"),
        }
    }
}
