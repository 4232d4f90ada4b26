exports = function (authEvent) {
  const people = context.services.get("mongodb-atlas").db("notes").collection("people");
  return people.insertOne({ userId: authEvent.user.id, name: context.values.get("nameOfTheNameless") });
};
