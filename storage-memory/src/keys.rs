//! Signing keys and metadata.

use async_trait::async_trait;
use backstitch::id::AppId;
use backstitch::store::{KeyStore, MetaStore, Result, SigningKeyRecord};

use crate::MemoryStore;
use crate::accounts::duplicate;

#[async_trait]
impl KeyStore for MemoryStore {
    async fn signing_keys(&self, app: &AppId) -> Result<Vec<SigningKeyRecord>> {
        Ok(self.accounts().of(app).map(|tables| tables.keys.clone()).unwrap_or_default())
    }

    async fn insert_signing_key(&self, app: &AppId, key: &SigningKeyRecord, expected: usize) -> Result<bool> {
        let mut accounts = self.accounts();
        let keys = &mut accounts.of_mut(app).keys;
        if keys.len() != expected {
            return Ok(false);
        }
        if keys.iter().any(|stored| stored.id == key.id) {
            return Err(duplicate("the key id is taken"));
        }
        keys.push(key.clone());
        keys.sort_by_key(|key| key.created_at);
        Ok(true)
    }

    async fn delete_signing_key(&self, app: &AppId, id: &str) -> Result<bool> {
        let mut accounts = self.accounts();
        let keys = &mut accounts.of_mut(app).keys;
        let before = keys.len();
        keys.retain(|key| key.id != id);
        Ok(keys.len() < before)
    }
}

#[async_trait]
impl MetaStore for MemoryStore {
    async fn apps(&self) -> Result<Vec<AppId>> {
        Ok(self.accounts().apps())
    }

    async fn facts(&self, app: &AppId) -> Result<Vec<(String, String)>> {
        let accounts = self.accounts();
        let facts = accounts.of(app).into_iter().flat_map(|tables| &tables.meta);
        Ok(facts.map(|(key, value)| (key.clone(), value.clone())).collect())
    }

    async fn meta(&self, app: &AppId, key: &str) -> Result<Option<String>> {
        Ok(self.accounts().of(app).and_then(|tables| tables.meta.get(key)).cloned())
    }

    async fn meta_or_insert(&self, app: &AppId, key: &str, value: &str) -> Result<String> {
        let mut accounts = self.accounts();
        let stored = accounts.of_mut(app).meta.entry(key.to_owned()).or_insert_with(|| value.to_owned());
        Ok(stored.clone())
    }
}
