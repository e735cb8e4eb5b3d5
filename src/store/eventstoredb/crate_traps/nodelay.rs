//! [`set_everywhere`] sets TCP_NODELAY on all sockets of this process, because the `eventstore` crate does not.
//!
//! The crate leaves Nagle's algorithm on: the headers and the body of a call go out as two segments, and the second waits
//! for the node's delayed acknowledgement of the first. An append takes 44 ms in place of 0.8 ms. The crate gives nobody
//! its sockets, so they are found among the file descriptors of the process. Every other TCP socket gets the option, too,
//! which does no harm. It works on Linux only; elsewhere no socket is found.

use nix::sys::socket::{getsockopt, setsockopt, sockopt::TcpNoDelay};

/// Sets the option on every TCP socket that does not have it. It costs one system call for each open file.
pub fn set_everywhere() {
    let Ok(files) = std::fs::read_dir("/proc/self/fd") else { return };
    let numbers = files.filter_map(|file| file.ok()?.file_name().to_str()?.parse::<i32>().ok());
    for number in numbers.collect::<Vec<_>>() {
        // A file that is no TCP socket refuses to be asked.
        if getsockopt(number, TcpNoDelay) == Ok(false) {
            let _closed_meanwhile = setsockopt(number, TcpNoDelay, &true);
        }
    }
}
