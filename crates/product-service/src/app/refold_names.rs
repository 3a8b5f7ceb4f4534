//! The keys of names follow one rule. After it has changed, the first process that starts makes them anew.

use chassis::database::commit;

use crate::{AppState, domain::catalogue::NAME_KEY_RULE, store};

/// Makes the keys of all names anew if they follow another rule than today's. Returns whether they did.
pub async fn refold_names(state: &AppState) -> sqlx::Result<bool> {
    let mut tx = state.db.begin().await?;
    if store::lock_name_key_rule(&mut tx).await? == NAME_KEY_RULE {
        return Ok(false);
    }
    for (id, name) in store::list_foreign_products(&mut tx).await? {
        if !store::update_product_key(&mut tx, id, &name).await? {
            tracing::warn!(product.id = %id, "another product has the same name by today's rule: rename one of them");
        }
    }
    for (id, name) in store::list_foreign_categories(&mut tx).await? {
        if !store::update_category_key(&mut tx, id, &name).await? {
            tracing::warn!(category.id = %id, "another category has the same name by today's rule: rename one of them");
        }
    }
    store::update_name_key_rule(&mut tx, NAME_KEY_RULE).await?;
    commit(tx).await?;
    Ok(true)
}
