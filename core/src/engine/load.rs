//! Loading the data that belong to an app directory (`data/<service>/<database>/<collection>.jsonl`).
//!
//! 1. A collection is loaded once: a marker in the store says so.
//! 2. Only an empty collection is loaded; what is there is never touched.
//! 3. A collection is loaded in one transaction: after a crash it is whole or empty.

use super::App;
use crate::app::DataFile;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{CollectionId, fresh_object_id};
use crate::rules::{Access, Denied, Query};
use crate::store::{Durability, TransactionOptions};

/// How far loading has come.
#[derive(Clone, Copy, Debug)]
pub struct LoadProgress<'a> {
    /// The collection that is being loaded.
    pub collection: &'a str,
    /// Bytes of its file that were read.
    pub bytes_read: u64,
    /// Bytes of its file.
    pub bytes_total: u64,
}

/// A collection that was loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadedCollection {
    /// The collection.
    pub collection: CollectionId,
    /// How many documents.
    pub documents: u64,
}

/// Documents that go to the store at once.
const BATCH: usize = 500;

impl App {
    /// Loads the data of the app directory into collections that are empty and were never loaded.
    ///
    /// # Errors
    /// A line that cannot be read, with file and line; a store that fails. The collection in question
    /// is then as it was.
    pub async fn load_data(
        &self,
        progress: &mut (dyn FnMut(LoadProgress<'_>) + Send),
    ) -> Result<Vec<LoadedCollection>> {
        let mut loaded = Vec::new();
        for file in self.parts().config.data_files() {
            let marker = format!("loaded {}", file.collection);
            if self.parts().store.meta(self.id(), &marker).await?.is_some() {
                continue;
            }
            if self.is_empty(&file.collection).await? {
                let documents = self.load_file(&file, progress).await?;
                loaded.push(LoadedCollection { collection: file.collection.clone(), documents });
            }
            self.parts().store.meta_or_insert(self.id(), &marker, "yes").await?;
        }
        Ok(loaded)
    }

    async fn is_empty(&self, collection: &CollectionId) -> Result<bool> {
        let query = Query { limit: Some(1), ..Query::default() };
        let query = Access::system(collection.clone()).find(query).map_err(denied)?;
        Ok(self.parts().store.snapshot().await?.count(&query).await? == 0)
    }

    async fn load_file(
        &self,
        file: &DataFile,
        progress: &mut (dyn FnMut(LoadProgress<'_>) + Send),
    ) -> Result<u64> {
        let access = Access::system(file.collection.clone());
        let options = TransactionOptions {
            deadline: std::time::Duration::from_secs(3600),
            durability: Durability::Power,
            ..TransactionOptions::default()
        };
        let mut transaction = self.parts().store.begin(options).await?;
        let mut documents = 0;
        let mut batch = Vec::with_capacity(BATCH);
        let mut lines = file.documents().map_err(unreadable)?;
        let bytes_total = lines.bytes();
        loop {
            let next = lines.next().transpose().map_err(unreadable)?;
            let last = next.is_none();
            if let Some(mut document) = next {
                if !document.contains_key("_id") {
                    let id = fresh_object_id(self.parts().env.clock.now(), &*self.parts().env.random)?;
                    document.insert("_id", id);
                }
                let raw = bson::RawDocumentBuf::try_from(&document).map_err(Error::internal)?;
                batch.push(access.insert(raw).map_err(denied)?);
                documents += 1;
            }
            if batch.len() == BATCH || (last && !batch.is_empty()) {
                transaction.write(&batch).await?;
                batch.clear();
                progress(LoadProgress {
                    collection: &file.collection.name,
                    bytes_read: lines.bytes_read(),
                    bytes_total,
                });
            }
            if last {
                break;
            }
        }
        transaction.commit().await?;
        Ok(documents)
    }
}

fn unreadable(error: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::BadRequest, error.to_string())
}

/// The system is denied nothing, so this tells of a defect.
fn denied(denied: Denied) -> Error {
    Error::internal(format!("the system was denied: {denied:?}"))
}
