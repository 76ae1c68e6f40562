//! History: who changed which datum of a customer, when, and from what to what. Rows of table
//! `change`, written where a customer is written.

mod keep;
pub mod row;
mod setting;
mod sql;

pub use keep::{note_deletion_left_out, note_left_out, relation_changed};
pub use row::{Datum, data_of_change, shown};
pub use setting::init;
