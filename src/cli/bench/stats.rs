//! The statistics here are percentiles and rates: percentiles of latencies are exact over every answer; rates are medians
//! over rounds.

use std::time::Duration;

/// Latencies are the times that each answer took, in nanoseconds. Times above 4.2 s count as 4.2 s.
#[derive(Clone, Debug, Default)]
pub(crate) struct Latencies(Vec<u32>);

impl Latencies {
    /// Makes room for this many.
    #[must_use]
    pub(crate) fn with_capacity(answers: usize) -> Self {
        Self(Vec::with_capacity(answers))
    }

    /// Adds one time.
    pub(crate) fn add(&mut self, took: Duration) {
        self.0.push(u32::try_from(took.as_nanos()).unwrap_or(u32::MAX));
    }

    /// Adds all times of another.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.0.extend_from_slice(&other.0);
    }

    /// Says how many there are.
    #[must_use]
    pub(crate) const fn count(&self) -> usize {
        self.0.len()
    }

    /// Gives the time in milliseconds that `thousandths` of all answers took at most, by the nearest rank. 500 is the median.
    pub(crate) fn at_most_ms(&mut self, thousandths: usize) -> f64 {
        let rank = (self.0.len() * thousandths).div_ceil(1000).saturating_sub(1);
        if self.0.is_empty() {
            return 0.0;
        }
        let (_, found, _) = self.0.select_nth_unstable(rank);
        f64::from(*found) / 1e6
    }
}

/// Gives the middle value, or the mean of the two in the middle where there is none. It is 0 for no values.
#[must_use]
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = |place: usize| sorted.get(place).copied().unwrap_or(0.0);
    match sorted.len() {
        0 => 0.0,
        len => f64::midpoint(middle((len - 1) / 2), middle(len / 2)),
    }
}

/// Gives the rate in a second of so many in this time.
#[must_use]
#[allow(clippy::cast_precision_loss, reason = "a rate, not money")]
pub(crate) fn rate(times: u64, took: Duration) -> f64 {
    if took.is_zero() { 0.0 } else { times as f64 / took.as_secs_f64() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let mut latencies = Latencies::default();
        for ms in (1..=100).rev() {
            latencies.add(Duration::from_millis(ms));
        }
        let found = [0, 10, 500, 990, 1000].map(|thousandths| latencies.at_most_ms(thousandths));
        assert_eq!(found, [1.0, 1.0, 50.0, 99.0, 100.0]);
    }

    #[test]
    fn one_and_none_are_no_trouble() {
        let mut latencies = Latencies::default();
        assert!((latencies.at_most_ms(990)).abs() < f64::EPSILON);
        latencies.add(Duration::from_secs(99));
        assert!(latencies.at_most_ms(500) > 4200.0);
    }

    #[test]
    fn medians_do_not_mind_one_bad_round() {
        for (values, expected) in
            [(&[][..], 0.0), (&[3.0], 3.0), (&[1.0, 3.0], 2.0), (&[100.0, 2.0, 1.0], 2.0)]
        {
            assert!((median(values) - expected).abs() < f64::EPSILON, "{values:?}");
        }
    }
}
