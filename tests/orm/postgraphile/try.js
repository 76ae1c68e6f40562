const http = require("node:http");
const { Pool } = require("pg");
const { assert, TSAI_A, OF_A, OF_B, tests } = require("./common.js");

const pool = new Pool();
const served = require("./postgraphile_app.js")(pool, {
  disableQueryLog: true,
  graphiql: false,
  retryOnInitFail: false,
});
const server = http.createServer((request, response) => {
  // An authentication of this test's own.
  request.user = { owner: decodeURIComponent(request.headers["x-test-owner"]) };
  served(request, response);
});

async function ask(owner, query, variables = {}) {
  const answer = await fetch(`http://127.0.0.1:${server.address().port}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-test-owner": encodeURIComponent(owner) },
    body: JSON.stringify({ query, variables }),
  });
  return answer.json();
}

const names = async (owner) =>
  (await ask(owner, "{ allCustomers { nodes { name } } }")).data.allCustomers.nodes.map(({ name }) => name).sort();

tests(
  [
    () => new Promise((listening) => server.listen(0, "127.0.0.1", listening)),
    async function eachOwnerSeesItsOwn() {
      assert.deepEqual(await names("Company A"), [...OF_A].sort());
      assert.deepEqual(await names("Company B"), [...OF_B].sort());
      const refused = await ask("Company C", "{ allCustomers { nodes { name } } }");
      assert.match(JSON.stringify(refused.errors), /has no access to owner/);
    },
    async function aCustomerIsWrittenAndReadAgain() {
      const added = await ask(
        "Company A",
        'mutation ($custom: JSON) { createCustomer(input: { customer: { name: "Wu", phones: ["0912-000-001"], custom: $custom } }) { customer { id name } } }',
        { custom: { Plan: "gold" } },
      );
      assert.equal(added.errors, undefined, JSON.stringify(added));
      const { id } = added.data.createCustomer.customer;
      const read = await ask(
        "Company A",
        "query ($id: UUID!) { allCustomers(condition: { id: $id }) { nodes { name custom phones } } }",
        { id },
      );
      assert.deepEqual(read.data.allCustomers.nodes, [
        { name: "Wu", custom: { Plan: "gold" }, phones: ["0912-000-001"] },
      ]);
      const changed = await ask(
        "Company A",
        'mutation ($id: UUID!) { updateCustomerById(input: { id: $id, customerPatch: { name: "Wu Mei" } }) { customer { name } } }',
        { id },
      );
      assert.equal(changed.data?.updateCustomerById?.customer?.name, "Wu Mei", JSON.stringify(changed));
      const stolen = await ask(
        "Company B",
        'mutation ($id: UUID!) { updateCustomerById(input: { id: $id, customerPatch: { name: "stolen" } }) { customer { name } } }',
        { id: TSAI_A },
      );
      assert.equal(stolen.data.updateCustomerById, null);
    },
  ],
  async () => {
    server.close();
    server.closeAllConnections();
    await served.release?.();
    await pool.end();
    process.exit(process.exitCode);
  },
);
