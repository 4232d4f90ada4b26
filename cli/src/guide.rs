//! What is printed when the server is up.

use backstitch::engine::App;

/// The base URL, the client app id, and three lines that work when pasted.
pub(crate) fn guide(base: &str, app: &App) -> String {
    let id = app.id();
    let url = format!("{base}/api/client/v2.0");
    let query = app.example_query().replace('"', "\\\"");
    format!(
        "\
  {name}
    base URL       {base}
    client app id  {id}

  Log in:
    LOGIN=$(curl -sX POST {url}/app/{id}/auth/providers/{provider}/login -H 'content-type: application/json' -d '{{}}'); echo \"$LOGIN\"
  Query:
    curl -sX POST {url}/app/{id}/graphql -H \"authorization: Bearer $(echo \"$LOGIN\" | sed 's/.*\"access_token\":\"\\([^\"]*\\).*/\\1/')\" -H 'content-type: application/json' -d '{{\"query\": \"{query}\"}}'; echo
  Refresh:
    curl -sX POST {url}/auth/session -H \"authorization: Bearer $(echo \"$LOGIN\" | sed 's/.*\"refresh_token\":\"\\([^\"]*\\).*/\\1/')\"; echo
",
        name = app.name(),
        provider = "anon-user",
    )
}
