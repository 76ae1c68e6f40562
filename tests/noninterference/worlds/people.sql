-- Person n, of whichever owner: everything but the address collides.
CREATE FUNCTION setup.person(n int, OUT name text, OUT phones text[], OUT emails text[], OUT address text, OUT born date, OUT language text, OUT active timestamptz)
    LANGUAGE sql IMMUTABLE
    BEGIN ATOMIC
        SELECT (ARRAY['Tsai Mei-Ling', 'Jan Kowalski', 'Chen Wei', 'Anna Nowak', 'Lin Hua', 'Maria Silva'])[n % 6 + 1] || CASE WHEN n % 3 = 0 THEN ' ' || n ELSE '' END,
               CASE n % 3 WHEN 0 THEN ARRAY['0912 345 ' || lpad((n % 50)::text, 3, '0')] WHEN 1 THEN ARRAY['+48 601 234 ' || lpad((n % 50)::text, 3, '0')] ELSE '{}'::text[] END,
               CASE WHEN n % 2 = 0 THEN ARRAY['person' || n % 40 || '@example.com'] ELSE '{}'::text[] END,
               CASE WHEN n % 4 = 0 THEN NULL ELSE 'Street ' || n % 30 END,
               CASE WHEN n % 5 = 0 THEN NULL ELSE '1980-01-01'::date + n % 400 END,
               (ARRAY['zh', 'pl', 'en', NULL])[n % 4 + 1],
               CASE WHEN n % 7 = 0 THEN NULL ELSE '2025-01-01 10:00+00'::timestamptz + (n % 15) * interval '1 day' END;
    END;
