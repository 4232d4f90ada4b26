exports = ({ token, tokenId, username }) => {
  console.log(`confirming ${username}`);
  return { status: username.endsWith("@example.test") ? "success" : "fail" };
};
