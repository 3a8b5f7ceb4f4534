//! `crates/requests.http` stays true: every request answers what it says, and no route is missing.

use reqwest::Method;
use stack::{
    actors::TIMEOUT,
    api::{Api, Reply},
    shop::Service,
};
use tokio::time::{Duration, Instant};

use crate::collection::{Collection, Written, found};

const FILE: &str = include_str!("../../../requests.http");
const PAUSE: Duration = Duration::from_millis(50);

#[tokio::test]
async fn every_request_answers_what_it_says_and_every_route_occurs() {
    let mut shop = crate::harness::open().await;
    let api = Api::new("").unwrap();
    let mut collection = Collection::read(FILE, &shop.base_url(), "1767323045");
    let mut asked = Vec::new();
    for request in std::mem::take(&mut collection.requests) {
        let reply = answered(&api, &collection, &request).await;
        let path = collection.fill(&request.url).replace(&shop.base_url(), "");
        asked.push((request.method, path.split('?').next().unwrap().to_owned()));
        if let Some(name) = &request.name {
            collection.keep(name, reply.body);
        }
    }
    for (method, path) in routes(&Api::new(shop.base_url()).unwrap()).await {
        let occurs = asked.iter().any(|(by, what)| *by == method && is_of(&path, what));
        assert!(occurs, "{method} {path} is not in requests.http");
    }
    shop.stop().await.unwrap();
}

/// The reply that a request says it gets, in the end.
async fn answered(api: &Api, collection: &Collection, request: &Written) -> Reply {
    let deadline = Instant::now() + TIMEOUT;
    loop {
        let reply = sent(api, collection, request).await;
        let what = format!("{} {}", request.method, collection.fill(&request.url));
        assert_eq!(reply.status, request.status, "{what}: {}", reply.text);
        let Some((path, value)) = &request.once else { return reply };
        if found(&reply.body, path).as_ref() == Some(value) {
            return reply;
        }
        assert!(Instant::now() < deadline, "{what}: {path} is not {value}: {}", reply.text);
        tokio::time::sleep(PAUSE).await;
    }
}

async fn sent(api: &Api, collection: &Collection, request: &Written) -> Reply {
    let method: Method = request.method.parse().unwrap();
    let filled = api.request(method, &collection.fill(&request.url));
    let headers = request.headers.iter().map(|(name, value)| (name, collection.fill(value)));
    let filled = headers.fold(filled, |filled, (name, value)| filled.header(name, value));
    api.send(filled.body(collection.fill(&request.body))).await.unwrap()
}

/// Every route of all documents.
async fn routes(api: &Api) -> Vec<(String, String)> {
    let mut routes = Vec::new();
    for service in Service::SERVICES {
        let name = service.name().trim_end_matches("-service");
        let document =
            api.get(&format!("/{name}-docs/openapi.json"), None).await.unwrap().expect(200).unwrap();
        for (path, item) in document["paths"].as_object().unwrap() {
            let methods = ["get", "post", "put", "delete", "patch"].into_iter();
            let methods = methods.filter(|method| item.get(method).is_some());
            routes.extend(methods.map(|method| (method.to_uppercase(), path.clone())));
        }
    }
    assert!(routes.len() > 40, "{routes:?}");
    routes
}

/// Whether a path was made from a route.
fn is_of(route: &str, path: &str) -> bool {
    let (route, path) = (route.split('/'), path.split('/'));
    route.clone().count() == path.clone().count()
        && route
            .zip(path)
            .all(|(part, is)| part == is || (part.starts_with('{') && is.parse::<i64>().is_ok()))
}
