//! `stack doctor`: looks at a running shop, says what is wrong and what to do about it, and repairs what is safe.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use crate::hosts::Hosts;
use crate::ledger::{Access, Finding, Ledger};
use crate::settings::Settings;
use crate::shop::{self, Service, pid_file};
use crate::{Error, Result};
use dev_servers::identity::Identity;

/// How to look.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Prints one JSON document instead of text.
    pub json: bool,
    /// Repairs what is safe.
    pub apply: bool,
    /// For how long something has to stay broken: what is in flight breaks the books for a moment.
    pub grace: Duration,
}

/// What was found.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Whether everything is as it should be, after the repairs.
    pub healthy: bool,
    /// The processes of a shop that this machine runs.
    pub processes: Vec<Part>,
    /// What the gateway and the services say of themselves.
    pub health: Vec<Part>,
    /// The books, rule by rule.
    pub rules: Vec<Finding>,
    /// Why the books could not be read, if they could not.
    pub unreadable: Option<String>,
    /// What was repaired, a sentence each.
    pub repairs: Vec<String>,
}

/// A process or a service.
#[derive(Debug, Serialize)]
pub struct Part {
    /// Its name.
    pub name: &'static str,
    /// Whether it is well.
    pub ok: bool,
    /// What it says, or where to look.
    pub detail: String,
}

/// Looks at the shop and prints what it finds. True if nothing is wrong.
pub async fn run(url: &str, settings: &Settings, data: &Path, options: Options) -> Result<bool> {
    let report = examine(url, settings, data, options).await?;
    if options.json {
        let text = serde_json::to_string_pretty(&report);
        println!("{}", text.map_err(|error| Error::other(format!("write the report: {error}")))?);
    } else {
        report.print();
        report.advise(&Hosts::of_settings(settings)?, data);
    }
    Ok(report.healthy)
}

async fn examine(url: &str, settings: &Settings, data: &Path, options: Options) -> Result<Report> {
    let hosts = Hosts::of_settings(settings)?;
    let processes = match hosts {
        Hosts::Local(_) => processes(data),
        // Others supervise them.
        Hosts::Compose | Hosts::Given { .. } => Vec::new(),
    };
    let health = health(url, &hosts).await?;
    let (books, repairs) = books(url, settings, options).await;
    let (rules, unreadable) = match books {
        Ok(rules) => (rules, None),
        Err(error) => (Vec::new(), Some(error.to_string())),
    };
    let parts = processes.iter().chain(&health).all(|part| part.ok);
    let healthy = parts && unreadable.is_none() && rules.iter().all(Finding::holds);
    Ok(Report { healthy, processes, health, rules, unreadable, repairs })
}

/// The books after the repairs, and what was repaired.
async fn books(url: &str, settings: &Settings, options: Options) -> (Result<Vec<Finding>>, Vec<String>) {
    let mut repairs = Vec::new();
    let read = async {
        let access = if options.apply { Access::Write } else { Access::Read };
        let ledger = Ledger::of_settings(url, settings, access).await?;
        let findings = ledger.persisting(options.grace).await?;
        if options.apply {
            apply(&ledger, &findings, &mut repairs).await?;
        }
        if repairs.is_empty() { Ok(findings) } else { ledger.persisting(options.grace).await }
    };
    let findings = read.await;
    (findings, repairs)
}

/// Repairs what the findings say can be repaired.
async fn apply(ledger: &Ledger, findings: &[Finding], repairs: &mut Vec<String>) -> Result<()> {
    let mut done = BTreeSet::new();
    for repair in findings.iter().flat_map(|finding| &finding.broken).filter_map(|it| it.repair.as_ref()) {
        if done.insert(repair.to_string()) && ledger.repair(repair).await? {
            repairs.push(repair.to_string());
        }
    }
    Ok(())
}

fn processes(data: &Path) -> Vec<Part> {
    let names = ["postgres", "redis", "nginx"].into_iter().chain(Service::SIX.map(Service::name));
    let look = |name| {
        let running = Identity::read(&pid_file(data, name)).filter(Identity::is_alive);
        let detail = match &running {
            Some(process) => format!("process {}", process.pid),
            None => format!("does not run; its log is {}/logs/{name}.log", data.display()),
        };
        Part { name, ok: running.is_some(), detail }
    };
    names.map(look).collect()
}

async fn health(url: &str, hosts: &Hosts) -> Result<Vec<Part>> {
    let http = shop::client()?;
    let mut questions = vec![("the gateway", format!("{url}/health"))];
    for service in Service::SERVICES {
        // From elsewhere only the gateway is reached; it asks all six.
        questions.extend(hosts.service(service)?.map(|url| (service.name(), format!("{url}/health/ready"))));
    }
    let mut parts = Vec::new();
    for (name, url) in questions {
        let (ok, detail) = match http.get(&url).send().await {
            Ok(answer) if answer.status().is_success() => (true, "is ready".to_owned()),
            Ok(answer) => {
                let status = answer.status();
                let text = answer.text().await.unwrap_or_default();
                (false, format!("is not ready ({url}): {status} {text}"))
            }
            Err(_) => (false, format!("is not ready ({url}): no answer")),
        };
        let optional =
            Service::SERVICES.iter().any(|service| service.name() == name && service.is_optional());
        let (ok, detail) = if optional && !ok {
            (true, format!("{detail}; the shop sells without it, and customers are sent nothing"))
        } else {
            (ok, detail)
        };
        parts.push(Part { name, ok, detail });
    }
    Ok(parts)
}

impl Report {
    fn print(&self) {
        for (title, parts) in [("Processes", &self.processes), ("Health", &self.health)] {
            if !parts.is_empty() {
                println!("{title}");
            }
            for part in parts {
                let result = if part.ok { "ok    " } else { "BROKEN" };
                println!("  {result}  {} {}", part.name, part.detail);
            }
        }
        println!("\nThe books");
        self.rules.iter().for_each(Finding::print);
        if let Some(error) = &self.unreadable {
            println!("  BROKEN  they cannot be read: {error}");
        }
        for repair in &self.repairs {
            println!("  DONE    {repair}");
        }
    }

    fn advise(&self, hosts: &Hosts, data: &Path) {
        println!();
        if self.healthy {
            println!("The shop is healthy.");
            return;
        }
        let logs = match hosts {
            Hosts::Local(_) => format!("in {}/logs", data.display()),
            Hosts::Compose => "shown by `make logs`".to_owned(),
            Hosts::Given { .. } => "where its service runs".to_owned(),
        };
        if self.processes.iter().any(|part| !part.ok) {
            println!("Start the shop with `make run`; it heals what a killed run left behind.");
        } else if self.health.iter().any(|part| !part.ok) {
            println!("A service that is not ready names what it waits for above; its log is {logs}.");
        }
        if self.rules.iter().any(|rule| !rule.holds()) {
            println!(
                "GET /api/v1/order/{{id}}/events lists what happened to an order; search the logs, {logs}, for its \
                 correlation id."
            );
        }
        if self.rules.iter().flat_map(|rule| &rule.broken).any(|broken| broken.repair.is_some()) {
            println!("`stack doctor --apply` repairs what is safe, and says what it did.");
        }
    }
}
