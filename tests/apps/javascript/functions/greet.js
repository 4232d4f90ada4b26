exports = (word) => `${word}, ${context.user.id.length}`;
