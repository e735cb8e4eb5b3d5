//! A remote export gets the journal from a running service, page by page, as the service stores the lines.

use std::io::Write;
use std::time::Duration;

use uuid::Uuid;

use crate::audit::carry::export::{ExportError, Exporter};
use crate::audit::carry::export_streams::StreamsExporter;
use crate::audit::parse::event_line;
use crate::audit::parse::manifest::Manifest;
use crate::audit::values::chain::Chain;

/// A page has this many events, which is the most that the service gives.
const PAGE: u64 = 1_000;
/// This is how long one page may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A remote error says why a service can't be exported from.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RemoteError {
    /// The service can't be reached, or the connection broke.
    #[error("can't get {url}")]
    Connection { url: String, source: Box<dyn std::error::Error + Send + Sync> },
    /// The service refuses to answer.
    #[error("{url} answers {status}: {body}")]
    Refused { url: String, status: u16, body: String },
    /// The service's answer about its head can't be understood.
    #[error("{url} does not answer with a journal's head")]
    NoHead { url: String, source: serde_json::Error },
    /// The lines that came can't be exported.
    #[error(transparent)]
    Export(#[from] ExportError),
}

#[derive(serde::Deserialize)]
struct ServiceHead {
    journal_id: Uuid,
    position: u64,
}

/// Exports from the service at this address, up to the head that it has when this begins.
///
/// # Errors
/// Fails when it can't be reached, refuses, or gives other lines than those asked for.
pub(crate) async fn from_url(
    base: &str,
    key: Option<&str>,
    (from, to): (Option<u64>, Option<u64>),
    out: impl Write,
    progress: &dyn Fn(u64),
) -> Result<Manifest, RemoteError> {
    let service = RemoteService { base: base.trim_end_matches('/'), key, client: reqwest::Client::new() };
    let (url, head) = service.get("/v1/journal/head", "application/json").await?;
    let head: ServiceHead =
        serde_json::from_slice(&head).map_err(|source| RemoteError::NoHead { url, source })?;
    if head.position > 0 && service.chain().await? == Chain::Streams {
        return service.streams(head, (from, to), out, progress).await;
    }
    let mut exporter = Exporter::new(out, head.journal_id, head.position, from, to)?;
    while let Some(next) = exporter.wants() {
        let lines = service.lines(next.saturating_sub(1), PAGE).await?;
        exporter.take(&lines)?;
        progress(next);
        if exporter.wants() == Some(next) {
            return Err(ExportError::Broken(next).into());
        }
    }
    Ok(exporter.finish()?)
}

struct RemoteService<'a> {
    base: &'a str,
    key: Option<&'a str>,
    client: reqwest::Client,
}

impl RemoteService<'_> {
    /// Gets lines after a position.
    async fn lines(&self, after: u64, limit: u64) -> Result<Vec<u8>, RemoteError> {
        let page = format!("/v1/journal?after={after}&limit={limit}");
        Ok(self.get(&page, "application/x-ndjson").await?.1)
    }

    /// Finds out what the events are chained to, from the first of them.
    async fn chain(&self) -> Result<Chain, RemoteError> {
        let first = self.lines(0, 1).await?;
        let line = first.strip_suffix(b"\n").unwrap_or(&first);
        Ok(if event_line::begins_its_stream(line) { Chain::Streams } else { Chain::Journal })
    }

    /// Exports from a service whose journal is chained along its streams. The journal is read from its beginning.
    async fn streams(
        &self,
        head: ServiceHead,
        (from, to): (Option<u64>, Option<u64>),
        out: impl Write,
        progress: &dyn Fn(u64),
    ) -> Result<Manifest, RemoteError> {
        let to = to.unwrap_or(head.position).min(head.position);
        let mut exporter = StreamsExporter::new(out, from, Some(to));
        while let Some(after) = exporter.wants_after() {
            let lines = self.lines(after, PAGE).await?;
            if lines.is_empty() {
                return Err(ExportError::Broken(after.saturating_add(1)).into());
            }
            exporter.take(&lines)?;
            progress(exporter.events());
        }
        Ok(exporter.finish()?)
    }

    /// Gets the body at a path, and the whole address, which errors need.
    async fn get(&self, path: &str, accept: &str) -> Result<(String, Vec<u8>), RemoteError> {
        let url = format!("{}{path}", self.base);
        let failed = |source: reqwest::Error| RemoteError::Connection {
            url: url.clone(),
            source: source.without_url().into(),
        };
        let mut request = self.client.get(&url).header("accept", accept).timeout(PATIENCE);
        if let Some(key) = self.key {
            request = request.bearer_auth(key);
        }
        let answer = request.send().await.map_err(failed)?;
        let status = answer.status();
        let body = answer.bytes().await.map_err(failed)?;
        if !status.is_success() {
            let body = String::from_utf8_lossy(&body).chars().filter(|c| !c.is_control()).take(300).collect();
            return Err(RemoteError::Refused { url, status: status.as_u16(), body });
        }
        Ok((url, body.to_vec()))
    }
}
