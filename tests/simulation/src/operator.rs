//! The operator looks after transfers that the service can't go on with by itself.

use std::sync::Arc;
use std::time::Duration;

use bookonce::domain::transfer::command::TransferOperation;
use bookonce::domain::transfer::stage::Stage;

use crate::clients::insist;
use crate::commands::{Writer, reason};
use crate::due::open_transfers;
use crate::executor::pause;
use crate::run::Run;

/// This is the number of the client that the operator is.
const NUMBER: u64 = 900;

/// Looks at the transfers of one instance again and again, and lets the service go on with those that need it.
pub async fn operator(run: Arc<Run>) {
    let mut writer = Writer::new(NUMBER);
    loop {
        pause(Duration::from_secs(5)).await;
        let Some(life) = run.instances[run.any_instance()].life() else { continue };
        for transfer in open_transfers(&run, &life) {
            if transfer.stage == Stage::NeedsOperator && !transfer.stalled_in.is_some_and(Stage::is_end) {
                let retry = writer.new_of(transfer.id, TransferOperation::Retry(reason()));
                insist(&run, vec![retry]).await;
            }
        }
    }
}
