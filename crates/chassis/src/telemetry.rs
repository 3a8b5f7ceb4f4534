//! Logs and metrics of a process. Log fields have fixed names: `correlation_id`, `order.id`, `event.type`, `event.id`.
//! Secrets, tokens, email addresses and bodies are never logged.

use std::{
    convert::Infallible,
    io::{self, BufWriter, Write},
    time::Duration,
};

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;

use crate::{
    BoxError, Lifecycle,
    config::{LogFormat, Logs},
};

/// How often samples are added up.
const UPKEEP: Duration = Duration::from_secs(5);
/// Upper bounds of the histograms' buckets, in seconds: from a read out of memory to the deadline of a request.
const BUCKETS: [f64; 14] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0];

/// How many lines may wait for standard output; then whoever logs waits with them.
const WAITING_LINES: usize = 8_192;

/// Starts logging to standard output, from a thread of its own. Dropping the guard writes what is left.
///
/// # Errors
/// If the filter is malformed, or logging was started already.
pub fn init(logs: &Logs) -> Result<WorkerGuard, BoxError> {
    let (writer, guard) = writer(io::stdout());
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_new(&logs.log_level)?)
        .with_target(true)
        .with_writer(writer);
    match logs.log_format {
        LogFormat::Json => {
            subscriber.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init()?;
        }
        LogFormat::Pretty => subscriber.compact().try_init()?,
    }
    Ok(guard)
}

/// Writes lines together as long as there are more of them, and drops none.
fn writer(to: impl Write + Send + 'static) -> (NonBlocking, WorkerGuard) {
    NonBlockingBuilder::default()
        .lossy(false)
        .buffered_lines_limit(WAITING_LINES)
        .thread_name("logs")
        .finish(BufWriter::with_capacity(64 * 1024, to))
}

/// Starts recording metrics; the handle renders them for Prometheus.
///
/// # Errors
/// If a recorder was installed already.
pub fn metrics(lifecycle: &Lifecycle) -> Result<PrometheusHandle, BoxError> {
    let recorder = recorder()?;
    let handle = recorder.handle();
    metrics::set_global_recorder(recorder)?;
    maintain(&handle, UPKEEP, lifecycle);
    Ok(handle)
}

/// A recorder whose histograms have fixed buckets: how much it keeps depends on how many series there are, and not on how
/// often they are written.
///
/// # Errors
/// If there were no buckets.
pub fn recorder() -> Result<PrometheusRecorder, BoxError> {
    Ok(PrometheusBuilder::new().set_buckets(&BUCKETS)?.build_recorder())
}

/// Adds up the samples of histograms, which the recorder otherwise keeps one by one until somebody scrapes them.
fn maintain(handle: &PrometheusHandle, period: Duration, lifecycle: &Lifecycle) {
    lifecycle.every("metrics", period, handle, async |handle: PrometheusHandle| {
        handle.run_upkeep();
        Ok::<_, Infallible>(0)
    });
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// Takes lines as slowly as a terminal: every write waits for its turn.
    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            std::thread::yield_now();
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn every_line_is_written_however_many_come_at_once() {
        let sink = Sink::default();
        let (mut writer, guard) = writer(sink.clone());
        let lines: Vec<u8> =
            (0..3 * WAITING_LINES).flat_map(|n| format!("line {n}\n").into_bytes()).collect();
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            writer.write_all(line).unwrap();
        }
        drop(guard);
        assert!(*sink.0.lock().unwrap() == lines, "lines are missing");
    }

    /// The memory of this process, in bytes.
    fn resident() -> u64 {
        let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
        pages.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
    }

    #[tokio::test]
    async fn a_million_samples_that_nobody_scrapes_take_no_memory() {
        const ROUNDS: u64 = 100;
        const SAMPLES: u64 = 10_000;
        const BOUND: u64 = 4 * 1024 * 1024;
        let (recorder, lifecycle) = (recorder().unwrap(), Lifecycle::new());
        let handle = recorder.handle();
        maintain(&handle, Duration::from_millis(1), &lifecycle);
        let before = resident();
        for _ in 0..ROUNDS {
            metrics::with_local_recorder(&recorder, || {
                let histogram = metrics::histogram!("request_seconds", "route" => "/");
                (0..SAMPLES).for_each(|n| histogram.record(f64::from(u32::try_from(n).unwrap()) / 1000.0));
            });
            tokio::task::yield_now().await;
        }
        let grown = resident().saturating_sub(before);
        assert!(grown < BOUND, "{grown} bytes");
        let text = handle.render();
        assert!(
            text.contains(&format!(r#"request_seconds_count{{route="/"}} {}"#, ROUNDS * SAMPLES)),
            "{text}"
        );
        assert!(text.contains(r#"request_seconds_bucket{route="/",le="0.1"}"#), "{text}");
        assert!(text.len() < 4096, "{} bytes", text.len());
        assert!(lifecycle.stop().await);
    }
}
