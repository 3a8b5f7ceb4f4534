//! The table `account_mails`: e-mails that were asked for, and whose tokens count.

use contracts::UserId;
use sqlx::{PgConnection, Result};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::MailKind;

/// An e-mail that is yet to be stored.
pub struct NewMail<'a> {
    pub id: Uuid,
    pub kind: MailKind,
    /// Whose account it is about, and where it goes; `None` if nobody has the address.
    pub to: Option<(UserId, &'a str)>,
    /// What its token is made of.
    pub salt: &'a [u8],
    /// SHA-256 of its token, if it has one.
    pub token_hash: Option<&'a [u8]>,
    /// What the client of a new login called itself.
    pub device: Option<&'a str>,
}

/// An e-mail as it is to be sent. It goes to nobody else, and into no log.
pub struct StoredMail {
    pub kind: MailKind,
    pub user_id: UserId,
    /// What the account is called now.
    pub name: String,
    pub email: String,
    pub salt: Vec<u8>,
    pub token_hash: Option<Vec<u8>>,
    pub device: Option<String>,
    pub requested_at: OffsetDateTime,
}

/// What a token that counts proves: that its reader reads this address.
pub struct Proof {
    pub kind: MailKind,
    pub user_id: UserId,
    pub email: String,
}

pub async fn insert_mail(db: &mut PgConnection, new: &NewMail<'_>) -> Result<()> {
    sqlx::query!(
        "insert into account_mails (id, kind, user_id, email, salt, token_hash, device, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, now() + make_interval(secs => $8))",
        new.id,
        new.kind as MailKind,
        new.to.map(|(id, _)| id.get()),
        new.to.map(|(_, email)| email),
        new.salt,
        new.token_hash,
        new.device,
        new.kind.lifetime().as_seconds_f64()
    )
    .execute(db)
    .await?;
    Ok(())
}

/// An e-mail that is still worth sending.
pub async fn find_mail(db: &mut PgConnection, id: Uuid) -> Result<Option<StoredMail>> {
    sqlx::query_as!(
        StoredMail,
        r#"select m.kind as "kind: MailKind", u.id as "user_id: UserId", u.username as name, m.email as "email!",
                  m.salt, m.token_hash, m.device, m.requested_at
           from account_mails m join users u on u.id = m.user_id
           where m.id = $1 and m.expires_at > now()"#,
        id
    )
    .fetch_optional(db)
    .await
}

/// What a token proves, if it counts and is of one of these kinds.
pub async fn find_proof(
    db: &mut PgConnection,
    token_hash: &[u8],
    kinds: &[MailKind],
) -> Result<Option<Proof>> {
    let kinds: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
    sqlx::query_as!(
        Proof,
        r#"select kind as "kind: MailKind", user_id as "user_id!: UserId", email as "email!"
           from account_mails
           where token_hash = $1 and kind = any($2) and user_id is not null and expires_at > now()"#,
        token_hash,
        &kinds as &[&str]
    )
    .fetch_optional(db)
    .await
}

/// Spends a token; whether it still counted.
pub async fn spend_token(db: &mut PgConnection, token_hash: &[u8]) -> Result<bool> {
    let done =
        sqlx::query!("delete from account_mails where token_hash = $1 and expires_at > now()", token_hash)
            .execute(db)
            .await?;
    Ok(done.rows_affected() > 0)
}

/// Makes the other tokens of these kinds void that were sent to an account's owner.
pub async fn delete_tokens(db: &mut PgConnection, user_id: UserId, kinds: &[MailKind]) -> Result<()> {
    let kinds: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
    sqlx::query!(
        "delete from account_mails where user_id = $1 and kind = any($2)",
        user_id.get(),
        &kinds as &[&str]
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Deletes at most so many e-mails that are of no use any more, and returns how many.
pub async fn delete_expired_mails(db: &mut PgConnection, most: i64) -> Result<u64> {
    let done = sqlx::query!(
        "delete from account_mails where id in (
             select id from account_mails where expires_at <= now() order by expires_at limit $1 for update skip locked
         )",
        most
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}
