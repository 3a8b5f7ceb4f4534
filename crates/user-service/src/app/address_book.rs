//! Someone keeps addresses. At most one of them is the default, and the changes of one book take turns.

use chassis::database::commit;
use contracts::{AddressId, UserId};

use crate::{
    AppState,
    domain::{Address, AddressMembers, MAX_ADDRESSES},
    store::{accounts, addresses},
};

#[derive(Debug, thiserror::Error)]
pub enum AddressBookError {
    /// There is no such address, or it is somebody else's.
    #[error("no such address")]
    Unknown,
    #[error("the address book is full")]
    Full,
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

pub async fn list_addresses(state: &AppState, owner: UserId) -> sqlx::Result<Vec<Address>> {
    addresses::list_addresses(&mut *state.db.acquire().await?, owner).await
}

/// Adds an address. The first one is the default unless the caller decides otherwise.
pub async fn add_address(
    state: &AppState,
    owner: UserId,
    new: AddressMembers,
) -> Result<Address, AddressBookError> {
    let mut tx = state.db.begin().await?;
    accounts::lock_account(&mut tx, owner).await?;
    let count = addresses::count_addresses(&mut tx, owner).await?;
    if count >= MAX_ADDRESSES {
        return Err(AddressBookError::Full);
    }
    let is_default = new.is_default.unwrap_or(count == 0);
    if is_default {
        addresses::clear_default_address(&mut tx, owner).await?;
    }
    let address = addresses::insert_address(&mut tx, owner, &new, is_default).await?;
    commit(tx).await?;
    Ok(address)
}

/// Replaces the fields of an address.
pub async fn replace_address(
    state: &AppState,
    owner: UserId,
    id: AddressId,
    new: AddressMembers,
) -> Result<Address, AddressBookError> {
    let mut tx = state.db.begin().await?;
    accounts::lock_account(&mut tx, owner).await?;
    if new.is_default == Some(true) {
        addresses::clear_default_address(&mut tx, owner).await?;
    }
    let address =
        addresses::update_address(&mut tx, owner, id, &new).await?.ok_or(AddressBookError::Unknown)?;
    commit(tx).await?;
    Ok(address)
}

/// Deletes an address. If it was the default, the oldest of the others is from now on.
pub async fn delete_address(state: &AppState, owner: UserId, id: AddressId) -> Result<(), AddressBookError> {
    let mut tx = state.db.begin().await?;
    accounts::lock_account(&mut tx, owner).await?;
    let was_default =
        addresses::delete_address(&mut tx, owner, id).await?.ok_or(AddressBookError::Unknown)?;
    if was_default {
        addresses::make_oldest_address_default(&mut tx, owner).await?;
    }
    Ok(commit(tx).await?)
}
