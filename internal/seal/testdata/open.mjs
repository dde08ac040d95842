// Opens an age file with the npm package age-encryption. Arguments: the folder with
// node_modules, the identity's text, the file. Writes the plaintext.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [at, identity, file] = process.argv.slice(2);
const { Decrypter } = await import(pathToFileURL(createRequire(at + "/").resolve("age-encryption")));
const d = new Decrypter();
d.addIdentity(identity);
process.stdout.write(await d.decrypt(readFileSync(file)));
