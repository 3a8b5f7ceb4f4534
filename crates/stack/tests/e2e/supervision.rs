//! `stack up` as a person runs it, while its processes die.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use dev_servers::folder;
use dev_servers::identity::Identity;
use nix::sys::signal::Signal;
use stack::actors::Poller;
use stack::api::Api;
use stack::shop::{Service, pid_file};
use tempfile::TempDir;

/// A shop that `stack up` runs.
struct Up {
    folder: TempDir,
    program: Child,
    api: Api,
}

impl Drop for Up {
    fn drop(&mut self) {
        drop(self.program.kill());
        drop(folder::remove(&self.data(), "postgres"));
    }
}

impl Up {
    async fn start() -> Self {
        let folder = folder::temporary(None).unwrap();
        let base = rand::random_range(12_000..20_000_u16);
        let output = std::fs::File::create(folder.path().join("output")).unwrap();
        let program = Command::new(env!("CARGO_BIN_EXE_stack"))
            .args(["up", "--data"])
            .arg(folder.path().join("data"))
            .env("STACK_PORT_BASE", base.to_string())
            .env_remove("GATEWAY_PORT")
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap();
        let api = Api::new(format!("http://127.0.0.1:{base}")).unwrap();
        let mut up = Self { folder, program, api };
        up.wait_until("The shop is healthy").await;
        up
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn output(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("output")).unwrap()
    }

    async fn wait_until(&mut self, words: &str) {
        let mut poller = Poller::new();
        while !self.output().contains(words) {
            let ended = self.program.try_wait().unwrap();
            assert!(ended.is_none(), "stack up ended: {}", self.output());
            poller.wait(|| format!("{words:?} is not in {}", self.output())).await.unwrap();
        }
    }

    /// Kills a process, and waits until another one runs in its place.
    async fn kill(&mut self, name: &str) {
        let file = pid_file(&self.data(), name);
        let before = running(&file).await;
        before.signal(Signal::SIGKILL);
        let mut poller = Poller::new();
        while running(&file).await == before {
            poller.wait(|| format!("{name} was not started again: {}", self.output())).await.unwrap();
        }
    }

    async fn wait_healthy(&self) {
        let mut poller = Poller::new();
        loop {
            let health = self.api.get("/health", None).await;
            if health.as_ref().is_ok_and(|health| health.status == 200) {
                return;
            }
            poller.wait(|| format!("{health:?}: {}", self.output())).await.unwrap();
        }
    }

    /// Asks it to end, and returns whether it says that all was well.
    fn end(mut self) -> bool {
        dev_servers::identity::send(self.program.id(), Signal::SIGTERM);
        self.program.wait().unwrap().success()
    }
}

/// The process whose identity is in a file, once there is one.
async fn running(file: &Path) -> Identity {
    let mut poller = Poller::new();
    loop {
        if let Some(identity) = Identity::read(file) {
            return identity;
        }
        poller.wait(|| format!("there is no {}", file.display())).await.unwrap();
    }
}

#[tokio::test]
async fn what_dies_is_started_again() {
    let mut up = Up::start().await;
    for name in ["order-service", "nginx", "redis", "postgres"] {
        up.kill(name).await;
        up.wait_healthy().await;
    }
    let output = up.output();
    for name in ["order-service", "nginx", "Redis", "PostgreSQL"] {
        let died = format!("{name} died (signal: 9 (SIGKILL)); it is started again in 0.2 s");
        assert!(output.contains(&died) && output.contains(&format!("{name} runs again")), "{output}");
    }
    assert!(up.end());
}

#[tokio::test]
async fn a_service_that_dies_again_and_again_is_given_up_and_the_others_go_on() {
    let mut up = Up::start().await;
    let name = Service::Cart.name();
    for _ in 0..4 {
        up.kill(name).await;
    }
    running(&pid_file(&up.data(), name)).await.signal(Signal::SIGKILL);
    up.wait_until("for the 5th time within 60 s and is given up").await;
    let output = up.output();
    assert!(output.contains(&format!("{name}.log")), "its log is named: {output}");
    assert!(output.contains("The shop goes on without cart-service"), "{output}");
    assert_eq!(up.api.get("/api/v1/products", None).await.unwrap().status, 200);
    assert_eq!(up.api.get("/health", None).await.unwrap().status, 503);
    assert!(!up.end(), "a shop that was degraded says so when it ends");
}

#[tokio::test]
async fn the_shop_ends_with_a_server_that_nothing_works_without() {
    let mut up = Up::start().await;
    for _ in 0..4 {
        up.kill("redis").await;
    }
    running(&pid_file(&up.data(), "redis")).await.signal(Signal::SIGKILL);
    assert!(!up.program.wait().unwrap().success());
    let output = up.output();
    assert!(output.contains("Redis died") && output.contains("nothing works without it"), "{output}");
    assert!(!pid_file(&up.data(), Service::Order.name()).exists(), "all others were stopped in order");
}
