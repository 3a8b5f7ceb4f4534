//! The settings of notification-service.

use std::path::Path;

use chassis::{Common, ConfigErrors, Configuration, Database, config::AppEnv};
use clap::Args;
use secrecy::{ExposeSecret, SecretString};

use crate::{
    clients::{Mailer, SigningKey},
    domain::Language,
    templates::Shop,
};

/// The sender of the example, whose domain is nobody's.
const EXAMPLE_SENDER: &str = "The Shop <shop@example.com>";
/// The project's own mail server, which delivers nothing.
const MAILBOX: &str = "smtp://mailbox:2525";

/// The settings of notification-service.
#[derive(Debug, Clone, Args)]
pub struct Config {
    /// What every service has.
    #[command(flatten)]
    pub common: Common,
    /// PostgreSQL.
    #[command(flatten)]
    pub database: Database,
    /// The database's name.
    #[arg(long, env = "NOTIFICATION_DB_NAME", default_value = "notification_db")]
    pub db_name: String,
    /// gRPC base URL of user-service, which knows how customers are reached.
    #[arg(long, env, default_value = "http://user-service:9081")]
    pub user_grpc_url: String,
    /// The mail server: `smtps://USER:PASSWORD@HOST`, or `smtp://USER:PASSWORD@HOST:587?tls=required`; special characters of
    /// the password are percent-encoded.
    #[arg(long, env, hide_env_values = true, default_value = MAILBOX)]
    pub smtp_url: SecretString,
    /// Whom mails are from; its domain is in their Message-ID too.
    #[arg(long, env, default_value = EXAMPLE_SENDER)]
    pub mail_from: String,
    /// The language of customers who have not chosen one.
    #[arg(long, env, value_enum, default_value = "en")]
    pub notification_language: Language,
    /// A folder of templates that take the place of the built-in ones of the same name, such as en/paid.txt.
    #[arg(long, env, default_value = "")]
    pub notification_templates_dir: String,
    /// The page of an order in your front end, such as `https://shop.example/orders/{order_id}`; without it, mails name the
    /// order's number and the shop's address.
    #[arg(long, env, default_value = "")]
    pub notification_order_url: String,
    /// The page of your front end that e-mails about accounts lead to, such as `https://shop.example/account/{action}#{token}`:
    /// the action is verify-email or reset-password. Without it, the gateway's own page.
    #[arg(long, env, default_value = "")]
    pub notification_account_url: String,
    /// Where notifications are posted too, for SMS and anything else; none if it is not set.
    #[arg(long, env, default_value = "")]
    pub notification_webhook_url: String,
    /// What those posts are signed with: whsec_ and 24 to 64 random bytes in base64, as Standard Webhooks has it.
    #[arg(long, env, hide_env_values = true, default_value = "")]
    pub notification_webhook_secret: SecretString,
}

impl Config {
    /// The second channel, if there is one.
    pub fn webhook(&self) -> Option<(&str, &SecretString)> {
        let url = Some(self.notification_webhook_url.as_str()).filter(|url| !url.is_empty());
        url.map(|url| (url, &self.notification_webhook_secret))
    }

    /// Where the operator's own templates are, if there are some.
    pub fn templates_folder(&self) -> Option<&Path> {
        Some(Path::new(&self.notification_templates_dir)).filter(|folder| !folder.as_os_str().is_empty())
    }

    /// What templates may say of the shop.
    pub fn shop(&self) -> Shop {
        let order_url = Some(self.notification_order_url.clone()).filter(|url| !url.is_empty());
        let url = self.common.public_url.clone();
        let account_url = match self.notification_account_url.as_str() {
            // Behind the `#`: what follows it is sent to no server, and is in no log.
            "" => format!("{url}/account#{{action}}={{token}}"),
            own => own.to_owned(),
        };
        Shop { url, order_url, account_url }
    }

    fn check_mail_server(&self, errors: &mut ConfigErrors) {
        let url = self.smtp_url.expose_secret();
        errors.require(
            Mailer::is_url(&self.smtp_url),
            "SMTP_URL is not the URL of a mail server: use for example smtps://USER:PASSWORD@HOST, with special characters percent-encoded",
        );
        errors.require(
            self.common.app_env == AppEnv::Development
                || url.starts_with("smtps://")
                || url.contains("tls=required"),
            "SMTP_URL is without TLS, so addresses and orders would be readable on their way: use smtps://, or smtp:// with ?tls=required",
        );
    }

    fn check_sender(&self, errors: &mut ConfigErrors) {
        errors.require(
            self.mail_from.parse::<lettre::message::Mailbox>().is_ok(),
            "MAIL_FROM is not a sender such as `The Shop <orders@shop.example>`",
        );
        errors.require(
            self.common.app_env == AppEnv::Development || self.mail_from != EXAMPLE_SENDER,
            "MAIL_FROM is the example's value: use an address of your own domain, or mails count as forged",
        );
    }

    fn check_webhook(&self, errors: &mut ConfigErrors) {
        let Some((url, secret)) = self.webhook() else { return };
        errors.require(
            url.starts_with("https://")
                || (self.common.app_env == AppEnv::Development && url.starts_with("http://")),
            "NOTIFICATION_WEBHOOK_URL does not begin with https://",
        );
        errors.require(
            SigningKey::parse(secret).is_some(),
            "NOTIFICATION_WEBHOOK_SECRET is not whsec_ and 24 to 64 bytes in base64: make one with echo whsec_$(openssl rand -base64 32)",
        );
    }
}

impl Configuration for Config {
    fn common(&self) -> &Common {
        &self.common
    }

    fn database(&self) -> Option<(&Database, &str)> {
        Some((&self.database, &self.db_name))
    }

    fn check(&self, errors: &mut ConfigErrors) {
        errors.check_grpc_url("USER_GRPC_URL", &self.user_grpc_url);
        self.check_mail_server(errors);
        self.check_sender(errors);
        self.check_webhook(errors);
        let account_url = &self.notification_account_url;
        errors.require(
            account_url.is_empty() || (account_url.starts_with("http") && account_url.contains("{token}")),
            "NOTIFICATION_ACCOUNT_URL has no {token} in it: use for example https://shop.example/account/{action}#{token}",
        );
        let order_url = &self.notification_order_url;
        errors.require(
            order_url.is_empty() || (order_url.starts_with("http") && order_url.contains("{order_id}")),
            "NOTIFICATION_ORDER_URL has no {order_id} in it: use for example https://shop.example/orders/{order_id}",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NotificationService;

    fn production(own: &[&str]) -> Result<Config, String> {
        let mut flags = testkit::production_flags();
        flags.extend(own.iter().map(|flag| (*flag).to_owned()));
        chassis::service::configuration_from_flags::<NotificationService>(&flags).map_err(|e| e.to_string())
    }

    #[test]
    fn production_wants_a_mail_server_with_tls_and_a_sender_of_ones_own() {
        let errors = production(&[]).unwrap_err();
        assert!(errors.contains("SMTP_URL is without TLS"), "{errors}");
        assert!(errors.contains("MAIL_FROM is the example's value"), "{errors}");
        let own = "--mail-from=The Shop <orders@shop.example>";
        for url in ["smtps://u:p@mail.example", "smtp://u:p@mail.example:587?tls=required"] {
            production(&[&format!("--smtp-url={url}"), own]).unwrap();
        }
        let errors = production(&["--smtp-url=https://mail.example?tls=required", own]).unwrap_err();
        assert!(errors.contains("SMTP_URL is not the URL of a mail server"), "{errors}");
    }

    #[test]
    fn a_webhook_needs_tls_and_a_good_secret() {
        let mail = ["--smtp-url=smtps://mail.example", "--mail-from=The Shop <orders@shop.example>"];
        let with = |url: &str, secret: &str| {
            let own = [
                format!("--notification-webhook-url={url}"),
                format!("--notification-webhook-secret={secret}"),
            ];
            production(&[mail[0], mail[1], &own[0], &own[1]])
        };
        let good = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        with("https://sms.example/hook", good).unwrap();
        assert!(with("http://sms.example/hook", good).unwrap_err().contains("NOTIFICATION_WEBHOOK_URL"));
        for bad in ["", "whsec_", "whsec_c2hvcnQ=", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_%"] {
            let errors = with("https://sms.example/hook", bad).unwrap_err();
            assert!(errors.contains("NOTIFICATION_WEBHOOK_SECRET"), "{bad}: {errors}");
        }
    }

    #[test]
    fn the_page_of_an_order_has_its_number() {
        let mail = ["--smtp-url=smtps://mail.example", "--mail-from=The Shop <orders@shop.example>"];
        let errors =
            production(&[mail[0], mail[1], "--notification-order-url=https://shop.example"]).unwrap_err();
        assert!(errors.contains("NOTIFICATION_ORDER_URL"), "{errors}");
    }
}
