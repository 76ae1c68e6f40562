//! The context of a session: whom it works for, where, with which rights, and how it came to that.

use crate::access::reach::Reach;
use crate::authority::Rules;
use crate::error::Result;
use crate::field::{EveryField, VisibleFields};
use crate::source::Sources;
use std::cell::{Cell, OnceCell};
use std::ops::Deref;

/// How the session came to its owner, as `whoami()` tells.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SelectedBy {
    Setting,
    Default,
    Enter,
    Token,
}

impl SelectedBy {
    pub fn name(self) -> &'static str {
        match self {
            SelectedBy::Setting => "setting",
            SelectedBy::Default => "default",
            SelectedBy::Enter => "enter",
            SelectedBy::Token => "token",
        }
    }
}

/// What a session is.
pub struct Context {
    reach: Reach,
    pub selected_by: SelectedBy,
    /// The owner was selected for this transaction alone, and nothing of it may outlive it.
    pub(super) transaction_only: bool,
    /// Its rows may stay in a cursor WITH HOLD: the access is for a connection that serves one owner throughout.
    pub(super) may_hold: bool,
    fields: OnceCell<VisibleFields>,
    sources: OnceCell<Sources>,
    authority: OnceCell<Rules>,
    every_field: OnceCell<EveryField>,
    pub serial: Serial,
}

/// A context is asked what its session may reach.
impl Deref for Context {
    type Target = Reach;

    fn deref(&self) -> &Reach {
        &self.reach
    }
}

/// Tells a context from all others of this backend, those that are gone too: what is made from one is good for it alone.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Serial(u64);

impl Serial {
    /// That of no context.
    pub const NONE: Serial = Serial(0);

    fn next() -> Serial {
        thread_local! {
            static LAST: Cell<u64> = const { Cell::new(0) };
        }
        LAST.set(LAST.get() + 1);
        Serial(LAST.get())
    }
}

impl Context {
    pub fn new(reach: Reach, selected_by: SelectedBy, transaction_only: bool, may_hold: bool) -> Context {
        Context {
            reach,
            selected_by,
            transaction_only,
            may_hold,
            fields: OnceCell::new(),
            sources: OnceCell::new(),
            authority: OnceCell::new(),
            every_field: OnceCell::new(),
            serial: Serial::next(),
        }
    }

    /// As [`Context::fields`], if they have been worked out. It calls nothing of PostgreSQL's.
    pub fn known_fields(&self) -> Option<&VisibleFields> {
        self.fields.get()
    }

    /// The custom fields that this session sees, worked out at first use.
    pub fn fields(&self) -> Result<&VisibleFields> {
        kept(&self.fields, || VisibleFields::of(&self.reach))
    }

    /// The source systems of the owner, read at first use.
    pub fn sources(&self) -> Result<&Sources> {
        kept(&self.sources, || Sources::of(self.reach.owner.id))
    }

    /// Which source has authority over which datum, read at first use.
    pub fn authority(&self) -> Result<&Rules> {
        kept(&self.authority, || Rules::of(self.reach.owner.id))
    }

    /// All fields of the owner, read at first use.
    pub fn every_field(&self) -> Result<&EveryField> {
        kept(&self.every_field, || EveryField::of(self.reach.owner.id))
    }
}

/// What is kept there, or else is made now.
fn kept<T>(cell: &OnceCell<T>, make: impl FnOnce() -> Result<T>) -> Result<&T> {
    match cell.get() {
        Some(kept) => Ok(kept),
        None => {
            let made = make()?;
            Ok(cell.get_or_init(|| made))
        }
    }
}
