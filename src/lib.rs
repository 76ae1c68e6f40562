//! ringfence: tenant isolation inside PostgreSQL.
//!
//! Each room of the domain is a module here and a file of the same name under `sql/`. The SQL objects,
//! also those implemented here, are declared in the SQL files, each beside its grants and its comment.

#![deny(ffi_unwind_calls, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod access;
mod authority;
mod catalog;
mod channel;
mod contact;
mod customer;
mod erasure;
mod error;
mod field;
mod health;
mod history;
mod hooks;
mod import;
mod install;
mod interaction;
mod jsonb;
mod life;
mod lock;
mod log;
mod merge;
mod name;
mod owner;
mod pg;
mod project;
mod report;
mod rights;
mod role;
mod search;
mod secret;
mod session;
mod source;
mod text;
mod ticket;
mod token;
mod wall;
mod wording;

use pgrx::prelude::*;

pgrx::pg_module_magic!(name, version);

extension_sql_file!("../sql/install.sql", name = "install", bootstrap);
extension_sql_file!("../sql/name.sql", name = "name", requires = ["install"]);
extension_sql_file!("../sql/session.sql", name = "session", requires = ["name"]);
extension_sql_file!("../sql/wall.sql", name = "wall", requires = ["session"]);
extension_sql_file!("../sql/owner.sql", name = "owner", requires = ["wall"]);
extension_sql_file!("../sql/project.sql", name = "project", requires = ["owner"]);
extension_sql_file!("../sql/access.sql", name = "access", requires = ["project"]);
extension_sql_file!("../sql/token.sql", name = "token", requires = ["access"]);
extension_sql_file!("../sql/source.sql", name = "source", requires = ["token"]);
extension_sql_file!("../sql/contact.sql", name = "contact", requires = ["source"]);
extension_sql_file!("../sql/customer.sql", name = "customer", requires = ["contact"]);
extension_sql_file!("../sql/field.sql", name = "field", requires = ["customer"]);
extension_sql_file!("../sql/unique.sql", name = "unique", requires = ["field"]);
extension_sql_file!("../sql/authority.sql", name = "authority", requires = ["unique"]);
extension_sql_file!("../sql/history.sql", name = "history", requires = ["authority"]);
extension_sql_file!("../sql/proposal.sql", name = "proposal", requires = ["history"]);
extension_sql_file!("../sql/flow.sql", name = "flow", requires = ["proposal"]);
extension_sql_file!("../sql/report.sql", name = "report", requires = ["flow"]);
extension_sql_file!("../sql/search.sql", name = "search", requires = ["report"]);
extension_sql_file!("../sql/channel.sql", name = "channel", requires = ["search"]);
extension_sql_file!("../sql/ticket.sql", name = "ticket", requires = ["channel"]);
extension_sql_file!("../sql/interaction.sql", name = "interaction", requires = ["ticket"]);
extension_sql_file!("../sql/script.sql", name = "script", requires = ["interaction"]);
extension_sql_file!("../sql/import.sql", name = "import", requires = ["script"]);
extension_sql_file!("../sql/erasure.sql", name = "erasure", requires = ["import"]);
extension_sql_file!("../sql/merge.sql", name = "merge", requires = ["erasure"]);
extension_sql_file!("../sql/life.sql", name = "life", requires = ["merge"]);
extension_sql_file!("../sql/health.sql", name = "health", requires = ["life"]);
extension_sql_file!("../sql/finish.sql", name = "finish", finalize);

/// Runs once in each backend that loads the library.
#[pg_guard]
pub extern "C-unwind" fn _PG_init() {
    error::keep_backtraces_out();
    health::init();
    session::init();
    wall::init();
    owner::init();
    authority::init();
    history::init();
    token::init();
    log::init();
    install::init();
    hooks::install();
    // When all settings are defined.
    session::settings::reserve_prefix();
}
