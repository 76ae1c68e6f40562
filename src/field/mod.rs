//! Fields: how an owner defines them (`definition`, `kind`), which of them a session sees
//! (`visible`), and how they change once they have values (`change`, `lock`).

mod change;
mod definition;
mod every;
mod kind;
mod lock;
mod sql;
mod visible;

pub use definition::Definition;
pub use every::EveryField;
pub use kind::{Type, date, datetime, time};
pub use lock::{keep_writers_out, share_definitions};
pub use visible::{SearchedField, VisibleField, VisibleFields, storage_key_of};
