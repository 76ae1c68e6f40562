-- The same customers in a table as it is made without ringfence, by somebody who knows PostgreSQL: what is searched in one
-- column of lower-case text, and each index that one of the queries may want.
CREATE TABLE bench.by_hand (LIKE ringfence.customer, all_text text NOT NULL);
INSERT INTO bench.by_hand
    SELECT customer.*,
           -- A space after each phone: an ending is then looked for as an ending.
           lower(concat_ws(' ', customer.name, array_to_string(customer.normal_phones, ' '), array_to_string(customer.normal_emails, ' '),
                           array_to_string(bench.shown_values(customer.attributes, searched), ' ')))
      FROM ringfence.customer JOIN bench.searched USING (owner_id);
ALTER TABLE bench.by_hand ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_hand ON bench.by_hand TO search_hand USING (owner_id = current_setting('app.owner')::uuid);
GRANT SELECT ON bench.by_hand TO search_hand, search_unbound;
