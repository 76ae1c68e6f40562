//! The setting `ringfence.max_owners`.

use pgrx::guc::{GucContext, GucFlags, GucRegistry, GucSetting};

static MAX_OWNERS: GucSetting<i32> = GucSetting::<i32>::new(0);

/// Defines `ringfence.max_owners`. For `_PG_init`.
pub fn init() {
    GucRegistry::define_int_guc(
        c"ringfence.max_owners",
        c"How many owners may exist, not counting the house owner.",
        c"0 means no limit.",
        &MAX_OWNERS,
        0,
        i32::MAX,
        GucContext::Suset,
        GucFlags::empty(),
    );
}

/// The most owners that may exist, or None without a limit.
pub fn max_owners() -> Option<i32> {
    Some(MAX_OWNERS.get()).filter(|limit| *limit > 0)
}
