-- Imports a file by psql: psql -f examples/import/import.sql, as a role with import.run for Company B, from the repository's directory.
-- A file in another encoding is converted by the client: \encoding WIN1250, or BIG5, before \copy. HEADER skips the first line, and with it a
-- byte order mark.
\set ON_ERROR_STOP on
BEGIN;
SELECT ringfence.enter('Company B') \g /dev/null
-- The template, once: which column goes where. Names are compared exactly.
INSERT INTO ringfence.import_template (name, mode, match_field, date_format) VALUES ('Visitors', 'upsert', 'phone', 'DD.MM.YYYY')
    ON CONFLICT (owner_id, name) DO NOTHING;
INSERT INTO ringfence.import_mapping (template_id, position, target, source, on_empty)
    SELECT template.id, mapping.position, target, source, on_empty
      FROM ringfence.import_template AS template,
           (VALUES (1, 'name', '{{Imię}} {{Nazwisko}}', 'leave'), (2, 'phones', '{{Telefon}}', 'leave'), (3, 'emails', '{{E-mail}}', 'leave'),
                   (4, 'birth_date', '{{Data urodzenia}}', 'leave'), (5, 'Tariff', '{{Taryfa}}', 'leave'), (6, 'Debt', '{{Zaległość}}', 'clear'),
                   (7, 'Comment', 'fair 2026', 'leave')) AS mapping (position, target, source, on_empty)
     WHERE template.name = 'Visitors'
    ON CONFLICT (owner_id, template_id, position) DO NOTHING;
CREATE TEMP TABLE file ("Imię" text, "Nazwisko" text, "Telefon" text, "E-mail" text, "Data urodzenia" text, "Taryfa" text, "Zaległość" text) ON COMMIT DROP;
\copy file FROM 'examples/import/visitors.csv' (FORMAT csv, DELIMITER ';', HEADER)
SELECT line, action, reason FROM ringfence.import_customers('Visitors', 'file');
COMMIT;
