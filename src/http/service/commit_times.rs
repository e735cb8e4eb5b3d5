//! The histogram of the time that commits take is counted by the clerk and shown here.

use std::fmt::Error;
use std::sync::Arc;

use parking_lot::Mutex;
use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;

use crate::ledger::Done;

/// `CommitTimes` shows what was made durable when it was last looked at.
#[derive(Clone, Debug, Default)]
pub(crate) struct CommitTimes(Arc<Mutex<Done>>);

impl CommitTimes {
    /// Takes what is shown from now on.
    pub(crate) fn set(&self, done: Done) {
        *self.0.lock() = done;
    }
}

impl EncodeMetric for CommitTimes {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), Error> {
        let done = *self.0.lock();
        encoder.encode_histogram::<NoLabelSet>(
            done.took.as_secs_f64(),
            done.commits,
            &done.by_seconds(),
            None,
        )
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}
