#!/usr/bin/env node
// Finds customers of one owner: find_customer.js OWNER QUERY   (pg; connection by the PG* environment variables)

const { Client } = require("pg");

async function main(owner, query) {
  const client = new Client();
  await client.connect();
  try {
    // The owner is bound for one transaction, and is gone when it ends.
    await client.query("BEGIN");
    await client.query("SELECT ringfence.enter($1)", [owner]);
    const found = await client.query("SELECT name, phones FROM ringfence.search_customers($1)", [query]);
    await client.query("COMMIT");
    for (const { name, phones } of found.rows) {
      console.log(`${name}\t${phones.join(", ")}`);
    }
  } finally {
    await client.end();
  }
}

main(...process.argv.slice(2)).catch((error) => {
  console.error(error.message);
  process.exit(1);
});
