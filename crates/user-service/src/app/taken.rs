//! Whether a username and an e-mail address are to be had.

use chassis::Role;
use contracts::UserId;
use sqlx::PgConnection;

use crate::{
    AppState,
    domain::{Email, Username},
    store::accounts,
};

/// Which of the two names that must be unique is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    Email,
    Username,
}

#[derive(Clone, Copy)]
pub(super) struct RequestedNames<'a> {
    pub username: Option<&'a Username>,
    pub email: Option<&'a Email>,
}

impl<'a> RequestedNames<'a> {
    pub fn both(username: &'a Username, email: &'a Email) -> Self {
        Self { username: Some(username), email: Some(email) }
    }

    /// Which of them only an administrator may have: also before there is one, or when there is one by other names.
    pub fn reserved(&self, state: &AppState, role: Role) -> Option<Taken> {
        let admin = state.first_admin.as_ref();
        if role == Role::Admin {
            None
        } else if self.email.is_some_and(|email| admin.is_some_and(|admin| admin.email.is(email))) {
            Some(Taken::Email)
        } else {
            self.username.is_some_and(Username::is_reserved).then_some(Taken::Username)
        }
    }

    /// Which of them another account has.
    pub async fn find_taken(
        &self,
        db: &mut PgConnection,
        own: Option<UserId>,
    ) -> sqlx::Result<Option<Taken>> {
        let (username, email) = self.texts();
        let taken = accounts::find_taken(db, username, email, own).await?;
        Ok(if taken.email { Some(Taken::Email) } else { taken.username.then_some(Taken::Username) })
    }

    /// The same, and no other transaction takes them until this one ends. Without the lock two of them could violate an
    /// index, which PostgreSQL logs with the e-mail address.
    pub async fn lock_and_find_taken(
        &self,
        tx: &mut PgConnection,
        own: Option<UserId>,
    ) -> sqlx::Result<Option<Taken>> {
        let (username, email) = self.texts();
        accounts::lock_names(tx, username, email).await?;
        self.find_taken(tx, own).await
    }

    fn texts(&self) -> (Option<&'a str>, Option<&'a str>) {
        (self.username.map(Username::as_str), self.email.map(Email::as_str))
    }
}
