#!/usr/bin/env python3
"""Takes a call: take_call.py LINE CALLER SUBJECT   (psycopg 3; connection by the PG* environment variables)

Whose line it is says the database. All that follows is done for that owner, in one transaction."""

import sys

import psycopg

line, caller, subject = sys.argv[1:4]

with psycopg.connect() as connection:
    with connection.transaction():
        route = connection.execute("SELECT owner_id, owner_name, channel_id, project_id FROM ringfence.route('phone', %s)", [line]).fetchone()
    if route is None:
        sys.exit(f"{line} is nobody's line")
    owner, owner_name, channel, project = route
    with connection.transaction():
        connection.execute("SELECT ringfence.enter(%s, %s, 'take_call.py')", [owner, project and str(project)])
        found = connection.execute("SELECT customer_id, name FROM ringfence.find_by_phone(%s) LIMIT 1", [caller]).fetchone()
        customer, name = found or (None, "somebody unknown")
        (ticket,) = connection.execute("SELECT ringfence.open_ticket(%s, %s, channel => %s)", [customer, subject, channel]).fetchone()
        (call,) = connection.execute(
            "SELECT ringfence.log_interaction('call', customer => %s, ticket => %s, channel => %s, remote_address => %s)",
            [customer, ticket, channel, caller],
        ).fetchone()
        # The first answer to the first question of the project's script.
        answer = connection.execute(
            "SELECT form.answer_id FROM ringfence.script CROSS JOIN LATERAL ringfence.script_form(script.id::text) AS form WHERE project_id = %s LIMIT 1",
            [project],
        ).fetchone()
        if answer:
            connection.execute("SELECT ringfence.respond(%s, %s, '12')", [call, answer[0]])
        (number,) = connection.execute("SELECT number FROM ringfence.ticket WHERE id = %s", [ticket]).fetchone()
    print(f"{owner_name}\t{name}\t{subject}\t{'answered' if answer else 'no script'}")
    print(f"ticket {number}", file=sys.stderr)
