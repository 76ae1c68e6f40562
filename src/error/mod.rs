//! Every error that ringfence raises: SQLSTATE, message, detail and hint. The constructors are in files by subject.
//!
//! Messages name what the caller itself gave. None of them names another owner, another owner's rows,
//! or tells whether they exist: "no such owner" and "not your owner" are one error.

mod access;
mod customer;
mod desk;
mod failure;
mod life;
mod log;
mod server;
mod session;
mod token;

pub use access::*;
pub use customer::*;
pub use desk::*;
pub use failure::{Failure, Result, keep_backtraces_out, raised};
pub use life::*;
pub use log::*;
pub use pgrx::pg_sys::panic::ErrorReport;
pub use server::*;
pub use session::*;
pub use token::*;
