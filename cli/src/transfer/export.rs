//! `backstitch data export`: one state of a collection, in the order of insertion, so many documents at a time.

use std::io::{self, Write};
use std::path::Path;

use backstitch::env::Env;
use backstitch::rules::{Access, Query};
use bson::{Bson, Document, RawDocumentBuf};

use super::sink::Sink;
use super::source::Format;
use crate::Failure;
use crate::args::Place as Target;
use crate::operate::with_store;

/// So many documents are in memory at once.
const PAGE: usize = 100;

pub(super) fn run(
    target: &Target,
    namespace: &str,
    (file, format, relaxed): (&Path, Option<Format>, bool),
) -> Result<(), Failure> {
    let collection = super::collection(&target.app, namespace)?;
    let format = format.unwrap_or_else(|| Format::of(file));
    with_store(target, async |store, _: &Env| {
        let query = Access::system(collection.clone()).find(Query::default());
        let query =
            query.map_err(|denied| Failure::negative(format!("the system was denied: {denied:?}")))?;
        let snapshot = store.snapshot().await.map_err(Failure::negative)?;
        let mut cursor = snapshot.find(&query).await.map_err(Failure::negative)?;
        let cannot =
            |error: io::Error| Failure::negative(format!("cannot write `{}`: {error}", file.display()));
        let mut output = Sink::open(file).map_err(cannot)?;
        let mut count = 0_u64;
        loop {
            let documents = cursor.next(PAGE).await.map_err(Failure::negative)?;
            if documents.is_empty() {
                break;
            }
            count += documents.len() as u64;
            for document in &documents {
                put(&mut output, document, (format, relaxed)).map_err(cannot)?;
            }
        }
        output.finish().map_err(cannot)?;
        if file != Path::new("-") {
            println!("{}", serde_json::json!({ "exported": count }));
        }
        Ok(())
    })
}

fn put(
    output: &mut dyn Write,
    document: &RawDocumentBuf,
    (format, relaxed): (Format, bool),
) -> io::Result<()> {
    if format == Format::Bson {
        return output.write_all(document.as_bytes());
    }
    let document = Document::try_from(document.as_ref()).map_err(io::Error::other)?;
    let json = match relaxed {
        true => Bson::Document(document).into_relaxed_extjson(),
        false => Bson::Document(document).into_canonical_extjson(),
    };
    serde_json::to_writer(&mut *output, &json)?;
    output.write_all(b"\n")
}
