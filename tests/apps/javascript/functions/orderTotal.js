exports = async (input) => {
  const orders = context.services.get("mongodb-atlas").db("shop").collection("orders");
  const [total] = await orders
    .aggregate([{ $match: { item: input } }, { $group: { _id: "$item", total: { $sum: "$quantity" } } }])
    .toArray();
  return total ? total.total : 0;
};
