//! The identities of a user as one blob, for stores that keep them so.

use bson::raw::cstr;
use bson::{Document, RawArrayBuf, RawBsonRef, RawDocument, RawDocumentBuf};

use super::{Identity, Result, StoreError, StoreErrorKind};

/// `{"": [[provider, provider_id, id, data], …]}`: read on every request, so nothing in it is named.
///
/// # Errors
/// `Unsupported` when what a provider knows is no BSON.
pub fn write_identities(identities: &[Identity]) -> Result<Vec<u8>> {
    let mut all = RawArrayBuf::new();
    for identity in identities {
        let data = RawDocumentBuf::try_from(&identity.data).map_err(|cause| {
            StoreError::new(StoreErrorKind::Unsupported, "an identity's data cannot be stored")
                .with_cause(cause)
        })?;
        let mut one = RawArrayBuf::new();
        one.push(identity.provider.as_str());
        one.push(identity.provider_id);
        one.push(identity.id.as_str());
        one.push(data);
        all.push(one);
    }
    let mut whole = RawDocumentBuf::new();
    whole.append(cstr!(""), all);
    Ok(whole.into_bytes())
}

/// What [`write_identities`] has written; `None` when these bytes are something else.
pub fn read_identities(bytes: &[u8]) -> Option<Vec<Identity>> {
    let all = RawDocument::from_bytes(bytes).ok()?.get_array("").ok()?;
    all.into_iter().map(|one| read_identity(one.ok()?)).collect()
}

fn read_identity(one: RawBsonRef<'_>) -> Option<Identity> {
    let mut parts = one.as_array()?.into_iter().map_while(std::result::Result::ok);
    Some(Identity {
        provider: parts.next()?.as_str()?.to_owned(),
        provider_id: parts.next()?.as_object_id()?,
        id: parts.next()?.as_str()?.to_owned(),
        data: Document::try_from(parts.next()?.as_document()?).ok()?,
    })
}
