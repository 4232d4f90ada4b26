//! What a client sends to log in.

use std::net::IpAddr;

use bson::{Bson, Document};

use crate::error::{Error, ErrorKind, Result};
use crate::id::DeviceId;

/// Bytes of a name and of a text that a client says of its device; longer ones are not kept.
const MAX_DEVICE_TEXT: usize = 128;
const MAX_DEVICE_MEMBERS: usize = 16;

/// A log-in request: the credential, and the device it comes from.
#[derive(Clone, Debug)]
pub struct LoginRequest {
    /// What is to be proved.
    pub credential: Credential,
    /// Where it comes from.
    pub device: DeviceInfo,
}

impl LoginRequest {
    /// Reads a body of (extended) JSON; an empty one has no fields.
    ///
    /// # Errors
    /// [`ErrorKind::BadRequest`] when it is no JSON object; [`ErrorKind::InvalidParameter`] naming
    /// a field of the wrong type.
    pub fn parse(body: &[u8]) -> Result<Self> {
        let mut fields = if body.iter().all(u8::is_ascii_whitespace) {
            Document::new()
        } else {
            let unreadable = || Error::new(ErrorKind::BadRequest, "the body must be a JSON object");
            let json: serde_json::Value = serde_json::from_slice(body).map_err(|_| unreadable())?;
            match Bson::try_from(json).map_err(|_| unreadable())? {
                Bson::Document(document) => document,
                _ => return Err(unreadable()),
            }
        };
        let device = match fields.remove("options") {
            None | Some(Bson::Null) => DeviceInfo::default(),
            Some(Bson::Document(options)) => DeviceInfo::from_options(&options)?,
            Some(_) => return Err(wrong_type("options", "an object")),
        };
        Ok(Self { credential: Credential(fields), device })
    }
}

/// What a client offers as proof: the fields of the body. `Debug` shows their names only.
#[derive(Clone)]
pub struct Credential(Document);

impl Credential {
    /// Takes the fields.
    pub fn new(fields: Document) -> Self {
        Self(fields)
    }

    /// A field that must be there and be text.
    ///
    /// # Errors
    /// [`ErrorKind::MissingParameter`] and [`ErrorKind::InvalidParameter`], naming it.
    pub fn text(&self, field: &str) -> Result<&str> {
        match self.0.get(field) {
            Some(Bson::String(text)) => Ok(text),
            None | Some(Bson::Null) => {
                Err(Error::new(ErrorKind::MissingParameter, format!("missing `{field}`")))
            }
            Some(_) => Err(wrong_type(field, "a string")),
        }
    }

    /// All fields, as a function provider hands them on.
    pub fn fields(&self) -> &Document {
        &self.0
    }
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Credential").field(&self.0.keys().collect::<Vec<_>>()).finish()
    }
}

/// What the client says of its device. Unknown keys are ignored.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeviceInfo {
    /// The id that an earlier log-in gave it.
    pub id: Option<DeviceId>,
    /// The address that the request came from, where the mount knows it; clients cannot say it.
    pub peer: Option<IpAddr>,
    /// What else it says: `platform`, `sdkVersion`, `appId` and the like, texts only, shown with the session.
    pub client: Document,
}

impl DeviceInfo {
    /// Reads `options.device.deviceId`: 24 hexadecimal digits as a string or as `{"$oid": …}`.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidParameter`] naming what has the wrong type.
    pub fn from_options(options: &Document) -> Result<Self> {
        let device = match options.get("device") {
            None | Some(Bson::Null) => return Ok(Self::default()),
            Some(Bson::Document(device)) => device,
            Some(_) => return Err(wrong_type("options.device", "an object")),
        };
        let id = match device.get("deviceId") {
            None | Some(Bson::Null) => None,
            Some(Bson::ObjectId(id)) => Some(DeviceId::new(*id)),
            Some(Bson::String(text)) if text.is_empty() => None,
            Some(Bson::String(text)) => Some(DeviceId::parse(text).ok_or_else(not_an_id)?),
            Some(_) => return Err(not_an_id()),
        };
        Ok(Self { id: id.filter(|id| *id != DeviceId::NONE), peer: None, client: described(device) })
    }
}

/// The short texts among the members of `device`, at most so many: anybody may send them, and an operator reads
/// them.
fn described(device: &Document) -> Document {
    let texts = device.iter().filter(|(name, value)| {
        let text = value.as_str().unwrap_or_default();
        *name != "deviceId"
            && name.len() <= MAX_DEVICE_TEXT
            && !text.is_empty()
            && text.len() <= MAX_DEVICE_TEXT
    });
    texts.take(MAX_DEVICE_MEMBERS).map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn not_an_id() -> Error {
    wrong_type("options.device.deviceId", "24 hexadecimal digits")
}

fn wrong_type(field: &str, expected: &str) -> Error {
    Error::new(ErrorKind::InvalidParameter, format!("`{field}` must be {expected}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "65a000000000000000000001";

    #[test]
    fn a_device_id_is_read_in_both_forms_and_zeros_are_none() {
        for (id, expected) in [
            (format!(r#""{ID}""#), DeviceId::parse(ID)),
            (format!(r#"{{"$oid":"{ID}"}}"#), DeviceId::parse(ID)),
            (r#""000000000000000000000000""#.to_owned(), None),
            (r#""""#.to_owned(), None),
            ("null".to_owned(), None),
        ] {
            let body = format!(r#"{{"options":{{"device":{{"deviceId":{id},"platform":"chrome"}}}}}}"#);
            assert_eq!(LoginRequest::parse(body.as_bytes()).unwrap().device.id, expected, "{id}");
        }
    }

    #[test]
    fn wrong_types_are_refused_by_name() {
        for (body, text) in [
            (r#"{"options":5}"#, "`options` must be an object"),
            (r#"{"options":{"device":[]}}"#, "`options.device` must be an object"),
            (
                r#"{"options":{"device":{"deviceId":5}}}"#,
                "`options.device.deviceId` must be 24 hexadecimal digits",
            ),
            ("[]", "the body must be a JSON object"),
            ("{", "the body must be a JSON object"),
        ] {
            let error = LoginRequest::parse(body.as_bytes()).unwrap_err();
            assert_eq!((error.hint(), error.kind().status().as_u16()), (text, 400), "{body}");
        }
        let request = LoginRequest::parse(br#"{"username":{"$numberInt":"5"}}"#).unwrap();
        assert_eq!(request.credential.text("username").unwrap_err().hint(), "`username` must be a string");
        assert_eq!(request.credential.text("password").unwrap_err().hint(), "missing `password`");
    }

    #[test]
    fn an_empty_body_is_a_credential_without_fields_and_debug_hides_values() {
        assert!(LoginRequest::parse(b"").unwrap().credential.fields().is_empty());
        let request = LoginRequest::parse(br#"{"password":"hunter2"}"#).unwrap();
        assert!(!format!("{request:?}").contains("hunter2"));
    }
}
