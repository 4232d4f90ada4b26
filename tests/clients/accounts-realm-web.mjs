// Every account method of realm-web, unmodified: node accounts-realm-web.mjs realm-web|realm-web-1 BASE_URL APP_ID [OFFERS]
import assert from "node:assert/strict";
import { claims, fresh, jwt, mailTo, refusal, run } from "./lib.mjs";

const [client, baseUrl, id, json = "{}"] = process.argv.slice(2);
const offers = JSON.parse(json);
const Realm = await import(client);
const { Credentials } = Realm;
const password = "correct horse";
const open = (appId = id) => new Realm.App({ id: appId, baseUrl });
const told = ({ statusCode, errorCode, error }) => [statusCode, errorCode, error];
const app = open();
// realm-web 1.x repeats every 401 to a request with a user for ever, whatever its code: a defect of that release,
// which it had against the original too. Refused links are 401 there and here, so 1.x is not shown any.
const survivesRefusedLinks = client !== "realm-web-1";

/** Registers an address and, where that goes by mail, confirms it. */
async function person(email = fresh()) {
  await app.emailPasswordAuth.registerUser({ email, password });
  if (offers.mailbox) {
    const { token, tokenId } = await mailTo(offers, id, "confirm", email);
    await app.emailPasswordAuth.confirmUser({ token, tokenId });
  }
  return email;
}
const logIn = (email, secret = password, at = open()) => at.logIn(Credentials.emailPassword(email, secret));

await run(client, [
  ["an anonymous user logs in, is used again, refreshes and logs out", true, async () => {
    const guest = await app.logIn(Credentials.anonymous());
    assert.match(guest.id, /^[0-9a-f]{24}$/);
    assert.equal(guest.state, "active");
    assert.deepEqual(guest.identities.map((identity) => identity.providerType), ["anon-user"]);
    assert.deepEqual(guest.profile, {});
    // 2.x keeps its guest, 1.x makes a new one.
    const again = await app.logIn(Credentials.anonymous());
    assert.equal(again.id === guest.id, client === "realm-web");
    assert.deepEqual(await guest.refreshCustomData(), {});
    await guest.logOut();
    assert.equal(guest.state, "logged-out");
    await guest.logOut();
  }],

  ["an address is registered and logs in", offers.passwords ?? true, async () => {
    const email = await person();
    const user = await logIn(email);
    assert.equal(user.profile.email, email);
    assert.equal(claims(user.accessToken).baas_device_id, user.deviceId);
    const again = await logIn(email);
    assert.deepEqual([again.id, again.deviceId], [user.id, user.deviceId]);
    const taken = await refusal(app.emailPasswordAuth.registerUser({ email, password }));
    assert.deepEqual(told(taken), [409, "AccountNameInUse", "name already in use"]);
    const short = await refusal(app.emailPasswordAuth.registerUser({ email: fresh(), password: "12345" }));
    assert.deepEqual([short.statusCode, short.error], [400, "password must be between 6 and 128 characters"]);
    for (const [who, secret] of [[email, "battery staple"], [fresh(), password]]) {
      assert.deepEqual(told(await refusal(logIn(who, secret))), [401, "InvalidPassword", "unauthorized"]);
    }
  }],

  ["a mail confirms, once, and can be sent again", offers.mailbox, async () => {
    const auth = app.emailPasswordAuth;
    const email = fresh();
    await auth.registerUser({ email, password });
    const pending = await refusal(logIn(email));
    assert.deepEqual(told(pending), [401, "AuthError", "confirmation required"]);
    assert.equal((await refusal(logIn(email, "battery staple"))).errorCode, "InvalidPassword");
    await mailTo(offers, id, "confirm", email);
    await auth.resendConfirmationEmail({ email });
    const { token, tokenId } = await mailTo(offers, id, "confirm", email);
    for (const bad of [{ token: "nonsense", tokenId }, { token, tokenId: "000000000000000000000000" }]) {
      const refused = await refusal(auth.confirmUser(bad));
      assert.deepEqual([refused.statusCode, refused.error], [400, "invalid token data"]);
    }
    await auth.confirmUser({ token, tokenId });
    assert.equal((await logIn(email)).profile.email, email);
    assert.equal((await refusal(auth.confirmUser({ token, tokenId }))).statusCode, 400);
    const again = await refusal(auth.resendConfirmationEmail({ email }));
    assert.deepEqual([again.statusCode, again.error], [400, "already confirmed"]);
    const unknown = await refusal(auth.resendConfirmationEmail({ email: fresh() }));
    assert.deepEqual(told(unknown), [404, "UserNotFound", "user not found"]);
    // There is no function to run here.
    assert.equal((await refusal(auth.retryCustomConfirmation({ email }))).statusCode, 400);
  }],

  ["a mail resets the password, once, and ends every session", offers.mailbox, async () => {
    const auth = app.emailPasswordAuth;
    const email = await person();
    const before = await logIn(email);
    await auth.sendResetPasswordEmail({ email });
    const old = await mailTo(offers, id, "reset", email);
    await auth.sendResetPasswordEmail({ email });
    const { token, tokenId } = await mailTo(offers, id, "reset", email);
    const reset = (details) => auth.resetPassword({ token, tokenId, password: "battery staple", ...details });
    const earlier = { token: old.token, tokenId: old.tokenId };
    for (const bad of [{ token: "nonsense" }, { tokenId: old.tokenId }, earlier, { password: "12345" }]) {
      assert.equal((await refusal(reset(bad))).statusCode, 400);
    }
    await reset();
    assert.equal((await refusal(reset())).statusCode, 400, "a token is good for one time");
    assert.equal((await refusal(logIn(email))).errorCode, "InvalidPassword");
    assert.equal((await logIn(email, "battery staple")).id, before.id);
    const ended = await refusal(before.refreshCustomData());
    assert.deepEqual([ended.statusCode, ended.errorCode], [401, "InvalidSession"]);
    assert.equal((await refusal(auth.sendResetPasswordEmail({ email: fresh() }))).errorCode, "UserNotFound");
    assert.equal((await refusal(auth.callResetPasswordFunction({ email, password }))).statusCode, 400);
  }],

  ["a function confirms and resets", offers.functionsApp, async () => {
    const there = open(offers.functionsApp);
    const auth = there.emailPasswordAuth;
    const email = fresh();
    await auth.registerUser({ email, password });
    const user = await logIn(email, password, there);
    const refusedAddress = fresh("refused");
    const refused = await refusal(auth.registerUser({ email: refusedAddress, password }));
    assert.deepEqual([refused.statusCode, refused.error], [400, `failed to confirm user "${refusedAddress}"`]);
    const later = fresh("later");
    await auth.registerUser({ email: later, password });
    assert.equal((await refusal(logIn(later, password, there))).errorCode, "AuthError");
    await auth.retryCustomConfirmation({ email: later });
    assert.equal((await logIn(later, password, there)).profile.email, later);
    const unknown = await refusal(auth.retryCustomConfirmation({ email: fresh() }));
    assert.equal(unknown.errorCode, "UserNotFound");

    const by = (word) => auth.callResetPasswordFunction({ email, password: "battery staple" }, word);
    const closed = await refusal(by("open barley"));
    assert.deepEqual([closed.statusCode, closed.error], [400, `failed to reset password for user "${email}"`]);
    await by("open sesame");
    assert.equal((await logIn(email, "battery staple", there)).id, user.id);
    assert.equal((await refusal(logIn(email, password, there))).errorCode, "InvalidPassword");
    const mail = await refusal(auth.sendResetPasswordEmail({ email }));
    assert.deepEqual([mail.statusCode, mail.error], [400, "please use reset password via function"]);
  }],

  ["API keys are made, listed, switched, used and deleted by their owner", offers.apiKeys, async () => {
    const user = await logIn(await person());
    const made = await user.apiKeys.create("phone");
    assert.deepEqual(Object.keys(made).sort(), ["_id", "disabled", "key", "name"]);
    assert.deepEqual([typeof made._id, made.name, made.disabled], ["string", "phone", false]);
    const shown = { _id: made._id, name: "phone", disabled: false };
    assert.deepEqual(await user.apiKeys.fetch(made._id), shown);
    assert.deepEqual(await user.apiKeys.fetchAll(), [shown]);
    const twin = await refusal(user.apiKeys.create("phone"));
    assert.deepEqual([twin.statusCode, twin.errorCode], [409, "APIKeyAlreadyExists"]);

    const byKey = () => open().logIn(Credentials.apiKey(made.key));
    const other = await byKey();
    assert.equal(other.id, user.id, "a user's key logs in as that user");
    await refusal(other.apiKeys.create("by a key"));
    await user.apiKeys.disable(made._id);
    assert.deepEqual(await user.apiKeys.fetch(made._id), { ...shown, disabled: true });
    const off = await refusal(byKey());
    assert.equal(off.statusCode, 401);
    assert.notEqual(off.errorCode, "InvalidSession");
    await user.apiKeys.enable(made._id);
    assert.equal((await byKey()).id, user.id);

    const stranger = await logIn(await person());
    for (const action of ["fetch", "enable", "disable", "delete"]) {
      const refused = await refusal(stranger.apiKeys[action](made._id));
      assert.deepEqual(told(refused), [404, "APIKeyNotFound", "API key not found"], action);
    }
    assert.deepEqual(await stranger.apiKeys.fetchAll(), []);
    await user.apiKeys.delete(made._id);
    assert.deepEqual(await user.apiKeys.fetchAll(), []);
    assert.equal((await refusal(byKey())).statusCode, 401);
    assert.equal((await refusal(user.apiKeys.delete(made._id))).errorCode, "APIKeyNotFound");
  }],

  ["a token of another service logs in", offers.jwtSecret, async () => {
    const token = (more, secret = offers.jwtSecret) => jwt(secret, { aud: id, sub: fresh("ada"), ...more });
    const by = (text) => open().logIn(Credentials.jwt(text));
    const sub = fresh("ada");
    const user = await by(token({ sub, email: "ada@other.test" }));
    assert.equal(user.profile.email, "ada@other.test");
    assert.equal(user.identities[0].providerType, "custom-token");
    assert.equal((await by(token({ sub }))).id, user.id);
    assert.notEqual((await by(token({}))).id, user.id);
    const past = Math.floor(Date.now() / 1000) - 60;
    for (const bad of [token({}, "another-secret-that-is-long-enough"), token({ aud: "another-app" }), token({ exp: past }), "a.b.c"]) {
      const refused = await refusal(by(bad));
      assert.equal(refused.statusCode, 401);
      assert.notEqual(refused.errorCode, "InvalidSession");
    }
  }],

  ["a function of the app logs in", offers.logIn, async () => {
    const by = (username) => open().logIn(Credentials.function({ username, attempt: 1 }));
    const name = fresh("ada");
    const user = await by(name);
    assert.equal(user.identities[0].providerType, "custom-function");
    assert.equal((await by(name)).id, user.id);
    assert.notEqual((await by(fresh("bob"))).id, user.id);
    const refused = await refusal(by("nobody"));
    assert.equal(refused.statusCode, 401);
    assert.notEqual(refused.errorCode, "InvalidSession");
  }],

  ["a guest becomes a registered user, and a taken identity stays where it is", offers.linking, async () => {
    const email = await person();
    const guest = await open().logIn(Credentials.anonymous(false));
    if (survivesRefusedLinks) {
      const wrong = await refusal(guest.linkCredentials(Credentials.emailPassword(email, "battery staple")));
      assert.deepEqual(told(wrong), [401, "InvalidPassword", "invalid username/password"]);
    }
    await guest.linkCredentials(Credentials.emailPassword(email, password));
    assert.deepEqual(guest.identities.map(({ providerType }) => providerType).sort(), ["anon-user", "local-userpass"]);
    assert.equal(guest.profile.email, email);
    assert.equal((await logIn(email)).id, guest.id);
    await guest.refreshCustomData();

    const other = await open().logIn(Credentials.anonymous(false));
    if (survivesRefusedLinks) {
      const taken = await refusal(other.linkCredentials(Credentials.emailPassword(email, password)));
      assert.notEqual(taken.errorCode, "InvalidSession");
      assert.ok(taken.statusCode >= 400 && taken.statusCode < 500);
    }
    await other.refreshProfile();
    assert.deepEqual(other.identities.map(({ providerType }) => providerType), ["anon-user"]);
  }],

  ["users are switched, removed and deleted", offers.passwords ?? true, async () => {
    const here = open();
    const email = await person();
    const one = await here.logIn(Credentials.anonymous(false));
    const two = await logIn(email, password, here);
    assert.equal(here.currentUser.id, two.id);
    here.switchUser(one);
    assert.equal(here.currentUser.id, one.id);
    await here.removeUser(one);
    assert.equal(one.state, "removed");
    assert.equal(here.currentUser.id, two.id);
    assert.equal(here.allUsers[one.id], undefined);
    if (!offers.deletion) {
      return;
    }
    const bystander = await logIn(email);
    await here.deleteUser(two);
    assert.equal(here.allUsers[two.id], undefined);
    assert.deepEqual(told(await refusal(logIn(email))), [401, "InvalidPassword", "unauthorized"]);
    assert.equal((await refusal(bystander.refreshCustomData())).errorCode, "InvalidSession");
    assert.notEqual((await logIn(await person(email))).id, two.id, "the address is free again");
  }],
]);
