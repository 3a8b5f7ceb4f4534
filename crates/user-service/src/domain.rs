//! Accounts, sessions and addresses: rules only, without any input or output.

mod account;
mod account_mail;
mod address;
mod device;
mod key;
mod limit;
mod password;
mod session;
mod user;

pub use account::{Account, Email, Username};
pub use account_mail::{MailKey, MailKind, MailToken};
pub use address::{Address, AddressMembers, MAX_ADDRESSES};
pub use device::{Device, DeviceKey};
pub use limit::{Limit, LoginLimits, RateLimits};
pub use password::{GivenPassword, Memory, NewPassword, hash_password, verify_password};
pub use session::{
    ACCESS_LIFETIME, CHAIN_LENGTH, Grant, MAX_SESSIONS, REFRESH_LIFETIME, RefreshKey, RefreshToken,
    SESSION_LIFETIME, Session, TokenStatus, new_salt, token_status,
};
pub use user::{User, UserChange};
