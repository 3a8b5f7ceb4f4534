//! What user-service can be told from outside.

use chassis::{Common, Configuration, Database, Faults, config::AppEnv};
use clap::Args;
use garde::Validate;
use secrecy::{ExposeSecret, SecretString};

use crate::domain::{Email, NewPassword};

/// The password of the development administrator, which everybody knows.
const WELL_KNOWN_PASSWORD: &str = "admin123";
const WELL_KNOWN_EMAIL: &str = "admin@admin.com";

/// The configuration of user-service.
#[derive(Debug, Clone, Args)]
pub struct Config {
    /// What every service has.
    #[command(flatten)]
    pub common: Common,
    /// Where the accounts are.
    #[command(flatten)]
    pub database: Database,
    /// The database's name.
    #[arg(long, env = "USER_DB_NAME", default_value = "user_db")]
    pub db_name: String,
    /// The e-mail address of the administrator that the first run makes. In development admin@admin.com if empty.
    #[arg(long, env, default_value = "")]
    pub admin_email: String,
    /// The administrator's first password. In production none is made without it; in development admin123 if empty.
    #[arg(long, env, hide_env_values = true, default_value = "")]
    pub admin_password: SecretString,
}

/// The administrator that the first run makes.
#[derive(Clone)]
pub struct FirstAdmin {
    /// To log in with.
    pub email: Email,
    /// To log in with.
    pub password: NewPassword,
    /// Whether everybody knows the password.
    pub well_known: bool,
}

impl Configuration for Config {
    fn common(&self) -> &Common {
        &self.common
    }

    fn database(&self) -> Option<(&Database, &str)> {
        Some((&self.database, &self.db_name))
    }

    fn check(&self, faults: &mut Faults) {
        let password = self.admin_password.expose_secret();
        let (with_email, with_password) = (!self.admin_email.is_empty(), !password.is_empty());
        faults.require(
            !with_email || Email::new(&self.admin_email).validate().is_ok(),
            "ADMIN_EMAIL is not an e-mail address",
        );
        faults.require(
            !with_password || NewPassword::new(password).validate().is_ok(),
            "ADMIN_PASSWORD must have 8 to 128 characters",
        );
        if self.common.app_env == AppEnv::Production {
            faults.require(
                with_email == with_password,
                "ADMIN_EMAIL and ADMIN_PASSWORD make the first administrator together: set both or neither",
            );
            faults.require(
                password != WELL_KNOWN_PASSWORD,
                "ADMIN_PASSWORD is the example's value, which everybody knows: choose another",
            );
        }
    }
}

impl Config {
    /// The administrator to make if there is none. In production only one that was asked for.
    pub fn first_admin(&self) -> Option<FirstAdmin> {
        let password = self.admin_password.expose_secret();
        if self.common.app_env == AppEnv::Production && password.is_empty() {
            return None;
        }
        let or = |given: &str, otherwise: &str| if given.is_empty() { otherwise } else { given }.to_owned();
        let password = or(password, WELL_KNOWN_PASSWORD);
        Some(FirstAdmin {
            email: Email::new(&or(&self.admin_email, WELL_KNOWN_EMAIL)),
            well_known: password == WELL_KNOWN_PASSWORD,
            password: NewPassword::new(&password),
        })
    }
}
