//! Which phone numbers a text is, and what else is in it: labels, several numbers, extensions,
//! addresses.

use super::address::addressed;
use super::label::{
    Read, explains, introduces, introduces_extension, is_extension, is_label, joint, says_not_of_phones,
    without_ordinals,
};
use super::number::{NUMBER_DIGITS, Number, alternative, ascii_digits, count_digits, plainly_one};
use super::parse::{e164, parsed};
use super::pieces::{Piece, is_hours, is_letter, is_of_phone, pieces, trimmed};
use super::reader::{MAX_NUMBERS, Reader};
use super::run::bare_digits;
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberType};
use std::borrow::Cow;

/// Texts that are not a number are kept as written only up to this length.
const MAX_WRITTEN_CHARACTERS: usize = 100;

/// What of a text is phone numbers.
#[derive(Default)]
pub(super) struct Reading {
    pub numbers: Vec<Number>,
    /// Whether the whole text is: the rest only introduces, separates or explains numbers.
    pub is_all: bool,
    /// Whether all its digits are in numbers: the rest has words, but no digits.
    pub is_all_digits: bool,
    /// The digits of a text that is written like a number and is none.
    pub bare: Vec<String>,
}

impl Reading {
    pub fn of(plain: &str, country: Option<&str>) -> Reading {
        if let Some(number) = plainly_one(plain, country) {
            return Reading::of_number(number);
        }
        let text = trimmed(plain);
        if count_digits(text) == 0 {
            return Reading::default();
        }
        let Some(addressed) = addressed(text) else {
            return Reading::default();
        };
        let text: Cow<str> =
            if addressed.is_international { format!("+{}", addressed.text).into() } else { addressed.text };
        Reading::by_pieces(&text, country)
    }

    /// Reads a text that is one number.
    pub fn of_number(number: Number) -> Reading {
        Reading { numbers: vec![number], is_all: true, is_all_digits: true, bare: Vec::new() }
    }

    /// Reads any text from which what surrounds it has been removed.
    pub fn by_pieces(text: &str, country: Option<&str>) -> Reading {
        Reader::new(country).read(text)
    }

    pub fn is_all_numbers(&self) -> bool {
        self.is_all && !self.numbers.is_empty()
    }

    /// The text as written, which is kept besides its numbers unless it is numbers and nothing
    /// else.
    pub fn written(&self, plain: &str) -> Option<String> {
        if self.is_all_numbers() { None } else { written(plain) }
    }

    pub fn to_find(&self, country: Option<&str>) -> Vec<String> {
        let numbers = || self.numbers.iter();
        let alternatives = numbers().filter_map(|number| alternative(&number.e164));
        let others = numbers().flat_map(|number| number.others.iter().cloned());
        // If the owner has no country, a number that is typed without + is kept as its digits.
        let unread =
            numbers().filter(|_| country.is_none()).map(|number| number.e164.trim_start_matches('+').to_owned());
        numbers().map(|number| number.e164.clone()).chain(others).chain(alternatives).chain(unread).collect()
    }

    pub fn unique(&self) -> Option<String> {
        let one = |number: &Number| {
            let e164 = if number.e164.starts_with("+549") { alternative(&number.e164) } else { None };
            let e164 = e164.unwrap_or_else(|| number.e164.clone());
            if number.extension.is_empty() { e164 } else { format!("{e164};ext={}", number.extension) }
        };
        let mut forms: Vec<String> = self.numbers.iter().map(one).collect();
        forms.sort_unstable();
        forms.dedup();
        Some(forms.join(" ")).filter(|form| !form.is_empty())
    }
}

impl Reader<'_> {
    fn read(&self, text: &str) -> Reading {
        if let Some(number) = self.spelled(text) {
            return Reading::of_number(number);
        }
        let pieces = pieces(text);
        if let Some(number) = self.parted_by_marks(&pieces) {
            return Reading::of_number(number);
        }
        let mut passage = Passage::new(self);
        for (place, piece) in pieces.iter().copied().enumerate() {
            match piece {
                Piece::Digits(run) => passage.take_digits(run, pieces.get(place + 1).copied()),
                Piece::Note(note) => passage.take_note(note),
                Piece::Word(_) | Piece::Mark(_) => passage.between.push(piece),
            }
            if passage.reading.numbers.len() >= MAX_NUMBERS {
                passage.reading.numbers.truncate(MAX_NUMBERS);
                passage.reading.is_all &= place + 1 == pieces.len();
                break;
            }
        }
        passage.finish()
    }

    /// The valid number that runs of digits are together, with no words and but one kind of mark
    /// between them: `0171|1234567`, `601·234·567`. Where each run is a number they are several.
    fn parted_by_marks(&self, pieces: &[Piece]) -> Option<Number> {
        let marks: Vec<char> =
            pieces.iter().filter_map(|piece| if let Piece::Mark(mark) = piece { Some(*mark) } else { None }).collect();
        let runs: Vec<&str> = pieces
            .iter()
            .filter_map(|piece| if let Piece::Digits(run) = piece { Some(run.trim()) } else { None })
            .collect();
        let is_parted = marks.len() + runs.len() == pieces.len() && runs.len() > 1 && marks.len() + 1 == runs.len();
        let first = marks.first()?;
        let is_number = |run: &&str| count_digits(run) >= NUMBER_DIGITS && self.valid(run).is_some();
        if !is_parted || *first == '\n' || marks.iter().any(|mark| mark != first) || runs.iter().all(is_number) {
            return None;
        }
        self.valid(&runs.join(" "))
    }

    /// Numbers in a note.
    fn read_note(&self, note: &str) -> Vec<Number> {
        let runs = pieces(note).into_iter().filter_map(|piece| match piece {
            Piece::Digits(run) => Some(run),
            _ => None,
        });
        runs.flat_map(|run| self.numbers(run).0).filter(|number| number.is_valid).collect()
    }

    /// The number that letters spell on the keys of a telephone, as in 1-800-FLOWERS. Toll-free and
    /// premium-rate numbers are written like this, and in North America all numbers; letters after
    /// other digits are a name.
    fn spelled(&self, text: &str) -> Option<Number> {
        let first = text.find(is_letter)?;
        let before = text.get(..first)?;
        let letters = text.bytes().filter(u8::is_ascii_alphabetic).count();
        let is_spelled = letters >= 3
            && count_digits(before) > 0
            && is_of_phone(before)
            && text.chars().all(|character| {
                character.is_ascii_alphanumeric() || matches!(character, '+' | '-' | '.' | ' ' | '(' | ')')
            })
            && !introduces_extension(text.get(first..)?.split(|c: char| !is_letter(c)).next()?);
        let is_joined = before.ends_with(['-', '.']);
        if !is_spelled
            || self.valid(before.trim_end_matches([' ', '-', '.', '('])).is_some() && !is_joined
            || text.ends_with(')')
        {
            return None;
        }
        let mut number = parsed(text, self.country)?;
        if number.country_code == 1 {
            // Letters after the last digit are dialled, but have no effect.
            PHONE_NUMBER_UTIL.truncate_too_long_number(&mut number);
        }
        let is_known = PHONE_NUMBER_UTIL.is_valid_number(&number)
            && (number.country_code == 1
                || matches!(
                    PHONE_NUMBER_UTIL.get_number_type(&number),
                    PhoneNumberType::TollFree
                        | PhoneNumberType::PremiumRate
                        | PhoneNumberType::SharedCost
                        | PhoneNumberType::UAN
                ));
        let extension = number.extension().to_owned();
        is_known.then(|| Number { extension, ..Number::read(e164(&number), &ascii_digits(text)) })
    }
}

/// A text whose pieces are taken one by one.
struct Passage<'a, 'b> {
    reader: &'b Reader<'a>,
    reading: Reading,
    /// The runs of digits that are no numbers.
    bare: Vec<&'b str>,
    /// The pieces since the number before.
    between: Vec<Piece<'b>>,
    /// Whether a note stands behind the number before.
    is_noted: bool,
}

impl<'a, 'b> Passage<'a, 'b> {
    fn new(reader: &'b Reader<'a>) -> Passage<'a, 'b> {
        let reading = Reading { is_all: true, is_all_digits: true, ..Reading::default() };
        Passage { reader, reading, bare: Vec::new(), between: Vec::new(), is_noted: false }
    }

    fn take_digits(&mut self, run: &'b str, next: Option<Piece>) {
        if self.take_ending(run) {
            return;
        }
        // 601 234 5xx is the beginning of a number.
        let is_cut_off = matches!(next, Some(Piece::Word(_))) && run.ends_with(|last: char| last.is_ascii_digit());
        let run = without_ordinals(run, self.between.is_empty(), next);
        if is_label(run, &self.between, next) {
            self.between.push(Piece::Digits(run));
            return;
        }
        if says_not_of_phones(&self.between) {
            self.reading.is_all = false;
            self.reading.is_all_digits = false;
            self.between.clear();
            return;
        }
        let (mut numbers, is_all) = self.reader.numbers(run);
        if is_cut_off {
            numbers.retain(|number| number.is_valid);
        }
        self.reading.is_all_digits &= is_all && !numbers.is_empty();
        if numbers.is_empty() {
            return self.take_bare(run);
        }
        let are_valid = numbers.iter().all(|number| number.is_valid);
        let read = if are_valid { Read::ValidNumbers } else { Read::PossibleNumbers };
        let is_behind_number = !self.reading.numbers.is_empty();
        self.reading.is_all &= is_all && introduces(&self.between, is_behind_number, read) && self.bare.is_empty();
        self.between.clear();
        self.is_noted = false;
        self.reading.numbers.extend(numbers);
    }

    /// Whether the digits belong to the number before them: an extension, or the end of another
    /// number.
    fn take_ending(&mut self, run: &str) -> bool {
        let Some(number) = self.reading.numbers.last_mut() else {
            return false;
        };
        if is_extension(&self.between, run) {
            number.extension = ascii_digits(run);
            self.between = vec![Piece::Digits("")];
            return true;
        }
        let Some(joint) = joint(&self.between).filter(|_| run.trim().bytes().all(|byte| byte.is_ascii_digit())) else {
            return false;
        };
        let others = self.reader.others(number, run.trim(), &joint);
        let is_ending = !others.is_empty();
        if is_ending {
            self.reading.numbers.extend(others);
            self.between.clear();
        }
        is_ending
    }

    /// Digits that are no number.
    fn take_bare(&mut self, run: &'b str) {
        let has_digits = count_digits(run) > 0;
        if has_digits {
            self.bare.push(run);
        }
        self.reading.is_all &=
            has_digits && self.reading.numbers.is_empty() && introduces(&self.between, false, Read::Nothing);
    }

    /// A second number in parentheses, or a note on the first.
    fn take_note(&mut self, note: &str) {
        let has_number = count_digits(note) >= NUMBER_DIGITS && !is_hours(note);
        let numbers = if has_number { self.reader.read_note(note) } else { Vec::new() };
        let is_behind_number = self.between.iter().all(|piece| matches!(piece, Piece::Digits("")));
        let is_either = if has_number { !numbers.is_empty() && !note.contains(is_letter) } else { true };
        self.reading.is_all &= !self.is_noted && is_behind_number && is_either;
        self.reading.is_all_digits &= has_number != numbers.is_empty();
        self.is_noted = true;
        self.reading.numbers.extend(numbers);
    }

    fn finish(self) -> Reading {
        let Passage { mut reading, bare, between, .. } = self;
        reading.is_all &= if reading.numbers.is_empty() {
            between.iter().all(|piece| matches!(piece, Piece::Mark(_) | Piece::Digits("")))
        } else {
            explains(&between) && bare.is_empty()
        };
        if reading.numbers.iter().any(|number| number.is_valid) && !reading.is_all {
            // If a text with words holds one valid number, other digits that are merely possible
            // are hardly numbers.
            reading.is_all_digits &= reading.numbers.iter().all(|number| number.is_valid);
            reading.numbers.retain(|number| number.is_valid);
        }
        // `12:30` is not two numbers, nor is the beginning of one a number beside its end.
        let is_short = |number: &Number| !number.is_valid && number.digits.len() < NUMBER_DIGITS;
        if reading.numbers.len() > 1 && reading.numbers.iter().any(is_short)
            || bare.len() > 1 && reading.numbers.is_empty()
        {
            reading.is_all = false;
        }
        if !reading.is_all {
            let before = reading.numbers.len();
            reading.numbers.retain(|number| number.is_valid || number.digits.len() >= NUMBER_DIGITS);
            reading.is_all_digits &= reading.numbers.len() == before;
        }
        if reading.numbers.is_empty() && reading.is_all {
            reading.bare = bare.into_iter().flat_map(|run| bare_digits(run, MAX_WRITTEN_CHARACTERS)).collect();
        }
        reading
    }
}

/// The form in which a text that is not read as numbers is kept and looked up: letters in lower
/// case, digits, `*` and `#`. If it has letters, a `-` parts groups of digits. It does not begin
/// with `+`, as the form of a number does.
fn written(plain: &str) -> Option<String> {
    let counts = |character: char| is_letter(character) || character.is_numeric() || matches!(character, '*' | '#');
    let has_other = plain.contains(|character: char| counts(character) && !character.is_ascii_digit());
    let mut form = String::new();
    let mut is_parted = false;
    for character in plain.chars() {
        if !counts(character) {
            is_parted = true;
            continue;
        }
        // If there are words, groups of digits stay apart: room 1/2 is not room 12.
        if is_parted && has_other && character.is_ascii_digit() && form.ends_with(|last: char| last.is_ascii_digit()) {
            form.push('-');
        }
        is_parted = false;
        form.extend(character.to_lowercase());
    }
    let is_it = form.contains(|character: char| character.is_ascii_digit())
        && form.chars().nth(MAX_WRITTEN_CHARACTERS).is_none();
    is_it.then_some(form)
}
