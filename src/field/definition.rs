//! The definition of a field: its type, its options and its limits; and whether a value fits it.

use super::kind::Type;
use crate::catalog::{self, Row, Rows, Source};
use crate::error::{self, ErrorReport, Result};
use crate::jsonb::{Kind, New, Value};
use crate::text::is_blank;
use pgrx::AnyNumeric;
use pgrx::datum::{Array, Uuid};
use pgrx::pg_extern;
use regex::{Regex, RegexBuilder};
use std::borrow::Cow;
use std::cell::OnceCell;
use std::ffi::CStr;

/// The longest text of a field. People type values, and every search of the owner reads them.
const MAX_TEXT_BYTES: usize = 1 << 20;

/// The most digits of a number that is written out without an exponent.
const MAX_DIGITS: usize = 1000;

/// Patterns are for codes and numbers, which are short. The time of a match grows with the length
/// of the text and the size of the pattern only.
const MAX_PATTERN_CHARACTERS: usize = 1000;
const MAX_MATCHED_CHARACTERS: usize = 1000;
const MAX_PATTERN_MEMORY: usize = 2 << 20;

/// A field as its owner defined it.
pub struct Definition {
    pub id: Uuid,
    pub name: String,
    pub description: Option<String>,
    pub kind: Type,
    pub options: Option<Box<Options>>,
    pub limits: Option<Box<Limits>>,
    pub required: bool,
    pub masked: bool,
    pub searchable: bool,
    pub unique: bool,
    pub system: bool,
    pub position: i32,
}

/// The options of a field of type "choice" or "choices". A value holds ids of options, so that
/// renaming an option writes no customer.
pub struct Options {
    /// First the options that can be chosen, in their order, then the retired ones.
    names: Vec<String>,
    chosen_from: usize,
    ids: Vec<i32>,
}

/// Further conditions on the values of a field, besides its type.
#[derive(Default)]
pub struct Limits {
    pub max_length: Option<i32>,
    pub pattern: Option<Pattern>,
    pub minimum: Option<AnyNumeric>,
    pub maximum: Option<AnyNumeric>,
}

/// A regular expression that the whole text must match, compiled when it is first needed.
pub struct Pattern {
    pub text: String,
    compiled: OnceCell<Option<Regex>>,
}

impl Pattern {
    pub fn new(text: String) -> Pattern {
        Pattern { text, compiled: OnceCell::new() }
    }

    fn matches(&self, text: &str) -> bool {
        self.compiled
            .get_or_init(|| compile(&self.text).ok())
            .as_ref()
            .is_some_and(|pattern| text.chars().nth(MAX_MATCHED_CHARACTERS).is_none() && pattern.is_match(text))
    }
}

/// The compiled pattern, or the reason why it is none.
pub fn compile(pattern: &str) -> std::result::Result<Regex, String> {
    if pattern.chars().nth(MAX_PATTERN_CHARACTERS).is_some() {
        return Err("it is too long".to_owned());
    }
    let build = |pattern: &str| {
        RegexBuilder::new(pattern)
            .size_limit(MAX_PATTERN_MEMORY)
            .dfa_size_limit(MAX_PATTERN_MEMORY)
            .nest_limit(50)
            .build()
            .map_err(|problem| match problem {
                regex::Error::CompiledTooBig(_) => "it is too complex".to_owned(),
                other => {
                    other.to_string().lines().last().unwrap_or_default().trim().trim_start_matches("error: ").to_owned()
                }
            })
    };
    // Compiled by itself first: a pattern like `a)|(b` is well formed only inside the brackets.
    build(pattern)?;
    build(&format!(r"\A(?:{pattern})\z"))
}

/// The columns of table `field` that are read: an enum of their places, and their names in the same
/// order.
macro_rules! columns {
    ($($column:ident $name:literal)*) => {
        enum Column { $($column),* }

        impl Column {
            const NAMES: &'static [&'static CStr] = &[$($name),*];
        }
    };
}

columns! {
    Id c"id"
    Name c"name"
    Description c"description"
    Type c"type"
    Required c"required"
    IsMasked c"is_masked"
    IsSearchable c"is_searchable"
    IsUnique c"is_unique"
    IsSystem c"is_system"
    Position c"position"
    Options c"options"
    RetiredOptions c"retired_options"
    OptionIds c"option_ids"
    MaxLength c"max_length"
    Pattern c"pattern"
    Minimum c"minimum"
    Maximum c"maximum"
}

impl Options {
    /// The options in a row of table `field`, if it has any.
    fn read(row: &Row) -> Option<Options> {
        let present = |list: Vec<Option<String>>| list.into_iter().flatten().collect::<Vec<_>>();
        let choosable = row.get(Column::Options as usize).map(present)?;
        let retired = row.get(Column::RetiredOptions as usize).map(present).unwrap_or_default();
        let ids = row.get::<Vec<Option<i32>>>(Column::OptionIds as usize).unwrap_or_default();
        Some(Options::new(choosable, retired, ids.into_iter().flatten().collect()))
    }

    pub fn new(choosable: Vec<String>, retired: Vec<String>, ids: Vec<i32>) -> Options {
        let chosen_from = choosable.len();
        let names = choosable.into_iter().chain(retired).collect();
        Options { names, chosen_from, ids }
    }

    /// The options that can be chosen, in their order.
    pub fn choosable(&self) -> &[String] {
        self.names.get(..self.chosen_from).unwrap_or_default()
    }

    /// The name of the option with that id, or the id itself if there is no such option.
    pub fn name_of<'a>(&'a self, id: &'a str) -> &'a str {
        let Ok(number) = id.parse::<i32>() else {
            return id;
        };
        // Until an option is moved or retired, options are numbered by their places.
        let first = usize::try_from(number).ok().and_then(|n| n.checked_sub(1));
        let place = first
            .filter(|place| self.ids.get(*place) == Some(&number))
            .or_else(|| self.ids.iter().position(|known| *known == number));
        place.and_then(|place| self.names.get(place)).map_or(id, String::as_str)
    }

    /// The names of the options in a stored value. A value has each option once, so a list with
    /// more elements than there are options is cut off.
    fn names_of<'a>(&'a self, value: Value<'a>) -> impl Iterator<Item = &'a str> {
        texts_of(value).take(self.names.len()).map(|id| self.name_of(id))
    }

    /// The ids and names of all options, also of retired ones.
    pub fn all(&self) -> impl Iterator<Item = (i32, &str)> {
        self.ids.iter().copied().zip(self.names.iter().map(String::as_str))
    }

    /// The id of the option of that name, if it can be chosen. A retired option can be kept where
    /// the value `held` it before.
    pub fn id_of(&self, name: &str, held: bool) -> Option<String> {
        let place = self.names.iter().position(|known| known == name)?;
        (place < self.chosen_from || held).then(|| self.ids.get(place).map(i32::to_string))?
    }

    fn expected(&self) -> String {
        format!("one of: {}", self.choosable().join(", "))
    }
}

impl Definition {
    /// The definitions of an owner's fields in their order: system fields first.
    pub fn all_of(owner: Uuid) -> Result<Vec<Definition>> {
        let mut definitions =
            catalog::read(Source::Field, Column::NAMES, Rows::KeyStartsWith(owner), Definition::read)?;
        definitions.sort_by(|a, b| (!a.system, a.position, &a.name).cmp(&(!b.system, b.position, &b.name)));
        Ok(definitions)
    }

    /// The definition in a row of table `field`.
    fn read(row: &Row) -> Option<Definition> {
        Some(Definition {
            id: row.get(Column::Id as usize)?,
            name: row.get(Column::Name as usize)?,
            description: row.get(Column::Description as usize),
            kind: Type::named(&row.get::<String>(Column::Type as usize)?)?,
            options: Options::read(row).map(Box::new),
            limits: Some(Limits::read(row)).filter(Limits::any).map(Box::new),
            required: row.get(Column::Required as usize)?,
            masked: row.get(Column::IsMasked as usize)?,
            searchable: row.get(Column::IsSearchable as usize)?,
            unique: row.get(Column::IsUnique as usize)?,
            system: row.get(Column::IsSystem as usize)?,
            position: row.get(Column::Position as usize)?,
        })
    }

    /// The form in which a value is stored. `before` is the customer's value until now. Error 22023
    /// if it is no value of the field.
    pub fn accept<'a>(&self, value: Value<'a>, before: Option<Value>) -> Result<New<'a>> {
        let wrong = |expected: &str| error::wrong_field_value(&self.name, expected);
        match self.kind {
            Type::Number => {
                let number = value.number().ok_or_else(|| wrong(self.kind.expected()))?;
                self.check_number(&number).map_err(|expected| wrong(&expected))?;
                Ok(New::Kept(value))
            }
            Type::Boolean if value.kind() == Kind::Boolean => Ok(New::Kept(value)),
            Type::Choice | Type::Choices => self.accept_options(value, before),
            Type::Boolean => Err(wrong(self.kind.expected())),
            _ => {
                let text = value.text().ok_or_else(|| wrong(self.kind.expected()))?;
                self.check_text(text).map_err(|expected| wrong(&expected))?;
                self.kind.stored_form(text).map(New::Text).ok_or_else(|| wrong(self.kind.expected()))
            }
        }
    }

    fn accept_options<'a>(&self, value: Value<'a>, before: Option<Value>) -> Result<New<'a>> {
        let wrong = |expected: &str| error::wrong_field_value(&self.name, expected);
        let known = self.options.as_deref();
        let id_of = |text: &str| {
            let held = before.is_some_and(|before| texts_of(before).any(|held| held == text));
            let id = known.and_then(|options| options.id_of(text, held));
            id.map(Cow::Owned).ok_or_else(|| wrong(&known.map(Options::expected).unwrap_or_default()))
        };
        if self.kind == Type::Choice {
            let text = value.text().ok_or_else(|| wrong(self.kind.expected()))?;
            return Ok(New::Text(id_of(text)?));
        }
        if value.kind() != Kind::Array {
            return Err(wrong(self.kind.expected()));
        }
        // The list may be very long. But each option is accepted once, so this ends after as many
        // elements as there are options.
        let mut ids = Vec::new();
        for element in value.elements() {
            let id = id_of(element.text().ok_or_else(|| wrong(self.kind.expected()))?)?;
            if ids.contains(&id) {
                return Err(wrong("a list that has each option once"));
            }
            ids.push(id);
        }
        Ok(New::Texts(ids))
    }

    /// An error says what was expected of the text.
    pub fn check_text(&self, text: &str) -> std::result::Result<(), String> {
        if text.len() > MAX_TEXT_BYTES {
            return Err("at most 1 MiB of text".to_owned());
        }
        let Some(limits) = &self.limits else {
            return Ok(());
        };
        if let Some(max) = limits.max_length
            && text.chars().nth(max.max(0) as usize).is_some()
        {
            return Err(format!("at most {max} characters"));
        }
        match &limits.pattern {
            Some(pattern) if !pattern.matches(text) => Err(format!(
                "a text of at most {MAX_MATCHED_CHARACTERS} characters that matches the pattern {}",
                pattern.text
            )),
            _ => Ok(()),
        }
    }

    fn check_number(&self, number: &AnyNumeric) -> std::result::Result<(), String> {
        if number.to_string().len() > MAX_DIGITS {
            return Err(format!("a number of at most {MAX_DIGITS} digits"));
        }
        let Some(limits) = &self.limits else {
            return Ok(());
        };
        let below = limits.minimum.as_ref().is_some_and(|minimum| number < minimum);
        let above = limits.maximum.as_ref().is_some_and(|maximum| number > maximum);
        if !below && !above {
            return Ok(());
        }
        Err(match (&limits.minimum, &limits.maximum) {
            (Some(minimum), Some(maximum)) => format!("a number from {minimum} to {maximum}"),
            (Some(minimum), None) => format!("a number from {minimum}"),
            (_, Some(maximum)) => format!("a number up to {maximum}"),
            _ => self.kind.expected().to_owned(),
        })
    }

    /// A stored value as it is shown: options by name.
    pub fn show<'a>(&'a self, value: Value<'a>) -> New<'a> {
        match (&self.options, value.kind()) {
            (Some(options), Kind::Text) => {
                value.text().map_or(New::Kept(value), |id| New::Text(options.name_of(id).into()))
            }
            (Some(options), Kind::Array) => New::Texts(options.names_of(value).map(Cow::Borrowed).collect()),
            _ => New::Kept(value),
        }
    }

    /// The texts of a stored value, as it is shown.
    pub fn shown_texts<'a>(&'a self, value: Value<'a>) -> impl Iterator<Item = Cow<'a, str>> {
        let named = self.options.as_deref().map(|options| options.names_of(value).map(Cow::Borrowed));
        let plain = self.options.is_none().then(|| value.texts());
        named.into_iter().flatten().chain(plain.into_iter().flatten())
    }

    /// Whether a stored or given value fills a required field. A text without a visible character
    /// and an empty list do not.
    pub fn fills(&self, value: Value) -> bool {
        match value.kind() {
            Kind::Null => false,
            Kind::Text => value.text().is_some_and(|text| !is_blank(text)),
            Kind::Array => value.elements().next().is_some(),
            _ => true,
        }
    }
}

impl Limits {
    /// The limits in a row of table `field`.
    fn read(row: &Row) -> Limits {
        Limits {
            max_length: row.get(Column::MaxLength as usize),
            pattern: row.get(Column::Pattern as usize).map(Pattern::new),
            minimum: row.get(Column::Minimum as usize),
            maximum: row.get(Column::Maximum as usize),
        }
    }

    fn any(&self) -> bool {
        self.max_length.is_some() || self.pattern.is_some() || self.minimum.is_some() || self.maximum.is_some()
    }
}

/// Error 22023 if the type does not exist, or if it does not go with the options. A list may hold
/// many millions of options, so none is copied.
#[pg_extern(sql = false)]
fn check_field_type(kind: Option<&str>, options: Option<Array<'_, &str>>) -> Result<(), ErrorReport> {
    let name = kind.unwrap_or("<NULL>");
    let kind = Type::named(name).ok_or_else(|| error::unknown_field_type(name))?;
    let has_options = options.is_some_and(|options| !options.is_empty());
    if has_options != matches!(kind, Type::Choice | Type::Choices) {
        return Err(error::wrong_options(name).into());
    }
    Ok(())
}

/// A text's own text, or those of an array's elements that are texts.
pub fn texts_of(value: Value<'_>) -> impl Iterator<Item = &str> {
    value.text().into_iter().chain(value.elements().filter_map(Value::text))
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    #[test]
    fn patterns_match_the_whole_text() {
        let matches = |pattern: &str, text: &str| Pattern::new(pattern.to_owned()).matches(text);
        assert!(matches("[A-Z]{2}-[0-9]+", "CT-4411"));
        assert!(!matches("[A-Z]{2}-[0-9]+", "CT-4411 x"));
        assert!(!matches("[A-Z]{2}-[0-9]+", "xCT-4411"));
        assert!(!matches("[0-9]+", "1\n"));
        assert!(matches("a|ab", "ab"));
        assert!(matches("(?i)ct", "CT"));
        assert!(matches(r"\w{1,20}", "蔡美玲"));
        assert!(!matches(".*", &"x".repeat(MAX_MATCHED_CHARACTERS + 1)));
    }

    #[test]
    fn what_cannot_be_a_pattern() {
        for bad in [
            "(",
            "a)(b",
            "[",
            "*",
            r"\1",
            "(?=a)",
            "(?x)a # b",
            &"x".repeat(1001),
            r"(\w{100}){100}",
            r"((((a{99}){99}){99}){99})",
        ] {
            assert!(compile(bad).is_err(), "{bad}");
        }
        assert_eq!(compile(r"(\w{100}){100}").err().as_deref(), Some("it is too complex"));
        assert_eq!(compile("(").err().as_deref(), Some("unclosed group"));
    }

    /// Patterns for which other engines need exponential time.
    #[test]
    fn no_pattern_hangs() {
        for pattern in ["(a+)+b", "(a|a)*b", "(.*)(.*)(.*)(.*)(.*)b", "(a?){500}a{400}", "([a-z]+)*1"] {
            assert!(
                !Pattern::new(pattern.to_owned())
                    .matches(&"a".repeat(MAX_MATCHED_CHARACTERS - 1).replace('b', "c").as_str()[..399]),
                "{pattern}"
            );
        }
    }

    #[test]
    fn options() {
        let options = Options::new(vec!["gold".into(), "silver".into()], vec!["bronze".into()], vec![2, 3, 1]);
        assert_eq!(options.choosable(), ["gold", "silver"]);
        assert_eq!(["2", "3", "1", "9", "x"].map(|id| options.name_of(id)), ["gold", "silver", "bronze", "9", "x"]);
        assert_eq!(options.id_of("silver", false).as_deref(), Some("3"));
        assert_eq!(options.id_of("bronze", false), None);
        assert_eq!(options.id_of("bronze", true).as_deref(), Some("1"));
        assert_eq!(options.id_of("tin", true), None);
    }
}
