//! The time zone of a bank says when one of its days begins. A file of a bank has days, and the ledger has moments.

use std::str::FromStr;

use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};

use crate::domain::time::Timestamp;

/// A bank's zone is a place of the time zone database, such as `Asia/Tokyo`, or a fixed offset, such as `+09:00`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BankZone(TimeZone);

/// UTC is the zone of a bank that says nothing else.
impl Default for BankZone {
    fn default() -> Self {
        Self(TimeZone::UTC)
    }
}

impl BankZone {
    /// Gives the moment at which a day such as `1993-01-31` begins, as a request writes it.
    pub(super) fn beginning(&self, date: &str) -> Option<String> {
        let shape = date.len() == 10 && Timestamp::parse(&format!("{date}T00:00:00Z")).is_ok();
        if !shape {
            return None;
        }
        if self.0 == TimeZone::UTC {
            return Some(format!("{date}T00:00:00Z"));
        }
        let day: Date = date.parse().ok()?;
        // Where a day begins at one o'clock, because the clocks go on at midnight, that is its beginning.
        let begins = day.to_zoned(self.0.clone()).ok()?.timestamp();
        Some(begins.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
    }
}

impl FromStr for BankZone {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // An offset is read by the ledger's one reader of times: only its form is of interest here.
        let offset =
            text.starts_with(['+', '-']) && Timestamp::parse(&format!("2000-01-02T12:00:00{text}")).is_ok();
        if offset {
            let number = |range| text.get(range).and_then(|digits: &str| digits.parse::<i32>().ok());
            let seconds = number(1..3).zip(number(4..6)).map(|(hours, minutes)| (hours * 60 + minutes) * 60);
            let seconds = seconds.map(|seconds| if text.starts_with('-') { -seconds } else { seconds });
            let offset = seconds.and_then(|seconds| Offset::from_seconds(seconds).ok());
            return offset.map(|offset| Self(TimeZone::fixed(offset))).ok_or_else(|| not_a_zone(text));
        }
        match text {
            "" => Err(not_a_zone(text)),
            "UTC" | "Z" => Ok(Self::default()),
            name => TimeZone::get(name).map(Self).map_err(|_| not_a_zone(name)),
        }
    }
}

fn not_a_zone(text: &str) -> String {
    format!("{text:?} is no time zone: it should look like Europe/Prague, Asia/Tokyo, +09:00 or UTC")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beginning(zone: &str, date: &str) -> Option<String> {
        zone.parse::<BankZone>().unwrap().beginning(date)
    }

    /// Guards against: each day began in UTC: that of a bank in Tokyo began nine hours late, and was in the future.
    #[test]
    fn a_day_begins_where_the_bank_is() {
        for (zone, expected) in [
            ("UTC", "2026-07-01T00:00:00Z"),
            ("Asia/Tokyo", "2026-06-30T15:00:00Z"),
            ("Europe/Prague", "2026-06-30T22:00:00Z"),
            ("+09:00", "2026-06-30T15:00:00Z"),
            ("-03:30", "2026-07-01T03:30:00Z"),
        ] {
            assert_eq!(beginning(zone, "2026-07-01").as_deref(), Some(expected), "{zone}");
        }
        assert_eq!(beginning("Europe/Prague", "2026-01-01").as_deref(), Some("2025-12-31T23:00:00Z"));
    }

    #[test]
    fn what_is_no_day_or_no_zone_is_refused() {
        for date in ["1993-02-30", "1993-1-1", "1993-01-01T00", "01.01.1993", "", "+19930101x"] {
            assert_eq!(beginning("Asia/Tokyo", date), None, "{date}");
            assert_eq!(beginning("UTC", date), None, "{date}");
        }
        for zone in ["", "Prague", "+9", "+0900", "+24:00", "Europe/Atlantis"] {
            assert!(zone.parse::<BankZone>().is_err(), "{zone}");
        }
    }
}
