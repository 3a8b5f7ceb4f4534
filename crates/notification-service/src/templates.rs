//! Messages: the built-in templates, and those of an operator that take their place.
//!
//! `LANGUAGE/KIND.txt` has the subject in its first line and the text below it; `mail.html` makes HTML of any text. A
//! `LANGUAGE/KIND.html` in the operator's folder takes its place for that one.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use contracts::money::rupiah;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value, context};
use secrecy::ExposeSecret;
use time::{OffsetDateTime, format_description::StaticFormatDescription, macros::format_description};
use uuid::Uuid;

use crate::domain::{AccountMail, AccountMailKind, Details, Kind, Language, Message};

/// Begins the first line of a text.
const SUBJECT: &str = "Subject: ";
const TIME: StaticFormatDescription = format_description!("[year]-[month]-[day] [hour]:[minute] UTC");

macro_rules! built_in {
    ($($name:literal),* $(,)?) => {
        const BUILT_IN: &[(&str, &str)] = &[$(($name, include_str!(concat!("../templates/", $name)))),*];
    };
}
built_in!(
    "mail.html",
    "en/order_received.txt",
    "en/payment_due.txt",
    "en/paid.txt",
    "en/shipped.txt",
    "en/delivered.txt",
    "en/failed.txt",
    "en/cancelled.txt",
    "en/refunded.txt",
    "en/undeliverable.txt",
    "id/order_received.txt",
    "id/payment_due.txt",
    "id/paid.txt",
    "id/shipped.txt",
    "id/delivered.txt",
    "id/failed.txt",
    "id/cancelled.txt",
    "id/refunded.txt",
    "id/undeliverable.txt",
    "en/verify_email.txt",
    "en/reset_password.txt",
    "en/confirm_email.txt",
    "en/email_changed.txt",
    "en/new_login.txt",
    "id/verify_email.txt",
    "id/reset_password.txt",
    "id/confirm_email.txt",
    "id/email_changed.txt",
    "id/new_login.txt",
);

/// What templates may say of the shop.
#[derive(Debug, Clone)]
pub struct Shop {
    /// Its public address.
    pub url: String,
    /// The page of an order, with `{order_id}` in it.
    pub order_url: Option<String>,
    /// Where e-mails about accounts lead to, with `{action}` and `{token}` in it.
    pub account_url: String,
}

/// Why a message cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// A template is wrong, or names something that is not there.
    #[error("template {name} does not render ({error}): correct or remove it")]
    Render { name: String, error: Error },
    #[error("template {0} does not begin with a line `Subject: ..`")]
    NoSubject(String),
}

/// The templates of all messages.
pub struct Templates {
    environment: Environment<'static>,
    shop: Shop,
}

impl Templates {
    /// Reads the templates, and renders each of them once, so that a wrong one is found at the start.
    ///
    /// # Errors
    /// If one does not render.
    pub fn load(folder: Option<&Path>, shop: Shop) -> Result<Self, TemplateError> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|name| {
            let is_html = Path::new(name).extension().is_some_and(|extension| extension == "html");
            if is_html { AutoEscape::Html } else { AutoEscape::None }
        });
        let folder = folder.map(Path::to_owned);
        environment.set_loader(move |name| read(folder.as_ref(), name));
        let templates = Self { environment, shop };
        templates.try_all()?;
        Ok(templates)
    }

    fn try_all(&self) -> Result<(), TemplateError> {
        let details = Details {
            amount: Some(190_000),
            units: Some(2),
            tracking_number: Some("JNE-1".to_owned()),
            refunded_total: Some(190_000),
            fully_refunded: Some(true),
            ..Details::default()
        };
        for language in Language::ALL {
            for kind in Kind::ALL {
                self.render(language, kind, 1, "ani", &details)?;
                self.render(language, kind, 1, "ani", &Details::default())?;
            }
            for kind in AccountMailKind::ALL {
                self.render_account_mail(language, &some_account_mail(kind))?;
            }
        }
        Ok(())
    }

    /// The message of a kind in a language.
    ///
    /// # Errors
    /// If its template does not render with these details.
    pub fn render(
        &self,
        language: Language,
        kind: Kind,
        order_id: i64,
        name: &str,
        details: &Details,
    ) -> Result<Message, TemplateError> {
        let values = self.values(language, order_id, name, details);
        self.message(language, kind.as_str(), values)
    }

    /// An e-mail about an account in a language.
    ///
    /// # Errors
    /// If its template does not render.
    pub fn render_account_mail(
        &self,
        language: Language,
        mail: &AccountMail,
    ) -> Result<Message, TemplateError> {
        let link = mail.kind.action().zip(mail.token.as_ref()).map(|(action, token)| {
            self.shop.account_url.replace("{action}", action).replace("{token}", token.expose_secret())
        });
        let values = context! {
            language => language.as_str(),
            name => mail.name.as_str(),
            shop_url => self.shop.url.as_str(),
            order_url => (),
            link,
            device => mail.device.as_deref(),
            requested_at => mail.requested_at.format(TIME).unwrap_or_default(),
        };
        self.message(language, mail.kind.as_str(), values)
    }

    fn message(&self, language: Language, kind: &str, values: Value) -> Result<Message, TemplateError> {
        let template = format!("{}/{kind}", language.as_str());
        let text = self.fill(&format!("{template}.txt"), values.clone())?;
        let (subject, text) = text
            .trim_start()
            .split_once('\n')
            .and_then(|(first, text)| Some((first.strip_prefix(SUBJECT)?.trim(), text.trim())))
            .ok_or_else(|| TemplateError::NoSubject(format!("{template}.txt")))?;
        let paragraphs: Vec<String> =
            text.split("\n\n").map(|paragraph| paragraph.trim().to_owned()).collect();
        let values = context! { subject, paragraphs, ..values };
        let html = match self.fill(&format!("{template}.html"), values.clone()) {
            Err(TemplateError::Render { error, .. }) if error.kind() == ErrorKind::TemplateNotFound => {
                self.fill("mail.html", values)
            }
            html => html,
        }?;
        Ok(Message { language, subject: subject.to_owned(), text: text.to_owned(), html })
    }

    fn fill(&self, name: &str, values: Value) -> Result<String, TemplateError> {
        let rendered = self.environment.get_template(name).and_then(|template| template.render(values));
        rendered.map_err(|error| TemplateError::Render { name: name.to_owned(), error })
    }

    /// Everything that a template may name.
    fn values(&self, language: Language, order_id: i64, name: &str, details: &Details) -> Value {
        let order_url = self.shop.order_url.as_ref();
        let word = |value: Option<serde_json::Value>| value.and_then(|word| word.as_str().map(str::to_owned));
        context! {
            language => language.as_str(),
            name,
            order_id,
            shop_url => self.shop.url.as_str(),
            order_url => order_url.map(|url| url.replace("{order_id}", &order_id.to_string())),
            link => (),
            amount => details.amount.map(rupiah),
            units => details.units,
            tracking_number => details.tracking_number.as_deref(),
            cancel_cause => word(details.cancel_cause.and_then(|cause| serde_json::to_value(cause).ok())),
            refund_cause => word(details.refund_cause.and_then(|cause| serde_json::to_value(cause).ok())),
            refunded_total => details.refunded_total.map(rupiah),
            fully_refunded => details.fully_refunded,
        }
    }
}

/// With everything that one of this kind can have.
fn some_account_mail(kind: AccountMailKind) -> AccountMail {
    AccountMail {
        id: Uuid::nil(),
        kind,
        name: "ani".to_owned(),
        email: "ani@example.com".to_owned(),
        token: kind.action().map(|_| "0f".repeat(32).into()),
        requested_at: OffsetDateTime::UNIX_EPOCH,
        device: Some("a telephone".to_owned()),
    }
}

/// The operator's template of this name, else the built-in one.
fn read(folder: Option<&PathBuf>, name: &str) -> Result<Option<minijinja::TemplateSource>, Error> {
    let own = folder.map(|folder| fs::read_to_string(folder.join(name)));
    match own {
        Some(Ok(source)) => Ok(Some(source.into())),
        Some(Err(error)) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::new(ErrorKind::InvalidOperation, "the file cannot be read").with_source(error))
        }
        _ => {
            let known = BUILT_IN.iter().find(|(known, _)| *known == name);
            Ok(known.map(|(_, source)| (*source).into()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNT_URL: &str = "https://shop.example/account#{action}={token}";

    fn load(folder: Option<&Path>) -> Result<Templates, TemplateError> {
        let order_url = Some("https://shop.example/orders/{order_id}".to_owned());
        Templates::load(
            folder,
            Shop { url: "https://shop.example".to_owned(), order_url, account_url: ACCOUNT_URL.to_owned() },
        )
    }

    #[test]
    fn every_message_is_there_in_every_language() {
        let templates = load(None).unwrap();
        let details = Details { amount: Some(190_000), ..Details::default() };
        for kind in Kind::ALL {
            let [english, indonesian] =
                Language::ALL.map(|language| templates.render(language, kind, 41, "ani", &details).unwrap());
            assert_ne!(english.subject, indonesian.subject, "{kind}");
            for message in [english, indonesian] {
                assert!(message.subject.contains("41"), "{message:?}");
                assert!(
                    message.text.contains("ani") && message.text.contains("https://shop.example/orders/41")
                );
                // What an attribute shows as `/` after it was read.
                let html = message.html.replace("&#x2f;", "/");
                assert!(html.contains("https://shop.example/orders/41"), "{html}");
                assert!(!message.text.contains("\n\n\n"), "{}", message.text);
            }
        }
    }

    #[test]
    fn a_mail_about_an_account_leads_to_where_its_token_is_used() {
        let templates = load(None).unwrap();
        for kind in AccountMailKind::ALL {
            let mail = some_account_mail(kind);
            let [english, indonesian] =
                Language::ALL.map(|language| templates.render_account_mail(language, &mail).unwrap());
            assert_ne!(english.subject, indonesian.subject, "{kind:?}");
            let link = kind.action().map(|action| format!("/account#{action}={}", "0f".repeat(32)));
            for message in [english, indonesian] {
                assert!(message.text.contains("ani"), "{message:?}");
                let has_link = link.as_ref().is_some_and(|link| message.text.contains(link));
                assert_eq!(has_link, kind.action().is_some(), "{message:?}");
                assert_eq!(message.html.contains("<a href="), has_link, "{message:?}");
            }
        }
    }

    #[test]
    fn html_is_escaped() {
        let details = Details { tracking_number: Some("<b>&".to_owned()), ..Details::default() };
        let message = load(None).unwrap().render(Language::En, Kind::Shipped, 41, "ani", &details).unwrap();
        assert!(message.text.contains("<b>&") && message.html.contains("&lt;b&gt;&amp;"), "{message:?}");
    }

    #[test]
    fn an_operators_template_takes_the_place_of_a_built_in_one() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("en")).unwrap();
        fs::write(folder.path().join("en/paid.txt"), "Subject: Thanks {{ name }}\n\nPaid: {{ amount }}")
            .unwrap();
        fs::write(folder.path().join("en/paid.html"), "<h1>{{ subject }}</h1>").unwrap();
        let templates = load(Some(folder.path())).unwrap();
        let details = Details { amount: Some(190_000), ..Details::default() };
        let message = templates.render(Language::En, Kind::Paid, 41, "ani", &details).unwrap();
        assert_eq!((message.subject.as_str(), message.text.as_str()), ("Thanks ani", "Paid: Rp 190.000"));
        assert_eq!(message.html, "<h1>Thanks ani</h1>");
        let other = templates.render(Language::Id, Kind::Paid, 41, "ani", &details).unwrap();
        assert!(other.html.contains("<html lang=\"id\">"), "{}", other.html);
    }

    #[test]
    fn a_wrong_template_is_named_at_the_start() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("id")).unwrap();
        let wrong = [("Subject: {{ nmae }}\n\nx", "does not render"), ("Hello\n\nx", "Subject: ..")];
        for (source, expected) in wrong {
            fs::write(folder.path().join("id/paid.txt"), source).unwrap();
            let error = load(Some(folder.path())).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(error.contains("id/paid.txt") && error.contains(expected), "{error}");
        }
    }
}
