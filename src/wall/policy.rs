//! What the wall of a table looks like, as PostgreSQL keeps it with the table: policy `owner_wall`.

use super::members;
use pgrx::{pg_guard, pg_sys};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ffi::CStr;

const NAME: &CStr = c"owner_wall";

/// The condition of a table's wall: a column compared with what the session may reach.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wall {
    /// The column that says whose a row is.
    pub column: pg_sys::AttrNumber,
    /// The operator that compares it.
    operator: pg_sys::Oid,
    /// The function that says what the session may reach.
    function: pg_sys::Oid,
    /// Whether a session reaches one owner, which must be selected; else a list of them, as in table `owner`.
    pub reaches_one: bool,
}

thread_local! {
    static KNOWN: RefCell<HashMap<pg_sys::Oid, Option<Wall>>> = RefCell::new(HashMap::new());
    static FORGET_ALL: Cell<bool> = const { Cell::new(false) };
}

/// Tables to remember at once.
const MAX_KNOWN: usize = 10_000;

/// Forgets a wall when its table changes. For `_PG_init`.
pub fn init() {
    // SAFETY: the callback is guarded, lives as long as the library, and only drops what Rust owns.
    unsafe { pg_sys::CacheRegisterRelcacheCallback(Some(table_changed), pg_sys::Datum::null()) }
}

#[pg_guard]
unsafe extern "C-unwind" fn table_changed(_argument: pg_sys::Datum, table: pg_sys::Oid) {
    let forgotten = KNOWN.with(|known| {
        known.try_borrow_mut().map(|mut known| {
            if table == pg_sys::InvalidOid {
                known.clear();
            } else {
                known.remove(&table);
            }
        })
    });
    if forgotten.is_err() {
        FORGET_ALL.set(true);
    }
}

/// The wall of a table, if it has one.
///
/// # Safety
/// The backend must hold a lock on the table, as the planner and the executor do on every table of their statement.
pub unsafe fn of(table: pg_sys::Oid) -> Option<Wall> {
    if FORGET_ALL.replace(false) {
        KNOWN.with(|known| known.borrow_mut().clear());
    }
    if let Some(known) = KNOWN.with(|known| known.borrow().get(&table).copied()) {
        return known;
    }
    // SAFETY: as promised by the caller.
    let wall = unsafe { with_condition(table, |condition| condition_of(condition)) }.flatten();
    KNOWN.with(|known| {
        let mut known = known.borrow_mut();
        if known.len() >= MAX_KNOWN {
            known.clear();
        }
        known.insert(table, wall);
    });
    wall
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
        let function = (*right.cast::<pg_sys::FuncExpr>()).funcid;
        Some(Wall { column, operator, function, reaches_one: with_one })
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
