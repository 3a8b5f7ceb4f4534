//! The settings of payment-service.

use std::time::Duration;

use chassis::{Common, ConfigErrors, Configuration, Database, Grpc, config::AppEnv};
use clap::{Args, ValueEnum};
use secrecy::{ExposeSecret, SecretString};

/// The server key that `.env.example` ships: it opens the local Midtrans only.
const EXAMPLE_KEY: &str = "SB-Mid-server-local";

/// A page that ends sooner cannot be used by a person.
const SHORTEST_EXPIRY: Duration = Duration::from_secs(20);

/// Which Midtrans is talked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum MidtransEnvironment {
    /// The project's own, for a shop without an account.
    Local,
    /// Midtrans' public sandbox: no real money.
    Sandbox,
    /// Real money.
    Production,
}

impl MidtransEnvironment {
    /// What the ids of its payments begin with, so that people see where one belongs.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Sandbox => "sandbox",
            Self::Production => "production",
        }
    }
}

/// The settings of payment-service.
#[derive(Debug, Clone, Args)]
pub struct Config {
    /// What every service has.
    #[command(flatten)]
    pub common: Common,
    /// PostgreSQL.
    #[command(flatten)]
    pub database: Database,
    /// The database's name.
    #[arg(long, env = "PAYMENT_DB_NAME", default_value = "payment_db")]
    pub db_name: String,
    /// Where order-service calls.
    #[command(flatten)]
    pub grpc: Grpc,
    /// Which Midtrans is talked to.
    #[arg(long, env, value_enum, default_value = "local")]
    pub midtrans_environment: MidtransEnvironment,
    /// The server key of that environment; notifications are signed with it.
    #[arg(long, env, hide_env_values = true, default_value = EXAMPLE_KEY)]
    pub midtrans_server_key: SecretString,
    /// The client key of that environment, for front ends that show Midtrans' page inside their own.
    #[arg(long, env, default_value = "SB-Mid-client-local")]
    pub midtrans_client_key: String,
    /// Base URL of the local Midtrans.
    #[arg(long, env, default_value = "http://midtrans-sandbox:8090/midtrans")]
    pub midtrans_local_url: String,
    /// How long a payment page can be used, in minutes.
    #[arg(long, env, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=10_080))]
    pub payment_expiry_minutes: u64,
    /// The same in seconds, instead of the minutes: for tests.
    #[arg(long, env, value_parser = clap::value_parser!(u64).range(20..=604_800))]
    pub payment_expiry_seconds: Option<u64>,
    /// How long after a payment its money may be taken back by the bank, and Midtrans is asked about it once a day, in days.
    #[arg(long, env, default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..=720))]
    pub payment_watch_days: u64,
    /// Where customers come back to from paying; by default `PUBLIC_URL/paid`.
    #[arg(long, env)]
    pub payment_finish_url: Option<String>,
}

impl Config {
    /// How long a payment page can be used if this long was asked for; zero for as long as possible. The seconds of tests
    /// count whatever was asked.
    pub fn payment_expiry(&self, asked: Duration) -> Duration {
        let longest = Duration::from_mins(self.payment_expiry_minutes);
        let lifetime = if asked.is_zero() { longest } else { asked.clamp(SHORTEST_EXPIRY, longest) };
        self.payment_expiry_seconds.map_or(lifetime, Duration::from_secs)
    }

    /// How long after a payment its money may be taken back.
    pub fn watch(&self) -> Duration {
        Duration::from_hours(24 * self.payment_watch_days)
    }

    /// Where customers come back to from paying.
    pub fn finish_url(&self) -> String {
        let given = self.payment_finish_url.clone().filter(|url| !url.is_empty());
        given.unwrap_or_else(|| format!("{}/paid", self.common.public_url))
    }

    /// Keys of the sandbox begin with `SB-`; newer ones may not, so that the prefix is no proof of the opposite.
    fn check_key_environment(&self, errors: &mut ConfigErrors) {
        let keys = [
            ("MIDTRANS_SERVER_KEY", self.midtrans_server_key.expose_secret()),
            ("MIDTRANS_CLIENT_KEY", self.midtrans_client_key.as_str()),
        ];
        for (name, key) in keys {
            errors.require(
                self.midtrans_environment != MidtransEnvironment::Production || !key.starts_with("SB-"),
                format!("{name} is one of the sandbox, but MIDTRANS_ENVIRONMENT is production: copy that of production from Midtrans' dashboard"),
            );
        }
    }

    /// How Midtrans is reached.
    pub fn midtrans(&self) -> midtrans::Config {
        let key = self.midtrans_server_key.clone();
        match self.midtrans_environment {
            MidtransEnvironment::Local => midtrans::Config::at(&self.midtrans_local_url, key),
            MidtransEnvironment::Sandbox => midtrans::Config::sandbox(key),
            MidtransEnvironment::Production => midtrans::Config::production(key),
        }
    }
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
        let local = self.midtrans_environment == MidtransEnvironment::Local;
        let production = self.common.app_env == AppEnv::Production;
        let key = self.midtrans_server_key.expose_secret();
        errors.require(
            !(local && production),
            "MIDTRANS_ENVIRONMENT is local, which takes no real money: set it to sandbox or production",
        );
        errors.require(!key.is_empty(), "MIDTRANS_SERVER_KEY is empty: copy it from Midtrans' dashboard");
        errors.require(
            key != EXAMPLE_KEY || (local && !production),
            "MIDTRANS_SERVER_KEY is the example's value: copy yours from Midtrans' dashboard",
        );
        self.check_key_environment(errors);
        for (name, url) in
            [("MIDTRANS_LOCAL_URL", &self.midtrans_local_url), ("PAYMENT_FINISH_URL", &self.finish_url())]
        {
            let web = url.starts_with("http://") || url.starts_with("https://");
            errors.require(web, format!("{name} is `{url}`, which does not begin with http:// or https://"));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::PaymentService;

    use super::*;

    fn read(own: &[&str]) -> Result<Config, String> {
        let development = [
            "--app-env=development",
            "--jwt-secret=a",
            "--internal-secret=b",
            "--db-host=localhost",
            "--db-user=shop",
            "--db-password=c",
        ];
        read_with(development.map(str::to_owned).into(), own)
    }

    fn production(own: &[&str]) -> Result<Config, String> {
        read_with(testkit::production_flags(), own)
    }

    fn read_with(mut flags: Vec<String>, own: &[&str]) -> Result<Config, String> {
        flags.extend(own.iter().map(|flag| (*flag).to_owned()));
        chassis::service::configuration_from_flags::<PaymentService>(&flags)
            .map_err(|errors| errors.to_string())
    }

    #[test]
    fn the_local_midtrans_and_thirty_minutes_are_the_default() {
        let config = read(&[]).unwrap();
        assert_eq!(config.midtrans().core_base, "http://midtrans-sandbox:8090/midtrans");
        assert_eq!(config.payment_expiry(Duration::ZERO), Duration::from_mins(30));
        assert_eq!(config.finish_url(), "http://localhost:8080/paid");
    }

    #[test]
    fn seconds_override_minutes_and_are_at_least_twenty() {
        let config = read(&["--payment-expiry-minutes=5", "--payment-expiry-seconds=20"]).unwrap();
        assert_eq!(config.payment_expiry(Duration::ZERO), Duration::from_secs(20));
        assert_eq!(config.payment_expiry(Duration::from_mins(2)), Duration::from_secs(20));
        assert!(read(&["--payment-expiry-seconds=19"]).unwrap_err().contains("payment-expiry-seconds"));
        assert!(read(&["--payment-expiry-minutes=0"]).unwrap_err().contains("payment-expiry-minutes"));
    }

    #[test]
    fn a_page_ends_sooner_if_that_is_asked_for_and_never_later() {
        let config = read(&[]).unwrap();
        for (asked, expected) in [(900, 900), (1_800, 1_800), (86_400, 1_800), (1, 20)] {
            assert_eq!(config.payment_expiry(Duration::from_secs(asked)), Duration::from_secs(expected));
        }
    }

    #[test]
    fn production_wants_the_real_midtrans_and_a_key_of_ones_own() {
        let errors = production(&[]).unwrap_err();
        assert!(errors.contains("MIDTRANS_ENVIRONMENT is local"), "{errors}");
        assert!(errors.contains("MIDTRANS_SERVER_KEY is the example"), "{errors}");
        let real = production(&[
            "--midtrans-environment=production",
            "--midtrans-server-key=Mid-server-x",
            "--midtrans-client-key=Mid-client-x",
        ]);
        assert_eq!(real.unwrap().midtrans().core_base, "https://api.midtrans.com");
    }

    #[test]
    fn keys_of_the_sandbox_are_not_for_real_money() {
        let keys = ["--midtrans-server-key=SB-Mid-server-x", "--midtrans-client-key=SB-Mid-client-x"];
        for name in ["MIDTRANS_SERVER_KEY", "MIDTRANS_CLIENT_KEY"] {
            let errors = read(&[&["--midtrans-environment=production"], &keys[..]].concat()).unwrap_err();
            assert!(errors.contains(&format!("{name} is one of the sandbox")), "{errors}");
        }
        read(&[&["--midtrans-environment=sandbox"], &keys[..]].concat()).unwrap();
        read(&["--midtrans-environment=sandbox", "--midtrans-server-key=Mid-server-x"]).unwrap();
    }

    #[test]
    fn a_midtrans_account_needs_its_key() {
        assert!(read(&["--midtrans-server-key="]).unwrap_err().contains("MIDTRANS_SERVER_KEY is empty"));
        let errors = read(&["--midtrans-environment=sandbox"]).unwrap_err();
        assert!(errors.contains("MIDTRANS_SERVER_KEY is the example"), "{errors}");
    }
}
