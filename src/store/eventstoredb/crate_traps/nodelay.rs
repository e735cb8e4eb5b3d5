//! Sets TCP_NODELAY on the sockets of this process. The `eventstore` crate leaves Nagle's algorithm on: a call's headers
//! and its body go out as two segments, the second waits for the node's delayed acknowledgement of the first, and an
//! append takes 44 ms instead of 0.8. The crate shows its sockets to nobody, so they are found among the file
//! descriptors of the process; every other TCP socket gets the option too, which harms none.
//!
//! **May be deleted** when the crate that is used sets the option, or takes a connector: the test that measures one
//! append at a time says so. Linux only; elsewhere nothing is found, and nothing is set.

use nix::sys::socket::{getsockopt, setsockopt, sockopt::TcpNoDelay};

/// Sets the option where it is not set. Costs a system call for each open file.
pub fn set_everywhere() {
    let Ok(files) = std::fs::read_dir("/proc/self/fd") else { return };
    let numbers = files.filter_map(|file| file.ok()?.file_name().to_str()?.parse::<i32>().ok());
    for number in numbers.collect::<Vec<_>>() {
        // What is no TCP socket refuses the question.
        if getsockopt(number, TcpNoDelay) == Ok(false) {
            let _closed_meanwhile = setsockopt(number, TcpNoDelay, &true);
        }
    }
}
