// Stored values: extended JSON as JavaScript values, their order, and what a GraphQL scalar makes of them.
import { GraphQLError } from 'graphql';

export class ObjectId {
  constructor(hex) {
    this.hex = hex;
  }
}
/** A decimal, by its text. */
export class Decimal {
  constructor(text) {
    this.text = text;
  }
}

/** Long integers become `BigInt`, other numbers `Number`; timestamps and dates are both `DateTime`. */
export function decode(json) {
  if (Array.isArray(json)) return json.map(decode);
  if (json === null || typeof json !== 'object') return json;
  if ('$oid' in json) return new ObjectId(json.$oid);
  if ('$numberLong' in json) return BigInt(json.$numberLong);
  if ('$numberDouble' in json) return Number(json.$numberDouble);
  if ('$numberDecimal' in json) return new Decimal(json.$numberDecimal);
  if ('$date' in json) return new Date(Number(json.$date.$numberLong));
  if ('$timestamp' in json) return new Date(json.$timestamp.t * 1000);
  return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, decode(value)]));
}

export const isObject = (value) => value !== null && typeof value === 'object' && value.constructor === Object;

/** The place of a type among the types, and what to compare within it. */
function rank(value) {
  if (value === null || value === undefined) return [1, 0];
  if (value instanceof Decimal) return [2, Number(value.text)];
  if (typeof value === 'number' || typeof value === 'bigint') return [2, value];
  if (typeof value === 'string') return [3, value];
  if (value instanceof ObjectId) return [7, value.hex];
  if (typeof value === 'boolean') return [8, Number(value)];
  if (value instanceof Date) return [9, value.getTime()];
  return [4, 0];
}

export function compare(left, right) {
  const [leftType, leftKey] = rank(left);
  const [rightType, rightKey] = rank(right);
  if (leftType !== rightType) return leftType - rightType;
  if (leftKey === rightKey || leftKey == rightKey) return 0;
  if (Number.isNaN(leftKey)) return Number.isNaN(rightKey) ? 0 : -1;
  if (Number.isNaN(rightKey)) return 1;
  return leftKey < rightKey ? -1 : 1;
}

const candidates = (stored) => (Array.isArray(stored) ? stored : [stored]);
export const equals = (stored, wanted) => candidates(stored).some((value) => compare(value, wanted) === 0);
export const isGreater = (stored, bound) =>
  candidates(stored).some((value) => rank(value)[0] === rank(bound)[0] && compare(value, bound) > 0);

function whole(value) {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number' && Number.isInteger(value)) return BigInt(value);
  if (value instanceof Decimal && /^-?\d+$/.test(value.text)) return BigInt(value.text);
  return undefined;
}

const fits = (value, bits) => value !== undefined && BigInt.asIntN(bits, value) === value;

const shown = {
  String: (value) => (typeof value === 'string' ? value : undefined),
  Boolean: (value) => (typeof value === 'boolean' ? value : undefined),
  ObjectId: (value) => (value instanceof ObjectId ? value.hex : undefined),
  Int: (value) => (fits(whole(value), 32) ? Number(whole(value)) : undefined),
  Long: (value) => (fits(whole(value), 64) ? String(whole(value)) : undefined),
  Float: (value) => {
    const number = value instanceof Decimal ? Number(value.text) : typeof value === 'bigint' ? Number(value) : value;
    return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
  },
  DateTime: (value) => {
    const fourDigits = value instanceof Date && value.getUTCFullYear() >= 0 && value.getUTCFullYear() <= 9999;
    return fourDigits ? value.toISOString() : undefined;
  },
};

const text = (json, pattern) => {
  if (typeof json === 'string' && pattern.test(json)) return json;
  throw new GraphQLError('another form is expected');
};
const read = {
  ObjectId: (json) => new ObjectId(text(json, /^[0-9a-fA-F]{24}$/).toLowerCase()),
  Long: (json) => {
    const long = BigInt(typeof json === 'number' && Number.isInteger(json) ? json : text(json, /^-?\d+$/));
    if (!fits(long, 64)) throw new GraphQLError('too long');
    return long;
  },
  DateTime: (json) => new Date(text(json, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/)),
};
const LITERALS = { StringValue: (node) => node.value, IntValue: (node) => Number(node.value) };

/** Makes the scalars of a schema read and show values as we say that they do: a misfit is an error. */
export function strictScalars(schema) {
  for (const [name, show] of Object.entries(shown)) {
    const scalar = schema.getType(name);
    if (!scalar) continue;
    scalar.serialize = (value) => {
      const output = show(value);
      if (output === undefined) throw new GraphQLError(`no ${name}`);
      return output;
    };
    if (read[name]) {
      scalar.parseValue = read[name];
      scalar.parseLiteral = (node) => read[name](LITERALS[node.kind]?.(node));
    }
  }
}
