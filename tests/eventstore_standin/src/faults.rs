//! [`Faults`] says what goes wrong, and when: by rates and a seed, or planted by a test at one append.

use std::collections::HashMap;
use std::str::FromStr;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::watch;

use super::held::Held;

/// What can happen to one append (of either call) or delete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Stored at once, answered later.
    Delay(Duration),
    /// Never stored, never answered.
    LostRequest,
    /// Stored, never answered.
    LostAnswer,
    /// Never answered, and stored later: after others, perhaps.
    Late(Duration),
    /// Never answered, and stored when [`Handle::let_land`] says so.
    Kept,
    /// The connection ends before it is stored, with all that is under way on it.
    CutBefore,
    /// The connection ends after it is stored.
    CutAfter,
    /// Stored, and answered with a time-out of the server's own.
    Timeout,
    /// Stored, and answered with no position.
    NoPosition,
}

/// How a node without a leader answers what only a leader may answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leader {
    Here,
    /// An election is under way: `Unavailable`.
    Nobody,
    /// This node follows: "not leader", with the leader's address.
    At(std::net::SocketAddr),
}

/// What a subscription says of how far it has looked. A real node has said each of these.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Checkpoint {
    /// How far it has looked.
    #[default]
    Right,
    /// Nothing at all.
    Never,
    /// 2^64-1, before anything has passed the filter: releases up to 24.10.4.
    Far,
    /// The log's first event, again and again.
    Back,
    /// Where the event stands that comes only later.
    Next,
}

/// Rates and settings, as after `--faults`.
#[derive(Clone, Debug)]
pub struct Faults {
    pub seed: u64,
    /// Each with its share of all appends; together at most 1.
    pub rates: Vec<(Fault, f64)>,
    /// How long an event stays invisible, and its append unanswered, after it is durable.
    pub visibility_lag: Duration,
    /// A live subscription is dropped when more events than this wait for it; 0: it falls behind and catches up, as
    /// from release 24.2 on.
    pub most_waiting: usize,
    /// No leader for the first duration out of every second one.
    pub no_leader: Option<(Duration, Duration)>,
    /// A call that is never answered is not ended at its deadline either, as when the network lost the answer.
    pub silent: bool,
    /// What subscriptions say of how far they have looked.
    pub checkpoint: Checkpoint,
    /// A subscription is confirmed, and then says nothing more.
    pub mute: bool,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            seed: 1,
            rates: Vec::new(),
            visibility_lag: Duration::ZERO,
            most_waiting: 32,
            no_leader: None,
            silent: false,
            checkpoint: Checkpoint::Right,
            mute: false,
        }
    }
}

impl FromStr for Faults {
    type Err = String;

    /// `seed=7,delay=0.1:200ms,lost-request=0.01,lost-answer=0.05,late=0.02:300ms,cut-before=0.01,cut-after=0.01,`
    /// `timeout=0.01,no-position=0.1,visibility-lag=20ms,most-waiting=32,no-leader=2s:60s,silent,`
    /// `checkpoint=far,mute`
    fn from_str(text: &str) -> Result<Self, String> {
        let mut faults = Self::default();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let (first, second) = value.split_once(':').unwrap_or((value, ""));
            let fault = match name {
                "delay" => Fault::Delay(duration(second)?),
                "lost-request" => Fault::LostRequest,
                "lost-answer" => Fault::LostAnswer,
                "late" => Fault::Late(duration(second)?),
                "cut-before" => Fault::CutBefore,
                "cut-after" => Fault::CutAfter,
                "timeout" => Fault::Timeout,
                "no-position" => Fault::NoPosition,
                _ => {
                    faults.setting(name, first, second)?;
                    continue;
                }
            };
            faults.rates.push((fault, first.parse().map_err(|_| format!("{part}: no rate"))?));
        }
        Ok(faults)
    }
}

impl Faults {
    fn setting(&mut self, name: &str, first: &str, second: &str) -> Result<(), String> {
        let number = || first.parse().map_err(|_| format!("{name}: {first} is no number"));
        match name {
            "seed" => self.seed = number()?,
            "most-waiting" => self.most_waiting = usize::try_from(number()?).unwrap_or(0),
            "visibility-lag" => self.visibility_lag = duration(first)?,
            "no-leader" => self.no_leader = Some((duration(first)?, duration(second)?)),
            "silent" => self.silent = true,
            "mute" => self.mute = true,
            "checkpoint" => self.checkpoint = checkpoint(first)?,
            _ => return Err(format!("{name} is no fault")),
        }
        Ok(())
    }
}

fn checkpoint(name: &str) -> Result<Checkpoint, String> {
    Ok(match name {
        "right" => Checkpoint::Right,
        "never" => Checkpoint::Never,
        "far" => Checkpoint::Far,
        "back" => Checkpoint::Back,
        "next" => Checkpoint::Next,
        _ => return Err(format!("{name} is no checkpoint")),
    })
}

fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = match text.strip_suffix("ms") {
        Some(number) => (number, 1),
        None => (text.strip_suffix('s').ok_or_else(|| format!("{text}: say 300ms or 2s"))?, 1000),
    };
    let number: u64 = number.parse().map_err(|_| format!("{text} is no duration"))?;
    Ok(Duration::from_millis(number * unit))
}

/// What a test holds while the node runs.
pub struct Handle {
    inner: Mutex<Inner>,
    /// How far the appends are that are kept.
    kept: watch::Sender<Kept>,
    /// The appends that wait until the test lets them go.
    held: Held,
}

/// What becomes of the appends that are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Kept {
    /// They may land.
    pub lands: bool,
    /// This is how many were tried.
    pub tried: usize,
}

struct Inner {
    faults: Faults,
    since: Instant,
    leader: Leader,
    /// How many events `$all` shows forwards, if it shows no more than these.
    hidden: Option<usize>,
    drawn: u64,
    met: u64,
    planted: Vec<Planted>,
    /// Every append that came, stored or not, if a test wants to know.
    attempts: Option<Vec<Attempt>>,
    /// By stream, `$all` among them: reads, and events that they gave.
    read: HashMap<String, (u64, u64)>,
}

/// An append that came: where it was to go, and what it held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    pub stream: String,
    /// The revision expected, as it was said.
    pub expected: String,
    pub ids: Vec<uuid::Uuid>,
    /// The metadata of its first event.
    pub metadata: Vec<u8>,
}

impl Attempt {
    /// Says whether the metadata of its first event has these words.
    pub fn metadata_says(&self, words: &str) -> bool {
        String::from_utf8_lossy(&self.metadata).contains(words)
    }
}

struct Planted {
    stream: Option<String>,
    after: u64,
    fault: Fault,
}

impl Handle {
    pub fn new(faults: Faults) -> Self {
        let inner = Inner {
            faults,
            since: Instant::now(),
            leader: Leader::Here,
            hidden: None,
            drawn: 0,
            met: 0,
            planted: Vec::new(),
            attempts: None,
            read: HashMap::new(),
        };
        Self { inner: Mutex::new(inner), kept: watch::Sender::default(), held: Held::default() }
    }

    /// Holds every append that comes from now on, before it is stored, or lets all of them go.
    pub fn hold_appends(&self, hold: bool) {
        self.held.shut(hold);
    }

    /// The streams of the appends that are held now.
    pub fn held(&self) -> Vec<String> {
        self.held.streams()
    }

    pub(super) async fn pass(&self, stream: &str) {
        self.held.pass(stream).await;
    }

    /// Lets what is kept land, and what is kept from now on, too. Returns when the node has tried so many.
    pub async fn let_land(&self, count: usize) {
        self.kept.send_modify(|kept| kept.lands = true);
        drop(self.kept.subscribe().wait_for(|kept| kept.tried >= count).await);
    }

    pub(super) fn kept(&self) -> &watch::Sender<Kept> {
        &self.kept
    }

    /// Remembers every append from now on.
    pub fn record(&self) {
        self.inner.lock().attempts = Some(Vec::new());
    }

    pub fn attempts(&self) -> Vec<Attempt> {
        self.inner.lock().attempts.clone().unwrap_or_default()
    }

    pub(super) fn attempted(&self, attempt: impl FnOnce() -> Attempt) {
        if let Some(attempts) = &mut self.inner.lock().attempts {
            attempts.push(attempt());
        }
    }

    /// Puts other rates and settings in place, and begins their draws anew.
    pub fn set(&self, faults: Faults) {
        let mut inner = self.inner.lock();
        inner.faults = faults;
        inner.since = Instant::now();
        inner.drawn = 0;
    }

    /// Lets the `after`th append from now on (0 is the next) meet a fault, whatever the rates say.
    pub fn plant(&self, after: u64, fault: Fault) {
        self.inner.lock().planted.push(Planted { stream: None, after, fault });
    }

    /// As [`Handle::plant`], counting only the appends to one stream.
    pub fn plant_on(&self, stream: &str, after: u64, fault: Fault) {
        self.inner.lock().planted.push(Planted { stream: Some(stream.to_owned()), after, fault });
    }

    /// What was planted and not met yet will not be met.
    pub fn forget_planted(&self) {
        self.inner.lock().planted.clear();
    }

    /// From now on `$all`, read forwards or followed, shows no more than so many events; streams show all.
    pub(super) fn hide(&self, from: Option<usize>) {
        self.inner.lock().hidden = from;
    }

    pub(super) fn shown(&self, visible: usize) -> usize {
        self.inner.lock().hidden.map_or(visible, |hidden| hidden.min(visible))
    }

    pub fn set_leader(&self, leader: Leader) {
        self.inner.lock().leader = leader;
    }

    /// How many appends came, and how many of them met a fault.
    pub fn counted(&self) -> (u64, u64) {
        let inner = self.inner.lock();
        (inner.drawn, inner.met)
    }

    /// How many reads of a stream (or of `$all`) were asked for, and how many events they gave; subscriptions aside.
    pub fn reads(&self, stream: &str) -> (u64, u64) {
        self.inner.lock().read.get(stream).copied().unwrap_or_default()
    }

    pub(super) fn count_read(&self, stream: &str, begun: bool, events: usize) {
        let mut inner = self.inner.lock();
        let (reads, given) = inner.read.entry(stream.to_owned()).or_default();
        *reads += u64::from(begun);
        *given += events as u64;
    }

    pub fn leader(&self) -> Leader {
        let inner = self.inner.lock();
        match inner.faults.no_leader {
            Some((without, every)) if !every.is_zero() => {
                let into = inner.since.elapsed().as_millis() % every.as_millis();
                if into < without.as_millis() { Leader::Nobody } else { inner.leader.clone() }
            }
            _ => inner.leader.clone(),
        }
    }

    pub(super) fn visibility_lag(&self) -> Duration {
        self.inner.lock().faults.visibility_lag
    }

    pub(super) fn most_waiting(&self) -> usize {
        self.inner.lock().faults.most_waiting
    }

    pub(super) fn checkpoint(&self) -> Checkpoint {
        self.inner.lock().faults.checkpoint
    }

    pub(super) fn mute(&self) -> bool {
        self.inner.lock().faults.mute
    }

    pub(super) fn silent(&self) -> bool {
        self.inner.lock().faults.silent
    }

    /// The fault of the next append: the nth draw of a seed is always the same.
    pub(super) fn draw(&self, stream: &str) -> Option<Fault> {
        let mut inner = self.inner.lock();
        let share = share(inner.faults.seed, inner.drawn);
        inner.drawn += 1;
        let fault = planted(&mut inner.planted, stream).or_else(|| by_rate(&inner.faults.rates, share));
        inner.met += u64::from(fault.is_some());
        fault
    }
}

fn planted(planted: &mut Vec<Planted>, stream: &str) -> Option<Fault> {
    let mut due = None;
    for (index, plant) in planted.iter_mut().enumerate() {
        if plant.stream.as_deref().is_some_and(|on| on != stream) {
            continue;
        }
        match plant.after.checked_sub(1) {
            Some(fewer) => plant.after = fewer,
            None => due = due.or(Some(index)),
        }
    }
    due.map(|index| planted.remove(index).fault)
}

fn by_rate(rates: &[(Fault, f64)], mut share: f64) -> Option<Fault> {
    for (fault, rate) in rates {
        if share < *rate {
            return Some(*fault);
        }
        share -= rate;
    }
    None
}

/// Draw `n` of a seed, from 0 to 1 (splitmix64).
fn share(seed: u64, n: u64) -> f64 {
    let mut z = seed.wrapping_add(n.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}
