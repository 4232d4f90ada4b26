// The public audit of GraphQL over HTTP: every one of its points has to be ok.
// usage: node graphql-over-http.mjs BASE_URL APP_ID
import { serverAudits } from 'graphql-http';
import { guest } from './guest.mjs';

const [base, app] = process.argv.slice(2);
const access = await guest(base, app);
const url = `${base}/api/client/v2.0/app/${app}/graphql`;
const fetchFn = (input, init = {}) =>
  fetch(input, { ...init, headers: { ...init.headers, authorization: `Bearer ${access}` } });

const audits = serverAudits({ url, fetchFn });
const failed = [];
for (const audit of audits) {
  const result = await audit.fn();
  if (result.status !== 'ok') failed.push(`${result.status} ${audit.id} ${audit.name}: ${result.reason}`);
}
console.log(`${audits.length - failed.length} of ${audits.length} audits ok`);
if (failed.length > 0) {
  console.error(failed.join('\n'));
  process.exit(1);
}
