//! The setting `ringfence.keep_history`.

use pgrx::guc::{GucContext, GucFlags, GucRegistry, GucSetting, PostgresGucEnum};

static KEEP_HISTORY: GucSetting<Keep> = GucSetting::<Keep>::new(Keep::Values);

/// What is kept of a change.
#[derive(Clone, Copy, PartialEq, Eq, PostgresGucEnum)]
pub enum Keep {
    #[name = c"none"]
    None,
    /// Who changed which datum, and when.
    #[name = c"who"]
    Who,
    /// And the value before and after.
    #[name = c"values"]
    Values,
}

/// Defines the setting. For `_PG_init`.
pub fn init() {
    GucRegistry::define_enum_guc(
        c"ringfence.keep_history",
        c"What is kept of each change of a customer.",
        c"'none'; 'who': who changed which datum and when; 'values': also the value before and after.",
        &KEEP_HISTORY,
        GucContext::Suset,
        GucFlags::empty(),
    );
}

pub fn keeps() -> Keep {
    KEEP_HISTORY.get()
}
