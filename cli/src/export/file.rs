//! Where an export goes: a file that was not there before, or standard output.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use anyhow::{Context as _, Result};

/// An export being written. Dropped before it is finished, its file goes: half an export looks like
/// a whole one to most programs.
pub(super) struct Target {
    writer: Option<BufWriter<Box<dyn Write>>>,
    /// The file, unless it is standard output.
    path: Option<PathBuf>,
}

impl Target {
    /// Opens what `--out` names.
    pub(super) fn open(out: &str) -> Result<Self> {
        let (inner, path): (Box<dyn Write>, _) = if out == "-" {
            (Box::new(io::stdout()), None)
        } else {
            let file = OpenOptions::new().write(true).create_new(true).open(out);
            let file =
                file.with_context(|| format!("{out} cannot be made; next: name a file that is not there yet"))?;
            (Box::new(file), Some(PathBuf::from(out)))
        };
        Ok(Self { writer: Some(BufWriter::with_capacity(1 << 18, inner)), path })
    }

    /// Writes everything out, durably; the file, unless it is standard output.
    pub(super) fn finish(mut self) -> Result<Option<PathBuf>> {
        if let Some(mut writer) = self.writer.take() {
            writer.flush()?;
        }
        let path = self.path.take();
        if let Some(path) = &path {
            File::open(path)?.sync_all()?;
        }
        Ok(path)
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.as_mut().ok_or(io::ErrorKind::BrokenPipe)?.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.as_mut().map_or(Ok(()), BufWriter::flush)
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        drop(self.writer.take());
        if let Some(path) = &self.path {
            let _ = fs::remove_file(path);
        }
    }
}
