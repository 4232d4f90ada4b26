// urql, unmodified: queries, fragments, mutations, and its document cache.
// usage: node urql.mjs BASE_URL APP_ID
import assert from 'node:assert/strict';
import { Client, cacheExchange, fetchExchange, gql } from '@urql/core';
import { guest } from './guest.mjs';

const [base, app] = process.argv.slice(2);
const url = `${base}/api/client/v2.0/app/${app}/graphql`;
const access = await guest(base, app);

const requests = [];
const counted = (input, init) => {
  requests.push(init?.method ?? 'GET');
  return fetch(input, init);
};
const client = (options) =>
  new Client({
    url,
    exchanges: [cacheExchange, fetchExchange],
    fetch: counted,
    fetchOptions: () => ({ headers: { authorization: `Bearer ${access}` } }),
    ...options,
  });
const urql = client();

const NAME = gql`fragment Name on Person { _id handle }`;
const PEOPLE = gql`
  query People($limit: Int = 2) {
    people(limit: $limit, sortBy: HANDLE_ASC) { ...Name friends { ...Name ... on Person { best_friend { ...Name } } } }
  }
  ${NAME}
`;
const one = await urql.query(PEOPLE, { limit: 1 });
assert.equal(one.error, undefined);
assert.deepEqual(one.data.people.map(({ _id, handle }) => [_id, handle]), [[1, 'h1']]);
assert.equal(one.data.people[0].__typename, 'Person');
const before = requests.length;
assert.deepEqual((await urql.query(PEOPLE, { limit: 1 })).data, one.data);
assert.equal(requests.length, before, 'the second time it comes from the cache');
assert.equal((await urql.query(PEOPLE, {})).data.people.length, 2, 'the default holds');

const LISTS = gql`query Lists($name: String!) { checklists(query: { quickadd: $name }) { _id done series } }`;
const variables = { name: `urql-${process.pid}` };
const lists = async () => (await urql.query(LISTS, variables, { requestPolicy: 'network-only' })).data.checklists;
const mutate = async (mutation, variables) => {
  const { data, error } = await urql.mutation(mutation, variables);
  assert.equal(error, undefined);
  return data;
};
const inserted = await mutate(
  gql`mutation Insert($data: ChecklistInsertInput!) { insertOneChecklist(data: $data) { _id done } }`,
  { data: { done: false, quickadd: variables.name, series: ['a', 'b'] } },
);
const id = inserted.insertOneChecklist._id;
assert.deepEqual((await lists()).map(({ series }) => series), [['a', 'b']]);
await mutate(
  gql`mutation Update($id: ObjectId!) { updateOneChecklist(query: { _id: $id }, set: { done: true }) { done } }`,
  { id },
);
assert.deepEqual((await lists()).map(({ done }) => done), [true]);
const deleted = await mutate(
  gql`mutation Delete($id: ObjectId!) { deleteOneChecklist(query: { _id: $id }) { _id } }`,
  { id },
);
assert.equal(deleted.deleteOneChecklist._id, id);
assert.deepEqual(await lists(), []);

// Errors: in part of an answer, of a document that does not fit, and of a token that is none.
const partial = await urql.query(gql`query { order_lines { _id qty } }`, {});
assert.ok(partial.data.order_lines.includes(null));
assert.equal(partial.error.graphQLErrors[0].path.at(-1), 'qty');
const misfit = await urql.query(gql`query { nothing }`, {});
assert.ok(misfit.error.graphQLErrors[0].extensions.code);
const nobody = client({ fetchOptions: { headers: { authorization: 'Bearer none' } } });
const denied = await nobody.query(PEOPLE, {});
assert.equal(denied.error.response.status, 401);

// Always by GET, and never.
for (const [preferGetMethod, method] of [['force', 'GET'], [false, 'POST']]) {
  requests.length = 0;
  const other = await client({ preferGetMethod }).query(PEOPLE, { limit: 1 });
  assert.deepEqual(other.data, one.data);
  assert.deepEqual(requests, [method]);
}

console.log('urql: every step as expected');
