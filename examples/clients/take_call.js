#!/usr/bin/env node
// Takes a call: take_call.js LINE CALLER SUBJECT   (pg; connection by the PG* environment variables)
// Whose line it is says the database. All that follows is done for that owner, in one transaction.

const { Client } = require("pg");

async function main(line, caller, subject) {
  const client = new Client();
  await client.connect();
  const row = async (sql, values) => (await client.query(sql, values)).rows[0];
  try {
    const route = await row("SELECT owner_id, owner_name, channel_id, project_id FROM ringfence.route('phone', $1)", [line]);
    if (!route) {
      throw new Error(`${line} is nobody's line`);
    }
    await client.query("BEGIN");
    await client.query("SELECT ringfence.enter($1::uuid, $2::text, 'take_call.js')", [route.owner_id, route.project_id]);
    const customer = await row("SELECT customer_id, name FROM ringfence.find_by_phone($1) LIMIT 1", [caller]);
    const { ticket } = await row("SELECT ringfence.open_ticket($1, $2, channel => $3) AS ticket", [customer?.customer_id, subject, route.channel_id]);
    const { call } = await row(
      "SELECT ringfence.log_interaction('call', customer => $1, ticket => $2, channel => $3, remote_address => $4) AS call",
      [customer?.customer_id, ticket, route.channel_id, caller],
    );
    // The first answer to the first question of the project's script.
    const answer = await row(
      "SELECT form.answer_id FROM ringfence.script CROSS JOIN LATERAL ringfence.script_form(script.id::text) AS form WHERE project_id = $1 LIMIT 1",
      [route.project_id],
    );
    if (answer) {
      await client.query("SELECT ringfence.respond($1, $2, '12')", [call, answer.answer_id]);
    }
    const { number } = await row("SELECT number FROM ringfence.ticket WHERE id = $1", [ticket]);
    await client.query("COMMIT");
    console.log(`${route.owner_name}\t${customer?.name ?? "somebody unknown"}\t${subject}\t${answer ? "answered" : "no script"}`);
    console.error(`ticket ${number}`);
  } finally {
    await client.end();
  }
}

main(...process.argv.slice(2)).catch((error) => {
  console.error(error.message);
  process.exit(1);
});
