//! Some thousand seeded customers for the comparison with brute force, as they reach the database, and as the judge sees them.

use crate::judge::{Customer, NEVER};
use crate::names::{COUNTRIES, Country, Dice, People};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::io::Write;
use uuid::{Builder, Uuid};

/// Searchable fields: of both projects, of one, masked; a choice, and one of several options. Hidden is not searchable.
/// Mobile, Work and Sum are of the types that are found however they are written.
pub const SALES: [&str; 6] = ["Contract", "City", "Plan", "Card", "Work", "Sum"];
pub const SUPPORT: [&str; 6] = ["City", "Tags", "Fault", "Card", "Mobile", "Sum"];
pub const UNMASKED: [&str; 8] = ["Contract", "City", "Plan", "Tags", "Fault", "Mobile", "Work", "Sum"];
pub const ALL: [&str; 9] = ["Contract", "City", "Plan", "Tags", "Fault", "Card", "Mobile", "Work", "Sum"];

pub const FIELDS: &str = "
    SELECT ringfence.create_field('Contract', projects => '{Sales}', is_searchable => true),
           ringfence.create_field('City', projects => '{Sales,Support}', is_searchable => true),
           ringfence.create_field('Plan', 'choice', '{Sales}', options => '{gold,silver plus,Złoty,金卡}', is_searchable => true),
           ringfence.create_field('Tags', 'choices', '{Support}', options => '{gold rush,VIP,late-payer,再來}', is_searchable => true),
           ringfence.create_field('Fault', projects => '{Support}', is_searchable => true),
           ringfence.create_field('Card', projects => '{Sales,Support}', is_masked => true, is_searchable => true),
           ringfence.create_field('Mobile', 'phone', '{Support}', is_searchable => true),
           ringfence.create_field('Work', 'email', '{Sales}', is_searchable => true),
           ringfence.create_field('Sum', 'number', '{Sales,Support}', is_searchable => true),
           ringfence.create_field('Hidden', projects => '{Sales,Support}')";

const PLANS: [&str; 4] = ["gold", "silver plus", "Złoty", "金卡"];
const TAGS: [&str; 4] = ["gold rush", "VIP", "late-payer", "再來"];
const CITIES: [&str; 10] =
    ["Łódź", "Kraków", "Roma", "Forlì", "München", "Köln", "Львів", "臺北市", "東京都", "New York"];

/// Names that are written as people write them who do not think of programs.
const ODD: [&str; 37] = [
    "Anna Maria O'Neill-Żółć",
    "Beppe D’Angelo",
    "김철수",
    "김 철수",
    "हिन्दी नाम",
    "محمد علي",
    "שלום כהן",
    "Søren Ærøskøbing",
    "ﬁnn ＷＩＤＥ",
    "ﾀﾅｶ ハナコ",
    "がぎぐ かきく",
    "Straße Groß",
    "STRASSE GROSS",
    "Łucja Łęcka, dr (hab.)",
    "Xu X",
    "A",
    "Ng Y'a",
    "R2-D2 C3PO",
    "100% \\ 'quoted\" _under_",
    "田中　太郎",
    "Nguyễn Thị Ánh",
    "Zoe\u{301}\u{301} Q\u{200d}ueen",
    "🙂 Smiley",
    "...",
    "Əliyev Ɗanladi",
    "Oʻktam Ƙarami Ɓala",
    "Paral·lel Gal·la",
    "فاطمة الزهراء",
    "مصطفى کریم شقة ١٢٣",
    "Ґалаґан Қайрат",
    "やまだ きゃのん",
    "髙橋 花子",
    "Ts\u{200b}ang \u{202a}Vik\u{ad}tor\u{202c}",
    "צה״ל אמן ४५६",
    "Pieter van der Heerden",
    "J. R. R. Tolkien",
    "ジョン・スミス",
];

/// A day of which the last activity of very many is.
const CLUMPED: i64 = 1_777_852_800_000_000; // 2026-05-04
pub const DAY: i64 = 86_400_000_000;

pub fn is_clumped(customer: &Customer) -> bool {
    (CLUMPED..CLUMPED + DAY).contains(&customer.last_activity)
}

fn last_activity(dice: &mut Dice) -> i64 {
    let microsecond = |dice: &mut Dice| dice.below(DAY as u64) as i64;
    match dice.below(100) {
        0..40 => NEVER,
        40..76 => CLUMPED + microsecond(dice),
        // Only the id tells these apart.
        76..78 => CLUMPED + DAY / 2,
        78..80 => i64::MAX,
        80..82 => 2_840_140_800_000_000 + microsecond(dice),  // 2060
        82..84 => 10_413_792_000_000_000 + microsecond(dice), // 2300
        84..88 => -DAY * dice.below(40_000) as i64 + 946_684_800_000_000 - microsecond(dice), // 1890 to 1999
        88..89 => 946_684_800_000_000 + microsecond(dice),    // 2000-01-01
        _ => CLUMPED + DAY * 400 - DAY * dice.below(1500) as i64 + microsecond(dice),
    }
}

pub struct Made {
    pub customer: Customer,
    attributes: Value,
    /// Never is NULL or -infinity.
    is_null: bool,
}

/// `count` people, and more who share their names, for an owner of that country. The same people for each owner, whose
/// customers they are in their own ways.
pub fn make(seed: u64, owner: &'static Country, count: u64) -> Vec<Made> {
    let people = People::new();
    let mut all: Vec<Made> = Vec::new();
    for n in 0..count {
        let mut same = Dice::of(&[n, 7]);
        let mut dice = Dice::of(&[seed, n]);
        let person = people.person(&mut same, &COUNTRIES[n as usize % COUNTRIES.len()]);
        let phones = person.phones.iter().map(|phone| phone.typed(owner, &mut dice)).collect();
        let normal_phones = person.phones.iter().map(|phone| phone.e164()).collect();
        let mut emails = person.emails.clone();
        if dice.percent(5) {
            emails.iter_mut().for_each(|email| *email = email.to_uppercase());
        }
        all.push(made(&mut dice, person.name, phones, normal_phones, emails));
    }
    let mut dice = Dice::of(&[seed, 8]);
    let mut plain = |name: String| all.push(made(&mut dice, name, Vec::new(), Vec::new(), Vec::new()));
    for name in ODD {
        plain(name.to_owned());
    }
    // Many of one whole name, in both orders, and many of a long one: more than are judged at once, in every rank.
    for n in 0..count / 4 {
        plain(if n % 2 == 0 { "Anna Nowak".to_owned() } else { "Nowak Anna".to_owned() });
        plain(format!("Chrystopherska {}", ["Ewa", "Jan", "Żaneta"][n as usize % 3]));
    }
    // What is behind the thousandth character is not searched. The 64th e-mail address, the last that a customer may have, is.
    plain(format!("Longest {} Unreachable", "xyz ".repeat(260)));
    all.last_mut().expect("one").customer.emails = (0..64).map(|n| format!("mailbox{n:02}@many.example.com")).collect();
    // The first id and the last one.
    all[3].customer.id = Uuid::nil();
    all[4].customer.id = Uuid::max();
    for (n, activity) in [(3, NEVER), (4, NEVER)] {
        (all[n].customer.last_activity, all[n].is_null) = (activity, true);
        all[n].customer.emails = vec![format!("edge{n}@gmail.com")];
    }
    all
}

fn made(dice: &mut Dice, name: String, phones: Vec<String>, normal_phones: Vec<String>, emails: Vec<String>) -> Made {
    let random = [dice.next().to_be_bytes(), dice.next().to_be_bytes()].concat();
    let id = Builder::from_random_bytes(random.try_into().expect("16 bytes")).into_uuid();
    let mut values: Vec<(&'static str, Vec<String>)> = Vec::new();
    if dice.percent(50) {
        let mut texts: Vec<(&'static str, String)> = vec![
            ("Contract", format!("CT-{:06}", dice.below(1_000_000))),
            ("City", (*dice.pick(&CITIES)).to_owned()),
            ("Plan", (*dice.pick(&PLANS)).to_owned()),
            (
                "Fault",
                format!(
                    "F{} {}",
                    dice.below(90),
                    ["no dial tone", "Störung", "不通", "guasto è"][dice.below(4) as usize]
                ),
            ),
            ("Card", format!("4111{:04} kowal", dice.below(10_000))),
            ("Hidden", format!("hidden{:03}", dice.below(1000))),
        ];
        if dice.percent(2) {
            texts[1].1 = format!("{} Unreachable", "qrs ".repeat(260));
        }
        texts.retain(|_| dice.percent(70));
        values = texts.into_iter().map(|(field, text)| (field, vec![text])).collect();
        let tags: Vec<String> = TAGS.iter().filter(|_| dice.percent(40)).map(|tag| (*tag).to_owned()).collect();
        if !tags.is_empty() {
            values.push(("Tags", tags));
        }
    }
    let mut others = Dice::of(&[id.as_u128() as u64]);
    let digits = (others.below(1000), others.below(1000));
    let mobile = match others.below(4) {
        0 => format!("0912-{:03}-{:03}", digits.0, digits.1),
        1 => format!("+886 912 {:03} {:03}", digits.0, digits.1),
        2 => format!("0912{:03}{:03}", digits.0, digits.1),
        _ => format!("(0912) {:03} {:03}", digits.0, digits.1),
    };
    let letters = ["j", "jo", "a.n", "no.k", "ewa_n", "Z"][others.below(6) as usize];
    let work = format!("{letters}{}@{}", others.below(30), ["work.example", "x.pl"][others.below(2) as usize]);
    let sum = others.below(60_000) as f64 + [0.5, 0.25][others.below(2) as usize];
    for (field, text) in [("Mobile", mobile), ("Work", work), ("Sum", sum.to_string())] {
        if others.percent(20) {
            values.push((field, vec![text]));
        }
    }
    let attributes = values.iter().map(|(field, texts)| {
        let value = match *field {
            "Tags" => json!(texts),
            "Sum" => json!(sum),
            _ => json!(texts[0]),
        };
        ((*field).to_owned(), value)
    });
    let attributes = Value::Object(attributes.collect());
    let customer = Customer { id, name, phones, normal_phones, emails, values, last_activity: last_activity(dice) };
    Made { customer, attributes, is_null: dice.percent(90) }
}

/// Writes them as the session that is given may, like any application.
pub fn copy(made: &[Made], with_values: bool, session: &mut postgres::Client) {
    let statement = "COPY ringfence.customer_card (id, name, phones, emails, last_activity_at, attributes) FROM STDIN";
    let mut writer = session.copy_in(statement).expect("COPY");
    for made in made {
        let customer = &made.customer;
        let quoted = |list: &[String]| {
            let list: Vec<String> = list.iter().map(|text| format!("\"{text}\"")).collect();
            format!("{{{}}}", list.join(","))
        };
        let activity = match customer.last_activity {
            NEVER if made.is_null => "\\N".to_owned(),
            NEVER => "-infinity".to_owned(),
            i64::MAX => "infinity".to_owned(),
            time => Timestamp::from_microsecond(time).expect("a time").to_string(),
        };
        let escaped = |text: &str| text.replace('\\', "\\\\");
        let attributes = if with_values { escaped(&made.attributes.to_string()) } else { "{}".to_owned() };
        let (name, phones, emails) = (escaped(&customer.name), quoted(&customer.phones), quoted(&customer.emails));
        writeln!(writer, "{}\t{name}\t{phones}\t{emails}\t{activity}\t{attributes}", customer.id).expect("a row");
    }
    writer.finish().expect("COPY");
}
