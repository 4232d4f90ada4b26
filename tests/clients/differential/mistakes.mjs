// Documents with a mistake in them, more often than not: one node of a document that fits is changed.
import { Kind, parse, print, visit } from 'graphql';

const name = (value) => ({ kind: Kind.NAME, value });
const field = (text) => parse(`{ ${text} }`).definitions[0].selectionSet.selections[0];
const directive = (text) => field(`x ${text}`).directives[0];
const value = (text) => field(`x(y: ${text})`).arguments[0].value;
const definitions = (text) => parse(text).definitions;

const LITERALS = ['1', '1.5', '"a"', 'true', 'null', '[1]', '["a", null]', '{}', '{_id: 1}', 'NAME', '$v1', '$nothing'];
const TYPES = ['Int', 'Int!', 'String', '[Int]', '[Int!]!', 'Boolean', 'Long', 'Nothing', 'Person', 'PersonQueryInput'];
const NAMES = ['_id', 'name', 'handle', 'friends', 'nothing', '__typename', '__schema', 'a_name', 'toString'];
const CONDITIONS = ['Person', 'Report', 'Query', 'Mutation', 'PersonQueryInput', 'Int', 'Nothing'];
const DIRECTIVES = ['@skip(if: true)', '@include(if: 1)', '@skip', '@include(if: null)', '@deprecated', '@nothing'];
const ADDED = [
  'query { __typename }',
  'query Q { __typename }',
  'fragment Unused on Person { _id }',
  'fragment F1 on Person { _id }',
  'fragment Loop on Person { friends { ...Loop } }',
  'mutation M { nothing }',
  'subscription S { nothing }',
  'type T { a: Int }',
];

/** Mistakes by the kind of node that they are made in; `undefined` leaves the node as it is. */
const MISTAKES = {
  [Kind.FIELD]: [
    (node, random) => ({ ...node, name: name(random.pick(NAMES)) }),
    (node, random) => ({ ...node, alias: name(random.pick(NAMES)) }),
    (node) => ({ ...node, selectionSet: node.selectionSet ? undefined : field('x { __typename }').selectionSet }),
    (node) => ({ ...node, selectionSet: node.selectionSet && field('x { nothing }').selectionSet }),
    (node, random) => ({ ...node, directives: [...node.directives, directive(random.pick(DIRECTIVES))] }),
    (node, random) => ({
      ...node,
      arguments: [...node.arguments, field(`x(${random.pick(['limit', 'query', 'nothing'])}: 1)`).arguments[0]],
    }),
    (node) => ({ ...node, arguments: node.arguments.slice(1) }),
  ],
  [Kind.ARGUMENT]: [
    (node, random) => ({ ...node, value: value(random.pick(LITERALS)) }),
    (node) => ({ ...node, name: name('nothing') }),
  ],
  [Kind.OBJECT_FIELD]: [
    (node, random) => ({ ...node, value: value(random.pick(LITERALS)) }),
    (node, random) => ({ ...node, name: name(random.pick(NAMES)) }),
  ],
  [Kind.VARIABLE]: [(node, random) => ({ ...node, name: name(random.pick(['v1', 'v2', 'nothing'])) })],
  [Kind.VARIABLE_DEFINITION]: [
    (node, random) => ({ ...node, type: definitions(`query ($x: ${random.pick(TYPES)}) { x }`)[0].variableDefinitions[0].type }),
    (node, random) => ({ ...node, defaultValue: value(random.pick(LITERALS.filter((text) => !text.includes('$')))) }),
    (node) => ({ ...node, defaultValue: undefined }),
    () => null,
  ],
  [Kind.FRAGMENT_SPREAD]: [(node, random) => ({ ...node, name: name(random.pick(['F1', 'F2', 'F3', 'Nothing'])) })],
  [Kind.FRAGMENT_DEFINITION]: [
    (node, random) => ({ ...node, typeCondition: { kind: Kind.NAMED_TYPE, name: name(random.pick(CONDITIONS)) } }),
    (node, random) => ({ ...node, name: name(random.pick(['F1', 'Q'])) }),
    () => null,
  ],
  [Kind.INLINE_FRAGMENT]: [
    (node, random) => ({ ...node, typeCondition: { kind: Kind.NAMED_TYPE, name: name(random.pick(CONDITIONS)) } }),
  ],
  [Kind.DIRECTIVE]: [
    (node) => ({ ...node, arguments: [] }),
    (node) => ({ ...node, arguments: [...node.arguments, ...node.arguments] }),
    (node, random) => ({ ...node, name: name(random.pick(['skip', 'include', 'nothing'])) }),
  ],
  [Kind.DOCUMENT]: [
    (node, random) => ({ ...node, definitions: [...node.definitions, ...definitions(random.pick(ADDED))] }),
  ],
};

/** The text of a document with one change. */
export function mistaken(text, random) {
  const document = parse(text, { noLocation: true });
  const count = {};
  visit(document, { enter: (node) => void (count[node.kind] = (count[node.kind] ?? 0) + 1) });
  const kind = random.pick(Object.keys(MISTAKES).filter((kind) => count[kind]));
  const mistake = random.pick(MISTAKES[kind]);
  let left = random.below(count[kind]);
  const change = (node) => (left-- === 0 ? mistake(node, random) : undefined);
  return print(visit(document, { [kind]: { leave: change } }));
}
