//! The short form of `make chaos`: faults of every kind under traffic, and nothing is lost. How fast the shop recovers is for
//! machines that do nothing else.

use std::time::Duration;

use dev_servers::folder;
use stack::chaos::{Options, failpoints, play};

/// Any other would do; with a fixed one, two runs compare.
const SEED: u64 = 1;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_in_two_minutes_of_every_kind_of_fault() {
    let folder = folder::temporary(None).unwrap();
    let options = Options {
        duration: Duration::from_mins(2),
        faults: Vec::new(),
        seed: SEED,
        rate: 1.5,
        page: None,
        data: folder.path().join("data"),
    };
    let report = play(&options).await.unwrap();
    println!("{}", report.text());
    assert!(report.is_lossless(), "{report:#?}");
    let (orders, faults) = report.counts();
    assert!(orders > 0 && faults > 0, "{orders} orders beside {faults} faults");
    assert!(report.page().contains("<svg"), "the page has a time line");
    folder::remove(&options.data, "postgres").unwrap();
}

/// The short form of `make failpoints`, which takes as long as it takes to have reached every point.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_where_a_service_dies_between_two_steps() {
    let folder = folder::temporary(None).unwrap();
    let (data, longest) = (folder.path().join("data"), Duration::from_mins(1));
    let options = failpoints::Options { times: 1, rate: 1.5, longest, data: data.clone() };
    let report = failpoints::play(&options).await.unwrap();
    println!("{}", report.text());
    assert!(report.is_lossless(), "{report:#?}");
    let (orders, deaths) = (report.orders.0, report.deaths.len());
    assert!(orders > 0 && deaths > 0, "{deaths} deaths beside {orders} orders");
    folder::remove(&data, "postgres").unwrap();
}
