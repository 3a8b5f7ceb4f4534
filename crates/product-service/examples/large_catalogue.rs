//! How a catalogue of a million products is read: the first answer of each kind of list, the first ones of 20 pages of it,
//! and how many a second there are once one is in memory.
//!
//! `target/debug/stack databases -- cargo run --release -p product-service --example large_catalogue`

#![allow(clippy::expect_used, clippy::print_stdout, reason = "this is a measurement")]

use std::time::{Duration, Instant};

use futures::future::join_all;
use product_service::ProductService;
use testkit::{Actor, TestService};

const SEED: &str = include_str!("large_catalogue.sql");
/// What is measured, with the parameters of the first page of each.
const LISTS: [(&str, &str, u32); 10] = [
    ("list", "limit=10", 1),
    ("deep pages", "limit=10", 50_000),
    ("deep pages by price", "limit=10&sort_by=price", 50_000),
    ("middle of a name", "search=ayo+b", 1),
    ("a frequent word", "search=kopi", 1),
    ("two letters", "search=ko", 1),
    ("two letters, none", "search=qz", 1),
    ("category", "category_id=3", 1),
    ("by price in a range", "min_price=100000&max_price=900000&sort_by=price", 1),
    ("by stock", "sort_by=stock", 1),
];
/// Requests at the same time, and for how long they repeat.
const CLIENTS: usize = 32;
const PERIOD: Duration = Duration::from_secs(3);

#[tokio::main]
async fn main() {
    let shop = TestService::<ProductService>::start().await;
    let seeded = Instant::now();
    sqlx::raw_sql(SEED).execute(shop.pool()).await.expect("the catalogue is filled");
    // As autovacuum leaves it: an index alone answers for pages that it has seen.
    sqlx::raw_sql("vacuum analyze").execute(shop.pool()).await.expect("the statistics are made");
    println!("seeded in {:.0?}", seeded.elapsed());
    println!("{:22}{:>12}{:>24}{:>10}", "", "first, ms", "20 others, median/max", "rps");
    let anyone = shop.anyone();
    measure("categories", &anyone, &["/api/v1/categories".to_owned()]).await;
    for (name, query, first) in LISTS {
        let path = |page| format!("/api/v1/products?{query}&page={page}");
        measure(name, &anyone, &(first..=first + 20).map(path).collect::<Vec<_>>()).await;
    }
}

/// Asks for each path once, then for the first one again and again.
async fn measure(name: &str, anyone: &Actor, paths: &[String]) {
    let mut took = Vec::new();
    for path in paths {
        let asked = Instant::now();
        anyone.get(path).await.expect(200);
        took.push(asked.elapsed().as_secs_f64() * 1_000.0);
    }
    let first = took.remove(0);
    took.sort_by(f64::total_cmp);
    let (median, max) = (took.get(took.len() / 2).unwrap_or(&first), took.last().unwrap_or(&first));
    let until = Instant::now() + PERIOD;
    let repeat = async || {
        let mut answers = 0_u32;
        while Instant::now() < until {
            anyone.get(&paths[0]).await.expect(200);
            answers += 1;
        }
        answers
    };
    let answers: u32 = join_all((0..CLIENTS).map(|_| repeat())).await.into_iter().sum();
    let rps = f64::from(answers) / PERIOD.as_secs_f64();
    println!("{name:22}{first:12.1}{:>24}{rps:10.0}", format!("{median:.1}/{max:.1}"));
}
