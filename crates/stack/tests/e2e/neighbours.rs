//! `stack up` and the commands that go with it, twice on one machine.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use dev_servers::folder;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// A shop that a person runs in a folder of its own.
struct Shop {
    data: PathBuf,
    up: Child,
    /// Kept open, so that it can go on writing.
    _output: Lines<BufReader<ChildStdout>>,
    _temporary: TempDir,
}

impl Shop {
    /// Runs `stack up` until it is healthy. A .env may choose the gateway's port, for both of them.
    async fn open(gateway: &str) -> Self {
        let temporary = folder::temporary(None).unwrap();
        let data = temporary.path().join("data");
        let mut up = stack("up", &data);
        let mut up = up.env("GATEWAY_PORT", gateway).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(up.stdout.take().unwrap()).lines();
        while let Some(line) = lines.next_line().await.unwrap() {
            if line.starts_with("The shop is healthy") {
                return Self { data, up, _output: lines, _temporary: temporary };
            }
        }
        panic!("it did not become healthy: {:?}", up.wait().await);
    }

    async fn run(&self, command: &str) -> Output {
        stack(command, &self.data).output().await.unwrap()
    }

    async fn close(mut self) {
        self.interrupt();
        assert!(self.up.wait().await.unwrap().success());
        assert!(self.run("clean").await.status.success());
    }

    /// What Ctrl-C does to a process in the foreground.
    fn interrupt(&self) {
        if let Some(pid) = self.up.id().and_then(|pid| i32::try_from(pid).ok()) {
            let _gone_already = kill(Pid::from_raw(pid), Signal::SIGINT);
        }
    }
}

/// A test that fails leaves nothing running.
impl Drop for Shop {
    fn drop(&mut self) {
        self.interrupt();
        while matches!(self.up.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn stack(command: &str, data: &Path) -> Command {
    let mut stack = Command::new(env!("CARGO_BIN_EXE_stack"));
    stack.arg(command).arg("--data").arg(data);
    stack
}

#[tokio::test]
async fn two_shops_run_on_one_machine_and_each_is_found_by_its_folder() {
    let (one, other) = tokio::join!(Shop::open("11801"), Shop::open("11802"));
    for shop in [&one, &other] {
        let doctor = shop.run("doctor").await;
        let words = String::from_utf8(doctor.stdout).unwrap();
        assert!(doctor.status.success() && words.contains("The shop is healthy."), "{words}");
        assert_eq!(open_to_others(&shop.data), Vec::<PathBuf>::new());
    }
    one.close().await;
    assert!(other.run("doctor").await.status.success(), "it does not need its neighbour");
    other.close().await;
}

/// Everything in a folder that others than its owner can read.
fn open_to_others(folder: &Path) -> Vec<PathBuf> {
    let mode = |path: &Path| path.symlink_metadata().map_or(0, |file| file.permissions().mode());
    let readable = |path: &Path| !path.is_symlink() && mode(path) & 0o066 != 0;
    let mut found: Vec<PathBuf> =
        Some(folder.to_owned()).filter(|folder| readable(folder)).into_iter().collect();
    for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() && !path.is_symlink() {
            found.extend(open_to_others(&path));
        } else if readable(&path) {
            found.push(path);
        }
    }
    found
}
