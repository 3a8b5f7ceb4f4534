//! What a customer has chosen.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Channel, Kind};

/// A language that there are templates for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema, ValueEnum)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[schema(example = "id")]
pub enum Language {
    /// English.
    En,
    /// Indonesian.
    Id,
}

impl Language {
    pub const ALL: [Self; 2] = [Self::En, Self::Id];

    /// Its tag (BCP 47), which is also the name of the templates' folder.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Id => "id",
        }
    }
}

/// What a customer wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preferences {
    pub language: Language,
    /// E-mails that are not about money.
    pub email: bool,
    /// Everything that goes over the webhook.
    pub webhook: bool,
}

impl Preferences {
    /// Of a customer who has chosen nothing.
    pub const fn of_nobody(language: Language) -> Self {
        Self { language, email: true, webhook: true }
    }

    /// Whether the customer is sent this over this channel. An e-mail about money always is.
    pub const fn allows(self, channel: Channel, kind: Kind) -> bool {
        match channel {
            Channel::Email => self.email || kind.is_about_money(),
            Channel::Webhook => self.webhook,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_about_money_comes_by_email_whatever_was_chosen() {
        let nothing = Preferences { language: Language::En, email: false, webhook: false };
        let by_email = Kind::ALL.into_iter().filter(|kind| nothing.allows(Channel::Email, *kind));
        let expected = [Kind::PaymentDue, Kind::Paid, Kind::Failed, Kind::Cancelled, Kind::Refunded];
        assert_eq!(by_email.collect::<Vec<_>>(), expected);
        assert!(!Kind::ALL.into_iter().any(|kind| nothing.allows(Channel::Webhook, kind)));
        let everything = Preferences::of_nobody(Language::En);
        assert!(Kind::ALL.into_iter().all(|kind| everything.allows(Channel::Email, kind)));
        assert!(Kind::ALL.into_iter().all(|kind| everything.allows(Channel::Webhook, kind)));
    }
}
