//! An e-mail about an account is asked for. The request and the event that names it are one commit; what it says is asked
//! of this service when it is sent, so that neither address nor token is on a stream.

use contracts::{UserId, events::AccountMailRequested};
use messaging::outbox;
use sqlx::PgTransaction;
use uuid::Uuid;

use crate::{
    AppState,
    domain::{MailKind, MailToken, new_salt},
    store::account_mails::{self, NewMail, StoredMail},
};

/// Asks for an e-mail; the caller commits with [`messaging::Outbox::commit`]. It takes as long for nobody as for somebody.
pub(super) async fn request_mail(
    state: &AppState,
    tx: &mut PgTransaction<'_>,
    kind: MailKind,
    to: Option<(UserId, &str)>,
) -> sqlx::Result<()> {
    request(state, tx, kind, to, None).await
}

/// Says to the owner of an account that somebody logged in on a device that was not known.
pub(super) async fn notify_of_login(
    state: &AppState,
    tx: &mut PgTransaction<'_>,
    to: (UserId, &str),
    device: Option<&str>,
) -> sqlx::Result<()> {
    request(state, tx, MailKind::NewLogin, Some(to), device).await
}

async fn request(
    state: &AppState,
    tx: &mut PgTransaction<'_>,
    kind: MailKind,
    to: Option<(UserId, &str)>,
    device: Option<&str>,
) -> sqlx::Result<()> {
    let (id, salt) = (Uuid::new_v4(), new_salt());
    let hash = kind.asks().then(|| state.mails.token(&salt, kind).hash());
    let token_hash = hash.as_ref().map(<[u8; 32]>::as_slice);
    let new = NewMail { id, kind, to, salt: &salt, token_hash, device };
    account_mails::insert_mail(tx, &new).await?;
    outbox::append(tx, AccountMailRequested { mail_id: id }).await
}

/// An e-mail with its token, for whoever sends it; nothing if it is of no use any more, or nobody has its address.
pub async fn find_account_mail(
    state: &AppState,
    id: Uuid,
) -> sqlx::Result<Option<(StoredMail, Option<MailToken>)>> {
    let found = account_mails::find_mail(&mut *state.db.acquire().await?, id).await?;
    Ok(found.and_then(|mail| {
        let Some(hash) = &mail.token_hash else { return Some((mail, None)) };
        // Without the secret that made it there is no token, and nothing to send.
        let token = state.mails.token_again(&mail.salt, mail.kind, hash)?;
        Some((mail, Some(token)))
    }))
}
