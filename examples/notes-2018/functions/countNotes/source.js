exports = function () {
  const notes = context.services.get("mongodb-atlas").db("notes").collection("notes");
  return notes.count({ owner: context.user.id });
};
