//! Locks on whole tables. The tables of the extension hold the rows of all owners, so a lock on one
//! keeps all owners waiting. A role that row-level security binds may lock rows, but no table.
//!
//! PostgreSQL lets every role that may delete from a table lock it. And some commands take a strong
//! lock before they check the privilege: while such a command waits for its lock, all others wait
//! behind it.

use crate::catalog::{self, Rows};
use crate::error::{self, Result};
use crate::pg::members;
use pgrx::{PgLogLevel, pg_guard, pg_sys};
use std::collections::HashSet;
use std::ffi::CStr;

// Catalogs of PostgreSQL and their indexes. Their oids are the same in all versions.
const PG_REWRITE: u32 = 2618;
const PG_REWRITE_BY_RELATION: u32 = 2693;
const PG_DEPEND: u32 = 2608;
const PG_DEPEND_BY_DEPENDER: u32 = 2673;
const PG_INHERITS: u32 = 2611;
const PG_INHERITS_BY_PARENT: u32 = 2187;

/// Error 42501 if a role that row-level security binds would lock a table of the extension. Returns
/// whether the caller must ask again after the statement: while LOCK TABLE waits for a view, the
/// view can change.
///
/// # Safety
/// Under plain frames only (see `pg`). `statement` must be a parse tree node or NULL.
pub unsafe fn refuse(statement: *mut pg_sys::Node) -> bool {
    use pg_sys::NodeTag::*;
    // SAFETY: as promised by the caller: the node's tag tells what it is.
    unsafe {
        if statement.is_null() {
            return false;
        }
        let locks = match (*statement).type_ {
            T_LockStmt => (*statement.cast::<pg_sys::LockStmt>()).mode > pg_sys::RowShareLock as i32,
            T_CreateTrigStmt
            | T_AlterTableStmt
            | T_CreateStmt
            | T_CreateForeignTableStmt
            | T_RuleStmt
            | T_CommentStmt
            | T_SecLabelStmt
            | T_CreateStatsStmt
            | T_CreatePublicationStmt
            | T_AlterPublicationStmt => true,
            _ => return false,
        };
        if locks {
            refuse_locks(statement);
        }
        locks && (*statement).type_ == T_LockStmt
    }
}

/// # Safety
/// `statement` must be a parse tree node.
#[pg_guard]
unsafe extern "C-unwind" fn refuse_locks(statement: *mut pg_sys::Node) {
    // SAFETY: as promised by the caller; what is asked of PostgreSQL are its catalogs, in the transaction of the statement.
    unsafe {
        let user = pg_sys::GetUserId();
        // Functions of the extension lock as the definer. Nobody else can be this role.
        if pg_sys::has_bypassrls_privilege(user) || user == catalog::role_oid(c"ringfence_definer") {
            return;
        }
        // Only LOCK TABLE also locks what a view reads, and the children of a table.
        let recurses = (*statement).type_ == pg_sys::NodeTag::T_LockStmt;
        for (name, privilege) in locked_by(statement) {
            if let Err(refusal) = check(name, recurses, user, privilege) {
                refusal.report(PgLogLevel::ERROR);
            }
        }
    }
}

/// The relations that a statement names and locks before PostgreSQL checks the privilege, each with
/// that privilege. The function is long, because it has an arm for each kind of statement.
///
/// # Safety
/// `statement` must be a parse tree node.
unsafe fn locked_by(statement: *mut pg_sys::Node) -> Vec<(*mut pg_sys::RangeVar, pg_sys::AclMode)> {
    use pg_sys::NodeTag::*;
    const NONE: pg_sys::AclMode = 0;
    let references = pg_sys::ACL_REFERENCES as pg_sys::AclMode;
    let trigger = pg_sys::ACL_TRIGGER as pg_sys::AclMode;
    let mut locked = Vec::new();
    // SAFETY: the node's tag tells what it is, and the lists of a statement hold what their names say.
    unsafe {
        match (*statement).type_ {
            T_LockStmt => {
                let relations = (*statement.cast::<pg_sys::LockStmt>()).relations;
                locked.extend(members::<pg_sys::RangeVar>(relations).map(|name| (name, NONE)));
            }
            T_CreateTrigStmt => {
                let created = statement.cast::<pg_sys::CreateTrigStmt>();
                locked.push(((*created).relation, trigger));
                locked.push(((*created).constrrel, references));
            }
            T_AlterTableStmt => {
                for command in members::<pg_sys::AlterTableCmd>((*statement.cast::<pg_sys::AlterTableStmt>()).cmds) {
                    let definition = (*command).def;
                    match (*command).subtype {
                        _ if definition.is_null() => (),
                        pg_sys::AlterTableType::AT_AttachPartition => {
                            locked.push(((*definition.cast::<pg_sys::PartitionCmd>()).name, NONE));
                        }
                        _ if (*definition).type_ == T_RangeVar => locked.push((definition.cast(), NONE)),
                        _ => locked.extend(referenced_by(definition).into_iter().map(|name| (name, references))),
                    }
                }
            }
            // The node of CREATE FOREIGN TABLE begins with that of CREATE TABLE.
            T_CreateStmt | T_CreateForeignTableStmt => {
                let created = statement.cast::<pg_sys::CreateStmt>();
                locked.extend(members::<pg_sys::RangeVar>((*created).inhRelations).map(|name| (name, NONE)));
                for element in members::<pg_sys::Node>((*created).tableElts) {
                    locked.extend(referenced_by(element).into_iter().map(|name| (name, references)));
                }
            }
            T_RuleStmt => locked.push(((*statement.cast::<pg_sys::RuleStmt>()).relation, NONE)),
            T_CreateStatsStmt => {
                let relations = (*statement.cast::<pg_sys::CreateStatsStmt>()).relations;
                let named = members::<pg_sys::Node>(relations).filter(|relation| (**relation).type_ == T_RangeVar);
                locked.extend(named.map(|name| (name.cast(), NONE)));
            }
            T_CommentStmt => {
                let comment = statement.cast::<pg_sys::CommentStmt>();
                locked.push((named_by((*comment).objtype, (*comment).object), NONE));
            }
            T_SecLabelStmt => {
                let label = statement.cast::<pg_sys::SecLabelStmt>();
                locked.push((named_by((*label).objtype, (*label).object), NONE));
            }
            T_CreatePublicationStmt => {
                let objects = (*statement.cast::<pg_sys::CreatePublicationStmt>()).pubobjects;
                locked.extend(published_by(objects).map(|name| (name, NONE)));
            }
            T_AlterPublicationStmt => {
                let objects = (*statement.cast::<pg_sys::AlterPublicationStmt>()).pubobjects;
                locked.extend(published_by(objects).map(|name| (name, NONE)));
            }
            _ => (),
        }
    }
    locked.retain(|(name, _)| !name.is_null());
    locked
}

/// The relation that COMMENT or SECURITY LABEL names, by itself or with a column. NULL for other
/// objects.
///
/// # Safety
/// `object` must be the object of such a statement, of that kind.
unsafe fn named_by(kind: pg_sys::ObjectType::Type, object: *mut pg_sys::Node) -> *mut pg_sys::RangeVar {
    use pg_sys::ObjectType::*;
    // SAFETY: as promised by the caller: the name is a list of strings. The last part of a column's
    // name is the column.
    unsafe {
        let of_column = match kind {
            OBJECT_COLUMN => 1,
            OBJECT_TABLE | OBJECT_VIEW | OBJECT_INDEX | OBJECT_SEQUENCE | OBJECT_MATVIEW | OBJECT_FOREIGN_TABLE => 0,
            _ => return std::ptr::null_mut(),
        };
        let name: *mut pg_sys::List = object.cast();
        let parts = (*name).length - of_column;
        // A name of any other length is an error that PostgreSQL reports.
        if !(1..=3).contains(&parts) {
            return std::ptr::null_mut();
        }
        pg_sys::makeRangeVarFromNameList(pg_sys::list_truncate(pg_sys::list_copy(name), parts))
    }
}

/// The tables that a publication is to have.
///
/// # Safety
/// `objects` must be those of a statement that makes or changes one.
unsafe fn published_by(objects: *mut pg_sys::List) -> impl Iterator<Item = *mut pg_sys::RangeVar> {
    // SAFETY: as promised by the caller. Objects other than tables have NULL here.
    unsafe {
        members::<pg_sys::PublicationObjSpec>(objects)
            .map(|object| (*object).pubtable)
            .filter(|table| !table.is_null())
            .map(|table| (*table).relation)
    }
}

/// The tables that the foreign keys of a column or a constraint refer to.
///
/// # Safety
/// `element` must be a parse tree node.
unsafe fn referenced_by(element: *mut pg_sys::Node) -> Vec<*mut pg_sys::RangeVar> {
    // SAFETY: the node's tag tells what it is.
    unsafe {
        match (*element).type_ {
            pg_sys::NodeTag::T_Constraint => vec![(*element.cast::<pg_sys::Constraint>()).pktable],
            pg_sys::NodeTag::T_ColumnDef => {
                members::<pg_sys::Constraint>((*element.cast::<pg_sys::ColumnDef>()).constraints)
                    .map(|constraint| (*constraint).pktable)
                    .collect()
            }
            _ => Vec::new(),
        }
    }
}

/// Error 42501 if the relation of that name belongs to the extension and the user does not have the
/// privilege that allows the lock. If the lock `recurses`, the same for each relation that is
/// locked with it.
///
/// # Safety
/// `name` must be the name of a relation in a parse tree.
unsafe fn check(
    name: *mut pg_sys::RangeVar,
    recurses: bool,
    user: pg_sys::Oid,
    privilege: pg_sys::AclMode,
) -> Result<()> {
    // SAFETY: as promised by the caller. No lock is taken. The command itself reports a relation
    // that is missing or changes meanwhile.
    let named = unsafe {
        pg_sys::RangeVarGetRelidExtended(
            name,
            pg_sys::NoLock as _,
            pg_sys::RVROption::RVR_MISSING_OK as _,
            None,
            std::ptr::null_mut(),
        )
    };
    if named == pg_sys::InvalidOid {
        return Ok(());
    }
    for relation in if recurses { locked_with(named)? } else { vec![named] } {
        if !is_ours(relation) {
            continue;
        }
        // SAFETY: asks catalogs.
        let may = privilege != 0
            && unsafe {
                pg_sys::pg_class_aclcheck(relation, user, privilege) == pg_sys::AclResult::ACLCHECK_OK
                    || pg_sys::pg_attribute_aclcheck_all(relation, user, privilege, pg_sys::AclMaskHow::ACLMASK_ANY)
                        == pg_sys::AclResult::ACLCHECK_OK
            };
        if !may {
            // SAFETY: the name in a parse tree is a C string.
            let shown = unsafe { CStr::from_ptr((*name).relname) }.to_string_lossy();
            return Err(if privilege == pg_sys::ACL_REFERENCES as pg_sys::AclMode {
                error::may_not_refer_to(&shown)
            } else {
                error::locks_all_owners(&shown)
            });
        }
    }
    Ok(())
}

/// Whether a relation is in one of the schemas of the extension.
fn is_ours(relation: pg_sys::Oid) -> bool {
    // SAFETY: catalog look-ups by oid and NUL-terminated names, inside a transaction.
    unsafe {
        let schema = pg_sys::get_rel_namespace(relation);
        schema != pg_sys::InvalidOid
            && [c"ringfence", c"ringfence_report"]
                .into_iter()
                .any(|name| schema == pg_sys::get_namespace_oid(name.as_ptr(), true))
    }
}

/// All that LOCK TABLE locks with a relation: the relation itself, the relations that a view reads,
/// and partitions and children.
fn locked_with(named: pg_sys::Oid) -> Result<Vec<pg_sys::Oid>> {
    let mut found = vec![named];
    let mut known = HashSet::from([named]);
    let mut next = 0;
    while let Some(relation) = found.get(next).copied() {
        next += 1;
        // A user can make a long chain of views. It must be possible to cancel this.
        pgrx::check_for_interrupts!();
        let mut beneath = children_of(relation)?;
        // SAFETY: a catalog look-up by oid.
        if unsafe { pg_sys::get_rel_relkind(relation) } as u8 == pg_sys::RELKIND_VIEW {
            beneath.extend(read_by_view(relation)?);
        }
        for relation in beneath {
            if known.insert(relation) {
                found.push(relation);
            }
        }
    }
    Ok(found)
}

fn children_of(relation: pg_sys::Oid) -> Result<Vec<pg_sys::Oid>> {
    let rows = Rows::Of { index: PG_INHERITS_BY_PARENT, columns: vec![(2, relation)] };
    catalog::read_table(PG_INHERITS.into(), &[c"inhrelid"], rows, |row| row.get(0))
}

/// The relations that a view reads: those that its rule depends on.
fn read_by_view(view: pg_sys::Oid) -> Result<Vec<pg_sys::Oid>> {
    let rows = Rows::Of { index: PG_REWRITE_BY_RELATION, columns: vec![(3, view)] };
    let rules: Vec<pg_sys::Oid> = catalog::read_table(PG_REWRITE.into(), &[c"oid"], rows, |row| row.get(0))?;
    let mut read = Vec::new();
    for rule in rules {
        let rows = Rows::Of { index: PG_DEPEND_BY_DEPENDER, columns: vec![(1, PG_REWRITE.into()), (2, rule)] };
        read.extend(catalog::read_table(PG_DEPEND.into(), &[c"refclassid", c"refobjid"], rows, |row| {
            (row.get::<pg_sys::Oid>(0)? == pg_sys::RelationRelationId).then(|| row.get::<pg_sys::Oid>(1)).flatten()
        })?);
    }
    Ok(read)
}
