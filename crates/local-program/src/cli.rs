//! The command line: `serve` and `healthcheck`.

use std::{ffi::OsString, future::Future, net::SocketAddr, pin::pin, process::ExitCode};

use chassis::{
    BoxError,
    config::{AppEnv, Logs},
    lifecycle::signalled,
    service::{healthcheck, to_exit_code},
    telemetry,
};
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use tokio_util::sync::CancellationToken;

/// What [`run`] has to know of a program. It is the program's settings, read from flags and environment variables.
pub trait LocalProgram: Args + Send {
    /// The program's name.
    const NAME: &'static str;
    /// What it is, for `--help`.
    const ABOUT: &'static str;

    /// Where it answers HTTP.
    fn http_addr(&self) -> SocketAddr;

    /// The setting by which it is not needed, if it is not.
    fn unneeded(&self) -> Option<String>;

    /// Runs it until `shutdown` is cancelled.
    fn serve(self, shutdown: CancellationToken) -> impl Future<Output = Result<(), BoxError>> + Send;
}

#[derive(Parser)]
struct CommandLine<P: Args> {
    /// What to do; `serve` if not given.
    #[command(subcommand)]
    command: Option<Command>,

    #[command(flatten)]
    program: P,

    /// It runs in `development` only: what it shows and does is open to everybody who reaches it.
    #[arg(long, env, value_enum, default_value = "production")]
    app_env: AppEnv,

    #[command(flatten)]
    logs: Logs,
}

#[derive(Clone, Copy, PartialEq, Eq, Subcommand)]
enum Command {
    /// Run it.
    Serve,
    /// Ask a running one whether it lives: exit code 0 or 1.
    Healthcheck,
}

/// The whole of a program's `main`.
pub fn run<P: LocalProgram>() -> ExitCode {
    to_exit_code(P::NAME, async {
        let command_line = parse::<P>(std::env::args_os())?;
        let _logs = telemetry::init(&command_line.logs)?;
        execute(command_line).await
    })
}

fn parse<P: LocalProgram>(
    arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>,
) -> clap::error::Result<CommandLine<P>> {
    let command =
        CommandLine::<P>::command().name(P::NAME).about(P::ABOUT).version(env!("CARGO_PKG_VERSION"));
    let matches = command.mut_args(|argument| argument.global(true)).get_matches_from(arguments);
    CommandLine::from_arg_matches(&matches)
}

/// Does what a command line says. Returns whether all went well: a running program that is asked may not live.
async fn execute<P: LocalProgram>(command_line: CommandLine<P>) -> Result<bool, BoxError> {
    let CommandLine { command, program, app_env, .. } = command_line;
    match command.unwrap_or(Command::Serve) {
        Command::Healthcheck => return healthcheck(program.http_addr()).await,
        Command::Serve if app_env == AppEnv::Production => {
            tracing::info!("APP_ENV is not \"development\": {} is for development only", P::NAME);
        }
        Command::Serve => match program.unneeded() {
            Some(reason) => tracing::info!("{reason}: {} is not needed", P::NAME),
            None => serve(program).await?,
        },
    }
    Ok(true)
}

async fn serve(program: impl LocalProgram) -> Result<(), BoxError> {
    let shutdown = CancellationToken::new();
    let mut serving = pin!(program.serve(shutdown.clone()));
    tokio::select! {
        ended = &mut serving => return ended,
        asked = signalled() => asked?,
    }
    shutdown.cancel();
    serving.await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Args)]
    struct Kettle {
        /// Whether anybody wants tea.
        #[arg(long, default_value = "yes")]
        tea: String,
    }

    impl LocalProgram for Kettle {
        const NAME: &'static str = "kettle";
        const ABOUT: &'static str = "Boils water.";

        fn http_addr(&self) -> SocketAddr {
            ([127, 0, 0, 1], 0).into()
        }

        fn unneeded(&self) -> Option<String> {
            (self.tea == "no").then(|| "nobody wants tea".to_owned())
        }

        async fn serve(self, _shutdown: CancellationToken) -> Result<(), BoxError> {
            Err("it boils".into())
        }
    }

    #[tokio::test]
    async fn it_runs_in_development_only_and_where_it_is_needed() {
        let outcome = async |flags: &[&'static str]| {
            let command_line = parse::<Kettle>([&["kettle"], flags].concat()).unwrap();
            execute(command_line).await.map_err(|error| error.to_string())
        };
        assert_eq!(outcome(&[]).await, Ok(true), "production, unless it says otherwise");
        assert_eq!(outcome(&["serve", "--app-env=development", "--tea=no"]).await, Ok(true));
        assert_eq!(outcome(&["--app-env=development"]).await, Err("it boils".to_owned()));
        assert!(outcome(&["healthcheck"]).await.is_err(), "nobody is there to be asked");
    }
}
