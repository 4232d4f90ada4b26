//! `backstitch data import`.
//!
//! 1. Documents are written in batches, each a transaction that a loss of power does not undo: what was interrupted is
//!    whole up to a batch. A batch is bounded in documents and in bytes, so that memory is.
//! 2. A document whose `_id` is there already is skipped, and so the same command goes on where it stopped. Documents
//!    without one get an id that is made of what they hold and of their place in the file: it is the same the next
//!    time, also when lines that were bad have been mended.
//! 3. A line that is no document is told with its number, and the others are imported; `--strict` ends there.

use std::collections::HashSet;
use std::io::IsTerminal as _;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

use backstitch::env::Env;
use backstitch::filter::key::encode;
use backstitch::filter::{Direction, Filter};
use backstitch::id::CollectionId;
use backstitch::rules::{Access, Query};
use backstitch::store::{Durability, Store, StoreError, StoreErrorKind, TransactionOptions};
use bson::oid::ObjectId;
use bson::{Bson, Document, RawDocumentBuf};
use indicatif::{ProgressBar, ProgressStyle};
use ring::digest::{Context, SHA256};

use super::source::{Format, Next, Place, Source};
use crate::Failure;
use crate::args::Place as Target;
use crate::operate::with_store;

/// Documents in a transaction.
const BATCH: usize = 2000;

/// Bytes of documents after which a transaction ends: long ones would not fit into memory by the thousand.
const BATCH_BYTES: usize = 8 * 1024 * 1024;

/// Stored documents that are looked at together.
const PAGE: usize = 100;

/// How many bad lines are told one by one.
const TOLD: u64 = 20;

/// What an import came to.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    imported: u64,
    skipped: u64,
    bad: u64,
}

struct Import<'i> {
    store: &'i dyn Store,
    collection: CollectionId,
    counts: Counts,
    strict: bool,
    /// Whether the collection was empty, so that nothing of the file is there.
    was_empty: bool,
    bar: Option<ProgressBar>,
}

pub(super) fn run(
    target: &Target,
    namespace: &str,
    (file, format, strict): (&Path, Option<Format>, bool),
) -> Result<(), Failure> {
    let collection = super::collection(&target.app, namespace)?;
    let mut source = Source::open(file, format)?;
    with_store(target, async |store, _: &Env| {
        let was_empty = is_empty(&*store, &collection).await?;
        let bar = std::io::stderr().is_terminal().then(|| progress(source.total));
        let mut import =
            Import { store: &*store, collection, counts: Counts::default(), strict, was_empty, bar };
        let outcome = import.all(&mut source).await;
        if let Some(bar) = &import.bar {
            bar.finish_and_clear();
        }
        let Counts { imported, skipped, bad } = import.counts;
        println!("{}", serde_json::json!({ "imported": imported, "skipped": skipped, "bad": bad }));
        outcome
    })
}

async fn is_empty(store: &dyn Store, collection: &CollectionId) -> Result<bool, Failure> {
    let query = Query { limit: Some(1), ..Query::default() };
    let query = Access::system(collection.clone()).find(query).map_err(denied)?;
    let snapshot = store.snapshot().await.map_err(Failure::negative)?;
    Ok(snapshot.count(&query).await.map_err(Failure::negative)? == 0)
}

/// Documents that are not written yet.
#[derive(Default)]
struct Batch {
    documents: Vec<Placed>,
    bytes: usize,
}

type Placed = (Place, RawDocumentBuf);

impl Batch {
    fn push(&mut self, placed: Placed) {
        self.bytes += placed.1.as_bytes().len();
        self.documents.push(placed);
    }

    fn is_full(&self) -> bool {
        self.documents.len() >= BATCH || self.bytes >= BATCH_BYTES
    }

    fn take(&mut self) -> Vec<Placed> {
        std::mem::take(self).documents
    }
}

impl Import<'_> {
    async fn all(&mut self, source: &mut Source) -> Result<(), Failure> {
        let mut batch = Batch::default();
        loop {
            let next = source.next();
            let place = source.place();
            match next {
                Ok(Next::Document(document)) => match raw(document, &self.collection, place.number) {
                    Ok(raw) => batch.push((place, raw)),
                    Err(problem) => self.bad(place, &problem, &mut batch).await?,
                },
                Ok(Next::Bad(problem)) => self.bad(place, &problem, &mut batch).await?,
                Ok(Next::End) => return self.write(batch.take()).await,
                Err(error) => {
                    // What came before it is good.
                    self.write(batch.take()).await?;
                    return Err(error);
                }
            }
            if batch.is_full() {
                self.write(batch.take()).await?;
                if let Some(bar) = &self.bar {
                    bar.set_position(source.bytes.load(Ordering::Relaxed));
                    bar.set_message(format!("{} documents", self.counts.imported));
                }
            }
        }
    }

    async fn bad(&mut self, place: Place, problem: &str, batch: &mut Batch) -> Result<(), Failure> {
        if self.strict {
            self.write(batch.take()).await?;
        }
        self.count_bad(place, problem)
    }

    fn count_bad(&mut self, place: Place, problem: &str) -> Result<(), Failure> {
        self.counts.bad += 1;
        let told = place.told(problem);
        if self.strict {
            return Err(Failure::negative(told));
        }
        if self.counts.bad <= TOLD {
            self.tell(&told);
        } else if self.counts.bad == TOLD + 1 {
            self.tell("more bad lines are counted, but not told");
        }
        Ok(())
    }

    /// Not into the middle of the bar.
    fn tell(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| eprintln!("{text}")),
            None => eprintln!("{text}"),
        }
    }

    async fn write(&mut self, batch: Vec<Placed>) -> Result<(), Failure> {
        if self.was_empty && self.inserted(&batch).await? {
            return Ok(());
        }
        let fresh = self.without_known(batch).await?;
        self.halves(fresh).await
    }

    /// What breaks a unique index is found by halves: most of a batch is still written together.
    async fn halves(&mut self, batch: Vec<Placed>) -> Result<(), Failure> {
        let mut parts = vec![batch];
        while let Some(mut part) = parts.pop() {
            if self.inserted(&part).await? {
                continue;
            }
            match part.as_slice() {
                [(place, _)] => self.count_bad(*place, "another document has this key in a unique index")?,
                _ => {
                    let rest = part.split_off(part.len() / 2);
                    parts.extend([rest, part]);
                }
            }
        }
        Ok(())
    }

    /// Those whose `_id` is neither in the collection nor before in the batch; the others are counted as skipped.
    async fn without_known(&mut self, batch: Vec<Placed>) -> Result<Vec<Placed>, Failure> {
        let ids: Vec<Bson> = batch.iter().map(|(_, document)| id_of(document)).collect();
        let query = Query { filter: Filter::is_in("_id", ids), ..Query::default() };
        let query = Access::system(self.collection.clone()).find(query).map_err(denied)?;
        let snapshot = self.store.snapshot().await.map_err(Failure::negative)?;
        let mut cursor = snapshot.find(&query).await.map_err(Failure::negative)?;
        let key = |document: &RawDocumentBuf| encode(&id_of(document), Direction::Ascending);
        let mut known: HashSet<Vec<u8>> = HashSet::new();
        loop {
            let page = cursor.next(PAGE).await.map_err(Failure::negative)?;
            if page.is_empty() {
                break;
            }
            known.extend(page.iter().map(key));
        }
        let before = batch.len();
        let fresh: Vec<_> = batch.into_iter().filter(|(_, document)| known.insert(key(document))).collect();
        self.counts.skipped += (before - fresh.len()) as u64;
        Ok(fresh)
    }

    /// Writes all of them and counts them, or, where a key is there already, none.
    async fn inserted(&mut self, batch: &[Placed]) -> Result<bool, Failure> {
        match self.insert(batch).await {
            Ok(()) => {
                self.counts.imported += batch.len() as u64;
                Ok(true)
            }
            Err(error) if error.kind() == StoreErrorKind::DuplicateKey => Ok(false),
            Err(error) => Err(Failure::negative(error)),
        }
    }

    async fn insert(&self, batch: &[Placed]) -> Result<(), StoreError> {
        if batch.is_empty() {
            return Ok(());
        }
        let access = Access::system(self.collection.clone());
        // The system is denied nothing.
        let writes: Vec<_> =
            batch.iter().filter_map(|(_, document)| access.insert(document.clone()).ok()).collect();
        let options = TransactionOptions {
            deadline: Duration::from_secs(600),
            durability: Durability::Power,
            ..TransactionOptions::default()
        };
        let mut transaction = self.store.begin(options).await?;
        transaction.write(&writes).await?;
        transaction.commit().await
    }
}

fn id_of(document: &RawDocumentBuf) -> Bson {
    document.get("_id").ok().flatten().and_then(|id| Bson::try_from(id).ok()).unwrap_or(Bson::Null)
}

/// The document as it is stored, with an `_id` in the first place.
fn raw(mut document: Document, collection: &CollectionId, number: u64) -> Result<RawDocumentBuf, String> {
    let mut whole = Document::new();
    match document.remove("_id") {
        Some(Bson::Array(_)) => return Err("an `_id` may not be an array".to_owned()),
        Some(id) => whole.insert("_id", id),
        None => whole.insert("_id", made_id(&document, collection, number)?),
    };
    whole.extend(document);
    RawDocumentBuf::try_from(&whole).map_err(|error| error.to_string())
}

fn made_id(document: &Document, collection: &CollectionId, number: u64) -> Result<ObjectId, String> {
    let bytes = document.to_vec().map_err(|error| error.to_string())?;
    let mut hash = Context::new(&SHA256);
    hash.update(collection.to_string().as_bytes());
    hash.update(&number.to_le_bytes());
    hash.update(&bytes);
    let mut id = [0; 12];
    for (slot, byte) in id.iter_mut().zip(hash.finish().as_ref()) {
        *slot = *byte;
    }
    Ok(ObjectId::from_bytes(id))
}

fn denied(denied: impl std::fmt::Debug) -> Failure {
    Failure::negative(format!("the system was denied: {denied:?}"))
}

fn progress(total: u64) -> ProgressBar {
    // What comes from a pipe has no known end.
    let template = if total == 0 { "importing {msg}" } else { "importing [{bar:40}] {percent:>3} % {msg}" };
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(total).with_style(style.progress_chars("=> "))
}
