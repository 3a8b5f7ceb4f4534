//! The use cases, one file each. Only here do transactions begin and end, and none of them waits for a password to be
//! hashed or for Redis.

mod address_book;
mod change_email;
mod change_password;
mod confirm_password;
mod end_sessions;
mod identify;
mod log_in;
mod make_first_admin;
mod manage_users;
mod purge_expired;
mod recover_admin;
mod refresh;
mod register;
mod request_mail;
mod reset_password;
mod taken;
mod update_profile;
mod verify_email;

pub use self::{
    address_book::{AddressBookError, add_address, delete_address, list_addresses, replace_address},
    change_email::{ChangeEmailError, change_email},
    change_password::{ChangePasswordError, change_password},
    confirm_password::ConfirmPasswordError,
    end_sessions::{EndSessionError, end_session, list_sessions},
    identify::{IdentifyError, identify},
    log_in::{Client, Credentials, LogInError, log_in},
    make_first_admin::{MakeFirstAdminError, make_first_admin},
    manage_users::{ManageUserError, Users, change_user, end_all_sessions, find_user, list_users},
    purge_expired::purge_expired,
    recover_admin::{NewAdmin, RecoverAdminError, create_admin, promote_to_admin, replace_password},
    refresh::{RefreshError, refresh},
    register::{NewAccount, RegisterError, register},
    request_mail::find_account_mail,
    reset_password::{RequestResetError, ResetPasswordError, request_reset, reset_password},
    taken::Taken,
    update_profile::{ProfileChange, UpdateProfileError, update_profile},
    verify_email::{ResendVerificationError, VerifyEmailError, resend_verification, verify_email},
};
