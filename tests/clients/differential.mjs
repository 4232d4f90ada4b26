// The same generated documents over the same data, by graphql-js and by the server: the same `data`, key by key,
// and errors at the same paths.
// usage: node differential.mjs BASE_URL APP_ID APP_DIRECTORY SDL_FILE [CASES [SEED]]
import { readFileSync } from 'node:fs';
import { parse, validate } from 'graphql';
import { Documents } from './differential/documents.mjs';
import { oracle } from './differential/oracle.mjs';
import { random } from './differential/random.mjs';
import { guest } from './guest.mjs';
import { server } from './server.mjs';

const [base, app, directory, file, cases = '1000', seed = '1'] = process.argv.slice(2);
const ask = server(base, app, await guest(base, app));
const { schema, run } = oracle(directory, readFileSync(file, 'utf8'));
const documents = new Documents(schema, random(Number(seed)));

const paths = (answer) => JSON.stringify((answer.errors ?? []).map(({ path }) => JSON.stringify(path)).sort());
const data = (answer) => JSON.stringify(answer.data ?? null);
const seen = { cases: 0, invalid: 0, errors: 0, null: 0, bytes: 0, differences: 0 };

while (seen.cases < Number(cases)) {
  const request = documents.next();
  if (validate(schema, parse(request.query)).length > 0) {
    seen.invalid += 1;
    continue;
  }
  const [ours, theirs] = [await ask(request), await run(request)];
  seen.cases += 1;
  seen.bytes += data(theirs).length;
  if (theirs.errors) seen.errors += 1;
  if (!theirs.data) seen.null += 1;
  if (data(ours) === data(theirs) && paths(ours) === paths(theirs)) continue;
  seen.differences += 1;
  if (seen.differences > 5) continue;
  console.error(`--- ${JSON.stringify(request.variables)}\n${request.query}`);
  console.error(`ours:   ${JSON.stringify(ours)}\ntheirs: ${JSON.stringify(theirs)}`);
}
console.log(`differential: ${JSON.stringify(seen)}`);
// Documents that test little would be a defect of the generator.
const telling = seen.invalid < seen.cases && seen.errors * 10 > seen.cases && seen.errors < seen.cases;
process.exit(seen.differences === 0 && telling ? 0 : 1);
