//! [`audit_lines`] audits a journal that is in memory. Whoever has its lines and no file is told what `verify` would say.

use std::io::Cursor;
use std::path::Path;

use crate::audit::error::Error;
use crate::audit::rules::digest;
use crate::audit::run::auditor::audit;
use crate::audit::run::options::Options;
use crate::audit::source::file::File;

/// An `AuditedLines` is what the auditor says of the lines of a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditedLines {
    /// This is everything that is wrong, in the auditor's words; `None` when nothing is.
    pub findings: Option<String>,
    /// This is the last position that was found right.
    pub position: u64,
    /// This is the state digest there.
    pub digest: Option<String>,
    /// This is the number of IDs that were booked on two streams, in a race of two instances.
    pub double_uses: usize,
}

/// Audits the lines of a whole journal, each with its line feed.
///
/// # Errors
/// Fails when there are none.
pub fn audit_lines(lines: Vec<u8>) -> Result<AuditedLines, Box<dyn std::error::Error + Send + Sync>> {
    let source = File::new(Cursor::new(lines), Path::new("the lines"))?;
    let audited = audit(Box::new(source), Options::default()).map_err(Box::<Error>::new)?;
    Ok(AuditedLines {
        findings: audited.finding.is_some().then(|| audited.findings.to_string()),
        position: audited.position,
        digest: audited.books.as_ref().map(digest::of),
        double_uses: audited.double_uses.len(),
    })
}
