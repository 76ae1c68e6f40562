//! People who do not exist: names in seven languages, phone numbers and e-mail addresses, the same for the same seed.

use crate::random::splitmix64;
use unicode_normalization::UnicodeNormalization;

/// Random choices that are the same for the same seed.
pub struct Dice(u64);

impl Dice {
    /// Dice that depend on all of `seed`, and on nothing else.
    pub fn of(seed: &[u64]) -> Dice {
        let mut dice = Dice(0x5EED);
        for part in seed {
            dice.0 ^= part.wrapping_mul(0xD6E8_FEB8_6659_FD93);
            dice.0 = dice.next();
        }
        dice
    }

    pub fn next(&mut self) -> u64 {
        splitmix64(&mut self.0)
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(limit)) >> 64) as u64
    }

    /// From 0 up to, not including, 1.
    pub fn part(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub fn percent(&mut self, share: u64) -> bool {
        self.below(100) < share
    }

    pub fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len() as u64) as usize]
    }

    /// The first of a list much more often than the last: some names are many people's, most are few people's.
    fn pick_skewed<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[(self.part().powf(2.2) * list.len() as f64) as usize]
    }

    fn digits(&mut self, count: usize) -> String {
        (0..count).map(|_| char::from(b'0' + self.below(10) as u8)).collect()
    }
}

/// Where a person or an owner is from: the language of names, and the numbers of phones.
pub struct Country {
    pub code: &'static str,
    pub language: &'static str,
    dialling: &'static str,
    /// Dialled before a number inside of the country.
    trunk: &'static str,
    /// How mobile numbers begin, and how many digits follow.
    mobile: &'static [&'static str],
    rest: usize,
    given: &'static str,
    family: &'static str,
    endings: &'static str,
    /// What stands before or inside a rarer family name.
    rarer: &'static str,
    script: Script,
}

#[derive(Clone, Copy, PartialEq)]
enum Script {
    Latin,
    Cyrillic,
    Han,
}

pub static COUNTRIES: [Country; 7] = [
    Country {
        code: "PL",
        language: "pl",
        dialling: "48",
        trunk: "",
        mobile: &["50", "51", "53", "60", "66", "69", "72", "78", "79", "88"],
        rest: 7,
        given: "Anna Piotr Maria Krzysztof Katarzyna Andrzej Małgorzata Tomasz Agnieszka Paweł Barbara Jan Ewa Michał Krystyna Marcin Magdalena Jakub Elżbieta Adam Joanna Łukasz Aleksandra Stanisław Zofia Grzegorz Żaneta Wojciech Bożena Sławomir Świętosława Zdzisław",
        family: "Nowa Kowal Wiśniew Wójci Kamiń Lewandow Zieliń Szymań Dąbrow Kozłow Jankow Mazur Krawczy Piotrow Grabow Pawłow Michal Nowic Adamczy Dud Zając Wieczor Jabłoń Król Majew Olszew Jawor Malinow Stępień Górsk Rutkow Sikor Ostrow Baran Szewczy Wróblew Zawadz Jakubow Sadow Chmielew Borkow Czarnec Sawic Sokołow Urbań Kubiak Maciejew Szczepań Kucharsk Kalinow",
        endings: "ski ska k czyk owicz ek iak ewska",
        rarer: "ba brze cho dobro gniewo jaro krzy lubo mści nie prze rado siero trze wło zdzi żółto świę łącko różo",
        script: Script::Latin,
    },
    Country {
        code: "IT",
        language: "it",
        dialling: "39",
        trunk: "",
        mobile: &["320", "328", "331", "333", "338", "340", "347", "349", "366", "392"],
        rest: 7,
        given: "Mario Giulia Francesca Alessandro Niccolò Chiara Matteo Lucia Giovanni Elena Marco Sofia Andrea Beatrice Giuseppe Antonella Salvatore Noemì Luca Martina Davide Valentina Riccardo Ilaria Federico Caterina",
        family: "Ross Ferrar Bianch Roman Colomb Ricc Marin Grec Brun Gall Cont Mancin Cost Giordan Rizz Lombard Morett Barbier Fontan Santor Marian Rinald Caruso Ferr Longh Serr Vital Pellegrin D'Angel D'Amic D'Ascanz Montanar Guid Silvestr",
        endings: "i o a etti ini one ello ucci",
        rarer: "Bella Monte Castel Campo Della Quatro Tre Val Ripa Pietra Fonte Boni Mala Capo Roca",
        script: Script::Latin,
    },
    Country {
        code: "DE",
        language: "de",
        dialling: "49",
        trunk: "0",
        mobile: &["1511", "1520", "1570", "1590", "1601", "1624", "1705", "1726"],
        rest: 7,
        given: "Jürgen Käthe Björn Sören Ursula Günther Heike Matthias Anke Dörte Lukas Hannah Jörg Sabine Thomas Monika Andreas Petra Stefan Brigitte Wolfgang Renate Klaus Karin Uwe Susanne Bernd Gisela",
        family: "Müll Schmi Schneid Fisch Web Mey Wagn Beck Schulz Hoff Schäf Koch Bau Richt Klein Wolf Groß Strauß Zimmer Krüg Hart Lang Schwarz Krau Lehm Köhl Herr Walt Friedr Keil Jäg Vog Böhm Weiß",
        endings: "er mann dt ke bauer berg stein meister",
        rarer: "Ober Unter Alten Neuen Hohen Nieder Grün Stein Eichen Buchen Lind Burg Wald Roten Schwanen Birken",
        script: Script::Latin,
    },
    Country {
        code: "UA",
        language: "uk",
        dialling: "380",
        trunk: "0",
        mobile: &["50", "63", "66", "67", "68", "73", "93", "95", "96", "97"],
        rest: 7,
        given: "Олена Тарас Оксана Іван Юлія Андрій Ганна Богдан Наталія Сергій Марія Остап Леся Дмитро Ірина Володимир Світлана Микола Катерина Ярослав Людмила Василь Соломія Євген Їлія Олександр",
        family: "Шевч Ковал Бонд Яков Ткач Крав Олій Мельн Поліщ Мороз Лис Руд Сав Гонч Петр Кузьм Марч Лев Пав Захар Гнат Дмитр Тимош Яцк Хом Кліщ Бойч Степан Данил Федор Юрч",
        endings: "енко ук ів ський чук ар ець ченко",
        rarer: "Біло Чорно Пере Добро Криво Сухо Нови Старо Верхо Яро Люби Все Твердо Голо",
        script: Script::Cyrillic,
    },
    Country {
        code: "US",
        language: "en",
        dialling: "1",
        trunk: "",
        mobile: &["212", "305", "312", "415", "503", "617", "702", "808", "917", "972"],
        rest: 7,
        given: "John Mary James Patricia Robert Jennifer Michael Linda William Elizabeth David Barbara Christopher Susan Jessica Matthew Sarah Anthony Karen Daniel Nancy Mark Betty Zoë Renée Steven Margaret Paul Sandra",
        family: "Smith John William Brown Jones Mill Davis Wils Ander Thom Jack Whit Harr Mart Thomp Robin Clark Walk O'Neil O'Bri Peter Stev Hender Cole Rich Camp Mitch Rob Cart Park Ed Stew Mor Coop",
        endings: "son s er man ton ley field ard",
        rarer: "Ash Black Wood Green Wind Hol North West Fair Stan Hart Mc Mac Fitz Ather Brad",
        script: Script::Latin,
    },
    Country {
        code: "TW",
        language: "zh",
        dialling: "886",
        trunk: "0",
        mobile: &["910", "912", "921", "928", "932", "937", "952", "963", "975", "988"],
        rest: 6,
        given: "美玲怡君志明淑芬雅婷建宏俊傑家豪佳穎宗翰詩涵承恩冠宇子晴文華秀英麗娟惠雯欣柏翰彥廷品妍思妤哲瑋慧珍國強金龍春嬌月雲雪梅芳蘭瑞祥永福",
        family: "陳 林 黃 張 李 王 吳 劉 蔡 楊 許 鄭 謝 郭 洪 邱 曾 廖 賴 徐 周 葉 蘇 莊 呂 江 何 羅 高 蕭 潘 簡 朱 鍾 彭 游 詹 胡 施 沈 歐陽 司馬",
        endings: "",
        rarer: "",
        script: Script::Han,
    },
    Country {
        code: "JP",
        language: "ja",
        dialling: "81",
        trunk: "0",
        mobile: &["70", "80", "90"],
        rest: 8,
        given: "花子 太郎 健一 美咲 翔 陽菜 大輔 直樹 由美 恵 愛 誠 学 明 和也 真央 さくら ひなた ハナコ 結衣 蓮 大翔 陽子 幸子 茂 清 隆 久美子 裕子 拓也 翔太 彩香 千尋 純一 浩二 智子",
        family: "佐藤 鈴木 高橋 田中 渡辺 伊藤 山本 中村 小林 加藤 吉田 山田 佐々木 山口 松本 井上 木村 林 斎藤 清水 山崎 森 池田 橋本 阿部 石川 前田 藤田 後藤 長谷川 村上 近藤 石井 坂本 遠藤 青木 藤井 西村 福田 太田",
        endings: "",
        rarer: "",
        script: Script::Han,
    },
];

const SYLLABLES: &str =
    "ba be bo da de do fa ga go ka ke ko la le lo ma me mo na ne no pa po ra re ro sa so ta te to va ve vi za zo";
const CYRILLIC_SYLLABLES: &str =
    "ба бе бо да де до га го жа ка ко ла ле ло ма ме мо на не но па по ра ре ро са со та те то ва ве ви за зо ша ще ця";
const DOMAINS: &str = "gmail.com outlook.com yahoo.com icloud.com poczta.example.pl posta.example.it mail.example.ua web.example.de hinet.example.tw mail.example.jp";

pub struct Phone {
    pub country: &'static Country,
    /// As it is dialled inside of the country, without the trunk prefix.
    pub national: String,
}

impl Phone {
    pub fn e164(&self) -> String {
        format!("+{}{}", self.country.dialling, self.national)
    }

    /// As somebody types it who works for an owner of that country.
    pub fn typed(&self, owner: &Country, dice: &mut Dice) -> String {
        let groups = |separator: &str| {
            let at = self.national.len() - 6;
            [&self.national[..at], &self.national[at..at + 3], &self.national[at + 3..]].join(separator)
        };
        match dice.below(4) {
            1 => format!("+{} {}", self.country.dialling, groups(" ")),
            2 if self.country.code == owner.code => format!("{}{}", self.country.trunk, groups("-")),
            3 if self.country.code == owner.code => format!("{}{}", self.country.trunk, self.national),
            _ => self.e164(),
        }
    }
}

pub struct Person {
    pub country: &'static Country,
    pub name: String,
    pub phones: Vec<Phone>,
    pub emails: Vec<String>,
}

fn words(list: &'static str) -> Vec<&'static str> {
    list.split(' ').collect()
}

/// The lists of a country, split once.
struct Lists {
    given: Vec<&'static str>,
    family: Vec<&'static str>,
    endings: Vec<&'static str>,
    rarer: Vec<&'static str>,
}

/// Makes people.
pub struct People {
    lists: Vec<Lists>,
    syllables: Vec<&'static str>,
    cyrillic: Vec<&'static str>,
    domains: Vec<&'static str>,
    han: Vec<char>,
}

impl People {
    pub fn new() -> People {
        let lists = |country: &Country| Lists {
            given: words(country.given),
            family: words(country.family),
            endings: words(country.endings),
            rarer: words(country.rarer),
        };
        People {
            lists: COUNTRIES.iter().map(lists).collect(),
            syllables: words(SYLLABLES),
            cyrillic: words(CYRILLIC_SYLLABLES),
            domains: words(DOMAINS),
            han: COUNTRIES[5].given.chars().collect(),
        }
    }

    /// A person that `dice` choose, most likely from `home`.
    pub fn person(&self, dice: &mut Dice, home: &'static Country) -> Person {
        let at_home = COUNTRIES.iter().position(|country| country.code == home.code).expect("a country of the list");
        let n = if dice.percent(60) { at_home } else { dice.below(COUNTRIES.len() as u64) as usize };
        let country = &COUNTRIES[n];
        let (name, latin) = match country.script {
            Script::Han => self.han_name(dice, country, &self.lists[n]),
            _ => self.spelled_name(dice, country, &self.lists[n]),
        };
        let mut phones = vec![phone(dice, country)];
        if dice.percent(30) {
            phones.push(phone(dice, country));
        }
        phones.dedup_by(|one, other| one.national == other.national);
        let mut emails: Vec<String> = (0..[0, 1, 1, 1, 1, 1, 1, 1, 1, 2][dice.below(10) as usize])
            .map(|_| {
                let number = dice.below(1000);
                let local = match dice.below(3) {
                    0 => latin.clone(),
                    1 => format!("{}{number}", latin.replace('.', "")),
                    _ => format!("{latin}{number}"),
                };
                format!("{local}@{}", dice.pick_skewed(&self.domains))
            })
            .collect();
        emails.dedup();
        Person { country, name, phones, emails }
    }

    /// Given and family name, and how both are written in an e-mail address.
    fn spelled_name(&self, dice: &mut Dice, country: &Country, lists: &Lists) -> (String, String) {
        let syllables = if country.script == Script::Cyrillic { &self.cyrillic } else { &self.syllables };
        let mut family = format!("{}{}", dice.pick_skewed(&lists.family), dice.pick_skewed(&lists.endings));
        if dice.percent(40) {
            // In half of them something that hardly anybody else's has.
            let own: String =
                if dice.percent(50) { (0..2).map(|_| *dice.pick(syllables)).collect() } else { String::new() };
            let rest = family.to_lowercase().replace('\'', "");
            family = capitalized(&format!("{}{own}{rest}", dice.pick(&lists.rarer)));
        } else if dice.percent(4) {
            family = format!("{family}-{}{}", dice.pick_skewed(&lists.family), dice.pick_skewed(&lists.endings));
        }
        let mut given = (*dice.pick_skewed(&lists.given)).to_owned();
        let latin = if country.script == Script::Cyrillic {
            self.romanized(dice)
        } else {
            format!("{}.{}", ascii(&given), ascii(&family))
        };
        if dice.percent(6) {
            given = format!("{given} {}", dice.pick(&lists.given));
        }
        let name = match dice.below(20) {
            0..=2 => format!("{family} {given}"),
            3 => format!("{given} {family}").to_uppercase(),
            _ => format!("{given} {family}"),
        };
        (name, latin)
    }

    fn han_name(&self, dice: &mut Dice, country: &Country, lists: &Lists) -> (String, String) {
        let family = dice.pick_skewed(&lists.family);
        let given = if country.code == "TW" {
            (0..if dice.percent(92) { 2 } else { 1 }).map(|_| *dice.pick(&self.han)).collect()
        } else {
            (*dice.pick(&lists.given)).to_owned()
        };
        let between = if country.code == "JP" && dice.percent(50) { " " } else { "" };
        (format!("{family}{between}{given}"), self.romanized(dice))
    }

    fn romanized(&self, dice: &mut Dice) -> String {
        let word = |dice: &mut Dice| (0..2 + dice.below(2)).map(|_| *dice.pick(&self.syllables)).collect::<String>();
        format!("{}.{}", word(dice), word(dice))
    }
}

fn phone(dice: &mut Dice, country: &'static Country) -> Phone {
    let national = format!("{}{}", dice.pick(country.mobile), dice.digits(country.rest));
    Phone { country, national }
}

fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

/// As in an e-mail address: letters of ASCII, in lower case.
fn ascii(name: &str) -> String {
    let plain: String = name.chars().map(|letter| if matches!(letter, 'ł' | 'Ł') { 'l' } else { letter }).collect();
    plain
        .replace('ß', "ss")
        .nfkd()
        .filter(char::is_ascii_alphabetic)
        .map(|letter| letter.to_ascii_lowercase())
        .collect()
}
