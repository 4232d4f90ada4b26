//! What stands in our tokens (App Services' names, old and new), and how strictly it is read.
//!
//! 1. Exactly the claims that we write, each once: an unknown or a repeated one refuses the token.
//! 2. `typ` must name the class; `iat` and `exp` are integers, not floats and not strings.
//! 3. A claim and its older twin must agree.

use bson::{Bson, Document};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::jws;
use crate::id::{DeviceId, DomainId, SessionId, UserId};
use crate::store::Identity;

/// The domain id that a token names, **unverified**: it routes a request to an app, whose keys then
/// decide. `None` when it names none.
pub fn peek_domain(token: &str, max_bytes: usize) -> Option<DomainId> {
    let payload = jws::unverified_payload(token, max_bytes)?;
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
            user: UserId::parse(wire.sub)?,
            session: SessionId::parse(wire.iss)?,
            device: DeviceId::parse(wire.baas_device_id)?,
            domain: DomainId::parse(wire.baas_domain_id)?,
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
            user: UserId::parse(wire.sub)?,
            session: SessionId::parse(wire.baas_id)?,
            device: DeviceId::parse(wire.baas_device_id)?,
            domain: DomainId::parse(wire.baas_domain_id)?,
            issued_at: wire.iat,
            expires_at: wire.exp,
        })
    }
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
