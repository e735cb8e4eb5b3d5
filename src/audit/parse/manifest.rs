//! A manifest is the last line of an export, and says what the export holds.
//!
//! A file that has lost its end is found out by it.

use uuid::Uuid;

use crate::audit::parse::cursor::Cursor;
use crate::audit::values::chain::{self, Chain, Hash};
use crate::audit::values::finding::Flaw;

/// Every manifest begins with this text, and no event does.
pub(crate) const START: &str = "{\"manifest\":";

/// A manifest says which events an export holds, and between which hashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Manifest {
    /// This is the journal's id.
    pub(crate) journal_id: Uuid,
    /// This is the position of the first event in the file.
    pub(crate) from: u64,
    /// This is the position of the last event; one less than `from` when there is none.
    pub(crate) to: u64,
    /// This is how many events there are.
    pub(crate) count: u64,
    /// This is the hash of the first event. None: the journal is chained along its streams; then the two hashes below
    /// are the journal's head hashes after the last event and before the first one.
    pub(crate) first_hash: Option<Hash>,
    /// This is the hash of the last event.
    pub(crate) last_hash: Hash,
    /// This is the hash before the first event.
    pub(crate) previous_hash: Hash,
}

/// A manifest goes on with the first text where the chain runs along the journal, and with the second along its streams.
const FORMATS: [&str; 2] =
    ["{\"format\":1,\"journal_id\":\"", "{\"format\":2,\"chain\":\"streams\",\"journal_id\":\""];

impl Manifest {
    /// Says what the events are chained to.
    #[must_use]
    pub(crate) const fn chain(&self) -> Chain {
        if self.first_hash.is_some() { Chain::Journal } else { Chain::Streams }
    }

    /// Says whether the first event in the file is the journal's first.
    #[must_use]
    pub(crate) fn begins(&self) -> bool {
        match self.chain() {
            Chain::Journal => self.from == 1,
            Chain::Streams => self.previous_hash == chain::genesis(self.journal_id),
        }
    }

    /// Writes the manifest as a line with its line feed.
    #[must_use]
    pub(crate) fn line(&self) -> String {
        let Self { journal_id, from, to, count, first_hash, last_hash, previous_hash } = self;
        let [along_journal, along_streams] = FORMATS;
        let (format, first) = match first_hash {
            Some(first) => (along_journal, format!("\"first_hash\":\"{}\",", chain::show(first))),
            None => (along_streams, String::new()),
        };
        let [last, previous] = [last_hash, previous_hash].map(chain::show);
        format!(
            "{START}{format}{}\",\"from\":{from},\"to\":{to},\"count\":{count},\
             {first}\"last_hash\":\"{last}\",\"previous_hash\":\"{previous}\"}}}}\n",
            journal_id.hyphenated()
        )
    }

    /// Reads a manifest in exactly the form in which [`line`](Self::line) writes it.
    ///
    /// # Errors
    /// Fails with [`Flaw::ManifestLayout`] when the line has another form.
    pub(crate) fn read(line: &[u8]) -> Result<Self, Flaw> {
        Self::cut(line).map_err(|_| Flaw::ManifestLayout)
    }

    fn cut(line: &[u8]) -> Result<Self, Flaw> {
        let cursor = &mut Cursor::new(line, 0);
        cursor.literal(START)?;
        let [along_journal, along_streams] = FORMATS;
        let streams = cursor.maybe(along_streams);
        if !streams {
            cursor.literal(along_journal)?;
        }
        let id = cursor.bytes::<36>("a journal's id")?;
        let journal_id =
            chain::read_uuid(id).map(Uuid::from_u128).ok_or_else(|| cursor.wrong("a journal's id"))?;
        cursor.literal("\",\"from\":")?;
        let from = cursor.number()?;
        cursor.literal(",\"to\":")?;
        let to = cursor.number()?;
        cursor.literal(",\"count\":")?;
        let count = cursor.number()?;
        let first_hash = match streams {
            true => None,
            false => {
                cursor.literal(",\"first_hash\":\"")?;
                Some(hash(cursor)?)
            }
        };
        cursor.literal(",\"last_hash\":\"")?;
        let last_hash = hash(cursor)?;
        cursor.literal(",\"previous_hash\":\"")?;
        let previous_hash = hash(cursor)?;
        cursor.literal("}}\n")?;
        cursor.end()?;
        Ok(Self { journal_id, from, to, count, first_hash, last_hash, previous_hash })
    }

    /// Checks that what the manifest says is possible at all.
    ///
    /// # Errors
    /// Fails when its numbers do not fit together, or a whole journal does not begin as one with its id does.
    pub(crate) fn check(&self) -> Result<(), Flaw> {
        if self.from == 0 {
            return Err(Flaw::Manifest("from"));
        }
        let positions = self.to.checked_add(1).and_then(|end| end.checked_sub(self.from));
        let counted = match self.chain() {
            Chain::Journal => positions == Some(self.count),
            // There are gaps, and an export of no events is never made.
            Chain::Streams => positions.is_some_and(|positions| (1..=positions).contains(&self.count)),
        };
        if !counted {
            return Err(Flaw::Manifest("count"));
        }
        if self.begins() && self.previous_hash != chain::genesis(self.journal_id) {
            return Err(Flaw::ManifestGenesis);
        }
        Ok(())
    }
}

fn hash(cursor: &mut Cursor<'_>) -> Result<Hash, Flaw> {
    let hash = chain::read(cursor.bytes::<64>("a hash")?).ok_or_else(|| cursor.wrong("a hash"))?;
    cursor.literal("\"")?;
    Ok(hash)
}
