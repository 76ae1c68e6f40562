-- Searchable fields of type phone, email, number and date are searched as what they are, however that is written.
\set VERBOSITY terse
SET ROLE boss_a;
SET client_min_messages = warning;
SELECT ringfence.create_field('Mobile', 'phone', '{Sales,Support}', is_searchable => true),
       ringfence.create_field('Private', 'phone', '{Sales,Support}', is_searchable => true, is_masked => true),
       ringfence.create_field('Unsearched', 'phone', '{Sales,Support}'),
       ringfence.create_field('Work', 'email', '{Support}', is_searchable => true),
       ringfence.create_field('Secret mail', 'email', '{Sales,Support}', is_searchable => true, is_masked => true),
       ringfence.create_field('Sum', 'number', '{Sales,Support}', is_searchable => true),
       ringfence.create_field('Until', 'date', '{Sales,Support}', is_searchable => true) \g /dev/null
UPDATE ringfence.customer_card SET attributes =
    '{"Mobile": "0911-222-333", "Private": "0922 333 444", "Unsearched": "0933 444 555", "Work": "Jo.K@Work.Example", "Secret mail": "zz@hidden.example",
      "Sum": 1234.50, "Until": "2026-03-31"}' WHERE name = 'Chen Wei';
RESET ROLE;
CREATE TABLE public.asked (n serial, query text);
INSERT INTO public.asked (query) VALUES
    ('0911-222-333'), ('+886 911 222 333'), ('0911222333'), ('(0911) 222 333'), ('２２２３３３'), ('2333'), ('Chen 0911 222 333'), ('chen 2333'), ('0911222334'), ('Tsai 2333'),
    ('0922 333 444'), ('+886922333444'), ('3444'), ('0933444555'), ('4555'),
    ('jo.k@work.example'), ('JO.K@WORK.EXAMPLE'), ('k@work'), ('jo.k'), ('o.k@w'), ('work.example'), ('jo@work.example'), ('zz@hidden.example'), ('z@hidden'),
    ('1234.5'), ('1,234.50'), ('1.234,50'), ('1 234,5'), ('1235.5'), ('2026-03-31'), ('31.3.2026'), ('31. 03. 2026'), ('3/31/2026'), ('2026/3/31'), ('31.3.2027');
GRANT SELECT ON public.asked TO PUBLIC;
CREATE FUNCTION public.ask() RETURNS TABLE (query text, name text, rank real, matched text, by_matches text) LANGUAGE sql AS $$
    SELECT asked.query, found.name, found.rank, found.matched,
           (SELECT string_agg(card.name, ', ') FROM ringfence.customer_card AS card WHERE ringfence.matches(card.id, asked.query))
      FROM public.asked LEFT JOIN LATERAL ringfence.search_customers(asked.query) AS found ON true ORDER BY n, rank DESC
$$;
\echo who sees them all
SET ROLE boss_a;
SELECT * FROM public.ask();
\echo who sees no masked field, and who none of project Support
SET ROLE support_a;
SELECT query, name, matched FROM public.ask() WHERE name IS NOT NULL OR by_matches IS NOT NULL;
SET ROLE sales_a;
SELECT query, name, matched FROM public.ask() WHERE name IS NOT NULL OR by_matches IS NOT NULL;
SET ROLE boss_a;

\echo numbers of another country, when the owner is of that
UPDATE ringfence.customer_card SET attributes = attributes || '{"Mobile": "912 345 678"}' WHERE name = 'Chen Wei';
SELECT name, rank, matched FROM ringfence.search_customers('+886 912 345 678') WHERE name = 'Chen Wei';
SELECT ringfence.phones_to_find('912 345 678');
SET ROLE dba;
UPDATE ringfence.owner SET country = 'PL' WHERE name = 'Company A';
SET ROLE boss_a;
SELECT ringfence.phones_to_find('912 345 678');
SELECT name, rank, matched FROM ringfence.search_customers('+48 912 345 678');
SELECT name, rank, matched FROM ringfence.search_customers('+886 912 345 678') WHERE name = 'Chen Wei';
SET ROLE dba;
UPDATE ringfence.owner SET country = 'TW' WHERE name = 'Company A';
SET ROLE boss_a;
SELECT name, rank, matched FROM ringfence.search_customers('+886 912 345 678') WHERE name = 'Chen Wei';

\echo a text that becomes a phone, and a phone that becomes a text
SELECT ringfence.create_field('Line', projects => '{Sales,Support}', is_searchable => true) \g /dev/null
UPDATE ringfence.customer_card SET attributes = attributes || '{"Line": "02 2777 8888"}' WHERE name = 'Chen Wei';
SELECT name, rank, matched FROM ringfence.search_customers('+886227778888');
SELECT ringfence.retype_field('Line', 'phone') \g /dev/null
SELECT name, rank, matched FROM ringfence.search_customers('+886227778888');
SELECT ringfence.retype_field('Line', 'text') \g /dev/null
SELECT name, rank, matched FROM ringfence.search_customers('+886227778888');

\echo a phone that becomes searchable, and one that is removed
UPDATE ringfence.field SET is_searchable = true WHERE name = 'Unsearched';
SELECT name, rank, matched FROM ringfence.search_customers('+886933444555');
UPDATE ringfence.customer_card SET attributes = attributes - 'Mobile' WHERE name = 'Chen Wei';
SELECT name FROM ringfence.search_customers('912 345 678') WHERE name = 'Chen Wei';
RESET ROLE;
DROP FUNCTION public.ask();
DROP TABLE public.asked;
