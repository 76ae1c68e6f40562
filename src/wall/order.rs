//! A scan of a walled table checks the wall before any other condition, and by the wall's own function.
//!
//! PostgreSQL promises neither.
//!
//! - It sorts the conditions of a scan by security level and cost. A condition that is leakproof and
//!   cheap, or that uses no column, counts as one of the lowest level. It then runs on the rows of all
//!   owners before the wall does, and an error, a sequence or a notice in it tells of these rows.
//! - If a user compares the wall's column with an expression, the planner merges both conditions into
//!   one equivalence class. It checks once that the expression equals the session's owner, and then
//!   scans by the expression alone. A function that is declared STABLE and is not may answer
//!   differently the second time.
//!
//! So we go through each finished plan once more. Each scan of a walled table gets the wall in its index
//! condition, and as the first of its other conditions. This costs nothing when the plan runs.

use super::policy::{self, Wall};
use crate::catalog;
use crate::error;
use crate::pg::members;
use crate::rights::Rights;
use pgrx::{FromDatum, PgLogLevel, pg_sys};

/// The first column of an index, as its conditions name it.
const FIRST_KEY: pg_sys::AttrNumber = 1;

/// Goes through a statement's plan. Error 0A000 for a sample of a walled table, because its size
/// depends on where the rows of other owners lie.
///
/// # Safety
/// `statement` must be a planned statement whose tables are locked, and which nobody runs yet.
pub unsafe fn put_walls_first(statement: *mut pg_sys::PlannedStmt) {
    // SAFETY: as promised by the caller.
    unsafe {
        each_plan(statement, &mut |plan| {
            WalledScan::of(statement, plan).into_iter().for_each(|scan| scan.put_wall_first());
            join_without_statistics(plan);
        })
    }
}

/// A hash join that does not fit into memory begins with the most frequent values of a column. It takes
/// them from the statistics, which are of all owners, so that the order of the rows would tell which
/// values they are. For a session that the wall binds the join does without them.
///
/// # Safety
/// As [`put_walls_first`].
unsafe fn join_without_statistics(plan: *mut pg_sys::Plan) {
    // SAFETY: as promised by the caller; the tag tells what the node is, and the table is one of the statement.
    unsafe {
        if (*plan).type_ != pg_sys::NodeTag::T_Hash {
            return;
        }
        let table = &raw mut (*plan.cast::<pg_sys::Hash>()).skewTable;
        if *table != pg_sys::InvalidOid && policy::in_force(*table).is_some() {
            *table = pg_sys::InvalidOid;
        }
    }
}

/// Whether a statement's plan scans a table whose wall asks for the session's owner.
///
/// # Safety
/// As [`put_walls_first`].
pub unsafe fn asks_for_owner(statement: *mut pg_sys::PlannedStmt) -> bool {
    let mut asks = false;
    // SAFETY: as promised by the caller.
    unsafe {
        each_plan(statement, &mut |plan| {
            asks = asks || WalledScan::of(statement, plan).is_some_and(|scan| scan.wall.reaches_one);
        });
    }
    asks
}

/// Whether a statement names a walled table anywhere.
///
/// # Safety
/// As [`put_walls_first`].
pub unsafe fn reads_walled_table(statement: *mut pg_sys::PlannedStmt) -> bool {
    // SAFETY: as promised by the caller: a list of oids, `length` long.
    unsafe {
        let tables = (*statement).relationOids;
        let count = if tables.is_null() { 0 } else { (*tables).length as usize };
        (0..count).any(|n| policy::of((*(*tables).elements.add(n)).oid_value).is_some())
    }
}

/// Calls `work` with each node of the plan of a statement that names a walled table.
///
/// # Safety
/// As [`put_walls_first`].
unsafe fn each_plan(statement: *mut pg_sys::PlannedStmt, work: &mut impl FnMut(*mut pg_sys::Plan)) {
    // SAFETY: as promised by the caller; the tree that planning has just walked is no deeper than the stack.
    unsafe {
        if !reads_walled_table(statement) {
            return;
        }
        std::iter::once((*statement).planTree)
            .chain(members::<pg_sys::Plan>((*statement).subplans))
            .for_each(|plan| each_node(plan, work));
    }
}

/// # Safety
/// `plan` must be a plan or NULL.
unsafe fn each_node(plan: *mut pg_sys::Plan, work: &mut impl FnMut(*mut pg_sys::Plan)) {
    // SAFETY: as promised by the caller; the tags tell what the nodes are, and the lists hold plans.
    unsafe {
        if plan.is_null() {
            return;
        }
        work(plan);
        let more = match (*plan).type_ {
            pg_sys::NodeTag::T_Append => (*plan.cast::<pg_sys::Append>()).appendplans,
            pg_sys::NodeTag::T_MergeAppend => (*plan.cast::<pg_sys::MergeAppend>()).mergeplans,
            pg_sys::NodeTag::T_BitmapAnd => (*plan.cast::<pg_sys::BitmapAnd>()).bitmapplans,
            pg_sys::NodeTag::T_BitmapOr => (*plan.cast::<pg_sys::BitmapOr>()).bitmapplans,
            pg_sys::NodeTag::T_CustomScan => (*plan.cast::<pg_sys::CustomScan>()).custom_plans,
            pg_sys::NodeTag::T_SubqueryScan => {
                each_node((*plan.cast::<pg_sys::SubqueryScan>()).subplan, work);
                std::ptr::null_mut()
            }
            _ => std::ptr::null_mut(),
        };
        members::<pg_sys::Plan>(more).for_each(|child| each_node(child, work));
        each_node((*plan).lefttree, work);
        each_node((*plan).righttree, work);
    }
}

/// A node that scans a walled table, or an index of one.
pub struct WalledScan {
    plan: *mut pg_sys::Plan,
    table: pg_sys::Oid,
    relation: pg_sys::Index,
    wall: Wall,
}

impl WalledScan {
    /// None for any other node, and if row-level security does not bind the role that reads the table.
    ///
    /// # Safety
    /// `plan` must be a node of the statement's plan, and the statement's tables be locked.
    pub unsafe fn of(statement: *mut pg_sys::PlannedStmt, plan: *mut pg_sys::Plan) -> Option<WalledScan> {
        // SAFETY: as promised by the caller; a scan's relation is one of the range table.
        unsafe {
            if !is_scan((*plan).type_) {
                return None;
            }
            let relation = (*plan.cast::<pg_sys::Scan>()).scanrelid;
            let entry =
                members::<pg_sys::RangeTblEntry>((*statement).rtable).nth((relation as usize).checked_sub(1)?)?;
            if (*entry).rtekind != pg_sys::RTEKind::RTE_RELATION {
                return None;
            }
            let table = (*entry).relid;
            let wall = policy::of(table)?;
            let in_force = catalog::row_security_binds(table, reader(statement, entry));
            in_force.then_some(WalledScan { plan, table, relation, wall })
        }
    }

    /// # Safety
    /// As [`put_walls_first`].
    unsafe fn put_wall_first(&self) {
        let plan = self.plan;
        // SAFETY: as promised by the caller; the tags tell what the nodes are.
        unsafe {
            match (*plan).type_ {
                pg_sys::NodeTag::T_SampleScan => error::no_sample_of_walled_table().report(PgLogLevel::ERROR),
                pg_sys::NodeTag::T_BitmapIndexScan => {
                    let scan = plan.cast::<pg_sys::BitmapIndexScan>();
                    self.narrow_index((*scan).indexid, &mut (*scan).indexqual, &mut (*scan).indexqualorig);
                    return;
                }
                pg_sys::NodeTag::T_IndexScan => {
                    let scan = plan.cast::<pg_sys::IndexScan>();
                    self.narrow_index((*scan).indexid, &mut (*scan).indexqual, &mut (*scan).indexqualorig);
                }
                pg_sys::NodeTag::T_IndexOnlyScan => {
                    let scan = plan.cast::<pg_sys::IndexOnlyScan>();
                    let mut unused = std::ptr::null_mut();
                    self.narrow_index((*scan).indexid, &mut (*scan).indexqual, &mut unused);
                }
                _ => (),
            }
            if !self.is_kept_by_index() && !self.is_one_of((*plan).qual) {
                (*plan).qual = pg_sys::lcons(self.condition_in_scan().cast(), (*plan).qual);
            }
            if (*plan).type_ == pg_sys::NodeTag::T_BitmapHeapScan {
                // A bitmap that has no room for single rows keeps pages. Then PostgreSQL checks the condition
                // of the index again, for all rows of a page.
                let scan = plan.cast::<pg_sys::BitmapHeapScan>();
                if !self.is_one_of((*scan).bitmapqualorig) {
                    (*scan).bitmapqualorig = pg_sys::lcons(self.condition().cast(), (*scan).bitmapqualorig);
                }
            }
            self.sort_conditions((*plan).qual);
        }
    }

    /// Whether the index condition of the scan keeps out the rows of other owners, so that it reads rows
    /// of the session's owner only.
    ///
    /// # Safety
    /// As [`put_walls_first`].
    pub unsafe fn is_kept_by_index(&self) -> bool {
        // SAFETY: as promised by the caller; the tags tell what the nodes are.
        unsafe {
            // If the index condition lacks the wall, the wall stands among the other conditions.
            if self.is_one_of((*self.plan).qual) {
                return false;
            }
            match (*self.plan).type_ {
                pg_sys::NodeTag::T_IndexScan => self.is_one_of((*self.plan.cast::<pg_sys::IndexScan>()).indexqualorig),
                pg_sys::NodeTag::T_IndexOnlyScan => {
                    let scan = self.plan.cast::<pg_sys::IndexOnlyScan>();
                    self.leads_index((*scan).indexid) && self.is_among_keys((*scan).indexqual)
                }
                pg_sys::NodeTag::T_BitmapHeapScan => {
                    self.is_in_each_index((*self.plan.cast::<pg_sys::BitmapHeapScan>()).bitmapqualorig)
                }
                _ => false,
            }
        }
    }

    /// Whether the session may see some of its owner's rows and not others.
    ///
    /// # Safety
    /// As [`put_walls_first`].
    pub unsafe fn judges_rights_by_row(&self) -> bool {
        // SAFETY: as promised by the caller.
        unsafe {
            members::<pg_sys::Node>((*self.plan).qual)
                .any(|condition| asks_for_rights(condition) && pg_sys::contain_var_clause(condition))
        }
    }

    /// Adds the wall to the conditions of a B-tree that begins with the wall's column, unless it is there.
    /// The scan then looks at no entry of another owner, even if a user names one.
    ///
    /// # Safety
    /// `keys` must be the conditions of that index as the index sees them, `original` the same as conditions on the table.
    unsafe fn narrow_index(&self, index: pg_sys::Oid, keys: &mut *mut pg_sys::List, original: &mut *mut pg_sys::List) {
        // SAFETY: as promised by the caller. A B-tree wants its conditions in the order of its columns: this is one on the first.
        unsafe {
            if !self.leads_index(index) || self.is_among_keys(*keys) {
                return;
            }
            let key = self.condition();
            if let Some(column) = column_of(key) {
                (*column).varno = pg_sys::INDEX_VAR;
                (*column).varattno = FIRST_KEY;
                *keys = pg_sys::lcons(key.cast(), *keys);
                *original = pg_sys::lcons(self.condition().cast(), *original);
            }
        }
    }

    /// Whether an index is a B-tree whose first column is that of the wall, and can be compared as the wall does.
    ///
    /// # Safety
    /// `index` must be an index of the table.
    unsafe fn leads_index(&self, index: pg_sys::Oid) -> bool {
        // SAFETY: as promised by the caller: the planner has locked it.
        unsafe {
            policy::first_column_of(index).is_some_and(|(column, family)| {
                column == self.wall.column && pg_sys::op_in_opfamily(self.wall.operator, family)
            })
        }
    }

    /// Whether the wall itself is one of the conditions. As a part of another condition it does not
    /// count, because another part may run before it.
    ///
    /// # Safety
    /// `conditions` must be conditions on the columns of the scanned table.
    unsafe fn is_one_of(&self, conditions: *mut pg_sys::List) -> bool {
        // SAFETY: as promised by the caller.
        unsafe { members(conditions).any(|condition| self.is_wall(condition)) }
    }

    /// Whether each index that a bitmap is made of has the wall among its conditions.
    ///
    /// # Safety
    /// `conditions` must be those of the indexes, as conditions on the scanned table.
    unsafe fn is_in_each_index(&self, conditions: *mut pg_sys::List) -> bool {
        // SAFETY: as promised by the caller.
        unsafe { members(conditions).any(|condition| self.is_in(condition)) }
    }

    /// # Safety
    /// `keys` must be conditions of an index that begins with the wall's column.
    unsafe fn is_among_keys(&self, keys: *mut pg_sys::List) -> bool {
        // SAFETY: as promised by the caller.
        unsafe {
            let is_column =
                |column: *mut pg_sys::Var| (*column).varno == pg_sys::INDEX_VAR && (*column).varattno == FIRST_KEY;
            members(keys).any(|key| self.wall.is(key, &is_column))
        }
    }

    /// Whether a condition of indexes is the wall, or has it in every alternative.
    ///
    /// # Safety
    /// As [`WalledScan::is_in_each_index`].
    unsafe fn is_in(&self, condition: *mut pg_sys::Node) -> bool {
        // SAFETY: as promised by the caller; the tags tell what the nodes are.
        unsafe {
            if condition.is_null() {
                return false;
            }
            if (*condition).type_ == pg_sys::NodeTag::T_BoolExpr {
                let combined = condition.cast::<pg_sys::BoolExpr>();
                let mut parts = members((*combined).args);
                return match (*combined).boolop {
                    pg_sys::BoolExprType::AND_EXPR => parts.any(|part| self.is_in(part)),
                    pg_sys::BoolExprType::OR_EXPR => parts.all(|part| self.is_in(part)),
                    _ => false,
                };
            }
            self.is_wall(condition)
        }
    }

    /// # Safety
    /// `condition` must be a condition on the columns of the scanned table.
    unsafe fn is_wall(&self, condition: *mut pg_sys::Node) -> bool {
        // SAFETY: as promised by the caller.
        unsafe { self.wall.is(condition, &|column| self.is_wall_column(column)) }
    }

    /// # Safety
    /// `column` must be a column in a condition of the scan.
    unsafe fn is_wall_column(&self, column: *mut pg_sys::Var) -> bool {
        // SAFETY: as promised by the caller. What an index alone is read for sees the columns of that index.
        unsafe {
            if (*column).varno != pg_sys::INDEX_VAR {
                return (*column).varno as pg_sys::Index == self.relation && (*column).varattno == self.wall.column;
            }
            self.column_of_index(|number| number == (*column).varattno).is_some_and(|entry| {
                let column = (*entry).expr.cast::<pg_sys::Var>();
                (*column.cast::<pg_sys::Node>()).type_ == pg_sys::NodeTag::T_Var
                    && (*column).varattno == self.wall.column
            })
        }
    }

    /// A column of the index, where the scan reads an index alone.
    ///
    /// # Safety
    /// As [`put_walls_first`].
    unsafe fn column_of_index(&self, wanted: impl Fn(pg_sys::AttrNumber) -> bool) -> Option<*mut pg_sys::TargetEntry> {
        // SAFETY: as promised by the caller; the tag tells what the node is.
        unsafe {
            if (*self.plan).type_ != pg_sys::NodeTag::T_IndexOnlyScan {
                return None;
            }
            let columns = (*self.plan.cast::<pg_sys::IndexOnlyScan>()).indextlist;
            members::<pg_sys::TargetEntry>(columns).find(|entry| wanted((**entry).resno))
        }
    }

    /// The wall as a condition on the scanned table.
    ///
    /// # Safety
    /// As [`put_walls_first`].
    unsafe fn condition(&self) -> *mut pg_sys::Node {
        // SAFETY: as promised by the caller: the table's lock is held, and so its wall is still there.
        unsafe {
            let Some(condition) = policy::copy_of_condition(self.table) else {
                error::wall_is_gone().report(PgLogLevel::ERROR);
                return std::ptr::null_mut();
            };
            pg_sys::ChangeVarNodes(condition, 1, self.relation as i32, 0);
            pg_sys::fix_opfuncids(condition);
            condition
        }
    }

    /// The same as the scan itself sees the columns.
    ///
    /// # Safety
    /// As [`put_walls_first`].
    unsafe fn condition_in_scan(&self) -> *mut pg_sys::Node {
        // SAFETY: as promised by the caller. An index that is read alone has the wall's column: the planner has put a condition on it
        // there, if another one.
        unsafe {
            let condition = self.condition();
            let in_index = self.column_of_index(|number| {
                let mut probe = pg_sys::Var { varno: pg_sys::INDEX_VAR, varattno: number, ..Default::default() };
                self.is_wall_column(&raw mut probe)
            });
            match (in_index, column_of(condition)) {
                (Some(entry), Some(column)) => {
                    (*column).varno = pg_sys::INDEX_VAR;
                    (*column).varattno = (*entry).resno;
                }
                (None, _) if (*self.plan).type_ == pg_sys::NodeTag::T_IndexOnlyScan => {
                    error::wall_is_gone().report(PgLogLevel::ERROR);
                }
                _ => (),
            }
            condition
        }
    }

    /// Puts the wall first, then what the session's rights say, then the rest as it was.
    ///
    /// # Safety
    /// `conditions` must be those of the scan.
    unsafe fn sort_conditions(&self, conditions: *mut pg_sys::List) {
        // SAFETY: as promised by the caller: an array of cells, `length` long.
        unsafe {
            if conditions.is_null() {
                return;
            }
            let cells = std::slice::from_raw_parts_mut((*conditions).elements, (*conditions).length as usize);
            // The sort is stable.
            cells.sort_by_key(|cell| {
                let condition: *mut pg_sys::Node = cell.ptr_value.cast();
                if self.is_wall(condition) {
                    0
                } else if asks_for_rights(condition) && is_made_of_rights(condition) {
                    1
                } else {
                    2
                }
            });
        }
    }
}

/// The column in the wall's condition.
///
/// # Safety
/// `condition` must be a copy of the condition of a wall.
unsafe fn column_of(condition: *mut pg_sys::Node) -> Option<*mut pg_sys::Var> {
    // SAFETY: as promised by the caller; the tags tell what the nodes are.
    unsafe {
        if condition.is_null() {
            return None;
        }
        let arguments = match (*condition).type_ {
            pg_sys::NodeTag::T_OpExpr => (*condition.cast::<pg_sys::OpExpr>()).args,
            _ => (*condition.cast::<pg_sys::ScalarArrayOpExpr>()).args,
        };
        members::<pg_sys::Node>(arguments)
            .find(|argument| (**argument).type_ == pg_sys::NodeTag::T_Var)
            .map(|column| column.cast())
    }
}

/// Whether a condition is one of policies, about what the session may do.
///
/// # Safety
/// `condition` must be an expression or NULL.
unsafe fn is_about_rights(condition: *mut pg_sys::Node) -> bool {
    // SAFETY: as promised by the caller; the tag tells what the node is.
    unsafe {
        !condition.is_null()
            && (*condition).type_ == pg_sys::NodeTag::T_FuncExpr
            && policy::asks_for_rights((*condition.cast::<pg_sys::FuncExpr>()).funcid)
    }
}

/// Whether a condition is about rights, or has a part that is.
///
/// # Safety
/// As [`is_about_rights`].
unsafe fn asks_for_rights(condition: *mut pg_sys::Node) -> bool {
    // SAFETY: as promised by the caller; the tags tell what the nodes are.
    unsafe {
        if condition.is_null() {
            return false;
        }
        let parts = match (*condition).type_ {
            pg_sys::NodeTag::T_BoolExpr => (*condition.cast::<pg_sys::BoolExpr>()).args,
            pg_sys::NodeTag::T_ScalarArrayOpExpr => (*condition.cast::<pg_sys::ScalarArrayOpExpr>()).args,
            _ => return is_about_rights(condition),
        };
        members::<pg_sys::Node>(parts).any(|part| asks_for_rights(part))
    }
}

/// Whether a condition only says what the session may do: it runs no code of a user and cannot fail.
/// Such a condition may stand before the policy's, even if a user wrote it. No other condition may.
///
/// # Safety
/// As [`is_about_rights`].
unsafe fn is_made_of_rights(part: *mut pg_sys::Node) -> bool {
    // SAFETY: as promised by the caller; the tags tell what the nodes are.
    unsafe {
        if part.is_null() {
            return false;
        }
        let parts = match (*part).type_ {
            pg_sys::NodeTag::T_BoolExpr => (*part.cast::<pg_sys::BoolExpr>()).args,
            pg_sys::NodeTag::T_ScalarArrayOpExpr => {
                let comparison = part.cast::<pg_sys::ScalarArrayOpExpr>();
                if (*comparison).opfuncid != pg_sys::F_UUID_EQ.into() {
                    return false;
                }
                (*comparison).args
            }
            pg_sys::NodeTag::T_FuncExpr if is_about_rights(part) => (*part.cast::<pg_sys::FuncExpr>()).args,
            pg_sys::NodeTag::T_NullTest => return is_made_of_rights((*part.cast::<pg_sys::NullTest>()).arg.cast()),
            pg_sys::NodeTag::T_Var => return (*part.cast::<pg_sys::Var>()).vartype == pg_sys::UUIDOID,
            pg_sys::NodeTag::T_Const => return is_id_or_right(&*part.cast::<pg_sys::Const>()),
            _ => return false,
        };
        members::<pg_sys::Node>(parts).all(|part| is_made_of_rights(part))
    }
}

/// Whether a constant is an id or the name of a right. The name of an unknown right would be an error.
///
/// # Safety
/// `constant` must be one of a plan.
unsafe fn is_id_or_right(constant: &pg_sys::Const) -> bool {
    if constant.consttype == pg_sys::UUIDOID {
        return true;
    }
    // SAFETY: as promised by the caller, and its type says that it is a text.
    constant.consttype == pg_sys::TEXTOID
        && unsafe { String::from_datum(constant.constvalue, constant.constisnull) }
            .is_some_and(|name| Rights::named(&name).is_some())
}

/// The kinds of nodes that read a table or an index.
fn is_scan(tag: pg_sys::NodeTag) -> bool {
    matches!(
        tag,
        pg_sys::NodeTag::T_SeqScan
            | pg_sys::NodeTag::T_SampleScan
            | pg_sys::NodeTag::T_IndexScan
            | pg_sys::NodeTag::T_IndexOnlyScan
            | pg_sys::NodeTag::T_BitmapIndexScan
            | pg_sys::NodeTag::T_BitmapHeapScan
            | pg_sys::NodeTag::T_TidScan
            | pg_sys::NodeTag::T_TidRangeScan
            | pg_sys::NodeTag::T_ForeignScan
            | pg_sys::NodeTag::T_CustomScan
    )
}

/// The role that reads a relation: the owner of the view that names it, or InvalidOid for the current role.
///
/// # Safety
/// `entry` must be one of the statement's range table.
unsafe fn reader(statement: *mut pg_sys::PlannedStmt, entry: *mut pg_sys::RangeTblEntry) -> pg_sys::Oid {
    // SAFETY: as promised by the caller.
    unsafe {
        #[cfg(feature = "pg15")]
        let reader = {
            let _ = statement;
            (*entry).checkAsUser
        };
        #[cfg(not(feature = "pg15"))]
        let reader = members::<pg_sys::RTEPermissionInfo>((*statement).permInfos)
            .nth(((*entry).perminfoindex as usize).wrapping_sub(1))
            .map_or(pg_sys::InvalidOid, |permissions| (*permissions).checkAsUser);
        reader
    }
}
