//! What the payment page shows, as HTML without scripts.

use contracts::money::rupiah;
use maud::{Markup, html};

use crate::cards::{TEST_CARDS, TestCard};
use crate::method::Method;
use crate::order::PageState;
use crate::transaction::{Status, Transaction};
use crate::wib;

pub(super) fn layout(order_id: &str, amount: Option<i64>, back: Option<&str>, content: Markup) -> Markup {
    let amount = amount.map(rupiah).unwrap_or_default();
    let content = html! {
        header {
            p.soft { "Order " (order_id) }
            h1 { (amount) }
        }
        (content)
        @if let Some(url) = back { p.back { a href=(url) { "Back to the shop" } } }
        p { small { "Local Midtrans. Nothing here costs money." } }
    };
    local_program::layout(&format!("Payment {amount}"), include_str!("page.css"), &content)
}

/// The ways to pay; after a denial, with its reason.
pub(super) fn choose(denied: Option<&Transaction>, card: Option<&str>) -> Markup {
    html! {
        @match denied.map(|attempt| attempt.denial.as_ref()) {
            Some(Some((_, text))) => {
                p.notice role="alert" { "The bank declined: " (text) ". Please try another card or method." }
            }
            Some(None) => { p.notice role="alert" { "The payment was declined. Please try again." } }
            None => {}
        }
        h2 { "How would you like to pay?" }
        details name="method" open { summary { "Card" } (card_form(card.unwrap_or(TEST_CARDS[0].number))) }
        (method("Virtual account", "You get an account number at BCA to transfer the amount to.",
            "bank_transfer", "Get an account number"))
        (method("QRIS", "You get a code for any banking or wallet app.", "qris", "Show the code"))
    }
}

fn card_form(number: &str) -> Markup {
    html! {
        form method="post" {
            label { "Card number "
                input name="card_number" value=(number) inputmode="numeric" autocomplete="off" required;
            }
            div.pair {
                label { "Valid until " input value="12/30" autocomplete="off"; }
                label { "CVV " input value="123" inputmode="numeric" autocomplete="off"; }
            }
            button name="action" value="credit_card" { "Pay by card" }
        }
        details {
            summary { "Test cards" }
            p { small { "Choosing a number fills it in. Any other number is accepted." } }
            table {
                thead { tr { th scope="col" { "Number" } th scope="col" { "Scheme" } th scope="col" { "What happens" } } }
                tbody {
                    @for TestCard { number, scheme, behaviour, .. } in &TEST_CARDS {
                        tr { td { a href={ "?card=" (number) } { (number) } } td { (scheme) } td { (behaviour) } }
                    }
                }
            }
        }
    }
}

fn method(title: &str, text: &str, action: &str, button: &str) -> Markup {
    html! {
        details name="method" {
            summary { (title) }
            form method="post" { p { (text) } button name="action" value=(action) { (button) } }
        }
    }
}

/// What the customer would be asked to pay to, and what may come of it.
pub(super) fn waiting(attempt: &Transaction) -> Markup {
    let (title, code) = destination(attempt);
    html! {
        h2 { (title) }
        p.code { (code) }
        p.soft { "To be paid until " (wib::format(attempt.expires_at)) " (WIB)." }
        p { "There is no bank behind this page. What should happen?" }
        form method="post" {
            button name="action" value="pay" { "Pay" }
            button.quiet name="action" value="expire" { "Let it expire" }
            button.quiet name="action" value="deny" { "Deny" }
        }
    }
}

fn destination(attempt: &Transaction) -> (String, String) {
    let (title, code) = match &attempt.method {
        Method::CreditCard { card } => ("Waiting for the bank", card.masked.clone()),
        Method::BankTransfer { bank, va_number } => {
            return (format!("{} virtual account", bank.to_uppercase()), va_number.clone());
        }
        Method::Echannel { bill_key } => ("Mandiri bill 70012", bill_key.clone()),
        Method::Qris { .. } => ("QRIS", format!("LOCAL-QRIS-{}", attempt.id)),
        Method::Gopay => ("GoPay", attempt.id.clone()),
        Method::Shopeepay => ("ShopeePay", attempt.id.clone()),
        Method::Dana => ("DANA", attempt.id.clone()),
        Method::Cstore { payment_code, .. } => ("Convenience store", payment_code.clone()),
    };
    (title.to_owned(), code)
}

/// How the payment ended, and the way back to the shop.
pub(super) fn over(state: PageState, attempt: Option<&Transaction>) -> Markup {
    let (class, title, text) = match (state, attempt.map(|attempt| attempt.status)) {
        (PageState::Used, Some(Status::Capture | Status::Settlement)) => {
            ("good", "Paid", "Thank you. The shop knows about it in a moment.")
        }
        (PageState::Used, Some(Status::Expire)) | (PageState::Expired, _) => {
            ("bad", "Expired", "The time to pay is over. Nothing was charged.")
        }
        (PageState::Used, Some(Status::Refund | Status::PartialRefund)) => {
            ("good", "Refunded", "The shop has sent money back.")
        }
        (PageState::Used, Some(Status::Chargeback)) => {
            ("bad", "Charged back", "The bank has taken the money back.")
        }
        _ => ("bad", "Cancelled", "This payment was called off. Nothing was charged."),
    };
    message(class, title, text)
}

/// A headline and a sentence; the class is `good` or `bad`.
pub(super) fn message(class: &str, title: &str, text: &str) -> Markup {
    html! { h2 class=(class) role="status" { (title) } p { (text) } }
}
