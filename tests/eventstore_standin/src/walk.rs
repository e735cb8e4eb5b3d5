//! [`Walk`] goes through what readers may see, page by page: a stream by revision, `$all` by position, both ways.

use std::sync::Arc;

use bytes::Bytes;

use super::filter::Filter;
use super::log::{DELETED, Entry, Log};

/// How many events a page looks at, so that no reader holds the log for long.
const MOST_CONSIDERED: usize = 4096;

pub enum Scope {
    Stream(String),
    All(Option<Arc<Filter>>),
}

/// `next` is a revision in a stream and an index in `$all`; backwards it is one past what comes next.
pub struct Walk {
    pub scope: Scope,
    pub backwards: bool,
    pub next: u64,
}

#[derive(Default)]
pub struct Page {
    pub events: Vec<Bytes>,
    /// How many were looked at, those that the filter held back included, and the last one's position.
    pub considered: usize,
    pub last_position: Option<u64>,
    /// Nothing more is visible in this direction.
    pub finished: bool,
}

impl Walk {
    /// At most `most` further events, of those before `mark`.
    pub fn page(&mut self, log: &Log, mark: usize, now: i64, most: usize) -> Page {
        match &self.scope {
            Scope::Stream(name) => {
                let Some(stream) = log.stream(name) else {
                    return Page { finished: true, ..Page::default() };
                };
                let count = stream.visible(mark) as u64;
                let first = count.checked_sub(1).map_or(0, |last| stream.limits.first(name, last));
                let oldest = stream.limits.oldest(now);
                let at = |revision: u64| {
                    let index = *stream.events.get(usize::try_from(revision).ok()?)?;
                    log.entries.get(index)
                };
                let (bounds, backwards) = (first..count, self.backwards);
                gather(&mut self.next, bounds, backwards, most, at, |entry| entry.created >= oldest)
            }
            Scope::All(filter) => {
                let filter = filter.clone();
                let at = |index: u64| log.entries.get(usize::try_from(index).ok()?);
                let (bounds, backwards) = (0..mark as u64, self.backwards);
                gather(&mut self.next, bounds, backwards, most, at, |entry| {
                    let scavenged = log.scavenged.contains(&*entry.stream) && entry.revision != DELETED;
                    !scavenged && filter.as_ref().is_none_or(|filter| filter.lets_through(entry))
                })
            }
        }
    }
}

fn gather<'log>(
    next: &mut u64,
    bounds: std::ops::Range<u64>,
    backwards: bool,
    most: usize,
    at: impl Fn(u64) -> Option<&'log Entry>,
    shown: impl Fn(&Entry) -> bool,
) -> Page {
    let mut page = Page::default();
    *next = if backwards { (*next).min(bounds.end) } else { (*next).max(bounds.start) };
    while page.events.len() < most && page.considered < MOST_CONSIDERED {
        let there = if backwards { next.checked_sub(1) } else { Some(*next) };
        let Some(entry) = there.filter(|there| bounds.contains(there)).and_then(&at) else {
            page.finished = true;
            break;
        };
        *next = if backwards { *next - 1 } else { *next + 1 };
        page.considered += 1;
        page.last_position = Some(entry.position);
        if shown(entry) {
            page.events.push(entry.encoded.clone());
        }
    }
    page
}
