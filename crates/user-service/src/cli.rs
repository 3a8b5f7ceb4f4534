//! `user-service admin`: for a shop in which nobody can log in as an administrator any more. It works on the database, so
//! it needs a shell of the machine and nothing else.

use chassis::BoxError;
use clap::{ArgMatches, Command, FromArgMatches, Subcommand};

use crate::{
    AppState,
    app::{self, NewAdmin},
    domain::{Email, Username},
};

/// See to administrators, with the settings that the environment has.
#[derive(Debug, Subcommand)]
enum Admin {
    /// Make an administrator, and print a password for them.
    Create {
        /// The address to log in with.
        #[arg(long)]
        email: String,
        /// The name of the account.
        #[arg(long)]
        username: String,
    },
    /// Make an administrator of the owner of an account, and enable it.
    Promote {
        /// The account's e-mail address.
        #[arg(long)]
        email: String,
    },
    /// Replace the password of an account, end all its sessions, and print the new password.
    Reset {
        /// The account's e-mail address.
        #[arg(long)]
        email: String,
    },
}

/// The subcommand `admin`.
pub fn command() -> Command {
    let about = "See to administrators: for a shop in which nobody can log in as one any more";
    Admin::augment_subcommands(Command::new("admin").about(about).subcommand_required(true))
}

/// Runs it.
///
/// # Errors
/// If there is no such account, or the database does not answer.
#[allow(clippy::print_stdout, reason = "this is what the subcommand is for")]
pub async fn run(state: &AppState, matches: &ArgMatches) -> Result<(), BoxError> {
    match Admin::from_arg_matches(matches)? {
        Admin::Create { email, username } => {
            let new = NewAdmin { email: Email::new(&email), username: Username::new(&username) };
            let password = app::create_admin(state, new).await?;
            println!("The administrator was made. Log in with this password, then change it: {password}");
        }
        Admin::Promote { email } => {
            app::promote_to_admin(state, &Email::new(&email)).await?;
            println!("The account is an administrator's from its next login on.");
        }
        Admin::Reset { email } => {
            let password = app::replace_password(state, &Email::new(&email)).await?;
            println!("All sessions have ended. Log in with this password, then change it: {password}");
        }
    }
    Ok(())
}
