//! Starts the mailbox, or asks whether it runs.

fn main() -> std::process::ExitCode {
    local_program::run::<mailbox::Config>()
}
