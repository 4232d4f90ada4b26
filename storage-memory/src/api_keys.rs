//! API keys.

use async_trait::async_trait;
use backstitch::id::{ApiKeyId, AppId, UserId};
use backstitch::store::{ApiKey, ApiKeyOwner, ApiKeyStore, Result};

use crate::MemoryStore;
use crate::accounts::{conflict, duplicate};

#[async_trait]
impl ApiKeyStore for MemoryStore {
    async fn insert_api_key(&self, app: &AppId, key: &ApiKey, most: usize) -> Result<bool> {
        let mut accounts = self.accounts();
        let tables = accounts.of_mut(app);
        let of = match key.owner {
            ApiKeyOwner::Server => None,
            ApiKeyOwner::User => Some(key.user),
        };
        let siblings = || tables.api_keys.values().filter(|stored| belongs(stored, of));
        if siblings().count() >= most {
            return Ok(false);
        }
        if siblings().any(|stored| stored.name == key.name) {
            return Err(duplicate("the key's name is taken"));
        }
        if tables.api_keys.contains_key(&key.id) || tables.api_keys.values().any(|one| one.hash == key.hash) {
            return Err(duplicate("the key's id or hash is taken"));
        }
        if !tables.users.contains_key(&key.user) {
            return Err(conflict("the key's user does not exist"));
        }
        tables.api_keys.insert(key.id, key.clone());
        Ok(true)
    }

    async fn api_key(&self, app: &AppId, id: ApiKeyId) -> Result<Option<ApiKey>> {
        Ok(self.accounts().of(app).and_then(|tables| tables.api_keys.get(&id)).cloned())
    }

    async fn api_key_by_hash(&self, app: &AppId, hash: &[u8; 32]) -> Result<Option<ApiKey>> {
        let accounts = self.accounts();
        let Some(tables) = accounts.of(app) else { return Ok(None) };
        Ok(tables.api_keys.values().find(|key| key.hash == *hash).cloned())
    }

    async fn api_keys(&self, app: &AppId, of: Option<UserId>) -> Result<Vec<ApiKey>> {
        let accounts = self.accounts();
        let Some(tables) = accounts.of(app) else { return Ok(Vec::new()) };
        let mut keys: Vec<_> = tables.api_keys.values().filter(|key| belongs(key, of)).cloned().collect();
        keys.sort_by_key(|key| (key.created_at, key.id));
        Ok(keys)
    }

    async fn set_api_key_disabled(&self, app: &AppId, id: ApiKeyId, disabled: bool) -> Result<bool> {
        let mut accounts = self.accounts();
        let Some(key) = accounts.of_mut(app).api_keys.get_mut(&id) else { return Ok(false) };
        key.disabled = disabled;
        Ok(true)
    }

    async fn delete_api_key(&self, app: &AppId, id: ApiKeyId) -> Result<bool> {
        Ok(self.accounts().of_mut(app).api_keys.remove(&id).is_some())
    }
}

/// Whether the key is one that this user made, or (`None`) a server key.
fn belongs(key: &ApiKey, of: Option<UserId>) -> bool {
    match of {
        None => key.owner == ApiKeyOwner::Server,
        Some(user) => key.owner == ApiKeyOwner::User && key.user == user,
    }
}
