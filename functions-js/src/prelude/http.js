// The HTTP service: a request of the original's shape, sent by the host if it allows it.

const encode = encodeURIComponent;
const pairs = (members) =>
  Object.entries(members ?? {}).flatMap(([name, values]) =>
    [].concat(values).map((value) => encode(name) + '=' + encode(String(value))));

const urlOf = (request) => {
  const query = pairs(request.query).join('&');
  if (request.url !== undefined) {
    const url = String(request.url);
    return query === '' ? url : url + (url.includes('?') ? '&' : '?') + query;
  }
  if (request.host === undefined) throw new TypeError('an HTTP request needs a `url`, or a `host`');
  const path = String(request.path ?? '');
  const start = (request.scheme ?? 'http') + '://' + request.host + (path.startsWith('/') || path === '' ? '' : '/') + path;
  return query === '' ? start : start + '?' + query;
};

const bodyOf = (request, headers) => {
  const typed = headers.some(([name]) => name.toLowerCase() === 'content-type');
  if (request.form !== undefined && request.body === undefined) {
    if (!typed) headers.push(['Content-Type', 'application/x-www-form-urlencoded']);
    return pairs(request.form).join('&');
  }
  if (request.encodeBodyAsJSON) {
    if (!typed) headers.push(['Content-Type', 'application/json']);
    return host.stringify(codec, request.body ?? null, true, 0);
  }
  if (request.body === undefined || request.body === null) return '';
  if (typeof request.body === 'string') return request.body;
  if (Object(request.body) === request.body && (binaryOf(request.body) || ArrayBuffer.isView(request.body))) {
    return new Binary(request.body);
  }
  throw new TypeError('the body of an HTTP request is a text or a Binary; use `encodeBodyAsJSON` for objects');
};

const send = async (method, given) => {
  const request = typeof given === 'string' ? { url: given } : given ?? {};
  if (request.digestAuth) throw new Error('`digestAuth` of HTTP requests is not supported');
  const headers = Object.entries({ ...request.headers, ...request.authHeaders }).flatMap(([name, values]) =>
    [].concat(values).map((value) => [name, String(value)]));
  if (request.cookies) headers.push(['Cookie', Object.entries(request.cookies).map((pair) => pair.join('=')).join('; ')]);
  if (request.username !== undefined) {
    const login = host.utf8(request.username + ':' + (request.password ?? ''));
    headers.push(['Authorization', 'Basic ' + login]);
  }
  const body = bodyOf(request, headers);
  return ask('fetch', method, urlOf(request), [headers, body]);
};

const http = {};
for (const method of ['get', 'post', 'put', 'patch', 'delete', 'head']) {
  http[method] = (request) => send(method.toUpperCase(), request);
}
