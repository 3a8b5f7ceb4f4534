//! All SQL of this service.

mod catalogue;
mod categories;
mod holds;
mod name_keys;
mod products;
mod stock;

pub use catalogue::{count_products, list_products};
pub use categories::{
    delete_category, find_category, insert_category, list_categories, lock_categories, update_category,
};
pub use holds::{
    NewHold, count_old_holds, find_latest_order, insert_holds, insert_tombstone, list_held, list_holds,
    list_returned, lock_free_holds, lock_hold, lock_holds, update_holds,
};
pub use name_keys::{
    list_foreign_categories, list_foreign_products, lock_name_key_rule, update_category_key,
    update_name_key_rule, update_product_key,
};
pub use products::{
    NewProduct, ProductRow, delete_product, find_article, find_product, insert_product, list_articles,
    lock_catalogue, lock_product, update_categories, update_product,
};
pub use stock::{
    Movement, Reason, insert_movements, limit_lock_waits, lock_free_shelves, lock_shelves, update_stock,
};
