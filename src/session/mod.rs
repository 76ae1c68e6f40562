//! The session: for whom it works, where, and with which rights.
//!
//! A session asks (`settings`, or `enter` by `enter()` and `login()`), and what it asks is a `question`. `judge` answers it: from what is in force,
//! from what it remembers, or by `decide` from the tables. `fast` gives policies the answer for each row. The answer is a `context`; the
//! first use of it fixes the owner (`latch`). `held`, `resumed`, `parallel` and `workers` see to it that no rows go past the judgement: to a
//! cursor WITH HOLD, to a cursor that is fetched from later, to parallel workers.

mod acting;
mod author;
mod context;
mod decide;
mod enter;
mod entered;
pub mod fast;
mod held;
mod judge;
mod last;
mod latch;
mod owners;
mod parallel;
mod projects;
mod question;
mod resumed;
pub mod settings;
mod sql;
mod statement;
mod workers;

use crate::access;
use crate::catalog;
use pgrx::pg_sys;

pub use acting::{acting_for, as_definer_for, is_acting};
pub use author::{acting_source, actor, agent, source};
pub use context::{Context, Serial};
pub use judge::{
    context, context_if_entitled, context_of_statement, outer_role, owner_to_log, require, selected_context,
    works_for_transaction_only,
};
pub use owners::owners_in_reach;
pub use statement::{after_run, before_run, utility_begins};

/// Defines the settings. For `_PG_init`.
pub fn init() {
    settings::define();
}

/// A relation has changed; InvalidOid stands for all. For callbacks: sets flags.
pub fn relation_changed(relation: pg_sys::Oid) {
    last::relation_changed(relation);
    if relation == pg_sys::InvalidOid || catalog::was_read(relation) {
        judge::forget();
    }
}

/// A role or a membership has changed. For callbacks: sets flags.
pub fn role_changed() {
    judge::forget();
}

/// The transaction has ended, or was prepared.
pub fn transaction_ended() {
    latch::transaction_ended();
    judge::transaction_ended();
    acting::transaction_ended();
    entered::transaction_ended();
    access::owners::transaction_ended();
    held::transaction_ended();
    resumed::transaction_ended();
}

/// A subtransaction was rolled back.
pub fn subtransaction_undone(own: pg_sys::SubTransactionId) {
    entered::subtransaction_undone(own);
    latch::subtransaction_undone(own);
    judge::subtransaction_undone();
}

/// A subtransaction has become part of its parent.
pub fn subtransaction_joined(own: pg_sys::SubTransactionId, parent: pg_sys::SubTransactionId) {
    entered::subtransaction_joined(own, parent);
    latch::subtransaction_joined(own, parent);
}
