//! The use cases, one file each. Only here do transactions begin and end, and none of them waits for a password to be
//! hashed or for Redis.

pub mod address_book;
pub mod change_password;
pub mod confirm_password;
pub mod end_sessions;
pub mod forget_expired;
pub mod hash;
pub mod identify;
pub mod log_in;
pub mod make_first_admin;
pub mod refresh;
pub mod register;
mod taken;
pub mod update_profile;

pub use taken::Taken;
