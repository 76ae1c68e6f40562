const { assert, TSAI_A, OF_A, OF_B, noOwner, noAccess, tests } = require("./common.js");
const { pool, asOwner, rename } = require("./node_postgres.js");

const names = (client) =>
  client
    .query('SELECT name FROM app.customer ORDER BY name COLLATE "C"')
    .then(({ rows }) => rows.map(({ name }) => name));

tests(
  [
    async function eachOwnerSeesItsOwn() {
      assert.deepEqual(await asOwner("Company A", names), OF_A);
      assert.deepEqual(await asOwner("Company B", names), OF_B);
      await noOwner(() => pool.query("SELECT name FROM app.customer"));
      await noAccess(() => asOwner("Company C", names));
      // Many requests at once on few connections.
      const asked = Array.from({ length: 40 }, (_, i) => asOwner(i % 2 ? "Company A" : "Company B", names));
      (await Promise.all(asked)).forEach((found, i) => assert.deepEqual(found, i % 2 ? OF_A : OF_B));
    },
    async function aFailureRollsBackAndFreesTheConnection() {
      await assert.rejects(
        asOwner("Company A", async (client) => {
          await client.query("INSERT INTO app.customer (name) VALUES ('Only a test')");
          await client.query("SELECT 1 / 0");
        }),
        /division by zero/,
      );
      assert.deepEqual(await asOwner("Company A", names), OF_A);
    },
    async function aRowIsReadChangedAndWrittenBack() {
      const [added] = await asOwner(
        "Company A",
        async (client) =>
          (
            await client.query("INSERT INTO app.customer (name, phones, custom) VALUES ($1, $2, $3) RETURNING *", [
              "Wu",
              ["0912-000-001"],
              { Plan: "gold" },
            ])
          ).rows,
      );
      await rename("Company A", added.id, "Wu Mei");
      // The whole row, with dates that lost their microseconds in JavaScript.
      await asOwner("Company A", async (client) => {
        const {
          rows: [row],
        } = await client.query("SELECT * FROM app.customer WHERE id = $1", [added.id]);
        row.custom.Plan = "silver";
        const columns = Object.keys(row);
        const set = columns.map((column, i) => `${column} = $${i + 1}`).join(", ");
        const written = await client.query(
          `UPDATE app.customer SET ${set} WHERE id = $1 RETURNING custom`,
          Object.values(row),
        );
        assert.equal(columns[0], "id");
        assert.deepEqual(written.rows, [{ custom: { Plan: "silver" } }]);
      });
      assert.equal((await rename("Company B", TSAI_A, "stolen")).rowCount, 0);
    },
  ],
  () => pool.end(),
);
