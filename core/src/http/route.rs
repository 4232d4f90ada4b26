//! Routes: one visible list of endpoints.
//!
//! There are two families. Routes under `/app/{app}` name their app; the others find it from the
//! token (decision 5).

use http::Method;

/// What is asked of `local-userpass` beside registering and logging in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EmailFlow {
    Confirm,
    ResendConfirmation,
    RerunConfirmation,
    SendReset,
    Reset,
    CallReset,
}

/// What is asked of one's API keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyCall {
    Create,
    List,
    Get,
    Delete,
    Enable,
    Disable,
}

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Location,
    /// The public halves of the signing keys (RFC 7517).
    KeySet,
    Login,
    /// Log-in by redirect: sends the browser to the service.
    BeginRedirect,
    /// Log-in by redirect: the service sends it back.
    EndRedirect,
    Register,
    RefreshSession,
    EndSession,
    Profile,
    EmailPassword(EmailFlow),
    ApiKeys(KeyCall),
    DeleteUser,
    Graphql,
    CallFunction,
    Health,
}

/// A route that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) endpoint: Endpoint,
    /// The endpoint's pattern in the list: what logs and metrics call it.
    pub(crate) pattern: &'static str,
    /// The client app id, where the path names one.
    pub(crate) app: Option<String>,
    /// The provider, where the path names one.
    pub(crate) provider: Option<String>,
    /// The id, where the path names one.
    pub(crate) id: Option<String>,
}

/// What a path leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Lookup {
    Endpoint(Found),
    /// A preflight of a path that exists; the methods it takes, and its app.
    Preflight {
        methods: Vec<Method>,
        app: Option<String>,
    },
    /// The path exists, with other methods only.
    OtherMethods(Vec<Method>),
    NotFound,
}

const PREFIX: &str = "/api/client/v2.0";

/// Every endpoint: method, path below the prefix (or absolute), meaning.
const ENDPOINTS: &[(Method, &str, Endpoint)] = &[
    (Method::POST, "/app/{app}/graphql", Endpoint::Graphql),
    (Method::GET, "/app/{app}/graphql", Endpoint::Graphql),
    (Method::POST, "/app/{app}/functions/call", Endpoint::CallFunction),
    (Method::GET, "/app/{app}/location", Endpoint::Location),
    (Method::GET, "/app/{app}/.well-known/jwks.json", Endpoint::KeySet),
    (Method::POST, "/app/{app}/auth/providers/{provider}/login", Endpoint::Login),
    (Method::GET, "/app/{app}/auth/providers/{provider}/login", Endpoint::BeginRedirect),
    (Method::GET, "/auth/callback", Endpoint::EndRedirect),
    (Method::POST, "/auth/callback", Endpoint::EndRedirect),
    (Method::POST, "/app/{app}/auth/providers/local-userpass/register", Endpoint::Register),
    (
        Method::POST,
        "/app/{app}/auth/providers/local-userpass/confirm",
        Endpoint::EmailPassword(EmailFlow::Confirm),
    ),
    (
        Method::POST,
        "/app/{app}/auth/providers/local-userpass/confirm/send",
        Endpoint::EmailPassword(EmailFlow::ResendConfirmation),
    ),
    (
        Method::POST,
        "/app/{app}/auth/providers/local-userpass/confirm/call",
        Endpoint::EmailPassword(EmailFlow::RerunConfirmation),
    ),
    (
        Method::POST,
        "/app/{app}/auth/providers/local-userpass/reset",
        Endpoint::EmailPassword(EmailFlow::Reset),
    ),
    (
        Method::POST,
        "/app/{app}/auth/providers/local-userpass/reset/send",
        Endpoint::EmailPassword(EmailFlow::SendReset),
    ),
    (
        Method::POST,
        "/app/{app}/auth/providers/local-userpass/reset/call",
        Endpoint::EmailPassword(EmailFlow::CallReset),
    ),
    (Method::POST, "/auth/session", Endpoint::RefreshSession),
    (Method::DELETE, "/auth/session", Endpoint::EndSession),
    (Method::GET, "/auth/profile", Endpoint::Profile),
    (Method::DELETE, "/auth/delete", Endpoint::DeleteUser),
    (Method::POST, "/auth/api_keys", Endpoint::ApiKeys(KeyCall::Create)),
    (Method::GET, "/auth/api_keys", Endpoint::ApiKeys(KeyCall::List)),
    (Method::GET, "/auth/api_keys/{id}", Endpoint::ApiKeys(KeyCall::Get)),
    (Method::DELETE, "/auth/api_keys/{id}", Endpoint::ApiKeys(KeyCall::Delete)),
    (Method::PUT, "/auth/api_keys/{id}/enable", Endpoint::ApiKeys(KeyCall::Enable)),
    (Method::PUT, "/auth/api_keys/{id}/disable", Endpoint::ApiKeys(KeyCall::Disable)),
];

const HEALTH: &str = "/health";

/// Looks a request up.
pub(crate) fn find(method: &Method, path: &str) -> Lookup {
    if path == HEALTH && matches!(*method, Method::GET | Method::HEAD) {
        let (endpoint, pattern) = (Endpoint::Health, HEALTH);
        return Lookup::Endpoint(Found { endpoint, pattern, app: None, provider: None, id: None });
    }
    let Some(rest) = path.strip_prefix(PREFIX) else { return Lookup::NotFound };
    let mut methods = Vec::new();
    let mut app = None;
    for (known, pattern, endpoint) in ENDPOINTS {
        let Some(captured) = capture(pattern, rest) else { continue };
        if known == method {
            let Captured { app, provider, id } = captured;
            return Lookup::Endpoint(Found {
                endpoint: *endpoint,
                pattern,
                app: app.map(decode),
                provider: provider.map(decode),
                id: id.map(decode),
            });
        }
        methods.push(known.clone());
        app = captured.app.map(decode);
    }
    match (methods.is_empty(), *method == Method::OPTIONS) {
        (true, _) => Lookup::NotFound,
        (false, true) => Lookup::Preflight { methods, app },
        (false, false) => Lookup::OtherMethods(methods),
    }
}

#[derive(Default)]
struct Captured<'a> {
    app: Option<&'a str>,
    provider: Option<&'a str>,
    id: Option<&'a str>,
}

fn capture<'a>(pattern: &str, path: &'a str) -> Option<Captured<'a>> {
    // Most patterns differ from the path before anything is captured: those need no splitting.
    let difference = pattern.bytes().zip(path.bytes()).find(|(expected, actual)| expected != actual);
    if difference.is_some_and(|(expected, _)| expected != b'{') {
        return None;
    }
    let mut captured = Captured::default();
    let mut actual = path.split('/');
    for expected in pattern.split('/') {
        let segment = actual.next()?;
        match expected {
            "{app}" if !segment.is_empty() => captured.app = Some(segment),
            "{provider}" if !segment.is_empty() => captured.provider = Some(segment),
            "{id}" if !segment.is_empty() => captured.id = Some(segment),
            literal if literal == segment => {}
            _ => return None,
        }
    }
    actual.next().is_none().then_some(captured)
}

fn decode(segment: &str) -> String {
    percent_encoding::percent_decode_str(segment).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(method: Method, path: &str) -> Option<Endpoint> {
        match find(&method, path) {
            Lookup::Endpoint(found) => Some(found.endpoint),
            _ => None,
        }
    }

    #[test]
    fn every_endpoint_is_found_by_its_path() {
        let base = "/api/client/v2.0";
        let cases = [
            (Method::GET, format!("{base}/app/movies-abcde/location"), Endpoint::Location),
            (Method::POST, format!("{base}/app/x/auth/providers/anon-user/login"), Endpoint::Login),
            (Method::GET, format!("{base}/app/x/auth/providers/oidc/login"), Endpoint::BeginRedirect),
            (Method::GET, format!("{base}/auth/callback"), Endpoint::EndRedirect),
            (Method::POST, format!("{base}/auth/callback"), Endpoint::EndRedirect),
            (
                Method::POST,
                format!("{base}/app/x/auth/providers/local-userpass/register"),
                Endpoint::Register,
            ),
            (Method::POST, format!("{base}/auth/session"), Endpoint::RefreshSession),
            (Method::DELETE, format!("{base}/auth/session"), Endpoint::EndSession),
            (Method::GET, format!("{base}/auth/profile"), Endpoint::Profile),
            (Method::POST, format!("{base}/app/x/graphql"), Endpoint::Graphql),
            (Method::GET, "/health".to_owned(), Endpoint::Health),
        ];
        for (method, path, expected) in cases {
            assert_eq!(endpoint(method, &path), Some(expected), "{path}");
        }
    }

    #[test]
    fn near_misses_are_not_found() {
        for path in [
            "/",
            "/api/client/v2.0",
            "/api/client/v2.0/app//location",
            "/api/client/v2.0/app/x/location/",
            "/api/client/v2.0/app/x/y/location",
            "/app/x/location",
        ] {
            assert_eq!(find(&Method::GET, path), Lookup::NotFound, "{path}");
        }
    }

    #[test]
    fn another_method_is_told_apart_from_another_path() {
        assert_eq!(
            find(&Method::PUT, "/api/client/v2.0/auth/session"),
            Lookup::OtherMethods(vec![Method::POST, Method::DELETE])
        );
        assert_eq!(
            find(&Method::OPTIONS, "/api/client/v2.0/app/a%20b/graphql"),
            Lookup::Preflight { methods: vec![Method::POST, Method::GET], app: Some("a b".to_owned()) }
        );
    }
}
