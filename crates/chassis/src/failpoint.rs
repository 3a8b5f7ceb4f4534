//! Failpoints: places where a process of a debug build can be made to die, to show that nothing is lost there.
//!
//! Every step that leaves a trace outside of the process, such as a commit, a publication, an acknowledgement or a call, is
//! awaited by [`around`], which has a failpoint before it and one after it. `stack chaos --failpoints` kills each service at
//! each of them. A release build has none.

use std::{
    fmt::Display,
    fs::{self, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
    sync::{LazyLock, Mutex, PoisonError},
};

use nix::sys::signal::{Signal, raise};

/// Names a folder with a file for each program that is to die: the points at which it has died, one a line. A program
/// without a file lives.
const VARIABLE: &str = "FAILPOINTS";

/// Awaits a step, with a failpoint on either side: `before {step} {of}` and `after {step} {of}`.
///
/// `of` distinguishes what this line of the source does for different things, such as streams. It is written to a file.
pub async fn around<T>(step: &'static str, of: impl Display + Send, work: impl Future<Output = T>) -> T {
    pass("before", step, &of);
    let outcome = work.await;
    pass("after", step, &of);
    outcome
}

fn pass(side: &str, step: &str, of: &dyn Display) {
    static FILE: LazyLock<Option<PathBuf>> = LazyLock::new(file);
    if cfg!(debug_assertions)
        && let Some(file) = FILE.as_deref()
    {
        die_once(file, &format!("{side} {step} {of}"));
    }
}

/// The file of this program.
#[allow(clippy::disallowed_methods, reason = "no setting of a service: only debug builds know it")]
fn file() -> Option<PathBuf> {
    let folder = std::env::var(VARIABLE).ok()?;
    Some(Path::new(&folder).join(std::env::current_exe().ok()?.file_name()?))
}

/// Ends this process as a crash would, unless it has died at this point before.
fn die_once(file: &Path, point: &str) {
    static DYING: Mutex<()> = Mutex::new(());
    let Ok(died) = fs::read_to_string(file) else { return };
    if died.lines().any(|known| known == point) {
        return;
    }
    // Held to the end: nobody else dies at the same moment, at a point that would then count as tried.
    let _dying = DYING.lock().unwrap_or_else(PoisonError::into_inner);
    let noted = OpenOptions::new().append(true).open(file).and_then(|mut file| writeln!(file, "{point}"));
    if noted.is_ok() {
        // What cannot be sent ends nothing; the point then counts although nobody died, and the report misses a death.
        let _sent = raise(Signal::SIGKILL);
    }
}
