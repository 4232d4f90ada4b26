//! The claims of a third party's token (RFC 7519 §4.1).

use serde_json::{Map, Value};

use super::{Fault, json};

/// How far a third party's clock may be off, in seconds.
const LEEWAY: i64 = 5;
/// From here on not every integer is a double (RFC 7493 §2.2).
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;
const MAX_SUBJECT: usize = 1024;

/// What the claims are checked against.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expected<'e> {
    /// Now, in seconds after 1970.
    pub(crate) now: i64,
    /// The names of which `aud` has to have all or any; without a name no token is accepted.
    pub(crate) audience: &'e [&'e str],
    /// Whether one of them is enough.
    pub(crate) any: bool,
}

/// Claims that hold now and are meant for us.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Claims {
    subject: String,
    all: Map<String, Value>,
}

impl Claims {
    /// Reads a payload whose signature holds.
    pub(crate) fn read(payload: &[u8], expected: Expected<'_>) -> Result<Self, Fault> {
        let all = json::object(payload)?;
        let now = expected.now;
        let expires_at = date(&all, "exp")?.ok_or(Fault("`exp` is missing"))?;
        if now >= expires_at.saturating_add(LEEWAY) {
            return Err(Fault("the token has expired"));
        }
        if date(&all, "nbf")?.is_some_and(|from| from > now.saturating_add(LEEWAY)) {
            return Err(Fault("the token is not valid yet (`nbf`)"));
        }
        if date(&all, "iat")?.is_some_and(|issued_at| issued_at > now.saturating_add(LEEWAY)) {
            return Err(Fault("the token was issued in the future (`iat`)"));
        }
        if !matches!(all.get("iss"), None | Some(Value::String(_))) {
            return Err(Fault("`iss` is not a string"));
        }
        check_audience(&all, expected)?;
        let subject = match all.get("sub") {
            Some(Value::String(subject)) if (1..=MAX_SUBJECT).contains(&subject.len()) => subject.clone(),
            _ => return Err(Fault("`sub` is not a string of 1 to 1024 bytes")),
        };
        Ok(Self { subject, all })
    }

    /// Whom the token is about.
    pub(crate) fn subject(&self) -> &str {
        &self.subject
    }

    /// All claims.
    pub(crate) fn into_all(self) -> Map<String, Value> {
        self.all
    }

    /// The claim at the end of a path through objects.
    pub(crate) fn at<S: AsRef<str>>(&self, path: &[S]) -> Option<&Value> {
        let (first, rest) = path.split_first()?;
        rest.iter()
            .try_fold(self.all.get(first.as_ref())?, |value, name| value.as_object()?.get(name.as_ref()))
    }
}

/// A `NumericDate` without a fraction.
fn date(claims: &Map<String, Value>, name: &str) -> Result<Option<i64>, Fault> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    let whole = || {
        let float = value.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < MAX_EXACT)?;
        #[expect(clippy::cast_possible_truncation, reason = "it is whole and fits")]
        Some(float as i64)
    };
    match value.as_i64().or_else(whole) {
        Some(date) if date >= 0 => Ok(Some(date)),
        _ => Err(Fault("`exp`, `nbf` or `iat` is not a whole number of seconds after 1970")),
    }
}

fn check_audience(claims: &Map<String, Value>, expected: Expected<'_>) -> Result<(), Fault> {
    let named: Vec<&str> = match claims.get("aud") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(list)) => list
            .iter()
            .map(|item| item.as_str().ok_or(Fault("`aud` has something else than strings")))
            .collect::<Result<_, _>>()?,
        _ => return Err(Fault("`aud` is neither a string nor a list of strings")),
    };
    let mut wanted = expected.audience.iter();
    let is_named = |name: &&str| named.contains(name);
    let meant = if expected.any {
        wanted.any(is_named)
    } else {
        !expected.audience.is_empty() && wanted.all(is_named)
    };
    if meant { Ok(()) } else { Err(Fault("the token is meant for somebody else (`aud`)")) }
}

#[cfg(test)]
mod attacks;
