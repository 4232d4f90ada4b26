//! What stands in our tokens (App Services' names, old and new), and how strictly it is read.
//!
//! 1. Exactly the claims that we write, each once: an unknown or a repeated one refuses the token.
//! 2. `typ` must name the class; `iat` and `exp` are integers, not floats and not strings.
//! 3. A claim and its older twin must agree, and an id has one spelling.

use bson::{Bson, Document};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::id::{DeviceId, DomainId, SessionId, UserId};
use crate::jose;
use crate::store::Identity;

/// The domain id that a token names, **unverified**: it routes a request to an app, whose keys then
/// decide. `None` when it names none.
pub fn peek_domain(token: &str, max_bytes: usize) -> Option<DomainId> {
    let payload = jose::unverified_payload(token, max_bytes)?;
    let peeked: Peeked<'_> = serde_json::from_slice(&payload).ok()?;
    DomainId::parse(peeked.baas_domain_id)
}

/// Both classes' claims, parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Claims {
    pub(super) user: UserId,
    pub(super) session: SessionId,
    pub(super) device: DeviceId,
    pub(super) domain: DomainId,
    pub(super) issued_at: i64,
    pub(super) expires_at: i64,
}

impl Claims {
    /// The payload of an access token. `user_data` is JSON text, absent when the feature is off.
    pub(super) fn access_payload(&self, user_data: Option<&RawValue>) -> serde_json::Result<Vec<u8>> {
        let (session, user) = (self.session.to_hex(), self.user.to_hex());
        let (device, domain) = (self.device.to_hex(), self.domain.to_hex());
        serde_json::to_vec(&Access {
            baas_device_id: &device,
            baas_domain_id: &domain,
            exp: self.expires_at,
            iat: self.issued_at,
            iss: &session,
            stitch_dev_id: &device,
            stitch_domain_id: &domain,
            sub: &user,
            typ: "access",
            user_data,
        })
    }

    /// The payload of a refresh token, which also names the identity that logged in.
    pub(super) fn refresh_payload(&self, identity: &Identity) -> serde_json::Result<Vec<u8>> {
        let (session, user) = (self.session.to_hex(), self.user.to_hex());
        let (device, domain) = (self.device.to_hex(), self.domain.to_hex());
        let provider_id = identity.provider_id.to_hex();
        let identity = serde_json::value::to_raw_value(&TokenIdentity {
            id: &identity.id,
            provider_type: &identity.provider,
            provider_id: &provider_id,
        })?;
        serde_json::to_vec(&Refresh {
            baas_data: (),
            baas_device_id: &device,
            baas_domain_id: &domain,
            baas_id: &session,
            baas_identity: &identity,
            exp: self.expires_at,
            iat: self.issued_at,
            stitch_data: (),
            stitch_dev_id: &device,
            stitch_domain_id: &domain,
            stitch_id: &session,
            stitch_ident: &identity,
            sub: &user,
            typ: "refresh",
        })
    }

    /// Reads an access token's payload: the claims and the custom user data as they stand.
    pub(super) fn read_access(payload: &[u8]) -> Option<(Self, Option<&RawValue>)> {
        let wire: Access<'_> = serde_json::from_slice(payload).ok()?;
        let twins = wire.baas_device_id == wire.stitch_dev_id && wire.baas_domain_id == wire.stitch_domain_id;
        if wire.typ != "access" || !twins {
            return None;
        }
        let claims = Self {
            user: UserId::parse(as_written(wire.sub)?)?,
            session: SessionId::parse(as_written(wire.iss)?)?,
            device: DeviceId::parse(as_written(wire.baas_device_id)?)?,
            domain: DomainId::parse(as_written(wire.baas_domain_id)?)?,
            issued_at: wire.iat,
            expires_at: wire.exp,
        };
        Some((claims, wire.user_data))
    }

    /// Reads a refresh token's payload.
    pub(super) fn read_refresh(payload: &[u8]) -> Option<Self> {
        let wire: Refresh<'_> = serde_json::from_slice(payload).ok()?;
        let twins = wire.baas_device_id == wire.stitch_dev_id
            && wire.baas_domain_id == wire.stitch_domain_id
            && wire.baas_id == wire.stitch_id
            && wire.baas_identity.get() == wire.stitch_ident.get();
        if wire.typ != "refresh" || !twins {
            return None;
        }
        Some(Self {
            user: UserId::parse(as_written(wire.sub)?)?,
            session: SessionId::parse(as_written(wire.baas_id)?)?,
            device: DeviceId::parse(as_written(wire.baas_device_id)?)?,
            domain: DomainId::parse(as_written(wire.baas_domain_id)?)?,
            issued_at: wire.iat,
            expires_at: wire.exp,
        })
    }
}

/// An id in the one spelling that we write, in lower case.
fn as_written(id: &str) -> Option<&str> {
    (!id.bytes().any(|byte| byte.is_ascii_uppercase())).then_some(id)
}

/// Custom user data as a token carries them: relaxed extended JSON, so that clients which do not
/// decode extended JSON see plain numbers.
pub(super) fn write_user_data(data: Document) -> serde_json::Result<Box<RawValue>> {
    serde_json::value::to_raw_value(&Bson::Document(data).into_relaxed_extjson())
}

/// Reads what [`write_user_data`] wrote; `None` when it is no document.
pub(super) fn read_user_data(raw: &RawValue) -> Option<Document> {
    let value: serde_json::Value = serde_json::from_str(raw.get()).ok()?;
    match Bson::try_from(value).ok()? {
        Bson::Document(document) => Some(document),
        _ => None,
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Access<'t> {
    baas_device_id: &'t str,
    baas_domain_id: &'t str,
    exp: i64,
    iat: i64,
    iss: &'t str,
    #[serde(rename = "stitch_devId")]
    stitch_dev_id: &'t str,
    #[serde(rename = "stitch_domainId")]
    stitch_domain_id: &'t str,
    sub: &'t str,
    typ: &'t str,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    user_data: Option<&'t RawValue>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Refresh<'t> {
    baas_data: (),
    baas_device_id: &'t str,
    baas_domain_id: &'t str,
    baas_id: &'t str,
    #[serde(borrow)]
    baas_identity: &'t RawValue,
    exp: i64,
    iat: i64,
    stitch_data: (),
    #[serde(rename = "stitch_devId")]
    stitch_dev_id: &'t str,
    #[serde(rename = "stitch_domainId")]
    stitch_domain_id: &'t str,
    stitch_id: &'t str,
    #[serde(borrow)]
    stitch_ident: &'t RawValue,
    sub: &'t str,
    typ: &'t str,
}

#[derive(Serialize)]
struct TokenIdentity<'t> {
    id: &'t str,
    provider_type: &'t str,
    provider_id: &'t str,
}

#[derive(Deserialize)]
struct Peeked<'t> {
    baas_domain_id: &'t str,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const ID: &str = "65a000000000000000000001";

    fn claims() -> Claims {
        Claims {
            user: UserId::parse(ID).unwrap(),
            session: SessionId::parse("65a000000000000000000002").unwrap(),
            device: DeviceId::parse("65a000000000000000000003").unwrap(),
            domain: DomainId::parse("65a000000000000000000004").unwrap(),
            issued_at: 1000,
            expires_at: 2800,
        }
    }

    fn identity() -> Identity {
        let provider_id = bson::oid::ObjectId::parse_str("65a000000000000000000005").unwrap();
        Identity {
            provider: "anon-user".to_owned(),
            provider_id,
            id: "i-1".to_owned(),
            data: Document::new(),
        }
    }

    fn changed(payload: &[u8], key: &str, value: Value) -> Vec<u8> {
        let mut claims: Value = serde_json::from_slice(payload).unwrap();
        claims[key] = value;
        serde_json::to_vec(&claims).unwrap()
    }

    #[test]
    fn both_classes_have_exactly_the_original_claims() {
        let data = write_user_data(bson::doc! { "level": 3, "big": 5_i64 }).unwrap();
        let access: Value = serde_json::from_slice(&claims().access_payload(Some(&data)).unwrap()).unwrap();
        let device = "65a000000000000000000003";
        let domain = "65a000000000000000000004";
        let session = "65a000000000000000000002";
        assert_eq!(
            access,
            json!({
                "typ": "access", "sub": ID, "iss": session, "iat": 1000, "exp": 2800,
                "baas_device_id": device, "stitch_devId": device,
                "baas_domain_id": domain, "stitch_domainId": domain,
                "user_data": {"level": 3, "big": 5},
            })
        );
        let refresh: Value = serde_json::from_slice(&claims().refresh_payload(&identity()).unwrap()).unwrap();
        let ident =
            json!({"id": "i-1", "provider_type": "anon-user", "provider_id": "65a000000000000000000005"});
        assert_eq!(
            refresh,
            json!({
                "typ": "refresh", "sub": ID, "iat": 1000, "exp": 2800,
                "baas_id": session, "stitch_id": session, "baas_data": null, "stitch_data": null,
                "baas_device_id": device, "stitch_devId": device,
                "baas_domain_id": domain, "stitch_domainId": domain,
                "baas_identity": ident, "stitch_ident": ident,
            })
        );
    }

    #[test]
    fn hostile_claims_are_refused() {
        let good = claims().access_payload(None).unwrap();
        assert_eq!(Claims::read_access(&good).map(|(read, _)| read), Some(claims()));
        for (attack, key, value) in [
            ("29 exp string", "exp", json!("2800")),
            ("29 exp null", "exp", Value::Null),
            ("29 exp float", "exp", json!(2800.0)),
            ("29 exp huge", "exp", json!(u64::MAX)),
            ("29 exp overflow", "exp", json!(1e300)),
            ("29 exp bool", "exp", json!(true)),
            ("29 iat string", "iat", json!("1000")),
            ("30 nbf", "nbf", json!("x")),
            ("33 aud", "aud", json!([])),
            ("34 iss array", "iss", json!([ID])),
            ("34 iss no id", "iss", json!("https://host/")),
            ("34 iss in upper case", "iss", json!("65A000000000000000000002")),
            ("38 sub in upper case", "sub", json!("65A000000000000000000001")),
            ("35 refresh as access", "typ", json!("refresh")),
            ("35 id token", "typ", json!("ID")),
            ("36 twins differ", "stitch_domainId", json!(ID)),
            ("38 sub no id", "sub", json!("key:1")),
            ("38 sub number", "sub", json!(1)),
            ("unknown claim", "admin", json!(true)),
        ] {
            assert!(Claims::read_access(&changed(&good, key, value)).is_none(), "{attack}");
        }
        let text = String::from_utf8(good).unwrap();
        for (attack, hostile) in [
            ("20 repeated claim", text.replace("\"sub\":", "\"sub\":\"x\",\"sub\":")),
            ("21 lone surrogate", text.replace("\"typ\":\"access\"", "\"typ\":\"\\ud800\"")),
            (
                "22 nesting",
                text.replace(
                    "\"iss\":",
                    &format!("\"a\":{}{},\"iss\":", "[".repeat(10_000), "]".repeat(10_000)),
                ),
            ),
            ("29 exp missing", text.replace("\"exp\":2800,", "")),
            ("29 NaN", text.replace("2800", "NaN")),
            ("not an object", "null".to_owned()),
        ] {
            assert_ne!(hostile, text, "{attack}");
            assert!(Claims::read_access(hostile.as_bytes()).is_none(), "{attack}");
        }
    }

    #[test]
    fn one_class_is_never_read_as_the_other() {
        let refresh = claims().refresh_payload(&identity()).unwrap();
        assert_eq!(Claims::read_refresh(&refresh), Some(claims()));
        assert!(Claims::read_access(&refresh).is_none());
        assert!(Claims::read_refresh(&claims().access_payload(None).unwrap()).is_none());
        for (key, value) in [
            ("typ", json!("access")),
            ("stitch_id", json!(ID)),
            ("stitch_ident", json!({})),
            ("exp", json!(1.5)),
            ("sub", json!("65A000000000000000000001")),
            ("baas_data", json!("x")),
        ] {
            assert!(Claims::read_refresh(&changed(&refresh, key, value)).is_none(), "{key}");
        }
    }

    #[test]
    fn deep_user_data_are_refused_without_a_stack_overflow() {
        let deep = format!("{}1{}", r#"{"a":"#.repeat(10_000), "}".repeat(10_000));
        let raw = RawValue::from_string(deep).unwrap();
        assert!(read_user_data(&raw).is_none());
    }

    #[test]
    fn the_domain_is_peeked_at_without_a_signature_and_nothing_else_is() {
        let token = |payload: &[u8]| {
            use base64::Engine as _;
            format!("e30.{}.AA", base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(payload))
        };
        let good = token(&claims().access_payload(None).unwrap());
        assert_eq!(peek_domain(&good, 8192), Some(claims().domain));
        for hostile in
            ["", "a.b", "..", &token(b"{}"), &token(br#"{"baas_domain_id":5}"#), &token(&[b'['; 5000])]
        {
            assert_eq!(peek_domain(hostile, 8192), None);
        }
        assert_eq!(peek_domain(&good, 20), None);
    }
}
