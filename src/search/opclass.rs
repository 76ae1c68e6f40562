//! The index itself: the key function, the operators, and what the GIN operator class and the planner call.
//!
//! Row-level security lets an index be used only for conditions whose functions are LEAKPROOF: they are run on rows
//! before the wall has judged them, so they may not raise an error that depends on a row, nor tell of it by any other way
//! than their result. That is promised, and has to hold, for
//!
//! * `search_keys`: computes hashes of bounded pieces of its arguments. It has no error of its own, calls nothing that
//!   has one for a valid value of its types, writes and logs nothing, and reads nothing but its arguments.
//! * `keys_match`: looks up numbers in a sorted list. Whether the query is one that the session may use depends on the session
//!   and the query, not on the row.
//! * `customer_matches`: the same for the customer with an id, which it reads under row-level security, so that ids of other
//!   owners are unknown ids to it.
//!
//! What is left is what PostgreSQL's own leakproof functions have as well: running out of memory, being cancelled, and
//! damaged storage.

use super::key::{self, Customer, SEARCHED_VALUES};
use super::rows;
use super::value::{Probe, SearchKeys};
use crate::catalog;
use crate::error::{self, Result};
use crate::jsonb::Jsonb;
use pgrx::datum::{Array, Date, Uuid};
use pgrx::prelude::*;
use pgrx::{Internal, pg_sys};
use std::ffi::CStr;

/// The keys of a customer. LEAKPROOF: see the module.
#[pg_extern(sql = false)]
fn search_keys(
    owner: Uuid,
    name: &str,
    normal_phones: Array<'_, &str>,
    normal_emails: Array<'_, &str>,
    searchable: Jsonb,
    active_on: Date,
) -> SearchKeys {
    // Anybody may call this with values of any size: none of them is copied, and it can be cancelled.
    fn cancellable<T>(one: T) -> T {
        pgrx::check_for_interrupts!();
        one
    }
    let members = searchable.members().into_iter().flatten().map(cancellable);
    let values = members
        .filter(|member| member.name.len() <= key::FIELD_BYTES)
        .flat_map(|member| member.value.texts().take(SEARCHED_VALUES).map(move |text| (member.name, text)));
    SearchKeys::new(&key::of_customer(Customer {
        owner: *owner,
        name,
        normal_phones: normal_phones.iter().filter_map(cancellable),
        normal_emails: normal_emails.iter().filter_map(cancellable),
        values,
        active_on: active_on.into_inner(),
    }))
}

/// Whether a customer with these keys is what the query looks for. LEAKPROOF: see the module.
#[pg_extern(sql = false)]
fn keys_match(keys: SearchKeys, query: Probe) -> bool {
    query.is_allowed() && query.finds(&keys)
}

/// What the keys of a customer are computed from: the arguments of `search_keys`.
const COLUMNS: [&CStr; 6] = [c"owner_id", c"name", c"normal_phones", c"normal_emails", c"searchable", c"active_on"];

/// Whether the customer with that id is what the query looks for. Where the id is the column of `ringfence.customer`, the
/// planner has put `keys_match` in its place ([`customer_matches_support`]), and with it the index. LEAKPROOF: see the
/// module.
#[pg_extern(sql = false)]
fn customer_matches(customer: Uuid, query: Probe) -> bool {
    let owner = query.owner().filter(|_| query.is_allowed());
    owner.is_some_and(|owner| rows::finds_one(Uuid::from_bytes(owner), customer, &query).unwrap_or(false))
}

// What GIN calls. PostgreSQL passes and takes pointers, never SQL's NULL: hence the integers.

/// GIN: the keys that are put into the index.
#[pg_extern(sql = false)]
fn search_extract_value(keys: SearchKeys, count: Internal, _nulls: Internal) -> i64 {
    // SAFETY: GIN passes where it wants the number of keys.
    unsafe { keys_for_gin(keys.iter(), pointer(count)) }
}

/// What GIN wants an operator class to have, and what the access method's own scan does without. Error 0A000.
#[pg_extern(sql = false)]
fn search_not_by_gin(_keys: Internal) -> Result<i64> {
    Err(error::not_by_gin())
}

fn pointer<T>(internal: Internal) -> *mut T {
    internal.unwrap().map_or(std::ptr::null_mut(), |datum| datum.cast_mut_ptr())
}

/// # Safety
/// `count` must be where GIN wants the number of keys.
unsafe fn keys_for_gin(keys: impl Iterator<Item = i64>, count: *mut i32) -> i64 {
    let keys: Vec<pg_sys::Datum> = keys.map(pg_sys::Datum::from).collect();
    // SAFETY: palloc gives room for the keys, or raises an error; a key is passed by value.
    unsafe {
        *count = keys.len() as i32;
        let array: *mut pg_sys::Datum = pg_sys::palloc(keys.len().max(1) * size_of::<pg_sys::Datum>()).cast();
        std::ptr::copy_nonoverlapping(keys.as_ptr(), array, keys.len());
        array as i64
    }
}

// What the planner calls.

/// How many rows a search is taken to find: the same share whatever is looked for and whoever asks. How many it is could only
/// be told by looking, and EXPLAIN would show it; and whatever it is, the index alone is the way to them, which a small share
/// says. PostgreSQL's default would have it AND the index with all customers of the owner.
#[pg_extern(sql = false)]
fn search_selectivity(_root: Internal, _operator: pg_sys::Oid, _arguments: Internal, _relation: i32) -> f64 {
    SELECTIVITY
}

/// The same where the query comes from another table.
#[pg_extern(sql = false)]
fn search_join_selectivity(
    _root: Internal,
    _operator: pg_sys::Oid,
    _arguments: Internal,
    _join: i16,
    _about: Internal,
) -> f64 {
    SELECTIVITY
}

/// The share of customers that a search is taken to find.
pub const SELECTIVITY: f64 = 1e-7;

/// Planner support of `customer_matches`: where its first argument is the column `id` of `ringfence.customer`, it is the same
/// as `keys_match` on the keys of that row, for which there is an index. The caller needs no privilege on the columns that
/// the keys are made from, since it learns no more of them than by asking with the id.
#[pg_extern(sql = false)]
fn customer_matches_support(request: Internal) -> i64 {
    let node: *mut pg_sys::Node = pointer(request);
    // SAFETY: the planner passes a node; its tag tells which kind of request it is.
    unsafe {
        if node.is_null() || (*node).type_ != pg_sys::NodeTag::T_SupportRequestSimplify {
            return 0;
        }
        let request = node.cast::<pg_sys::SupportRequestSimplify>();
        instead((*request).root, (*request).fcall).map_or(0, |expression| expression as i64)
    }
}

/// # Safety
/// Both must be what the planner passes in a request to simplify a call of `customer_matches`.
unsafe fn instead(root: *mut pg_sys::PlannerInfo, call: *mut pg_sys::FuncExpr) -> Option<*mut pg_sys::Expr> {
    // SAFETY: as promised by the caller; the list holds two arguments.
    unsafe {
        let id: *mut pg_sys::Node = member((*call).args, 0)?;
        let query: *mut pg_sys::Node = member((*call).args, 1)?;
        if root.is_null() || (*id).type_ != pg_sys::NodeTag::T_Var {
            return None;
        }
        let of_column = query_of_column_instead(root, query);
        let query = of_column.unwrap_or(query);
        // Of a view's column the planner asks again when it has gone into the view, as the condition may that leaks nothing.
        keys_match_instead(root, id.cast(), query).or_else(|| matches(id, of_column?))
    }
}

/// # Safety
/// All must be what the planner passes in a request to simplify a call of `customer_matches`, or made of that.
unsafe fn keys_match_instead(
    root: *mut pg_sys::PlannerInfo,
    id: *mut pg_sys::Var,
    query: *mut pg_sys::Node,
) -> Option<*mut pg_sys::Expr> {
    // SAFETY: the nodes are the planner's, looked at by their tags; the list holds the range table; names are NUL-terminated. All
    // that is built lives as long as the plan.
    unsafe {
        let number = usize::try_from((*id).varno).ok()?.checked_sub(1)?;
        let entry: *mut pg_sys::RangeTblEntry = member((*(*root).parse).rtable, number)?;
        let customer = catalog::table_oid(c"customer");
        if (*id).varlevelsup != 0
            || (*entry).rtekind != pg_sys::RTEKind::RTE_RELATION
            || (*entry).relid != customer
            || (*id).varattno != pg_sys::get_attnum(customer, c"id".as_ptr())
        {
            return None;
        }
        let mut columns = std::ptr::null_mut();
        let mut types = Vec::new();
        for name in COLUMNS {
            let number = pg_sys::get_attnum(customer, name.as_ptr());
            if number <= 0 {
                return None;
            }
            // A copy, so that what an outer join does to the one column it does to the others.
            let column = pg_sys::copyObjectImpl(id.cast()).cast::<pg_sys::Var>();
            (*column).varattno = number;
            (*column).varattnosyn = number;
            pg_sys::get_atttypetypmodcoll(
                customer,
                number,
                &mut (*column).vartype,
                &mut (*column).vartypmod,
                &mut (*column).varcollid,
            );
            types.push((*column).vartype);
            columns = pg_sys::lappend(columns, column.cast());
        }
        let function = pg_sys::LookupFuncName(qualified(c"search_keys"), types.len() as _, types.as_ptr(), true);
        if function == pg_sys::InvalidOid {
            return None;
        }
        let keys_type = pg_sys::get_func_rettype(function);
        let keys = pg_sys::makeFuncExpr(
            function,
            keys_type,
            columns,
            pg_sys::InvalidOid,
            pg_sys::DEFAULT_COLLATION_OID,
            pg_sys::CoercionForm::COERCE_EXPLICIT_CALL,
        );
        matches(keys.cast(), query)
    }
}

/// What is on the left, `@@@`, and the query.
///
/// # Safety
/// Both must be nodes that the planner has.
unsafe fn matches(left: *mut pg_sys::Node, query: *mut pg_sys::Node) -> Option<*mut pg_sys::Expr> {
    // SAFETY: as promised by the caller.
    unsafe {
        let operator = pg_sys::OpernameGetOprid(qualified(c"@@@"), pg_sys::exprType(left), pg_sys::exprType(query));
        if operator == pg_sys::InvalidOid {
            return None;
        }
        let expression = pg_sys::make_opclause(
            operator,
            pg_sys::BOOLOID,
            false,
            left.cast(),
            query.cast(),
            pg_sys::InvalidOid,
            pg_sys::InvalidOid,
        );
        (*expression.cast::<pg_sys::OpExpr>()).opfuncid = pg_sys::get_opcode(operator);
        Some(expression)
    }
}

/// Where a call of `query()` is given something that is not known before the statement runs, a column or a subquery, the call of
/// `query_of_column()` that takes its place: with that, row-level security lets the index be used.
///
/// # Safety
/// Both must be what the planner passes in a request to simplify.
unsafe fn query_of_column_instead(
    root: *mut pg_sys::PlannerInfo,
    query: *mut pg_sys::Node,
) -> Option<*mut pg_sys::Node> {
    // SAFETY: as promised by the caller: its tag tells what it is. What is built is a copy, and lives as long as the plan.
    unsafe {
        if (*query).type_ != pg_sys::NodeTag::T_FuncExpr {
            return None;
        }
        let text = [pg_sys::TEXTOID];
        let of_text = |name| pg_sys::LookupFuncName(qualified(name), 1, text.as_ptr(), true);
        let (plain, of_column) = (of_text(c"query"), of_text(c"query_of_column"));
        if plain == pg_sys::InvalidOid
            || of_column == pg_sys::InvalidOid
            || (*query.cast::<pg_sys::FuncExpr>()).funcid != plain
        {
            return None;
        }
        // Also a column of a query around this one.
        let has_column = (0..(*root).query_level).any(|level| pg_sys::contain_vars_of_level(query, level as _));
        if !has_column && !pg_sys::contain_subplans(query) {
            return None;
        }
        let instead = pg_sys::copyObjectImpl(query.cast()).cast::<pg_sys::FuncExpr>();
        (*instead).funcid = of_column;
        Some(instead.cast())
    }
}

/// # Safety
/// Must be called where palloc may be.
unsafe fn qualified(name: &'static CStr) -> *mut pg_sys::List {
    let mut names = std::ptr::null_mut();
    // SAFETY: both names are static; a String node holds the pointer.
    unsafe {
        for part in [c"ringfence", name] {
            names = pg_sys::lappend(names, pg_sys::makeString(part.as_ptr().cast_mut()).cast());
        }
    }
    names
}

/// # Safety
/// `list` must be a list of pointers to `T`, or NULL, which is an empty one.
unsafe fn member<T>(list: *mut pg_sys::List, n: usize) -> Option<*mut T> {
    // SAFETY: as above; a list has as many elements as it says.
    unsafe {
        if list.is_null() || n >= (*list).length as usize {
            return None;
        }
        Some((*(*list).elements.add(n)).ptr_value.cast())
    }
}
