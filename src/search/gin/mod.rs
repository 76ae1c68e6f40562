//! The search index as files of GIN's layout: reading, writing, and what PostgreSQL calls.
//!
//! Reading: `page`, `posting`, `scan`. Writing: `write`, `build`, `copying`. Above both stand
//! `access_method`, which PostgreSQL calls, and `index`, which a search asks.

pub mod access_method;
pub mod build;
pub mod copying;
pub mod index;
pub mod page;
pub mod posting;
pub mod scan;
pub mod write;
