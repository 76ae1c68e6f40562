-- What people type and paste, and what is stored, in one spelling or the other: letters, invisible characters, digits, e-mails.
\set SHOW_CONTEXT never
\set VERBOSITY default
-- How wide an invisible character is differs from one version of psql to the next.
\pset format unaligned
SET client_min_messages = warning;
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.create_field('Flat', projects => '{Sales}', is_searchable => true),
       ringfence.create_field('Contract', projects => '{Sales}', is_searchable => true, is_unique => true),
       ringfence.create_field('Login', 'email', '{Sales}', is_unique => true) \g /dev/null

-- Each name is found by each spelling in its row: as one of its words or as the whole, and never by a typo.
CREATE TEMPORARY TABLE spelling (name text, query text);
INSERT INTO spelling SELECT name, query FROM (VALUES
    ('مصطفى', ARRAY['مصطفي', 'مصطفی', 'مصطـــفى']),
    ('فاطمة الزهراء', '{فاطمه,فاطمہ,فاطِمَة}'),
    ('ٱلرحمن', '{الرحمن,الرَّحْمَن}'),
    ('کریم', '{كريم,كریم}'),
    ('علی', '{علي,على}'),
    ('Oʻktam', '{Oktam,"O''ktam",O’ktam,Oʼktam,OꞌKTAM,O‛ktam}'),
    ('ג׳ורג׳', '{ג''ורג'',גורג}'),
    ('צה״ל', '{צהל,"צה\"ל"}'),
    ('שלום', '{שלומ}'),
    ('Paral·lel', '{parallel,paraŀlel,PARAL·LEL}'),
    ('Əliyev', '{eliyev,ƏLİYEV}'),
    ('Ɗan', '{dan}'),
    ('Ƙar', '{kar}'),
    ('Ɓuba', '{buba}'),
    ('Kɛlɛ', '{kele}'),
    ('Kɔfi', '{kofi}'),
    ('Ŋaa', '{naa}'),
    ('Ґалаґан', '{галаган}'),
    ('Қайрат', '{кайрат}'),
    (U&'Ts\200Bang\00AD', '{tsang}'),
    (U&'\202ABoris\202C', '{boris}'),
    ('Viktor', ARRAY[U&'Vik\2060tor', U&'\2066viktor\2069', U&'viktor\3164']),
    (U&'葛\+0E0100', ARRAY['葛', U&'葛\FE00']),
    ('髙橋', '{高橋}'),
    ('渡邊', '{渡辺,渡邉}'),
    ('齋藤', '{斉藤,斎藤}'),
    ('劉國華', '{刘国华}'),
    ('张泽涛', '{張澤濤}'),
    ('やまだ', '{ヤマダ,ﾔﾏﾀﾞ}'),
    ('キャノン', '{きゃのん,ｷﾔﾉﾝ}')) AS row (name, queries), unnest(queries || name) AS query;
INSERT INTO ringfence.customer_card (name) SELECT DISTINCT name FROM spelling;
SELECT query, name FROM spelling
 WHERE NOT EXISTS (SELECT FROM ringfence.search_customers(query) AS found WHERE found.name = spelling.name AND found.rank >= 0.7::real)
    OR NOT EXISTS (SELECT FROM ringfence.customer WHERE customer.name = spelling.name AND ringfence.matches(customer.id, query));
-- And by no other.
SELECT query, count(*) FROM (SELECT DISTINCT query FROM spelling) AS asked, ringfence.search_customers(query) GROUP BY query HAVING count(*) <> 1;

-- Words of a name, written together; matches() takes no others for it.
INSERT INTO ringfence.customer_card (name) VALUES ('Anna van Heerden'), ('J. R. R. Tolkien'), ('ジョン・スミス');
SELECT query, name, rank, ringfence.matches(customer_id, query) FROM unnest('{vanheerden,annavanheerden,"vanheerden anna",jrr,"jrr tolkien",ジョンスミス,nav,annav,heerdenanna}'::text[]) AS query
  LEFT JOIN LATERAL ringfence.search_customers(query) ON true ORDER BY 1;
SELECT query, count(*) FILTER (WHERE ringfence.matches(id, query)) FROM unnest('{vanheerden,jrr,annav,heerdenanna}'::text[]) AS query, ringfence.customer GROUP BY query ORDER BY 1;

-- Hiragana for katakana, and an old form of a character for the new one, are found below what is the same.
INSERT INTO ringfence.customer_card (name) VALUES ('沢田'), ('澤田'), ('沢田 一郎'), ('澤田 一郎'), ('一郎 澤田'), ('はな'), ('ハナ'), ('ﾊﾅ');
SELECT query, name, rank FROM unnest('{沢田,澤田,はな,ハナ}'::text[]) AS query, ringfence.search_customers(query) ORDER BY query COLLATE "C", rank DESC, name COLLATE "C";
-- Letters and digits that are written together, or apart.
UPDATE ringfence.customer_card SET attributes = '{"Flat": "Nr. WA 12345"}' WHERE name = '沢田';
SELECT query, name, rank, matched, ringfence.matches(customer_id, query) FROM unnest('{WA12345,wa12345,WA-12345,WA1234,WB12345}'::text[]) WITH ORDINALITY AS list (query, n)
  LEFT JOIN LATERAL ringfence.search_customers(query) ON true ORDER BY n;
UPDATE ringfence.customer_card SET attributes = '{}' WHERE name = '沢田';

-- Digits of any script.
INSERT INTO ringfence.customer_card (name, attributes) VALUES ('Flat one', '{"Flat": "شقة ١٢٣"}'), ('Flat two', '{"Flat": "मकान 45"}'), ('Flat ४५६', '{}');
SELECT name, rank, matched FROM ringfence.search_customers('شقة 123');
SELECT name, rank, matched FROM ringfence.search_customers('شقه ۱۲۳');
SELECT name, rank, matched FROM ringfence.search_customers('मकान ४५');
SELECT name, rank, matched FROM ringfence.search_customers('flat 456');

-- E-mails: Unicode or punycode, what stands around an address, a point at its end.
INSERT INTO ringfence.customer_card (name, emails) VALUES
    ('One', '{Info@bücher.example}'), ('Two', '{"Two Ltd <TWO@xn--bcher-kva.example>"}'), ('Three', '{mailto:three@example.com?subject=Hi}'),
    ('Four', ARRAY[U&'fo\200Bur@example.com.']), ('Five', '{a.b@gmail.com}'), ('Six', '{ab@gmail.com}'), ('Seven', '{ab+news@gmail.com}');
SELECT name, normal_emails FROM ringfence.customer WHERE name IN ('One', 'Two', 'Three', 'Four', 'Five', 'Six', 'Seven') ORDER BY id;
SELECT asked, by_email.name AS find_by_email, searched.name AS search_customers, searched.rank, searched.matched
  FROM unnest(ARRAY['info@xn--bcher-kva.example', 'INFO@XN--BCHER-KVA.EXAMPLE.', 'info@bücher.example', U&'info@bu\0308cher.example', 'mailto:two@bücher.example',
                    'Two <two@bücher.example>', 'three@example.com', 'Three: <three@example.com>,', 'mailto:three@example.com?cc=x@y', '''four@example.com''',
                    U&'\202Afour@example.com\202C', 'E-mail: four@example.com;', 'a.b@gmail.com', 'AB@gmail.com', 'ab+news@gmail.com', 'ab+other@gmail.com',
                    'Nobody <nobody@example.com>',
                    -- in links, and beside words without a colon
                    'four%40example.com', 'mailto:four%40example.com?subject=Hi', '[Four](mailto:four@example.com)', '[four@example.com](mailto:four@example.com)',
                    '<mailto:four@example.com|four@example.com>', 'e-mail four@example.com', 'Four four@example.com', 'four@example.com Four', 'Nobody four@example.com',
                    'four@example.com, three@example.com', 'https://four@example.com']) WITH ORDINALITY AS list (asked, n)
  LEFT JOIN LATERAL ringfence.find_by_email(asked) AS by_email ON true
  LEFT JOIN LATERAL ringfence.search_customers(asked) AS searched ON true
 ORDER BY n;
SELECT name, rank, matched FROM ringfence.search_customers('bücher') ORDER BY name;
SELECT name, rank, matched FROM ringfence.search_customers('fo@xn--bcher-kva.example') ORDER BY name;

-- Stored with words beside them, they are the same addresses.
INSERT INTO ringfence.customer_card (name, emails) VALUES ('Eight', '{"praca eight@example.com"}'), ('Nine', '{[Nine](mailto:nine@example.com)}'), ('Ten', '{ten%40example.com}');
SELECT asked, by_email.name AS find_by_email, searched.name AS search_customers, searched.rank, ringfence.matches(by_email.customer_id, asked)
  FROM unnest(ARRAY['eight@example.com', 'Nine <nine@example.com>', 'ten@example.com']) WITH ORDINALITY AS list (asked, n)
  LEFT JOIN LATERAL ringfence.find_by_email(asked) AS by_email ON true
  LEFT JOIN LATERAL ringfence.search_customers(asked) AS searched ON true
 ORDER BY n;

SELECT asked, string_agg(name, ', ') FROM unnest('{"Nobody eight@example.com","Eight eight@example.com","mail eight@example.com"}'::text[]) AS asked
  LEFT JOIN ringfence.customer ON ringfence.matches(customer.id, asked) GROUP BY asked ORDER BY asked;

-- A field of type email keeps the address alone, as it is typed; of several, or beside words, it is not clear which is meant.
UPDATE ringfence.customer_card SET attributes = '{"Login": "Eight <Eight@example.com>"}' WHERE name = 'Eight';
UPDATE ringfence.customer_card SET attributes = '{"Login": "mailto:nine@example.com"}' WHERE name = 'Nine';
SELECT name, attributes ->> 'Login' AS login FROM ringfence.customer_card WHERE name IN ('Eight', 'Nine') ORDER BY name;
UPDATE ringfence.customer_card SET attributes = '{"Login": "Ten ten@example.com"}' WHERE name = 'Ten';
UPDATE ringfence.customer_card SET attributes = '{"Login": "A <a@example.com>, B <b@example.com>"}' WHERE name = 'Ten';
\echo :SQLSTATE
UPDATE ringfence.customer_card SET attributes = '{"Login": "<eight@EXAMPLE.com>"}' WHERE name = 'Ten';
\echo :SQLSTATE
-- A unique field takes a value once, whatever is invisible in it.
UPDATE ringfence.customer_card SET attributes = '{"Contract": "CT-1", "Login": "jan@bücher.example"}' WHERE name = 'One';
\set VERBOSITY sqlstate
UPDATE ringfence.customer_card SET attributes = jsonb_build_object('Contract', U&'CT\200B-1') WHERE name = 'Two';
UPDATE ringfence.customer_card SET attributes = jsonb_build_object('Contract', U&'\FEFFCT-1\FE0F ') WHERE name = 'Two';
UPDATE ringfence.customer_card SET attributes = '{"Login": "JAN@xn--bcher-kva.example"}' WHERE name = 'Two';
UPDATE ringfence.customer_card SET attributes = jsonb_build_object('Login', U&'jan@b\00FCcher\2060.example') WHERE name = 'Two';
\set VERBOSITY default
-- It stays as typed, and what shows nothing is no value.
UPDATE ringfence.customer_card SET attributes = jsonb_build_object('Contract', U&'CT\200B-2', 'Login', U&'\200Bjan@x.example') WHERE name = 'Two';
UPDATE ringfence.customer_card SET attributes = jsonb_build_object('Contract', U&'\200B\3164') WHERE name IN ('Three', 'Four');
SELECT name, convert_to(attributes ->> 'Contract', 'UTF8'), convert_to(attributes ->> 'Login', 'UTF8') FROM ringfence.customer_card
 WHERE name IN ('Two', 'Three', 'Four') ORDER BY id;
SELECT name, rank FROM ringfence.search_customers('CT-2');
RESET SESSION AUTHORIZATION;
