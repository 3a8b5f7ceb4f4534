//! An account as administrators see it.

use chassis::{Role, auth::StaffRole};
use contracts::UserId;
use time::OffsetDateTime;

/// An account with what it may do. Its address has no business in a log, so it has no `Debug`.
#[derive(Clone)]
pub struct User {
    pub id: UserId,
    pub username: String,
    pub email: String,
    /// Whether the owner has shown that the address is theirs.
    pub email_verified: bool,
    pub role: Role,
    /// What it runs beside buying.
    pub staff_roles: Vec<StaffRole>,
    /// Since when nobody can log in.
    pub disabled_at: Option<OffsetDateTime>,
    pub created_at: OffsetDateTime,
}

/// What is to change of an account; what is left out stays.
#[derive(Debug, Clone, Default)]
pub struct UserChange {
    pub disabled: Option<bool>,
    pub role: Option<Role>,
    pub staff_roles: Option<Vec<StaffRole>>,
}

impl User {
    /// Whether it may do less than before: then its tokens, which say what it could do, must not count any more.
    pub fn may_less_than(&self, before: &Self) -> bool {
        let lost_role = before.role == Role::Admin && self.role != Role::Admin;
        let lost_part = before.staff_roles.iter().any(|role| !self.staff_roles.contains(role));
        self.disabled_at.is_some() || lost_role || lost_part
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(role: Role, staff_roles: &[StaffRole], disabled: bool) -> User {
        User {
            id: UserId::try_from(7_i64).unwrap(),
            username: "ani".to_owned(),
            email: "ani@example.com".to_owned(),
            email_verified: true,
            role,
            staff_roles: staff_roles.to_owned(),
            disabled_at: disabled.then_some(OffsetDateTime::UNIX_EPOCH),
            created_at: OffsetDateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn whoever_loses_something_may_less() {
        use StaffRole::{Finance, Support};
        let before = user(Role::User, &[Finance], false);
        let less = |after: &User| after.may_less_than(&before);
        assert!(!less(&before) && !less(&user(Role::User, &[Support, Finance], false)));
        assert!(!less(&user(Role::Admin, &[Finance], false)), "an administrator may everything");
        assert!(less(&user(Role::User, &[], false)) && less(&user(Role::User, &[Finance], true)));
        let admin = user(Role::Admin, &[], false);
        assert!(user(Role::User, &StaffRole::ALL, false).may_less_than(&admin));
    }
}
