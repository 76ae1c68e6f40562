//! The numbers in a run of digits: one, several side by side, a range, or one with an extension or
//! a code behind it.

use super::label::{EXTENSION_DIGITS, Joint};
use super::number::{NUMBER_DIGITS, Number, ascii_digits, count_digits, is_date};
use super::parse::{e164, parsed};
use super::reader::{MAX_NUMBERS, PIECES, Reader};
use rlibphonenumber::PHONE_NUMBER_UTIL;

/// The most digits in which the numbers of a range differ.
const ENDING_DIGITS: usize = 4;

/// The most numbers of a range besides its first.
const MAX_RANGE: u32 = MAX_NUMBERS as u32 - 1;

/// An alternative that is given by its last digits follows its number this closely; else the digits
/// are an extension.
const MAX_ALTERNATIVE: u32 = 9;

/// What is dialled to hide or show one's own number, before the number: 3GPP TS 22.030, and star
/// codes of North America.
const HIDING: [&str; 4] = ["*31#", "#31#", "*67", "*82"];

/// What separates numbers, if each part is one, from what separates those that belong together
/// most.
#[derive(Clone, Copy)]
enum Separator {
    /// `2)`, between spaces.
    Ordinal,
    Comma,
    /// A `+` begins a number.
    Plus,
    /// Between spaces.
    Dash,
    Slash,
}

const SEPARATORS: [Separator; 5] =
    [Separator::Ordinal, Separator::Comma, Separator::Plus, Separator::Dash, Separator::Slash];

impl Separator {
    /// The parts of a run that have digits.
    fn parts(self, run: &str) -> Vec<&str> {
        let mut parts: Vec<&str> = match self {
            Separator::Ordinal => between_ordinals(run),
            Separator::Comma => run.split([',', '、', '\t', '[', ']']).collect(),
            Separator::Plus => run.split(" + ").flat_map(before_plus).collect(),
            Separator::Dash => run.split(" - ").collect(),
            Separator::Slash => run.split(['/', '~']).collect(),
        };
        parts.retain(|part| count_digits(part) > 0);
        parts.iter_mut().for_each(|part| *part = part.trim());
        parts
    }

    /// What digits behind a number may be the end of, behind this separator.
    fn joint(self, run: &str) -> Option<Joint> {
        match self {
            Separator::Dash => Some(Joint::Range),
            Separator::Slash if run.contains('~') => Some(Joint::Range),
            Separator::Slash => Some(Joint::Alternative),
            _ => None,
        }
    }
}

fn between_ordinals(run: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    for (at, _) in run.match_indices(')') {
        let before = run.get(start..at).unwrap_or_default();
        let number = before.trim_end_matches(|character: char| character.is_ascii_digit());
        if number.ends_with([' ', ',', '/'])
            && (1..=2).contains(&(before.len() - number.len()))
            && !number.contains('(')
        {
            parts.push(number);
            start = at + 1;
        }
    }
    parts.extend(run.get(start..));
    parts
}

fn before_plus(run: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    for (at, _) in run.match_indices('+') {
        let at = if run.get(..at).is_some_and(|before| before.ends_with('(')) { at - 1 } else { at };
        if run.get(start..at).is_some_and(|before| count_digits(before) > 0) {
            parts.extend(run.get(start..at));
            start = at;
        }
    }
    parts.extend(run.get(start..));
    parts
}

/// The digits of a run that is not a number; those of each part if all parts are long enough to be
/// numbers.
pub(super) fn bare_digits(run: &str, most_digits: usize) -> Vec<String> {
    if run.contains(['*', '#']) {
        return Vec::new();
    }
    let several = SEPARATORS.iter().find_map(|separator| {
        let are_long = |parts: &[&str]| parts.iter().all(|part| count_digits(part) >= NUMBER_DIGITS);
        Some(separator.parts(run)).filter(|parts| parts.len() > 1 && are_long(parts))
    });
    let digits = several.unwrap_or_else(|| vec![run]).into_iter().take(MAX_NUMBERS).map(ascii_digits);
    digits.filter(|digits| digits.len() < most_digits).collect()
}

/// The numbers that a part of a run was read as, and whether they are all of it.
type Part = (Vec<Number>, bool);

/// Whether each of some parts is read as numbers for which this holds.
fn are_numbers(each: &[Part], is_it: impl Fn(&Number) -> bool) -> bool {
    each.iter().all(|(numbers, is_all)| *is_all && !numbers.is_empty() && numbers.iter().all(&is_it))
}

fn all_of(each: Vec<Part>) -> Part {
    (each.into_iter().flat_map(|(numbers, _)| numbers).collect(), true)
}

impl Reader<'_> {
    /// The numbers in a run of digits, and whether they are all of it.
    pub(super) fn numbers(&self, run: &str) -> Part {
        let is_of_it = |character: char| character.is_ascii_digit() || matches!(character, '+' | '(' | '#' | '*' | ')');
        let run = run.trim_matches(|character: char| !is_of_it(character));
        let run = if run.contains('(') { run } else { run.trim_end_matches(')') };
        if count_digits(run) == 0 || is_date(run) { (Vec::new(), true) } else { self.separated(run, &SEPARATORS) }
    }

    /// The same for a run that is split at these separators. If each part is a number, there are
    /// several; else the whole is one number, or what follows a number belongs to it.
    fn separated(&self, run: &str, separators: &[Separator]) -> Part {
        let Some((separator, closer)) = separators.split_first() else {
            return self.side_by_side(run);
        };
        let parts = separator.parts(run);
        if parts.len() < 2 {
            return self.separated(run, closer);
        }
        let each: Vec<Part> = parts.iter().map(|part| self.separated(part, closer)).collect();
        if parts.iter().all(|part| count_digits(part) >= NUMBER_DIGITS) && are_numbers(&each, |number| number.is_valid)
        {
            return all_of(each);
        }
        let joined = match separator {
            Separator::Plus => None,
            _ => self.number(&parts.join(" ")).filter(|number| number.extension.is_empty()),
        };
        // 02-312-3456~7 are two numbers that differ in the end.
        let is_one_digit = parts.iter().skip(1).all(|part| count_digits(part) <= 2);
        let is_extended = (matches!(separator, Separator::Comma) || is_one_digit)
            && each.first().is_some_and(|(first, _)| first.iter().any(|first| first.is_valid));
        if let Some(joined) = joined.as_ref().filter(|joined| joined.is_valid && !is_extended) {
            return (vec![joined.clone()], true);
        }
        if joined.is_none() && are_numbers(&each, |number| number.digits.len() > NUMBER_DIGITS) {
            return all_of(each);
        }
        let (numbers, is_all) = self.with_endings(&parts, each, separator.joint(run));
        match joined {
            _ if !numbers.is_empty() => (numbers, is_all),
            Some(joined) => (vec![joined], true),
            None => (Vec::new(), false),
        }
    }

    /// The valid numbers among the parts of a run. Fewer digits behind one are its extension, or
    /// the end of others.
    fn with_endings(&self, parts: &[&str], each: Vec<Part>, joint: Option<Joint>) -> Part {
        let mut numbers: Vec<Number> = Vec::new();
        let mut is_all = true;
        for (part, (some, all)) in parts.iter().zip(each) {
            let is_short = count_digits(part) <= EXTENSION_DIGITS;
            let others = match (numbers.last(), &joint) {
                (Some(before), Some(joint)) if numbers.len() < MAX_NUMBERS => {
                    self.others(before, &ascii_digits(part), joint)
                }
                _ => Vec::new(),
            };
            match numbers.last_mut() {
                _ if some.iter().any(|number| number.is_valid) => {
                    is_all &= all;
                    numbers.extend(some.into_iter().filter(|number| number.is_valid));
                }
                Some(_) if !others.is_empty() => numbers.extend(others),
                Some(before) if is_short && before.extension.is_empty() => before.extension = ascii_digits(part),
                _ => is_all = false,
            }
        }
        (numbers, is_all)
    }

    /// One number; or if the whole cannot be one, the longest numbers in it, each of a few
    /// neighbouring pieces.
    fn side_by_side(&self, text: &str) -> Part {
        let text = text.trim();
        if let Some(number) = self.with_code(text) {
            return (vec![number], true);
        }
        let whole = self.number(text);
        // 601 234 567 (8-16): the hours to call.
        if let Some((before, _)) = text.strip_suffix(')').and_then(|text| text.rsplit_once('('))
            && whole.as_ref().is_none_or(|whole| !whole.is_valid)
            && let Some(number) = self.valid(before.trim_end())
        {
            return (vec![number], true);
        }
        if whole.as_ref().is_some_and(|whole| whole.is_valid) {
            return (whole.into_iter().collect(), true);
        }
        if let Some(range) = self.range(text) {
            return (range, true);
        }
        // (1) 601234567: the first of a list.
        if let Some((first, rest)) = text.split_once(' ')
            && count_digits(first) == 1
            && !first.contains('+')
            && let Some(number) = self.valid(rest)
        {
            return (vec![number], true);
        }
        let (numbers, is_all) = self.longest_numbers(text);
        match whole {
            Some(whole) if numbers.is_empty() || !is_all => (vec![whole], true),
            _ if numbers.is_empty() => (Vec::new(), false),
            _ => (numbers, is_all),
        }
    }

    /// The longest valid numbers in a text, each of a few neighbouring pieces.
    fn longest_numbers(&self, text: &str) -> Part {
        let pieces: Vec<&str> = text.split(' ').filter(|piece| !piece.is_empty()).collect();
        let mut numbers = Vec::new();
        let mut left = &pieces[..];
        let mut is_all = true;
        while pieces.len() > 1 && !left.is_empty() && numbers.len() < MAX_NUMBERS {
            let longest = (1..=left.len().min(PIECES)).rev().find_map(|count| {
                let some = left.get(..count)?.join(" ");
                let may_be = (NUMBER_DIGITS..=20).contains(&count_digits(&some));
                let number = if may_be { self.valid(&some) } else { None };
                number.map(|number| (number, count))
            });
            match longest {
                Some((number, count)) => {
                    numbers.push(number);
                    left = left.get(count..).unwrap_or_default();
                }
                None => {
                    is_all = false;
                    left = left.get(1..).unwrap_or_default();
                }
            }
        }
        (numbers, is_all)
    }

    /// The number that a code is dialled with: `601234567#`, `0912345678*12`, `#31#601234567`. The
    /// digits of a code behind the number are its extension.
    fn with_code(&self, text: &str) -> Option<Number> {
        if !text.contains(['*', '#']) {
            return None;
        }
        let text = HIDING.iter().find_map(|code| text.strip_prefix(code)).unwrap_or(text).trim_start();
        let (before, code) = text.split_at(text.find(['*', '#']).unwrap_or(text.len()));
        let is_code = code.chars().all(|character| matches!(character, '0'..='9' | '*' | '#' | ' '));
        if count_digits(before) < NUMBER_DIGITS || !is_code || count_digits(code) > EXTENSION_DIGITS {
            return None;
        }
        let mut number = self.valid(before.trim_end())?;
        if number.extension.is_empty() {
            number.extension = ascii_digits(code);
        }
        Some(number)
    }

    /// The numbers of a range: `02-123-4567-8`, `22 123 45 67-69`.
    fn range(&self, text: &str) -> Option<Vec<Number>> {
        let (before, last) = text.rsplit_once(['-', '\u{2013}'])?;
        let last = last.trim();
        let first = before.trim_end().rsplit(|character: char| !character.is_ascii_digit()).next()?;
        let is_ending = !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit()) && last.len() <= first.len();
        let first = self.valid(before.trim_end()).filter(|_| is_ending)?;
        let others = self.others(&first, last, &Joint::Range);
        (!others.is_empty()).then(|| [vec![first], others].concat())
    }

    /// The valid numbers that differ from one in these last digits: all up to there if it is a
    /// range. None if they are not greater or are too many.
    pub(super) fn others(&self, first: &Number, ending: &str, joint: &Joint) -> Vec<Number> {
        let Some((head, from)) =
            first.e164.len().checked_sub(ending.len()).and_then(|at| first.e164.split_at_checked(at))
        else {
            return Vec::new();
        };
        let (Ok(from), Ok(to)) = (from.parse::<u32>(), ending.parse::<u32>()) else {
            return Vec::new();
        };
        let is_near = match joint {
            Joint::Range => to > from && to - from <= MAX_RANGE,
            Joint::Alternative => to > from && to - from <= MAX_ALTERNATIVE,
        };
        if !is_near || !(1..=ENDING_DIGITS).contains(&ending.len()) || !first.extension.is_empty() {
            return Vec::new();
        }
        let endings = match joint {
            Joint::Range => from + 1..=to,
            Joint::Alternative => to..=to,
        };
        let others = endings.take_while(|_| self.may_try()).map_while(|ending_number| {
            let number = parsed(&format!("{head}{ending_number:0width$}", width = ending.len()), None)?;
            PHONE_NUMBER_UTIL.is_valid_number(&number).then(|| Number::read(e164(&number), &first.digits))
        });
        let others: Vec<Number> = others.collect();
        let is_whole = others.last().is_some_and(|last| last.e164.ends_with(ending));
        if is_whole { others } else { Vec::new() }
    }
}
