//! An account is opened here.

use crate::domain::command::Opening;
use crate::domain::refusal::Refusal;

use super::event::Fact;

pub(super) fn open(opening: &Opening) -> Result<Fact, Refusal> {
    if !opening.currency.is_in_use() {
        let problem = format!("{} was withdrawn: no account is opened in it any more", opening.currency);
        return Err(Refusal::Invalid { field: "currency", problem });
    }
    let overdraft_limit =
        opening.overdraft_limit.fit(opening.currency).map_err(Refusal::amount("overdraft_limit"))?;
    Ok(Fact::AccountOpened { overdraft_limit, metadata: opening.metadata.clone() })
}
