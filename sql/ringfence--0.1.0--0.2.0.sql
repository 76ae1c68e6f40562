-- From ringfence 0.1.0 to 0.2.0: ALTER EXTENSION ringfence UPDATE. What it leaves is what CREATE EXTENSION makes: tests/upgrade.sh compares.

-- At last: open sessions decide anew, and those that still have the former library say so.
UPDATE ringfence.owner SET name = name WHERE false;
