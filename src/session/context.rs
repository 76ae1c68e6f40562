//! The context of a session: whom it works for, where, with which rights, and how it came to that.

use crate::access::reach::Reach;
use crate::error::Result;
use crate::field::VisibleFields;
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
        Context { reach, selected_by, transaction_only, may_hold, fields: OnceCell::new(), serial: Serial::next() }
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
        let fields = VisibleFields::of(&self.reach)?;
        Ok(self.fields.get_or_init(|| fields))
    }
}
