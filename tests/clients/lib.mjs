// What the scripts share: arguments, steps, the mailbox, tokens of a third party.
//
// node SCRIPT [CLIENT] BASE_URL APP_ID [OFFERS], where OFFERS is JSON of what the server has beside log-in:
//   passwords     false: addresses cannot be registered here
//   mailbox       URL of the mailbox (backstitch serve --dev-mailbox); turns on confirmation and reset by mail
//   jwtSecret     the HS256 secret of `custom-token`
//   logIn         true: `custom-function` proves the user that `{ username }` names, and throws for "nobody"
//   apiKeys       true: users may have API keys
//   deletion      true: users may delete themselves
//   linking       true: identities may be added to a user
//   functionsApp  id of an app that confirms and resets by function: addresses that begin with "refused" are
//                 never confirmed, those with "later" at the second call; a reset needs "open sesame"
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";

let counter = 0;

/** An address that nobody has. */
export const fresh = (name = "someone") => `${name}-${process.pid}-${(counter += 1)}@example.test`;

/** What the promise is refused with; a client that tries for ever is a failure, too. */
export async function refusal(promise) {
  const outcome = await Promise.race([
    Promise.resolve(promise).then(() => undefined, (error) => error),
    new Promise((done) => setTimeout(done, 10_000, "late").unref()),
  ]);
  assert.notEqual(outcome, "late", "the client tries again and again");
  assert.ok(outcome, "this should have been refused");
  return outcome;
}

/** The newest mail of a kind to an address. */
export async function mailTo(offers, app, kind, email) {
  const answer = await fetch(`${offers.mailbox}?${new URLSearchParams({ app, kind, email })}`);
  assert.equal(answer.status, 200, `a mail of kind ${kind} to ${email}`);
  const mail = await answer.json();
  assert.equal(mail.email, email);
  assert.ok(mail.token && mail.tokenId && mail.link.includes(mail.tokenId), "token, id and link");
  return mail;
}

/** A JSON Web Token as another service would sign it. */
export function jwt(secret, claims) {
  const now = Math.floor(Date.now() / 1000);
  const part = (json) => Buffer.from(JSON.stringify(json)).toString("base64url");
  const signed = `${part({ alg: "HS256", typ: "JWT" })}.${part({ iat: now - 1, exp: now + 300, ...claims })}`;
  return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
}

/** The payload of a token. */
export const claims = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url").toString());

/** Runs the steps whose condition holds, one after the other. */
export async function run(client, steps) {
  let done = 0;
  for (const [name, wanted, step] of steps) {
    if (!wanted) {
      console.log(`- ${client}: ${name} (not offered)`);
      continue;
    }
    try {
      await step();
    } catch (error) {
      console.error(`✗ ${client}: ${name}`);
      console.error(error);
      process.exit(1);
    }
    console.log(`✓ ${client}: ${name}`);
    done += 1;
  }
  console.log(`${client}: ${done} of ${steps.length} steps as expected`);
  // The Stitch client's timer would keep the process.
  process.exit(0);
}
