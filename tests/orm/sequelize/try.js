const { assert, TSAI_A, OF_A, OF_B, noOwner, noAccess, tests } = require("./common.js");
const { sequelize, Customer, asOwner } = require("./sequelize_app.js");

const names = (transaction) =>
  Customer.findAll({ order: [sequelize.literal('name COLLATE "C"')], transaction }).then((rows) =>
    rows.map(({ name }) => name),
  );

tests(
  [
    async function eachOwnerSeesItsOwn() {
      assert.deepEqual(await asOwner("Company A", names), OF_A);
      assert.deepEqual(await asOwner("Company B", names), OF_B);
      await noOwner(() => Customer.findAll());
      await noAccess(() => asOwner("Company C", names));
    },
    async function aSuiteRollsBack() {
      await assert.rejects(
        asOwner("Company A", async (transaction) => {
          await Customer.create({ name: "Only a test" }, { transaction });
          await sequelize.transaction({ transaction }, async (inner) => {
            await sequelize.query("SELECT ringfence.enter($1)", { bind: ["Company A"], transaction: inner });
            assert.equal(await Customer.count({ where: { name: "Only a test" }, transaction: inner }), 1);
          });
          throw new Error("rolled back");
        }),
        /rolled back/,
      );
      assert.deepEqual(await asOwner("Company A", names), OF_A);
    },
    async function aRowIsReadChangedAndWrittenBack() {
      const { id } = await asOwner("Company A", (transaction) =>
        Customer.create({ name: "Wu", phones: ["0912-000-001"], custom: { Plan: "gold" } }, { transaction }),
      );
      await asOwner("Company A", async (transaction) => {
        const read = await Customer.findByPk(id, { transaction });
        assert.deepEqual([read.custom, read.phones], [{ Plan: "gold" }, ["0912-000-001"]]);
        read.name = "Wu Mei";
        read.custom = { ...read.custom, Plan: "silver" };
        await read.save({ transaction });
        await read.reload({ transaction });
        assert.deepEqual([read.name, read.custom], ["Wu Mei", { Plan: "silver" }]);
        assert(read.updated_at >= read.created_at);
      });
      const [count] = await asOwner("Company B", (transaction) =>
        Customer.update({ name: "stolen" }, { where: { id: TSAI_A }, transaction }),
      );
      assert.equal(count, 0);
    },
  ],
  () => sequelize.close(),
);
