//! An audit gives a result: how far the journal was found right, the books at that place, and the first thing that is wrong.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::audit::rules::books::Books;
use crate::audit::rules::double_use::NamedDoubleUse;
use crate::audit::rules::in_transit::InTransit;
use crate::audit::values::chain::{Chain, Hash};
use crate::audit::values::finding::{Finding, Findings, Flaw, Place};

/// An audited journal is the result of an audit.
#[derive(Debug)]
pub(crate) struct Audited {
    /// This is what the events are chained to.
    pub(crate) chain: Chain,
    /// This says whether the journal was read from its first event on.
    pub(crate) begins: bool,
    /// This is the journal's id, where the source says it or it follows from the first event.
    pub(crate) journal_id: Option<Uuid>,
    /// This is the position of the first event.
    pub(crate) from: u64,
    /// This is the last position that was found right. It is one less than `from` when there is none.
    pub(crate) position: u64,
    /// This is the journal's head hash at that position. There is none when there is no event and the source does not
    /// say which hash goes before.
    pub(crate) hash: Option<Hash>,
    /// This is how many events of each type were found right.
    pub(crate) counts: BTreeMap<&'static str, u64>,
    /// These are the books after these events. There are none when the first event is not the journal's first.
    pub(crate) books: Option<Books>,
    /// This says whether there was a manifest, which has shown that nothing is missing at the end.
    pub(crate) whole: bool,
    /// These are the IDs on two accounts. In a journal chained along its streams that is no flaw, but a person should
    /// know it.
    pub(crate) double_uses: Vec<NamedDoubleUse>,
    /// These are, along streams, the names of the streams that were seen.
    pub(crate) streams: Vec<String>,
    /// This is the last position that was looked at.
    pub(crate) looked_at: u64,
    /// This is the first thing that is wrong.
    pub(crate) finding: Option<Finding>,
    /// These are the transfers whose credit is booked and whose capture is not: what they move is missing on `@transit`.
    pub(crate) in_transit: Vec<InTransit>,
    /// These are all things that are wrong, the first one too.
    pub(crate) findings: Findings,
    /// These are the accounts with whose events something is wrong, by name, and the streams of such transfers. Their later
    /// events were not looked at.
    pub(crate) aside: Vec<String>,
}

impl Audited {
    /// Makes the result for a database that is so damaged that nothing of it can be read.
    #[must_use]
    pub(super) fn unreadable(why: String) -> Self {
        let mut audited = Self {
            chain: Chain::Journal,
            begins: true,
            journal_id: None,
            from: 1,
            position: 0,
            hash: None,
            counts: BTreeMap::new(),
            books: None,
            whole: false,
            double_uses: Vec::new(),
            streams: Vec::new(),
            looked_at: 0,
            finding: None,
            in_transit: Vec::new(),
            findings: Findings::default(),
            aside: Vec::new(),
        };
        audited.find(Finding { place: Place::Position(1), flaw: Flaw::Database(why) });
        audited
    }

    /// Adds what was found behind the events.
    pub(super) fn find(&mut self, finding: Finding) {
        self.finding.get_or_insert_with(|| finding.clone());
        self.findings.add(finding);
    }
}
