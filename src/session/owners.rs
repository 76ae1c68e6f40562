//! The owners that a session sees in table `owner`.

use super::judge::judge;
use super::{acting, entered, parallel};
use crate::access::owners;
use crate::error::Result;
use crate::role;
use pgrx::datum::Uuid;
use pgrx::pg_sys;

/// The owners that the role may see: enabled, with access; for `ringfence_admin` all.
pub fn owners_in_reach() -> Result<Vec<Uuid>> {
    let mut ids = Vec::new();
    if role::is_admin() {
        ids = owners::all()?;
    } else {
        // SAFETY: as in `judge`.
        unsafe { pg_sys::AcceptInvalidationMessages() };
        let of_role = owners::of(role::judged()?)?;
        for reached in of_role.owners().filter(|reached| reached.owner.enabled) {
            if !reached.by_token_only() || has_entered(reached.owner.id)? {
                ids.push(reached.owner.id);
            }
        }
    }
    if let Some(acting) = acting::context().map(|context| context.owner.id)
        && !ids.contains(&acting)
    {
        ids.push(acting);
    }
    Ok(ids)
}

/// Whether this transaction works for that owner by `login()` or `enter()`. Where it takes a token, even the name of the owner does.
fn has_entered(owner: Uuid) -> Result<bool> {
    parallel::take_over()?;
    Ok(entered::current().is_some_and(|entered| entered.owner == owner) && judge()?.is_some())
}
