// realm-web 2.x, unmodified, against a running server: node realm-web.mjs BASE_URL APP_ID
import assert from "node:assert/strict";
import * as Realm from "realm-web";
import { refusal } from "./lib.mjs";

const [baseUrl, id] = process.argv.slice(2);
const app = new Realm.App({ id, baseUrl });

const graphql = (token, query) =>
  fetch(`${baseUrl}/api/client/v2.0/app/${id}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify({ query }),
  });

// An anonymous user logs in, reads its profile, refreshes and logs out.
const guest = await app.logIn(Realm.Credentials.anonymous(false));
assert.match(guest.id, /^[0-9a-f]{24}$/);
assert.match(guest.deviceId, /^[0-9a-f]{24}$/);
assert.equal(guest.profile.type ?? "normal", "normal");
assert.equal(guest.identities[0].providerType, "anon-user");
const before = guest.accessToken;
await guest.refreshCustomData();
assert.ok(guest.accessToken && guest.refreshToken);
assert.deepEqual(guest.customData, {});
assert.equal((await graphql(guest.accessToken, "{ __typename }")).status, 200);
const dying = guest.accessToken;
await guest.logOut();
assert.equal((await graphql(dying, "{ __typename }")).status, 401, "a log-out ends the access token at once");
assert.equal((await graphql(before, "{ __typename }")).status, 401);

// A person registers, is refused with a wrong password, logs in twice from one device.
const email = `someone-${process.pid}@example.test`;
await app.emailPasswordAuth.registerUser({ email, password: "correct horse" });
const taken = await refusal(app.emailPasswordAuth.registerUser({ email, password: "correct horse" }));
assert.equal(taken.statusCode, 409);
assert.equal(taken.errorCode, "AccountNameInUse");
assert.equal(taken.error, "name already in use");
const wrong = await refusal(app.logIn(Realm.Credentials.emailPassword(email, "battery staple")));
assert.equal(wrong.statusCode, 401);
assert.equal(wrong.errorCode, "InvalidPassword");
assert.equal(wrong.error, "unauthorized");
const unknown = await refusal(app.logIn(Realm.Credentials.emailPassword(`no-${email}`, "battery staple")));
assert.deepEqual([unknown.statusCode, unknown.errorCode, unknown.error], [401, "InvalidPassword", "unauthorized"]);
const person = await app.logIn(Realm.Credentials.emailPassword(email, "correct horse"));
assert.equal(person.profile.email, email);
assert.equal(person.identities[0].providerType, "local-userpass");
const device = person.deviceId;
const user = person.id;
await person.logOut();
const again = await app.logIn(Realm.Credentials.emailPassword(email, "correct horse"));
assert.equal(again.id, user, "the same credential is the same user");
assert.equal(again.deviceId, device, "the device stays the same");

// An access token that is refused is refreshed behind the scenes.
again.accessToken = `${again.accessToken.split(".").slice(0, 2).join(".")}.AAAA`;
await again.refreshProfile();
assert.equal(again.profile.email, email);
const answer = await graphql(again.accessToken, "{ __typename }");
assert.deepEqual(await answer.json(), { data: { __typename: "Query" } });
assert.equal(answer.headers.get("content-type"), "application/json");
const nobody = await graphql(undefined, "{ __typename }");
assert.equal(nobody.status, 401);
assert.deepEqual(await nobody.json(), { error: "must authenticate first", error_code: "MissingAuthReq" });
await again.logOut();

// A provider that is not there.
const absent = await refusal(app.logIn(Realm.Credentials.apiKey("nope")));
assert.equal(absent.statusCode, 404);
assert.equal(absent.errorCode, "AuthProviderNotFound");

console.log("realm-web: every step as expected");
