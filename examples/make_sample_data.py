#!/usr/bin/env python3
"""Writes the sample data of the demo: make_sample_data.py DIRECTORY

Five owners of a BPO, 5,000 customers. A tenth of the people are known to two or more owners, with the same name and
phone: for ringfence these are different customers, and no owner learns of the other. The people are invented; the same
seed gives the same files.
"""

import csv
import datetime
import json
import random
import sys
import unicodedata
import uuid
from pathlib import Path

SEED = 20261122
CUSTOMERS = 5000
SHARED_PEOPLE = 450  # a tenth of the people: each is a customer of two owners, some of three

# Given and family names; where two are paired, the second is the Latin form that e-mail addresses and forms use.
NAMES = {
    "TW": {
        "family": [("蔡", "Tsai"), ("陳", "Chen"), ("林", "Lin"), ("黃", "Huang"), ("張", "Chang"), ("李", "Lee"), ("王", "Wang"),
                   ("吳", "Wu"), ("劉", "Liu"), ("許", "Hsu"), ("鄭", "Cheng"), ("謝", "Hsieh"), ("郭", "Kuo"), ("曾", "Tseng")],
        "given": [("美玲", "Mei-Ling"), ("怡君", "Yi-Chun"), ("志明", "Chih-Ming"), ("雅婷", "Ya-Ting"), ("家豪", "Chia-Hao"),
                  ("淑芬", "Shu-Fen"), ("俊傑", "Chun-Chieh"), ("欣怡", "Hsin-Yi"), ("建宏", "Chien-Hung"), ("佩珊", "Pei-Shan"),
                  ("冠宇", "Kuan-Yu"), ("詩涵", "Shih-Han"), ("承恩", "Cheng-En"), ("宜蓁", "Yi-Chen")],
    },
    "JP": {
        "family": [("田中", "Tanaka"), ("佐藤", "Sato"), ("鈴木", "Suzuki"), ("高橋", "Takahashi"), ("伊藤", "Ito"), ("渡辺", "Watanabe"),
                   ("山本", "Yamamoto"), ("中村", "Nakamura"), ("小林", "Kobayashi"), ("加藤", "Kato"), ("吉田", "Yoshida"), ("松井", "Matsui")],
        "given": [("由紀", "Yuki"), ("健太", "Kenta"), ("さくら", "Sakura"), ("大輔", "Daisuke"), ("美咲", "Misaki"), ("翔", "Sho"),
                  ("愛", "Ai"), ("拓也", "Takuya"), ("陽子", "Yoko"), ("ジュン", "Jun"), ("直樹", "Naoki"), ("真由美", "Mayumi")],
    },
    "PL": {
        "family": ["Kowalski", "Nowak", "Wiśniewski", "Wójcik", "Kamiński", "Lewandowski", "Zieliński", "Szymański", "Woźniak", "Dąbrowski",
                   "Żak", "Gołąb", "Śliwa", "Mączyński"],
        "given": ["Łukasz", "Małgorzata", "Jan", "Agnieszka", "Piotr", "Żaneta", "Paweł", "Zofia", "Grzegorz", "Ewa", "Michał", "Świętosława"],
    },
    "IT": {
        "family": ["Rossi", "D'Angelo", "Bianchi", "Esposito", "Ricci", "Dell'Orto", "Conti", "De Luca", "Niccolò", "Greco", "Lo Presti", "Bruno"],
        "given": ["Mario", "Giulia", "Niccolò", "Francesca", "Andrea", "Chiara", "Matteo", "Elena", "Davide", "Zoè", "Luca", "Sofia"],
    },
    "UA": {
        "family": [("Яковенко", "Yakovenko"), ("Шевченко", "Shevchenko"), ("Коваленко", "Kovalenko"), ("Бондаренко", "Bondarenko"),
                   ("Ткаченко", "Tkachenko"), ("Кравчук", "Kravchuk"), ("Мельник", "Melnyk"), ("Поліщук", "Polishchuk"), ("Їжакевич", "Yizhakevych")],
        "given": [("Олена", "Olena"), ("Андрій", "Andrii"), ("Ірина", "Iryna"), ("Тарас", "Taras"), ("Наталія", "Nataliia"),
                  ("Богдан", "Bohdan"), ("Євгенія", "Yevheniia"), ("Микола", "Mykola"), ("Ганна", "Hanna")],
    },
    "US": {
        "family": ["Smith", "Johnson", "O'Brien", "Garcia", "Miller", "Davis", "Muñoz", "Nguyen", "Taylor", "McDonald", "Schroeder", "Washington"],
        "given": ["John", "Mary", "James", "Patricia", "Jennifer", "Michael", "Linda", "José", "Barbara", "Susan", "Renée", "Thomas"],
    },
}
LANGUAGE = {"TW": "zh", "JP": "ja", "PL": "pl", "IT": "it", "UA": "uk", "US": "en"}
CITY = {"TW": ["臺北市", "Kaohsiung", "Taichung"], "JP": ["東京都", "Osaka", "札幌市"], "PL": ["Kraków", "Łódź", "Gdańsk"],
        "IT": ["Milano", "Forlì", "Napoli"], "UA": ["Київ", "Львів", "Одеса"], "US": ["Portland", "Austin", "Boston"]}
DIALLING = {"TW": "+886", "JP": "+81", "PL": "+48", "IT": "+39", "UA": "+380", "US": "+1"}

# File, name, country, share of the customers; and the custom fields with what fills them.
OWNERS = [
    ("company_a", "Company A", "TW", 0.30, {
        "Plan": ["basic", "silver", "gold"], "Contract": "A-{:06d}", "Comment": ["prefers tea", "calls in the evening", "speaks English"],
        "Router": ["RX-100", "RX-200", "RX-300"], "Fault code": int, "Card number": "4{:015d}"}),
    ("company_b", "Company B", "PL", 0.25, {
        "Contract": "B-{:06d}", "Tariff": ["prepaid", "start", "max"], "Comment": ["prosi o e-mail", "stały klient"], "Debt": int}),
    ("denki", "Denki Service", "JP", 0.20, {
        "Appliance": ["冷蔵庫", "洗濯機", "エアコン"], "Warranty until": "date", "Visited": bool, "Note": ["再訪問", "急ぎ"]}),
    ("casa", "Casa Italiana", "IT", 0.15, {"Style": ["classico", "moderno"], "Budget": int, "Architect": ["sì", "no"]}),
    ("zvyazok", "Зв'язок", "UA", 0.10, {"Line": "L{:05d}", "Speed": int, "Technician": ["Олег", "Марія"]}),
]

random_source = random.Random(SEED)


def choose(items):
    return random_source.choice(items)


def digits(n):
    return "".join(choose("0123456789") for _ in range(n))


def pair(name):
    return name if isinstance(name, tuple) else (name, name)


def mailbox(text):
    plain = unicodedata.normalize("NFKD", text.replace("ł", "l").replace("Ł", "L"))
    return "".join(letter for letter in plain.lower() if letter.isascii() and letter.isalnum())


def phone_of(country):
    """National digits, without what is dialled before them at home."""
    return {
        "TW": lambda: "9" + digits(8), "JP": lambda: choose(["70", "80", "90"]) + digits(8), "PL": lambda: choose(["50", "60", "79"]) + digits(7),
        "IT": lambda: choose(["320", "333", "347"]) + digits(7), "UA": lambda: choose(["50", "67", "93"]) + digits(7),
        # The range that is kept for fiction.
        "US": lambda: choose(["212", "415", "503", "617"]) + "55501" + digits(2),
    }[country]()


def spelled(country, number, home):
    """A number as somebody at an owner's desk would type it."""
    if country != home:
        return choose([f"{DIALLING[country]} {number}", f"{DIALLING[country]}{number}", f"{DIALLING[country]}-{number[:3]}-{number[3:]}"])
    trunk = {"TW": "0", "JP": "0", "UA": "0"}.get(country, "")
    local = trunk + number
    return choose([local, f"{local[:4]}-{local[4:7]}-{local[7:]}", f"{local[:3]} {local[3:6]} {local[6:]}"])


class Person:
    def __init__(self, country, family=None, given=None, number=None):
        self.country = country
        self.family = pair(family or choose(NAMES[country]["family"]))
        self.given = pair(given or choose(NAMES[country]["given"]))
        self.number = number or phone_of(country)
        self.latin = random_source.random() < 0.5
        self.born = datetime.date(1940, 1, 1) + datetime.timedelta(days=random_source.randrange(24000))
        self.serial = random_source.randrange(100, 9999)

    def name(self):
        family, given = (self.family[1], self.given[1]) if self.latin else (self.family[0], self.given[0])
        if self.country == "TW":
            return f"{family} {given}" if self.latin else family + given
        return f"{family} {given}" if self.country == "JP" else f"{given} {family}"

    def email(self):
        return f"{mailbox(self.given[1])}.{mailbox(self.family[1])}{self.serial}@example.{choose(['com', 'net', 'org'])}"


def value_of(kind):
    if isinstance(kind, list):
        return choose(kind)
    if kind is int:
        return random_source.randrange(1, 10000)
    if kind is bool:
        return random_source.random() < 0.5
    if kind == "date":
        return str(datetime.date(2024, 1, 1) + datetime.timedelta(days=random_source.randrange(1500)))
    return kind.format(random_source.randrange(1, 10 ** (15 if "015" in kind else 5)))


def array(items):
    """An array literal; none of the items holds a quote or backslash."""
    return "{" + ",".join(f'"{item}"' for item in items) + "}"


def main(directory):
    directory.mkdir(parents=True, exist_ok=True)
    tsai = Person("TW", ("蔡", "Tsai"), ("美玲", "Mei-Ling"), "912345678")
    tsai.latin = True
    shared = [tsai] + [Person(choose(list(NAMES))) for _ in range(SHARED_PEOPLE - 1)]
    known_to = {owner[0]: [] for owner in OWNERS}
    known_to["company_a"].append(tsai)
    known_to["company_b"].append(tsai)
    for person in shared[1:]:
        for file in random_source.sample(list(known_to), choose([2, 2, 2, 3])):
            known_to[file].append(person)

    for file, _, home, share, fields in OWNERS:
        people = known_to[file]
        while len(people) < CUSTOMERS * share:
            country = home if random_source.random() < 0.6 else choose(list(NAMES))
            people.append(Person(country))
        random_source.shuffle(people)
        companies = [(uuid.UUID(int=random_source.getrandbits(128), version=4), f"{choose(NAMES['US']['family'])} {choose(['Ltd', 'Trading', 'Logistics'])} {n}")
                     for n in range(1, 11)]
        with open(directory / f"{file}_company.csv", "w", newline="", encoding="utf-8") as out:
            writer = csv.writer(out, lineterminator="\n")
            writer.writerow(["id", "name"])
            writer.writerows(companies)
        with open(directory / f"{file}_customer.csv", "w", newline="", encoding="utf-8") as out:
            writer = csv.writer(out, lineterminator="\n")
            writer.writerow(["name", "phones", "emails", "address", "birth_date", "language", "company_id", "last_activity_at", "attributes"])
            for person in people:
                phones = [spelled(person.country, person.number, home)]
                if random_source.random() < 0.15:
                    phones.append(spelled(home, phone_of(home), home))
                emails = [person.email()] if random_source.random() < 0.8 else []
                values = {name: value_of(kind) for name, kind in fields.items() if random_source.random() < 0.7}
                active = datetime.datetime(2026, 1, 1) + datetime.timedelta(minutes=random_source.randrange(400000))
                writer.writerow([
                    person.name(), array(phones), array(emails), f"{choose(CITY[person.country])} {random_source.randrange(1, 200)}", person.born,
                    LANGUAGE[person.country], choose(companies)[0] if random_source.random() < 0.3 else "",
                    f"{active}+00" if random_source.random() < 0.9 else "", json.dumps(values, ensure_ascii=False)])


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
