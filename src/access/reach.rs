//! What a session may reach: one owner, in one project of it or in several, with the rights that it was granted there.

use super::grant::Grant;
use crate::owner::Owner;
use crate::project::Project;
use crate::rights::Rights;
use pgrx::datum::Uuid;

pub struct Reach {
    pub owner: Owner,
    /// The project that is selected. With none, the session works in all that its grants cover.
    pub project: Option<Project>,
    /// In the selected project, or with none selected in any project that the role works in.
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

    /// The rights held in every project, also those to come; or where a project is named, in that one.
    pub fn rights_within(&self, project: Option<Uuid>) -> Rights {
        self.grants_within(project).fold(Rights::NONE, |rights, grant| rights.union(grant.rights))
    }

    /// Whether the session may act as that source system, or where none is named as any, in the selected project.
    pub fn may_act_as(&self, source: Option<&str>) -> bool {
        let here = |grant: &&Grant| self.project.as_ref().is_none_or(|project| grant.covers(project.id));
        self.grants.iter().filter(here).any(|grant| grant.allows_source(source))
    }

    /// The same for that project, or where none is named for all projects.
    pub fn may_act_as_within(&self, source: Option<&str>, project: Option<Uuid>) -> bool {
        self.grants_within(project).any(|grant| grant.allows_source(source))
    }

    /// The grants that cover the project, or where none is named all projects, also those to come.
    fn grants_within(&self, project: Option<Uuid>) -> impl Iterator<Item = &Grant> {
        self.grants.iter().filter(move |grant| project.map_or(grant.covers_all(), |project| grant.covers(project)))
    }
}
