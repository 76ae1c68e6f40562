const { assert, TSAI_A, OF_A, OF_B, noOwner, noAccess, tests } = require("./common.js");
const { dataSource, Customer, asOwner } = require("./typeorm_app.js");

const names = (customers) =>
  customers
    .find()
    .then((rows) => rows.map(({ name }) => name).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));

tests(
  [
    () => dataSource.initialize(),
    async function eachOwnerSeesItsOwn() {
      assert.deepEqual(await asOwner("Company A", names), OF_A);
      assert.deepEqual(await asOwner("Company B", names), OF_B);
      await noOwner(() => dataSource.getRepository(Customer).find());
      await noAccess(() => asOwner("Company C", names));
    },
    async function aSuiteRollsBack() {
      await assert.rejects(
        asOwner("Company A", async (customers, manager) => {
          await customers.save({ name: "Only a test" });
          await manager.transaction(async (inner) => {
            await inner.query("SELECT ringfence.enter($1)", ["Company A"]);
            assert.equal(await inner.countBy(Customer, { name: "Only a test" }), 1);
          });
          throw new Error("rolled back");
        }),
        /rolled back/,
      );
      assert.deepEqual(await asOwner("Company A", names), OF_A);
    },
    async function aRowIsReadChangedAndWrittenBack() {
      const { id } = await asOwner("Company A", (customers) =>
        customers.save({ name: "Wu", phones: ["0912-000-001"], custom: { Plan: "gold" } }),
      );
      await asOwner("Company A", async (customers) => {
        const read = await customers.findOneByOrFail({ id });
        assert.deepEqual([read.custom, read.phones], [{ Plan: "gold" }, ["0912-000-001"]]);
        read.name = "Wu Mei";
        read.custom.Plan = "silver";
        await customers.save(read);
        const again = await customers.findOneByOrFail({ id });
        assert.deepEqual([again.name, again.custom], ["Wu Mei", { Plan: "silver" }]);
        assert(again.updatedAt > again.createdAt);
      });
      const { affected } = await asOwner("Company B", (customers) => customers.update(TSAI_A, { name: "stolen" }));
      assert.equal(affected, 0);
    },
  ],
  () => dataSource.destroy(),
);
