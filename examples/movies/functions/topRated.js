// The films that people like best, of those that enough of them have reviewed.
exports = async function (limit) {
  const db = context.services.get("mongodb-atlas").db("movies");
  const rated = await db
    .collection("reviews")
    .aggregate([
      { $group: { _id: "$movie", mean: { $avg: "$rating" }, count: { $sum: 1 } } },
      { $match: { count: { $gte: context.values.get("reviewsNeeded") } } },
      { $sort: { mean: -1, _id: 1 } },
      { $limit: limit ?? 10 },
    ])
    .toArray();
  const movies = await db.collection("movies").find({ _id: { $in: rated.map(({ _id }) => _id) } }).toArray();
  return rated.map(({ _id }) => movies.find((movie) => movie._id.equals(_id))).filter(Boolean);
};
