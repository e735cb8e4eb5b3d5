//! [`Readings`] are what instances said of accounts when they were read. At the end each is held against the events: a balance
//! follows from what is recorded, and no clock changes it.

use std::collections::BTreeMap;

use bookonce::domain::event::Event;
use bookonce::domain::ids::AccountName;
use bookonce::ledger::At;
use parking_lot::Mutex;

use crate::outside::own_account;
use crate::run::Run;

/// A `Reading` is what an instance said of an account.
struct Reading {
    at: usize,
    stream: String,
    revision: u64,
    available: String,
}

/// `Readings` are what instances said of accounts.
#[derive(Default)]
pub struct Readings {
    accounts: Mutex<Vec<Reading>>,
    /// These are the balances of the ledger's own accounts for payout providers: by whom, of which, and what.
    own: Mutex<Vec<(usize, usize, String)>>,
}

impl Readings {
    /// Forgets all, because the journal that they were read of is gone.
    pub fn forget(&self) {
        self.accounts.lock().clear();
    }

    /// Checks that every reading of an account is what its event of that revision says.
    ///
    /// # Errors
    /// Fails with the reading that is wrong.
    pub fn check(&self, events: &[Event]) -> Result<(), String> {
        let mut told = BTreeMap::new();
        for event in events {
            if let Some(body) = event.account() {
                told.insert((event.stream.to_string(), event.revision), body.answer.available.to_string());
            }
        }
        for Reading { at, stream, revision, available } in self.accounts.lock().iter() {
            let said = told.get(&(stream.clone(), *revision));
            if said != Some(available) {
                return Err(format!(
                    "instance {at} said that {available} of {stream} is available at revision {revision}, not {said:?}"
                ));
            }
        }
        Ok(())
    }

    /// Returns the balances of the ledger's own accounts for payout providers, with who said so.
    pub fn own(&self) -> Vec<(usize, usize, String)> {
        self.own.lock().clone()
    }
}

/// Reads an account at an instance.
pub async fn read(run: &Run, account: u64) {
    let at = run.any_instance();
    let Some(life) = run.instances[at].life() else { return };
    let name = AccountName::parse(&format!("a{account}")).unwrap();
    // What can't be read now is no reading.
    let Ok(Some(found)) = life.ledger.account(&name, At::Now).await else { return };
    if run.is_current(life.owner) {
        let (stream, available) = (format!("account-{name}"), found.available.to_string());
        run.readings.accounts.lock().push(Reading { at, stream, revision: found.revision, available });
    }
}

/// Reads the ledger's own accounts for payout providers at every instance.
pub async fn read_own(run: &Run) {
    for instance in &run.instances {
        let Some(life) = instance.life() else { continue };
        for number in 0..run.world.plan().providers.len() {
            let read = life.ledger.internal_account(&own_account(number), &[At::Now]).await;
            let balances = match read {
                Ok(balances) => balances.into_iter().flatten().flatten(),
                Err(error) => return run.world.wrong(format!("an own account can't be read: {error}")),
            };
            let balance = balances.map(|(_, balance)| balance.to_string()).next();
            run.readings.own.lock().push((
                instance.number,
                number,
                balance.unwrap_or_else(|| "0.00".to_owned()),
            ));
        }
    }
}
