//! `backstitch data import`.
//!
//! 1. Documents are written in batches, each a transaction: what was interrupted is whole up to a batch.
//! 2. A document whose `_id` is there already is skipped, and so the same command goes on where it stopped. Documents
//!    without one get an id that is made of what they hold and of their line: it is the same the next time.
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
use backstitch::store::{Durability, ReadExt as _, Store, StoreError, StoreErrorKind, TransactionOptions};
use bson::oid::ObjectId;
use bson::{Bson, Document, RawDocumentBuf};
use indicatif::{ProgressBar, ProgressStyle};
use ring::digest::{Context, SHA256};

use super::source::{Format, Next, Source};
use crate::Failure;
use crate::args::Place as Target;
use crate::operate::with_store;

/// Documents in a transaction.
const BATCH: usize = 2000;

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

impl Import<'_> {
    async fn all(&mut self, source: &mut Source) -> Result<(), Failure> {
        let mut batch: Vec<(u64, RawDocumentBuf)> = Vec::with_capacity(BATCH);
        loop {
            match source.next() {
                Ok(Next::Document(document)) => match raw(document, &self.collection, source.line) {
                    Ok(raw) => batch.push((source.line, raw)),
                    Err(problem) => self.bad(source.line, &problem, &mut batch).await?,
                },
                Ok(Next::Bad(problem)) => self.bad(source.line, &problem, &mut batch).await?,
                Ok(Next::End) => return self.write(std::mem::take(&mut batch), true).await,
                Err(error) => {
                    // What came before it is good.
                    self.write(std::mem::take(&mut batch), true).await?;
                    return Err(error);
                }
            }
            if batch.len() == BATCH {
                self.write(std::mem::take(&mut batch), false).await?;
                if let Some(bar) = &self.bar {
                    bar.set_position(source.bytes.load(Ordering::Relaxed));
                    bar.set_message(format!("{} documents", self.counts.imported));
                }
            }
        }
    }

    async fn bad(
        &mut self,
        line: u64,
        problem: &str,
        batch: &mut Vec<(u64, RawDocumentBuf)>,
    ) -> Result<(), Failure> {
        self.counts.bad += 1;
        if self.strict {
            self.write(std::mem::take(batch), true).await?;
            return Err(Failure::negative(format!("line {line}: {problem}")));
        }
        if self.counts.bad <= TOLD {
            eprintln!("line {line}: {problem}");
        } else if self.counts.bad == TOLD + 1 {
            eprintln!("more bad lines are counted, but not told");
        }
        Ok(())
    }

    async fn write(&mut self, batch: Vec<(u64, RawDocumentBuf)>, last: bool) -> Result<(), Failure> {
        let batch = if self.was_empty { batch } else { self.without_known(batch).await? };
        match self.insert(&batch, last).await {
            Err(error) if error.kind() == StoreErrorKind::DuplicateKey => self.one_by_one(batch).await,
            Err(error) => Err(Failure::negative(error)),
            Ok(()) => {
                self.counts.imported += batch.len() as u64;
                Ok(())
            }
        }
    }

    /// Something in it is there already, or twice in the file, or breaks a unique index.
    async fn one_by_one(&mut self, batch: Vec<(u64, RawDocumentBuf)>) -> Result<(), Failure> {
        for one in self.without_known(batch).await? {
            let line = one.0;
            match self.insert(&[one], false).await {
                Ok(()) => self.counts.imported += 1,
                Err(error) if error.kind() == StoreErrorKind::DuplicateKey => {
                    self.bad_key(line)?;
                }
                Err(error) => return Err(Failure::negative(error)),
            }
        }
        Ok(())
    }

    fn bad_key(&mut self, line: u64) -> Result<(), Failure> {
        self.counts.bad += 1;
        let text = format!("line {line}: another document has this key in a unique index");
        if self.strict {
            return Err(Failure::negative(text));
        }
        eprintln!("{text}");
        Ok(())
    }

    /// Those whose `_id` is neither in the collection nor before in the batch; the others are counted as skipped.
    async fn without_known(
        &mut self,
        batch: Vec<(u64, RawDocumentBuf)>,
    ) -> Result<Vec<(u64, RawDocumentBuf)>, Failure> {
        let ids: Vec<Bson> = batch.iter().map(|(_, document)| id_of(document)).collect();
        let query = Query { filter: Filter::is_in("_id", ids), ..Query::default() };
        let query = Access::system(self.collection.clone()).find(query).map_err(denied)?;
        let snapshot = self.store.snapshot().await.map_err(Failure::negative)?;
        let mut cursor = snapshot.find(&query).await.map_err(Failure::negative)?;
        let there = cursor.collect_scoped(&query).await.map_err(Failure::negative)?;
        let key = |document: &RawDocumentBuf| encode(&id_of(document), Direction::Ascending);
        let mut known: HashSet<Vec<u8>> = there.iter().map(key).collect();
        let before = batch.len();
        let fresh: Vec<_> = batch.into_iter().filter(|(_, document)| known.insert(key(document))).collect();
        self.counts.skipped += (before - fresh.len()) as u64;
        Ok(fresh)
    }

    async fn insert(&self, batch: &[(u64, RawDocumentBuf)], last: bool) -> Result<(), StoreError> {
        if batch.is_empty() {
            return Ok(());
        }
        let access = Access::system(self.collection.clone());
        // The system is denied nothing.
        let writes: Vec<_> =
            batch.iter().filter_map(|(_, document)| access.insert(document.clone()).ok()).collect();
        let durability = if last { Durability::Power } else { Durability::Process };
        let options = TransactionOptions { deadline: Duration::from_secs(600), durability };
        let mut transaction = self.store.begin(options).await?;
        transaction.write(&writes).await?;
        transaction.commit().await
    }
}

fn id_of(document: &RawDocumentBuf) -> Bson {
    document.get("_id").ok().flatten().and_then(|id| Bson::try_from(id).ok()).unwrap_or(Bson::Null)
}

/// The document as it is stored, with an `_id` in the first place.
fn raw(mut document: Document, collection: &CollectionId, line: u64) -> Result<RawDocumentBuf, String> {
    let mut whole = Document::new();
    match document.remove("_id") {
        Some(Bson::Array(_)) => return Err("an `_id` may not be an array".to_owned()),
        Some(id) => whole.insert("_id", id),
        None => whole.insert("_id", made_id(&document, collection, line)?),
    };
    whole.extend(document);
    RawDocumentBuf::try_from(&whole).map_err(|error| error.to_string())
}

fn made_id(document: &Document, collection: &CollectionId, line: u64) -> Result<ObjectId, String> {
    let bytes = document.to_vec().map_err(|error| error.to_string())?;
    let mut hash = Context::new(&SHA256);
    hash.update(collection.to_string().as_bytes());
    hash.update(&line.to_le_bytes());
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
    let style = ProgressStyle::with_template("importing [{bar:40}] {percent:>3} % {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(total).with_style(style.progress_chars("=> "))
}
