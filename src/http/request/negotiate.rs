//! Negotiation chooses the form of an answer that its client likes best, from `Accept` (RFC 9110 section 12.5.1).

use axum::http::HeaderMap;
use axum::http::header::ACCEPT;

use crate::http::problem::code::Code;
use crate::http::problem::details::Problem;

/// This is the media type of JSON.
pub(crate) const JSON: &str = "application/json";
/// This is the media type of NDJSON, which has a JSON object on each line.
pub(crate) const NDJSON: &str = "application/x-ndjson";
/// This is the media type of comma-separated values.
pub(crate) const CSV: &str = "text/csv";
/// This is the media type of pages.
pub(crate) const HTML: &str = "text/html";
/// This is the media type of server-sent events.
pub(crate) const EVENTS: &str = "text/event-stream";

/// Chooses the form that the client likes best, and the first one where it does not care.
pub(crate) fn choose(headers: &HeaderMap, forms: &[&'static str]) -> Result<&'static str, Problem> {
    let lines = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let wishes: Vec<&str> =
        lines.flat_map(|line| line.split(',')).map(str::trim).filter(|wish| !wish.is_empty()).collect();
    if wishes.is_empty() {
        return first(forms);
    }
    let mut best: Option<(u32, &'static str)> = None;
    for form in forms {
        let liking = wishes.iter().filter_map(|wish| liking(wish, form)).max().map_or(0, |(_, q)| q);
        if liking > best.map_or(0, |(most, _)| most) {
            best = Some((liking, form));
        }
    }
    best.map_or_else(|| Err(not_acceptable(forms)), |(_, form)| Ok(form))
}

fn first(forms: &[&'static str]) -> Result<&'static str, Problem> {
    forms.first().copied().ok_or_else(|| not_acceptable(forms))
}

/// Returns how exactly a wish names the form (2 for its name, 0 for any), and how much it is liked, in thousandths.
///
/// `*` alone stands for any form: a widely used client in Java sends it.
fn liking(wish: &str, form: &str) -> Option<(u8, u32)> {
    let mut parts = wish.split(';').map(str::trim);
    let range = parts.next()?.to_ascii_lowercase();
    let exact = if range == form {
        2
    } else if range.strip_suffix("/*").is_some_and(|kind| form.split('/').next() == Some(kind)) {
        1
    } else if range == "*/*" || range == "*" {
        0
    } else {
        return None;
    };
    let q = parts.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("q").then(|| value.trim())
    });
    Some((exact, q.map_or(MOST, thousandths)))
}

/// This is the most that a form can be liked, in thousandths.
const MOST: u32 = 1000;

/// Returns how much a `q` says, in thousandths. The least that is more than nothing counts as one; what is no number says
/// nothing.
fn thousandths(q: &str) -> u32 {
    let (whole, part) = q.split_once('.').unwrap_or((q, ""));
    let is_number =
        !q.is_empty() && q != "." && whole.bytes().chain(part.bytes()).all(|b| b.is_ascii_digit());
    if !is_number || whole.bytes().any(|digit| digit != b'0') {
        return MOST;
    }
    let first: String = part.chars().chain("000".chars()).take(3).collect();
    let more = part.bytes().any(|digit| digit != b'0');
    first.parse().unwrap_or(MOST).max(u32::from(more))
}

fn not_acceptable(forms: &[&'static str]) -> Problem {
    let detail = format!("There is only {} here.", forms.join(" or "));
    Problem::new(Code::NotAcceptable, detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn chosen(accept: &[&'static str]) -> Option<&'static str> {
        let mut headers = HeaderMap::new();
        for line in accept {
            headers.append(ACCEPT, HeaderValue::from_static(line));
        }
        choose(&headers, &[JSON, CSV]).ok()
    }

    #[test]
    fn the_most_liked_form_is_chosen() {
        for (accept, form) in [
            (&[][..], Some(JSON)),
            (&["*/*"], Some(JSON)),
            (&["text/csv"], Some(CSV)),
            (&["Text/CSV; charset=utf-8"], Some(CSV)),
            (&["text/*"], Some(CSV)),
            (&["text/html, application/json;q=0.9"], Some(JSON)),
            (&["application/json;q=0.5, text/csv;q=0.75"], Some(CSV)),
            (&["application/json;q=0.5", "text/csv"], Some(CSV)),
            (&["application/json;q=0, */*"], Some(CSV)),
            (&["text/html"], None),
            (&["application/json;q=0"], None),
        ] {
            assert_eq!(chosen(accept), form, "{accept:?}");
        }
    }
}
