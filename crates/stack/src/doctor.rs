//! `stack doctor`: looks at a running local shop and says what is wrong and what to do about it.

use std::path::Path;
use std::time::Duration;

use crate::local::identity::Identity;
use crate::settings::Settings;
use crate::shop::{Ports, Service, pid_file};
use crate::{Error, Result, ledger};

/// Prints what it finds. True if nothing is wrong.
pub async fn run(url: &str, settings: &Settings, data: &Path) -> Result<bool> {
    let http = reqwest::Client::builder().timeout(Duration::from_secs(5)).no_proxy().build();
    let http = http.map_err(|error| Error::other(format!("make an HTTP client: {error}")))?;
    println!("Processes");
    let processes = processes(data);
    println!("\nHealth");
    let healthy = health(&http, url, settings).await?;
    println!("\nThe books");
    let balanced = ledger::check_and_print(url, settings).await;
    if let Err(error) = &balanced {
        println!("  BROKEN  they cannot be read: {error}");
    }
    let well = processes && healthy && matches!(balanced, Ok(true));
    if well {
        println!("\nThe shop is well.");
    } else {
        advise(processes, healthy, matches!(balanced, Ok(false)), data);
    }
    Ok(well)
}

fn processes(data: &Path) -> bool {
    let names = ["postgres", "redis", "nginx"].into_iter().chain(Service::SIX.map(Service::name));
    let mut all = true;
    for name in names {
        let running = Identity::read(&pid_file(data, name)).filter(Identity::is_alive);
        all &= running.is_some();
        match running {
            Some(process) => println!("  ok      {name} (process {})", process.pid),
            None => println!("  BROKEN  {name} does not run; its log is {}/logs/{name}.log", data.display()),
        }
    }
    all
}

async fn health(http: &reqwest::Client, url: &str, settings: &Settings) -> Result<bool> {
    let ports = Ports::fixed(settings)?;
    let direct = Service::SIX
        .map(|service| (service.name(), format!("http://127.0.0.1:{}/health/ready", ports.http(service))));
    let mut all = true;
    for (name, url) in direct.into_iter().chain([("the gateway", format!("{url}/health"))]) {
        let words = match http.get(&url).send().await {
            Ok(answer) if answer.status().is_success() => None,
            Ok(answer) => Some(format!("{} {}", answer.status(), answer.text().await.unwrap_or_default())),
            Err(_) => Some("no answer".to_owned()),
        };
        all &= words.is_none();
        match words {
            None => println!("  ok      {name} is ready"),
            Some(words) => println!("  BROKEN  {name} is not ready ({url}): {words}"),
        }
    }
    Ok(all)
}

fn advise(processes: bool, healthy: bool, broken: bool, data: &Path) {
    println!();
    if !processes {
        println!("Start the shop with `make run`; it heals what a killed run left behind.");
    } else if !healthy {
        println!(
            "A service that is not ready names what it waits for above; its log is in {}/logs.",
            data.display()
        );
    }
    if broken {
        println!(
            "For each broken rule, GET /api/v1/order/{{id}}/events tells the order's story, and the logs in {}/logs \
             tell more: search for its correlation id.",
            data.display()
        );
    }
}
