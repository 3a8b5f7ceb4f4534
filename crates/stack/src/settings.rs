//! The variables that configure the shop: the environment first, then `.env`, then what suits a laptop.

use std::collections::BTreeMap;
use std::path::Path;

use crate::{Error, Result};

/// What `.env.example` says as well. These secrets are known to everybody; production refuses them.
const DEFAULTS: &[(&str, &str)] = &[
    ("APP_ENV", "development"),
    ("DB_USER", "shop"),
    ("DB_PASSWORD", "shop-local-password"),
    ("USER_DB_NAME", "user_db"),
    ("PRODUCT_DB_NAME", "product_db"),
    ("ORDER_DB_NAME", "order_db"),
    ("PAYMENT_DB_NAME", "payment_db"),
    ("DELIVERY_DB_NAME", "delivery_db"),
    ("NOTIFICATION_DB_NAME", "notification_db"),
    ("REDIS_PASSWORD", ""),
    ("JWT_SECRET", "local-development-jwt-secret-change-me-please"),
    ("INTERNAL_SECRET", "local-development-internal-secret-change-me"),
    ("MIDTRANS_ENVIRONMENT", "local"),
    ("MIDTRANS_SERVER_KEY", "SB-Mid-server-local"),
    ("MIDTRANS_CLIENT_KEY", "SB-Mid-client-local"),
    ("MAILBOX", "on"),
    ("SMTP_URL", ""),
    ("MAIL_FROM", ""),
    ("NOTIFICATION_LANGUAGE", "en"),
    ("NOTIFICATION_TEMPLATES_DIR", ""),
    ("NOTIFICATION_ORDER_URL", ""),
    ("NOTIFICATION_ACCOUNT_URL", ""),
    ("NOTIFICATION_WEBHOOK_URL", ""),
    ("NOTIFICATION_WEBHOOK_SECRET", ""),
    ("ADMIN_EMAIL", "admin@admin.com"),
    ("ADMIN_PASSWORD", "admin123"),
    ("GATEWAY_BIND", "127.0.0.1"),
    ("GATEWAY_PORT", ""),
    ("PUBLIC_URL", ""),
    ("RATE_LIMIT", "on"),
    ("TRUSTED_PROXIES", ""),
    ("STACK_HOSTS", "local"),
    ("STACK_GATEWAY_URL", ""),
    ("STACK_USER_DB_URL", ""),
    ("STACK_PRODUCT_DB_URL", ""),
    ("STACK_ORDER_DB_URL", ""),
    ("STACK_PAYMENT_DB_URL", ""),
    ("STACK_DELIVERY_DB_URL", ""),
    ("STACK_NOTIFICATION_DB_URL", ""),
    ("STACK_REDIS_URL", ""),
    ("STACK_PORT_BASE", ""),
    ("STACK_POSTGRES_PORT", ""),
    ("STACK_REDIS_PORT", ""),
];

/// Variables by name, all of them texts as in an environment.
#[derive(Debug, Clone)]
pub struct Settings(BTreeMap<String, String>);

impl Default for Settings {
    /// The defaults, whatever the environment says.
    fn default() -> Self {
        Self(DEFAULTS.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }
}

impl Settings {
    /// What applies in this project and this environment.
    pub fn load(root: &Path) -> Result<Self> {
        let mut settings = Self::default();
        let file = root.join(".env");
        match std::fs::read_to_string(&file) {
            // Empty means "not set", as everywhere: a default stays.
            Ok(text) => settings.0.extend(parse(&text)?.into_iter().filter(|(_, value)| !value.is_empty())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(Error::io(format!("read {}", file.display()))(error)),
        }
        Ok(settings.with_environment())
    }

    /// What applies in this environment, where there is no project.
    pub fn of_environment() -> Self {
        Self::default().with_environment()
    }

    fn with_environment(mut self) -> Self {
        let known: Vec<String> = self.0.keys().cloned().collect();
        for name in known {
            let value = std::env::var_os(&name).and_then(|value| value.into_string().ok());
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                self.0.insert(name, value);
            }
        }
        self
    }

    /// The same, but nobody is refused for asking too often or for ordering too much.
    #[must_use]
    pub fn without_limits(self) -> Self {
        let limits = ["MAX_OPEN_ORDERS_PER_USER", "MAX_HELD_UNITS_PER_PRODUCT", "MAX_HELD_UNITS_PER_BUYER"];
        limits.into_iter().fold(self, |all, name| all.with(name, "0")).with("RATE_LIMIT", "off")
    }

    /// The value of a variable; empty if it is not set.
    pub fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// The value of a variable that is a port, if it is set.
    ///
    /// # Errors
    /// If it is anything else.
    pub fn port(&self, name: &str) -> Result<Option<u16>> {
        let value = Some(self.get(name)).filter(|value| !value.is_empty());
        let port = value.map(|value| value.parse().map_err(|_| value)).transpose();
        port.map_err(|value| Error::other(format!("{name} must be a port number, not {value:?}")))
    }

    /// Sets a variable, whatever it was before.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    /// All variables with their values, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// Reads the lines of a `.env` file; the value of an earlier one may be in a later one, as `${NAME}`.
pub(crate) fn parse(text: &str) -> Result<Vec<(String, String)>> {
    let variables: std::result::Result<_, _> = dotenvy::from_read_iter(text.as_bytes()).collect();
    variables.map_err(|error| Error::other(format!("a file of variables: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_with_quotes_comments_and_export() {
        let text = "# a comment\n\nA=1\nexport B = two # why\nC=\"x # y\" # z\nD='q'\nE=\nF=a=b\nG=${A}2";
        let read = parse(text).unwrap();
        let expected =
            [("A", "1"), ("B", "two"), ("C", "x # y"), ("D", "q"), ("E", ""), ("F", "a=b"), ("G", "12")];
        assert_eq!(read, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn a_line_without_a_value_is_shown() {
        assert!(parse("A=1\nnonsense").unwrap_err().to_string().contains("nonsense"));
    }
}
