//! Access: which role may act for which owner, in which project, with which rights. `grant`,
//! `owners` and `reach` read what is stored, and `session` judges by it. `manage` changes and
//! explains it.

pub mod grant;
mod manage;
pub mod owners;
pub mod reach;
mod sql;
