//! The founding document in a file: what a client trusts to begin with.

use std::path::Path;

use fengni_genesis::{DOCUMENT_BYTES, Document, FOUNDING_BYTES, Format, Genesis};

use crate::disk::{self, FileError};

/// Reads a founding document, in its canonical bytes or as people write it.
///
/// # Errors
/// [`FileError`], with every problem of a document that founds no network.
pub fn load(path: &Path) -> Result<Genesis, FileError> {
    let bytes = disk::read(path, FOUNDING_BYTES.max(DOCUMENT_BYTES) as u64)?;
    let name = path.to_string_lossy();
    if name.ends_with(".toml") || name.ends_with(".json") {
        let text = std::str::from_utf8(&bytes).map_err(|_| FileError::content(path, "it is not UTF-8"))?;
        let document = Document::parse(text, Format::of_file_name(&name)).and_then(|document| document.check());
        return document.map_err(|problems| FileError::content(path, format!("it founds no network:\n{problems}")));
    }
    Genesis::decode(&bytes).map_err(|error| FileError::content(path, format!("it is no founding document: {error}")))
}
