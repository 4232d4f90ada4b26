// Keeps in one's account when one was here last.
exports = async function ({ user, time }) {
  const accounts = context.services.get("mongodb-atlas").db("movies").collection("accounts");
  await accounts.updateOne({ user_id: user.id }, { $set: { last_seen: time }, $inc: { log_ins: 1 } });
};
