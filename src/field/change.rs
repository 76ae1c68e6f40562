//! How values are converted to another type, and the forms in which values of unique fields are
//! compared.

use super::definition::{Options, texts_of};
use super::kind::Type;
use crate::jsonb::{Kind, New, Value};
use pgrx::AnyNumeric;
use std::borrow::Cow;

/// The longest text that is read as a number, and the most digits of its exponent.
const MAX_NUMBER_CHARACTERS: usize = 1000;
const MAX_EXPONENT_DIGITS: usize = 3;

/// A stored value as text: one text, or one for each chosen option.
pub fn texts(value: Value, kind: Type, options: &Options) -> Vec<String> {
    match kind {
        Type::Choice | Type::Choices => texts_of(value).map(|id| options.name_of(id).to_owned()).collect(),
        Type::Boolean => value.boolean().map(|truth| truth.to_string()).into_iter().collect(),
        _ => value.texts().map(Cow::into_owned).collect(),
    }
}

/// The value of type `to` that is stored for these texts. None if they are no value of that type.
pub fn convert(texts: Vec<String>, to: Type, options: &Options) -> Option<New<'static>> {
    let id = |name: &String| options.id_of(name, false).map(Cow::Owned);
    match (to, &texts[..]) {
        (Type::Choices, names) => Some(New::Texts(names.iter().map(id).collect::<Option<_>>()?)),
        (Type::Text, texts) => Some(New::Text(texts.join(", ").into())),
        (Type::Choice, [name]) => id(name).map(New::Text),
        (Type::Number, [text]) => number(text.trim()).map(New::Number),
        (Type::Boolean, [text]) => text.trim().parse().ok().map(New::Boolean),
        (_, [text]) => to.stored_form(text.trim()).map(|form| New::Text(form.into_owned().into())),
        _ => None,
    }
}

/// A number as JSON writes it.
fn number(text: &str) -> Option<AnyNumeric> {
    if is_number(text) { AnyNumeric::try_from(text).ok() } else { None }
}

fn is_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (mantissa, exponent) = text.split_once(['e', 'E']).map_or((text, None), |(m, e)| (m, Some(e)));
    let mantissa = mantissa.strip_prefix('-').unwrap_or(mantissa);
    let (whole, fraction) = mantissa.split_once('.').map_or((mantissa, None), |(w, f)| (w, Some(f)));
    text.len() <= MAX_NUMBER_CHARACTERS
        && digits(whole)
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|exponent| {
            let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
            digits(exponent) && exponent.len() <= MAX_EXPONENT_DIGITS
        })
}

/// The form in which stored values of a unique field are compared. None if the value counts as
/// empty.
pub fn unique_form_of(value: Value, kind: Type, country: Option<&str>) -> Option<String> {
    match value.kind() {
        Kind::Number => value.number().map(|number| number.normalize().to_owned()),
        Kind::Boolean => value.boolean().map(|truth| truth.to_string()),
        Kind::Array => {
            let mut ids: Vec<&str> = texts_of(value).collect();
            ids.sort_unstable();
            Some(ids.join(",")).filter(|ids| !ids.is_empty())
        }
        _ => value.text().and_then(|text| kind.unique_form(text, country)),
    }
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    #[test]
    fn numbers() {
        for good in ["0", "-12", "12.50", "1e3", "1.5E-10", &"9".repeat(1000)] {
            assert!(is_number(good), "{good}");
        }
        for bad in
            ["", "-", "+1", ".5", "5.", "1e", "1e1234", "NaN", "Infinity", "0x1", "1 2", "1,5", "１", &"9".repeat(1001)]
        {
            assert!(!is_number(bad), "{bad}");
        }
    }
}
