// The same app by graphql-js: the SDL's schema with resolvers over the documents of the app directory.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSchema, getNamedType, graphql, isObjectType } from 'graphql';
import { compare, decode, equals, isGreater, isObject, strictScalars } from './values.mjs';

const COLLECTIONS = {
  Checklist: 'checklists',
  Entity: 'entities',
  History_incident: 'incidents',
  Mouse: 'mice',
  Mouse2: 'more_mice',
  Order_line: 'order_lines',
  Person: 'people',
  Report: 'reports',
  Taxa: 'kinds',
};

/** GraphQL name → key in the document, where they differ. */
const STORED = {
  AllegedDeployerOfAISystem: 'Alleged deployer of AI system',
  UnitPrice: 'Unit price',
  dModel: '3d-model',
  patron: 'sponsor',
  tat: 'état',
};
const storedName = (name) => STORED[name] ?? name;

/** The schema, and a function that runs a request on it. */
export function oracle(directory, sdl) {
  const schema = buildSchema(sdl);
  const documents = {};
  for (const collection of Object.values(COLLECTIONS)) {
    const lines = readFileSync(join(directory, `data/mongodb-atlas/shop/${collection}.jsonl`), 'utf8');
    documents[collection] = lines.trim().split('\n').map((line) => decode(JSON.parse(line)));
  }
  strictScalars(schema);
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__') || type === schema.getQueryType()) continue;
    type.isTypeOf = isObject;
    for (const field of Object.values(type.getFields())) {
      field.resolve = (source) => source[storedName(field.name)];
    }
  }
  for (const [type, collection] of Object.entries(COLLECTIONS)) {
    relate(schema.getType(type), directory, collection, documents);
  }
  for (const field of Object.values(schema.getQueryType().getFields())) {
    const all = documents[COLLECTIONS[getNamedType(field.type).name]];
    const isList = field.args.length > 1;
    field.resolve = (_, args) => (isList ? find(all, args) : find(all, args)[0]);
  }
  const run = (request) =>
    graphql({
      schema,
      source: request.query,
      variableValues: request.variables,
      operationName: request.operationName,
    });
  return { schema, run };
}

function relate(root, directory, collection, documents) {
  const file = join(directory, `data_sources/mongodb-atlas/shop/${collection}/relationships.json`);
  for (const [path, relation] of Object.entries(JSON.parse(readFileSync(file, 'utf8')))) {
    const steps = path.split('.');
    if (steps.includes('[]')) continue;
    const key = steps.pop();
    const named = (type, step) =>
      Object.values(type.getFields()).find((field) => storedName(field.name) === step);
    const type = steps.reduce((type, step) => getNamedType(named(type, step).type), root);
    const targets = documents[relation.ref.split('/').pop()];
    const of = (value) =>
      value === null || value === undefined || Array.isArray(value)
        ? []
        : targets.filter((target) => equals(target[relation.foreign_key], value));
    named(type, key).resolve = relation.is_list
      ? (source) => (Array.isArray(source[key]) ? source[key] : [source[key]]).flatMap(of)
      : (source) => of(source[key])[0];
  }
}

function find(all, { query, sortBy, limit }) {
  const found = all.filter((document) => matches(document, query ?? {}));
  if (sortBy) {
    const descending = sortBy.endsWith('_DESC');
    const wanted = sortBy.replace(/_(ASC|DESC)$/, '');
    const keys = new Set(all.flatMap(Object.keys));
    const names = Object.fromEntries(Object.entries(STORED).map(([name, stored]) => [stored, name]));
    const key = [...keys].find((key) => (names[key] ?? key).toUpperCase() === wanted);
    const edge = (value) => {
      if (!Array.isArray(value)) return value;
      const sorted = [...value].sort(compare);
      return descending ? sorted.at(-1) : sorted[0];
    };
    const order = (left, right) => compare(edge(left[key]), edge(right[key]));
    found.sort((left, right) => (descending ? order(right, left) : order(left, right)));
  }
  return found.slice(0, limit ?? 100);
}

function matches(document, query) {
  return Object.entries(query).every(([name, wanted]) => {
    if (name === 'AND') return wanted.every((query) => matches(document, query));
    if (name === 'OR') return wanted.some((query) => matches(document, query));
    const [, field, operator] = /^(.*?)(_in|_gt)?$/.exec(name);
    const stored = document[storedName(field)];
    if (operator === '_in') return wanted.some((value) => equals(stored, value));
    if (operator === '_gt') return isGreater(stored, wanted);
    return equals(stored, wanted);
  });
}
