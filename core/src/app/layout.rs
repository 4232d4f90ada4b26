//! Which layout a directory has, and reading its files.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use serde_json::{Map, Value};

use super::oldest::LaidOut;
use super::template;
use crate::report::Report;

/// The configuration files of the layouts, newest first; the newest wins.
const ROOTS: [&str; 4] = ["root_config.json", "realm_config.json", "config.json", "stitch.json"];

/// Those of the oldest two layouts.
const OLDEST: [&str; 2] = ["config.json", "stitch.json"];

/// How deep below a directory an export is looked for.
const DEPTH: usize = 4;

/// Folders that are full of other people's files.
const PASSED: [&str; 3] = ["node_modules", "target", "dist"];

/// An app directory.
pub(super) struct AppDirectory {
    path: PathBuf,
    /// What an export of an old layout would have in a current one.
    pub(super) laid_out: Option<Arc<LaidOut>>,
    /// The values that `%(%%environment.values.x)` stands for.
    pub(super) environment: Map<String, Value>,
}

impl AppDirectory {
    /// Opens a directory, or the one below it that has an export, and finds its configuration file; `None`, and an
    /// error, when there is none, or more than one.
    pub(super) fn open(path: &Path, report: &mut Report) -> Option<(Self, &'static str)> {
        if !path.is_dir() {
            report.error("", "", format!("`{}` is no directory", path.display()));
            return None;
        }
        let mut found = Vec::new();
        match root_of(path) {
            Some(root) => found.push((path.to_owned(), root)),
            None => exports_below(path, 1, &mut found),
        }
        let (directory, root) = match found.as_slice() {
            [(directory, root)] => (directory.clone(), *root),
            [] => {
                report.error(
                    "",
                    "",
                    format!("no `root_config.json` (or of an older layout) in `{}`", path.display()),
                );
                return None;
            }
            several => {
                let names: Vec<String> =
                    several.iter().map(|(directory, _)| format!("`{}`", directory.display())).collect();
                report.error("", "", format!("several exports, name one of them: {}", names.join(", ")));
                return None;
            }
        };
        let laid_out = OLDEST.contains(&root).then(|| Arc::new(LaidOut::of(&directory, root, report)));
        Some((Self { path: directory, laid_out, environment: Map::new() }, root))
    }

    /// Whether the layout is one of the two oldest.
    pub(super) fn is_old(&self) -> bool {
        self.laid_out.is_some()
    }

    /// Where the problem that was found in a file really is.
    pub(super) fn origin(&self, file: &str, pointer: &str) -> Option<(String, String)> {
        self.laid_out.as_ref()?.origin(file, pointer)
    }

    /// The directory's path.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads a text file that is there; what cannot be read is reported.
    pub(super) fn text(&self, file: &str, report: &mut Report) -> Option<String> {
        let real = self.laid_out.as_ref().and_then(|laid_out| laid_out.texts.get(file));
        match fs::read_to_string(self.path.join(real.map_or(file, String::as_str))) {
            Ok(text) => Some(text.trim_start_matches('\u{feff}').to_owned()),
            Err(error) => {
                report.error(file, "", format!("cannot be read: {error}"));
                None
            }
        }
    }

    /// Reads a JSON file.
    pub(super) fn read(&self, file: &str, report: &mut Report) -> JsonFile {
        if let Some(json) = self.laid_out.as_ref().and_then(|laid_out| laid_out.json.get(file)) {
            let mut json = json.clone();
            template::expand(&mut json, &self.environment, file, report);
            return JsonFile::Read(json);
        }
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
        match &self.laid_out {
            Some(laid_out) if is_laid_out(folder) => laid_out.names(folder, true),
            _ => self.entries(folder, |path| path.is_dir()),
        }
    }

    /// The names of the files inside a folder that end so, sorted.
    pub(super) fn files(&self, folder: &str, ending: &str) -> Vec<String> {
        match &self.laid_out {
            Some(laid_out) if is_laid_out(folder) => {
                laid_out.names(folder, false).into_iter().filter(|name| name.ends_with(ending)).collect()
            }
            _ => self.entries(folder, |path| path.is_file() && path.to_string_lossy().ends_with(ending)),
        }
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

/// Whether an old export's own folder of this name is not read: what is in it was laid out.
fn is_laid_out(folder: &str) -> bool {
    let first = folder.split('/').next().unwrap_or_default();
    ["auth", "data_sources", "functions"].contains(&first)
}

/// The configuration file of the newest layout that the directory has.
fn root_of(path: &Path) -> Option<&'static str> {
    ROOTS.into_iter().find(|root| {
        let file = path.join(root);
        file.is_file() && (!OLDEST.contains(root) || says_it_is_an_app(&file))
    })
}

/// Other folders of an export, and of other tools, have a `config.json` as well.
fn says_it_is_an_app(file: &Path) -> bool {
    let Ok(text) = fs::read_to_string(file) else { return true };
    match serde_json::from_str::<Value>(text.trim_start_matches('\u{feff}')) {
        Ok(json) => ["app_id", "config_version", "security"].iter().any(|key| json.get(key).is_some()),
        // It says why, when it is read.
        Err(_) => true,
    }
}

fn exports_below(path: &Path, depth: usize, found: &mut Vec<(PathBuf, &'static str)>) {
    let Ok(entries) = fs::read_dir(path) else { return };
    let mut folders: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    for folder in folders {
        let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with('.') || PASSED.contains(&name) {
            continue;
        }
        match root_of(&folder) {
            Some(root) => found.push((folder, root)),
            None if depth < DEPTH => exports_below(&folder, depth + 1, found),
            None => {}
        }
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
