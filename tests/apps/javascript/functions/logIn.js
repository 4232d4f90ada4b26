// The card number is the identity; whoever has none is refused.
exports = async function (payload) {
  if (!payload.card) {
    throw new Error("no card");
  }
  return `card-${payload.card}`;
};
