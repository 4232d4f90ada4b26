// The mean of a film's ratings, for the field `Movie.averageRating`; null where nobody has reviewed it.
exports = async function (movie) {
  const reviews = context.services.get("mongodb-atlas").db("movies").collection("reviews");
  const [found] = await reviews
    .aggregate([{ $match: { movie: movie._id } }, { $group: { _id: null, mean: { $avg: "$rating" } } }])
    .toArray();
  return found ? found.mean : null;
};
