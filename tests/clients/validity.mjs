// Generated documents with mistakes in them: the server refuses what graphql-js finds invalid, and answers the rest
// as graphql-js does.
// usage: node validity.mjs BASE_URL APP_ID APP_DIRECTORY SDL_FILE [CASES [SEED]]
import { readFileSync } from 'node:fs';
import { parse, validate } from 'graphql';
import { Documents } from './differential/documents.mjs';
import { mistaken } from './differential/mistakes.mjs';
import { oracle } from './differential/oracle.mjs';
import { random } from './differential/random.mjs';
import { guest } from './guest.mjs';
import { server } from './server.mjs';

const [base, app, directory, file, cases = '1000', seed = '1'] = process.argv.slice(2);
const ask = server(base, app, await guest(base, app));
const { schema, run } = oracle(directory, readFileSync(file, 'utf8'));
const choices = random(Number(seed));
const documents = new Documents(schema, choices);

function objections(query) {
  try {
    return validate(schema, parse(query)).map(({ message }) => message);
  } catch (error) {
    return [error.message];
  }
}

const seen = { cases: 0, invalid: 0, refused: 0, differences: 0 };
while (seen.cases < Number(cases)) {
  const request = documents.next();
  if (objections(request.query).length > 0) continue;
  request.query = mistaken(request.query, choices);
  seen.cases += 1;
  const [found, ours] = [objections(request.query), await ask(request)];
  const refused = !('data' in ours);
  if (found.length > 0) seen.invalid += 1;
  if (refused) seen.refused += 1;
  let same = refused;
  if (found.length === 0) {
    const theirs = await run(request);
    same = JSON.stringify(theirs.data ?? null) === JSON.stringify(ours.data ?? null);
  }
  if (same) continue;
  seen.differences += 1;
  if (seen.differences > 5) continue;
  console.error(`--- ${JSON.stringify(request.variables)}\n${request.query}`);
  console.error(`ours:   ${JSON.stringify(ours).slice(0, 600)}\ntheirs: ${found[0] ?? JSON.stringify(await run(request)).slice(0, 600)}`);
}
console.log(`validity: ${JSON.stringify(seen)}`);
process.exit(seen.differences === 0 && seen.invalid * 2 > seen.cases ? 0 : 1);
