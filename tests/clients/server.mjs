/** Sends GraphQL requests to an app and gives their answers. */
export function server(base, app, access) {
  const url = `${base}/api/client/v2.0/app/${app}/graphql`;
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${access}` };
  return async (request) => {
    const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(request) });
    if (answer.status !== 200) throw new Error(`status ${answer.status}: ${await answer.text()}`);
    return answer.json();
  };
}
