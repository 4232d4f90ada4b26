//! What an importer or a check found: problems with file and JSON pointer.

use std::fmt;

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Something is closed, left out or will fail; the rest serves.
    Error,
    /// Something is odd or not obeyed.
    Warning,
}

/// One problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// The file, relative to the app directory; empty when there is none.
    pub file: String,
    /// The JSON pointer (RFC 6901) inside the file; empty for the whole of it.
    pub pointer: String,
    /// What is wrong: lower case, no full stop.
    pub message: String,
}

/// The problems found so far, in the order of finding.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    problems: Vec<Problem>,
}

impl Report {
    /// Notes an error.
    pub fn error(&mut self, file: &str, pointer: &str, message: impl Into<String>) {
        self.push(Severity::Error, file, pointer, message.into());
    }

    /// Notes a warning.
    pub fn warn(&mut self, file: &str, pointer: &str, message: impl Into<String>) {
        self.push(Severity::Warning, file, pointer, message.into());
    }

    /// Takes over the problems of another report.
    pub fn append(&mut self, other: &Self) {
        self.problems.extend_from_slice(&other.problems);
    }

    /// Says of what was found in some files that it is really elsewhere.
    pub(crate) fn relocate(&mut self, real: impl Fn(&str, &str) -> Option<(String, String)>) {
        for problem in &mut self.problems {
            if let Some((file, pointer)) = real(&problem.file, &problem.pointer) {
                (problem.file, problem.pointer) = (file, pointer);
            }
        }
    }

    /// All problems.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Whether there is an error among them.
    pub fn has_errors(&self) -> bool {
        self.problems.iter().any(|problem| problem.severity == Severity::Error)
    }

    fn push(&mut self, severity: Severity, file: &str, pointer: &str, message: String) {
        self.problems.push(Problem { severity, file: file.into(), pointer: pointer.into(), message });
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        write!(f, "{word}: ")?;
        if !self.file.is_empty() {
            write!(f, "{}", self.file)?;
            if !self.pointer.is_empty() {
                write!(f, "#{}", self.pointer)?;
            }
            f.write_str(": ")?;
        }
        f.write_str(&self.message)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{problem}")?;
        }
        Ok(())
    }
}
