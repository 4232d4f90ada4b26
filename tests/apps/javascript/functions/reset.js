exports = ({ username, password }, answer) => ({ status: answer === "blue" ? "success" : "fail" });
