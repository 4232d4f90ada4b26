exports = (source) => `${source.quantity} x ${source.item}`;
