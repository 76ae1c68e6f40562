//! PostgreSQL's functions, lists, memory and clock as this library uses them. All rooms stand on
//! this file, and nothing in it knows of the extension.
//!
//! pgrx puts a guard around each call from and to PostgreSQL. The guard makes a panic of an error
//! of PostgreSQL, which is a longjmp, and an error of a panic. For code that runs for each row, a
//! guard costs more than the work itself. In a hook that every statement passes, a guard would
//! rebuild each error that passes through, without the constraint's name, the context and the
//! position that clients rely on. So hooks, and functions that run for each row, are *plain
//! frames*: they call PostgreSQL without a guard, and have nothing to drop, so that a longjmp may
//! skip them (RFC 2945). A file with plain frames says `#![allow(ffi_unwind_calls)]`.

use pgrx::{pg_sys, varlena};
use std::ffi::{CStr, c_char, c_int};

/// PostgreSQL's own functions, without pgrx's guard around the call. They are for plain frames, or
/// for several calls under one guard.
pub mod unguarded {
    use pgrx::pg_sys;
    use std::ffi::{c_char, c_int, c_void};

    // SAFETY: as they are declared in PostgreSQL 15 to 18.
    unsafe extern "C-unwind" {
        // For each row.
        pub fn AcceptInvalidationMessages();
        pub fn GetOuterUserId() -> pg_sys::Oid;
        pub fn GetCurrentTimestamp() -> pg_sys::TimestampTz;
        pub fn GetUserIdAndSecContext(user: *mut pg_sys::Oid, flags: *mut c_int);
        pub fn palloc(size: usize) -> *mut c_void;
        pub fn MemoryContextAlloc(context: pg_sys::MemoryContext, size: usize) -> *mut c_void;
        pub fn pg_detoast_datum(datum: *mut pg_sys::varlena) -> *mut pg_sys::varlena;
        pub fn cstring_to_text_with_len(text: *const c_char, length: c_int) -> *mut pg_sys::varlena;
        pub fn construct_array(
            elements: *mut pg_sys::Datum,
            count: c_int,
            kind: pg_sys::Oid,
            length: c_int,
            by_value: bool,
            align: c_char,
        ) -> *mut c_void;

        // For each page of an index.
        pub fn PredicateLockPage(relation: pg_sys::Relation, block: pg_sys::BlockNumber, snapshot: pg_sys::Snapshot);
        pub fn ReadBuffer(relation: pg_sys::Relation, block: pg_sys::BlockNumber) -> pg_sys::Buffer;
        pub fn LockBuffer(buffer: pg_sys::Buffer, mode: c_int);
        pub fn UnlockReleaseBuffer(buffer: pg_sys::Buffer);

        // For each row that a trigger writes by a statement of its own.
        pub fn heap_deform_tuple(
            tuple: pg_sys::HeapTuple,
            columns: pg_sys::TupleDesc,
            values: *mut pg_sys::Datum,
            nulls: *mut bool,
        );
        pub fn heap_form_tuple(
            columns: pg_sys::TupleDesc,
            values: *mut pg_sys::Datum,
            nulls: *mut bool,
        ) -> pg_sys::HeapTuple;
        pub fn heap_copytuple(tuple: pg_sys::HeapTuple) -> pg_sys::HeapTuple;
        pub fn ExecFetchSlotHeapTuple(
            slot: *mut pg_sys::TupleTableSlot,
            materialize: bool,
            should_free: *mut bool,
        ) -> pg_sys::HeapTuple;
        pub fn makeParamList(count: c_int) -> pg_sys::ParamListInfo;
        pub fn GetTransactionSnapshot() -> pg_sys::Snapshot;
        pub fn GetActiveSnapshot() -> pg_sys::Snapshot;
        pub fn PushActiveSnapshot(snapshot: pg_sys::Snapshot);
        pub fn PopActiveSnapshot();
        pub fn UpdateActiveSnapshotCommandId();
        pub fn CommandCounterIncrement();
        pub fn GetCachedPlan(
            source: *mut pg_sys::CachedPlanSource,
            arguments: pg_sys::ParamListInfo,
            owner: pg_sys::ResourceOwner,
            environment: *mut pg_sys::QueryEnvironment,
        ) -> *mut pg_sys::CachedPlan;
        pub fn ReleaseCachedPlan(plan: *mut pg_sys::CachedPlan, owner: pg_sys::ResourceOwner);
        pub fn CreateQueryDesc(
            statement: *mut pg_sys::PlannedStmt,
            text: *const c_char,
            snapshot: pg_sys::Snapshot,
            crosscheck: pg_sys::Snapshot,
            receiver: *mut pg_sys::DestReceiver,
            arguments: pg_sys::ParamListInfo,
            environment: *mut pg_sys::QueryEnvironment,
            instruments: c_int,
        ) -> *mut pg_sys::QueryDesc;
        pub fn FreeQueryDesc(query: *mut pg_sys::QueryDesc);
        pub fn ExecutorStart(query: *mut pg_sys::QueryDesc, flags: c_int);
        pub fn ExecutorRun(
            query: *mut pg_sys::QueryDesc,
            direction: pg_sys::ScanDirection::Type,
            rows: u64,
            #[cfg(not(feature = "pg18"))] once: bool,
        );
        pub fn ExecutorFinish(query: *mut pg_sys::QueryDesc);
        pub fn ExecutorEnd(query: *mut pg_sys::QueryDesc);
        pub fn ProcessUtility(
            statement: *mut pg_sys::PlannedStmt,
            text: *const c_char,
            read_only: bool,
            level: pg_sys::ProcessUtilityContext::Type,
            parameters: pg_sys::ParamListInfo,
            environment: *mut pg_sys::QueryEnvironment,
            receiver: *mut pg_sys::DestReceiver,
            completion: *mut pg_sys::QueryCompletion,
        );
        pub fn OidFunctionCall2Coll(
            function: pg_sys::Oid,
            collation: pg_sys::Oid,
            a: pg_sys::Datum,
            b: pg_sys::Datum,
        ) -> pg_sys::Datum;
        pub fn pg_detoast_datum_packed(datum: *mut pg_sys::varlena) -> *mut pg_sys::varlena;
        // pgrx does not declare it.
        pub fn ExecComputeStoredGenerated(
            target: *mut pg_sys::ResultRelInfo,
            state: *mut pg_sys::EState,
            row: *mut pg_sys::TupleTableSlot,
            command: pg_sys::CmdType::Type,
        );

        // Of which pgrx has none.
        pub fn SetTuplestoreDestReceiverParams(
            receiver: *mut pg_sys::DestReceiver,
            store: *mut pg_sys::Tuplestorestate,
            context: pg_sys::MemoryContext,
            detoast: bool,
            columns: pg_sys::TupleDesc,
            problem: *const c_char,
        );

        // What PostgreSQL runs if no library has a hook.
        pub fn standard_planner(
            query: *mut pg_sys::Query,
            text: *const c_char,
            options: c_int,
            parameters: pg_sys::ParamListInfo,
        ) -> *mut pg_sys::PlannedStmt;
        pub fn standard_ExecutorStart(query: *mut pg_sys::QueryDesc, flags: c_int);
        pub fn standard_ExecutorRun(
            query: *mut pg_sys::QueryDesc,
            direction: pg_sys::ScanDirection::Type,
            rows: u64,
            #[cfg(not(feature = "pg18"))] once: bool,
        );
        pub fn standard_ExecutorFinish(query: *mut pg_sys::QueryDesc);
        pub fn standard_ProcessUtility(
            statement: *mut pg_sys::PlannedStmt,
            text: *const c_char,
            read_only: bool,
            level: pg_sys::ProcessUtilityContext::Type,
            parameters: pg_sys::ParamListInfo,
            environment: *mut pg_sys::QueryEnvironment,
            receiver: *mut pg_sys::DestReceiver,
            completion: *mut pg_sys::QueryCompletion,
        );
    }
}

/// Marks a function as one of PostgreSQL's calling convention version 1.
pub static VERSION_1: pg_sys::Pg_finfo_record = pg_sys::Pg_finfo_record { api_version: 1 };

/// Declares for each function `name` the function `pg_finfo_name`, by which PostgreSQL learns that
/// it is of version 1.
macro_rules! version_1 {
    ($($info:ident),* $(,)?) => { $(
        #[unsafe(no_mangle)]
        pub extern "C-unwind" fn $info() -> &'static pgrx::pg_sys::Pg_finfo_record {
            &$crate::pg::VERSION_1
        }
    )* };
}
pub(crate) use version_1;

/// The elements of a list of pointers.
///
/// # Safety
/// `list` must be NULL, or a list of pointers to `T` that lives as long as the iterator.
pub unsafe fn members<T>(list: *mut pg_sys::List) -> impl Iterator<Item = *mut T> {
    // SAFETY: as promised by the caller: an array of cells, `length` long.
    unsafe {
        let count = if list.is_null() { 0 } else { (*list).length as usize };
        (0..count).map(move |n| (*(*list).elements.add(n)).ptr_value.cast())
    }
}

/// Whether the bytes of a value are here: it is neither compressed nor stored elsewhere.
///
/// # Safety
/// `value` must be a datum of a type of variable length.
#[inline]
pub unsafe fn is_plain(value: *const pg_sys::varlena) -> bool {
    // SAFETY: as promised by the caller: it has a header.
    unsafe { varlena::varatt_is_4b_u(value) || (varlena::varatt_is_1b(value) && !varlena::varatt_is_1b_e(value)) }
}

/// A copy of these bytes in PostgreSQL's current memory context.
pub fn copied(bytes: &[u8]) -> pg_sys::Datum {
    // SAFETY: as many bytes are written as are allocated.
    unsafe {
        let copy = pg_sys::palloc(bytes.len()).cast::<u8>();
        copy.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
        copy.into()
    }
}

/// As [`copied`], for plain frames.
///
/// # Safety
/// Under plain frames only. `bytes` must point at `length` bytes that are not borrowed: PostgreSQL
/// may raise an error here, and no guard catches it.
#[inline]
#[allow(ffi_unwind_calls)]
pub unsafe fn copied_unguarded(bytes: *const u8, length: usize) -> pg_sys::Datum {
    // SAFETY: as promised by the caller; as many bytes are written as are allocated.
    unsafe {
        let copy = unguarded::palloc(length).cast::<u8>();
        copy.copy_from_nonoverlapping(bytes, length);
        copy.into()
    }
}

/// What takes the rows of a query into a store, whose memory context this is.
///
/// # Safety
/// Store and context must live as long as the query.
#[allow(ffi_unwind_calls)]
pub unsafe fn tuplestore_receiver(
    store: *mut pg_sys::Tuplestorestate,
    context: pg_sys::MemoryContext,
) -> *mut pg_sys::DestReceiver {
    // SAFETY: as promised by the caller. The second function stores what it is given, and raises no error.
    unsafe {
        let receiver = pg_sys::CreateDestReceiver(pg_sys::CommandDest::DestTuplestore);
        let (columns, problem) = (std::ptr::null_mut(), std::ptr::null());
        unguarded::SetTuplestoreDestReceiverParams(receiver, store, context, true, columns, problem);
        receiver
    }
}

/// A copy of a text, or None if there is no memory for it. It raises no error, because another
/// error may be about to be reported.
pub fn copied_text(text: &CStr) -> Option<*mut c_char> {
    let bytes = text.to_bytes_with_nul();
    // SAFETY: as many bytes are written as are allocated.
    unsafe {
        let copy: *mut c_char = pg_sys::palloc_extended(bytes.len(), pg_sys::MCXT_ALLOC_NO_OOM as c_int).cast();
        if copy.is_null() {
            return None;
        }
        std::ptr::copy_nonoverlapping(bytes.as_ptr().cast(), copy, bytes.len());
        Some(copy)
    }
}

/// The start of the statement that the client has sent.
pub fn statement_start() -> pg_sys::TimestampTz {
    // SAFETY: reads a variable of the backend.
    unsafe { pg_sys::GetCurrentStatementStartTimestamp() }
}

/// The time now, not that of the transaction's start.
#[allow(ffi_unwind_calls)]
pub fn now() -> pg_sys::TimestampTz {
    // SAFETY: reads the clock, and raises no error, so that it needs no guard.
    unsafe { unguarded::GetCurrentTimestamp() }
}

/// The name of the database.
pub fn database_name() -> Option<String> {
    // SAFETY: NULL, or a palloc'd C string, copied here.
    unsafe {
        let name = pg_sys::get_database_name(pg_sys::MyDatabaseId);
        if name.is_null() { None } else { Some(CStr::from_ptr(name).to_string_lossy().into_owned()) }
    }
}

pub const MICROSECONDS_OF_A_SECOND: i64 = 1_000_000;
pub const SECONDS_OF_A_DAY: i64 = 86_400;
pub const MICROSECONDS_OF_A_DAY: i64 = SECONDS_OF_A_DAY * MICROSECONDS_OF_A_SECOND;

/// PostgreSQL counts microseconds from the year 2000. Unix and JSON Web Tokens count seconds from
/// 1970.
pub const SECONDS_FROM_1970_TO_2000: i64 = 946_684_800;
pub const MICROSECONDS_FROM_1970_TO_2000: i64 = SECONDS_FROM_1970_TO_2000 * MICROSECONDS_OF_A_SECOND;

/// What no SQL shows and every backend of the cluster knows, also on a standby: 16 bytes that were drawn when the cluster was made. It keys hashes of
/// ids that everybody sees.
pub fn cluster_secret() -> [u8; 16] {
    let mut secret = [0; 16];
    // SAFETY: PostgreSQL has this nonce of 32 bytes in shared memory, and never changes it.
    unsafe { secret.as_mut_ptr().copy_from_nonoverlapping(pg_sys::GetMockAuthenticationNonce().cast(), secret.len()) };
    secret
}
