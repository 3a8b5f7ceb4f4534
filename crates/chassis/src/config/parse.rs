//! Reading a configuration so that all of its errors are known together: clap by itself stops at the first.

use std::ffi::OsString;

use clap::{Command, error::ErrorKind};

use super::{AppEnv, ConfigErrors, Configuration};

/// Reads a configuration from flags and environment.
///
/// # Errors
/// Every value that does not parse, every one that is missing and every rule that is broken, together. `--help` and
/// wrong flags end the process as clap does.
pub fn parse<C: Configuration>(command: Command, arguments: Vec<OsString>) -> Result<C, ConfigErrors> {
    let mut errors = ConfigErrors::default();
    let mut lenient = without_empty(command);
    loop {
        match lenient.clone().try_get_matches_from(&arguments) {
            Ok(matches) if errors.is_empty() => return finish(&matches),
            Ok(_) => return Err(errors),
            Err(error) => match culprit(&error) {
                Some(name) => {
                    errors.add(first_line(&error));
                    lenient = without(lenient, &name);
                }
                None if error.kind() == ErrorKind::MissingRequiredArgument => {
                    for name in missing(&error) {
                        errors.add(format!("{name} is not set"));
                    }
                    return Err(errors);
                }
                None => error.exit(),
            },
        }
    }
}

/// A variable that is set to nothing, as compose files do it, counts as not set.
fn without_empty(command: Command) -> Command {
    let is_empty =
        |arg: &&clap::Arg| arg.get_env().and_then(std::env::var_os).is_some_and(|value| value.is_empty());
    let names: Vec<_> = command.get_arguments().filter(is_empty).map(|arg| arg.get_id().clone()).collect();
    names.into_iter().fold(command, |command, name| command.mut_arg(name, |arg| arg.env(None::<&str>)))
}

fn finish<C: Configuration>(matches: &clap::ArgMatches) -> Result<C, ConfigErrors> {
    let mut errors = ConfigErrors::default();
    let config = C::from_arg_matches(matches).map_err(|error| {
        let mut unread = ConfigErrors::default();
        unread.add(first_line(&error));
        unread
    })?;
    config.common().check(&mut errors);
    if let Some((database, _)) = config.database() {
        let env = config.common().app_env;
        errors.require(!database.db_user.is_empty(), "DB_USER is empty");
        if env == AppEnv::Production {
            errors.check_secret(env, "DB_PASSWORD", &database.db_password);
        }
        errors.require(database.db_max_connections >= 2, "DB_MAX_CONNECTIONS must be at least 2");
    }
    config.check(&mut errors);
    if errors.is_empty() { Ok(config) } else { Err(errors) }
}

/// The flag whose value did not parse, if that is what is wrong.
fn culprit(error: &clap::Error) -> Option<String> {
    let about_value = matches!(error.kind(), ErrorKind::ValueValidation | ErrorKind::InvalidValue);
    let context = error.get(clap::error::ContextKind::InvalidArg)?;
    let flag = context.to_string();
    let name = flag.trim_start_matches("--").split_whitespace().next()?.replace('-', "_");
    about_value.then_some(name)
}

fn missing(error: &clap::Error) -> Vec<String> {
    let Some(clap::error::ContextValue::Strings(flags)) = error.get(clap::error::ContextKind::InvalidArg)
    else {
        return vec![first_line(error)];
    };
    let name = |flag: &String| flag.trim_start_matches("--").split_whitespace().next().map(str::to_uppercase);
    flags.iter().filter_map(name).map(|name| name.replace('-', "_")).collect()
}

/// The command without the value that was found wrong, so that the search for further errors can go on.
fn without(command: Command, name: &str) -> Command {
    command.mut_arg(name, |arg| {
        arg.env(None::<&str>)
            .default_value(None::<&str>)
            .required(false)
            .value_parser(clap::value_parser!(OsString))
    })
}

fn first_line(error: &clap::Error) -> String {
    let text = error.to_string();
    text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned()
}
