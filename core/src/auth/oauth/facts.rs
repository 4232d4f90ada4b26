//! What a service has said of somebody, and what becomes of it.

use bson::{Bson, Document};
use serde_json::{Map, Value};

use super::presets::Preset;
use crate::auth::config::MetadataField;
use crate::error::{Error, ErrorKind, Result};

/// The most characters that a text of the user's data has, as with custom tokens.
const MAX_TEXT: usize = 4096;
/// OpenID Connect Core §2 allows 255; Facebook's ids are shorter.
const MAX_SUBJECT: usize = 255;

/// What a service has said of somebody, proved.
#[derive(Debug)]
pub(super) struct Facts {
    claims: Map<String, Value>,
}

impl Facts {
    /// From claims by the names of OpenID Connect Core §5.1, with a subject.
    pub(super) fn new(claims: Map<String, Value>) -> Result<Self> {
        let subject = claims.get("sub").and_then(Value::as_str).unwrap_or_default();
        if subject.is_empty() || subject.len() > MAX_SUBJECT {
            return Err(Error::new(ErrorKind::AuthError, "the log-in service does not say who it is"));
        }
        Ok(Self { claims })
    }

    /// The service's own id of the person.
    pub(super) fn subject(&self) -> &str {
        self.claims.get("sub").and_then(Value::as_str).unwrap_or_default()
    }

    /// Adds claims of the UserInfo endpoint (§5.3), which count only for the same subject; what is known stays.
    ///
    /// An address and whether it is verified are taken from one source: one source's address must not be
    /// vouched for by what the other says of another.
    pub(super) fn complete(&mut self, mut more: Map<String, Value>) -> Result<()> {
        if more.get("sub").and_then(Value::as_str) != Some(self.subject()) {
            let text = "the log-in service speaks of somebody else";
            return Err(Error::new(ErrorKind::AuthError, text));
        }
        match (self.claims.get("email"), more.get("email")) {
            (None, _) => drop(self.claims.remove("email_verified")),
            (Some(known), Some(named)) if known == named => {}
            (Some(_), _) => drop(more.remove("email_verified")),
        }
        for (name, value) in more {
            self.claims.entry(name).or_insert(value);
        }
        Ok(())
    }

    /// Whether something that is asked for is not there.
    pub(super) fn lacks_any(&self, fields: &[MetadataField], domains: &[String], preset: &Preset) -> bool {
        let lacks_email = !domains.is_empty() && self.verified_email().is_none();
        lacks_email || fields.iter().any(|field| self.field(field, preset).is_none())
    }

    /// The user's data.
    ///
    /// # Errors
    /// [`ErrorKind::AuthError`] when a required field is not there.
    pub(super) fn data(&self, fields: &[MetadataField], preset: &Preset) -> Result<Document> {
        let mut data = Document::new();
        for field in fields {
            match self.field(field, preset) {
                Some(value) => drop(data.insert(field.field_name.as_str(), value)),
                None if field.required => {
                    let text = format!("the log-in service did not give `{}`", field.field_name);
                    return Err(Error::new(ErrorKind::AuthError, text));
                }
                None => {}
            }
        }
        Ok(data)
    }

    /// Whether the verified e-mail address is of one of these domains; with none every person is.
    ///
    /// # Errors
    /// [`ErrorKind::DomainNotAllowed`].
    pub(super) fn check_domain(&self, domains: &[String]) -> Result<()> {
        if domains.is_empty() {
            return Ok(());
        }
        let domain = self.verified_email().and_then(|email| email.rsplit_once('@')).map(|(_, domain)| domain);
        match domain {
            Some(domain) if domains.iter().any(|known| known.eq_ignore_ascii_case(domain)) => Ok(()),
            Some(_) => Err(Error::new(
                ErrorKind::DomainNotAllowed,
                "the domain of the e-mail address is not allowed",
            )),
            None => Err(Error::new(ErrorKind::DomainNotAllowed, "the e-mail address is not verified")),
        }
    }

    fn verified_email(&self) -> Option<&str> {
        self.email_is(true).then(|| self.claims.get("email").and_then(Value::as_str)).flatten()
    }

    /// Apple says it as text.
    fn email_is(&self, verified: bool) -> bool {
        match self.claims.get("email_verified") {
            Some(Value::Bool(said)) => *said == verified,
            Some(Value::String(said)) => *said == verified.to_string(),
            _ => false,
        }
    }

    fn field(&self, field: &MetadataField, preset: &Preset) -> Option<Bson> {
        let value = match field.path.as_slice() {
            // Rules may rely on the address: one that is known to be unverified is none.
            [name] if name == "email" && self.email_is(false) => None,
            [name] => {
                let claim = preset.claims.iter().find(|(known, _)| known == name);
                claim.and_then(|(_, claim)| self.claims.get(*claim)).or_else(|| self.claims.get(name))
            }
            [first, rest @ ..] => {
                rest.iter().try_fold(self.claims.get(first)?, |value, name| value.get(name))
            }
            [] => None,
        };
        match value? {
            Value::Null => None,
            Value::String(text) if text.is_empty() || text.chars().count() > MAX_TEXT => None,
            // A claim is data whatever it looks like: no extended JSON is read here.
            value => bson::serialize_to_bson(value).ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn facts(claims: Value) -> Facts {
        match claims {
            Value::Object(claims) => Facts::new(claims).unwrap(),
            other => panic!("{other}"),
        }
    }

    #[test]
    fn one_source_does_not_vouch_for_the_address_of_the_other() {
        let domains = ["corp.example".to_owned()];
        let (good, evil) = ("a@corp.example", "e@evil.example");
        for (token, info, admitted) in [
            (json!({"email": good}), json!({"email": good, "email_verified": true}), true),
            (json!({}), json!({"email": good, "email_verified": true}), true),
            (json!({"email": good, "email_verified": true}), json!({"email": evil}), true),
            (json!({"email": good}), json!({"email": evil, "email_verified": true}), false),
            (json!({"email": good}), json!({"email_verified": true}), false),
            (json!({"email_verified": true}), json!({"email": good}), false),
            (
                json!({"email": good, "email_verified": false}),
                json!({"email": good, "email_verified": true}),
                false,
            ),
        ] {
            let with_subject = |json: &Value| {
                let mut json = json.clone();
                json["sub"] = json!("s");
                json
            };
            let mut facts = facts(with_subject(&token));
            let Value::Object(more) = with_subject(&info) else { panic!() };
            facts.complete(more).unwrap();
            assert_eq!(facts.check_domain(&domains).is_ok(), admitted, "{token} {info}");
        }
    }
}
