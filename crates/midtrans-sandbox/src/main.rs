//! Starts the local Midtrans, or asks whether it runs.

fn main() -> std::process::ExitCode {
    local_program::run::<midtrans_sandbox::Config>()
}
