// The values of BSON that JavaScript has no type for. What a value stands for is kept in private fields, so that only
// these classes can make one; `describe` tells the host what it is, `make` builds what the host hands in.

let oidOf, longOf, decimalOf, binaryOf, stampOf, textOf, rareOf;

// Constructors of the original may be called without `new`.
const callable = (made) => new Proxy(made, { apply: (target, self, args) => new target(...args) });

class ObjectId {
  #hex;
  constructor(id) {
    const text = typeof id === 'object' && id !== null && typeof id.toHexString === 'function' ? id.toHexString() : id;
    if (id === undefined || id === null) this.#hex = host.objectId();
    else if (typeof text === 'string' && /^[0-9a-f]{24}$/i.test(text)) this.#hex = text.toLowerCase();
    else throw new TypeError('an ObjectId is 24 hexadecimal digits, not `' + String(text) + '`');
  }
  static { oidOf = (value) => (#hex in value ? value.#hex : undefined); }
  static isValid(id) {
    return (typeof id === 'string' && /^[0-9a-f]{24}$/i.test(id)) || (Object(id) === id && oidOf(id) !== undefined);
  }
  static createFromHexString(text) { return new ObjectId(String(text)); }
  toHexString() { return this.#hex; }
  toString() { return this.#hex; }
  toJSON() { return this.#hex; }
  valueOf() { return this.#hex; }
  getTimestamp() { return new Date(parseInt(this.#hex.slice(0, 8), 16) * 1000); }
  equals(other) { return other !== undefined && other !== null && String(other).toLowerCase() === this.#hex; }
}

class Long {
  #value;
  constructor(low = 0, high) {
    if (Object(low) === low && longOf(low) !== undefined) this.#value = longOf(low);
    else if (typeof high === 'number') this.#value = BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low >>> 0));
    else this.#value = BigInt.asIntN(64, BigInt(typeof low === 'number' ? Math.trunc(low) : low));
  }
  static { longOf = (value) => (#value in value ? value.#value : undefined); }
  static fromNumber(number) { return new Long(number); }
  static fromInt(number) { return new Long(number | 0); }
  static fromBigInt(number) { return new Long(number); }
  static fromBits(low, high) { return new Long(low, high); }
  static fromValue(value) { return new Long(value); }
  static fromString(text, unsigned, radix = typeof unsigned === 'number' ? unsigned : 10) {
    if (radix === 10) return new Long(BigInt(text));
    return new Long(parseInt(text, radix));
  }
  static isLong(value) { return Object(value) === value && longOf(value) !== undefined; }
  get low() { return Number(BigInt.asIntN(32, this.#value)); }
  get high() { return Number(this.#value >> 32n); }
  toNumber() { return Number(this.#value); }
  toInt() { return Number(BigInt.asIntN(32, this.#value)); }
  toBigInt() { return this.#value; }
  toString(radix = 10) { return this.#value.toString(radix); }
  valueOf() { return Number(this.#value); }
  toJSON() { return Number(this.#value); }
  #with(other, compute) { return new Long(compute(this.#value, new Long(other).#value)); }
  add(other) { return this.#with(other, (a, b) => a + b); }
  subtract(other) { return this.#with(other, (a, b) => a - b); }
  sub(other) { return this.subtract(other); }
  multiply(other) { return this.#with(other, (a, b) => a * b); }
  mul(other) { return this.multiply(other); }
  divide(other) { return this.#with(other, (a, b) => a / b); }
  div(other) { return this.divide(other); }
  modulo(other) { return this.#with(other, (a, b) => a % b); }
  mod(other) { return this.modulo(other); }
  negate() { return new Long(-this.#value); }
  compare(other) {
    const that = new Long(other).#value;
    return this.#value < that ? -1 : this.#value > that ? 1 : 0;
  }
  equals(other) { return this.compare(other) === 0; }
  eq(other) { return this.equals(other); }
  lessThan(other) { return this.compare(other) < 0; }
  lt(other) { return this.lessThan(other); }
  greaterThan(other) { return this.compare(other) > 0; }
  gt(other) { return this.greaterThan(other); }
  isZero() { return this.#value === 0n; }
  isNegative() { return this.#value < 0n; }
}

class Int32 {
  constructor(value) { this.value = Number(value) | 0; }
  valueOf() { return this.value; }
  toString(radix) { return this.value.toString(radix); }
  toJSON() { return this.value; }
}

class Double {
  constructor(value) { this.value = Number(value); }
  valueOf() { return this.value; }
  toString(radix) { return this.value.toString(radix); }
  toJSON() { return this.value; }
}

class Decimal128 {
  #hex;
  constructor(text) {
    if (Object(text) === text && decimalOf(text) !== undefined) this.#hex = decimalOf(text);
    else this.#hex = host.decimalHex(String(text));
  }
  static {
    decimalOf = (value, hex) => {
      if (hex !== undefined) { value.#hex = hex; return value; }
      return #hex in value ? value.#hex : undefined;
    };
  }
  static fromString(text) { return new Decimal128(text); }
  toString() { return host.decimalText(this.#hex); }
  toJSON() { return { $numberDecimal: this.toString() }; }
}

const utf8 = (text) => Uint8Array.fromBase64(host.utf8(text));

const toBytes = (data) => {
  if (typeof data === 'string') return utf8(data);
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (Object(data) === data && binaryOf(data) !== undefined) return binaryOf(data)[0];
  return Uint8Array.from(data ?? []);
};

class Binary {
  #bytes;
  #subtype;
  constructor(data, subtype = 0) {
    this.#bytes = toBytes(data);
    this.#subtype = Number(subtype) & 255;
  }
  static { binaryOf = (value) => (#bytes in value ? [value.#bytes, value.#subtype] : undefined); }
  static fromHex(text, subtype) { return new Binary(Uint8Array.fromHex(String(text)), subtype); }
  static fromBase64(text, subtype) { return new Binary(Uint8Array.fromBase64(String(text)), subtype); }
  static fromText(text, subtype) { return new Binary(String(text), subtype); }
  get sub_type() { return this.#subtype; }
  get buffer() { return this.#bytes; }
  length() { return this.#bytes.length; }
  value() { return this.#bytes; }
  text() { return host.text(this.toBase64()); }
  toString() { return this.text(); }
  toHexString() { return this.#bytes.toHex(); }
  toHex() { return this.toHexString(); }
  toBase64() { return this.#bytes.toBase64(); }
  toJSON() { return this.toBase64(); }
}

class Timestamp {
  #parts;
  constructor(low = 0, high) {
    if (Object(low) === low) this.#parts = [low.t >>> 0, low.i >>> 0];
    else this.#parts = [high >>> 0, low >>> 0];
  }
  static { stampOf = (value) => (#parts in value ? value.#parts : undefined); }
  get t() { return this.#parts[0]; }
  get i() { return this.#parts[1]; }
  getHighBits() { return this.t; }
  getLowBits() { return this.i; }
  toString() { return 'Timestamp(' + this.t + ', ' + this.i + ')'; }
  toJSON() { return { $timestamp: { t: this.t, i: this.i } }; }
}

class Text {
  #text;
  constructor(text) { this.#text = String(text); }
  static { textOf = (value) => (#text in value ? value.#text : undefined); }
  toString() { return this.#text; }
  valueOf() { return this.#text; }
  toJSON() { return this.#text; }
}
class BSONSymbol extends Text {}
class Code extends Text {}
class MinKey {
  toJSON() { return { $minKey: 1 }; }
}
class MaxKey {
  toJSON() { return { $maxKey: 1 }; }
}

class BSONRegExp {
  constructor(pattern, options = '') {
    this.pattern = String(pattern);
    this.options = String(options);
  }
}

// Whatever else a document may hold: it passes through, and has nothing to be asked.
class Rare {
  #json;
  constructor(json) { this.#json = json; }
  static { rareOf = (value) => (#json in value ? value.#json : undefined); }
}

// What a value was when it came in, where JavaScript's own type changes or loses it.
const patterns = new WeakMap();
const dates = new WeakMap();

const makeRegex = (pattern, options) => {
  if (!/^[ims]*$/.test(options)) return new BSONRegExp(pattern, options);
  let made;
  try {
    made = new RegExp(pattern, options);
  } catch {
    return new BSONRegExp(pattern, options);
  }
  patterns.set(made, [pattern, options]);
  return made;
};

const makers = {
  oid: (hex) => new ObjectId(hex),
  long: (value) => new Long(value),
  decimal: (hex) => decimalOf(new Decimal128('0'), hex),
  binary: (text, subtype) => Binary.fromBase64(text, subtype),
  date: (number, exact) => {
    const made = new Date(number);
    if (made.getTime() !== number) dates.set(made, exact);
    return made;
  },
  regex: makeRegex,
  timestamp: (t, i) => new Timestamp({ t, i }),
  min: () => new MinKey(),
  max: () => new MaxKey(),
  symbol: (text) => new BSONSymbol(text),
  code: (text) => new Code(text),
  rare: (json) => new Rare(json),
};
const make = (kind, a, b) => makers[kind](a, b);

const describeBuiltin = (value) => {
  if (value instanceof Date) {
    const time = value.getTime();
    if (Number.isNaN(time)) {
      if (dates.has(value)) return ['date', dates.get(value)];
      throw new TypeError('an invalid date cannot be stored');
    }
    return ['date', BigInt(time)];
  }
  if (value instanceof RegExp) {
    return ['regex', ...(patterns.get(value) ?? [value.source, value.flags.replace(/[^ims]/g, '')])];
  }
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return ['binary', toBytes(value).toBase64(), 0];
  if (value instanceof Number || value instanceof String || value instanceof Boolean) return ['plain', value.valueOf()];
  return undefined;
};

// What an object that is not a plain one stands for; `undefined` when only its own members count.
const describe = (value) => {
  // A proxy of one.
  if (Array.isArray(value)) return ['array'];
  let inner;
  if ((inner = oidOf(value)) !== undefined) return ['oid', inner];
  if ((inner = longOf(value)) !== undefined) return ['long', inner];
  if ((inner = decimalOf(value)) !== undefined) return ['decimal', inner];
  if ((inner = binaryOf(value)) !== undefined) return ['binary', inner[0].toBase64(), inner[1]];
  if ((inner = stampOf(value)) !== undefined) return ['timestamp', inner[0], inner[1]];
  if ((inner = textOf(value)) !== undefined) return [value instanceof Code ? 'code' : 'symbol', inner];
  if ((inner = rareOf(value)) !== undefined) return ['rare', inner];
  if (value instanceof Int32) return ['plain', value.value | 0];
  if (value instanceof Double) return ['double', Number(value.value)];
  if (value instanceof BSONRegExp) return ['regex', String(value.pattern), String(value.options)];
  if (value instanceof MinKey) return ['min'];
  if (value instanceof MaxKey) return ['max'];
  return describeBuiltin(value);
};

const codec = { make, describe, plain: Object.prototype, wellFormed: (text) => text.toWellFormed() };

const BSON = {
  ObjectId: callable(ObjectId),
  ObjectID: callable(ObjectId),
  Long: callable(Long),
  Int32: callable(Int32),
  Double: callable(Double),
  Decimal128: callable(Decimal128),
  Binary: callable(Binary),
  Timestamp: callable(Timestamp),
  Symbol: callable(BSONSymbol),
  Code: callable(Code),
  MinKey: callable(MinKey),
  MaxKey: callable(MaxKey),
  BSONRegExp: callable(BSONRegExp),
};

const EJSON = {
  parse: (text) => host.parse(codec, String(text)),
  stringify(value, replacer, space, options) {
    if (typeof replacer === 'function' || Array.isArray(replacer)) throw new TypeError('EJSON.stringify takes no replacer');
    const settings = [replacer, space, options].find((given) => Object(given) === given) ?? {};
    const indent = typeof space === 'number' ? space : 0;
    return value === undefined ? undefined : host.stringify(codec, value, settings.relaxed !== false, indent);
  },
  serialize: (value, options) => JSON.parse(EJSON.stringify(value, options)),
  deserialize: (value) => EJSON.parse(JSON.stringify(value)),
};
BSON.EJSON = EJSON;
