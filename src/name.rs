//! Identifiers and names: what an owner, a project or a field may be called, and the ids of all rows.

use crate::error::{self, ErrorReport, Result};
use crate::text;
use pgrx::datum::Uuid;
use pgrx::prelude::*;

const MAX_NAME_CHARACTERS: usize = 200;

/// More than a name or an id has.
const MAX_REFERENCE_CHARACTERS: usize = 1000;

/// The UUID that `text` spells: hyphenated, bare, or hyphenated in braces, in either case. Names are never of that form, so that a setting
/// which takes an id or a name is never ambiguous.
pub fn parse_id(text: &str) -> Option<Uuid> {
    uuid::Uuid::try_parse(text).ok().map(|id| Uuid::from_bytes(*id.as_bytes()))
}

/// What somebody calls an owner or a project: its id, or its exact name. It is kept as it was written, for messages.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Reference(String);

impl Reference {
    /// Of a longer text only the beginning is kept: it names nothing, and nor does its beginning.
    pub fn new(text: &str) -> Reference {
        let end = text.char_indices().nth(MAX_REFERENCE_CHARACTERS).map_or(text.len(), |(end, _)| end);
        Reference(text.get(..end).unwrap_or(text).to_owned())
    }

    pub fn text(&self) -> &str {
        &self.0
    }

    /// The id, if it is one. Else it is a name.
    pub fn id(&self) -> Option<Uuid> {
        parse_id(&self.0)
    }

    /// Whether it is the one with that id and name.
    pub fn means(&self, id: Uuid, name: &str) -> bool {
        self.id().map_or(self.0 == name, |own| own == id)
    }
}

impl From<Uuid> for Reference {
    fn from(id: Uuid) -> Reference {
        Reference(id.to_string())
    }
}

/// Why `name` cannot be used, if it cannot.
fn name_problem(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        Some("it is empty")
    } else if name.trim() != name {
        Some("it begins or ends with a space")
    } else if text::is_blank(name) {
        Some("it has no visible character")
    } else if name.chars().nth(MAX_NAME_CHARACTERS).is_some() {
        Some("it is too long")
    } else if name.chars().any(char::is_control) {
        Some("it contains a control character")
    } else if parse_id(name).is_some() {
        Some("it looks like an id")
    } else {
        None
    }
}

/// Error 22023 says what is wrong with the name.
pub fn require_name(name: &str) -> Result<()> {
    name_problem(name).map_or(Ok(()), |reason| Err(error::bad_name(reason)))
}

/// True, or the error of [`require_name`]. For CHECK constraints.
#[pg_extern(sql = false)]
fn check_name(name: &str) -> Result<bool, ErrorReport> {
    require_name(name)?;
    Ok(true)
}

/// The form of a name in which no two of an owner are the same. For unique indexes. Of longer texts, which are no names, it
/// is that of the beginning.
#[pg_extern(sql = false)]
fn name_as_seen(name: &str) -> String {
    let end = name.char_indices().nth(MAX_NAME_CHARACTERS).map_or(name.len(), |(end, _)| end);
    text::as_seen(name.get(..end).unwrap_or(name))
}

/// Whether a name shows anything. For CHECK constraints.
#[pg_extern(sql = false)]
fn can_be_seen(name: &str) -> bool {
    !text::is_blank(name)
}

/// A new UUIDv7 (RFC 9562): ids made later sort later, which keeps the indexes compact.
#[pg_extern(sql = false)]
pub fn new_id() -> Uuid {
    Uuid::from_bytes(*uuid::Uuid::now_v7().as_bytes())
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    #[test]
    fn references() {
        let id = Uuid::from_bytes([0xAA; 16]);
        for written in ["aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa", "AAAAAAAAaaaaaaaaAAAAAAAAaaaaaaaa", &id.to_string()] {
            let reference = Reference::new(written);
            assert!(reference.means(id, "any name"), "{written}");
            assert!(!reference.means(Uuid::from_bytes([1; 16]), written), "{written}");
            assert_eq!(reference.text(), written);
        }
        assert!(Reference::new("Company A").means(id, "Company A"));
        assert!(!Reference::new("company a").means(id, "Company A"));
        assert_eq!(Reference::from(id).id(), Some(id));
        let long = "é".repeat(MAX_REFERENCE_CHARACTERS + 1);
        assert_eq!(Reference::new(&long).text().chars().count(), MAX_REFERENCE_CHARACTERS);
    }

    #[test]
    fn names() {
        for good in ["Company A", "蔡", "D'Angelo & Söhne", "می\u{200C}خواهم", "❤\u{FE0F}", &"x".repeat(200)]
        {
            assert_eq!(name_problem(good), None, "{good}");
        }
        for bad in [
            "",
            "\u{200B}",
            "\u{3164}",
            "\u{AD}\u{FE0F}\u{2800}",
            "\u{200B} \u{200B}",
            " a",
            "a ",
            "a\nb",
            &"x".repeat(201),
            "aaaaaaaa-0000-0000-0000-000000000001",
            "AAAAAAAA000000000000000000000001",
            "{aaaaaaaa-0000-0000-0000-000000000001}",
        ] {
            assert!(name_problem(bad).is_some(), "{bad}");
        }
    }
}
