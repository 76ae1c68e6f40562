-- Searches over all customers of Company A: the same in an upgraded database, in a restored one, and in one that is new.
\pset format unaligned
\pset tuples_only on
\set SHOW_CONTEXT never
\c - boss_a
SELECT asked, (SELECT string_agg(format('%s (%s, %s)', name, rank, matched), '; ' ORDER BY rank DESC, name) FROM ringfence.search_customers(asked, 400))
  FROM unnest('{tsai,tsia,mei-ling,chen wei,蔡,美玲,lukasz,kowalski,kowlaski,rossi,grossmann,яковенко,o''brian,ハナコ,はなこ,smith 12,a,an,0912345678,912 345,00491711234567,4567,example,12@example.com,"x@bücher.example",x@xn--bcher-kva.example,tsai@,gold,silver,C-1,N-30,0912000001,second@example.com,12.5,31.3.2026,2026-03-31,nobody,陈国,+84701234567,0912345670,+84791234567,li@example.com}'::text[]) AS asked;
SELECT asked, (SELECT string_agg(name, '; ' ORDER BY name) FROM ringfence.find_by_phone(asked)), ringfence.phones_to_find(asked)
  FROM unnest('{0912345678,+886912345678,+84701234567,0912345670,+49 171 1234567,491711234567,02 2345-6789,no number,1}'::text[]) AS asked;
SELECT asked, (SELECT string_agg(name, '; ' ORDER BY name) FROM ringfence.find_by_email(asked)) FROM unnest('{tsai@example.com,TSAI@EXAMPLE.COM,x@xn--bcher-kva.example,30@example.com,li@example.com}'::text[]) AS asked;
SELECT asked, (SELECT string_agg(name, '; ' ORDER BY name) FROM ringfence.customer WHERE ringfence.matches(id, asked)) FROM unnest('{tsai,rossi 15,example,12.5}'::text[]) AS asked;
SET enable_indexscan = off; SET enable_bitmapscan = off;
SELECT asked, (SELECT string_agg(name, '; ' ORDER BY name) FROM ringfence.customer WHERE ringfence.matches(id, asked)) FROM unnest('{tsai,rossi 15,example,12.5}'::text[]) AS asked;
