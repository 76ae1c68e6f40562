//! The pieces of a text that may have phone numbers in it: digits, words, notes in parentheses, and
//! marks.

use super::number::{NUMBER_DIGITS, count_digits};
use unicode_normalization::char::is_combining_mark;

/// A piece of a text.
#[derive(Clone, Copy, Debug)]
pub(super) enum Piece<'a> {
    /// Digits and what stands between digits.
    Digits(&'a str),
    Word(&'a str),
    /// In parentheses behind a number.
    Note(&'a str),
    Mark(char),
}

/// Whether a text has only digits and what separates or introduces those of a phone number.
pub(super) fn is_of_phone(plain: &str) -> bool {
    plain.chars().all(|character| is_of_number(character) || character == '/')
}

/// Characters that stand between digits of one number, and never between two numbers.
fn is_of_number(character: char) -> bool {
    matches!(
        character,
        '0'..='9' | '+' | '-' | '(' | ')' | '.' | '#' | '*' | ' ' | '\u{2010}'..='\u{2015}' | '\u{2212}' | 'ー'
    )
}

/// Characters that stand between digits of one number, or between two numbers.
fn is_of_numbers(character: char) -> bool {
    is_of_number(character) || matches!(character, '/' | ',' | '~' | '、' | '\t' | '[' | ']')
}

/// Letters, but not `ー`, which people type as a dash.
pub(super) fn is_letter(character: char) -> bool {
    (character.is_alphabetic() || is_combining_mark(character)) && character != 'ー'
}

/// Characters that are copied with a number by accident, or that stand around it.
fn is_beside(character: char) -> bool {
    character.is_whitespace()
        || character.is_control()
        || matches!(
            character,
            ',' | ';' | '.' | ':' | '!' | '?' | '"' | '\'' | '`' | '’' | '‘' | '“' | '”' | '„' | '«' | '»'
        )
        || matches!(
            character,
            '<' | '>' | '[' | ']' | '{' | '}' | '|' | '、' | '。' | '・' | '•' | '「' | '」' | '=' | '_'
        )
}

/// The text without characters that are copied with a number by accident, and without brackets or
/// quotes around the whole.
pub(super) fn trimmed(plain: &str) -> &str {
    let mut text = plain.trim_matches(is_beside);
    loop {
        let before = text;
        let inside = text.strip_prefix('(').and_then(|text| text.strip_suffix(')'));
        if let Some(inside) = inside.filter(|inside| !inside.contains(['(', ')'])) {
            text = inside.trim_matches(is_beside);
        }
        if text.ends_with(')') && !text.contains('(') {
            text = text.trim_end_matches(')').trim_matches(is_beside);
        }
        if text.ends_with(['(', '-', '\u{2013}', '/']) {
            text = text.trim_end_matches(['(', '-', '\u{2013}', '/']).trim_matches(is_beside);
        }
        if text == before {
            return text;
        }
    }
}

/// The pieces of a text, in their order.
pub(super) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = if is_letter(first) {
            let end = end_of(rest, is_letter);
            pieces.extend(rest.get(..end).map(Piece::Word));
            end
        } else if first == '(' && may_be_note(&pieces, rest) {
            match note(rest) {
                Some((note, end)) => {
                    pieces.push(Piece::Note(note));
                    end
                }
                None => {
                    pieces.push(Piece::Mark(first));
                    1
                }
            }
        } else if is_of_numbers(first) {
            let end = end_of_digits(rest);
            pieces.extend(rest.get(..end).map(Piece::Digits));
            end
        } else {
            if first == '\n' || !first.is_whitespace() {
                pieces.push(Piece::Mark(first));
            }
            first.len_utf8()
        };
        rest = rest.get(end..).unwrap_or_default();
    }
    // Only separators count as nothing.
    pieces.retain(|piece| !matches!(piece, Piece::Digits(run) if count_digits(run) == 0 && !run.contains(['*', '#'])));
    pieces
}

/// Where the characters of one kind end that a text begins with.
fn end_of(text: &str, is_in: impl Fn(char) -> bool) -> usize {
    text.find(|character| !is_in(character)).unwrap_or(text.len())
}

/// Where a run of digits ends that a text begins with. A note ends it.
fn end_of_digits(text: &str) -> usize {
    let end = end_of(text, is_of_numbers);
    let parentheses = text.get(..end).unwrap_or_default().match_indices('(');
    let first_note = parentheses.map(|(at, _)| at).find(|at| {
        text.get(..*at).is_some_and(|before| count_digits(before) > 0)
            && text.get(*at..).is_some_and(|rest| note(rest).is_some())
    });
    first_note.filter(|at| *at > 0).unwrap_or(end)
}

/// Whether a parenthesis behind these pieces may begin a note.
fn may_be_note(before: &[Piece], text: &str) -> bool {
    matches!(before.last(), Some(Piece::Digits(_) | Piece::Note(_))) || !before.is_empty() && note(text).is_some()
}

/// The note in parentheses that a text begins with, and where it ends. Parentheses without letters,
/// a number or a time of day are part of a number, not a note.
fn note(text: &str) -> Option<(&str, usize)> {
    let end = text.find(')')?;
    let note = text.get(1..end)?;
    let is_it = note.contains(|character: char| is_letter(character) || character == ':')
        || count_digits(note) >= NUMBER_DIGITS
        || is_hours(note);
    is_it.then_some((note, end + 1))
}

/// `8-16`, `8 - 16`, `08.00-16.00`.
pub(super) fn is_hours(note: &str) -> bool {
    let is_hour = |text: &str| {
        let text = text.trim();
        let hour = text.split(['.', ':']).next().unwrap_or_default();
        (1..=5).contains(&text.len()) && hour.parse::<u8>().is_ok_and(|hour| hour <= 24)
    };
    note.split_once(['-', '\u{2013}']).is_some_and(|(from, to)| is_hour(from) && is_hour(to))
}
