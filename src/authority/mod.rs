//! Authority: which source system may change which datum. Rules are read here (`rules`), and judged where a customer is written (`judge`).

pub mod judge;
mod rules;
mod setting;
mod sql;
pub mod suspended;

pub use rules::Rules;
pub use setting::init;
