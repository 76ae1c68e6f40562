-- Search: what matches, in which order, page by page; and never another owner's customer (A5, B19, E4).
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.create_field('Contract', projects => '{Sales}', is_searchable => true),
       ringfence.create_field('Ticket note', projects => '{Support}', is_searchable => true),
       ringfence.create_field('Card', projects => '{Sales}', is_masked => true, is_searchable => true),
       ringfence.create_field('Diary', projects => '{Sales}') \g /dev/null
UPDATE ringfence.customer_card SET attributes = '{"Contract": "CT-4411", "Ticket note": "broken router", "Card": "9999-8888", "Diary": "secret garden"}'
 WHERE name = 'Tsai Mei-Ling';
INSERT INTO ringfence.customer_card (name, phones, emails, last_activity_at) VALUES
 ('Mei-Ling Tsai', '{0933-000-111,02-8765-4321}', '{}', '2026-01-01'), ('Tsaichung Lee', '{}', '{}', '2026-04-01'),
 ('Lee Tsai', '{}', '{tsai.lee@example.com}', '2026-05-01'), ('Matsai Ito', '{}', '{}', NULL), ('Tsia Wen', '{}', '{}', NULL),
 ('Łukasz D''Angelo', '{}', '{}', NULL), ('Anna Straße', '{0912-345-678}', '{}', NULL), ('Олена Яковенко', '{}', '{}', NULL), ('タナカ', '{}', '{}', NULL);
RESET SESSION AUTHORIZATION;

-- The same Ms. Tsai, one owner each (A1, A5).
SET SESSION AUTHORIZATION app_b;
SELECT name, phones, company, rank, matched FROM ringfence.search_customers('Tsai');
SELECT name, phones FROM ringfence.find_by_phone('0912 345 678');
SELECT name, phones FROM ringfence.find_by_phone('+886-912-345-678');
SELECT name, emails FROM ringfence.find_by_email('TSAI@example.com');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION app_a;
-- Whole name, prefix, word, substring, typo; then the most recently active.
SELECT name, company, rank, matched FROM ringfence.search_customers('tsai');
SELECT name, rank FROM ringfence.search_customers('TSAI mei-ling');
-- Every word must match, in any order; case, width, diacritics, apostrophes do not count.
SELECT name, rank FROM ringfence.search_customers('ling tsai');
SELECT name, rank FROM ringfence.search_customers('ｔｓａｉ lee');
SELECT name, rank FROM ringfence.search_customers('lukasz dangelo');
SELECT name, rank FROM ringfence.search_customers('D’ANGELO');
SELECT name, rank FROM ringfence.search_customers('strasse');
SELECT name, rank FROM ringfence.search_customers('яковенко');
SELECT name, rank FROM ringfence.search_customers('蔡');
SELECT name, rank FROM ringfence.search_customers('美玲');
SELECT name, rank FROM ringfence.search_customers('ﾀﾅｶ');
SELECT name, rank FROM ringfence.search_customers('Tsai Nobody');
-- Phones in any format, by suffix from four digits; several customers with one number; an id; an e-mail, or part of one.
SELECT name, rank, matched FROM ringfence.search_customers('+886 912 345 678');
SELECT name, rank, matched FROM ringfence.search_customers('(02) 8765 4321');
SELECT name, rank, matched FROM ringfence.search_customers('4321');
SELECT name, rank FROM ringfence.search_customers('321');
SELECT name FROM ringfence.find_by_phone('0912345678');
SELECT name FROM ringfence.find_by_phone('912345678');
SELECT name FROM ringfence.find_by_phone('nothing');
SELECT name, rank FROM ringfence.search_customers('a0000000-0000-0000-0000-000000000002');
SELECT name, rank FROM ringfence.search_customers('b0000000-0000-0000-0000-000000000001');
SELECT name, rank, matched FROM ringfence.search_customers('tsai.lee@example.com');
SELECT name, rank, matched FROM ringfence.search_customers('tsai.lee');
SELECT name FROM ringfence.find_by_email('tsai.lee@example.com ');

-- E4: custom fields that the session sees and that are searchable; not masked ones, not another project's.
SELECT name, rank, matched FROM ringfence.search_customers('ct-4411');
SELECT name, matched FROM ringfence.search_customers('broken router');
SELECT count(*) FROM ringfence.search_customers('9999-8888');
SELECT count(*) FROM ringfence.search_customers('garden');
SET ringfence.project = 'Support';
SELECT count(*) FROM ringfence.search_customers('ct-4411');
SELECT count(*) FROM ringfence.search_customers('broken');
SET ringfence.project = 'Sales';
SELECT count(*) FROM ringfence.search_customers('ct-4411');
SELECT count(*) FROM ringfence.search_customers('broken');
RESET ringfence.project;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION boss_a;
SELECT name, matched FROM ringfence.search_customers('9999-8888');
RESET SESSION AUTHORIZATION;

-- Each rule in the languages of the customers: what is typed, and whom it finds.
SET SESSION AUTHORIZATION app_b;
INSERT INTO ringfence.customer_card (name, phones, emails) VALUES
 ('Łucja Brzęczyszczykiewicz', '{+48 22 123 45 67 ext. 12}', '{l.brzecz@poczta.example.pl}'), ('Mario Rossi', '{+39 06 1234 5678,601234999}', '{}'),
 ('D''Angelo Francesca', '{}', '{}'), ('蔡小姐', '{}', '{}'), ('高橋 ハナコ', '{}', '{}'), ('ＡＢＣ商事　山田', '{}', '{}'), ('王小明', '{}', '{}'),
 ('Jürgen Großmann', '{}', '{}'), ('Straße 7 GmbH', '{}', '{}'), ('Олександр Яковенко', '{}', '{}'), ('Ганна Іваненко-Їжак', '{}', '{}'),
 ('John Smith', '{601-234-999,602 345 678 (mama)}', '{j.smith@example.com}'), ('Xu Li', '{}', '{}'), ('Christopher Featherstone', '{}', '{}'), ('김민수', '{}', '{}');
SELECT query, s.name, s.rank, s.matched FROM unnest(ARRAY[
 -- case, diacritics, letters that Unicode does not decompose, apostrophes
 'lucja', 'BRZĘCZYSZCZYKIEWICZ', 'brzeczyszczykiewicz', 'lukasz', 'Łukasz', 'dangelo', 'd’angelo', 'D''Angelo', 'strasse', 'STRAẞE', 'GROSSMANN', 'jurgen', 'яковенко', 'ЇЖАК', 'іваненко',
 -- the order of words
 'Rossi Mario', 'Mario Rossi', 'smith john', 'яковенко олександр',
 -- width
 'ABC', 'ａｂｃ', 'ﾊﾅｺ', 'ハナコ', '７',
 -- one character and two, where a character is a word or a syllable
 '蔡', '蔡小姐', '小', '小姐', '小明', '橋', '商事', '민', '민수',
 -- one letter and two are the beginning of a word
 'x', 'li', 'oh', 'ohn',
 -- typos: one from four letters, two from eight
 'Jonh Smiht', 'Jhon', 'Smit', 'Yakovenko', 'яковенка', 'яквоенко', 'Fetherstoen', 'Kristofer', 'Brzeczyszczykiewcz', 'smth john', 'joh', 'jon',
 -- phones: as typed, with and without country code and trunk prefix, the last digits, an extension; one number of several customers
 '+48 601-234-567', '601234567', '0048601234567', '48601234567', '4567', '34567', '601-234', '601 234 999', '4999', '+48221234567', '(22) 123-45-67', '22 123 45 67 ext. 12', '5678', '567',
 -- a number beside other words, in any order, which must match too; what stands beside a stored number
 'Smith 601234999', '601 234 999 smith', 'jo 0048 601-234-999', 'Smiht 601234999', 'Nobody 601234999', '601234999 Nobody', 'CT-601234999', '+48 602 345 678',
 -- parts of an e-mail
 'poczta', 'j.smith@example.com', 'J.SMITH@', 'smith@exam', 'brzecz@poczta.example'
 ]) WITH ORDINALITY AS q (query, n) LEFT JOIN LATERAL ringfence.search_customers(query) AS s ON true ORDER BY n, s.rank DESC, s.name COLLATE "C";
RESET SESSION AUTHORIZATION;
-- Long numbers in a value and in an e-mail: the whole, parts of any length, with letters before and behind; and what is not in them.
SET SESSION AUTHORIZATION boss_a;
UPDATE ringfence.customer_card SET attributes = '{"Contract": "AB20240000171234X / 70-4390420"}', emails = '{n19850312077@example.com}' WHERE name = 'Matsai Ito';
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION app_a;
SET ringfence.project = 'Sales';
SELECT query, name, matched FROM unnest(ARRAY['20240000171234', '40000171', '0000171', '000171', '171', 'ab2024000', 'AB20240000171234X', '71234x', '4390420', '390420', '70-4390420',
    '19850312077', '9850312', 'n19850312077@exam', '20240000171235', '40000172', '4390421', '43904200', '0424390', '9850313']) WITH ORDINALITY AS q (query, n)
  LEFT JOIN LATERAL ringfence.search_customers(query) AS s ON true ORDER BY n, name;
RESET ringfence.project;

-- Pages: no gap, no duplicate; the same as in one piece.
SET SESSION AUTHORIZATION app_a;
DO $$
DECLARE
    whole text[]; paged text[] := '{}'; page record; place text;
BEGIN
    SELECT array_agg(customer_id::text) INTO whole FROM ringfence.search_customers('tsai', 100);
    LOOP
        SELECT array_agg(s.customer_id::text) AS ids, (array_agg(s.cursor))[count(*)] AS last INTO page FROM ringfence.search_customers('tsai', 2, place) s;
        EXIT WHEN page.ids IS NULL;
        paged := paged || page.ids;
        place := page.last;
    END LOOP;
    RAISE WARNING 'pages of two: % customers, the same: %', cardinality(paged), paged = whole;
END$$;
-- A cursor of another query, a forged one, and arguments that are not good: 22023.
SELECT count(*) FROM ringfence.search_customers('lee', 20, (SELECT cursor FROM ringfence.search_customers('tsai', 1)));
SELECT count(*) FROM ringfence.search_customers('tsai', 20, 'forged');
SELECT count(*) FROM ringfence.search_customers('tsai', 20, '');
SELECT count(*) FROM ringfence.search_customers('tsai', 0);
SELECT count(*) FROM ringfence.search_customers('tsai', 1001);
SELECT count(*) FROM ringfence.search_customers('tsai', NULL);
SELECT count(*) FROM ringfence.search_customers(NULL);
SELECT count(*) FROM ringfence.search_customers(repeat('x', 1001));
SELECT count(*) FROM ringfence.search_customers(repeat('x ', 51));
\echo :SQLSTATE
-- Nothing to look for finds nothing.
SELECT count(*) FROM ringfence.search_customers('');
SELECT count(*) FROM ringfence.search_customers('  -- .,;!?  ');
SELECT count(*) FROM ringfence.search_customers('%');
SELECT count(*) FROM ringfence.search_customers('_');
SELECT count(*) FROM ringfence.search_customers(E'\u200b\u0301');
RESET SESSION AUTHORIZATION;
-- A customer is found as soon as it is written, and no longer when it is gone.
SET SESSION AUTHORIZATION boss_a;
BEGIN;
INSERT INTO ringfence.customer_card (name) VALUES ('Quickfind');
SELECT name FROM ringfence.search_customers('quickfind');
DELETE FROM ringfence.customer WHERE name = 'Quickfind';
SELECT name FROM ringfence.search_customers('quickfind');
COMMIT;

-- Large rows and large arguments end in time, or in an error; none of them holds up a backend that is cancelled.
SET statement_timeout = '5s';
SET SESSION AUTHORIZATION app_a;
INSERT INTO ringfence.customer_card (name, emails, phones)
    SELECT repeat('bacdbacd ', 270), (array_agg('a' || i || '@example.com'))[:64], (array_agg('09' || i))[:64] FROM generate_series(10000000, 10020000) i;
SELECT count(*) FROM ringfence.search_customers(repeat('bacd', 225));
SELECT count(*) FROM ringfence.search_customers('bacdbacx');
INSERT INTO ringfence.customer_card (name) VALUES (repeat('x', 1048577));
SELECT ringfence.email_to_find(repeat(U&'\FDFA', 1000000)) IS NULL, ringfence.phone_to_find(repeat('1', 1000000)) IS NULL;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION boss_a;
UPDATE ringfence.customer_card SET attributes = jsonb_build_object('Contract', repeat('x', 1048577)) WHERE name = 'Tsai Mei-Ling';
RESET SESSION AUTHORIZATION;
RESET statement_timeout;
