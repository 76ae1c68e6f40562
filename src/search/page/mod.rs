//! Finding the customers of one page of a search. `fill` is the way in.

pub mod cursor;
pub mod days;
pub mod fill;
pub mod finder;
pub mod long_misspelt;
pub mod many;
