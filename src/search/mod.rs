//! Searching customers by an index that row-level security lets be used. Every row of a result is
//! read by SQL under row-level security (`rows`), so a search can never see more than a SELECT.
//!
//! From the ground up:
//!
//! | | |
//! |---|---|
//! | `bounds`, `letters`, `han`, `fold`, `form` | texts: how much of them is searched, and in which form |
//! | `key` | the keys that the index has of a text |
//! | `tier`, `word`, `query`, `matching` | a query, and how well a customer matches it |
//! | `term`, `expression`, `misspelt`, `probe`, `value` | what a query looks for in the index |
//! | `planner`, `rows` | reading customers |
//! | `place`, `opclass`, `gin` | the index |
//! | `page` | finding the customers of a page |
//! | `searchable`, `status`, `sql` | triggers and SQL functions |

mod bounds;
mod expression;
mod fold;
mod form;
mod gin;
mod han;
mod key;
mod letters;
mod matching;
mod misspelt;
mod opclass;
mod page;
mod place;
pub mod planner;
mod probe;
mod query;
mod rows;
mod searchable;
mod sql;
mod status;
mod term;
mod tier;
mod value;
mod word;

pub use gin::copying;
