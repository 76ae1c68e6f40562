//! The rights by name, and sets of them.

use crate::error::{self, Result};

/// A set of rights.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct Rights(u32);

const NAMES: [&str; 18] = [
    "customer.read",
    "customer.write",
    "customer.delete",
    "ticket.read",
    "ticket.write",
    "ticket.delete",
    "interaction.read",
    "interaction.write",
    "field.manage",
    "field.unmask",
    "project.manage",
    "channel.manage",
    "script.manage",
    "import.run",
    "access.manage",
    "owner.export",
    "source.manage",
    "customer.propose",
];

impl Rights {
    pub const NONE: Rights = Rights(0);
    pub const ALL: Rights = Rights((1 << NAMES.len()) - 1);
    pub const CUSTOMER_READ: Rights = Rights(1 << 0);
    pub const CUSTOMER_WRITE: Rights = Rights(1 << 1);
    pub const CUSTOMER_DELETE: Rights = Rights(1 << 2);
    pub const CUSTOMER_PROPOSE: Rights = Rights(1 << 17);
    pub const FIELD_UNMASK: Rights = Rights(1 << 9);
    pub const ACCESS_MANAGE: Rights = Rights(1 << 14);
    pub const OWNER_EXPORT: Rights = Rights(1 << 15);

    /// Rights over what all projects of an owner share. Access that is limited to a project does not give them.
    pub const OF_THE_WHOLE_OWNER: Rights = Rights(1 << 8 | 1 << 10 | 1 << 11 | 1 << 15 | 1 << 16);

    /// The set of the one right of that name, if there is such a right.
    pub fn named(name: &str) -> Option<Rights> {
        Rights::of_bytes(name.as_bytes())
    }

    /// As [`Rights::named`], of text that is not yet known to be UTF-8.
    pub fn of_bytes(name: &[u8]) -> Option<Rights> {
        NAMES.iter().position(|known| known.as_bytes() == name).map(|n| Rights(1 << n))
    }

    /// As [`Rights::named`], or error 22023 that names all rights.
    pub fn parse(name: &str) -> Result<Rights> {
        Rights::named(name).ok_or_else(|| error::unknown_right(name, &list_of_names()))
    }

    /// The set as a number, for a parallel worker of the same library.
    pub fn bits(self) -> u32 {
        self.0
    }

    /// The set of that number.
    pub fn from_bits(bits: u32) -> Rights {
        Rights(bits).intersection(Rights::ALL)
    }

    pub fn contains(self, other: Rights) -> bool {
        self.0 & other.0 == other.0
    }

    pub fn union(self, other: Rights) -> Rights {
        Rights(self.0 | other.0)
    }

    pub fn intersection(self, other: Rights) -> Rights {
        Rights(self.0 & other.0)
    }

    pub fn without(self, other: Rights) -> Rights {
        Rights(self.0 & !other.0)
    }

    /// The names of the rights in the set, in the order of the manual.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        NAMES.into_iter().enumerate().filter(move |(n, _)| self.0 & (1 << n) != 0).map(|(_, name)| name)
    }
}

/// The names of all rights.
pub fn names() -> impl Iterator<Item = &'static str> {
    NAMES.into_iter()
}

/// The names of all rights as a sentence of a hint lists them.
pub fn list_of_names() -> String {
    NAMES.join(", ")
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    #[test]
    fn constants_have_their_names() {
        for (right, name) in [
            (Rights::CUSTOMER_READ, "customer.read"),
            (Rights::CUSTOMER_WRITE, "customer.write"),
            (Rights::CUSTOMER_DELETE, "customer.delete"),
            (Rights::CUSTOMER_PROPOSE, "customer.propose"),
            (Rights::FIELD_UNMASK, "field.unmask"),
            (Rights::ACCESS_MANAGE, "access.manage"),
        ] {
            assert_eq!(right.names().collect::<Vec<_>>(), [name]);
            assert_eq!(Rights::named(name), Some(right));
        }
        let whole = Rights::OF_THE_WHOLE_OWNER.names().collect::<Vec<_>>();
        assert_eq!(whole, ["field.manage", "project.manage", "channel.manage", "owner.export", "source.manage"]);
        assert_eq!(Rights::ALL.names().count(), NAMES.len());
        assert_eq!(Rights::named("customer"), None);
    }
}
