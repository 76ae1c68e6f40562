//! Errors about owners, projects and roles: who may do what, and what does not exist.

use super::failure::{Failure, bad_value, not_allowed, not_found, quotable};
use pgrx::PgSqlErrorCode;

/// 42501: what concerns all owners together is for `ringfence_admin`.
pub fn may_not_administer(role: &str) -> Failure {
    let role = quotable(role);
    not_allowed(format!("role \"{role}\" may not administer the installation"))
        .set_hint("Only a member of ringfence_admin may do this.")
}

/// 42501: managing access needs ringfence_admin, or the right access.manage within the owner.
pub fn may_not_manage_access(role: &str) -> Failure {
    let role = quotable(role);
    not_allowed(format!("role \"{role}\" may not manage access")).set_hint(
        "Only a member of ringfence_admin, or a role with the right access.manage for the selected owner, may do this.",
    )
}

/// 42501: nobody hands out a right that it does not hold.
pub fn grants_more_than_held(right: &str) -> Failure {
    let right = quotable(right);
    not_allowed(format!("right \"{right}\" cannot be granted by a session that does not hold it"))
        .set_hint("Have it granted by a role that holds it, or by a member of ringfence_admin.")
}

/// 42501: within an owner access is changed, not begun.
pub fn first_access(role: &str) -> Failure {
    let role = quotable(role);
    not_allowed(format!("role \"{role}\" has no access to this owner yet"))
        .set_hint("A member of ringfence_admin gives a role its first access to an owner; from then on it can be changed with access.manage.")
}

/// 42501: how strictly a role must be bound is not loosened within an owner.
pub fn weaker_binding(role: &str) -> Failure {
    let role = quotable(role);
    not_allowed(format!("the binding of role \"{role}\" cannot be weakened"))
        .set_hint("Give the same binding or a stricter one, or have it changed by a member of ringfence_admin.")
}

/// 22023: no such right.
pub fn unknown_right(right: &str, rights: &str) -> Failure {
    let right = quotable(right);
    bad_value(format!("unknown right \"{right}\"")).set_hint(format!("The rights are: {rights}."))
}

/// 22023: neither a right nor a profile of the owner.
pub fn unknown_right_or_profile(name: &str, rights: &str) -> Failure {
    let name = quotable(name);
    bad_value(format!("\"{name}\" is neither a right nor a profile of this owner")).set_hint(format!(
        "The rights are: {rights}. The built-in profiles are: agent, supervisor, sales, support, sponsor, trainee, admin.",
    ))
}

/// 22023: no such binding.
pub fn unknown_binding(binding: &str) -> Failure {
    let binding = quotable(binding);
    bad_value(format!("unknown binding \"{binding}\"")).set_hint("Use 'transaction', 'session' or 'token'.")
}

/// 22023: the role cannot be given access.
pub fn unsuitable_role(role: &str, reason: &str) -> Failure {
    let role = quotable(role);
    bad_value(format!("role \"{role}\" cannot be given access: {reason}"))
}

/// 42704: no such role.
pub fn no_such_role(role: &str) -> Failure {
    let role = quotable(role);
    Failure::new(PgSqlErrorCode::ERRCODE_UNDEFINED_OBJECT, format!("role \"{role}\" does not exist"))
}

/// P0002: no such owner in the caller's reach.
pub fn no_such_owner(owner: &str) -> Failure {
    let owner = quotable(owner);
    not_found(format!("no owner \"{owner}\" is in reach"))
}

/// P0002: no such project of the owner, or the role does not work in it; which of the two is not told.
pub fn no_such_project(project: &str) -> Failure {
    let project = quotable(project);
    not_found(format!("no project \"{project}\" is in reach"))
        .set_hint("SELECT name FROM ringfence.project lists the projects that this role works in.")
}

/// P0002: the owner has no such source system, or it is retired; which of the two is not told.
pub fn no_such_source(source: &str) -> Failure {
    let source = quotable(source);
    not_found(format!("no source \"{source}\" is in reach"))
        .set_hint("SELECT name FROM ringfence.source WHERE retired_at IS NULL lists the sources of the owner.")
}

/// P0002: the role has no such access entry.
pub fn no_such_access(role: &str, owner: &str) -> Failure {
    let role = quotable(role);
    let owner = quotable(owner);
    not_found(format!("role \"{role}\" has no access to owner \"{owner}\" that could be revoked"))
}

/// 54000: `ringfence.max_owners` is reached.
pub fn too_many_owners(limit: i32) -> Failure {
    Failure::new(
        PgSqlErrorCode::ERRCODE_PROGRAM_LIMIT_EXCEEDED,
        format!("this installation is limited to {limit} owners"),
    )
    .set_hint("Delete an owner, or have a superuser raise ringfence.max_owners.")
}

/// 22023: not a country.
pub fn unknown_country(country: &str) -> Failure {
    let country = quotable(country);
    bad_value(format!("unknown country \"{country}\""))
        .set_hint("Use the two capital letters of ISO 3166-1, as in 'TW' or 'PL'.")
}

/// 22023: an argument that must be given is NULL or empty.
pub fn missing_argument(argument: &str) -> Failure {
    bad_value(format!("argument \"{argument}\" must be given"))
}

/// 54000: an argument is longer than anything that it can name.
pub fn argument_too_long(argument: &str) -> Failure {
    Failure::new(PgSqlErrorCode::ERRCODE_PROGRAM_LIMIT_EXCEEDED, format!("argument \"{argument}\" is too long"))
}

/// 22023: a name that cannot be used.
pub fn bad_name(reason: &'static str) -> Failure {
    bad_value(format!("invalid name: {reason}"))
        .set_hint("A name has 1 to 200 characters, of which at least one is visible and none a control character. It has no space at either end, and is not a UUID.")
}
