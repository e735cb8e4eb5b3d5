//! The marks are the newest revision of each account that has come, and the gaps: stretches of revisions before it that have
//! not.
//!
//! A destination passes revisions over which its filter does not choose, and those that it gave up; the latter may still come,
//! when somebody sends them again. A mark alone can't tell these from what came long ago, and would lose them or have their
//! effect twice. So each stretch that is passed over is one row. It is never removed but by the messages in it.
//!
//! The revisions of one stream are those of one history: `recorded_at` never goes back in it. An event before the mark that is
//! younger than the one at the mark is of another history, and so is another event at the mark itself: the ledger was put back,
//! and it can't be told what of it has come.

use rusqlite::{OptionalExtension as _, Transaction, named_params};

use super::accepted::{Accepted, InboxError, fresh_if};
use super::message::Message;

const MARK: &str = "SELECT revision, id, time FROM inbox_mark WHERE sender = :sender AND subject = :subject";
const GAP: &str = "DELETE FROM inbox_gap WHERE sender = :sender AND subject = :subject
    AND first <= :revision AND last >= :revision RETURNING first, last";
const PASSED_OVER: &str = "INSERT INTO inbox_gap (sender, subject, first, last)
    SELECT :sender, :subject, :first, :last WHERE :first <= :last";
const MOVE: &str = "INSERT INTO inbox_mark (sender, subject, revision, id, time)
    VALUES (:sender, :subject, :revision, :id, :time)
    ON CONFLICT (sender, subject) DO UPDATE SET revision = :revision, id = :id, time = :time";

/// A `Mark` is the newest event of a stream that has come.
struct Mark {
    revision: i64,
    id: String,
    time: String,
}

/// A `Marks` is one stream of one sender, within a transaction.
struct Marks<'a> {
    transaction: &'a Transaction<'a>,
    sender: &'a str,
    subject: &'a str,
}

/// Takes in the revision of a message, and says whether it is new.
pub(super) fn accept(
    transaction: &Transaction<'_>,
    message: &Message,
    revision: u64,
) -> Result<Accepted, InboxError> {
    let marks = Marks { transaction, sender: &message.sender, subject: &message.subject };
    let number = i64::try_from(revision).ok().filter(|number| *number < i64::MAX);
    let number = number.ok_or(InboxError::Revision(revision))?;
    match marks.mark()? {
        None => {
            marks.passes_over(0, number - 1)?;
            marks.moves(number, message)?;
            Ok(Accepted::Fresh)
        }
        Some(mark) if mark.revision < number => {
            marks.passes_over(mark.revision + 1, number - 1)?;
            marks.moves(number, message)?;
            Ok(Accepted::Fresh)
        }
        Some(mark) => {
            let is_other = mark.revision == number && mark.id != message.id;
            if is_other || message.time > mark.time {
                return Err(InboxError::WentBack { subject: message.subject.clone(), revision });
            }
            Ok(fresh_if(marks.fills(number)?))
        }
    }
}

impl Marks<'_> {
    fn mark(&self) -> rusqlite::Result<Option<Mark>> {
        let params = named_params! { ":sender": self.sender, ":subject": self.subject };
        let mark = self
            .transaction
            .prepare_cached(MARK)?
            .query_row(params, |row| Ok(Mark { revision: row.get(0)?, id: row.get(1)?, time: row.get(2)? }));
        mark.optional()
    }

    fn moves(&self, revision: i64, message: &Message) -> rusqlite::Result<()> {
        let params = named_params! {
            ":sender": self.sender, ":subject": self.subject, ":revision": revision,
            ":id": message.id, ":time": message.time,
        };
        self.transaction.prepare_cached(MOVE)?.execute(params)?;
        Ok(())
    }

    /// Keeps a stretch that has not come, unless it is empty.
    fn passes_over(&self, first: i64, last: i64) -> rusqlite::Result<()> {
        let params = named_params! {
            ":sender": self.sender, ":subject": self.subject, ":first": first, ":last": last,
        };
        self.transaction.prepare_cached(PASSED_OVER)?.execute(params)?;
        Ok(())
    }

    /// Takes a revision out of the stretch that it is in; false where it is in none, because it has come.
    fn fills(&self, revision: i64) -> rusqlite::Result<bool> {
        let params = named_params! {
            ":sender": self.sender, ":subject": self.subject, ":revision": revision,
        };
        let gap = self
            .transaction
            .prepare_cached(GAP)?
            .query_row(params, |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)));
        let Some((first, last)) = gap.optional()? else { return Ok(false) };
        self.passes_over(first, revision - 1)?;
        self.passes_over(revision + 1, last)?;
        Ok(true)
    }
}
