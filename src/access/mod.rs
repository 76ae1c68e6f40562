//! Access: which role may act for which owner, in which project, with which rights. What is stored is read here, for `session` to judge by
//! (`grant`, `owners`, `reach`); `manage` changes and explains it.

pub mod grant;
mod manage;
pub mod owners;
pub mod reach;
mod sql;
