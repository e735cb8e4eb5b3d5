//! The rows of the table that a measurement prints have a name and a value each.

use std::fmt::Write;

use super::singles::Side;

/// Adds a heading.
pub(crate) fn heading(text: &mut String, name: &str) {
    // Writing to a String can't fail.
    let _ = writeln!(text, "\n{name}");
}

/// Adds a row with a name and a value.
pub(crate) fn row(text: &mut String, name: &str, value: String) {
    let _ = writeln!(text, "  {name:<42}{value}");
}

/// Adds a row with one side of a comparison.
pub(crate) fn side(text: &mut String, name: &str, side: &Side) {
    let Side { per_s, p50_ms, p99_ms, replayed_percent, wrong } = side;
    let mut value = format!("{per_s:>8.0}/s   p50 {p50_ms:.2} ms   p99 {p99_ms:.2} ms");
    if *replayed_percent > 0.0 {
        value = format!("{value}   {replayed_percent:.1} % replayed");
    }
    if *wrong > 0 {
        value = format!("{value}   {wrong} WRONG ANSWERS");
    }
    row(text, name, value);
}
