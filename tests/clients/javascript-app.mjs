// An app whose log-in, confirmation, reset, user creation, trigger, rule and resolvers are JavaScript, by realm-web and
// Apollo Client, both unmodified: node javascript-app.mjs BASE_URL APP_ID
import assert from "node:assert/strict";
import { ApolloClient, HttpLink, InMemoryCache, gql } from "@apollo/client";
import * as Realm from "realm-web";
import { refusal } from "./lib.mjs";

const [baseUrl, id] = process.argv.slice(2);
const app = new Realm.App({ id, baseUrl });

// Log-in by a function; its user has the document that the creation function wrote, in the first token.
const refused = await refusal(app.logIn(Realm.Credentials.function({})));
assert.equal(refused.statusCode, 401);
const card = await app.logIn(Realm.Credentials.function({ card: `7-${process.pid}` }));
assert.deepEqual([card.customData.greeting, card.customData.banned], ["hello", false]);
const again = await app.logIn(Realm.Credentials.function({ card: `7-${process.pid}` }));
assert.equal(again.id, card.id, "the same card is the same user");

// Registration by a function, and a new password by another.
const email = `ada-${process.pid}@example.test`;
const { emailPasswordAuth } = app;
const stranger = `eve-${process.pid}@elsewhere.test`;
const denied = await refusal(emailPasswordAuth.registerUser({ email: stranger, password: "correct horse" }));
assert.equal(denied.statusCode, 400);
await emailPasswordAuth.registerUser({ email, password: "correct horse" });
const reset = (...answer) => emailPasswordAuth.callResetPasswordFunction({ email, password: "battery staple" }, ...answer);
assert.equal((await refusal(reset("red"))).statusCode, 400);
await reset("blue");
assert.equal((await refusal(app.logIn(Realm.Credentials.emailPassword(email, "correct horse")))).statusCode, 401);
const ada = await app.logIn(Realm.Credentials.emailPassword(email, "battery staple"));

// The trigger has counted the log-in, some time after the answer.
for (let attempt = 0; ada.customData.logIns !== 1 && attempt < 200; attempt += 1) {
  await new Promise((resume) => setTimeout(resume, 20));
  await ada.refreshCustomData();
}
assert.deepEqual([ada.customData.logIns, ada.customData.last], [1, "LOGIN"]);

// Functions that call functions, as the user.
const told = await ada.functions.whoAmI();
assert.deepEqual(told, { id: ada.id, greeting: "hello, 24", system: false, app: "javascript" });
assert.equal((await refusal(ada.functions.mayTrade(ada.id))).errorCode, "FunctionNotFound");

// Data under a rule that is a function, by the data service and by GraphQL.
const orders = (user) => user.mongoClient("mongodb-atlas").db("shop").collection("orders");
await orders(ada).insertMany([
  { owner: ada.id, item: "tea", quantity: 2 },
  { owner: ada.id, item: "tea", quantity: 3 },
]);
assert.equal((await orders(card).find()).length, 0, "others' orders are not seen");
const link = new HttpLink({
  uri: `${baseUrl}/api/client/v2.0/app/${id}/graphql`,
  headers: { authorization: `Bearer ${ada.accessToken}` },
});
const apollo = new ApolloClient({ cache: new InMemoryCache(), link });
const { data } = await apollo.query({
  query: gql`{ orderTotal(input: "tea") orders(sortBy: QUANTITY_ASC) { _id quantity description } }`,
});
assert.equal(data.orderTotal, 5);
assert.deepEqual(data.orders.map(({ description }) => description), ["2 x tea", "3 x tea"]);

console.log("an app in JavaScript: every step as expected");
