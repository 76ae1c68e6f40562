//! The functions behind the index: the key function, the operators, and what GIN and the planner
//! call.
//!
//! Under row-level security an index is used only for conditions whose functions are LEAKPROOF.
//! Such functions run on rows that the wall has not judged yet. They must not raise an error that
//! depends on a row, and must tell nothing of it but by their result. The following functions
//! promise that, and it must stay true:
//!
//! * `search_keys` computes hashes of bounded pieces of its arguments. It has no error of its own,
//!   and calls nothing that has one for a valid value. It writes and logs nothing, and reads only
//!   its arguments.
//! * `keys_match` looks up numbers in a sorted list. Whether the session may use the query depends
//!   on the session and the query, not on the row.
//! * `customer_matches` does the same for the customer with an id. It reads the customer under
//!   row-level security, so the ids of other owners are unknown to it.
//!
//! Errors that remain are those of PostgreSQL's own leakproof functions too: no memory,
//! cancellation, damaged storage.

use super::bounds::MAX_SEARCHED_VALUES;
use super::key::customer::{Customer, keys_of_customer};
use super::key::hash::MAX_FIELD_NAME_BYTES;
use super::rows;
use super::value::{Probe, SearchKeys};
use crate::catalog;
use crate::error::{self, ErrorReport, Result};
use crate::jsonb::Jsonb;
use pgrx::datum::{Array, Date, Uuid};
use pgrx::prelude::*;
use pgrx::{Internal, pg_sys};
use std::ffi::CStr;

/// The keys of a customer. LEAKPROOF: see above.
#[pg_extern(sql = false)]
fn search_keys(
    owner: Uuid,
    name: &str,
    normal_phones: Array<'_, &str>,
    normal_emails: Array<'_, &str>,
    searchable: Jsonb,
    active_on: Date,
) -> SearchKeys {
    // Anybody may call this with values of any size. So it copies none of them, and can be
    // cancelled.
    fn cancellable<T>(one: T) -> T {
        pgrx::check_for_interrupts!();
        one
    }
    let members = searchable.members().into_iter().flatten().map(cancellable);
    let values = members
        .filter(|member| member.name.len() <= MAX_FIELD_NAME_BYTES)
        .flat_map(|member| member.value.texts().take(MAX_SEARCHED_VALUES).map(move |text| (member.name, text)));
    SearchKeys::new(&keys_of_customer(Customer {
        owner: *owner,
        name,
        normal_phones: normal_phones.iter().filter_map(cancellable),
        normal_emails: normal_emails.iter().filter_map(cancellable),
        values,
        active_on: active_on.into_inner(),
    }))
}

/// Whether the query finds a customer with these keys. LEAKPROOF: see above.
#[pg_extern(sql = false)]
fn keys_match(keys: SearchKeys, query: Probe) -> bool {
    query.is_allowed() && query.finds(&keys)
}

/// The columns that are the arguments of `search_keys`.
const COLUMNS: [&CStr; 6] = [c"owner_id", c"name", c"normal_phones", c"normal_emails", c"searchable", c"active_on"];

/// Whether the query finds the customer with that id. If the id is the column of
/// `ringfence.customer`, the planner replaces this by `keys_match` ([`customer_matches_support`]),
/// for which there is the index. LEAKPROOF: see above.
#[pg_extern(sql = false)]
fn customer_matches(customer: Uuid, query: Probe) -> bool {
    let owner = query.owner().filter(|_| query.is_allowed());
    owner.is_some_and(|owner| rows::finds_one(Uuid::from_bytes(owner), customer, &query).unwrap_or(false))
}

// What GIN calls. PostgreSQL passes and takes pointers here, never SQL's NULL. Hence the integers.

/// For GIN: the keys of a customer.
#[pg_extern(sql = false)]
fn search_extract_value(keys: SearchKeys, count: Internal, _nulls: Internal) -> i64 {
    // SAFETY: GIN passes a pointer to where it wants the number of keys.
    unsafe { keys_for_gin(keys.iter(), pointer(count)) }
}

/// GIN wants an operator class to have functions for its scan, which our access method does not
/// use. Error 0A000.
#[pg_extern(sql = false)]
fn search_not_by_gin(_keys: Internal) -> Result<i64, ErrorReport> {
    Err(error::not_by_gin().into())
}

fn pointer<T>(internal: Internal) -> *mut T {
    internal.unwrap().map_or(std::ptr::null_mut(), |datum| datum.cast_mut_ptr())
}

/// # Safety
/// `count` must be where GIN wants the number of keys.
unsafe fn keys_for_gin(keys: impl Iterator<Item = i64>, count: *mut i32) -> i64 {
    let keys: Vec<pg_sys::Datum> = keys.map(pg_sys::Datum::from).collect();
    // SAFETY: palloc gives room for the keys, or raises an error. A key is passed by value.
    unsafe {
        *count = keys.len() as i32;
        let array: *mut pg_sys::Datum = pg_sys::palloc(keys.len().max(1) * size_of::<pg_sys::Datum>()).cast();
        std::ptr::copy_nonoverlapping(keys.as_ptr(), array, keys.len());
        array as i64
    }
}

// What the planner calls.

/// The share of rows that a search is estimated to find. It is the same for every query, because
/// EXPLAIN shows it and must not tell how many customers match. It is small, so that the planner
/// uses the search index alone. With PostgreSQL's default it would also read all customers of the
/// owner from another index.
#[pg_extern(sql = false)]
fn search_selectivity(_root: Internal, _operator: pg_sys::Oid, _arguments: Internal, _relation: i32) -> f64 {
    SELECTIVITY
}

/// The same for a query that comes from another table.
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

/// See [`search_selectivity`].
pub const SELECTIVITY: f64 = 1e-7;

/// Planner support of `customer_matches`. If its first argument is the column `id` of
/// `ringfence.customer`, it is replaced by `keys_match` on the keys of that row, for which there is
/// an index. The caller needs no privilege on the columns that the keys are made from, because it
/// learns no more of them than by asking with the id.
#[pg_extern(sql = false)]
fn customer_matches_support(request: Internal) -> i64 {
    let node: *mut pg_sys::Node = pointer(request);
    // SAFETY: the planner passes a node, whose tag tells which request it is.
    unsafe {
        if node.is_null() || (*node).type_ != pg_sys::NodeTag::T_SupportRequestSimplify {
            return 0;
        }
        let request = node.cast::<pg_sys::SupportRequestSimplify>();
        replaced_call((*request).root, (*request).fcall).map_or(0, |expression| expression as i64)
    }
}

/// What replaces a call of `customer_matches`, if anything does.
///
/// # Safety
/// Both must be what the planner passes in a request to simplify a call of `customer_matches`.
unsafe fn replaced_call(root: *mut pg_sys::PlannerInfo, call: *mut pg_sys::FuncExpr) -> Option<*mut pg_sys::Expr> {
    // SAFETY: as promised by the caller; the list holds two arguments.
    unsafe {
        let id: *mut pg_sys::Node = member((*call).args, 0)?;
        let query: *mut pg_sys::Node = member((*call).args, 1)?;
        if root.is_null() || (*id).type_ != pg_sys::NodeTag::T_Var {
            return None;
        }
        let of_column = replaced_query(root, query);
        let query = of_column.unwrap_or(query);
        // If the id is a view's column, the planner asks again once it has moved the condition into
        // the view. It may move it only if the condition is leakproof, which `query_of_column` is.
        keys_match_call(root, id.cast(), query).or_else(|| matches(id, of_column?))
    }
}

/// `keys_match` on the keys of the row that `id` is the id of, if that is a row of
/// `ringfence.customer`.
///
/// # Safety
/// All must be what the planner passes in a request to simplify a call of `customer_matches`, or
/// made of it.
unsafe fn keys_match_call(
    root: *mut pg_sys::PlannerInfo,
    id: *mut pg_sys::Var,
    query: *mut pg_sys::Node,
) -> Option<*mut pg_sys::Expr> {
    // SAFETY: the nodes are the planner's, read by their tags; the list is the range table; names
    // are NUL-terminated. What is built lives as long as the plan.
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
            // A copy of the id's column, so that an outer join has the same effect on it.
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

/// The expression `left @@@ query`.
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

/// If `query()` is called with a column or a subquery, which has no value before the statement
/// runs: the call of `query_of_column()` that replaces it. That is LEAKPROOF, so row-level security
/// lets the index be used.
///
/// # Safety
/// Both must be what the planner passes in a request to simplify.
unsafe fn replaced_query(root: *mut pg_sys::PlannerInfo, query: *mut pg_sys::Node) -> Option<*mut pg_sys::Node> {
    // SAFETY: as promised by the caller; the tag tells what the node is. What is built is a copy,
    // and lives as long as the plan.
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
        // It may also be a column of an outer query.
        let has_column = (0..(*root).query_level).any(|level| pg_sys::contain_vars_of_level(query, level as _));
        if !has_column && !pg_sys::contain_subplans(query) {
            return None;
        }
        let instead = pg_sys::copyObjectImpl(query.cast()).cast::<pg_sys::FuncExpr>();
        (*instead).funcid = of_column;
        Some(instead.cast())
    }
}

/// A name in schema `ringfence`.
///
/// # Safety
/// Must be called where palloc may be.
unsafe fn qualified(name: &'static CStr) -> *mut pg_sys::List {
    let mut names = std::ptr::null_mut();
    // SAFETY: both names are static; a String node keeps the pointer.
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
