-- Phones: what people paste, several numbers in one text, and numbers with more than one right spelling. find_by_phone(),
-- search_customers() and matches() find the same; two different numbers are never the same exact number.
\set SHOW_CONTEXT never
\set VERBOSITY terse
-- How wide an invisible character is differs from one version of psql to the next.
\pset format unaligned
SET client_min_messages = warning;
SET ROLE dba;
SELECT ringfence.create_owner('Company D', country => 'DE'), ringfence.create_owner('Company M', country => 'MX'), ringfence.create_owner('Company R', country => 'AR'),
       ringfence.create_owner('Company V', country => 'VN'), ringfence.create_owner('Company O', country => 'CO'), ringfence.create_owner('Company I', country => 'CI') \g /dev/null
SELECT ringfence.grant_access('app_a', 'Company D', '{agent}') \g /dev/null
SELECT ringfence.grant_access('boss_a', 'Company D', '{admin}') \g /dev/null
SELECT ringfence.grant_access('app_a', owner, '{agent}') FROM unnest(ARRAY['Company M', 'Company R', 'Company V', 'Company O', 'Company I']) AS owner \g /dev/null
RESET ROLE;
INSERT INTO ringfence.project (owner_id, name) SELECT id, 'Sales' FROM ringfence.owner WHERE name = 'Company D';

-- Who is found by a query, by each of the three. A difference is shown.
CREATE FUNCTION pg_temp.found(query text) RETURNS text LANGUAGE sql AS $$
    SELECT CASE WHEN by_phone IS NOT DISTINCT FROM searched AND (by_phone IS NULL OR by_phone <@ matching) THEN coalesce(array_to_string(by_phone, ', '), '-')
                ELSE format('find_by_phone %s, search_customers %s, matches %s', by_phone, searched, matching) END
      FROM (SELECT array_agg(name ORDER BY name COLLATE "C") FROM ringfence.find_by_phone(query)) AS f (by_phone),
           (SELECT array_agg(name ORDER BY name COLLATE "C") FILTER (WHERE rank = 1) FROM ringfence.search_customers(query)) AS s (searched),
           (SELECT array_agg(name) FROM ringfence.customer_card WHERE ringfence.matches(id, query)) AS m (matching)
$$;

SET SESSION AUTHORIZATION app_b;
INSERT INTO ringfence.customer_card (name, phones) VALUES
 ('Plain', '{601-234-567}'), ('Two', '{602345678/603456789}'), ('Labelled', '{"Tel1: 604 567 890 (24h), dom: 22 123 45 67 wewn. 12"}'),
 ('Trunk', '{0605 678 901}'), ('Bidi', E'{"\u202A+48 606 789 012\u202C"}'), ('Contacts', '{1-800-CONTACTS}'), ('Microsoft', '{1 800 MICROSOFT}'),
 ('Short', '{1800}'), ('Code', '{*100#}'), ('Hundred', '{100}'), ('Room', '{pokój 12}'), ('Words', '{"mama: 607 890 123 wieczorem"}'),
 ('Abroad', '{+49 171 1234567}'), ('Mexican', '{+52 1 55 1234 5678}'), ('Arabic', '{٦٠٨٩٠١٢٣٤}'),
 ('Letter', '{m. 609012345}'), ('Coded', '{610123456*12#}'), ('Range', '{22 765 43 21-23}'), ('Serial', '{"S/N: 611234567"}'), ('Order', '{order no. 612345678}');
SELECT name, normal_phones FROM ringfence.customer ORDER BY name COLLATE "C";
SELECT query, pg_temp.found(query) FROM unnest(ARRAY[
 -- what stands around a pasted number
 '601234567,', '601 234 567;', '(601234567)', '[601234567]', '<601234567>', '"601234567"', 'Mobile: 601234567', 'Telefon:601-234-567', 'Telefon komórkowy: 601234567,',
 'tel:+48601234567', 'tel:601-234-567;phone-context=+48', 'callto:601234567', 'sip:+48601234567@pbx.example.com', 'sip:601234567@10.0.0.1:5060;user=phone', 'whatsapp:+48601234567',
 '48601234567@c.us', '48601234567@s.whatsapp.net', 'https://wa.me/48601234567',
 -- labels without a colon, other schemes, codes behind a number, ranges
 'm. 601234567', 'kom. 601 234 567', 'tel 601234567', 'mobile 601234567', '601 234 567 kom.', 'h323:601234567@gw.example', 'tel:%2B48601234567', 'https://signal.me/#p/+48601234567',
 '601234567*', '601234567#', '#31#601234567', '609012345', 'mobile 609 012 345', '610123456', '610123456*12#', '22 765 43 21', '22 765 43 22', '+48 22 765 43 23', '22 765 43 24', '22 765 43 21-23',
 -- what says that it is no phone is found only as it is stored
 'S/N: 611234567', '611234567', 'order no. 612345678', 'tel. 612345678', 'S/N: 601234567', 'serial 601234567', 'order no.: 601234567',
 -- invisible characters, digits of other scripts
 E'\u202A601\u200B234567\u202C', E'\uFEFF601\u00AD234\u2060567', '٦٠١٢٣٤٥٦٧', '६०१२३४५६७', '608901234', '606789012',
 -- several numbers in one text, labels, extensions
 '602345678', '603 456 789', '603456789 / 602345678', '601234567 lub 602345678', '604567890', '221234567', '22 123 45 67 w. 5', '601234567 (8-16)', '1) 601234567',
 -- the code of a country, and plans that ended
 '48601234567', '0048601234567', '0601234567', '605678901', '+48 (0) 605 678 901', '491711234567', '00491711234567', '+525512345678', '5215512345678',
 -- exactly as it is stored, and what is another number
 'Tel1: 604 567 890 (24h), dom: 22 123 45 67 wewn. 12', 'mama: 607 890 123 wieczorem', '1-800-CONTACTS', '1 800 contacts', '1 800 MICROSOFT', '1-800-SOMETHING', '1800', '*100#', '100', 'pokój 12', 'pokój 13',
 -- a host is left out, a day is none
 'sip:601234567@', '2026-03-31', '12'
 ]) WITH ORDINALITY AS q (query, n) ORDER BY n;
-- No exact phone: a word, an order, an address.
SELECT query, name, rank FROM unnest(ARRAY['Nobody 601234567', 'CT-601234567', 'Order: 601234567', '601234567@example.com', 'plain 601234567,']) AS q (query)
  LEFT JOIN LATERAL ringfence.search_customers(query) AS s ON true;
SELECT name, rank, matched FROM ringfence.search_customers('603456789');
SELECT name, rank, matched FROM ringfence.find_by_phone('603456789');
SELECT ringfence.phones_to_find('+48 601 234 567'), ringfence.phone_to_find('601 234 567,'), ringfence.phones_to_find(''), ringfence.phone_to_find('none');
RESET SESSION AUTHORIZATION;

-- Plans of variable length: a caller's number without + is looked up both ways, and stored as the one that is meant.
SET SESSION AUTHORIZATION app_a;
BEGIN;
SET LOCAL ringfence.owner = 'Company D';
INSERT INTO ringfence.customer_card (name, phones) VALUES
 ('Mobile', '{0171 1234567}'), ('Imported', '{491729876543}'), ('Pole', '{+48 601 234 567}'), ('Comma', '{"0171,7654321"}'), ('Tilde', '{0171~7654322}'), ('Hours', '{030 7654321 (8-16)}');
SELECT name, normal_phones FROM ringfence.customer ORDER BY name;
SELECT query, pg_temp.found(query) FROM unnest(ARRAY['491711234567', '+491711234567', '00491711234567', '49 171 1234567', '01729876543', '491729876543', '48601234567', '0048601234567',
    '0171,7654321', '01717654321', '0171~7654322', '0171', '030/7654321', '0171 1234567 oder 030 7654321']) WITH ORDINALITY AS q (query, n) ORDER BY n;
COMMIT;
BEGIN;
SET LOCAL ringfence.owner = 'Company M';
INSERT INTO ringfence.customer_card (name, phones) VALUES ('Mobile', '{044 55 1234 5678}');
SELECT query, pg_temp.found(query) FROM unnest(ARRAY['+5215512345678', '5215512345678', '+525512345678', '55 1234 5678', '045 55 1234 5678', '01 55 1234 5678', '00525512345678']) WITH ORDINALITY AS q (query, n) ORDER BY n;
COMMIT;
BEGIN;
SET LOCAL ringfence.owner = 'Company R';
INSERT INTO ringfence.customer_card (name, phones) VALUES ('Fifteen', '{011 15-1234-5678}'), ('Plain', '{11 2345-6789}'), ('Brazilian', '{+55 11 8765-4321}');
SELECT query, pg_temp.found(query) FROM unnest(ARRAY['+5491112345678', '5491112345678', '+541112345678', '11 1234 5678', '+5491123456789', '+55 11 98765-4321', '551187654321']) WITH ORDINALITY AS q (query, n) ORDER BY n;
COMMIT;
-- Numbers of earlier plans: what is stored by the old one is found by the new one, and the reverse; no two customers become one.
BEGIN;
SET LOCAL ringfence.owner = 'Company V';
INSERT INTO ringfence.customer_card (name, phones) VALUES ('Old Viettel', '{0162 123 4567}'), ('New Viettel', '{033 123 4567}'), ('Old MobiFone', '{+84 120 123 4567}'), ('New VinaPhone', '{0831234567}');
SELECT query, pg_temp.found(query) FROM unnest(ARRAY['032 123 4567', '01621234567', '+84321234567', '0163 123 4567', '841631234567', '070 123 4567', '01231234567', '0122 123 4567', '0331234568']) WITH ORDINALITY AS q (query, n) ORDER BY n;
COMMIT;
BEGIN;
SET LOCAL ringfence.owner = 'Company O';
INSERT INTO ringfence.customer_card (name, phones) VALUES ('Old Bogota', '{"(1) 234 5678"}'), ('New Medellin', '{(604) 234 5678}'), ('Mobile', '{321 234 5678}');
SELECT query, pg_temp.found(query) FROM unnest(ARRAY['601 2345678', '+57 1 2345678', '031 2345678', '+5742345678', '(4) 2345678', '(2) 2345678', '3212345678', '2345678']) WITH ORDINALITY AS q (query, n) ORDER BY n;
COMMIT;
BEGIN;
SET LOCAL ringfence.owner = 'Company I';
INSERT INTO ringfence.customer_card (name, phones) VALUES ('Old Orange', '{07 12 34 56}'), ('New MTN', '{05 05 12 34 56}'), ('Old Moov', '{+225 01 12 34 56}'), ('Old landline', '{22 41 12 34}');
SELECT query, pg_temp.found(query) FROM unnest(ARRAY['07 07 12 34 56', '07123456', '+22507123456', '05 12 34 56', '0101123456', '27 22 41 12 34', '47 12 34 56', '07 47 12 34 56']) WITH ORDINALITY AS q (query, n) ORDER BY n;
COMMIT;
RESET SESSION AUTHORIZATION;

-- Unique fields: the same number is refused however it is written, and two different ones never are.
SET SESSION AUTHORIZATION boss_a;
BEGIN;
SET LOCAL ringfence.owner = 'Company D';
SELECT ringfence.create_field('Line', 'phone', '{Sales}', is_unique => true, is_searchable => true) \g /dev/null
INSERT INTO ringfence.customer_card (name, attributes) SELECT phone, jsonb_build_object('Line', phone)
  FROM unnest(ARRAY['0171,1234567', '0171~7654321', '0171', '1-800-CONTACTS', '1 800 MICROSOFT', '030 123456 DW 12', '030 123456 DW 13', '030 Schmidt', '030 Schneider', '٠٣٠ ٩٨٧٦٥٤', 'S/N: 0301234567', 'Rechnungsnr. 0301234567', '030 1234567']) AS t (phone);
DO $$
DECLARE
    phone text;
BEGIN
    FOREACH phone IN ARRAY ARRAY['+49 171 1234567', '491711234567', E'0171\u200B1234567', 'tel:+491711234567', '1 800 contacts', '030/123456 wewn. 13', '030 987654', 'Büro: 030 987654', 'Handy 0171 1234567', 'm. 0171 1234567', '0171 1234567#', 'h323:+491711234567@gw.example', 's/n 030 1234567'] LOOP
        BEGIN
            INSERT INTO ringfence.customer_card (name, attributes) VALUES ('Twice', jsonb_build_object('Line', phone));
            RAISE WARNING 'taken: %', phone;
        EXCEPTION WHEN unique_violation THEN
            NULL;
        END;
    END LOOP;
END$$;
SELECT count(*) FROM ringfence.customer_card WHERE name = 'Twice';
-- What is searched of a field of type phone are its numbers, too.
INSERT INTO ringfence.customer_card (name, attributes) VALUES ('Field', '{"Line": "Büro: 030 7654321 (8-16) / 0171 9876543"}'), ('Vanity', '{"Line": "0800 XYZ"}');
SELECT query, name, rank, matched FROM unnest(ARRAY['+49 30 7654321', 'Mobile: 491719876543,', '0171/9876543', '6543', '0800 xyz', 'tel:+49171123456']) WITH ORDINALITY AS q (query, n)
  LEFT JOIN LATERAL ringfence.search_customers(query) AS s ON true ORDER BY n;
COMMIT;
RESET SESSION AUTHORIZATION;

-- As many phones as look-ups go through, each found; one more is refused.
SET SESSION AUTHORIZATION app_b;
INSERT INTO ringfence.customer_card (name, phones) SELECT 'Switchboard', array_agg(format('%s/%s', 701000000 + n, 702000000 + n)) FROM generate_series(1, 64) AS n;
SELECT name FROM ringfence.find_by_phone('701000064') UNION ALL SELECT name FROM ringfence.find_by_phone('702000064') UNION ALL SELECT name FROM ringfence.search_customers('702000063');
\set VERBOSITY default
UPDATE ringfence.customer_card SET phones = phones || '{601234567}' WHERE name = 'Switchboard';
INSERT INTO ringfence.customer (name, phones) SELECT 'Many', array_agg((701000000 + n)::text) FROM generate_series(1, 65) AS n;
\echo :SQLSTATE
-- E-mails alike.
INSERT INTO ringfence.customer_card (name, emails) SELECT 'Post office', array_agg(format('box%s@post.example', n)) FROM generate_series(1, 64) AS n;
SELECT name FROM ringfence.find_by_email('BOX64@post.example') UNION ALL SELECT name FROM ringfence.search_customers('box63@post.example');
UPDATE ringfence.customer_card SET emails = emails || '{box65@post.example}' WHERE name = 'Post office';
\echo :SQLSTATE
\set VERBOSITY terse
-- A text of any length ends in time.
SET statement_timeout = '5s';
INSERT INTO ringfence.customer_card (name, phones) SELECT 'Long', array_agg(repeat(t, 1000000 / length(t))) FROM unnest(ARRAY['1', '1 ', '1,', '(1)', '+1', 'a1', '601234567 ']) AS t;
INSERT INTO ringfence.customer_card (name, phones) SELECT 'Odd', array_agg(rpad('', 1000, t)) FROM unnest(ARRAY['1', '1 ', '1,', '(1)', '+1', 'a1', '601234567 ']) AS t;
SELECT name, cardinality(normal_phones) FROM ringfence.customer WHERE name IN ('Long', 'Odd') ORDER BY name;
RESET SESSION AUTHORIZATION;
