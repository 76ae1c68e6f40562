//! The setting `ringfence.on_foreign_datum`.

use pgrx::guc::{GucContext, GucFlags, GucRegistry, GucSetting, PostgresGucEnum};

static ON_FOREIGN_DATUM: GucSetting<OnForeignDatum> = GucSetting::<OnForeignDatum>::new(OnForeignDatum::Error);

/// What becomes of a change of a datum that belongs to another source.
#[derive(Clone, Copy, PartialEq, Eq, PostgresGucEnum)]
pub enum OnForeignDatum {
    #[name = c"error"]
    Error,
    /// The change is left out, and everything else is written.
    #[name = c"skip"]
    Skip,
}

/// Defines the setting. For `_PG_init`.
pub fn init() {
    GucRegistry::define_enum_guc(
        c"ringfence.on_foreign_datum",
        c"What happens if a session changes a datum that belongs to another source.",
        c"'error' refuses the statement; 'skip' leaves that change out with a warning.",
        &ON_FOREIGN_DATUM,
        GucContext::Userset,
        GucFlags::empty(),
    );
}

pub fn skips() -> bool {
    ON_FOREIGN_DATUM.get() == OnForeignDatum::Skip
}
