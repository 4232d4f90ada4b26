//! Everything of one store into another, verified.
//!
//! 1. What is there already is left as it is, so that a copy that was interrupted is gone on with by starting it again.
//!    Documents go on after those that are there: they lie in the same order.
//! 2. In the end each part of both stores is read, counted and hashed. What differs is an error that names the part; so is
//!    a store that was written to meanwhile.

mod part;
mod record;

use std::fmt;

pub use part::Part;

use super::{Result, Store, StoreError, StoreErrorKind, TransactionOptions};
use crate::id::CollectionId;
use crate::rules::{Access, Denied, Query, ScopedWrite};

/// So many documents are written in one transaction.
const BATCH: usize = 500;

/// A part of a store, as both of them hold it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Which part.
    pub part: Part,
    /// How many records it has.
    pub count: u64,
    /// SHA-256 of all of them, in hexadecimal.
    pub hash: String,
}

/// Why a copy ended.
#[derive(Debug)]
pub enum CopyError {
    /// A store failed.
    Store(StoreError),
    /// What the stores hold of a part is not the same.
    Differs {
        /// Which part.
        part: Part,
        /// How many records the first store has of it, and the second.
        counts: (u64, u64),
    },
}

impl From<StoreError> for CopyError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl fmt::Display for CopyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => write!(f, "a store failed: {error}"),
            Self::Differs { part, counts: (from, to) } => write!(
                f,
                "{part}: the stores do not hold the same ({from} and {to} records); copy into an empty store, and \
                 while nobody writes"
            ),
        }
    }
}

impl std::error::Error for CopyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Store(error) => Some(error),
            Self::Differs { .. } => None,
        }
    }
}

/// Copies everything, and says what both stores hold then. `progress` is told of every part how many records were looked at.
///
/// Nobody should write to either store meanwhile.
///
/// # Errors
/// [`CopyError::Store`]; [`CopyError::Differs`] where the second store holds something else already.
pub async fn copy(
    from: &dyn Store,
    to: &dyn Store,
    progress: &mut (dyn FnMut(&Part, u64) + Send),
) -> Result<Vec<Copied>, CopyError> {
    let parts = Part::all(from).await?;
    let collections = from.collections().await?;
    to.prepare(&collections).await?;
    for part in &parts {
        match part {
            Part::Documents(collection) => copy_documents(from, to, collection, progress).await?,
            part => copy_records(from, to, part, progress).await?,
        }
    }
    let mut copied = Vec::new();
    for part in parts {
        let (ours, theirs) = (part.digest(from).await?, part.digest(to).await?);
        if ours != theirs {
            return Err(CopyError::Differs { part, counts: (ours.0, theirs.0) });
        }
        copied.push(Copied { part, count: ours.0, hash: ours.1 });
    }
    Ok(copied)
}

async fn copy_records(
    from: &dyn Store,
    to: &dyn Store,
    part: &Part,
    progress: &mut (dyn FnMut(&Part, u64) + Send),
) -> Result<()> {
    let (mut reader, mut count) = (part.reader(), 0);
    loop {
        let records = reader.next(from).await?;
        if records.is_empty() {
            return Ok(());
        }
        for record in &records {
            record.write(to).await?;
        }
        count += records.len() as u64;
        progress(part, count);
    }
}

async fn copy_documents(
    from: &dyn Store,
    to: &dyn Store,
    collection: &CollectionId,
    progress: &mut (dyn FnMut(&Part, u64) + Send),
) -> Result<()> {
    let access = Access::system(collection.clone());
    let everything = access.find(Query::default()).map_err(denied)?;
    let part = Part::Documents(collection.clone());
    let there = to.snapshot().await?.count(&everything).await?;
    let snapshot = from.snapshot().await?;
    let mut cursor = snapshot.find(&everything).await?;
    let mut place = 0;
    loop {
        let documents = cursor.next(BATCH).await?;
        if documents.is_empty() {
            return Ok(());
        }
        let mut writes: Vec<ScopedWrite> = Vec::with_capacity(documents.len());
        for document in documents {
            place += 1;
            if place > there {
                writes.push(access.insert(document).map_err(denied)?);
            }
        }
        if !writes.is_empty() {
            let options = TransactionOptions {
                deadline: std::time::Duration::from_secs(600),
                ..TransactionOptions::default()
            };
            let mut transaction = to.begin(options).await?;
            transaction.write(&writes).await?;
            transaction.commit().await?;
        }
        progress(&part, place);
    }
}

/// The system is denied nothing, so this tells of a defect.
fn denied(denied: Denied) -> StoreError {
    StoreError::new(StoreErrorKind::Unsupported, format!("the system was denied: {denied:?}"))
}
