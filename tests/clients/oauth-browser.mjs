// Log-in by redirect in a real browser: node oauth-browser.mjs CHROMIUM
// It starts a log-in service and prints its issuer; then it reads the server's base URL and the app's id from its
// standard input, and goes through the log-in as a person with a browser does.
import assert from "node:assert/strict";
import { createInterface } from "node:readline/promises";
import { OAuth2Server } from "oauth2-mock-server";
import puppeteer from "puppeteer-core";

const service = new OAuth2Server();
await service.issuer.keys.generate("RS256");
await service.start(0, "127.0.0.1");
// The name that the server is told to allow.
service.issuer.url = `http://127.0.0.1:${service.address().port}`;
let said = {};
service.service.on("beforeTokenSigning", (token) => Object.assign(token.payload, said));
console.log(`issuer ${service.issuer.url}`);

const [base, app] = (await createInterface({ input: process.stdin })[Symbol.asyncIterator]().next()).value.split(" ");
const api = `${base}/api/client/v2.0`;
const page = `${base}/signed-in`;
const start = (provider) =>
  `${api}/app/${app}/auth/providers/${provider}/login?redirect=${encodeURIComponent(page)}&state=abcdefghijkl`;
const profileOf = async (ua) => {
  const headers = { authorization: `Bearer ${ua.split("$")[0]}` };
  const answer = await fetch(`${api}/auth/profile`, { headers });
  assert.equal(answer.status, 200);
  return answer.json();
};

const launch = () =>
  puppeteer.launch({ executablePath: process.argv[2], headless: true, args: ["--no-sandbox", "--disable-gpu"] });
const browser = await launch();
try {
  const tab = await browser.newPage();
  // The page shows what it found behind the `#`.
  const land = async (url) => {
    await tab.goto("about:blank");
    await tab.goto(url);
    const shown = await tab.$eval("#fragment", (element) => element.textContent);
    const members = Object.fromEntries(new URLSearchParams(shown.slice(1)));
    for (const prefix of ["_baas_", "_stitch_"]) {
      assert.equal(members[`${prefix}client_app_id`], app, shown);
      assert.equal(members[`${prefix}state`], "abcdefghijkl", shown);
      assert.equal(members[`${prefix}ua`], members._baas_ua);
    }
    return members;
  };

  for (const [provider, id] of [["oidc-corp", "person-1"], ["oauth2-google", "person-2"]]) {
    said = { sub: id, email: `${id}@corp.example`, email_verified: true, given_name: "Ada" };
    const { _baas_ua: ua } = await land(start(provider));
    const profile = await profileOf(ua);
    assert.deepEqual(profile.data, { email: said.email, first_name: "Ada" });
    assert.deepEqual(profile.identities.map((each) => [each.provider_type, each.id]), [[provider, id]]);
    assert.equal(profile.user_id, ua.split("$")[2]);
    const again = await land(start(provider));
    assert.equal(again._baas_ua.split("$")[2], profile.user_id, "the same person is the same user");
  }

  // The service lies about the log-in that its token is for.
  said = { sub: "person-1", nonce: "another" };
  const lied = await land(start("oidc-corp"));
  assert.equal(lied._baas_error, "the ID token is not valid");
  assert.equal(lied._baas_ua, undefined);

  // Somebody sends their own half-finished log-in to somebody else, whose browser did not begin it.
  said = { sub: "person-1" };
  const begun = await fetch(start("oidc-corp"), { redirect: "manual" });
  await tab.goto(begun.headers.get("location"));
  const refusal = await tab.evaluate(() => document.body.innerText);
  assert.match(refusal, /not under way in this browser/);
  assert.ok(tab.url().startsWith(`${api}/auth/callback`));

  // A person links an account from a page of the app, as the official client does.
  const login = await fetch(`${api}/app/${app}/auth/providers/anon-user/login`, { method: "POST" });
  const guest = await login.json();
  said = { sub: "person-3", email: "c@corp.example", given_name: "Cy" };
  await tab.goto(page);
  const url = await tab.evaluate(async (from, token) => {
    const headers = { authorization: `Bearer ${token}` };
    const answer = await fetch(`${from}&link=true&providerRedirectHeader=true`, { headers, credentials: "include" });
    return answer.headers.get("x-baas-location");
  }, start("oidc-corp"), guest.access_token);
  const linked = await land(url);
  assert.equal(linked._baas_link, "ok", linked._baas_error);
  const profile = await profileOf(linked._baas_ua);
  assert.equal(profile.user_id, guest.user_id);
  assert.deepEqual(profile.identities.map((each) => each.provider_type), ["anon-user", "oidc-corp"]);

  // A page that is not listed gets nothing.
  const unlisted = await tab.goto(start("oidc-corp").replace("signed-in", "elsewhere"));
  assert.equal(unlisted.status(), 400);
  console.log("oauth: every step as expected");
} finally {
  await browser.close();
  await service.stop();
}
process.exit(0);
