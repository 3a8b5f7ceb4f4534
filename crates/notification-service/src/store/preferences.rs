//! The table `preferences`.

use contracts::UserId;
use sqlx::{PgConnection, Result};

use crate::domain::{Language, Preferences};

/// What a customer has chosen, if anything.
pub async fn find_preferences(db: &mut PgConnection, user_id: UserId) -> Result<Option<Preferences>> {
    sqlx::query_as!(
        Preferences,
        r#"select language as "language: Language", email, webhook from preferences where user_id = $1"#,
        user_id.get(),
    )
    .fetch_optional(db)
    .await
}

/// Replaces what a customer has chosen.
pub async fn upsert_preferences(db: &mut PgConnection, user_id: UserId, chosen: &Preferences) -> Result<()> {
    sqlx::query!(
        "insert into preferences (user_id, language, email, webhook) values ($1, $2, $3, $4)
         on conflict on constraint preferences_pkey do update
         set language = excluded.language, email = excluded.email, webhook = excluded.webhook, updated_at = now()",
        user_id.get(),
        chosen.language as Language,
        chosen.email,
        chosen.webhook,
    )
    .execute(db)
    .await?;
    Ok(())
}
