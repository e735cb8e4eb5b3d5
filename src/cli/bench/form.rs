//! A form is a request of a fixed shape, into which IDs and accounts are written.

use uuid::Uuid;

use super::wire::{Accounts, DIGITS};

/// A form is a text into which an ID and an account's number are written, and where it has them those of a second ID and a
/// second account.
#[derive(Clone, Debug)]
pub(crate) struct Form {
    /// These are the bytes as they are sent.
    pub(crate) bytes: Vec<u8>,
    id_at: usize,
    account_at: usize,
    hold_at: Option<usize>,
    other_at: Option<usize>,
}

impl Form {
    /// Makes a form of `text`, which must have one `{id}` and one `{account}`, and may have one `{hold}` and one `{other}`;
    /// `None` where it does not.
    #[must_use]
    pub(crate) fn new(text: &str, accounts: Accounts) -> Option<Self> {
        let (id, hold) = (Uuid::nil().to_string(), Uuid::max().to_string());
        let (account, other) = (accounts.name(0), accounts.name(999_999));
        let text = text.replace("{account}", &account).replace("{id}", &id);
        let text = text.replace("{other}", &other).replace("{hold}", &hold);
        let number_of = |name: &str| text.find(name).map(|at| at + name.len() - DIGITS);
        let (id_at, account_at) = (text.find(&id)?, number_of(&account)?);
        let (hold_at, other_at) = (text.find(&hold), number_of(&other));
        Some(Self { bytes: text.into_bytes(), id_at, account_at, hold_at, other_at })
    }

    /// Makes the form of a whole request.
    fn request(path: &str, body: &str, accounts: Accounts) -> Option<Self> {
        let id = Uuid::nil().to_string();
        let length = body.replace("{account}", &accounts.name(0)).replace("{other}", &accounts.name(0));
        let length = length.replace("{id}", &id).len();
        let text = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        Self::new(&text, accounts)
    }

    /// Makes the form of a withdrawal of a cent.
    #[must_use]
    pub(crate) fn withdrawal(accounts: Accounts) -> Option<Self> {
        let body = r#"{"transaction_id":"{id}","amount":"0.01"}"#;
        Self::request("/v1/accounts/{account}/withdrawals", body, accounts)
    }

    /// Makes the form of a transfer of a cent from one account to another.
    #[must_use]
    pub(crate) fn transfer(accounts: Accounts) -> Option<Self> {
        let body = r#"{"transaction_id":"{id}","from":"{account}","to":"{other}","amount":"0.01"}"#;
        Self::request("/v1/transfers", body, accounts)
    }

    /// Makes the form of a payout of a cent through this provider.
    #[must_use]
    pub(crate) fn payout(accounts: Accounts, provider: &str) -> Option<Self> {
        let body = r#"{"transaction_id":"{id}","from":"{account}","to":"@external:NAME","amount":"0.01"}"#;
        Self::request("/v1/transfers", &body.replace("NAME", provider), accounts)
    }

    /// Makes the form of a hold of a cent.
    #[must_use]
    pub(crate) fn hold(accounts: Accounts) -> Option<Self> {
        let body = r#"{"transaction_id":"{id}","amount":"0.01","expires_in_seconds":86400}"#;
        Self::request("/v1/accounts/{account}/holds", body, accounts)
    }

    /// Makes the form of the capture of a hold.
    #[must_use]
    pub(crate) fn capture(accounts: Accounts) -> Option<Self> {
        let body = r#"{"transaction_id":"{id}"}"#;
        Self::request("/v1/accounts/{account}/holds/{hold}/capture", body, accounts)
    }

    /// Writes the ID and the account's number into their places.
    pub(crate) fn fill(&mut self, id: &[u8; 16], account: u32) {
        self.write_id(Some(self.id_at), id);
        self.write_number(Some(self.account_at), account);
    }

    /// Writes the number of the second account.
    pub(crate) fn fill_other(&mut self, other: u32) {
        self.write_number(self.other_at, other);
    }

    /// Writes the ID of the hold that is captured.
    pub(crate) fn fill_hold(&mut self, hold: &[u8; 16]) {
        self.write_id(self.hold_at, hold);
    }

    fn write_id(&mut self, at: Option<usize>, id: &[u8; 16]) {
        if let Some(place) = at.and_then(|at| self.bytes.get_mut(at..at + 36)) {
            Uuid::from_bytes(*id).hyphenated().encode_lower(place);
        }
    }

    fn write_number(&mut self, at: Option<usize>, number: u32) {
        let mut rest = number;
        if let Some(place) = at.and_then(|at| self.bytes.get_mut(at..at + DIGITS)) {
            for digit in place.iter_mut().rev() {
                *digit = b'0' + u8::try_from(rest % 10).unwrap_or(0);
                rest /= 10;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(form: Form) -> String {
        let text = String::from_utf8(form.bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.ends_with(&format!("Content-Length: {}", body.len())), "{text}");
        text
    }

    #[test]
    fn an_id_and_an_account_are_written_in_place() {
        let accounts = Accounts { run: 0x1f, first: 0, count: 1 };
        let mut form = Form::withdrawal(accounts).unwrap();
        form.fill(Uuid::max().as_bytes(), 42);
        let text = text(form);
        assert!(
            text.starts_with("POST /v1/accounts/bench-0000001f-000042/withdrawals HTTP/1.1\r\n"),
            "{text}"
        );
        assert!(text.contains("ffffffff-ffff-ffff-ffff-ffffffffffff"), "{text}");
    }

    #[test]
    fn a_second_id_and_a_second_account_are_written_in_place() {
        let accounts = Accounts { run: 0x1f, first: 0, count: 1 };
        let mut form = Form::transfer(accounts).unwrap();
        form.fill(Uuid::nil().as_bytes(), 42);
        form.fill_other(7);
        let transfer = text(form);
        assert!(
            transfer.contains(r#""from":"bench-0000001f-000042","to":"bench-0000001f-000007""#),
            "{transfer}"
        );
        let mut form = Form::capture(accounts).unwrap();
        form.fill(Uuid::nil().as_bytes(), 42);
        form.fill_hold(&[0x11; 16]);
        let capture = text(form);
        let path =
            "POST /v1/accounts/bench-0000001f-000042/holds/11111111-1111-1111-1111-111111111111/capture ";
        assert!(capture.starts_with(path), "{capture}");
    }
}
