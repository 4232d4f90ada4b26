exports = async ({ user, operationType }) => {
  const users = context.services.get("mongodb-atlas").db("shop").collection("users");
  await users.updateOne({ userId: user.id }, { $inc: { logIns: 1 }, $set: { last: operationType } });
};
