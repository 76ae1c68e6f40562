-- Its customers. In two goes, so that they lie before and after owner A's.
BEGIN;
SET LOCAL ROLE ni_admin;
SELECT set_config('ringfence.owner', :'name', true);
INSERT INTO ringfence.customer_card (id, name, phones, emails, address, birth_date, language, company_id, last_activity_at, attributes)
SELECT setup.id(:'letter' || ' customer ' || n),
       CASE WHEN n % 10 < 4 THEN 'Jan Kowalski' WHEN n % 10 = 4 THEN 'CANARY person ' || n ELSE person.name END, person.phones, person.emails,
       CASE WHEN n % 3 = 0 THEN person.address ELSE 'CANARY street ' || n END, person.born, person.language,
       setup.id(:'letter' || ' company Firm ' || n % 40 + 1), person.active,
       jsonb_build_object('ticket', 'T-' || n, 'note', 'CANARY note ' || n % 7, 'ssn', 'S' || n, 'budget', 'CANARY ' || n, 'vip', 'yes')
  FROM generate_series(:first, :last) AS n CROSS JOIN LATERAL setup.person(n) AS person;
COMMIT;
CALL setup.tickets(:'letter', :first, :last, 'CANARY ticket', 0);
CALL setup.interactions(:'letter', :first, :last, 'CANARY note', 0);
