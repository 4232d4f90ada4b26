exports = async function onUserCreation(user) {
  const users = context.services.get("mongodb-atlas").db("shop").collection("users");
  await users.insertOne({ userId: user.id, banned: false, logIns: 0, greeting: context.values.get("greeting") });
};
