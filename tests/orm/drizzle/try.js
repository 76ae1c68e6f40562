const { execFileSync } = require("node:child_process");
const { readFileSync } = require("node:fs");
const { eq } = require("drizzle-orm");
const { assert, TSAI_A, OF_A, OF_B, noOwner, noAccess, tests } = require("./common.js");
const { pool, db, customers, asOwner } = require("./drizzle_app.js");

const names = (transaction) =>
  transaction
    .select({ name: customers.name })
    .from(customers)
    .then((rows) => rows.map(({ name }) => name).sort());
// Drizzle puts the database's error into the cause.
const cause = (work) => work().catch((error) => Promise.reject(error.cause ?? error));

tests(
  [
    async function eachOwnerSeesItsOwn() {
      assert.deepEqual(await asOwner("Company A", names), [...OF_A].sort());
      assert.deepEqual(await asOwner("Company B", names), [...OF_B].sort());
      await noOwner(() => cause(() => names(db)));
      await noAccess(() => cause(() => asOwner("Company C", names)));
    },
    async function aSuiteRollsBack() {
      await assert.rejects(
        asOwner("Company A", async (transaction) => {
          await transaction.insert(customers).values({ name: "Only a test" });
          transaction.rollback();
        }),
        /Rollback/,
      );
      assert.deepEqual(await asOwner("Company A", names), [...OF_A].sort());
    },
    async function aRowIsReadChangedAndWrittenBack() {
      await asOwner("Company A", async (transaction) => {
        const [added] = await transaction
          .insert(customers)
          .values({ name: "Wu", phones: ["0912-000-001"], custom: { Plan: "gold" } })
          .returning();
        assert.deepEqual([added.phones, added.custom], [["0912-000-001"], { Plan: "gold" }]);
        const [written] = await transaction
          .update(customers)
          .set({ ...added, name: "Wu Mei" })
          .where(eq(customers.id, added.id))
          .returning();
        assert.equal(written.name, "Wu Mei");
      });
      const stolen = await asOwner("Company B", (transaction) =>
        transaction.update(customers).set({ name: "stolen" }).where(eq(customers.id, TSAI_A)),
      );
      assert.equal(stolen.rowCount, 0);
    },
    async function theToolLooksAtTheSchema() {
      execFileSync("node_modules/.bin/drizzle-kit", ["pull"], { stdio: "pipe" });
      assert.match(readFileSync("pulled/schema.ts", "utf8"), /app\.view\("customer"/);
    },
  ],
  () => pool.end(),
);
