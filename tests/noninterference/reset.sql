CLOSE ALL; DEALLOCATE ALL; RESET ALL; RESET ROLE; UNLISTEN *; DISCARD PLANS; DISCARD SEQUENCES;
SELECT setval('hit', 1, false), setseed(0.5), pg_advisory_unlock_all(), pg_stat_force_next_flush()
