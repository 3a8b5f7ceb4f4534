//! The table `addresses`: the address books of all accounts.

use contracts::{AddressId, UserId};
use sqlx::{PgConnection, Result};

use crate::domain::{Address, AddressMembers};

/// The address book of an account, in the order added.
pub async fn list_addresses(db: &mut PgConnection, user_id: UserId) -> Result<Vec<Address>> {
    sqlx::query_as!(
        Address,
        r#"select id as "id: AddressId", label, recipient, phone, street, city, province, postal_code, country,
                  is_default
           from addresses where user_id = $1 order by id"#,
        user_id.get()
    )
    .fetch_all(db)
    .await
}

pub async fn count_addresses(db: &mut PgConnection, user_id: UserId) -> Result<i64> {
    sqlx::query_scalar!(r#"select count(*) as "count!" from addresses where user_id = $1"#, user_id.get())
        .fetch_one(db)
        .await
}

pub async fn insert_address(
    db: &mut PgConnection,
    user_id: UserId,
    new: &AddressMembers,
    is_default: bool,
) -> Result<Address> {
    sqlx::query_as!(
        Address,
        r#"insert into addresses
               (user_id, label, recipient, phone, street, city, province, postal_code, country, is_default)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
           returning id as "id: AddressId", label, recipient, phone, street, city, province, postal_code, country,
                     is_default"#,
        user_id.get(),
        new.label,
        new.recipient,
        new.phone,
        new.street,
        new.city,
        new.province,
        new.postal_code,
        new.country,
        is_default
    )
    .fetch_one(db)
    .await
}

/// Replaces the fields of an address; whether it is the default stays as it is unless that is given too.
pub async fn update_address(
    db: &mut PgConnection,
    user_id: UserId,
    id: AddressId,
    new: &AddressMembers,
) -> Result<Option<Address>> {
    sqlx::query_as!(
        Address,
        r#"update addresses
           set label = $3, recipient = $4, phone = $5, street = $6, city = $7, province = $8, postal_code = $9,
               country = $10, is_default = coalesce($11, is_default)
           where id = $1 and user_id = $2
           returning id as "id: AddressId", label, recipient, phone, street, city, province, postal_code, country,
                     is_default"#,
        id.get(),
        user_id.get(),
        new.label,
        new.recipient,
        new.phone,
        new.street,
        new.city,
        new.province,
        new.postal_code,
        new.country,
        new.is_default
    )
    .fetch_optional(db)
    .await
}

pub async fn clear_default_address(db: &mut PgConnection, user_id: UserId) -> Result<()> {
    sqlx::query!("update addresses set is_default = false where user_id = $1 and is_default", user_id.get())
        .execute(db)
        .await?;
    Ok(())
}

pub async fn make_oldest_address_default(db: &mut PgConnection, user_id: UserId) -> Result<()> {
    sqlx::query!(
        "update addresses set is_default = true where id = (select min(id) from addresses where user_id = $1)",
        user_id.get()
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Deletes an address; whether it was the default, if there was one.
pub async fn delete_address(db: &mut PgConnection, user_id: UserId, id: AddressId) -> Result<Option<bool>> {
    sqlx::query_scalar!(
        "delete from addresses where id = $1 and user_id = $2 returning is_default",
        id.get(),
        user_id.get()
    )
    .fetch_optional(db)
    .await
}
