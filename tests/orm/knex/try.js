const { assert, TSAI_A, OF_A, OF_B, noOwner, noAccess, tests } = require("./common.js");
const { knex, asOwner, customers, add, save } = require("./knex_app.js");

const names = (transaction) => customers(transaction).orderByRaw('name COLLATE "C"').pluck("name");

tests(
  [
    async function eachOwnerSeesItsOwn() {
      assert.deepEqual(await asOwner("Company A", names), OF_A);
      assert.deepEqual(await asOwner("Company B", names), OF_B);
      await noOwner(() => knex("app.customer").pluck("name"));
      await noAccess(() => asOwner("Company C", names));
    },
    async function aSuiteRollsBack() {
      await assert.rejects(
        asOwner("Company A", async (transaction) => {
          await customers(transaction).insert({ name: "Only a test" });
          // A savepoint, and the owner entered again in it.
          await transaction.transaction(async (inner) => {
            await inner.raw("SELECT ringfence.enter(?)", ["Company A"]);
            assert.equal((await customers(inner).where({ name: "Only a test" })).length, 1);
          });
          throw new Error("rolled back");
        }),
        /rolled back/,
      );
      assert.deepEqual(await asOwner("Company A", names), OF_A);
    },
    async function aRowIsReadChangedAndWrittenBack() {
      const added = await add("Company A", { name: "Wu", phones: ["0912-000-001"], custom: { Plan: "gold" } });
      assert.deepEqual(added.custom, { Plan: "gold" });
      await asOwner("Company A", async (transaction) => {
        const row = await customers(transaction).where({ id: added.id }).first();
        const written = await customers(transaction)
          .where({ id: row.id })
          .update({ ...row, name: "Wu Mei" })
          .returning("name");
        assert.deepEqual(written, [{ name: "Wu Mei" }]);
      });
      assert.equal(
        await asOwner("Company B", (transaction) =>
          customers(transaction).where({ id: TSAI_A }).update({ name: "stolen" }),
        ),
        0,
      );
    },
    async function aCustomerIsInsertedOrUpdated() {
      await assert.rejects(
        asOwner("Company A", (transaction) => customers(transaction).insert({ name: "Wu" }).onConflict().ignore()),
        ({ hint }) => /save_customer/.test(hint),
      );
      const saved = await save("Company A", { name: "Lin", phones: ["0912-000-002"] }, "phone");
      assert.equal(saved.action, "inserted");
      const again = await save("Company A", { phones: ["+886 912 000 002"], address: "Taipei" }, "phone");
      assert.deepEqual(again, { customer_id: saved.customer_id, action: "updated" });
    },
  ],
  () => knex.destroy(),
);
