//! `current_owner()`, `has_right()` and the like as policies call them, for each scan and each row: where nothing has changed since
//! the context was judged, its answer is given at once. Everything else, every refusal too, goes the long way, in `sql`.
//! What is asked for each row of a card or a report view (`customer`, `report`) asks here too. All here are plain frames (see `pg`).

#![allow(ffi_unwind_calls)]

use super::context::Context;
use super::judge::{Verdict, verdict};
use super::{acting, latch, projects, sql};
use crate::pg::{copied_unguarded, is_plain, unguarded, version_1};
use crate::rights::Rights;
use pgrx::datum::Uuid;
use pgrx::{pg_sys, varlena};
use std::rc::Rc;

/// What `judge()` would answer, if it would answer from what is in force. `read` is not to call PostgreSQL: an error would leave the
/// answer borrowed.
///
/// # Safety
/// In a transaction, and under plain frames only: PostgreSQL may raise an error here that no guard catches.
#[inline]
pub unsafe fn answer<T>(read: impl FnOnce(&Context) -> T) -> Option<T> {
    if acting::is_acting() {
        return acting::read(read);
    }
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

/// Whether [`answer`] would answer, or the extension itself is at work for an owner. Asking this does not count as using the owner.
///
/// # Safety
/// As [`answer`].
pub unsafe fn is_in_force() -> bool {
    // SAFETY: as promised by the caller.
    let verdict = verdict(|| unsafe { unguarded::AcceptInvalidationMessages() }, |_| ());
    matches!(verdict, Verdict::InForce(()) | Verdict::Acting)
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
        match right_named(&(*call).args.as_slice(1)[0])
            .and_then(|right| answer(|context| context.rights.contains(right)))
        {
            Some(held) => held.into(),
            None => sql::has_right_wrapper(call),
        }
    }
}

/// The right that an argument names, without calling anything of PostgreSQL's.
///
/// # Safety
/// `argument` must be one of type text.
unsafe fn right_named(argument: &pg_sys::NullableDatum) -> Option<Rights> {
    // SAFETY: as promised by the caller.
    unsafe {
        let name: *const pg_sys::varlena = argument.value.cast_mut_ptr();
        (!argument.isnull && is_plain(name)).then(|| Rights::of_bytes(varlena::varlena_to_byte_slice(name))).flatten()
    }
}

/// # Safety
/// For PostgreSQL to call, as a strict function of version 1 with an argument of type text.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn projects_with_fast(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: as promised by the caller: one argument. The list is looked at while nothing of PostgreSQL's is called but an allocation, which
    // cannot change it; an array is allocated as large as what is written into it.
    unsafe {
        let known = right_named(&(*call).args.as_slice(1)[0])
            .and_then(|right| answer(|context| projects::known(right, context)));
        match known.flatten() {
            Some((ids, count)) => array_of(ids, count),
            None => sql::projects_with_wrapper(call),
        }
    }
}

/// A value of type uuid[].
///
/// # Safety
/// Under plain frames only. `ids` must be `count` ids.
unsafe fn array_of(ids: *const Uuid, count: usize) -> pg_sys::Datum {
    const ID: usize = size_of::<Uuid>();
    let bounds = if count == 0 { 0 } else { 2 * size_of::<i32>() };
    let size = size_of::<pg_sys::ArrayType>() + bounds + count * ID;
    // SAFETY: as many bytes are written as are allocated: a header for at most one dimension that counts from 1, then the ids.
    unsafe {
        let array: *mut pg_sys::ArrayType = unguarded::palloc(size).cast();
        pgrx::set_varsize_4b(array.cast(), size as i32);
        (*array).ndim = i32::from(count > 0);
        (*array).dataoffset = 0;
        (*array).elemtype = pg_sys::UUIDOID;
        if count > 0 {
            let bounds: *mut i32 = array.add(1).cast();
            bounds.write(count as i32);
            bounds.add(1).write(1);
            bounds.add(2).cast::<u8>().copy_from_nonoverlapping(ids.cast(), count * ID);
        }
        array.into()
    }
}

/// `has_right_in()` as policies call it for each row.
///
/// # Safety
/// For PostgreSQL to call, as a function of version 1 with arguments of types text and uuid, of which either may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn has_right_in_fast(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: as promised by the caller. An id is 16 bytes, which nothing changes while they are read.
    unsafe {
        let [name, project] = (*call).args.as_slice(2) else {
            return sql::has_right_in_wrapper(call);
        };
        let project =
            (!project.isnull).then(|| Uuid::from_bytes(project.value.cast_mut_ptr::<[u8; 16]>().read_unaligned()));
        match right_named(name).and_then(|right| answer(|context| context.rights_within(project).contains(right))) {
            Some(held) => held.into(),
            None => sql::has_right_in_wrapper(call),
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

version_1!(
    pg_finfo_current_owner_fast,
    pg_finfo_has_right_fast,
    pg_finfo_projects_with_fast,
    pg_finfo_has_right_in_fast,
    pg_finfo_has_right_support_fast,
);
