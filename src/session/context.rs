//! The context of a session: whom it works for, where, and with which rights.

use crate::access::Entry;
use crate::error::Result;
use crate::field::VisibleFields;
use crate::owner::Owner;
use crate::project::Project;
use crate::session::rights::Rights;
use pgrx::datum::Uuid;
use std::cell::{Cell, OnceCell};

/// How the session came to its owner, as `whoami()` tells.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Bound {
    Setting,
    Default,
    Enter,
    Token,
}

impl Bound {
    pub fn name(self) -> &'static str {
        match self {
            Bound::Setting => "setting",
            Bound::Default => "default",
            Bound::Enter => "enter",
            Bound::Token => "token",
        }
    }
}

/// What a session is: whom it works for, where, and with which rights.
pub struct Context {
    pub owner: Owner,
    pub project: Option<Project>,
    pub bound: Bound,
    /// In the selected project, or with none selected in any project that the role works in.
    pub rights: Rights,
    /// The owner was selected for this transaction alone, and nothing of it may outlive it.
    pub(super) transaction_only: bool,
    /// Its rows may stay in a cursor WITH HOLD: the access is for a connection that serves one owner throughout.
    pub(super) may_hold: bool,
    pub(super) entries: Vec<Entry>,
    pub(super) fields: OnceCell<VisibleFields>,
    pub serial: Serial,
}

/// Tells a context from all others of this backend, those that are gone too: what is made from one is good for it alone.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Serial(u64);

impl Serial {
    /// That of no context.
    pub const NONE: Serial = Serial(0);

    pub fn next() -> Serial {
        thread_local! {
            static LAST: Cell<u64> = const { Cell::new(0) };
        }
        LAST.set(LAST.get() + 1);
        Serial(LAST.get())
    }
}

impl Context {
    /// Whether the role works in that project of the owner, selected or not.
    pub fn works_in(&self, project: Uuid) -> bool {
        self.entries.iter().any(|entry| entry.covers(project))
    }

    /// The rights held in every project, also those to come; or where a project is named, in that one.
    pub fn rights_within(&self, project: Option<Uuid>) -> Rights {
        self.entries_within(project).fold(Rights::NONE, |rights, entry| rights.union(entry.rights))
    }

    /// Whether the session may act as that source system, or where none is named as any, in the selected project.
    pub fn may_act_as(&self, source: Option<&str>) -> bool {
        let here = |entry: &&Entry| self.project.as_ref().is_none_or(|project| entry.covers(project.id));
        self.entries.iter().filter(here).any(|entry| entry.allows_source(source))
    }

    /// The same for that project, or where none is named for all projects.
    pub fn may_act_as_within(&self, source: Option<&str>, project: Option<Uuid>) -> bool {
        self.entries_within(project).any(|entry| entry.allows_source(source))
    }

    /// The entries that cover the project, or where none is named all projects, also those to come.
    fn entries_within(&self, project: Option<Uuid>) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| project.map_or(entry.covers_all(), |project| entry.covers(project)))
    }

    /// As [`Context::fields`], if they have been worked out. It calls nothing of PostgreSQL's.
    pub fn known_fields(&self) -> Option<&VisibleFields> {
        self.fields.get()
    }

    /// The custom fields that this session sees, worked out at first use.
    pub fn fields(&self) -> Result<&VisibleFields> {
        if let Some(fields) = self.fields.get() {
            return Ok(fields);
        }
        let fields = VisibleFields::of(self)?;
        Ok(self.fields.get_or_init(|| fields))
    }
}
