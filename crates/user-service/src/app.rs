//! The use cases, one file each. Only here do transactions begin and end, and none of them waits for a password to be
//! hashed or for Redis.

mod address_book;
mod change_password;
mod confirm_password;
mod end_sessions;
mod identify;
mod log_in;
mod make_first_admin;
mod purge_expired;
mod refresh;
mod register;
mod taken;
mod update_profile;

pub use self::{
    address_book::{AddressBookError, add_address, delete_address, list_addresses, replace_address},
    change_password::{ChangePasswordError, change_password},
    confirm_password::ConfirmPasswordError,
    end_sessions::{EndSessionError, end_session, list_sessions},
    identify::{IdentifyError, identify},
    log_in::{Client, Credentials, LogInError, log_in},
    make_first_admin::{MakeFirstAdminError, make_first_admin},
    purge_expired::purge_expired,
    refresh::{RefreshError, refresh},
    register::{NewAccount, RegisterError, register},
    taken::Taken,
    update_profile::{ProfileChange, UpdateProfileError, update_profile},
};
