exports = async function () {
  const greeting = await context.functions.execute("greet", context.user.custom_data.greeting);
  return { id: context.user.id, greeting, system: context.runningAsSystem(), app: context.app.name };
};
