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
use crate::store::{Durability, ReadExt, StoreError, StoreErrorKind, TransactionOptions};

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

/// How often a file is tried again while another process may be loading it.
const ATTEMPTS: u32 = 3;

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
            if let Some(documents) = self.load_once(&file, progress).await? {
                loaded.push(LoadedCollection { collection: file.collection.clone(), documents });
            }
            self.parts().store.meta_or_insert(self.id(), &marker, "yes").await?;
        }
        Ok(loaded)
    }

    /// Loads a file into a collection that is empty; `None` when it is not. Of several processes that start at once one loads,
    /// and the others find it done.
    async fn load_once(
        &self,
        file: &DataFile,
        progress: &mut (dyn FnMut(LoadProgress<'_>) + Send),
    ) -> Result<Option<u64>> {
        let mut attempt = 0;
        loop {
            if !self.is_empty(&file.collection).await? {
                return Ok(None);
            }
            match self.load_file(file, attempt, progress).await {
                Err(error) if attempt < ATTEMPTS && is_other_process(&error) => attempt += 1,
                loaded => return loaded.map(Some),
            }
        }
    }

    async fn is_empty(&self, collection: &CollectionId) -> Result<bool> {
        let query = Query { limit: Some(1), ..Query::default() };
        let query = Access::system(collection.clone()).find(query).map_err(denied)?;
        Ok(self.parts().store.snapshot().await?.count(&query).await? == 0)
    }

    async fn load_file(
        &self,
        file: &DataFile,
        attempt: u32,
        progress: &mut (dyn FnMut(LoadProgress<'_>) + Send),
    ) -> Result<u64> {
        let access = Access::system(file.collection.clone());
        let options = TransactionOptions {
            deadline: std::time::Duration::from_secs(3600),
            durability: Durability::Power,
            attempt,
        };
        let mut transaction = self.parts().store.begin(options).await?;
        // Asked where it is written, so that two processes that both found it empty do not both fill it.
        let first = access.find(Query { limit: Some(1), ..Query::default() }).map_err(denied)?;
        if !transaction.find(&first).await?.collect_scoped(&first).await?.is_empty() {
            transaction.rollback().await?;
            return Ok(0);
        }
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

/// Whether it failed as it does where another process loads the same.
fn is_other_process(error: &Error) -> bool {
    let cause = std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<StoreError>());
    cause.is_some_and(|cause| match cause.kind() {
        StoreErrorKind::Busy | StoreErrorKind::Contended | StoreErrorKind::DuplicateKey => true,
        StoreErrorKind::DeadlineExceeded
        | StoreErrorKind::Conflict
        | StoreErrorKind::Unsupported
        | StoreErrorKind::Corrupt
        | StoreErrorKind::NewerSchema
        | StoreErrorKind::Io => false,
    })
}

fn unreadable(error: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::BadRequest, error.to_string())
}

/// The system is denied nothing, so this tells of a defect.
fn denied(denied: Denied) -> Error {
    Error::internal(format!("the system was denied: {denied:?}"))
}
