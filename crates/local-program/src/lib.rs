//! What the programs share that stand in for others in development: their command line, the guard that keeps strangers out,
//! and the form of their pages.
//!
//! Such a program has a struct of settings that implements [`LocalProgram`]; its `main` calls [`run`].

mod cli;
mod guard;
mod page;

pub use cli::{LocalProgram, run};
pub use guard::only_from_here;
pub use page::{html, layout};
