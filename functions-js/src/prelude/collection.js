// A collection as functions of the original see it. Every operation is a call of the service with one argument
// document, as clients send it; whose rules hold is the host's business.

const pending = { __proto__: null };
const ask = (kind, name, method, args) =>
  new Promise((resolve, reject) => {
    pending[host.ask(codec, kind, name, method, args)] = [resolve, reject];
  });

// Options that change nothing here: how servers are talked to, and how long.
const HARMLESS = ['maxTimeMS', 'comment', 'hint', 'writeConcern', 'readConcern', 'readPreference', 'ordered'];

const checkOptions = (operation, options, known) => {
  for (const name of Object.keys(options ?? {})) {
    if (!known.includes(name) && !HARMLESS.includes(name)) {
      throw new Error('the option `' + name + '` of ' + operation + ' is not supported');
    }
  }
  return options ?? {};
};

const needDocument = (operation, what, value) => {
  if (Object(value) !== value) throw new TypeError(operation + ' needs ' + what);
  return value;
};

// Without the members that were not given: an absent one and a null are not the same to the service.
const given = (members) => {
  const kept = {};
  for (const name of Object.keys(members)) if (members[name] !== undefined) kept[name] = members[name];
  return kept;
};

// What `find` and `aggregate` give: asked for when it is awaited, and only once.
class Cursor {
  #run;
  #options = {};
  #found;
  #at = 0;
  constructor(run, options = {}) {
    this.#run = run;
    this.#options = options;
  }
  #set(name, value) {
    if (this.#found !== undefined) throw new Error('the cursor was read already');
    this.#options[name] = value;
    return this;
  }
  sort(order) { return this.#set('sort', order); }
  limit(count) { return this.#set('limit', count); }
  skip(count) { return this.#set('skip', count); }
  toArray() { return (this.#found ??= this.#run(this.#options)); }
  async next() {
    const found = await this.toArray();
    return this.#at < found.length ? found[this.#at++] : null;
  }
  async hasNext() { return this.#at < (await this.toArray()).length; }
  async forEach(visit) { for (const document of await this.toArray()) await visit(document); }
  async map(change) { return (await this.toArray()).map((document) => change(document)); }
  async *[Symbol.asyncIterator]() { yield* await this.toArray(); }
  then(resolve, reject) { return this.toArray().then(resolve, reject); }
  catch(reject) { return this.toArray().catch(reject); }
  finally(end) { return this.toArray().finally(end); }
}

const numbers = (result, ...names) => {
  for (const name of names) if (Object(result[name]) === result[name]) result[name] = Number(result[name]);
  return result;
};

class Collection {
  #call;
  constructor(service, database, collection) {
    this.name = collection;
    this.#call = (operation, members) => ask('service', service, operation, [{ database, collection, ...given(members) }]);
  }

  find(query, project, options) {
    const { sort, limit, skip } = checkOptions('find', options, ['sort', 'limit', 'skip', 'projection']);
    project ??= options?.projection;
    return new Cursor(({ sort, limit, skip }) => {
      // A limit of zero is none.
      const wanted = Number(limit) > 0 ? Number(limit) : undefined;
      return this.#call('find', { query: query ?? {}, project: project ?? undefined, sort, limit: wanted, skip });
    }, given({ sort, limit, skip }));
  }
  async findOne(query, project, options) {
    const { sort, projection } = checkOptions('findOne', options, ['sort', 'projection', 'limit']);
    return this.#call('findOne', { query: query ?? {}, project: project ?? projection ?? undefined, sort });
  }
  async count(query, options) {
    const { limit } = checkOptions('count', options, ['limit']);
    return Number(await this.#call('count', { query: query ?? {}, limit }));
  }
  aggregate(pipeline, options) {
    checkOptions('aggregate', options, ['allowDiskUse', 'cursor']);
    if (!Array.isArray(pipeline)) throw new TypeError('aggregate needs a pipeline');
    return new Cursor(({ sort, limit, skip }) => {
      const more = [];
      if (sort !== undefined) more.push({ $sort: sort });
      if (skip !== undefined) more.push({ $skip: skip });
      if (limit !== undefined) more.push({ $limit: limit });
      return this.#call('aggregate', { pipeline: [...pipeline, ...more] });
    });
  }
  async distinct() {
    throw new Error('distinct is not supported: use aggregate with $group');
  }

  async insertOne(document, options) {
    checkOptions('insertOne', options, []);
    return this.#call('insertOne', { document: needDocument('insertOne', 'a document', document) });
  }
  async insertMany(documents, options) {
    checkOptions('insertMany', options, []);
    if (!Array.isArray(documents)) throw new TypeError('insertMany needs an array of documents');
    return this.#call('insertMany', { documents });
  }
  async #update(operation, query, update, options) {
    const { upsert, arrayFilters } = checkOptions(operation, options, ['upsert', 'arrayFilters']);
    needDocument(operation, 'a query', query);
    needDocument(operation, 'an update', update);
    const result = await this.#call(operation, { query, update, upsert, arrayFilters });
    return numbers(result, 'matchedCount', 'modifiedCount');
  }
  updateOne(query, update, options) { return this.#update('updateOne', query, update, options); }
  updateMany(query, update, options) { return this.#update('updateMany', query, update, options); }
  async #delete(operation, query, options) {
    checkOptions(operation, options, []);
    return numbers(await this.#call(operation, { query: needDocument(operation, 'a query', query) }), 'deletedCount');
  }
  deleteOne(query, options) { return this.#delete('deleteOne', query, options); }
  deleteMany(query, options) { return this.#delete('deleteMany', query, options); }

  async #findOneAnd(operation, filter, update, options) {
    const known = ['upsert', 'sort', 'projection', 'returnNewDocument', 'returnDocument', 'returnOriginal', 'arrayFilters'];
    const { upsert, sort, projection, arrayFilters, ...rest } = checkOptions(operation, options, known);
    needDocument(operation, 'a filter', filter);
    const after = rest.returnNewDocument || rest.returnDocument === 'after' || rest.returnOriginal === false;
    const returnNewDocument = after ? true : undefined;
    return this.#call(operation, { filter, update, projection, sort, upsert, arrayFilters, returnNewDocument });
  }
  findOneAndUpdate(filter, update, options) { return this.#findOneAnd('findOneAndUpdate', filter, update, options); }
  findOneAndReplace(filter, update, options) { return this.#findOneAnd('findOneAndReplace', filter, update, options); }
  findOneAndDelete(filter, options) { return this.#findOneAnd('findOneAndDelete', filter, undefined, options); }

  // One after the other, up to the first that fails.
  async bulkWrite(operations, options) {
    checkOptions('bulkWrite', options, []);
    const counts = { insertedCount: 0, matchedCount: 0, modifiedCount: 0, deletedCount: 0, upsertedCount: 0 };
    for (const operation of operations) {
      const [name, ...others] = Object.keys(operation);
      if (others.length > 0 || !['insertOne', 'updateOne', 'updateMany', 'replaceOne', 'deleteOne', 'deleteMany'].includes(name)) {
        throw new Error('bulkWrite does not know the operation `' + [name, ...others].join('`, `') + '`');
      }
      const { document, filter, update, replacement, ...settings } = operation[name];
      if (name === 'insertOne') {
        await this.insertOne(document);
        counts.insertedCount += 1;
      } else if (name.startsWith('delete')) {
        counts.deletedCount += (await this[name](filter)).deletedCount;
      } else {
        const method = name === 'updateMany' ? 'updateMany' : 'updateOne';
        const result = await this.#update(method, filter, replacement ?? update, settings);
        counts.matchedCount += result.matchedCount;
        counts.modifiedCount += result.modifiedCount;
        if (result.upsertedId !== undefined) counts.upsertedCount += 1;
      }
    }
    return counts;
  }
}
