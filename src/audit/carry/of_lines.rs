//! [`restore_lines`] carries a journal that is in memory into a new folder. It goes through an export and a restore, so that
//! whoever has no folder gets what `bookonce export` and `bookonce restore` would have made.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use uuid::Uuid;

use super::export::Exporter;
use super::restore::restore;

/// Writes an export of the lines of a whole journal beside the folder, and restores it into the folder.
///
/// # Errors
/// Fails when the lines are not a whole journal that is right, or a file can't be written.
pub fn restore_lines(
    lines: &[u8],
    journal_id: Uuid,
    folder: &Path,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let export = folder.with_extension("ndjson");
    let head = lines.iter().filter(|byte| **byte == b'\n').count();
    let head = u64::try_from(head).unwrap_or(u64::MAX);
    let mut exporter = Exporter::new(BufWriter::new(File::create(&export)?), journal_id, head, None, None)?;
    exporter.take(lines)?;
    exporter.finish()?;
    restore((&export, &[]), folder, &|_| {})?;
    Ok(())
}
