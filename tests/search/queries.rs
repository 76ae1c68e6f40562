//! Queries of every kind, made of customers who are there.

use crate::judge::Customer;
use crate::names::Dice;

/// Asked of everybody: what nearly all match, in each rank, and what nobody should.
pub const FIXED: [&str; 143] = [
    // E-mails: nearly everybody, part of a word, never active and on one day more than are read at once.
    "com",
    "gmail",
    "gmail.com",
    "@gmail.com",
    "example",
    "mail",
    "mail.example",
    "outlook.com",
    ".com",
    "o",
    // The same with words of one letter and two.
    "a@gmail.com",
    "an@gmail.com",
    "k@mail.example",
    "ka@mail",
    "1@gmail",
    "a.n",
    "a.no",
    "n.k@",
    "i@e",
    "x@y.z",
    "@g",
    "1@m",
    "no.an@gmail.com",
    // One letter and two.
    "a",
    "an",
    "e",
    "k",
    "no",
    "ż",
    "zo",
    "я",
    "а н",
    "a n",
    "n a",
    "ng y",
    "x",
    "xu x",
    "c3",
    "r2",
    "y",
    // The many of one name, in each rank.
    "anna",
    "nowak",
    "anna nowak",
    "nowak anna",
    "NOWAK",
    "nowa",
    "owak",
    "now an",
    "anna n",
    "novak",
    "anna novak",
    "anan novak",
    "chrystopherska",
    "chrystopherska ewa",
    "chrystoferska",
    "chrsytopherska",
    "hcrystopherksa",
    "ewa chrystoferska",
    "chrystopherska zaneta",
    "pherska",
    "nowak gold",
    "anna com",
    // Chinese, Japanese, Korean.
    "陳",
    "美",
    "美玲",
    "田中",
    "田中太郎",
    "太郎 田中",
    "김",
    "철수",
    "タナカ",
    "ハナ",
    "が",
    "か",
    "金卡",
    "金",
    "來",
    "京都",
    // Values, and what a choice is called.
    "gold",
    "silver",
    "plus silver",
    "zloty",
    "vip",
    "late-payer",
    "rush gold",
    "ct-1",
    "CT",
    "kowal",
    "4111",
    "41110",
    "lodz",
    "munchen",
    "f7",
    "dial tone",
    "storung",
    "hidden1",
    "unreachable",
    "xyz",
    "mailbox63",
    "mailbox64",
    "new york vip",
    // Written otherwise.
    "oneill",
    "O’NEILL zolc",
    "dangelo",
    "ÆRØSKØBING",
    "eliyev",
    "danladi",
    "oktam",
    "O‘KTAM",
    "o'ktam karami bala",
    "parallel",
    "Paraŀlel galla",
    "gal·la",
    "فاطمه",
    "فاطِمَة الزهراء",
    "الزهـــراء",
    "مصطفي كريم",
    "مصطفی",
    "شقة 123",
    "شقه ١٢",
    "كريم 123",
    "галаган",
    "кайрат",
    "ヤマダ",
    "ﾔﾏﾀﾞ ｷﾔﾉﾝ",
    "キャノン",
    "高橋",
    "高",
    "tsang",
    "viktor tsang",
    "Ts\u{200e}ang",
    "צהל",
    "צה\"ל",
    "אמנ 456",
    "४५६",
    "vanderheerden",
    "derheerden pieter",
    "pietervanderheerden",
    "jrr",
    "jrr tolkien",
    "jr",
    "ジョンスミス",
    "annanowak",
];

/// Of whoever means no good, or has a cat.
pub fn hostile() -> Vec<String> {
    let mut list: Vec<String> = [
        "",
        " ",
        "...",
        "@",
        "%",
        "_",
        "\\",
        "'",
        "\"",
        "''",
        "' OR 1=1 --",
        "%'; DROP TABLE x; --",
        "100% \\ 'quoted\" _under_",
        "\u{1}\u{2}\u{1f}",
        "be\u{7}ppe",
        "beppe\u{0b}dangelo",
        "beppe\r\ndangelo",
        "\u{7f}",
        "\u{301}\u{301}\u{301}",
        "be\u{301}\u{301}ppe",
        "d\u{200b}a\u{200d}ngelo",
        "\u{feff}beppe",
        "\u{202e}oleg'd",
        "\u{200f}שלום",
        "כהן שלום",
        "محمد",
        "علي محمد",
        "हिन्दी",
        "नाम",
        "हिन",
        "🙂",
        "🙂 smiley",
        "ＷＩＤＥ",
        "fi",
        "finn",
        "\u{fdfa}",
        "ﾀﾅｶ",
        "か\u{3099}",
        "🇵🇱",
        "\u{10ffff}",
        "{beppe}",
        "beppe & dangelo",
        "beppe | dangelo",
        "!beppe",
        "beppe:*",
        "(beppe",
        "$$beppe$$",
        "beppe;dangelo",
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "0000",
        "0000000000",
        "+",
        "++48",
        "+48",
        "9".repeat(100).as_str(),
    ]
    .map(str::to_owned)
    .to_vec();
    list.extend([
        "x".repeat(1000),
        "xyz ".repeat(49),
        "x ".repeat(50),
        "é".repeat(1000),
        "陳".repeat(1000),
        format!("beppe{}", "\u{301}".repeat(995)),
        "1".repeat(1000),
        "a".repeat(63),
        "a.".repeat(25),
        format!("beppe {}", "dangelo ".repeat(49)),
    ]);
    list
}

fn chars(text: &str, from: usize, to: usize) -> String {
    text.chars().skip(from).take(to.saturating_sub(from)).collect()
}

/// A letter left out, too many, wrong, or two swapped.
fn misspelt(dice: &mut Dice, word: &str) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    let at = dice.below(letters.len() as u64 - 1) as usize;
    let other = *dice.pick(&if letters[at] > '\u{3ff}' { ['а', 'к', 'ж', 'о'] } else { ['a', 'k', 'x', 'o'] });
    match dice.below(4) {
        0 => drop(letters.remove(at)),
        1 => letters.insert(at, other),
        2 => letters[at] = other,
        _ => letters.swap(at, at + 1),
    }
    letters.into_iter().collect()
}

/// Some of each kind.
pub fn of(customers: &[Customer], seed: u64, each: usize) -> Vec<String> {
    let mut dice = Dice::of(&[seed, 11]);
    let mut list = Vec::new();
    for _ in 0..each {
        let customer = dice.pick(customers);
        let name = customer.name.as_str();
        let words: Vec<&str> = name.split([' ', '-']).filter(|word| !word.is_empty()).collect();
        list.extend([name.to_owned(), name.to_uppercase(), customer.id.to_string()]);
        list.push(words.iter().rev().copied().collect::<Vec<_>>().join(" "));
        list.extend([words.concat(), words.iter().take(2).copied().collect::<String>()]);
        list.push(words.iter().map(|word| chars(word, 0, 1 + dice.below(3) as usize)).collect::<Vec<_>>().join(" "));
        for word in &words {
            let letters = word.chars().count();
            let from = dice.below(letters as u64) as usize;
            list.extend([
                chars(word, from, from + 3),
                chars(word, 1, 5),
                chars(word, 0, 2),
                chars(word, from, from + 1),
            ]);
            list.push(chars(word, 1, letters - 1));
            if letters >= 4 {
                let once = misspelt(&mut dice, word);
                let twice = misspelt(&mut dice, &once);
                // One right and one wrong, and both wrong.
                list.push(
                    words.iter().map(|other| if other == word { &once } else { *other }).collect::<Vec<_>>().join(" "),
                );
                list.extend([once, twice]);
            }
        }
        for (phone, normal) in customer.phones.iter().zip(&customer.normal_phones) {
            list.extend([
                phone.clone(),
                normal.clone(),
                normal[1..].to_owned(),
                format!("{} {}", words[0], &normal[normal.len() - 4..]),
            ]);
            list.extend([4, 5, 6, 7, 8, 9].map(|count| normal[normal.len() - count..].to_owned()));
            list.push(phone.chars().map(|c| c.to_string()).collect::<Vec<_>>().join(" "));
            // Beside other words, which must be found too.
            list.extend([
                format!("{} {phone}", words[0]),
                format!("{phone} {name}"),
                format!("{normal} {}", chars(words[0], 0, 2)),
                format!("Nobody {phone}"),
                format!("{phone} ext. 12"),
            ]);
        }
        for email in &customer.emails {
            let (local, domain) = email.split_once('@').expect("an address");
            list.extend([email.clone(), email.to_uppercase(), local.to_owned(), chars(local, 1, 7)]);
            list.extend([format!("{}@{}", chars(local, 2, 99), chars(domain, 0, 4)), format!("{} {domain}", words[0])]);
            // The last letters before the @, and pieces of the address from anywhere.
            let letters = local.chars().count();
            list.extend([1, 2].map(|last| format!("{}@{domain}", chars(local, letters.saturating_sub(last), letters))));
            let from = dice.below(email.chars().count() as u64) as usize;
            list.extend([3, 4, 6].map(|length| chars(email, from, from + length)));
        }
        for (field, texts) in &customer.values {
            match *field {
                "Mobile" => {
                    let digits: String = texts[0].chars().filter(char::is_ascii_digit).collect();
                    let last = &digits[digits.len() - 6..];
                    list.extend([
                        format!("+886912{last}"),
                        format!("0912 {last}"),
                        last.to_owned(),
                        last[1..].to_owned(),
                    ]);
                    list.push(format!("{} 0912{last}", words[0]));
                }
                "Work" => {
                    let (local, domain) = texts[0].split_once('@').expect("an address");
                    let letters = local.chars().count();
                    list.extend([texts[0].to_uppercase(), local.to_owned(), format!("@{domain}")]);
                    list.push(format!("{}@{domain}", chars(local, letters.saturating_sub(2), letters)));
                }
                "Sum" => list.extend(crate::judge::spellings(&texts[0])),
                _ => (),
            }
            let text = dice.pick(texts);
            list.extend([text.clone(), chars(text, 1, 6), format!("{text} {}", words[0])]);
        }
    }
    // A query may be no longer.
    list.retain(|query| query.chars().count() <= 1000 && query.split_whitespace().count() <= 50);
    list
}

/// Long words with two typos.
pub fn with_two_typos(customers: &[Customer], count: usize) -> Vec<String> {
    let mut dice = Dice::of(&[12]);
    let words = customers.iter().flat_map(|customer| customer.name.split([' ', '-']));
    let long: Vec<&str> = words.filter(|word| word.chars().count() >= 9 && !word.starts_with("Chrystopher")).collect();
    let twice = |dice: &mut Dice| {
        let word = *dice.pick(&long);
        let once = misspelt(dice, word);
        misspelt(dice, &once)
    };
    (0..count).map(|_| twice(&mut dice)).collect()
}
