//! CORS: which front ends of other origins may call the shop.

use serde_json::Value;
use stack::api::Reply;

use super::FRONT_END;
use super::sessions::SIX_ROUTES;
use crate::harness::{Answer, NOBODY, Open};

pub async fn hold(open: &Open) {
    a_front_end_that_is_listed_may_call_every_service(open).await;
    a_front_end_that_is_not_listed_may_not(open).await;
    what_does_not_exist_has_no_preflight(open).await;
}

async fn preflight(open: &Open, path: &str, origin: &str) -> Reply {
    let asks = [
        ("origin", origin),
        ("access-control-request-method", "PUT"),
        ("access-control-request-headers", "authorization,content-type,idempotency-key,x-correlation-id"),
    ];
    open.ask_with(NOBODY, &format!("OPTIONS {path}"), &asks, Value::Null).await
}

fn list(reply: &Reply, header: &str) -> Vec<String> {
    let mut list: Vec<String> =
        reply.header(header).split(',').map(|one| one.trim().to_ascii_lowercase()).collect();
    list.sort();
    list
}

async fn a_front_end_that_is_listed_may_call_every_service(open: &Open) {
    for line in SIX_ROUTES {
        let reply = open.ask_with(NOBODY, line, &[("origin", FRONT_END)], Value::Null).await;
        assert_eq!(reply.header("access-control-allow-origin"), FRONT_END, "{line}");
        let exposed = ["link", "location", "retry-after", "x-correlation-id", "x-total-count"];
        assert_eq!(list(&reply, "access-control-expose-headers"), exposed, "{line}");

        let path = line.split_once(' ').unwrap().1;
        let reply = preflight(open, path, FRONT_END).await;
        assert_eq!(reply.header("access-control-allow-origin"), FRONT_END, "{line}");
        assert_eq!(list(&reply, "access-control-allow-methods"), ["delete", "get", "post", "put"]);
        let headers = ["authorization", "content-type", "idempotency-key", "x-correlation-id"];
        assert_eq!(list(&reply, "access-control-allow-headers"), headers);
    }
}

async fn a_front_end_that_is_not_listed_may_not(open: &Open) {
    for origin in [
        "https://elsewhere.example",
        "https://front.example.evil.example",
        "http://front.example",
        "http://localhost:3000.evil.example",
        "null",
    ] {
        for line in SIX_ROUTES {
            let reply = open.ask_with(NOBODY, line, &[("origin", origin)], Value::Null).await;
            assert_eq!(reply.header("access-control-allow-origin"), "", "{origin}: {line}");
            let reply = preflight(open, line.split_once(' ').unwrap().1, origin).await;
            assert_eq!(reply.header("access-control-allow-origin"), "", "{origin}: {line}");
        }
    }
}

async fn what_does_not_exist_has_no_preflight(open: &Open) {
    preflight(open, "/api/v1/order/1/nothing", FRONT_END).await.refused(404, "not_found");
}
