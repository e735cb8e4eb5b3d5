//! [`Log`] has what this process has logged, for a test to look at.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::io::Write;
use std::sync::{Arc, Mutex, OnceLock};

/// A `Log` says what was logged.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    pub fn of_this_process() -> Self {
        static LOG: OnceLock<Log> = OnceLock::new();
        let begin = || {
            let log = Self::default();
            let writer = log.clone();
            let logged = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone());
            tracing::subscriber::set_global_default(logged.finish()).unwrap();
            log
        };
        LOG.get_or_init(begin).clone()
    }

    /// The lines that have this text.
    pub fn lines(&self, text: &str) -> Vec<String> {
        let logged = self.0.lock().unwrap();
        let logged = String::from_utf8_lossy(&logged);
        logged.lines().filter(|line| line.contains(text)).map(str::to_owned).collect()
    }

    pub fn has(&self, text: &str) -> bool {
        String::from_utf8_lossy(&self.0.lock().unwrap()).contains(text)
    }
}
