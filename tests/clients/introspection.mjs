// graphql-js makes a client's schema from our introspection: it is valid, and it is the SDL's.
// usage: node introspection.mjs BASE_URL APP_ID SDL_FILE
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import {
  buildClientSchema,
  buildSchema,
  getIntrospectionQuery,
  lexicographicSortSchema,
  printSchema,
  validateSchema,
} from 'graphql';
import { guest } from './guest.mjs';
import { server } from './server.mjs';

const [base, app, file] = process.argv.slice(2);
const ask = server(base, app, await guest(base, app));
const printed = (schema) => printSchema(lexicographicSortSchema(schema));

const fromSdl = buildSchema(readFileSync(file, 'utf8'));
assert.deepEqual(validateSchema(fromSdl), []);

const everything = {
  specifiedByUrl: true,
  directiveIsRepeatable: true,
  schemaDescription: true,
  inputValueDeprecation: true,
  oneOf: true,
};
for (const options of [{}, everything, { descriptions: false }]) {
  const answer = await ask({ query: getIntrospectionQuery(options) });
  assert.equal(answer.errors, undefined, JSON.stringify(answer.errors));
  const schema = buildClientSchema(answer.data);
  assert.deepEqual(validateSchema(schema), []);
  assert.equal(printed(schema), printed(fromSdl));
}
const types = Object.keys(fromSdl.getTypeMap()).filter((name) => !name.startsWith('__'));
console.log(`introspection: ${types.length} types, the same as in the SDL`);
