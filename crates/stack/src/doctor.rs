//! `stack doctor`: looks at a running shop and says what is wrong and what to do about it.

use std::path::Path;
use std::time::Duration;

use crate::hosts::Hosts;
use crate::settings::Settings;
use crate::shop::{Service, pid_file};
use crate::{Error, Result, ledger};
use dev_servers::identity::Identity;

/// Prints what it finds. True if nothing is wrong.
pub async fn run(url: &str, settings: &Settings, data: &Path) -> Result<bool> {
    let http = reqwest::Client::builder().timeout(Duration::from_secs(5)).no_proxy().build();
    let http = http.map_err(|error| Error::other(format!("make an HTTP client: {error}")))?;
    let hosts = Hosts::of_settings(settings)?;
    let processes = match hosts {
        Hosts::Local(_) => processes(data),
        // Docker supervises them: `docker compose ps`.
        Hosts::Compose => true,
    };
    let healthy = health(&http, url, &hosts).await?;
    println!("\nThe books");
    let balanced = ledger::check_and_print(url, settings).await;
    if let Err(error) = &balanced {
        println!("  BROKEN  they cannot be read: {error}");
    }
    let sound = processes && healthy && matches!(balanced, Ok(true));
    if sound {
        println!("\nThe shop is healthy.");
    } else {
        let logs = match hosts {
            Hosts::Local(_) => format!("in {}/logs", data.display()),
            Hosts::Compose => "shown by `make logs`".to_owned(),
        };
        advise(processes, healthy, matches!(balanced, Ok(false)), &logs);
    }
    Ok(sound)
}

fn processes(data: &Path) -> bool {
    println!("Processes");
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
    println!();
    all
}

async fn health(http: &reqwest::Client, url: &str, hosts: &Hosts) -> Result<bool> {
    println!("Health");
    let mut questions = vec![("the gateway", format!("{url}/health"))];
    for service in Service::SIX {
        questions.push((service.name(), format!("{}/health/ready", hosts.service(service)?)));
    }
    let mut all = true;
    for (name, url) in questions {
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

fn advise(processes: bool, healthy: bool, broken: bool, logs: &str) {
    println!();
    if !processes {
        println!("Start the shop with `make run`; it heals what a killed run left behind.");
    } else if !healthy {
        println!("A service that is not ready names what it waits for above; its log is {logs}.");
    }
    if broken {
        println!(
            "For each broken rule, GET /api/v1/order/{{id}}/events lists the order's events; search the logs, {logs}, \
             for its correlation id."
        );
    }
}
