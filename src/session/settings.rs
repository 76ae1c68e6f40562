//! The settings. They only ask: each value is judged when it is used, never when it is set, because PostgreSQL
//! restores older values (RESET, ROLLBACK, function exit) without asking anybody.

use crate::error::{self, Result};
use crate::name::Reference;
use pgrx::guc::{GucContext, GucFlags, GucRegistry, GucSetting, PostgresGucEnum};
use pgrx::{pg_guard, pg_sys};
use std::cell::Cell;
use std::ffi::{CStr, CString};

static OWNER: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(None);
static PROJECT: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(None);
static AGENT: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(None);
static SOURCE: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(None);
static PARALLEL_CONTEXT: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(None);
static LATCH: GucSetting<Latch> = GucSetting::<Latch>::new(Latch::Transaction);

/// How long the first use of an owner binds.
#[derive(Clone, Copy, PartialEq, Eq, PostgresGucEnum)]
pub enum Latch {
    #[name = c"transaction"]
    Transaction,
    /// For test suites that play several owners in one transaction.
    #[name = c"statement"]
    Statement,
}

/// How the current value of `ringfence.owner` came to be.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// By SET LOCAL, in this transaction.
    Transaction,
    /// By anything that outlives the transaction, or began before it.
    Session,
}

thread_local! {
    /// Set whenever a setting that decisions depend on is assigned, by whatever means.
    static CHANGED: Cell<bool> = const { Cell::new(true) };
    static OWNER_RECORD: Cell<*mut pg_sys::config_generic> = const { Cell::new(std::ptr::null_mut()) };
}

/// Whether a setting was assigned since the last call of [`acknowledge`].
#[inline]
pub fn changed() -> bool {
    CHANGED.get()
}

/// The caller has seen the settings as they are now.
pub fn acknowledge() {
    CHANGED.set(false);
}

#[pg_guard]
unsafe extern "C-unwind" fn text_assigned(_value: *const std::ffi::c_char, _extra: *mut std::ffi::c_void) {
    CHANGED.set(true);
}

#[pg_guard]
unsafe extern "C-unwind" fn latch_assigned(_value: std::ffi::c_int, _extra: *mut std::ffi::c_void) {
    CHANGED.set(true);
}

/// Defines the settings. For `_PG_init`.
pub fn define() {
    define_text(
        c"ringfence.owner",
        c"The owner this session works for: an id, or the exact name.",
        c"It selects among the owners that the role has access to, and is checked when it is used.",
        &OWNER,
    );
    define_text(
        c"ringfence.project",
        c"The project of the owner this session works in: an id, or the exact name.",
        c"Empty: all projects of the owner that the role works in.",
        &PROJECT,
    );
    define_text(
        c"ringfence.agent",
        c"The application's user, for provenance.",
        c"Recorded with what the session writes. It carries no authority.",
        &AGENT,
    );
    define_text(
        c"ringfence.source",
        c"The source system that this session writes for.",
        c"Access may limit the sources that a role can act as.",
        &SOURCE,
    );
    define_parallel_context();
    define_latch();
}

/// Defines a setting of text that any role may set.
fn define_text(
    name: &'static CStr,
    short: &'static CStr,
    long: &'static CStr,
    setting: &'static GucSetting<Option<CString>>,
) {
    let (context, flags) = (GucContext::Userset, GucFlags::empty());
    // SAFETY: the hook is guarded, touches only a thread-local flag, and needs no transaction.
    unsafe {
        GucRegistry::define_string_guc_with_hooks(
            name,
            short,
            long,
            setting,
            context,
            flags,
            None,
            Some(text_assigned),
            None,
        );
    }
}

fn define_parallel_context() {
    GucRegistry::define_string_guc(
        PARALLEL_CONTEXT_NAME,
        c"What a parallel worker has to know of its leader.",
        c"Internal: written before a parallel query, and read by its workers only.",
        &PARALLEL_CONTEXT,
        GucContext::Suset,
        GucFlags::NO_SHOW_ALL | GucFlags::SUPERUSER_ONLY | GucFlags::DISALLOW_IN_FILE | GucFlags::NO_RESET_ALL,
    );
}

fn define_latch() {
    // SAFETY: as in `define_text`.
    unsafe {
        GucRegistry::define_enum_guc_with_hooks(
            c"ringfence.latch",
            c"How long the first use of an owner fixes it.",
            c"'statement' is for test suites that play several owners in one transaction.",
            &LATCH,
            GucContext::Suset,
            GucFlags::empty(),
            None,
            Some(latch_assigned),
            None,
        );
    }
}

/// Of the agent and the source.
pub const MAX_BYTES: usize = 1 << 13;

const PARALLEL_CONTEXT_NAME: &CStr = c"ringfence.parallel_context";

/// Sets what parallel workers shall know, until [`take_back`] is called with what this returns.
pub fn hand_over(context: &CStr) -> std::ffi::c_int {
    set_for_now(&[(PARALLEL_CONTEXT_NAME, context)], pg_sys::GucContext::PGC_SUSET)
}

/// Sets settings until [`take_back`] is called with what this returns.
pub fn set_for_now(settings: &[(&CStr, &CStr)], context: pg_sys::GucContext::Type) -> std::ffi::c_int {
    // SAFETY: NUL-terminated strings; the same that PostgreSQL does around a function with a SET clause, and as there an
    // error takes the level back.
    unsafe {
        let level = pg_sys::NewGUCNestLevel();
        for (name, value) in settings {
            pg_sys::set_config_option(
                name.as_ptr(),
                value.as_ptr(),
                context,
                pg_sys::GucSource::PGC_S_SESSION,
                pg_sys::GucAction::GUC_ACTION_SAVE,
                true,
                0,
                false,
            );
        }
        level
    }
}

/// Ends what [`hand_over`] or [`set_for_now`] began.
pub fn take_back(level: std::ffi::c_int) {
    // SAFETY: the level was opened by set_for_now, and those within are closed.
    unsafe { pg_sys::AtEOXact_GUC(true, level) }
}

/// What the leader of this parallel worker has handed over.
pub fn parallel_context() -> Result<Option<String>> {
    Ok(value(&PARALLEL_CONTEXT, "ringfence.parallel_context")?.map(str::to_owned))
}

/// Reserves the prefix, so that a misspelt setting is an error. For `_PG_init`, when all settings are defined.
pub fn reserve_prefix() {
    // SAFETY: a NUL-terminated constant.
    unsafe { pg_sys::MarkGUCPrefixReserved(c"ringfence".as_ptr()) }
}

/// A setting's text, or None if it is empty. Error 22023 if it is not UTF-8, as a connection string may carry; 54000 if it is long.
fn text(setting: &'static GucSetting<Option<CString>>, name: &str) -> Result<Option<String>> {
    let text = value(setting, name)?;
    if text.is_some_and(|text| text.len() > MAX_BYTES) {
        return Err(error::setting_too_long(name));
    }
    Ok(text.map(str::to_owned))
}

/// The same of a setting that names something.
fn reference(setting: &'static GucSetting<Option<CString>>, name: &str) -> Result<Option<Reference>> {
    Ok(value(setting, name)?.map(Reference::new))
}

/// The value lives until the setting is set again. Nothing may be called before it is copied.
fn value(setting: &'static GucSetting<Option<CString>>, name: &str) -> Result<Option<&'static str>> {
    // SAFETY: PostgreSQL keeps the variable at a valid C string or NULL; callers copy it before anything can set it again.
    let value = unsafe {
        let pointer = *setting.as_ptr();
        if pointer.is_null() {
            return Ok(None);
        }
        CStr::from_ptr(pointer)
    };
    match value.to_str() {
        Ok("") => Ok(None),
        Ok(value) => Ok(Some(value)),
        Err(_) => Err(error::setting_not_utf8(name)),
    }
}

/// `ringfence.owner`, or None.
pub fn owner() -> Result<Option<Reference>> {
    reference(&OWNER, "ringfence.owner")
}

/// `ringfence.project`, or None.
pub fn project() -> Result<Option<Reference>> {
    reference(&PROJECT, "ringfence.project")
}

/// `ringfence.agent`, or None.
pub fn agent() -> Result<Option<String>> {
    text(&AGENT, "ringfence.agent")
}

/// `ringfence.source`, or None.
pub fn source() -> Result<Option<String>> {
    text(&SOURCE, "ringfence.source")
}

/// `ringfence.latch`.
pub fn latch() -> Latch {
    LATCH.get()
}

/// Where the current value of `ringfence.owner` comes from. PostgreSQL keeps, with each setting that a transaction
/// has touched, how it did so; only SET LOCAL (also after a SET in the same transaction) is bound to the transaction.
pub fn owner_scope() -> Scope {
    let record = owner_record();
    if record.is_null() {
        return Scope::Session;
    }
    // SAFETY: the record of a defined setting lives as long as the backend; its stack is NULL or its newest entry.
    unsafe {
        let stack = (*record).stack;
        if stack.is_null() {
            return Scope::Session;
        }
        match (*stack).state {
            pg_sys::GucStackState::GUC_LOCAL | pg_sys::GucStackState::GUC_SET_LOCAL => Scope::Transaction,
            _ => Scope::Session,
        }
    }
}

fn owner_record() -> *mut pg_sys::config_generic {
    let known = OWNER_RECORD.get();
    if !known.is_null() {
        return known;
    }
    // SAFETY: PostgreSQL's array of all settings, `count` long, each with a NUL-terminated name.
    let found = unsafe {
        #[cfg(feature = "pg15")]
        let (all, count) = (pg_sys::get_guc_variables(), pg_sys::GetNumConfigOptions());
        #[cfg(not(feature = "pg15"))]
        let (all, count) = {
            let mut count = 0;
            (pg_sys::get_guc_variables(&mut count), count)
        };
        (0..count as usize)
            .map(|n| *all.add(n))
            .find(|record| CStr::from_ptr((**record).name) == c"ringfence.owner")
            .unwrap_or(std::ptr::null_mut())
    };
    OWNER_RECORD.set(found);
    found
}
