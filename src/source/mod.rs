//! Sources: the systems that write an owner's customers, such as CRM and ERP.

mod sources;
mod sql;

pub use sources::Sources;
