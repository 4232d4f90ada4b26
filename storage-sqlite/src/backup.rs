//! A consistent copy of a live database.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use backstitch::store::{Result, StoreError, StoreErrorKind};
use rusqlite::params;

use crate::SqliteStore;
use crate::cursor::from_executor;
use crate::error::from_sqlite;

impl SqliteStore {
    /// Writes one state of the whole store into a new file, while others read and write. The file is there when it is whole and
    /// on the disk, or not at all.
    ///
    /// # Errors
    /// `Unsupported` when there is such a file already; `Io` when it cannot be written.
    pub async fn backup(&self, file: &Path) -> Result<()> {
        let file = file.to_path_buf();
        if file.exists() {
            let message = format!("`{}` is there already", file.display());
            return Err(StoreError::new(StoreErrorKind::Unsupported, message));
        }
        let readers = std::sync::Arc::clone(&self.readers);
        let work = move || {
            let partial = partial(&file);
            // What an earlier attempt has left is of no use.
            let _ = fs::remove_file(&partial);
            readers.read(|connection| {
                let target = partial.to_string_lossy();
                connection.execute("VACUUM INTO ?1", params![target]).map(drop).map_err(from_sqlite)
            })?;
            settle(&partial, &file).map_err(|cause| {
                StoreError::new(StoreErrorKind::Io, "the backup cannot be written").with_cause(cause)
            })
        };
        self.executor.run(work).await.map_err(from_executor)?
    }
}

fn partial(file: &Path) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".partial");
    file.with_file_name(name)
}

/// Puts the whole file in its place.
fn settle(partial: &Path, file: &Path) -> std::io::Result<()> {
    File::open(partial)?.sync_all()?;
    fs::rename(partial, file)?;
    // The name is on the disk once its folder is.
    match file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) => File::open(folder)?.sync_all(),
        None => File::open(".")?.sync_all(),
    }
}

#[cfg(test)]
mod tests {
    use backstitch::env::Env;
    use backstitch::id::AppId;
    use backstitch::store::MetaStore;

    use super::*;
    use crate::SqliteConfig;

    #[tokio::test]
    async fn a_backup_of_a_live_store_is_a_store() {
        let folder = tempfile::TempDir::new().unwrap();
        let env = Env::system();
        let config =
            |name: &str| SqliteConfig::new(folder.path().join(name), env.executor.clone(), env.clock.clone());
        let (store, app) = (SqliteStore::open(config("live.db")).unwrap(), AppId::new("a"));
        store.meta_or_insert(&app, "key", "before").await.unwrap();
        let file = folder.path().join("backup.db");
        store.backup(&file).await.unwrap();
        store.meta_or_insert(&app, "later", "after").await.unwrap();
        let copy = SqliteStore::open(config("backup.db")).unwrap();
        assert_eq!(copy.meta(&app, "key").await.unwrap().as_deref(), Some("before"));
        assert_eq!(copy.meta(&app, "later").await.unwrap(), None);
        let again = store.backup(&file).await.unwrap_err();
        assert_eq!(again.kind(), StoreErrorKind::Unsupported);
        assert!(store.backup(&folder.path().join("none/x.db")).await.is_err());
        let names = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        assert!(names.into_iter().all(|name| !name.to_string_lossy().ends_with("partial")));
    }
}
