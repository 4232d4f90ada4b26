exports = ({ token, tokenId, username, password }) => {
  // will not reset the password
  return { status: 'fail' };
};
