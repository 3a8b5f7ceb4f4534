//! Errors of any kind, for the places that can only report them.

/// An error that its caller can only report, such as one at start-up.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// An error and its causes in one line, for a log.
pub fn error_chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
