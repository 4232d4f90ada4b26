//! Custom user data: the document of a collection that names the user.

use std::sync::Arc;

use async_trait::async_trait;
use bson::{Bson, Document};

use super::config::CustomUserDataConfig;
use crate::error::{Error, Result};
use crate::filter::Filter;
use crate::rules::{Access, Query};
use crate::session::{CustomData, CustomUserData};
use crate::store::{Snapshot, Store, User};

/// Looks custom user data up in a store.
///
/// A document that names the user by a string comes before one that names it by an ObjectId; of
/// several, the first inserted counts.
pub struct StoredCustomData {
    config: CustomUserDataConfig,
    store: Arc<dyn Store>,
}

impl StoredCustomData {
    /// Looks there.
    pub fn new(config: CustomUserDataConfig, store: Arc<dyn Store>) -> Self {
        Self { config, store }
    }

    async fn first(&self, snapshot: &dyn Snapshot, id: Bson) -> Result<Option<Document>> {
        let filter = Filter::eq(self.config.user_id_field.as_str(), id);
        let query = Query { filter, limit: Some(1), ..Query::default() };
        let access = Access::system(self.config.collection.clone());
        let scoped = access.find(query).map_err(|denied| Error::internal(format!("{denied:?}")))?;
        let found = snapshot.find(&scoped).await?.next(1).await?;
        found.first().map(|raw| Document::try_from(raw.as_ref()).map_err(Error::internal)).transpose()
    }
}

#[async_trait]
impl CustomData for StoredCustomData {
    async fn custom_data(&self, user: &User) -> Result<CustomUserData> {
        let snapshot = self.store.snapshot().await?;
        let by_text = self.first(snapshot.as_ref(), Bson::String(user.id.to_hex())).await?;
        let found = match by_text {
            Some(document) => Some(document),
            None => self.first(snapshot.as_ref(), Bson::ObjectId(user.id.object_id())).await?,
        };
        Ok(CustomUserData::On(found))
    }
}

impl std::fmt::Debug for StoredCustomData {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("StoredCustomData").field(&self.config).finish()
    }
}
