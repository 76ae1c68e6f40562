//! What a session may reach: one owner, one or several of its projects, and the rights there.

use super::grant::Grant;
use crate::owner::Owner;
use crate::project::Project;
use crate::rights::Rights;
use pgrx::datum::Uuid;

pub struct Reach {
    pub owner: Owner,
    /// The selected project. If there is none, the session works in all projects that its grants
    /// cover.
    pub project: Option<Project>,
    /// The rights in the selected project. If none is selected, the rights that the role has in any
    /// project.
    pub rights: Rights,
    grants: Vec<Grant>,
}

impl Reach {
    pub fn new(owner: Owner, project: Option<Project>, grants: Vec<Grant>) -> Reach {
        let rights = grants
            .iter()
            .filter(|grant| project.as_ref().is_none_or(|project| grant.covers(project.id)))
            .fold(Rights::NONE, |rights, grant| rights.union(grant.rights));
        Reach { owner, project, rights, grants }
    }

    /// All rights in all projects: for the extension's own work within an owner.
    pub fn unlimited(owner: Owner) -> Reach {
        Reach::new(owner, None, vec![Grant::unlimited()])
    }

    /// Whether the role works in that project of the owner, selected or not.
    pub fn works_in(&self, project: Uuid) -> bool {
        self.grants.iter().any(|grant| grant.covers(project))
    }

    /// The rights in that project. If none is named, the rights in every project, also future ones.
    pub fn rights_within(&self, project: Option<Uuid>) -> Rights {
        self.grants_within(project).fold(Rights::NONE, |rights, grant| rights.union(grant.rights))
    }

    /// Whether the session may act as that source system in the selected project. If no source is
    /// named: whether it may act as any.
    pub fn may_act_as(&self, source: Option<&str>) -> bool {
        let here = |grant: &&Grant| self.project.as_ref().is_none_or(|project| grant.covers(project.id));
        allow_source(self.grants.iter().filter(here), source)
    }

    /// The same in that project, or if none is named, in all projects.
    pub fn may_act_as_within(&self, source: Option<&str>, project: Option<Uuid>) -> bool {
        allow_source(self.grants_within(project), source)
    }

    /// The grants that cover the project, or if none is named, all projects, also future ones.
    fn grants_within(&self, project: Option<Uuid>) -> impl Iterator<Item = &Grant> + Clone {
        self.grants.iter().filter(move |grant| project.map_or(grant.covers_all(), |project| grant.covers(project)))
    }
}

/// Whether these grants together allow that source. Each right to write customers that they give must come from a grant
/// that allows it: a grant of something else does not widen what the session may write as.
fn allow_source<'a>(grants: impl Iterator<Item = &'a Grant> + Clone, source: Option<&str>) -> bool {
    let allows = |right: Rights| {
        let mut giving = grants.clone().filter(|grant| grant.rights.contains(right)).peekable();
        giving.peek().is_none() || giving.any(|grant| grant.allows_source(source))
    };
    grants.clone().any(|grant| grant.allows_source(source))
        && [Rights::CUSTOMER_WRITE, Rights::CUSTOMER_PROPOSE, Rights::CUSTOMER_DELETE].into_iter().all(allows)
}
