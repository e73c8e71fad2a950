//! Why definitions cannot be read.

mod language;
mod problem;
mod read;

pub use language::{LanguageError, LanguageFault};
pub use problem::Problem;
pub use read::ReadError;
