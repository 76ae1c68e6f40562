// What the programs for Node.js share. They may write in any order: each recipe has a database of its own.
const assert = require("node:assert");

const TSAI_A = "a0000000-0000-0000-0000-000000000001";
const OF_A = ["Chen Wei", "Tsai Mei-Ling", "蔡美玲"];
const OF_B = ["Tsai Mei-Ling", "Łukasz Kowalski"];

const noOwner = (work) => assert.rejects(work, /no owner is selected/);
const noAccess = (work) => assert.rejects(work, /has no access to owner/);

// Runs the tests one after another; any failure fails the program.
async function tests(list, close) {
  try {
    for (const test of list) {
      await test();
    }
  } finally {
    await close();
  }
}

module.exports = { assert, TSAI_A, OF_A, OF_B, noOwner, noAccess, tests };
