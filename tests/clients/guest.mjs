/** The access token of a guest, by fetch alone. */
export async function guest(base, app) {
  const url = `${base}/api/client/v2.0/app/${app}/auth/providers/anon-user/login`;
  const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' });
  if (!answer.ok) throw new Error(`no guest: ${answer.status} ${await answer.text()}`);
  return (await answer.json()).access_token;
}
