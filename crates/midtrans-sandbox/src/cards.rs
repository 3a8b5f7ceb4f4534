//! Midtrans' public test cards and what each of them does. Any other number is accepted.

/// How the bank decides on a charge of a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CardDecision {
    Accept,
    /// Held back by the fraud detection until the merchant decides.
    Challenge,
    /// Accepted a minute later, as by a slow bank.
    Later,
    Deny(Denial),
}

/// How a bank refuses a charge, with its response code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Denial {
    Bank,
    Fraud,
    Authentication,
    Funds,
    Offline,
}

impl Denial {
    /// The bank's response code and text.
    pub(crate) fn channel_response(self) -> (&'static str, &'static str) {
        match self {
            Self::Bank => ("05", "Do not honour"),
            Self::Fraud => ("05", "Denied by FDS"),
            Self::Authentication => ("05", "3D Secure authentication failed"),
            Self::Funds => ("51", "Insufficient Funds"),
            Self::Offline => ("91", "Issuer unavailable"),
        }
    }
}

pub(crate) struct TestCard {
    pub(crate) number: &'static str,
    pub(crate) scheme: &'static str,
    pub(crate) behaviour: &'static str,
    pub(crate) decision: CardDecision,
}

const fn visa(number: &'static str, behaviour: &'static str, decision: CardDecision) -> TestCard {
    TestCard { number, scheme: "Visa", behaviour, decision }
}

const fn mastercard(number: &'static str, behaviour: &'static str, decision: CardDecision) -> TestCard {
    TestCard { number, scheme: "Mastercard", behaviour, decision }
}

/// The table that Midtrans publishes for its sandbox.
pub(crate) const TEST_CARDS: [TestCard; 28] = [
    visa("4811111111111114", "Accepted", CardDecision::Accept),
    mastercard("5211111111111117", "Accepted", CardDecision::Accept),
    visa("4911111111111113", "Denied by the bank", CardDecision::Deny(Denial::Bank)),
    mastercard("5111111111111118", "Denied by the bank", CardDecision::Deny(Denial::Bank)),
    visa("4411111111111118", "Accepted, card not enrolled", CardDecision::Accept),
    mastercard("5410111111111116", "Accepted, card not enrolled", CardDecision::Accept),
    visa("4511111111111117", "Challenged by fraud detection", CardDecision::Challenge),
    mastercard("5510111111111115", "Challenged by fraud detection", CardDecision::Challenge),
    visa("4611111111111116", "Denied by fraud detection", CardDecision::Deny(Denial::Fraud)),
    mastercard("5411111111111115", "Denied by fraud detection", CardDecision::Deny(Denial::Fraud)),
    visa("4711111111111115", "Denied, card not enrolled", CardDecision::Deny(Denial::Bank)),
    mastercard("5511111111111114", "Denied, card not enrolled", CardDecision::Deny(Denial::Bank)),
    visa("4716125059847899", "3-D Secure fails", CardDecision::Deny(Denial::Authentication)),
    mastercard("5250548692069390", "3-D Secure fails", CardDecision::Deny(Denial::Authentication)),
    visa("4556557955726624", "3DS2 frictionless, accepted", CardDecision::Accept),
    mastercard("5333259155643223", "3DS2 frictionless, accepted", CardDecision::Accept),
    visa("4485436455354151", "3DS2 frictionless, denied", CardDecision::Deny(Denial::Authentication)),
    mastercard("5328720384582224", "3DS2 frictionless, denied", CardDecision::Deny(Denial::Authentication)),
    visa("4916994064252017", "3DS2 challenged, accepted", CardDecision::Accept),
    mastercard("5306889942833340", "3DS2 challenged, accepted", CardDecision::Accept),
    visa("4604633194219929", "3DS2 challenged, denied", CardDecision::Deny(Denial::Authentication)),
    mastercard("5424184049821670", "3DS2 challenged, denied", CardDecision::Deny(Denial::Authentication)),
    visa("4024007176265022", "Pending, accepted after a minute", CardDecision::Later),
    mastercard("5487971631330522", "Pending, accepted after a minute", CardDecision::Later),
    visa("4472429866996670", "Insufficient funds", CardDecision::Deny(Denial::Funds)),
    visa("4705859510984866", "Card offline, denied", CardDecision::Deny(Denial::Offline)),
    mastercard("5597518926561951", "Card offline, denied", CardDecision::Deny(Denial::Offline)),
    visa("4011111111111111", "Accepted (any other card is too)", CardDecision::Accept),
];

/// A card as far as it is kept: the first eight and the last four digits, as Midtrans shows it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Card {
    pub(crate) masked: String,
}

impl Card {
    /// Reads a number with or without blanks and dashes.
    pub(crate) fn parse(number: &str) -> Option<Self> {
        let digits: String = number.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
        let plausible = (13..=19).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        plausible.then(|| Self { masked: mask(&digits) })
    }

    /// Reads the mask at the start of a token made by this sandbox.
    pub(crate) fn from_token(token: &str) -> Option<Self> {
        let masked = token.get(..13)?;
        let (first, last) = masked.split_once('-')?;
        let digits = |text: &str, len| text.len() == len && text.bytes().all(|byte| byte.is_ascii_digit());
        (digits(first, 8) && digits(last, 4)).then(|| Self { masked: masked.to_owned() })
    }

    /// What the table says about it. Twelve digits are enough to distinguish the rows.
    pub(crate) fn decision(&self) -> CardDecision {
        let row = TEST_CARDS.iter().find(|card| mask(card.number) == self.masked);
        row.map_or(CardDecision::Accept, |card| card.decision)
    }
}

/// `digits` are ASCII and at least 13.
fn mask(digits: &str) -> String {
    format!("{}-{}", &digits[..8], &digits[digits.len() - 4..])
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{Card, CardDecision, Denial, TEST_CARDS, mask};

    #[test]
    fn the_mask_distinguishes_all_test_cards() {
        let masks: HashSet<_> = TEST_CARDS.iter().map(|card| mask(card.number)).collect();
        assert_eq!(masks.len(), TEST_CARDS.len());
    }

    #[test]
    fn test_cards_do_what_the_table_says_and_others_are_accepted() {
        let decision = |number: &str| Card::parse(number).unwrap().decision();
        assert_eq!(decision("4811 1111 1111 1114"), CardDecision::Accept);
        assert_eq!(decision("4911-1111-1111-1113"), CardDecision::Deny(Denial::Bank));
        assert_eq!(decision("4511111111111117"), CardDecision::Challenge);
        assert_eq!(decision("4011111111111111"), CardDecision::Accept);
        assert_eq!(decision("5264221038874659"), CardDecision::Accept);
    }

    #[test]
    fn what_is_no_card_number_is_refused() {
        for text in ["", "4811", "4811 1111 1111 111x", "48111111111111141111"] {
            assert_eq!(Card::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_token_remembers_its_card() {
        let card = Card::from_token("49111111-1113-0b7f6f0e").unwrap();
        assert_eq!(card.decision(), CardDecision::Deny(Denial::Bank));
        assert_eq!(Card::from_token("nonsense"), None);
        assert_eq!(Card::from_token("4911111é-1113"), None);
    }
}
