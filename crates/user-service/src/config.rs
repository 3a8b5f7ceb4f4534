//! The configuration of user-service.

use chassis::{
    Common, ConfigErrors, Configuration, Database, Grpc,
    config::{AppEnv, Switch},
};
use clap::Args;
use garde::Validate;
use secrecy::{ExposeSecret, SecretString};

use crate::domain::{Email, NewPassword, RateLimits};

/// The password of the development administrator, which everybody knows.
const WELL_KNOWN_PASSWORD: &str = "admin123";
const WELL_KNOWN_EMAIL: &str = "admin@admin.com";
/// How much more one network or account may ask for in development, where everybody has the same address and tests log in
/// as the same few people.
const IN_DEVELOPMENT: u32 = 100;

/// The configuration of user-service.
#[derive(Debug, Clone, Args)]
pub struct Config {
    /// What every service has.
    #[command(flatten)]
    pub common: Common,
    /// Where the accounts are.
    #[command(flatten)]
    pub database: Database,
    /// Where notification-service calls.
    #[command(flatten)]
    pub grpc: Grpc,
    /// The database's name.
    #[arg(long, env = "USER_DB_NAME", default_value = "user_db")]
    pub db_name: String,
    /// The e-mail address of the administrator that the first run makes. In development admin@admin.com if empty.
    #[arg(long, env, default_value = "")]
    pub admin_email: String,
    /// The administrator's first password. In production none is made without it; in development admin123 if empty.
    #[arg(long, env, hide_env_values = true, default_value = "")]
    pub admin_password: SecretString,
    /// How much one party may ask for.
    #[command(flatten)]
    pub rates: Rates,
}

/// How much one party may ask for in ten minutes; 0 for no limit.
#[derive(Debug, Clone, Args)]
pub struct Rates {
    /// Registrations from one network in ten minutes, 0 for no limit; 20 if it is not set, 2000 in development.
    #[arg(long, env)]
    pub registrations_per_network: Option<u32>,
    /// Successful logins from one network in ten minutes, known devices not counted, 0 for no limit; 600 if it is not
    /// set, 60000 in development.
    #[arg(long, env)]
    pub logins_per_network: Option<u32>,
    /// Successful logins of one account in ten minutes, 0 for no limit; 60 if it is not set, 6000 in development.
    #[arg(long, env)]
    pub logins_per_account: Option<u32>,
    /// Changes of the password or the e-mail address that one account may try in ten minutes, 0 for no limit.
    #[arg(long, env, default_value_t = 10)]
    pub password_checks_per_account: u32,
    /// E-mails of one kind that may be asked for with one address or account in ten minutes, 0 for no limit; 5 if it is not
    /// set, 500 in development.
    #[arg(long, env)]
    pub mails_per_account: Option<u32>,
    /// E-mails to reset passwords that one network may ask for in ten minutes, 0 for no limit; 20 if it is not set, 2000 in
    /// development.
    #[arg(long, env)]
    pub mails_per_network: Option<u32>,
}

/// The administrator that the first run makes.
#[derive(Clone)]
pub struct FirstAdmin {
    /// The address that the administrator logs in with.
    pub email: Email,
    /// The password to log in with; the account keeps only its hash.
    pub password: NewPassword,
    /// Whether everybody knows the password, since it is the one of the example settings.
    pub well_known: bool,
}

impl Configuration for Config {
    fn common(&self) -> &Common {
        &self.common
    }

    fn grpc(&self) -> Option<&Grpc> {
        Some(&self.grpc)
    }

    fn database(&self) -> Option<(&Database, &str)> {
        Some((&self.database, &self.db_name))
    }

    fn check(&self, errors: &mut ConfigErrors) {
        let password = self.admin_password.expose_secret();
        let (with_email, with_password) = (!self.admin_email.is_empty(), !password.is_empty());
        errors.require(
            !with_email || Email::new(&self.admin_email).validate().is_ok(),
            "ADMIN_EMAIL is not an e-mail address",
        );
        errors.require(
            !with_password || NewPassword::new(password).validate().is_ok(),
            "ADMIN_PASSWORD must have 8 to 128 characters",
        );
        if self.common.app_env == AppEnv::Production {
            errors.require(
                with_email == with_password,
                "ADMIN_EMAIL and ADMIN_PASSWORD make the first administrator together: set both or neither",
            );
            errors.require(
                password != WELL_KNOWN_PASSWORD,
                "ADMIN_PASSWORD is the example's value, which everybody knows: choose another",
            );
            errors.require(
                !with_password
                    || password == WELL_KNOWN_PASSWORD
                    || !NewPassword::new(password).is_common("", &self.admin_email),
                "ADMIN_PASSWORD is one of the first that anybody would guess: choose another",
            );
            if with_password {
                errors.require_distinct("ADMIN_PASSWORD", &self.admin_password);
            }
        }
    }
}

impl Config {
    /// How much one party may ask for. What is not set depends on where the shop runs.
    pub fn rate_limits(&self) -> RateLimits {
        let development = self.common.app_env == AppEnv::Development;
        let or = |set: Option<u32>, otherwise: u32| {
            set.unwrap_or(if development { otherwise * IN_DEVELOPMENT } else { otherwise })
        };
        let limits = RateLimits {
            registrations_per_network: or(self.rates.registrations_per_network, 20),
            logins_per_network: or(self.rates.logins_per_network, 600),
            logins_per_account: or(self.rates.logins_per_account, 60),
            password_checks_per_account: self.rates.password_checks_per_account,
            mails_per_account: or(self.rates.mails_per_account, 5),
            mails_per_network: or(self.rates.mails_per_network, 20),
            private_addresses: development,
        };
        match self.common.rate_limit {
            Switch::On => limits,
            Switch::Off => limits.off(),
        }
    }

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
