//! What the wall of a table looks like, as PostgreSQL keeps it with the table: policy `owner_wall`.

use crate::catalog;
use crate::pg::members;
use pgrx::{pg_sys, pg_sys::FuncExpr};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ffi::CStr;

const NAME: &CStr = c"owner_wall";

/// How PostgreSQL marks a generated column that no row holds (from 18 on): a plan has its expression in place of the column.
const VIRTUAL: u8 = b'v';

/// The condition of a table's wall: a column compared with what the session may reach.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wall {
    /// The column that holds the owner of a row.
    pub column: pg_sys::AttrNumber,
    /// The operator that compares it.
    pub operator: pg_sys::Oid,
    /// The function that says what the session may reach.
    function: pg_sys::Oid,
    /// Whether a session reaches one owner, which must be selected; else a list of them, as in table `owner`.
    pub reaches_one: bool,
}

/// What we know of tables, indexes, functions and roles, until one of them changes. Every plan asks for
/// it, and they change rarely.
#[derive(Default)]
struct Known {
    walls: HashMap<pg_sys::Oid, Option<Wall>>,
    /// The column of a table that says to which project a row belongs, or none.
    project_columns: HashMap<pg_sys::Oid, pg_sys::AttrNumber>,
    /// Whether decisions are made from a table.
    decides: HashMap<pg_sys::Oid, bool>,
    /// The first column of an index that is a B-tree, and the family of its operators.
    first_columns: HashMap<pg_sys::Oid, Option<(pg_sys::AttrNumber, pg_sys::Oid)>>,
    /// Whether a function is one that policies ask for rights.
    asks_for_rights: HashMap<pg_sys::Oid, bool>,
    /// Whether row-level security binds a role.
    is_bound: HashMap<pg_sys::Oid, bool>,
}

thread_local! {
    static KNOWN: RefCell<Known> = RefCell::default();
    static FORGET: Cell<bool> = const { Cell::new(false) };
}

/// What to know at once of each kind.
const MAX_KNOWN: usize = 10_000;

/// A relation has changed; InvalidOid stands for all. For callbacks: sets a flag.
pub fn relation_changed(relation: pg_sys::Oid) {
    // Every temporary table comes by here: it is forgotten only if it is known, or if all are meant.
    let is_known = relation == pg_sys::InvalidOid
        || KNOWN.with(|known| {
            known.try_borrow().map_or(true, |known| {
                known.walls.contains_key(&relation) || known.first_columns.contains_key(&relation)
            })
        });
    if is_known {
        FORGET.set(true);
    }
}

/// A role or a function has changed. For callbacks: sets a flag.
pub fn object_changed() {
    FORGET.set(true);
}

/// What is known of an object, found out by `find` if it is not.
fn known<T: Copy>(
    kind: impl Fn(&mut Known) -> &mut HashMap<pg_sys::Oid, T>,
    object: pg_sys::Oid,
    find: impl FnOnce() -> T,
) -> T {
    if FORGET.replace(false) {
        KNOWN.set(Known::default());
    }
    if let Some(known) = KNOWN.with_borrow_mut(|known| kind(known).get(&object).copied()) {
        return known;
    }
    let found = find();
    KNOWN.with_borrow_mut(|known| {
        let known = kind(known);
        if known.len() >= MAX_KNOWN {
            known.clear();
        }
        known.insert(object, found);
    });
    found
}

/// The wall of a table, if it has one.
///
/// # Safety
/// The backend must hold a lock on the table, as the planner and the executor do on every table of their statement.
pub unsafe fn of(table: pg_sys::Oid) -> Option<Wall> {
    // SAFETY: as promised by the caller.
    let find = || unsafe {
        let wall = with_condition(table, |condition| condition_of(condition)).flatten();
        wall.filter(|wall| pg_sys::get_attgenerated(table, wall.column) as u8 != VIRTUAL)
    };
    known(|known| &mut known.walls, table, find)
}

/// The wall of a table, if row-level security binds the role of the session. The role that a function or
/// a foreign key reads the table as does not count, because `debug_print_plan` shows the session their
/// plans too.
///
/// # Safety
/// As [`of`].
pub unsafe fn in_force(table: pg_sys::Oid) -> Option<Wall> {
    // SAFETY: as promised by the caller; reads a variable of the backend.
    unsafe { of(table).filter(|_| binds(pg_sys::GetOuterUserId())) }
}

/// Whether access is decided from a table: projects, fields and the like.
pub fn decides(table: pg_sys::Oid) -> bool {
    known(|known| &mut known.decides, table, || catalog::decides(table))
}

/// Whether a column says to which project a row belongs, in a table whose rows take a right in their project.
pub fn is_of_project(table: pg_sys::Oid, column: pg_sys::AttrNumber) -> bool {
    // SAFETY: a look-up by oid and NUL-terminated name, inside a transaction as every plan is made in one.
    let find = || unsafe {
        let of_project = pg_sys::get_attnum(table, c"project_id".as_ptr());
        if decides(table) { pg_sys::InvalidAttrNumber as _ } else { of_project }
    };
    column > 0 && known(|known| &mut known.project_columns, table, find) == column
}

/// Whether row-level security binds a role.
pub fn binds(role: pg_sys::Oid) -> bool {
    // SAFETY: a look-up of the role, inside a transaction as every plan is made in one.
    known(|known| &mut known.is_bound, role, || unsafe { !pg_sys::has_bypassrls_privilege(role) })
}

/// The first column of an index and the family of its operators, if it is a B-tree.
///
/// # Safety
/// The backend must hold a lock on the index, as the planner does on every index that it has put into a plan.
pub unsafe fn first_column_of(index: pg_sys::Oid) -> Option<(pg_sys::AttrNumber, pg_sys::Oid)> {
    // SAFETY: as promised by the caller. The entry of the relation cache is pinned while it is looked at; an index has a column.
    let find = || unsafe {
        let relation = pg_sys::RelationIdGetRelation(index);
        if relation.is_null() {
            return None;
        }
        let is_btree = (*(*relation).rd_rel).relam == pg_sys::BTREE_AM_OID;
        let first = (*(*relation).rd_index).indkey.values.as_ptr().read();
        let family = (*relation).rd_opfamily.read();
        pg_sys::RelationClose(relation);
        is_btree.then_some((first, family))
    };
    known(|known| &mut known.first_columns, index, find)
}

/// Whether a function is one that policies ask what the session may do: those have a planner support of their own.
pub fn asks_for_rights(function: pg_sys::Oid) -> bool {
    // SAFETY: look-ups by oid, inside a transaction; names are NUL-terminated.
    let find = || unsafe {
        let support = pg_sys::get_func_support(function);
        if support == pg_sys::InvalidOid {
            return false;
        }
        let name = pg_sys::get_func_name(support);
        !name.is_null()
            && CStr::from_ptr(name) == c"has_right_support"
            && pg_sys::get_func_namespace(support) == catalog::schema_oid()
    };
    known(|known| &mut known.asks_for_rights, function, find)
}

/// A copy of the wall's condition. Its column is one of relation 1 of the range table.
///
/// # Safety
/// As [`of`].
pub unsafe fn copy_of_condition(table: pg_sys::Oid) -> Option<*mut pg_sys::Node> {
    // SAFETY: as promised by the caller.
    unsafe { with_condition(table, |condition| pg_sys::copyObjectImpl(condition.cast()).cast()) }
}

/// # Safety
/// As [`of`].
unsafe fn with_condition<T>(table: pg_sys::Oid, use_it: impl FnOnce(*mut pg_sys::Node) -> T) -> Option<T> {
    // SAFETY: as promised by the caller. The entry of the relation cache is pinned while it is used.
    unsafe {
        let relation = pg_sys::RelationIdGetRelation(table);
        if relation.is_null() {
            return None;
        }
        let security = (*relation).rd_rsdesc;
        let used = if (*(*relation).rd_rel).relrowsecurity && !security.is_null() {
            members::<pg_sys::RowSecurityPolicy>((*security).policies)
                .find(|policy| !(**policy).permissive && CStr::from_ptr((**policy).policy_name) == NAME)
                .map(|policy| use_it((*policy).qual.cast()))
        } else {
            None
        };
        pg_sys::RelationClose(relation);
        used
    }
}

/// The wall, if a policy's condition is one: a column that equals what a function of the extension
/// returns, or that is in the list that it returns.
///
/// # Safety
/// `condition` must be an expression or NULL.
unsafe fn condition_of(condition: *mut pg_sys::Node) -> Option<Wall> {
    // SAFETY: as promised by the caller; the tags tell what the nodes are.
    unsafe {
        let Comparison { operator, left, right, with_one } = Comparison::of(condition)?;
        if (*left).type_ != pg_sys::NodeTag::T_Var || (*right).type_ != pg_sys::NodeTag::T_FuncExpr {
            return None;
        }
        let column = (*left.cast::<pg_sys::Var>()).varattno;
        let FuncExpr { funcid: function, args, .. } = *right.cast::<pg_sys::FuncExpr>();
        // The owner of any table may give it a policy of that name, with any condition. We leave such a
        // condition where PostgreSQL puts it: an index cannot answer a condition that depends on the row,
        // or one with an operator that the index does not have.
        let is_ours = column > 0
            && args.is_null()
            && pg_sys::get_func_namespace(function) == catalog::schema_oid()
            && pg_sys::op_mergejoinable(operator, pg_sys::exprType(left));
        is_ours.then_some(Wall { column, operator, function, reaches_one: with_one })
    }
}

/// A comparison of two expressions, by an operator or by `= ANY`.
struct Comparison {
    operator: pg_sys::Oid,
    left: *mut pg_sys::Node,
    right: *mut pg_sys::Node,
    with_one: bool,
}

impl Comparison {
    /// # Safety
    /// `node` must be an expression or NULL.
    unsafe fn of(node: *mut pg_sys::Node) -> Option<Comparison> {
        // SAFETY: as promised by the caller; the tag tells what the node is.
        unsafe {
            if node.is_null() {
                return None;
            }
            let (operator, arguments, with_one) = match (*node).type_ {
                pg_sys::NodeTag::T_OpExpr => {
                    let comparison = node.cast::<pg_sys::OpExpr>();
                    ((*comparison).opno, (*comparison).args, true)
                }
                pg_sys::NodeTag::T_ScalarArrayOpExpr => {
                    let comparison = node.cast::<pg_sys::ScalarArrayOpExpr>();
                    if !(*comparison).useOr {
                        return None;
                    }
                    ((*comparison).opno, (*comparison).args, false)
                }
                _ => return None,
            };
            let mut arguments = members::<pg_sys::Node>(arguments);
            Some(Comparison { operator, left: arguments.next()?, right: arguments.next()?, with_one })
        }
    }
}

impl Wall {
    /// Whether a condition of a scan is the wall. `is_column` tells whether a `Var` of the scan is the wall's column.
    ///
    /// # Safety
    /// `node` must be an expression or NULL.
    pub unsafe fn is(&self, node: *mut pg_sys::Node, is_column: &impl Fn(*mut pg_sys::Var) -> bool) -> bool {
        // SAFETY: as promised by the caller; the tags tell what the nodes are.
        unsafe {
            let Some(comparison) = Comparison::of(node) else {
                return false;
            };
            let is_the_column =
                |side: *mut pg_sys::Node| (*side).type_ == pg_sys::NodeTag::T_Var && is_column(side.cast());
            let is_the_function = |side: *mut pg_sys::Node| {
                (*side).type_ == pg_sys::NodeTag::T_FuncExpr
                    && (*side.cast::<pg_sys::FuncExpr>()).funcid == self.function
            };
            comparison.operator == self.operator
                && comparison.with_one == self.reaches_one
                && ((is_the_column(comparison.left) && is_the_function(comparison.right))
                    || (is_the_function(comparison.left) && is_the_column(comparison.right)))
        }
    }
}
