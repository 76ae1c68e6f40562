//! Seeded queries of each kind, made of customers that are there.

use super::data::{Maker, Owner};
use super::people::Dice;

/// A kind of query.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Kind {
    RareSubstring,
    CommonSubstring,
    TwoCharacters,
    Typo,
    PhoneEnding,
    FullPhone,
    EmailPart,
    TwoWords,
    /// An address whose first part has two letters at most: of somebody, or of nobody.
    ShortAddress,
    /// The end of an address with one letter or two before the @.
    ShortEmailPart,
    /// What very many have, as in the domain of an address.
    Domain,
    /// Not measured, but found or not found as much as the others.
    TypedPhone,
    Value,
    Unaccented,
    OneCharacter,
    ShortWords,
    TwoTypos,
}

/// Those that are measured.
pub const KINDS: [Kind; 11] = [
    Kind::RareSubstring,
    Kind::CommonSubstring,
    Kind::TwoCharacters,
    Kind::Typo,
    Kind::PhoneEnding,
    Kind::FullPhone,
    Kind::EmailPart,
    Kind::TwoWords,
    Kind::ShortAddress,
    Kind::ShortEmailPart,
    Kind::Domain,
];

/// Others, of which only what is found is looked at.
pub const OTHER_KINDS: [Kind; 6] =
    [Kind::TypedPhone, Kind::Value, Kind::Unaccented, Kind::OneCharacter, Kind::ShortWords, Kind::TwoTypos];

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Kind::RareSubstring => "rare substring",
            Kind::CommonSubstring => "common substring",
            Kind::TwoCharacters => "two Han characters",
            Kind::Typo => "typo",
            Kind::PhoneEnding => "phone ending",
            Kind::FullPhone => "full phone",
            Kind::EmailPart => "part of an e-mail",
            Kind::TwoWords => "two words",
            Kind::ShortAddress => "short address",
            Kind::ShortEmailPart => "end of an e-mail",
            Kind::Domain => "domain of an e-mail",
            Kind::TypedPhone => "phone as typed",
            Kind::Value => "custom value",
            Kind::Unaccented => "name, unaccented",
            Kind::OneCharacter => "one Han character",
            Kind::ShortWords => "one and two letters",
            Kind::TwoTypos => "two typos",
        }
    }
}

/// What somebody types, and what it was made of.
#[derive(Clone, Debug)]
pub struct Query {
    pub text: String,
    /// Of a phone number: its normal form.
    pub phone: Option<String>,
    /// The place of the customer of whom it was made, among those of the owner.
    pub place: u64,
}

/// So many queries of a kind, the same in each run.
pub fn queries(maker: &Maker, owner: &Owner, kind: Kind, count: usize) -> Vec<Query> {
    let mut dice = Dice::of(&[owner.number, 4, kind as u64]);
    let mut list = Vec::with_capacity(count);
    // In a very small owner there may be nobody to make a query of.
    for _ in 0..1000 * count {
        let place = dice.below(owner.customers);
        let customer = maker.customer(owner, place);
        let name = &customer.person.name;
        let han = name.split(' ').find(|word| word.chars().all(is_han));
        let spelled: Vec<&str> = name
            .split([' ', '-'])
            .filter(|word| word.chars().all(|letter| letter.is_alphabetic() && !is_han(letter)))
            .collect();
        let longest = spelled.iter().max_by_key(|word| word.chars().count()).copied().unwrap_or_default();
        let letters: Vec<char> = longest.chars().collect();
        let text = match kind {
            // Long names are those that hardly anybody has.
            Kind::RareSubstring if letters.len() >= 13 => letters[1..8].iter().collect(),
            Kind::CommonSubstring if letters.len() >= 6 => {
                letters[letters.len() - 4..letters.len() - 1].iter().collect()
            }
            Kind::TwoCharacters => {
                let Some(characters) = han.map(|name| name.chars().collect::<Vec<_>>()).filter(|name| name.len() >= 2)
                else {
                    continue;
                };
                characters[characters.len() - 2..].iter().collect()
            }
            Kind::OneCharacter => match han.and_then(|name| name.chars().next()) {
                Some(character) => character.to_string(),
                None => continue,
            },
            // One, and in every other long word a second.
            Kind::Typo if letters.len() >= 5 => {
                let once = misspelt(&mut dice, &letters);
                let twice = letters.len() >= 9 && dice.percent(50);
                if twice { misspelt(&mut dice, &once) } else { once }.into_iter().collect()
            }
            // Long enough for two typos to be looked for where one of them is a letter left out, or both.
            Kind::TwoTypos if letters.len() >= 10 => {
                let once = misspelt(&mut dice, &letters);
                let twice: String = misspelt(&mut dice, &once).into_iter().collect();
                if strsim::osa_distance(&twice, longest) != 2 {
                    continue;
                }
                twice
            }
            Kind::PhoneEnding => {
                let phone = &customer.normal_phones()[0];
                phone[phone.len() - [4, 6][dice.below(2) as usize]..].to_owned()
            }
            Kind::FullPhone => customer.normal_phones()[0].clone(),
            Kind::TypedPhone => customer.phones[0].clone(),
            Kind::EmailPart => match customer.emails.first().and_then(|email| email.split('@').next()) {
                Some(local) if local.len() >= 6 => local[1..].to_lowercase(),
                _ => continue,
            },
            Kind::ShortAddress | Kind::ShortEmailPart | Kind::Domain => {
                let Some((local, domain)) = customer.emails.first().and_then(|email| email.split_once('@')) else {
                    continue;
                };
                let local: Vec<char> =
                    local.to_lowercase().chars().filter(|letter| letter.is_ascii_alphanumeric()).collect();
                match kind {
                    Kind::ShortAddress if local.len() >= 2 => format!("{}{}@{domain}", local[0], local[1]),
                    Kind::ShortEmailPart if local.len() >= 2 => {
                        let last = &local[local.len() - 1 - dice.below(2) as usize..];
                        format!("{}@{}", last.iter().collect::<String>(), domain.chars().take(4).collect::<String>())
                    }
                    Kind::Domain => domain.to_owned(),
                    _ => continue,
                }
            }
            Kind::TwoWords => {
                if spelled.len() < 2 || spelled[..2].iter().any(|word| word.chars().count() < 4) {
                    continue;
                }
                let beginning = |word: &str| word.chars().take(4).collect::<String>();
                format!("{} {}", beginning(spelled[1]), beginning(spelled[0]))
            }
            Kind::Value => {
                let value = customer.values[dice.below(2) as usize].trim_matches('"');
                let plan = ["gold", "Silver"][dice.below(2) as usize];
                if dice.percent(50) { value.to_owned() } else { format!("{plan} {value}") }
            }
            Kind::Unaccented if !name.is_ascii() && han.is_none() => name.chars().map(unaccented).collect(),
            Kind::ShortWords if spelled.len() >= 2 => {
                let lengths = (1 + dice.below(2), 1 + dice.below(2));
                let beginning = |word: &str, length: u64| word.chars().take(length as usize).collect::<String>();
                format!("{} {}", beginning(spelled[0], lengths.0), beginning(spelled[1], lengths.1))
            }
            _ => continue,
        };
        let phone = matches!(kind, Kind::FullPhone | Kind::TypedPhone).then(|| customer.normal_phones().swap_remove(0));
        list.push(Query { text, phone, place });
        if list.len() == count {
            break;
        }
    }
    list
}

fn is_han(character: char) -> bool {
    character >= '\u{2E80}'
}

/// A letter left out, doubled, changed, or swapped with the next.
fn misspelt(dice: &mut Dice, letters: &[char]) -> Vec<char> {
    let mut letters = letters.to_vec();
    let at = dice.below(letters.len() as u64 - 1) as usize;
    match dice.below(4) {
        0 => drop(letters.remove(at)),
        1 => letters.insert(at, letters[at]),
        2 => letters[at] = if letters[at] == 'x' { 'z' } else { 'x' },
        _ => letters.swap(at, at + 1),
    }
    letters
}

/// As people type who have no such key.
fn unaccented(letter: char) -> char {
    const ACCENTED: [(&str, char); 18] = [
        ("ąàä", 'a'),
        ("ć", 'c'),
        ("ęéë", 'e'),
        ("ìí", 'i'),
        ("łŁ", 'l'),
        ("ń", 'n'),
        ("óòö", 'o'),
        ("śŚ", 's'),
        ("üù", 'u'),
        ("żźŻŹ", 'z'),
        ("Ü", 'U'),
        ("Ö", 'O'),
        ("Ä", 'A'),
        ("Ó", 'O'),
        ("Є", 'є'),
        ("ї", 'і'),
        ("Ї", 'і'),
        ("’", '\''),
    ];
    ACCENTED.iter().find(|(letters, _)| letters.contains(letter)).map_or(letter, |(_, plain)| *plain)
}
