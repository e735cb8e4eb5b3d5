//! Payout providers are who pays money out of the ledger: each is set up by name, and is asked over a [`Line`].
//!
//! A [`Provider`] has the bounds of its calls and reads its answers strictly: what is not plainly done or declined is unknown.
//! A line carries one request and one reply; the one that ships is [`http_line`], and a simulation puts its own in its place.
//! When a provider is asked, and what is recorded of it, is said by `domain::transfer`; this folder must not know the ledger.
//! Its neighbours are `sagas`, which asks, and `config`, which has the settings.

mod answer;
mod http_line;
mod line;
mod order;
mod provider;
mod settings;

pub use line::{Line, Reply, Replying, Request};
pub use order::Order;
pub use provider::{Outcomes, Place, Provider, Providers};
pub use settings::{GivenProviders, ProviderError, providers};
