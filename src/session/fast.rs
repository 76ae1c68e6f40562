//! `current_owner()` and `has_right()` as policies call them, for each scan and each row: where nothing has changed since
//! the context was judged, its answer is given at once. Everything else, every refusal too, goes the long way, in `sql`.
//! What is asked for each row of a card or a report view (`customer`, `report`) asks here too. All here are plain frames (see `pg`).

#![allow(ffi_unwind_calls)]

use super::context::Context;
use super::judge::{Verdict, verdict};
use super::{latch, sql};
use crate::pg::{copied_unguarded, is_plain, unguarded, version_1};
use crate::rights::Rights;
use pgrx::{pg_sys, varlena};
use std::rc::Rc;

/// What `judge()` would answer, if it would answer from what is in force. `read` is not to call PostgreSQL: an error would leave the
/// answer borrowed.
///
/// # Safety
/// In a transaction, and under plain frames only: PostgreSQL may raise an error here that no guard catches.
#[inline]
pub unsafe fn answer<T>(read: impl FnOnce(&Context) -> T) -> Option<T> {
    let read = |context: &Rc<Context>| {
        latch::owner_is_used();
        read(context)
    };
    // SAFETY: as promised by the caller.
    match verdict(|| unsafe { unguarded::AcceptInvalidationMessages() }, read) {
        Verdict::InForce(answer) => Some(answer),
        _ => None,
    }
}

/// Whether [`answer`] would answer. Asking this does not count as using the owner.
///
/// # Safety
/// As [`answer`].
pub unsafe fn is_in_force() -> bool {
    // SAFETY: as promised by the caller.
    matches!(verdict(|| unsafe { unguarded::AcceptInvalidationMessages() }, |_| ()), Verdict::InForce(()))
}

/// # Safety
/// For PostgreSQL to call, as a function of version 1 without arguments.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn current_owner_fast(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: as promised by the caller; what is allocated is as large as what is copied into it, and nothing is borrowed then.
    unsafe {
        match answer(|context| *context.owner.id.as_bytes()) {
            Some(id) => copied_unguarded(id.as_ptr(), id.len()),
            None => sql::current_owner_wrapper(call),
        }
    }
}

/// # Safety
/// For PostgreSQL to call, as a strict function of version 1 with an argument of type text.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn has_right_fast(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: as promised by the caller: one argument, which is not NULL.
    unsafe {
        let name: *const pg_sys::varlena = (*call).args.as_slice(1)[0].value.cast_mut_ptr();
        let right = if is_plain(name) { Rights::of_bytes(varlena::varlena_to_byte_slice(name)) } else { None };
        match right.and_then(|right| answer(|context| context.rights.contains(right))) {
            Some(held) => held.into(),
            None => sql::has_right_wrapper(call),
        }
    }
}

/// Planner support of the functions that policies call. Of a condition that holds for all rows or for none it says so: a
/// query that finds no row needs no good plan, and PostgreSQL's default, a third of the rows, would spoil every estimate above the policy. Of the others it
/// says nothing; that the planner asks loads the library, and with it our hooks.
///
/// # Safety
/// For PostgreSQL to call, as a strict function of version 1 with an argument of type internal. It wants a pointer, the request if it
/// was answered and zero if not, and never SQL's NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn has_right_support_fast(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: as promised by the caller; the argument is a node, whose tag tells which kind of request it is.
    unsafe {
        let request = (*call).args.as_slice(1)[0].value;
        let node: *mut pg_sys::Node = request.cast_mut_ptr();
        if node.is_null() || (*node).type_ != pg_sys::NodeTag::T_SupportRequestSelectivity {
            return pg_sys::Datum::null();
        }
        (*node.cast::<pg_sys::SupportRequestSelectivity>()).selectivity = 1.0;
        request
    }
}

version_1!(pg_finfo_current_owner_fast, pg_finfo_has_right_fast, pg_finfo_has_right_support_fast);
