// Validates CSAF documents with @secvisogram/csaf-validator-lib: the schema and
// the mandatory tests. Arguments: the folder with node_modules, then files. Prints
// one line for each error; exits 1 if there is one.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [at, ...files] = process.argv.slice(2);
const from = (name) => import(pathToFileURL(createRequire(at + "/").resolve(name)));
const lib = "@secvisogram/csaf-validator-lib/";
const validate = (await from(lib + "validate.js")).default;
const tests = [...Object.values(await from(lib + "schemaTests.js")), ...Object.values(await from(lib + "mandatoryTests.js"))];
let bad = 0;
for (const file of files) {
  const result = await validate(tests, JSON.parse(readFileSync(file, "utf8")));
  for (const test of result.tests) {
    for (const e of test.errors) console.log(`${file}: ${test.name}: ${e.instancePath} ${e.message}`);
  }
  if (!result.isValid) bad++;
}
console.log(`${files.length} documents, ${tests.length} tests, ${bad} not valid`);
process.exit(bad ? 1 : 0);
