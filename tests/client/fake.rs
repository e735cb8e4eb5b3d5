//! The fake is a ledger in memory, over HTTP. It does as much of the contract as clients need to be tested: it honours
//! IDs, and it fails when it is told to.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};

/// What to do to a request, in place of answering it.
#[derive(Clone, Copy, Debug)]
pub enum Trouble {
    /// Answer with this status and code, and book nothing.
    Refuse(u16, &'static str),
    /// Book it, and answer 503 `outcome_unknown`.
    BookAndForget,
}

#[derive(Default)]
pub struct Book {
    /// In cents.
    pub accounts: BTreeMap<String, i64>,
    /// By ID: the request and its first answer.
    first: HashMap<String, (String, u16, String)>,
    /// What each coming request meets, in order; then all is well.
    pub troubles: VecDeque<Trouble>,
    /// Every write that came, by its ID, in order.
    pub came: Vec<String>,
    /// The key that each write came with.
    pub keys: Vec<String>,
    /// This ID is never answered but with 503.
    pub stuck: Option<String>,
    /// How many were booked.
    pub booked: usize,
}

#[derive(Clone, Default)]
pub struct Fake(pub Arc<Mutex<Book>>);

impl Fake {
    /// Starts it on a port of its own; it ends with the test's runtime.
    pub async fn start() -> (Self, SocketAddr) {
        let fake = Self::default();
        let app = Router::new()
            .route("/v1/accounts", post(open))
            .route("/v1/accounts/{account}", get(read))
            .route("/v1/accounts/{account}/{kind}", post(book))
            .route("/v1/transactions/{id}", get(seen))
            .with_state(fake.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await });
        (fake, address)
    }

    pub fn balance(&self, account: &str) -> Option<i64> {
        self.0.lock().unwrap().accounts.get(account).copied()
    }

    fn answer(
        &self,
        id: Option<String>,
        request: &str,
        decide: impl FnOnce(&mut Book) -> (u16, Value),
    ) -> Response {
        let mut book = self.0.lock().unwrap();
        let Some(id) = id else { return problem(400, "transaction_id_missing") };
        book.came.push(id.clone());
        if book.stuck.as_ref() == Some(&id) {
            return problem(503, "overloaded");
        }
        let trouble = book.troubles.pop_front();
        if let Some(Trouble::Refuse(status, code)) = trouble {
            return problem(status, code);
        }
        let replayed = book.first.contains_key(&id);
        if !replayed {
            let (status, mut body) = decide(&mut book);
            body["transaction_id"] = json!(id);
            if matches!(status, 201 | 402) {
                book.booked += usize::from(status == 201);
                book.first.insert(id.clone(), (request.to_owned(), status, body.to_string()));
            } else {
                return problem(status, body["code"].as_str().unwrap());
            }
        }
        if matches!(trouble, Some(Trouble::BookAndForget)) {
            return problem(503, "outcome_unknown");
        }
        let (first, status, body) = book.first.get(&id).unwrap();
        if first != request {
            return problem(422, "transaction_id_reused");
        }
        let status = StatusCode::from_u16(*status).unwrap();
        let mut response =
            (status, [(header::CONTENT_TYPE, "application/json")], body.clone()).into_response();
        if replayed {
            response.headers_mut().insert("idempotent-replayed", "true".parse().unwrap());
        }
        response
    }
}

fn problem(status: u16, code: &str) -> Response {
    let body = json!({"status": status, "code": code, "detail": "as told"}).to_string();
    let retry = [(header::RETRY_AFTER, "0"), (header::CONTENT_TYPE, "application/problem+json")];
    (StatusCode::from_u16(status).unwrap(), retry, body).into_response()
}

fn id(headers: &HeaderMap, body: &Value) -> Option<String> {
    let header =
        headers.get("idempotency-key").map(|value| value.to_str().unwrap().trim_matches('"').to_owned());
    header.or_else(|| body["transaction_id"].as_str().map(str::to_owned))
}

async fn open(State(fake): State<Fake>, headers: HeaderMap, body: Bytes) -> Response {
    let body: Value = serde_json::from_slice(&body).unwrap();
    fake.answer(id(&headers, &body), &body.to_string(), |book| {
        let name = body["account"].as_str().unwrap().to_owned();
        match book.accounts.contains_key(&name) {
            true => (409, json!({"code": "account_exists"})),
            false => {
                book.accounts.insert(name, 0);
                (201, json!({"outcome": "accepted", "balance": "0.00"}))
            }
        }
    })
}

async fn book(
    State(fake): State<Fake>,
    Path((account, kind)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let body: Value = serde_json::from_slice(&body).unwrap();
    let key = headers.get(header::AUTHORIZATION).map(|key| key.to_str().unwrap().to_owned());
    fake.0.lock().unwrap().keys.extend(key);
    let request = format!("{kind} {account} {body}");
    fake.answer(id(&headers, &body), &request, |book| {
        let Some(balance) = book.accounts.get_mut(&account) else {
            return (404, json!({"code": "account_not_found"}));
        };
        let amount: i64 = body["amount"].as_str().unwrap().replace('.', "").parse().unwrap();
        let after = if kind == "deposits" { *balance + amount } else { *balance - amount };
        if after < -2_000_000 {
            return (
                402,
                json!({"code": "insufficient_funds", "recorded": true, "balance": money(*balance)}),
            );
        }
        *balance = after;
        (201, json!({"outcome": "accepted", "balance": money(after)}))
    })
}

async fn read(State(fake): State<Fake>, Path(account): Path<String>) -> Response {
    match fake.balance(&account) {
        Some(balance) => json!({"account": account, "balance": money(balance)}).to_string().into_response(),
        None => problem(404, "account_not_found"),
    }
}

async fn seen(State(fake): State<Fake>, Path(id): Path<String>) -> Response {
    match fake.0.lock().unwrap().first.get(&id) {
        Some((_, _, body)) => body.clone().into_response(),
        None => problem(404, "transaction_not_found"),
    }
}

fn money(cents: i64) -> String {
    format!("{}{}.{:02}", if cents < 0 { "-" } else { "" }, cents.abs() / 100, cents.abs() % 100)
}
