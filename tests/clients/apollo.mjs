// Apollo Client, unmodified: queries, fragments, mutations, and its cache, normalised by `__typename` and `_id`.
// usage: node apollo.mjs BASE_URL APP_ID
import assert from 'node:assert/strict';
import { ApolloClient, CombinedGraphQLErrors, HttpLink, InMemoryCache, ServerError, gql } from '@apollo/client';
import { BatchHttpLink } from '@apollo/client/link/batch-http';
import { guest } from './guest.mjs';

const [base, app] = process.argv.slice(2);
const uri = `${base}/api/client/v2.0/app/${app}/graphql`;
const headers = { authorization: `Bearer ${await guest(base, app)}` };

const requests = [];
const counted = (input, init) => {
  requests.push(init?.method ?? 'GET');
  return fetch(input, init);
};
const client = (link) => new ApolloClient({ cache: new InMemoryCache(), link });
const apollo = client(new HttpLink({ uri, headers, fetch: counted }));

// Fragments in fragments, and a cache that knows people by their `_id`.
const PEOPLE = gql`
  fragment Name on Person { _id handle }
  fragment Friends on Person { ...Name friends { ...Name } }
  query People($limit: Int = 2) {
    people(limit: $limit, sortBy: HANDLE_ASC) { ...Friends }
  }
`;
const { data: two } = await apollo.query({ query: PEOPLE });
assert.deepEqual(two.people.map(({ handle }) => handle), ['h1', 'h10']);
assert.ok(two.people.every(({ __typename }) => __typename === 'Person'));
const cached = apollo.cache.extract();
for (const person of [...two.people, ...two.people.flatMap(({ friends }) => friends)]) {
  assert.equal(cached[`Person:${person._id}`].handle, person.handle);
}
const before = requests.length;
const again = await apollo.query({ query: PEOPLE });
assert.deepEqual(again.data, two, 'the second time it comes from the cache');
assert.equal(requests.length, before);
const fromCache = apollo.cache.readFragment({ id: 'Person:1', fragment: gql`fragment One on Person { handle }` });
assert.equal(fromCache.handle, 'h1');

// An insert, an update that a watched query sees by itself, a delete.
const LISTS = gql`query Lists($name: String!) { checklists(query: { quickadd: $name }) { _id done series } }`;
const variables = { name: `apollo-${process.pid}` };
const INSERT = gql`
  mutation Insert($data: ChecklistInsertInput!) { insertOneChecklist(data: $data) { _id done quickadd series } }
`;
const inserted = await apollo.mutate({
  mutation: INSERT,
  variables: { data: { done: false, quickadd: variables.name, series: ['a', 'b'] } },
  refetchQueries: [],
});
const list = inserted.data.insertOneChecklist;
assert.match(list._id, /^[0-9a-f]{24}$/);
assert.ok(apollo.cache.extract()[`Checklist:${list._id}`]);

const emitted = [];
const watched = apollo.watchQuery({ query: LISTS, variables });
const subscription = watched.subscribe(({ data }) => data && emitted.push(data.checklists.map(({ done }) => done)));
assert.deepEqual((await watched.refetch()).data.checklists.map(({ series }) => series), [['a', 'b']]);
const UPDATE = gql`
  mutation Update($id: ObjectId!) {
    updateOneChecklist(query: { _id: $id }, set: { done: true }) { _id done }
  }
`;
const updated = await apollo.mutate({ mutation: UPDATE, variables: { id: list._id } });
assert.equal(updated.data.updateOneChecklist.done, true);
assert.deepEqual(emitted.at(-1), [true], 'the watched query has the new value without a request');
const DELETE = gql`mutation Delete($id: ObjectId!) { deleteOneChecklist(query: { _id: $id }) { _id } }`;
await apollo.mutate({
  mutation: DELETE,
  variables: { id: list._id },
  update: (cache, { data }) => cache.evict({ id: cache.identify(data.deleteOneChecklist) }),
});
assert.deepEqual((await apollo.query({ query: LISTS, variables, fetchPolicy: 'network-only' })).data.checklists, []);
subscription.unsubscribe();

// Errors: in part of an answer, of a document that does not fit, and of a token that is none.
const LINES = gql`query { order_lines { _id qty } }`;
const partial = await apollo.query({ query: LINES, errorPolicy: 'all' });
assert.ok(CombinedGraphQLErrors.is(partial.error) && partial.data.order_lines.includes(null));
assert.equal(partial.error.errors[0].path.at(-1), 'qty');
const refusal = (promise) => promise.then(() => assert.fail('this should be refused'), (error) => error);
const misfit = await refusal(apollo.query({ query: gql`query { nothing }` }));
assert.ok(CombinedGraphQLErrors.is(misfit) && misfit.errors[0].extensions.code, String(misfit));
const nobody = client(new HttpLink({ uri, headers: { authorization: 'Bearer none' } }));
const denied = await refusal(nobody.query({ query: PEOPLE }));
assert.ok(ServerError.is(denied) && denied.statusCode === 401, String(denied));

// Queries by GET, and several operations in one request.
requests.length = 0;
const byGet = client(new HttpLink({ uri, headers, fetch: counted, useGETForQueries: true }));
assert.deepEqual((await byGet.query({ query: PEOPLE })).data, two);
assert.deepEqual(requests, ['GET']);
requests.length = 0;
const batched = client(new BatchHttpLink({ uri, headers, fetch: counted, batchInterval: 20 }));
const [first, second] = await Promise.all([
  batched.query({ query: PEOPLE, variables: { limit: 1 } }),
  batched.query({ query: PEOPLE, variables: { limit: 2 } }),
]);
assert.deepEqual([first.data.people.length, second.data.people.length], [1, 2]);
assert.deepEqual(requests, ['POST']);

apollo.stop();
console.log('apollo: every step as expected');
