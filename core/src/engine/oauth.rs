//! Log-in by redirect on the wire (wire-protocol §7).
//!
//! 1. The fragment goes out under both generations of names, `_baas_` and `_stitch_`.
//! 2. An error is told at a listed address or, where none is known, as JSON; never anywhere else.
//! 3. Nothing here is cached, and no referrer carries a code or a state on.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use bson::{Bson, doc};
use bytes::Bytes;
use http::header::{CACHE_CONTROL, COOKIE, LOCATION, REFERRER_POLICY, SET_COOKIE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};

use super::handle::admit_address;
use super::self_service::owner_of;
use super::{App, Engine};
use crate::auth::{
    Callback, DeviceInfo, Linking, RedirectRequest, RedirectResult, StateParameter, callback_path,
    form_encode,
};
use crate::error::{Error, ErrorKind, Result};
use crate::http::{self as wire, Body};
use crate::id::UserId;
use crate::observe::Notes;

/// Where a client that fetches reads the service's address.
const LOCATION_HEADERS: [HeaderName; 2] =
    [HeaderName::from_static("x-baas-location"), HeaderName::from_static("x-stitch-location")];
/// Both generations of clients read their own names.
const PREFIXES: [&str; 2] = ["_baas_", "_stitch_"];

/// `GET …/auth/providers/{provider}/login`: sends the browser to the service.
pub(super) async fn begin(app: &App, provider: &str, head: &Parts) -> Result<Response<Body>> {
    let query = Parameters::read(head.uri.query().unwrap_or_default().as_bytes());
    let is_on = |name: &str| Ok::<_, Error>(query.one(name)? == Some("true"));
    let linking = if is_on("link")? {
        let actor = app.authenticate(head).await?;
        let acting = owner_of(&actor)?;
        let missing = || Error::new(ErrorKind::MissingAuthReq, "must authenticate first");
        Some(Linking { user: acting.user.id, session: acting.session.ok_or_else(missing)? })
    } else {
        None
    };
    let device = query.one("device")?.map_or(Ok(DeviceInfo::default()), device)?;
    Notes::note(head, |notes| notes.client(&device.client));
    let request = RedirectRequest {
        redirect: query.one("redirect")?.unwrap_or_default().to_owned(),
        state: query.one("state")?.unwrap_or_default().to_owned(),
        device: DeviceInfo { peer: wire::peer_address(head), ..device },
        linking,
    };
    let fetched = is_on("providerRedirectHeader")?;
    let start = app.parts().auth.start_redirect(provider, request).await?;

    let mut response = wire::empty(if fetched { StatusCode::OK } else { StatusCode::FOUND });
    let headers = response.headers_mut();
    let url = header_value(&start.url)?;
    if fetched {
        LOCATION_HEADERS.into_iter().for_each(|name| drop(headers.insert(name, url.clone())));
    } else {
        headers.insert(LOCATION, url);
    }
    let cookie = Cookie {
        name: &start.state.cookie_name(),
        value: &start.cookie,
        seconds: start.lifetime.num_seconds(),
        // A page of another site that fetches can be given a cookie of no other kind.
        cross_site: start.cross_site || fetched,
    };
    headers.insert(SET_COOKIE, header_value(&cookie.write(app.public_url()))?);
    keep_private(headers);
    Ok(response)
}

/// `GET` and `POST /auth/callback`: the service sends the browser back.
pub(super) async fn end(engine: &Engine, head: &Parts, body: &Bytes) -> Result<Response<Body>> {
    let parameters = if head.method == Method::POST {
        Parameters::read(body)
    } else {
        Parameters::read(head.uri.query().unwrap_or_default().as_bytes())
    };
    let unknown =
        || Error::new(ErrorKind::AuthError, "this log-in is not under way in this browser: begin again");
    let state = parameters.one("state")?.and_then(StateParameter::read).ok_or_else(unknown)?;
    let app = state.app().and_then(|id| engine.app(&id)).ok_or_else(unknown)?;
    Notes::note(head, |notes| app.note(notes, None));
    admit_address(app, head)?;
    let text = |name: &str| Ok::<_, Error>(parameters.one(name)?.map(str::to_owned));
    let name = state.cookie_name();
    let callback = Callback {
        state,
        code: text("code")?,
        error: text("error")?,
        issuer: text("iss")?,
        peer: wire::peer_address(head),
    };
    let result = app.parts().auth.finish_redirect(&callback, cookie(&head.headers, &name)).await?;
    Notes::note(head, |notes| {
        notes.provider(&result.provider);
        match &result.outcome {
            Ok(tokens) => notes.session(UserId::parse(&tokens.user_id), None),
            Err(error) => notes.failed(error),
        }
    });

    let mut response = wire::empty(StatusCode::FOUND);
    let headers = response.headers_mut();
    headers.insert(LOCATION, header_value(&landing(app, &result))?);
    let spent = Cookie { name: &name, value: "", seconds: 0, cross_site: false };
    headers.insert(SET_COOKIE, header_value(&spent.write(app.public_url()))?);
    keep_private(headers);
    Ok(response)
}

/// The listed address with what the client reads there.
fn landing(app: &App, result: &RedirectResult) -> String {
    let mut members = vec![("client_app_id", app.id().as_str()), ("state", &result.client_state)];
    let user_auth;
    match &result.outcome {
        Ok(tokens) => {
            let parts = [&tokens.access_token, &tokens.refresh_token, &tokens.user_id, &tokens.device_id];
            user_auth = parts.map(String::as_str).join("$");
            if result.linked {
                members.push(("link", "ok"));
            }
        }
        Err(error) => {
            let causes = std::iter::successors(std::error::Error::source(error), |cause| (*cause).source());
            let causes: Vec<String> = causes.map(ToString::to_string).collect();
            tracing::warn!(app = %app.id(), kind = ?error.kind(), causes = causes.join(": "), "{error}");
            user_auth = String::new();
            members.push(("error", error.hint()));
        }
    }
    let sets = PREFIXES.map(|prefix| {
        let named: Vec<(String, &str)> =
            members.iter().map(|(name, value)| (format!("{prefix}{name}"), *value)).collect();
        let pairs: Vec<(&str, &str)> = named.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        let mut set = form_encode(&pairs);
        if !user_auth.is_empty() {
            // Tokens and ids need no escapes, and old clients split at the `$` without undoing any.
            set.push_str(&format!("&{prefix}ua={user_auth}"));
        }
        set
    });
    format!("{}#{}", result.redirect, sets.join("&"))
}

/// A cookie for the callback alone (RFC 6265bis §4.1).
struct Cookie<'a> {
    name: &'a str,
    value: &'a str,
    seconds: i64,
    cross_site: bool,
}

impl Cookie<'_> {
    fn write(&self, public_url: &str) -> String {
        let Self { name, value, seconds, cross_site } = self;
        let path = callback_path(public_url);
        let secure = public_url.starts_with("https://");
        // Browsers drop `SameSite=None` without `Secure`, so plain HTTP makes do with `Lax`.
        let same_site = if *cross_site && secure { "None" } else { "Lax" };
        let secure = if secure { "; Secure" } else { "" };
        format!("{name}={value}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite={same_site}{secure}")
    }
}

/// The value of a cookie, if it comes once.
fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let texts = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = texts.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut values = pairs.filter(|(known, _)| *known == name).map(|(_, value)| value);
    let value = values.next()?;
    values.next().is_none().then_some(value)
}

/// `application/x-www-form-urlencoded`, decoded.
struct Parameters(Vec<(String, String)>);

impl Parameters {
    fn read(text: &[u8]) -> Self {
        let pairs = text.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = match pair.iter().position(|byte| *byte == b'=') {
                Some(at) => (pair.get(..at).unwrap_or_default(), pair.get(at + 1..).unwrap_or_default()),
                None => (pair, &[][..]),
            };
            (decode(name), decode(value))
        });
        Self(pairs.collect())
    }

    /// The value; one that comes twice means nothing (RFC 6749 §3.1).
    fn one(&self, name: &str) -> Result<Option<&str>> {
        let mut values = self.0.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str());
        match (values.next(), values.next()) {
            (_, Some(_)) => Err(Error::new(ErrorKind::InvalidParameter, format!("`{name}` comes twice"))),
            (value, None) => Ok(value),
        }
    }
}

fn decode(text: &[u8]) -> String {
    let spaced: Vec<u8> = text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    percent_encoding::percent_decode(&spaced).decode_utf8_lossy().into_owned()
}

/// The device, as base64 of JSON; a `+` has become a space if it was not escaped.
fn device(text: &str) -> Result<DeviceInfo> {
    let text = text.replace(' ', "+");
    let unreadable = || Error::new(ErrorKind::InvalidParameter, "`device` must be base64 of a JSON object");
    let bytes = [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD]
        .iter()
        .find_map(|alphabet| alphabet.decode(&text).ok())
        .ok_or_else(unreadable)?;
    let json: serde_json::Value = serde_json::from_slice(&bytes).map_err(|_| unreadable())?;
    match Bson::try_from(json).map_err(|_| unreadable())? {
        Bson::Document(device) => DeviceInfo::from_options(&doc! { "device": device }),
        _ => Err(unreadable()),
    }
}

fn header_value(text: &str) -> Result<HeaderValue> {
    HeaderValue::from_str(text).map_err(Error::internal)
}

fn keep_private(headers: &mut HeaderMap) {
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
}
