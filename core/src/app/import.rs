//! The importer: an exported app directory becomes an [`AppConfig`].

use std::fmt;
use std::path::Path;

use super::config::AppConfig;
use super::layout::AppDirectory;
use super::values::{self, Secrets};
use super::{auth, data_sources, functions, graphql, mails, root, settings, triggers, user_document};
use crate::report::Report;

impl AppConfig {
    /// Imports an app directory that needs no secrets.
    ///
    /// # Errors
    /// When there is nothing to serve: no readable configuration, or no name in it.
    pub fn import(directory: &Path) -> Result<(Self, Report), ImportError> {
        Self::import_with(directory, &Secrets::default())
    }

    /// Imports an app directory; exports name secrets, but never hold them.
    ///
    /// # Errors
    /// When there is nothing to serve: no readable configuration, or no name in it.
    pub fn import_with(directory: &Path, secrets: &Secrets) -> Result<(Self, Report), ImportError> {
        let mut report = Report::default();
        match read(directory, secrets, &mut report) {
            Some(app) => Ok((app, report)),
            None => Err(ImportError { report }),
        }
    }
}

fn read(path: &Path, secrets: &Secrets, report: &mut Report) -> Option<AppConfig> {
    let (mut directory, file) = AppDirectory::open(path, report)?;
    let app = read_all(&mut directory, (file, secrets), report);
    report.relocate(|file, pointer| directory.origin(file, pointer));
    app
}

fn read_all(
    directory: &mut AppDirectory,
    (file, secrets): (&str, &Secrets),
    report: &mut Report,
) -> Option<AppConfig> {
    // A backstitch.json or an environment that is broken leaves an app that can be served.
    let mut app = root::read(directory, file, report)?;
    app.directory = Some(directory.path().to_owned());
    app.laid_out.clone_from(&directory.laid_out);
    app = settings::read(app, directory, report);
    auth::read(&mut app, directory, secrets, report);
    user_document::read(&mut app, directory, report);
    mails::read(&mut app, directory, report);
    data_sources::read(&mut app, directory, report);
    graphql::read(&mut app, directory, report);
    values::read(&mut app, directory, secrets, report);
    functions::read(&mut app, directory, report);
    triggers::read(&mut app, directory, report);
    root::report_unread_folders(directory, report);
    Some(app)
}

/// There is nothing to serve; the report says why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportError {
    /// All problems that were found.
    pub report: Report,
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the app cannot be imported\n{}", self.report)
    }
}

impl std::error::Error for ImportError {}

#[cfg(test)]
mod tests;
