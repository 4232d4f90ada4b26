// `context`, `console` and the life of one call.

const service = (name) => {
  const known = {
    ...http,
    db: (database) => ({
      name: database,
      collection: (collection) => new Collection(name, String(database), String(collection)),
      getCollection: (collection) => new Collection(name, String(database), String(collection)),
    }),
    startSession() { throw new Error('sessions and transactions are not supported'); },
  };
  return new Proxy(known, {
    get: (target, member) => {
      if (typeof member !== 'string' || Object.hasOwn(target, member) || member === 'then' || member === 'toJSON') {
        return target[member];
      }
      return () => { throw new Error('the service `' + name + '` has no `' + member + '` here'); };
    },
  });
};

const context = {
  values: { get: (name) => host.value(codec, String(name)) },
  functions: { execute: (name, ...args) => ask('function', String(name), '', args) },
  services: { get: (name) => service(String(name)) },
  http,
  runningAsSystem: () => host.runsAsSystem(),
};
// What is not asked for is not built.
for (const name of ['user', 'request', 'environment', 'app']) {
  Object.defineProperty(context, name, {
    configurable: true,
    enumerable: true,
    get: () => (context[name] = host.about(codec, name)),
    set: (value) => Object.defineProperty(context, name, { value, writable: true, enumerable: true }),
  });
}

const show = (value) => {
  if (typeof value === 'string') return value;
  if (value instanceof Error) return value.stack ? String(value) + '\n' + value.stack : String(value);
  if (Object(value) !== value || typeof value === 'function') return String(value);
  try {
    return host.stringify(codec, value, true, 0);
  } catch {
    return String(value);
  }
};
const console = {};
for (const level of ['debug', 'log', 'info', 'warn', 'error']) {
  console[level] = (...values) => host.log(level, values.map(show).join(' ').toWellFormed());
}

const require = (name) => {
  throw new Error('the module `' + name + '` is not there: functions have no modules here');
};

const exported = (unit) => {
  const module = { exports: {} };
  const first = module.exports;
  const [named, whole] = unit(first, module, require);
  const found = whole !== first ? whole : named;
  if (typeof found === 'function') return found;
  if (typeof found?.default === 'function') return found.default;
  throw new TypeError('the source exports no function');
};

const start = async (unit, args) => await exported(unit)(...args);

const settle = (id, failed, value) => {
  const [resolve, reject] = pending[id];
  delete pending[id];
  if (!failed) return resolve(value);
  const error = new Error(value.message);
  if (value.error_code !== null) error.error_code = value.error_code;
  return reject(error);
};

// What was thrown, as texts: the message, the stack, and something if there was no memory left; null is what is thrown
// where there was none for an error.
const failure = (thrown) => {
  if (thrown === null) return ['the function threw null, or had no memory left', '', 'memory'];
  if (!(thrown instanceof Error)) return [show(thrown), '', ''];
  const message = String(thrown.message);
  return [message, String(thrown.stack ?? ''), message === 'out of memory' ? 'memory' : ''];
};

Math.random = () => host.random();
for (const [name, value] of Object.entries({ context, console, BSON, EJSON })) {
  Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
}
// Memory that is counted nowhere, and a way to wait for ever.
delete globalThis.SharedArrayBuffer;
delete globalThis.Atomics;

return { codec, start, settle, failure };
