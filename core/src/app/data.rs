//! `data/<service>/<database>/<collection>.jsonl`: documents that belong to the app.

use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;

use bson::{Bson, Document};
use serde_json::Value;

use super::config::AppConfig;
use crate::id::CollectionId;

/// No document is larger (16 MB of BSON); extended JSON may be some times as long.
const MAX_LINE: u64 = 64 * 1024 * 1024;

/// A file of documents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataFile {
    /// The collection that they belong to.
    pub collection: CollectionId,
    /// The file.
    pub path: PathBuf,
}

impl AppConfig {
    /// The files of documents in the app's directory, sorted.
    pub fn data_files(&self) -> Vec<DataFile> {
        let Some(root) = self.directory.as_ref().map(|directory| directory.join("data")) else {
            return Vec::new();
        };
        let mut files = Vec::new();
        for (service, path) in children(&root) {
            for (database, path) in children(&path) {
                for (file, path) in children(&path) {
                    if let Some(name) = file.strip_suffix(".jsonl") {
                        let collection = self.collection_id(service.as_str(), database.as_str(), name);
                        files.push(DataFile { collection, path });
                    }
                }
            }
        }
        files
    }
}

impl DataFile {
    /// Opens the file.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn documents(&self) -> Result<Documents, DataError> {
        let file = File::open(&self.path).map_err(|error| DataError {
            path: self.path.clone(),
            line: 0,
            message: error.to_string(),
        })?;
        let bytes = file.metadata().map_or(0, |metadata| metadata.len());
        let reader = BufReader::new(file);
        Ok(Documents { path: self.path.clone(), reader, line: 0, bytes, bytes_read: 0 })
    }
}

/// The documents of a file, one extended-JSON document (relaxed or canonical) a line.
#[derive(Debug)]
pub struct Documents {
    path: PathBuf,
    reader: BufReader<File>,
    line: u64,
    bytes: u64,
    bytes_read: u64,
}

impl Iterator for Documents {
    type Item = Result<Document, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            self.line += 1;
            let mut line = String::new();
            match (&mut self.reader).take(MAX_LINE).read_line(&mut line) {
                Ok(0) => return None,
                Ok(length) => {
                    self.bytes_read += length as u64;
                    if !line.trim().is_empty() {
                        return Some(document(&line).map_err(|message| self.error(message)));
                    }
                }
                Err(error) => return Some(Err(self.error(error.to_string()))),
            }
        }
    }
}

impl Documents {
    /// The file's size in bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How many bytes were read so far.
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    fn error(&self, message: String) -> DataError {
        DataError { path: self.path.clone(), line: self.line, message }
    }
}

/// A line that holds no document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataError {
    /// The file.
    pub path: PathBuf,
    /// The line, counted from one; zero for the file itself.
    pub line: u64,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for DataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path.display(), self.line, self.message)
    }
}

impl std::error::Error for DataError {}

fn document(line: &str) -> Result<Document, String> {
    let json: Value = serde_json::from_str(line).map_err(|error| format!("not JSON: {error}"))?;
    match Bson::try_from(json).map_err(|error| format!("not extended JSON: {error}"))? {
        Bson::Document(document) => Ok(document),
        _ => Err("a line must hold one document".to_owned()),
    }
}

fn children(folder: &std::path::Path) -> Vec<(String, PathBuf)> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut children: Vec<_> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok().map(|name| (name, entry.path())))
        .collect();
    children.sort();
    children
}

#[cfg(test)]
mod tests {
    use bson::doc;

    use super::*;

    #[test]
    fn lines_are_relaxed_or_canonical_and_errors_name_the_line() {
        let folder = tempfile::tempdir().unwrap();
        let below = folder.path().join("data/mongodb-atlas/app");
        std::fs::create_dir_all(&below).unwrap();
        let lines = "{\"a\": 1}\n\n{\"a\": {\"$numberLong\": \"1\"}}\n[1]\n{\"a\"\n{\"a\": 2}";
        std::fs::write(below.join("notes.jsonl"), lines).unwrap();
        std::fs::write(below.join("readme.txt"), "").unwrap();
        let mut app = AppConfig::new("shop");
        app.directory = Some(folder.path().to_owned());

        let files = app.data_files();
        assert_eq!(files.len(), 1);
        assert_eq!(files[0].collection, app.collection_id("mongodb-atlas", "app", "notes"));
        let found: Vec<_> =
            files[0].documents().unwrap().map(|line| line.map_err(|error| error.line)).collect();
        assert_eq!(
            found,
            [Ok(doc! {"a": 1_i32}), Ok(doc! {"a": 1_i64}), Err(4), Err(5), Ok(doc! {"a": 2_i32})]
        );
    }
}
