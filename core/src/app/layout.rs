//! Which layout a directory has, and reading its files.

use std::path::{Path, PathBuf};
use std::{fs, io};

use serde_json::{Map, Value};

use super::template;
use crate::report::Report;

/// The configuration files of the layouts that are read; the newest wins.
const ROOTS: [&str; 2] = ["root_config.json", "realm_config.json"];

/// Those of the oldest two layouts.
const OLD_ROOTS: [&str; 2] = ["config.json", "stitch.json"];

/// An app directory.
pub(super) struct AppDirectory {
    path: PathBuf,
    /// The values that `%(%%environment.values.x)` stands for.
    pub(super) environment: Map<String, Value>,
}

impl AppDirectory {
    /// Opens a directory and finds its configuration file; `None`, and an error, when there is none.
    pub(super) fn open(path: &Path, report: &mut Report) -> Option<(Self, &'static str)> {
        let directory = Self { path: path.to_owned(), environment: Map::new() };
        if !path.is_dir() {
            report.error("", "", format!("`{}` is no directory", path.display()));
            return None;
        }
        if let Some(root) = ROOTS.into_iter().find(|root| path.join(root).is_file()) {
            return Some((directory, root));
        }
        match OLD_ROOTS.into_iter().find(|root| path.join(root).is_file()) {
            Some(old) => {
                report.error(old, "", "the layout of this file is not read yet: export the app anew");
            }
            None => report.error("", "", format!("no `root_config.json` in `{}`", path.display())),
        }
        None
    }

    /// The directory's path.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads a text file that is there; what cannot be read is reported.
    pub(super) fn text(&self, file: &str, report: &mut Report) -> Option<String> {
        match fs::read_to_string(self.path.join(file)) {
            Ok(text) => Some(text.trim_start_matches('\u{feff}').to_owned()),
            Err(error) => {
                report.error(file, "", format!("cannot be read: {error}"));
                None
            }
        }
    }

    /// Reads a JSON file.
    pub(super) fn read(&self, file: &str, report: &mut Report) -> JsonFile {
        let text = match fs::read_to_string(self.path.join(file)) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return JsonFile::Absent,
            Err(error) => {
                report.error(file, "", format!("cannot be read: {error}"));
                return JsonFile::Unreadable;
            }
        };
        match serde_json::from_str(text.trim_start_matches('\u{feff}')) {
            Ok(mut json) => {
                template::expand(&mut json, &self.environment, file, report);
                JsonFile::Read(json)
            }
            Err(error) => {
                report.error(file, "", format!("not JSON: {error}"));
                JsonFile::Unreadable
            }
        }
    }

    /// Reads a file that holds one JSON object; anything else is reported and counts as absent.
    pub(super) fn object(&self, file: &str, report: &mut Report) -> Option<Map<String, Value>> {
        match self.read(file, report) {
            JsonFile::Read(Value::Object(map)) => Some(map),
            JsonFile::Read(_) => {
                report.error(file, "", "must be an object");
                None
            }
            JsonFile::Absent | JsonFile::Unreadable => None,
        }
    }

    /// The names of the folders inside a folder, sorted.
    pub(super) fn folders(&self, folder: &str) -> Vec<String> {
        self.entries(folder, |path| path.is_dir())
    }

    /// The names of the files inside a folder that end so, sorted.
    pub(super) fn files(&self, folder: &str, ending: &str) -> Vec<String> {
        self.entries(folder, |path| path.is_file() && path.to_string_lossy().ends_with(ending))
    }

    fn entries(&self, folder: &str, keep: impl Fn(&Path) -> bool) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.path.join(folder)) else { return Vec::new() };
        let mut names: Vec<String> = entries
            .flatten()
            .filter(|entry| keep(&entry.path()))
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter(|name| !name.starts_with('.'))
            .collect();
        names.sort();
        names
    }
}

/// What became of reading a file.
pub(super) enum JsonFile {
    /// There is none.
    Absent,
    /// There is one, but it is broken; the report says how.
    Unreadable,
    /// Its content.
    Read(Value),
}
