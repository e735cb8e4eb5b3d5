//! The parts of the catalog are ranges of neighbouring rows of one kind. Each has a row of its own, which says how many rows it
//! has and what their checksums sum to; the seal covers the sum of all parts.
//!
//! Without them a start would have to read every row, to know that none is missing. With them it reads one row for each part,
//! which are some hundred rows each, and a part is proven when the first of its rows is asked for ([`Proven`]). A part of which
//! a row was changed, lost or put elsewhere is never believed.
//!
//! [`Proven`]: super::proven::Proven

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use rusqlite::{Connection, OptionalExtension, params};

use super::catalog::{crc, meta, set_meta, weight};
use super::error::IndexError;
use super::rows::Kind;

/// A `Start` is where a part begins: its kind, and the first key that belongs to it. The first part of a kind begins at the
/// empty key.
pub(super) type Start = (i64, Vec<u8>);

/// A `Part` says what is known of the rows of a part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Part {
    /// This is how many rows it has.
    pub(super) rows: u64,
    /// This is the sum of the weights of their checksums.
    pub(super) sum: u64,
}

impl Part {
    fn add(&mut self, crc: u32) {
        self.rows = self.rows.wrapping_add(1);
        self.sum = self.sum.wrapping_add(weight(crc));
    }

    fn take(&mut self, crc: u32) {
        self.rows = self.rows.wrapping_sub(1);
        self.sum = self.sum.wrapping_sub(weight(crc));
    }

    /// Returns its own weight in the sum of all parts.
    fn weight(self, (kind, first): &Start) -> u64 {
        let mut sum = crc32fast::Hasher::new();
        for number in [kind.cast_unsigned(), self.rows, self.sum] {
            sum.update(&number.to_le_bytes());
        }
        sum.update(first);
        weight(sum.finalize())
    }
}

/// `Parts` are all parts, as the catalog's one writer keeps them in memory.
#[derive(Debug)]
pub(super) struct Parts {
    /// This is the most rows that a part may have; one with more is split.
    most: u64,
    parts: BTreeMap<Start, Part>,
    /// These parts are not written as they are now.
    changed: BTreeSet<Start>,
    /// This is the sum of the weights of all parts as they are written.
    total: u64,
}

impl Parts {
    /// Reads all parts, and compares with the sum that the seal covers. Of the state it reads the first row of each kind.
    pub(super) fn load(connection: &Connection, most: u64) -> Result<Self, IndexError> {
        let mut statement = connection.prepare_cached("SELECT kind, first, rows, sum FROM parts")?;
        let parts = statement.query_map([], |row| {
            let part = Part { rows: row.get(2)?, sum: row.get::<_, i64>(3)?.cast_unsigned() };
            Ok(((row.get(0)?, row.get(1)?), part))
        })?;
        let read: Vec<(Start, Part)> = parts.collect::<Result<_, _>>()?;
        let parts: BTreeMap<Start, Part> = read.iter().cloned().collect();
        // A part that stands out of order would not be found by its key.
        if !read.iter().map(|(start, _)| start).eq(parts.keys()) {
            return Err(IndexError::damaged("the parts of its state are not in order"));
        }
        let total = parts.iter().fold(0, |sum: u64, (start, part)| sum.wrapping_add(part.weight(start)));
        if meta(connection, "parts")?.unwrap_or_else(|| "0".into()) != total.to_string() {
            return Err(IndexError::damaged("what it says of the parts of its state was changed"));
        }
        let parts = Self { most: most.max(2), parts, changed: BTreeSet::new(), total };
        parts.check_kinds(connection)?;
        Ok(parts)
    }

    /// Refuses rows of a kind that has no part. It looks up one row for each kind that there is.
    fn check_kinds(&self, connection: &Connection) -> Result<(), IndexError> {
        let mut next =
            connection.prepare_cached("SELECT kind FROM state WHERE kind > ?1 ORDER BY kind LIMIT 1")?;
        let mut kind = i64::MIN;
        while let Some(found) = next.query_row([kind], |row| row.get::<_, i64>(0)).optional()? {
            if Kind::of(found).is_none() || !self.parts.contains_key(&(found, Vec::new())) {
                return Err(IndexError::damaged("it has a row of an unknown kind"));
            }
            kind = found;
        }
        Ok(())
    }

    /// Sets one row of state. Returns the value that it had before.
    pub(super) fn set(
        &mut self,
        connection: &Connection,
        kind: Kind,
        key: &[u8],
        value: &str,
    ) -> Result<Option<String>, IndexError> {
        let mut old =
            connection.prepare_cached("SELECT crc, value FROM state WHERE kind = ?1 AND key = ?2")?;
        let before: Option<(u32, String)> =
            old.query_row(params![kind as i64, key], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        let after = crc(kind, key, value);
        self.note(kind, key, before.as_ref().map(|(crc, _)| *crc), Some(after));
        let mut set = connection
            .prepare_cached("INSERT OR REPLACE INTO state(kind, key, value, crc) VALUES (?1, ?2, ?3, ?4)")?;
        set.execute(params![kind as i64, key, value, after])?;
        Ok(before.map(|(_, value)| value))
    }

    /// Removes one row of state where it is there. Returns the value that it had.
    pub(super) fn remove(
        &mut self,
        connection: &Connection,
        kind: Kind,
        key: &[u8],
    ) -> Result<Option<String>, IndexError> {
        let mut remove = connection
            .prepare_cached("DELETE FROM state WHERE kind = ?1 AND key = ?2 RETURNING crc, value")?;
        let removed: Option<(u32, String)> =
            remove.query_row(params![kind as i64, key], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        if let Some((crc, _)) = &removed {
            self.note(kind, key, Some(*crc), None);
        }
        Ok(removed.map(|(_, value)| value))
    }

    /// Notes that a row had the first of these checksums, where it was there, and has the second, where it is there now.
    fn note(&mut self, kind: Kind, key: &[u8], before: Option<u32>, after: Option<u32>) {
        let here = (kind as i64, key.to_vec());
        let start = match self.parts.range(..=&here).next_back() {
            Some((start, _)) if start.0 == here.0 => start.clone(),
            Some(_) | None => (here.0, Vec::new()),
        };
        let part = self.parts.entry(start.clone()).or_default();
        before.into_iter().for_each(|crc| part.take(crc));
        after.into_iter().for_each(|crc| part.add(crc));
        self.changed.insert(start);
    }

    /// Writes the parts that changed: those that have too many rows are split, and those that have none any more belong to the
    /// one before.
    pub(super) fn write(&mut self, connection: &Connection) -> Result<(), IndexError> {
        for start in std::mem::take(&mut self.changed) {
            let Some(part) = self.parts.get(&start).copied() else { continue };
            let is_gone = part == Part::default() && !start.1.is_empty();
            let made = if is_gone || part.rows > self.most {
                self.split(connection, &start, part)?
            } else {
                vec![(start.clone(), part)]
            };
            let made = if is_gone { Vec::new() } else { made };
            self.put(connection, start, made)?;
        }
        set_meta(connection, "parts", &self.total.to_string())
    }

    /// Puts these parts in the place of one.
    fn put(
        &mut self,
        connection: &Connection,
        old: Start,
        made: Vec<(Start, Part)>,
    ) -> Result<(), IndexError> {
        let mut before = connection
            .prepare_cached("DELETE FROM parts WHERE kind = ?1 AND first = ?2 RETURNING rows, sum")?;
        let written = before.query_row(params![old.0, old.1], |row| {
            Ok(Part { rows: row.get(0)?, sum: row.get::<_, i64>(1)?.cast_unsigned() })
        });
        let weighed = written.optional()?.map_or(0, |part| part.weight(&old));
        self.total = self.total.wrapping_sub(weighed);
        self.parts.remove(&old);
        let mut insert =
            connection.prepare_cached("INSERT INTO parts(kind, first, rows, sum) VALUES (?1, ?2, ?3, ?4)")?;
        for (start, part) in made {
            insert.execute(params![start.0, start.1, part.rows, part.sum.cast_signed()])?;
            self.total = self.total.wrapping_add(part.weight(&start));
            self.parts.insert(start, part);
        }
        Ok(())
    }

    /// Makes parts of about half of the most rows of one. It reads and proves all its rows.
    fn split(
        &self,
        connection: &Connection,
        start: &Start,
        part: Part,
    ) -> Result<Vec<(Start, Part)>, IndexError> {
        let after = (Bound::Excluded(start), Bound::Unbounded);
        let next = self.parts.range::<Start, _>(after).next().map(|(next, _)| next);
        let next = next.filter(|next| next.0 == start.0).map(|next| next.1.as_slice());
        let mut made = vec![(start.clone(), Part::default())];
        prove(connection, start, next, part, |key, crc| {
            if made.last().is_some_and(|(_, last)| last.rows >= self.most / 2) {
                made.push(((start.0, key.to_vec()), Part::default()));
            }
            made.last_mut().into_iter().for_each(|(_, last)| last.add(crc));
        })?;
        Ok(made)
    }
}

/// A `Found` is a part as the catalog has it.
pub(super) struct Found {
    /// This is where it begins.
    pub(super) start: Start,
    /// This is where the next part of its kind begins.
    pub(super) next: Option<Vec<u8>>,
    /// This is what is known of its rows.
    pub(super) part: Part,
}

/// Returns the part in which a key lies; `None` where its kind has none.
pub(super) fn part_of(connection: &Connection, kind: i64, key: &[u8]) -> Result<Option<Found>, IndexError> {
    let sql =
        "SELECT first, rows, sum FROM parts WHERE kind = ?1 AND first <= ?2 ORDER BY first DESC LIMIT 1";
    let mut statement = connection.prepare_cached(sql)?;
    let found = statement.query_row(params![kind, key], |row| {
        Ok((row.get(0)?, Part { rows: row.get(1)?, sum: row.get::<_, i64>(2)?.cast_unsigned() }))
    });
    let Some((first, part)) = found.optional()? else { return Ok(None) };
    let sql = "SELECT first FROM parts WHERE kind = ?1 AND first > ?2 ORDER BY first LIMIT 1";
    let next =
        connection.prepare_cached(sql)?.query_row(params![kind, first], |row| row.get(0)).optional()?;
    Ok(Some(Found { start: (kind, first), next, part }))
}

/// Reads the rows of a part, and compares them with what is known of it. Rows that are all there and stand out of order, as
/// pages of the file do that changed places, would not be found by their keys.
pub(super) fn prove(
    connection: &Connection,
    (kind, first): &Start,
    next: Option<&[u8]>,
    part: Part,
    mut visit: impl FnMut(&[u8], u32),
) -> Result<(), IndexError> {
    let of = Kind::of(*kind).ok_or_else(|| IndexError::damaged("it has a row of an unknown kind"))?;
    // The kind is read of each row, and is no condition: SQLite does not look again at what it has found by the order, and
    // would take a row whose kind was changed for one of this part.
    let mut statement = connection.prepare_cached(
        "SELECT kind, key, value, crc FROM state WHERE (kind, key) >= (?1, ?2) ORDER BY kind, key",
    )?;
    let mut rows = statement.query(params![kind, first])?;
    let mut found = Part::default();
    let mut last: Option<Vec<u8>> = None;
    while let Some(row) = rows.next()? {
        let (its, key): (i64, Vec<u8>) = (row.get(0)?, row.get(1)?);
        if its > *kind || (its == *kind && next.is_some_and(|next| key.as_slice() >= next)) {
            break;
        }
        if its < *kind || last.as_ref().is_some_and(|last| *last >= key) {
            return Err(IndexError::damaged("rows of its state are not in order"));
        }
        let stored: u32 = row.get(3)?;
        if crc(of, &key, row.get_ref(2)?.as_str().unwrap_or_default()) != stored {
            return Err(IndexError::damaged("a row of its state was changed"));
        }
        found.add(stored);
        visit(&key, stored);
        last = Some(key);
    }
    if found == part { Ok(()) } else { Err(IndexError::damaged("rows of its state are missing")) }
}
