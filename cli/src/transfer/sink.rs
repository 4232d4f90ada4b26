//! Where an export goes: a file, compressed where its name says so, or the standard output.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Stdout, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

/// An export under way; it is whole only after [`finish`](Self::finish).
pub(super) enum Sink {
    Output(BufWriter<Stdout>),
    Plain(BufWriter<File>),
    Zipped(GzEncoder<BufWriter<File>>),
}

impl Sink {
    /// A file, or `-` for the standard output.
    pub(super) fn open(file: &Path) -> io::Result<Self> {
        Self::with(file, OpenOptions::new().write(true).create(true).truncate(true))
    }

    /// The same; a file that is made is its owner's alone.
    pub(super) fn private(file: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        Self::with(file, &options)
    }

    fn with(file: &Path, options: &OpenOptions) -> io::Result<Self> {
        if file == Path::new("-") {
            return Ok(Self::Output(BufWriter::new(io::stdout())));
        }
        let plain = BufWriter::new(options.open(file)?);
        let zipped = file.extension().is_some_and(|extension| extension == "gz");
        Ok(if zipped {
            Self::Zipped(GzEncoder::new(plain, Compression::default()))
        } else {
            Self::Plain(plain)
        })
    }

    /// Writes what is left. Without this the end of a compressed file may be missing, and nobody would be told.
    pub(super) fn finish(self) -> io::Result<()> {
        match self {
            Self::Output(mut output) => output.flush(),
            Self::Plain(mut file) => file.flush(),
            Self::Zipped(zipped) => zipped.finish()?.flush(),
        }
    }

    fn writer(&mut self) -> &mut dyn Write {
        match self {
            Self::Output(output) => output,
            Self::Plain(file) => file,
            Self::Zipped(zipped) => zipped,
        }
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer().flush()
    }
}
