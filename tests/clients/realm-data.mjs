// realm-web's mongoClient and functions, unmodified, against a running server: node realm-data.mjs BASE_URL APP_ID
// The app has the collection `app.items`, which a guest may read and write wholly, and the function `sum`.
import assert from "node:assert/strict";
import * as Realm from "realm-web";
import { refusal } from "./lib.mjs";

const [baseUrl, id] = process.argv.slice(2);
const app = new Realm.App({ id, baseUrl });
const user = await app.logIn(Realm.Credentials.anonymous(false));

// Functions, by name and as methods.
assert.equal(await user.callFunction("sum", 1, 2), 3);
assert.equal(await user.functions.sum(20, 22), 42);
const gone = await refusal(user.functions.gone());
assert.deepEqual([gone.statusCode, gone.errorCode], [404, "FunctionNotFound"]);

const items = user.mongoClient("mongodb-atlas").db("app").collection("items");

// Inserts.
const { insertedId } = await items.insertOne({ n: 1, tags: ["a"], made: new Date(86_400_000) });
assert.equal(String(insertedId).length, 24);
const { insertedIds } = await items.insertMany([{ n: 2 }, { n: 3 }, { n: 4, tags: ["a", "b"] }]);
assert.equal(insertedIds.length, 3);

// Reads.
const one = await items.findOne({ n: 1 });
assert.deepEqual([one.n, one.tags, one.made.getTime(), String(one._id)], [1, ["a"], 86_400_000, String(insertedId)]);
assert.equal(await items.findOne({ n: 99 }), null);
const found = await items.find({ n: { $gte: 2 } }, { sort: { n: -1 }, limit: 2, projection: { n: 1, _id: 0 } });
assert.deepEqual(found, [{ n: 4 }, { n: 3 }]);
assert.equal(await items.count(), 4);
assert.equal(await items.count({ tags: { $all: ["a"] } }), 2);
assert.equal(await items.count({}, { limit: 3 }), 3);
const grouped = await items.aggregate([
  { $match: { n: { $gt: 1 } } },
  { $group: { _id: null, total: { $sum: "$n" } } },
  { $project: { _id: 0, total: 1 } },
]);
assert.deepEqual(grouped, [{ total: 9 }]);

// Updates, with operators and by a whole document.
const updated = await items.updateOne({ n: 1 }, { $set: { seen: true }, $push: { tags: "z" } });
assert.deepEqual(updated, { matchedCount: 1, modifiedCount: 1 });
assert.equal(updated.upsertedId, undefined);
const upserted = await items.updateOne({ n: 7 }, { $set: { late: true } }, { upsert: true });
assert.equal(upserted.matchedCount, 0);
assert.equal(String(upserted.upsertedId).length, 24);
assert.deepEqual(await items.updateMany({ n: { $in: [2, 3] } }, { $inc: { n: 10 } }), { matchedCount: 2, modifiedCount: 2 });
await items.updateOne({ n: 4 }, { n: 40 });
assert.deepEqual(Object.keys(await items.findOne({ n: 40 })), ["_id", "n"]);
const placed = await items.updateMany({ n: 1 }, { $set: { "tags.$[t]": "y" } }, { arrayFilters: [{ t: "z" }] });
assert.equal(placed.modifiedCount, 1);
assert.deepEqual((await items.findOne({ n: 1 })).tags, ["a", "y"]);

// Find and change.
const before = await items.findOneAndUpdate({ n: 1 }, { $set: { n: 100 } });
assert.equal(before.n, 1);
const after = await items.findOneAndUpdate({ n: 100 }, { $inc: { n: 1 } }, { returnNewDocument: true, projection: { n: 1 } });
assert.deepEqual([after.n, Object.keys(after)], [101, ["_id", "n"]]);
const replaced = await items.findOneAndReplace({ n: 101 }, { n: 102 }, { returnNewDocument: true });
assert.deepEqual(Object.keys(replaced), ["_id", "n"]);
assert.equal(await items.findOneAndUpdate({ n: 5000 }, { $set: { n: 1 } }), null);
const deleted = await items.findOneAndDelete({ n: 102 });
assert.equal(deleted.n, 102);
assert.equal(await items.findOne({ n: 102 }), null);

// Deletions.
assert.deepEqual(await items.deleteOne({ n: 40 }), { deletedCount: 1 });
assert.deepEqual(await items.deleteMany({}), { deletedCount: 3 });

// What is refused says so.
const unknown = await refusal(items.find({ $where: "true" }));
assert.deepEqual([unknown.statusCode, unknown.errorCode], [400, "MongoDBError"]);
assert.match(unknown.error, /\$where/);
const twice = { _id: "one" };
await items.insertOne(twice);
const taken = await refusal(items.insertOne(twice));
assert.deepEqual([taken.statusCode, taken.errorCode], [400, "MongoDBError"]);
const lookup = await refusal(items.aggregate([{ $lookup: { from: "x", localField: "a", foreignField: "b", as: "c" } }]));
assert.deepEqual([lookup.statusCode, lookup.errorCode], [400, "MongoDBError"]);
const closed = await refusal(user.mongoClient("mongodb-atlas").db("app").collection("closed").find());
assert.deepEqual([closed.statusCode, closed.errorCode], [403, "NoMatchingRuleFound"]);
const elsewhere = await refusal(user.mongoClient("elsewhere").db("app").collection("items").find());
assert.deepEqual([elsewhere.statusCode, elsewhere.errorCode], [404, "ServiceNotFound"]);

console.log("realm-web: every call of data and functions as expected");
