//! What the errors of this service are to its callers.

use chassis::{Codes, Problem, Refuses, codes};
use contracts::CategoryId;
use messaging::HandlerError;

use crate::{
    app::{ChangeStockError, CreateProductError, EditCategoryError, ReturnGoodsError, UpdateProductError},
    domain::{
        catalogue::{MAX_STOCK, StockOutOfRange},
        hold::Rejection,
    },
};

codes! {
    /// Why this service refuses a request.
    pub enum Code {
        /// There is no such product, or it was taken off sale.
        UnknownProduct(NOT_FOUND, "not_found"),
        /// There is no such category.
        UnknownCategory(NOT_FOUND, "not_found"),
        /// Another one has this name.
        NameTaken(CONFLICT, "name_taken"),
        /// Some of the categories do not exist; its category_ids say which.
        CategoriesUnknown(UNPROCESSABLE_ENTITY, "unknown_category"),
        /// The stock is not the expected one; its stock says what it is.
        StockChanged(CONFLICT, "stock_changed"),
        /// There are fewer free units than that; its stock says how many.
        InsufficientStock(CONFLICT, "insufficient_stock"),
        /// There would be more than 1,000,000,000; its stock says how many there are.
        LimitReached(CONFLICT, "limit_reached"),
        /// The goods of this order cannot be returned.
        NotReturnable(CONFLICT, "not_returnable"),
        /// Products belong to this category: move them first.
        NotEmpty(CONFLICT, "not_empty"),
    }
}

fn name_taken(what: &str) -> Problem {
    Problem::new(Code::NameTaken, format!("Another {what} has this name."))
}

fn unknown_categories(ids: Vec<CategoryId>) -> Problem {
    let ids: Vec<i64> = ids.into_iter().map(CategoryId::get).collect();
    Problem::from(Code::CategoriesUnknown).with("category_ids", ids)
}

impl Refuses for CreateProductError {
    const CODES: Codes = &[&Code::NameTaken, &Code::CategoriesUnknown];
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

impl Refuses for UpdateProductError {
    const CODES: Codes =
        &[&Code::UnknownProduct, &Code::NameTaken, &Code::StockChanged, &Code::CategoriesUnknown];
}

impl From<UpdateProductError> for Problem {
    fn from(error: UpdateProductError) -> Self {
        match error {
            UpdateProductError::Unknown => Code::UnknownProduct.into(),
            UpdateProductError::NameTaken => name_taken("product"),
            UpdateProductError::UnknownCategories(ids) => unknown_categories(ids),
            UpdateProductError::StockChanged(stock) => Self::from(Code::StockChanged).with("stock", stock),
            UpdateProductError::Database(error) => error.into(),
        }
    }
}

impl Refuses for ChangeStockError {
    const CODES: Codes = &[&Code::UnknownProduct, &Code::InsufficientStock, &Code::LimitReached];
}

impl From<ChangeStockError> for Problem {
    fn from(error: ChangeStockError) -> Self {
        match error {
            ChangeStockError::Unknown => Code::UnknownProduct.into(),
            ChangeStockError::OutOfRange(StockOutOfRange::BelowZero(stock)) => {
                Self::from(Code::InsufficientStock).with("stock", stock)
            }
            ChangeStockError::OutOfRange(StockOutOfRange::AboveMaximum(stock)) => {
                let detail = format!("A product can have {MAX_STOCK} units at most.");
                Self::new(Code::LimitReached, detail).with("stock", stock)
            }
            ChangeStockError::Database(error) => error.into(),
        }
    }
}

impl From<ReturnGoodsError> for Problem {
    fn from(error: ReturnGoodsError) -> Self {
        match error {
            ReturnGoodsError::Unknown => Code::UnknownProduct.into(),
            ReturnGoodsError::NotReturnable(why) => Self::new(Code::NotReturnable, format!("{why}.")),
            ReturnGoodsError::Database(error) => error.into(),
        }
    }
}

impl From<EditCategoryError> for Problem {
    fn from(error: EditCategoryError) -> Self {
        match error {
            EditCategoryError::Unknown => Code::UnknownCategory.into(),
            EditCategoryError::NameTaken => name_taken("category"),
            EditCategoryError::NotEmpty => Code::NotEmpty.into(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_documented() {
        let faults = testkit::undocumented::<crate::ProductService>(Code::ALL, &[&Code::NotReturnable]);
        assert!(faults.is_empty(), "{faults:#?}");
    }
}
