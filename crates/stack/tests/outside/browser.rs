//! The pages of the shop in a real browser: what people click on works, and nothing is refused or missing.

mod chrome;
mod documents;
mod pages;
mod paying;
