//! All SQL of this service: a file per table, free functions over a connection.

mod catalogue;
mod categories;
mod holds;
mod name_keys;
mod products;
mod stock;

pub use catalogue::{count_products, list_product_ids};
pub use categories::{
    delete_category, find_category, insert_category, list_categories, lock_categories, update_category,
};
pub use holds::{
    HoldMove, NewHold, NewTombstone, count_old_holds, find_latest_order, insert_holds, insert_tombstones,
    list_held, list_holds, list_returned, lock_hold, lock_holds, move_holds,
};
pub use name_keys::{
    list_foreign_categories, list_foreign_products, lock_name_key_rule, update_category_key,
    update_name_key_rule, update_product_key,
};
pub use products::{
    NewProduct, ProductRow, delete_product, find_product, find_product_summary, insert_product,
    list_product_summaries, list_products, lock_catalogue, lock_product, update_categories, update_product,
};
pub use stock::{
    add_to_stock, insert_movements, limit_lock_waits, lock_stock_levels, lock_unlocked_stock_levels,
};
