//! JSON objects as a token may contain them: no name is there twice (RFC 8725 §2.6), and each value
//! has exactly the expected type.

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::Value;
use std::collections::HashMap;

/// An object in which no two members have the same name.
pub struct Object(HashMap<String, Value>);

/// The value is there, but has another type.
pub struct WrongType;

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Object;

            fn expecting(&self, out: &mut std::fmt::Formatter) -> std::fmt::Result {
                out.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut members = HashMap::new();
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    if members.insert(name, value).is_some() {
                        return Err(A::Error::custom("a name twice"));
                    }
                }
                Ok(Object(members))
            }
        }
        from.deserialize_map(Members)
    }
}

impl Object {
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub fn is_text(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(Value::is_string)
    }

    /// A text, or None if there is no such member. null is not a text.
    pub fn text(&self, name: &str) -> Result<Option<String>, WrongType> {
        let text = |value: &Value| value.as_str().map(str::to_owned).ok_or(WrongType);
        self.0.get(name).map(text).transpose()
    }

    /// A number that is written without fraction or exponent, and is not too large.
    pub fn integer(&self, name: &str) -> Result<Option<i64>, WrongType> {
        self.0.get(name).map(|value| value.as_i64().ok_or(WrongType)).transpose()
    }

    /// A list of texts.
    pub fn texts(&self, name: &str) -> Result<Option<Vec<String>>, WrongType> {
        let texts = |value: &Value| {
            let list = value.as_array().ok_or(WrongType)?;
            list.iter().map(|item| item.as_str().map(str::to_owned).ok_or(WrongType)).collect()
        };
        self.0.get(name).map(texts).transpose()
    }
}
