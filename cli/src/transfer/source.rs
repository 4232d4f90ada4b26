//! Files of documents: JSON lines, a JSON array, or mongodump's BSON, plain or gzipped; read one document at a time.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bson::{Bson, Document};
use flate2::read::MultiGzDecoder;

use crate::Failure;

/// The longest document, bytes: 16 MB of BSON may be some times as long in extended JSON.
const LONGEST: usize = 64 * 1024 * 1024;

/// How documents are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// Lines, or one array: which, the first character tells.
    Json,
    Bson,
}

impl Format {
    pub(super) fn named(name: &str) -> Result<Self, Failure> {
        match name {
            "json" | "jsonl" | "ndjson" => Ok(Self::Json),
            "bson" => Ok(Self::Bson),
            _ => Err(Failure::usage(format!("unknown format `{name}`: expected `json` or `bson`"))),
        }
    }

    /// By a file's name; JSON unless it says otherwise.
    pub(super) fn of(file: &Path) -> Self {
        let name = file.to_string_lossy();
        if name.trim_end_matches(".gz").ends_with(".bson") { Self::Bson } else { Self::Json }
    }
}

/// Documents, one after the other.
pub(super) struct Source {
    input: BufReader<Box<dyn Read>>,
    format: Format,
    /// The line where the last document begins, or its number in BSON; from one.
    line: u64,
    /// Line breaks inside the last element of an array.
    lines_within: u64,
    /// Elements of an array that were read.
    elements: u64,
    in_array: bool,
    begun: bool,
    /// Bytes of the file that were read, as they lie there.
    pub(super) bytes: Arc<AtomicU64>,
    /// Bytes of the file; zero where that is not known.
    pub(super) total: u64,
}

/// What came next.
pub(super) enum Next {
    Document(Document),
    /// It is no document; those after it may be.
    Bad(String),
    End,
}

/// Where a document is in its file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    counts: Format,
    line: u64,
    /// Its own alone, unlike the line: an array may have many elements on one.
    pub(super) number: u64,
}

impl Place {
    /// What is wrong there.
    pub(super) fn told(self, problem: impl fmt::Display) -> String {
        let what = if self.counts == Format::Bson { "document" } else { "line" };
        format!("{what} {}: {problem}", self.line)
    }
}

struct Counted<R>(R, Arc<AtomicU64>);

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.0.read(buffer)?;
        self.1.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

impl Source {
    /// Opens a file; `-` is the standard input.
    pub(super) fn open(file: &Path, format: Option<Format>) -> Result<Self, Failure> {
        let bytes = Arc::new(AtomicU64::new(0));
        let cannot =
            |error: io::Error| Failure::negative(format!("cannot read `{}`: {error}", file.display()));
        let (raw, total): (Box<dyn Read>, u64) = if file == Path::new("-") {
            (Box::new(io::stdin()), 0)
        } else {
            let opened = File::open(file).map_err(cannot)?;
            let total = opened.metadata().map_err(cannot)?.len();
            (Box::new(opened), total)
        };
        let mut counted = BufReader::with_capacity(1 << 16, Counted(raw, Arc::clone(&bytes)));
        // Whatever its name is, what begins so is gzip (RFC 1952).
        let zipped = counted.fill_buf().map_err(cannot)?.starts_with(&[0x1f, 0x8b]);
        let input: Box<dyn Read> =
            if zipped { Box::new(MultiGzDecoder::new(counted)) } else { Box::new(counted) };
        let input = BufReader::with_capacity(1 << 16, input);
        let format = format.unwrap_or_else(|| Format::of(file));
        Ok(Self {
            input,
            format,
            line: 0,
            lines_within: 0,
            elements: 0,
            in_array: false,
            begun: false,
            bytes,
            total,
        })
    }

    /// The next document.
    ///
    /// # Errors
    /// What makes it useless to go on: a failure of the disk, a length that cannot be, an array that does not end.
    pub(super) fn next(&mut self) -> Result<Next, Failure> {
        match self.format {
            Format::Bson => self.next_bson(),
            Format::Json => {
                if !self.begun {
                    self.begun = true;
                    self.line = 1;
                    self.in_array = self.skip_blank()? == Some(b'[');
                    if self.in_array {
                        self.input.consume(1);
                    } else {
                        self.line -= 1;
                    }
                }
                if self.in_array { self.next_of_array() } else { self.next_line() }
            }
        }
    }

    /// Where the last document is.
    pub(super) fn place(&self) -> Place {
        let number = if self.in_array { self.elements } else { self.line };
        Place { counts: self.format, line: self.line, number }
    }

    fn at(&self, problem: impl fmt::Display) -> Failure {
        Failure::negative(self.place().told(problem))
    }

    fn next_bson(&mut self) -> Result<Next, Failure> {
        self.line += 1;
        if self.input.fill_buf().map_err(|error| Failure::negative(error.to_string()))?.is_empty() {
            return Ok(Next::End);
        }
        let mut length = [0_u8; 4];
        self.input.read_exact(&mut length).map_err(|_| self.at("the file ends in the middle of it"))?;
        let size =
            usize::try_from(i32::from_le_bytes(length)).ok().filter(|size| (5..=LONGEST).contains(size));
        let size = size.ok_or_else(|| self.at("its length cannot be: the file is no BSON, or damaged"))?;
        let mut bytes = length.to_vec();
        let rest = (size - length.len()) as u64;
        let count = (&mut self.input).take(rest).read_to_end(&mut bytes).map_err(|error| self.at(error))?;
        if (count as u64) < rest {
            return Err(self.at("the file ends in the middle of it"));
        }
        Ok(match Document::from_reader(bytes.as_slice()) {
            Ok(document) => Next::Document(document),
            Err(error) => Next::Bad(error.to_string()),
        })
    }

    fn next_line(&mut self) -> Result<Next, Failure> {
        loop {
            self.line += 1;
            let mut line = Vec::new();
            let limit = LONGEST as u64 + 1;
            let count =
                (&mut self.input).take(limit).read_until(b'\n', &mut line).map_err(|error| self.at(error))?;
            if count == 0 {
                return Ok(Next::End);
            }
            if line.len() > LONGEST {
                return Err(self.at(format!("it is longer than {LONGEST} bytes")));
            }
            let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&line);
            if !line.iter().all(u8::is_ascii_whitespace) {
                return Ok(parsed(line));
            }
        }
    }

    /// The next byte that is no white space, left where it is.
    fn skip_blank(&mut self) -> Result<Option<u8>, Failure> {
        loop {
            let buffer = match self.input.fill_buf() {
                Ok(buffer) => buffer,
                Err(error) => return Err(Failure::negative(format!("line {}: {error}", self.line))),
            };
            let Some(first) = buffer.first().copied() else { return Ok(None) };
            if !first.is_ascii_whitespace() && !matches!(first, 0xef | 0xbb | 0xbf) {
                return Ok(Some(first));
            }
            self.line += u64::from(first == b'\n');
            self.input.consume(1);
        }
    }

    fn next_of_array(&mut self) -> Result<Next, Failure> {
        self.line += std::mem::take(&mut self.lines_within);
        let mut first = self.skip_blank()?;
        if first == Some(b',') {
            self.input.consume(1);
            first = self.skip_blank()?;
        }
        match first {
            None => return Err(self.at("the array does not end")),
            Some(b']') => return self.end_of_array(),
            Some(_) => self.elements += 1,
        }
        let element = self.element()?;
        Ok(parsed(&element))
    }

    /// What follows would be lost without a word.
    fn end_of_array(&mut self) -> Result<Next, Failure> {
        self.input.consume(1);
        match self.skip_blank()? {
            None => Ok(Next::End),
            Some(_) => Err(self.at("something follows the end of the array")),
        }
    }

    /// The bytes of an element, up to the comma or bracket after it.
    fn element(&mut self) -> Result<Vec<u8>, Failure> {
        let (mut element, mut depth, mut in_text, mut escaped) = (Vec::new(), 0_u32, false, false);
        loop {
            let next = match self.input.fill_buf() {
                Ok(buffer) => buffer.first().copied(),
                Err(error) => return Err(self.at(error)),
            };
            let Some(byte) = next else { return Err(self.at("the array does not end")) };
            match byte {
                _ if escaped => escaped = false,
                b'\\' if in_text => escaped = true,
                b'"' => in_text = !in_text,
                b'{' | b'[' if !in_text => depth += 1,
                b',' | b']' if !in_text && depth == 0 => return Ok(element),
                b'}' | b']' if !in_text => depth = depth.saturating_sub(1),
                b'\n' => self.lines_within += 1,
                _ => {}
            }
            element.push(byte);
            self.input.consume(1);
            if element.len() > LONGEST {
                return Err(self.at(format!("it is longer than {LONGEST} bytes")));
            }
        }
    }
}

fn parsed(json: &[u8]) -> Next {
    let value: serde_json::Value = match serde_json::from_slice(json) {
        Ok(value) => value,
        Err(error) => return Next::Bad(format!("not JSON: {error}")),
    };
    match Bson::try_from(value) {
        Ok(Bson::Document(document)) => Next::Document(document),
        Ok(_) => Next::Bad("it is no document".to_owned()),
        Err(error) => Next::Bad(format!("no extended JSON: {error}")),
    }
}
