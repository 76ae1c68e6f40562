-- A month of one owner's calls and letters, and the tickets made of them. The owner is entered. What looks random is made of the customers'
-- names and phones, so that it is the same in each database.
INSERT INTO ringfence.ticket (subject, customer_id, project_id, status, priority, assignee)
SELECT (ARRAY['No connection', 'Wrong invoice', 'Asks for an offer', 'Has moved'])[seed % 4 + 1], id, project_id,
       (ARRAY['new', 'open', 'pending', 'solved', 'closed'])[seed % 5 + 1], (ARRAY['low', 'normal', 'normal', 'high'])[seed % 4 + 1],
       (ARRAY['anna', 'jan', 'mei'])[seed % 3 + 1]
  FROM contact WHERE seed % 3 = 0 ORDER BY last_activity_at, name;
INSERT INTO ringfence.interaction (kind, direction, customer_id, ticket_id, project_id, agent, remote_address, started_at, ended_at, disposition)
SELECT (ARRAY['call', 'call', 'email', 'chat'])[seed % 4 + 1], (ARRAY['in', 'in', 'out'])[seed % 3 + 1], contact.id, ticket.id, contact.project_id,
       (ARRAY['anna', 'jan', 'mei'])[seed % 3 + 1], phones[1], last_activity_at, last_activity_at + seed % 900 * interval '1 second',
       (ARRAY['solved', 'call back', 'sold', NULL])[seed % 4 + 1]
  FROM contact LEFT JOIN ringfence.ticket ON ticket.customer_id = contact.id ORDER BY last_activity_at, contact.name;
