//! What the errors of this service are to its callers.

use chassis::Problem;
use contracts::CategoryId;
use messaging::HandlerError;

use crate::{
    app::{ChangeStockError, CreateProductError, EditCategoryError, ReturnGoodsError, UpdateProductError},
    domain::{
        catalogue::{MAX_STOCK, StockOutOfRange},
        hold::Rejection,
    },
};

/// The answer where a product does not exist, or does no longer.
pub(crate) fn no_such_product() -> Problem {
    Problem::not_found("There is no such product.")
}

fn name_taken(what: &str) -> Problem {
    Problem::conflict("name_taken", format!("Another {what} has this name."))
}

fn unknown_categories(ids: Vec<CategoryId>) -> Problem {
    let ids: Vec<i64> = ids.into_iter().map(CategoryId::get).collect();
    Problem::unprocessable("unknown_category", "Some of the categories do not exist.")
        .with("category_ids", ids)
}

impl From<CreateProductError> for Problem {
    fn from(error: CreateProductError) -> Self {
        match error {
            CreateProductError::NameTaken => name_taken("product"),
            CreateProductError::UnknownCategories(ids) => unknown_categories(ids),
            CreateProductError::Database(error) => error.into(),
        }
    }
}

impl From<UpdateProductError> for Problem {
    fn from(error: UpdateProductError) -> Self {
        match error {
            UpdateProductError::Unknown => no_such_product(),
            UpdateProductError::NameTaken => name_taken("product"),
            UpdateProductError::UnknownCategories(ids) => unknown_categories(ids),
            UpdateProductError::StockChanged(stock) => {
                Self::conflict("stock_changed", "The stock is not the expected one.").with("stock", stock)
            }
            UpdateProductError::Database(error) => error.into(),
        }
    }
}

impl From<ChangeStockError> for Problem {
    fn from(error: ChangeStockError) -> Self {
        match error {
            ChangeStockError::Unknown => no_such_product(),
            ChangeStockError::OutOfRange(StockOutOfRange::BelowZero(stock)) => {
                Self::conflict("insufficient_stock", "There are fewer free units than that.")
                    .with("stock", stock)
            }
            ChangeStockError::OutOfRange(StockOutOfRange::AboveMaximum(stock)) => {
                let detail = format!("A product can have {MAX_STOCK} units at most.");
                Self::conflict("limit_reached", detail).with("stock", stock)
            }
            ChangeStockError::Database(error) => error.into(),
        }
    }
}

impl From<ReturnGoodsError> for Problem {
    fn from(error: ReturnGoodsError) -> Self {
        match error {
            ReturnGoodsError::Unknown => no_such_product(),
            ReturnGoodsError::NotReturnable(why) => Self::conflict("not_returnable", format!("{why}.")),
            ReturnGoodsError::Database(error) => error.into(),
        }
    }
}

impl From<EditCategoryError> for Problem {
    fn from(error: EditCategoryError) -> Self {
        match error {
            EditCategoryError::Unknown => Self::not_found("There is no such category."),
            EditCategoryError::NameTaken => name_taken("category"),
            EditCategoryError::NotEmpty => {
                Self::conflict("not_empty", "Products belong to this category: move them first.")
            }
            EditCategoryError::Database(error) => error.into(),
        }
    }
}

impl From<Rejection> for HandlerError {
    fn from(rejection: Rejection) -> Self {
        match rejection {
            Rejection::NotYet => Self::not_yet(rejection.to_string()),
            _ => Self::reject(rejection.to_string()),
        }
    }
}
