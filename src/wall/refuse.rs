//! Statements that are refused, because PostgreSQL would run them past the wall, or would fail with
//! an error that explains nothing.

use crate::catalog;
use crate::error;
use crate::pg::members;
use pgrx::{PgLogLevel, pg_guard, pg_sys};
use std::ffi::CStr;

/// If a MERGE reads no column of its target, PostgreSQL runs it over all rows, and asks the
/// policies only about rows that it changes. Its conditions run once for each row, and could count
/// the rows of all owners.
///
/// # Safety
/// `statement` must be a planned statement.
#[pg_guard]
pub unsafe extern "C-unwind" fn blind_merge(statement: *mut pg_sys::PlannedStmt) {
    // SAFETY: as promised by the caller.
    unsafe {
        if std::iter::once((*statement).planTree)
            .chain(members::<pg_sys::Plan>((*statement).subplans))
            .any(|plan| merges_blindly(statement, plan))
        {
            error::blind_merge().report(PgLogLevel::ERROR);
        }
    }
}

/// # Safety
/// `plan` must be NULL, or the plan of that statement or of one of its WITH queries.
unsafe fn merges_blindly(statement: *mut pg_sys::PlannedStmt, plan: *mut pg_sys::Plan) -> bool {
    // SAFETY: the node's tag tells what it is; the lists of a plan hold what their names say.
    unsafe {
        if plan.is_null() || (*plan).type_ != pg_sys::NodeTag::T_ModifyTable {
            return false;
        }
        let plan = plan.cast::<pg_sys::ModifyTable>();
        if (*plan).operation != pg_sys::CmdType::CMD_MERGE || reads(statement, (*plan).nominalRelation) {
            return false;
        }
        // The plan has these checks if row-level security is in force. The name of the wall tells
        // which tables are ours.
        members::<pg_sys::List>((*plan).withCheckOptionLists)
            .flat_map(|checks| members::<pg_sys::WithCheckOption>(checks))
            .any(|check| !(*check).polname.is_null() && CStr::from_ptr((*check).polname) == c"owner_wall")
    }
}

/// Whether a statement needs the privilege to read that relation. If it does, the policies for
/// SELECT are in force too.
///
/// # Safety
/// `relation` must be an index of the statement's range table.
unsafe fn reads(statement: *mut pg_sys::PlannedStmt, relation: pg_sys::Index) -> bool {
    // SAFETY: as promised by the caller.
    let required = unsafe {
        let Some(relation) =
            members::<pg_sys::RangeTblEntry>((*statement).rtable).nth((relation as usize).wrapping_sub(1))
        else {
            return false;
        };
        #[cfg(feature = "pg15")]
        let required = (*relation).requiredPerms;
        #[cfg(not(feature = "pg15"))]
        let required = members::<pg_sys::RTEPermissionInfo>((*statement).permInfos)
            .nth(((*relation).perminfoindex as usize).wrapping_sub(1))
            .map_or(0, |permissions| (*permissions).requiredPerms);
        required
    };
    required & pg_sys::AclMode::from(pg_sys::ACL_SELECT) != 0
}

/// PostgreSQL accepts ON CONFLICT DO NOTHING for a view with triggers, but still fails at the first
/// conflict.
///
/// # Safety
/// `query` must be a query that is about to be planned.
#[pg_guard]
pub unsafe extern "C-unwind" fn on_conflict(query: *mut pg_sys::Query) {
    // SAFETY: as promised by the caller; the lists of a query hold what their names say.
    unsafe {
        let within = members::<pg_sys::CommonTableExpr>((*query).cteList).map(|with| (*with).ctequery);
        let queries = within
            .filter(|node| !node.is_null() && (**node).type_ == pg_sys::NodeTag::T_Query)
            .map(|node| node.cast::<pg_sys::Query>())
            .chain([query]);
        for query in queries.filter(|query| !(**query).onConflict.is_null()) {
            let target = ((*query).resultRelation as usize).wrapping_sub(1);
            if let Some(target) = members::<pg_sys::RangeTblEntry>((*query).rtable).nth(target)
                && (*target).relid == catalog::table_oid(c"customer_card")
            {
                error::no_on_conflict().report(PgLogLevel::ERROR);
            }
        }
    }
}

/// The tables that a planned statement inserts into with ON CONFLICT, and what it does then.
///
/// # Safety
/// `statement` must be a planned statement.
unsafe fn conflicts(
    statement: *mut pg_sys::PlannedStmt,
) -> impl Iterator<Item = (pg_sys::Oid, pg_sys::OnConflictAction::Type)> {
    // SAFETY: as promised by the caller; the tag of a plan tells what it is.
    unsafe {
        let plans = members::<pg_sys::Plan>((*statement).subplans).chain([(*statement).planTree]);
        let inserts = plans
            .filter(|plan| !plan.is_null() && (**plan).type_ == pg_sys::NodeTag::T_ModifyTable)
            .map(|plan| plan.cast::<pg_sys::ModifyTable>())
            .filter(|insert| (**insert).onConflictAction != pg_sys::OnConflictAction::ONCONFLICT_NONE);
        inserts.filter_map(move |insert| {
            let target = ((*insert).nominalRelation as usize).wrapping_sub(1);
            let target = members::<pg_sys::RangeTblEntry>((*statement).rtable).nth(target)?;
            Some(((*target).relid, (*insert).onConflictAction))
        })
    }
}

/// The same for a statement that was planned before the library was loaded.
///
/// # Safety
/// `statement` must be a planned statement.
pub unsafe fn planned_on_conflict(statement: *mut pg_sys::PlannedStmt) {
    // SAFETY: as promised by the caller.
    let mut conflicts = unsafe { conflicts(statement) };
    if conflicts.any(|(target, _)| target == catalog::table_oid(c"customer_card")) {
        error::no_on_conflict().report(PgLogLevel::ERROR);
    }
}

/// Whether a statement updates the customer that it finds where it would insert one.
///
/// # Safety
/// `statement` must be a planned statement.
#[pg_guard]
pub unsafe extern "C-unwind" fn updates_on_conflict(statement: *mut pg_sys::PlannedStmt) -> bool {
    const UPDATES: pg_sys::OnConflictAction::Type = pg_sys::OnConflictAction::ONCONFLICT_UPDATE;
    // SAFETY: as promised by the caller.
    let mut conflicts = unsafe { conflicts(statement) };
    conflicts.any(|(target, action)| action == UPDATES && target == catalog::table_oid(c"customer"))
}
