//! The exposition is the text of the figures, in one of the two forms that Prometheus reads.
//!
//! The figures are written as OpenMetrics. The older form, which everything reads and which is given where a client does not
//! ask for the other, differs in three things: a counter's name has its `_total` also where it is described, there are no
//! units, and there is no mark at the end.

/// This is the media type of the older form.
pub(crate) const PLAIN: &str = "text/plain";
/// This is the same with its version.
pub(crate) const PLAIN_SHOWN: &str = "text/plain; version=0.0.4; charset=utf-8";
/// This is the media type of OpenMetrics.
pub(crate) const OPEN_METRICS: &str = "application/openmetrics-text";
/// This is the same with its version.
pub(crate) const OPEN_METRICS_SHOWN: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Makes the older form of a text in OpenMetrics.
pub(crate) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut help = "";
    for line in text.lines() {
        let rest = line.strip_prefix("# ");
        match rest.and_then(|rest| rest.split_once(' ')) {
            Some(("HELP", about)) => help = about,
            Some(("TYPE", about)) => {
                let (name, kind) = about.split_once(' ').unwrap_or((about, "untyped"));
                let suffix = if kind == "counter" { "_total" } else { "" };
                let said = help.strip_prefix(name).unwrap_or_default();
                out.push_str(&format!("# HELP {name}{suffix}{said}\n# TYPE {name}{suffix} {kind}\n"));
            }
            Some(_) => {}
            None if rest.is_some() => {}
            None => {
                out.push_str(line);
                out.push('\n');
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_older_form_describes_a_counter_by_its_whole_name() {
        let text = "# HELP a About a.\n# TYPE a counter\na_total{b=\"# c\"} 1\n# HELP d_seconds D.\n# TYPE d_seconds gauge\n\
                    # UNIT d_seconds seconds\nd_seconds 2\n# EOF\n";
        let older = "# HELP a_total About a.\n# TYPE a_total counter\na_total{b=\"# c\"} 1\n# HELP d_seconds D.\n\
                     # TYPE d_seconds gauge\nd_seconds 2\n";
        assert_eq!(plain(text), older);
    }
}
