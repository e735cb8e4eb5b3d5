//! These figures tell of transfers: how many there are in each state, how they ended, and how long that took.

use std::sync::atomic::AtomicU64;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::numbers::seconds;
use crate::domain::ids::CounterAccount;
use crate::domain::time::Timestamp;
use crate::domain::transfer::Transfer;
use crate::domain::transfer::stage::Stage;
use crate::sagas::Counts;

type Labels = Vec<(&'static str, &'static str)>;

/// The `TransferFigures` are the figures of transfers. All are there, at 0, from the start.
#[derive(Debug)]
pub(crate) struct TransferFigures {
    states: Family<Labels, Gauge>,
    oldest: Family<Labels, Gauge<f64, AtomicU64>>,
    ended: Family<Labels, Counter>,
    adopted: Counter,
    contradicted: Counter,
    calls: Family<Vec<(&'static str, String)>, Counter>,
}

impl TransferFigures {
    /// Makes them, and registers them with the histogram that the sagas keep themselves.
    pub(crate) fn new(registry: &mut Registry, seconds: &Histogram) -> Self {
        let figures = Self {
            states: Family::default(),
            oldest: Family::default(),
            ended: Family::default(),
            adopted: Counter::default(),
            contradicted: Counter::default(),
            calls: Family::default(),
        };
        registry.register("bookonce_transfers", "Transfers that have not ended", figures.states.clone());
        let about = "For how long the oldest transfer in this state has been under way";
        registry.register("bookonce_transfer_oldest_seconds", about, figures.oldest.clone());
        let about = "Transfers that were driven to an end here";
        registry.register("bookonce_transfers_ended", about, figures.ended.clone());
        let about = "Transfers that were taken up here, because nobody drove them";
        registry.register("bookonce_transfers_adopted", about, figures.adopted.clone());
        let about = "Payouts of which a provider said otherwise than what was recorded";
        registry.register("bookonce_transfers_contradicted", about, figures.contradicted.clone());
        let about = "Calls to payout providers, by what they came to";
        registry.register("bookonce_payout_calls", about, figures.calls.clone());
        let about = "How long a transfer is driven here until its end";
        registry.register("bookonce_transfer_seconds", about, seconds.clone());
        figures.show(&Counts::default(), &[], Timestamp::from_micros(0));
        figures
    }

    /// Shows the calls to a provider, which are shown from the first provider on.
    #[cfg(test)]
    pub(super) fn called_once(&self) {
        let labels = vec![("provider", "atm".to_owned()), ("outcome", "done".to_owned())];
        self.calls.get_or_create(&labels).inc();
    }

    /// Sets them to how things stand now.
    pub(crate) fn show(&self, counts: &Counts, open: &[Standing], now: Timestamp) {
        for stage in Stage::ALL {
            let labels = vec![(if stage.is_end() { "end" } else { "state" }, stage.name())];
            if stage.is_end() {
                let counter = self.ended.get_or_create(&labels);
                counter.inc_by(counts.ended(stage).saturating_sub(counter.get()));
                continue;
            }
            let of_stage = || open.iter().filter(|standing| standing.stage == stage);
            let count = i64::try_from(of_stage().count()).unwrap_or(i64::MAX);
            self.states.get_or_create(&labels).set(count);
            let oldest = of_stage().map(|standing| age(standing, now)).fold(0.0, f64::max);
            self.oldest.get_or_create(&labels).set(oldest);
        }
        self.adopted.inc_by(counts.adopted.saturating_sub(self.adopted.get()));
        self.contradicted.inc_by(counts.contradicted.saturating_sub(self.contradicted.get()));
        for (provider, outcomes) in &counts.calls {
            let name = provider.as_str().trim_start_matches(CounterAccount::EXTERNAL);
            for (outcome, calls) in outcomes {
                let labels = vec![("provider", name.to_owned()), ("outcome", (*outcome).to_owned())];
                let counter = self.calls.get_or_create(&labels);
                counter.inc_by(calls.saturating_sub(counter.get()));
            }
        }
    }
}

/// A `Standing` is what the figures need of a transfer that has not ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing {
    stage: Stage,
    requested_at: Timestamp,
}

impl From<&Transfer> for Standing {
    fn from(transfer: &Transfer) -> Self {
        let timeout = i64::from(transfer.terms.timeout_seconds.get());
        Self { stage: transfer.stage, requested_at: transfer.terms.deadline_at.plus_seconds(-timeout) }
    }
}

/// Returns for how many seconds a transfer has been under way.
fn age(standing: &Standing, now: Timestamp) -> f64 {
    seconds(now.micros().saturating_sub(standing.requested_at.micros()).max(0))
}
