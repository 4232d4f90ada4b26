exports = async function (id) {
  const users = context.services.get("mongodb-atlas").db("shop").collection("users");
  const found = await users.findOne({ userId: id });
  return found !== null && !found.banned;
};
