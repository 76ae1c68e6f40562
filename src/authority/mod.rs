//! Authority: which source system may change which datum. Rules are read here (`rules`), and judged
//! where a customer is written (`judge`). What is left out is told once a statement (`left_out`).

pub mod exempt;
pub mod judge;
pub mod left_out;
mod rules;
mod setting;
mod sql;

pub use rules::Rules;
pub use setting::{init, skips};
