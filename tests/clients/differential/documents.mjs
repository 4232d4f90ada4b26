// Random GraphQL documents that fit a schema, with variables.
import { getNamedType, getNullableType, isLeafType, isListType, isNonNullType, isScalarType } from 'graphql';

const SCALARS = {
  Boolean: [true, false],
  DateTime: ['1970-01-01T00:00:00.000Z', '2001-09-09T01:46:40.000Z', '1970-01-03T00:00:00.000Z'],
  Float: [0.1, 1, 2.5, -3],
  Int: [1, 2, 3, 20, 41],
  Long: ['1', '2', '4000000000', '9007199254740993'],
  ObjectId: ['010000000000000000000003', '020000000000000000000004', '040000000000000000000002'],
  String: ['h1', 'h2', 'Ada', 'Bo', 'a', 'brie', 'Incident 3', ''],
};
const DEPTH = 5;

/** Makes one request after the other. */
export class Documents {
  constructor(schema, random) {
    this.schema = schema;
    this.random = random;
    this.query = schema.getQueryType();
  }

  next() {
    this.fragments = [];
    this.variables = [];
    this.heads = 0;
    const body = this.selection(this.query, DEPTH);
    const declared = this.variables.map(({ name, type, preset }) => `$${name}: ${type}${preset}`);
    const operation = `query Q${declared.length > 0 ? `(${declared.join(', ')})` : ''} ${body}`;
    const parts = [operation, ...this.fragments.map(({ text }) => text)];
    if (this.random.chance(0.05)) parts.push('query Other { __typename }');
    if (this.random.chance(0.3)) parts.reverse();
    const given = this.variables.filter(({ value }) => value !== undefined);
    return {
      query: parts.join('\n'),
      variables: Object.fromEntries(given.map(({ name, value }) => [name, value])),
      operationName: 'Q',
    };
  }

  selection(type, depth) {
    const { random } = this;
    const heads = [];
    const parts = [];
    for (let left = 1 + random.below(type === this.query ? 3 : 5); left > 0; left -= 1) {
      const kind = random.below(20);
      if (kind < 2) parts.push(`${random.pick(['', 'kind: ', 't: '])}__typename${this.directives()}`);
      else if (kind < 4) {
        const on = random.pick(['', ` on ${type.name}`]);
        parts.push(`...${on}${this.directives()} ${this.selection(type, depth - 1)}`);
      } else if (kind < 6) parts.push(`...${this.fragment(type, depth - 1)}${this.directives()}`);
      else if (kind < 9 && heads.length > 0) parts.push(this.field(random.pick(heads), depth));
      else {
        const head = this.head(type, depth);
        if (head) heads.push(head);
        parts.push(head ? this.field(head, depth) : '__typename');
      }
    }
    return `{ ${parts.join(' ')} }`;
  }

  /** A field with its alias and arguments: under one key they are always the same. */
  head(type, depth) {
    const fields = Object.values(type.getFields()).filter(
      (field) => depth > 0 || isLeafType(getNamedType(field.type)),
    );
    if (fields.length === 0) return undefined;
    const field = this.random.pick(fields);
    if (type === this.query) {
      this.heads += 1;
      return { field, text: `r${this.heads}: ${field.name}${this.arguments(field)}` };
    }
    return { field, text: this.random.pick(['', '', '', `a_${field.name}: `, `b_${field.name}: `]) + field.name };
  }

  field({ field, text }, depth) {
    const type = getNamedType(field.type);
    const below = isLeafType(type) ? '' : ` ${this.selection(type, depth - 1)}`;
    return `${text}${this.directives()}${below}`;
  }

  /** The name of a fragment: one that is there already, or a new one. */
  fragment(type, depth) {
    const known = this.fragments.filter((other) => other.type === type && other.depth <= depth);
    if (known.length > 0 && this.random.chance(0.5)) return this.random.pick(known).name;
    const body = this.selection(type, depth);
    const name = `F${this.fragments.length + 1}`;
    this.fragments.push({ name, type, depth, text: `fragment ${name} on ${type.name} ${body}` });
    return name;
  }

  directives() {
    const { random } = this;
    const names = ['skip', 'include'].filter(() => random.chance(0.1));
    if (random.chance(0.5)) names.reverse();
    return names.map((name) => ` @${name}(if: ${this.condition(name === 'include')})`).join('');
  }

  /** More often than not what lets the field through. */
  condition(wanted) {
    const { random } = this;
    const value = random.chance(0.7) ? wanted : !wanted;
    const known = this.variables.filter(({ type, preset }) => type === 'Boolean!' || (type === 'Boolean' && preset));
    if (known.length > 0 && random.chance(0.5)) return `$${random.pick(known).name}`;
    return random.pick([
      () => String(value),
      () => this.variable('Boolean!', value, ''),
      () => this.variable('Boolean!', random.pick([value, undefined]), ` = ${value}`),
      () => this.variable('Boolean', random.pick([value, undefined]), ` = ${value}`),
    ])();
  }

  variable(type, value, preset) {
    const name = `v${this.variables.length + 1}`;
    this.variables.push({ name, type: String(type), value, preset });
    return `$${name}`;
  }

  arguments(field) {
    const wanted = field.args.filter(() => this.random.chance(0.5));
    if (wanted.length === 0) return '';
    const given = wanted.map((argument) => {
      const make = argument.name === 'limit' ? () => this.limit() : () => this.input(argument.type);
      return `${argument.name}: ${this.given(argument.type, make)}`;
    });
    return `(${given.join(', ')})`;
  }

  /** A value where an argument or an input field stands: a literal, or a variable of this type. */
  given(type, make) {
    const { random } = this;
    if (random.chance(0.6)) return make().literal;
    const nullable = getNullableType(type);
    const preset = random.chance(0.4) ? ` = ${this.constant(make).literal}` : '';
    if (!isNonNullType(type) && random.chance(0.3)) {
      return this.variable(nullable, random.pick([undefined, undefined, null]), preset);
    }
    return this.variable(random.pick([`${nullable}!`, type]), this.constant(make).json, preset);
  }

  /** A value without variables. */
  constant(make) {
    const given = this.given;
    this.given = (_, make) => make().literal;
    const value = make();
    this.given = given;
    return value;
  }

  limit() {
    const json = 1 + this.random.below(6);
    return { json, literal: String(json) };
  }

  /** A value as a literal, perhaps with variables in it, and as JSON. */
  input(type, depth = 2) {
    const { random } = this;
    const inner = getNullableType(type);
    if (isListType(inner)) {
      const items = Array.from({ length: random.below(4) }, () => this.input(inner.ofType, depth));
      // A single value stands for a list of one.
      if (items.length === 1 && random.chance(0.5)) return items[0];
      return { json: items.map(({ json }) => json), literal: `[${items.map(({ literal }) => literal).join(', ')}]` };
    }
    if (isScalarType(inner)) {
      const json = random.pick(SCALARS[inner.name]);
      return { json, literal: JSON.stringify(json) };
    }
    if (inner.getValues) {
      const json = random.pick(inner.getValues()).name;
      return { json, literal: json };
    }
    return this.filter(inner, depth);
  }

  /** A query of the operators that the oracle knows. */
  filter(type, depth) {
    const { random } = this;
    const fields = Object.values(type.getFields()).filter((field) => {
      if (field.name === 'AND' || field.name === 'OR') return depth > 0;
      const isScalar = isScalarType(getNullableType(field.type));
      if (/_(ne|gte|lt|lte|nin|exists)$/.test(field.name)) return false;
      // `f_in` of a scalar `f`; on lists it means something else.
      if (field.name.endsWith('_in')) return isScalarType(type.getFields()[field.name.slice(0, -3)]?.type);
      return isScalar;
    });
    const chosen = new Map();
    for (let left = random.below(3); left > 0; left -= 1) {
      const field = random.pick(fields);
      const make = () => this.input(field.type, depth - 1);
      chosen.set(field.name, { field, make });
    }
    const json = {};
    const literals = [];
    for (const [name, { field, make }] of chosen) {
      if (/_gt$/.test(name) || !isScalarType(field.type)) {
        const value = make();
        json[name] = value.json;
        literals.push(`${name}: ${value.literal}`);
      } else if (random.chance(0.1)) {
        json[name] = null;
        literals.push(`${name}: null`);
      } else {
        let value;
        const text = this.given(field.type, () => (value = make()));
        json[name] = (value ?? make()).json;
        literals.push(`${name}: ${text}`);
      }
    }
    return { json, literal: `{${literals.join(', ')}}` };
  }
}
