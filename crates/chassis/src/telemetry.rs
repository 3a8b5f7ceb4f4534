//! Logs and metrics of a process. Log fields have fixed names: `correlation_id`, `order.id`, `event.type`, `event.id`.
//! Secrets, tokens, email addresses and bodies are never logged.

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

use crate::{
    BoxError,
    config::{Common, LogFormat},
};

/// Starts logging to standard output.
///
/// # Errors
/// If the filter is malformed, or logging was started already.
pub fn init(common: &Common) -> Result<(), BoxError> {
    let logs =
        tracing_subscriber::fmt().with_env_filter(EnvFilter::try_new(&common.log_level)?).with_target(true);
    match common.log_format {
        LogFormat::Json => {
            logs.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init()
        }
        LogFormat::Pretty => logs.compact().try_init(),
    }
}

/// Starts recording metrics; the handle renders them for Prometheus.
///
/// # Errors
/// If a recorder was installed already.
pub fn metrics() -> Result<PrometheusHandle, BoxError> {
    Ok(PrometheusBuilder::new().install_recorder()?)
}
