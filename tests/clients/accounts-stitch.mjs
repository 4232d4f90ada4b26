// Every account method of mongodb-stitch-server-sdk 4.9, unmodified: node accounts-stitch.mjs BASE_URL APP_ID [OFFERS]
import assert from "node:assert/strict";
import stitch from "mongodb-stitch-server-sdk";
import { fresh, jwt, mailTo, refusal, run } from "./lib.mjs";

const {
  AnonymousCredential, CustomCredential, FunctionCredential, MemoryStorage, ServerApiKeyCredential, Stitch,
  StitchAppClientConfiguration, UserApiKeyAuthProviderClient, UserApiKeyCredential,
  UserPasswordAuthProviderClient, UserPasswordCredential,
} = stitch;
const [baseUrl, id, json = "{}"] = process.argv.slice(2);
const offers = JSON.parse(json);
const password = "correct horse";
let opened = 0;

/** A client of its own, with nothing remembered. */
function open(appId = id) {
  // The registry of clients allows one for each app.
  Stitch.clearApps();
  const storage = new MemoryStorage(`${appId}-${(opened += 1)}`);
  const config = new StitchAppClientConfiguration.Builder().withBaseUrl(baseUrl).withStorage(storage);
  return Stitch.initializeAppClient(appId, config.build());
}
const passwords = (client) => client.auth.getProviderClient(UserPasswordAuthProviderClient.factory);
const keys = (client) => client.auth.getProviderClient(UserApiKeyAuthProviderClient.factory);
const told = ({ errorCodeName, message }) => [errorCodeName, message];
const emails = passwords(open());
const types = (user) => user.identities.map((identity) => identity.providerType).sort();

async function person(email = fresh()) {
  await emails.registerWithEmail(email, password);
  if (offers.mailbox) {
    const { token, tokenId } = await mailTo(offers, id, "confirm", email);
    await emails.confirmUser(token, tokenId);
  }
  return email;
}
const by = (credential, client = open()) => client.auth.loginWithCredential(credential);
const logIn = (email, secret = password, client = open()) => by(new UserPasswordCredential(email, secret), client);

await run("stitch", [
  ["an anonymous user logs in, is used again, refreshes and logs out", true, async () => {
    const client = open();
    const guest = await by(new AnonymousCredential(), client);
    assert.match(guest.id, /^[0-9a-f]{24}$/);
    assert.equal(guest.userType, "normal");
    assert.deepEqual(types(guest), ["anon-user"]);
    assert.equal((await by(new AnonymousCredential(), client)).id, guest.id);
    await client.auth.refreshCustomData();
    assert.deepEqual(client.auth.user.customData ?? {}, {});
    await client.auth.logout();
    assert.equal(client.auth.isLoggedIn, false);
  }],

  ["an address is registered and logs in", offers.passwords ?? true, async () => {
    const email = await person();
    const user = await logIn(email);
    assert.equal(user.profile.email, email);
    assert.equal((await logIn(email)).id, user.id);
    const taken = await refusal(emails.registerWithEmail(email, password));
    assert.equal(taken.message, "name already in use");
    const short = await refusal(emails.registerWithEmail(fresh(), "12345"));
    assert.equal(short.message, "password must be between 6 and 128 characters");
    for (const [who, secret] of [[email, "battery staple"], [fresh(), password]]) {
      assert.equal((await refusal(logIn(who, secret))).message, "unauthorized");
    }
  }],

  ["a mail confirms, once, and can be sent again", offers.mailbox, async () => {
    const email = fresh();
    await emails.registerWithEmail(email, password);
    assert.equal((await refusal(logIn(email))).message, "confirmation required");
    await emails.resendConfirmationEmail(email);
    const { token, tokenId } = await mailTo(offers, id, "confirm", email);
    assert.equal((await refusal(emails.confirmUser("nonsense", tokenId))).message, "invalid token data");
    await emails.confirmUser(token, tokenId);
    assert.equal((await logIn(email)).profile.email, email);
    await refusal(emails.confirmUser(token, tokenId));
    assert.equal((await refusal(emails.resendConfirmationEmail(email))).message, "already confirmed");
    const unknown = await refusal(emails.resendConfirmationEmail(fresh()));
    assert.deepEqual(told(unknown), ["UserNotFound", "user not found"]);
  }],

  ["a mail resets the password, once, and ends every session", offers.mailbox, async () => {
    const email = await person();
    const client = open();
    const before = await logIn(email, password, client);
    await emails.sendResetPasswordEmail(email);
    const { token, tokenId } = await mailTo(offers, id, "reset", email);
    await refusal(emails.resetPassword("nonsense", tokenId, "battery staple"));
    await emails.resetPassword(token, tokenId, "battery staple");
    await refusal(emails.resetPassword(token, tokenId, "battery staple"));
    assert.equal((await refusal(logIn(email))).message, "unauthorized");
    assert.equal((await logIn(email, "battery staple")).id, before.id);
    assert.equal((await refusal(client.auth.refreshCustomData())).errorCodeName, "InvalidSession");
    assert.equal((await refusal(emails.sendResetPasswordEmail(fresh()))).errorCodeName, "UserNotFound");
    await refusal(emails.callResetPasswordFunction(email, password, []));
  }],

  ["a function confirms and resets", offers.functionsApp, async () => {
    const there = open(offers.functionsApp);
    const auth = passwords(there);
    const email = fresh();
    await auth.registerWithEmail(email, password);
    const user = await logIn(email, password, there);
    const refused = fresh("refused");
    assert.equal((await refusal(auth.registerWithEmail(refused, password))).message, `failed to confirm user "${refused}"`);
    const closed = await refusal(auth.callResetPasswordFunction(email, "battery staple", ["open barley"]));
    assert.equal(closed.message, `failed to reset password for user "${email}"`);
    await auth.callResetPasswordFunction(email, "battery staple", ["open sesame"]);
    assert.equal((await logIn(email, "battery staple", open(offers.functionsApp))).id, user.id);
    assert.equal((await refusal(auth.sendResetPasswordEmail(email))).message, "please use reset password via function");
  }],

  ["API keys are made, listed, switched, used and deleted by their owner", offers.apiKeys, async () => {
    const client = open();
    const user = await logIn(await person(), password, client);
    const mine = keys(client);
    const made = await mine.createApiKey("phone");
    assert.ok(made.key);
    assert.deepEqual([made.name, made.disabled], ["phone", false]);
    const shown = await mine.fetchApiKey(made.id);
    assert.deepEqual([shown.id.toHexString(), shown.name, shown.key], [made.id.toHexString(), "phone", undefined]);
    assert.equal((await mine.fetchApiKeys()).length, 1);
    assert.equal((await refusal(mine.createApiKey("phone"))).errorCodeName, "ApiKeyAlreadyExists");
    assert.equal((await by(new UserApiKeyCredential(made.key))).id, user.id);
    // User and server keys come in by the same provider.
    assert.equal((await by(new ServerApiKeyCredential(made.key))).id, user.id);
    await mine.disableApiKey(made.id);
    assert.equal((await mine.fetchApiKey(made.id)).disabled, true);
    assert.notEqual((await refusal(by(new UserApiKeyCredential(made.key)))).errorCodeName, "InvalidSession");
    await mine.enableApiKey(made.id);
    assert.equal((await by(new UserApiKeyCredential(made.key))).id, user.id);
    await mine.deleteApiKey(made.id);
    assert.deepEqual(await mine.fetchApiKeys(), []);
    await refusal(by(new UserApiKeyCredential(made.key)));
    assert.deepEqual(told(await refusal(mine.fetchApiKey(made.id))), ["ApiKeyNotFound", "API key not found"]);
  }],

  ["a token of another service logs in", offers.jwtSecret, async () => {
    const token = (more, secret = offers.jwtSecret) => jwt(secret, { aud: id, sub: fresh("ada"), ...more });
    const sub = fresh("ada");
    const user = await by(new CustomCredential(token({ sub, email: "ada@other.test" })));
    assert.equal(user.profile.email, "ada@other.test");
    assert.deepEqual(types(user), ["custom-token"]);
    assert.equal((await by(new CustomCredential(token({ sub })))).id, user.id);
    for (const bad of [token({}, "another-secret-that-is-long-enough"), token({ aud: "another-app" })]) {
      assert.notEqual((await refusal(by(new CustomCredential(bad)))).errorCodeName, "InvalidSession");
    }
  }],

  ["a function of the app logs in", offers.logIn, async () => {
    const name = fresh("ada");
    const user = await by(new FunctionCredential({ username: name }));
    assert.deepEqual(types(user), ["custom-function"]);
    assert.equal((await by(new FunctionCredential({ username: name }))).id, user.id);
    const refused = await refusal(by(new FunctionCredential({ username: "nobody" })));
    assert.notEqual(refused.errorCodeName, "InvalidSession");
  }],

  ["a guest becomes a registered user, and a taken identity stays where it is", offers.linking, async () => {
    const email = await person();
    const guest = await by(new AnonymousCredential());
    const wrong = await refusal(guest.linkWithCredential(new UserPasswordCredential(email, "battery staple")));
    assert.equal(wrong.message, "invalid username/password");
    const linked = await guest.linkWithCredential(new UserPasswordCredential(email, password));
    assert.deepEqual([linked.id, types(linked)], [guest.id, ["anon-user", "local-userpass"]]);
    assert.equal((await logIn(email)).id, guest.id);
    const client = open();
    const other = await by(new AnonymousCredential(), client);
    const taken = await refusal(other.linkWithCredential(new UserPasswordCredential(email, password)));
    assert.notEqual(taken.errorCodeName, "InvalidSession");
    assert.ok(client.auth.isLoggedIn, "a refused link is no reason to log out");
  }],

  ["users are listed, switched, logged out and removed", offers.passwords ?? true, async () => {
    const client = open();
    const one = await by(new AnonymousCredential(), client);
    const two = await logIn(await person(), password, client);
    assert.equal(client.auth.user.id, two.id);
    assert.deepEqual(client.auth.listUsers().map((user) => user.id).sort(), [one.id, two.id].sort());
    client.auth.switchToUserWithId(one.id);
    assert.equal(client.auth.user.id, one.id);
    await client.auth.logoutUserWithId(two.id);
    await client.auth.removeUserWithId(two.id);
    assert.deepEqual(client.auth.listUsers().map((user) => user.id), [one.id]);
    await client.auth.removeUser();
    assert.deepEqual(client.auth.listUsers(), []);
  }],
]);
