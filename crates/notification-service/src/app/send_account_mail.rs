//! Sends an e-mail about an account. What it says is asked of user-service each time, and is gone when it was sent: here
//! are neither addresses nor tokens, only a job with the e-mail's id.

use chassis::BoxError;
use contracts::UserId;
use jobs::{Job, Outcome};
use uuid::Uuid;

use crate::{
    AppState,
    clients::SendError,
    domain::{AccountMail, Mail, Message},
    store,
};

/// Sends the e-mail with this id, for as long as user-service says that it is worth sending.
#[derive(Debug)]
pub struct SendAccountMail;

impl Job for SendAccountMail {
    const KIND: &'static str = "account_mail";
    type State = AppState;
    type Key = Uuid;

    async fn run(state: &AppState, id: Uuid) -> Result<Outcome, BoxError> {
        let Some((owner, mail)) = state.users.find_account_mail(id).await? else {
            report(id, "void", None);
            return Ok(Outcome::Done);
        };
        let message = render(state, owner, &mail).await?;
        match state.mailer.send(&Mail::of_account(&mail, &message)).await {
            Ok(()) => report(id, "sent", None),
            Err(SendError::Refused(code)) => report(id, "bounced", Some(code)),
            Err(error @ SendError::NotYet(_)) => return Err(error.into()),
        }
        Ok(Outcome::Done)
    }
}

async fn render(state: &AppState, owner: UserId, mail: &AccountMail) -> Result<Message, BoxError> {
    let chosen = store::find_preferences(&mut *state.db.acquire().await?, owner).await?;
    let language = chosen.map_or(state.language, |chosen| chosen.language);
    Ok(state.templates.render_account_mail(language, mail)?)
}

/// `void`: it was too late, its token was used, or it was for nobody.
fn report(id: Uuid, outcome: &'static str, code: Option<u16>) {
    metrics::counter!("account_mails_total", "outcome" => outcome).increment(1);
    tracing::info!(mail.id = %id, outcome, code, "account mail ended");
}
