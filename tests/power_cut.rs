//! This test cuts the power. What was answered is there when it comes back, because it was made durable before it was
//! answered.
//!
//! A process that is killed leaves its writes to the kernel; only a file system that stops at once shows a missing `fsync`.
//! So the data folder is on an ext4 of its own, which is shut down in the middle of the load as if its disk had lost power.
//! Needs root, a loop device and Python; skipped loudly where they are missing.
//!
//! Catches, seen once: `synchronous=OFF` (answered writes are gone, or the folder can't even be opened).

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use support::process::{Process, skip};
use support::teller::{self, Shift, Whereabouts};

const CUTS: u64 = 5;
/// This many requests are answered before each cut.
const ENOUGH: usize = 100;

/// `EXT4_IOC_SHUTDOWN` with `NOLOGFLUSH`: nothing that is not on the disk by now gets there.
const SHUT_DOWN: &str =
    "import fcntl,os,struct,sys; fcntl.ioctl(os.open(sys.argv[1],os.O_RDONLY),0x8004587d,struct.pack('I',2))";

struct Disk {
    image: PathBuf,
    mounted_at: PathBuf,
}

fn run(program: &str, arguments: &[&Path]) -> Result<(), String> {
    let out =
        Command::new(program).args(arguments).output().map_err(|error| format!("{program}: {error}"))?;
    if out.status.success() {
        Ok(())
    } else {
        Err(format!("{program}: {}", String::from_utf8_lossy(&out.stderr).trim()))
    }
}

impl Disk {
    fn make(dir: &Path) -> Result<Self, String> {
        let disk = Self { image: dir.join("disk"), mounted_at: dir.join("mounted") };
        std::fs::create_dir(&disk.mounted_at).map_err(|error| error.to_string())?;
        let file = std::fs::File::create(&disk.image).map_err(|error| error.to_string())?;
        file.set_len(256 << 20).map_err(|error| error.to_string())?;
        run("mkfs.ext4", &[Path::new("-q"), &disk.image])?;
        disk.mount()?;
        Ok(disk)
    }

    fn mount(&self) -> Result<(), String> {
        run("mount", &[Path::new("-o"), Path::new("loop"), &self.image, &self.mounted_at])
    }

    fn cut_power(&self) -> Result<(), String> {
        run("python3", &[Path::new("-c"), Path::new(SHUT_DOWN), &self.mounted_at])
    }

    fn unmount(&self) -> Result<(), String> {
        run("umount", &[self.mounted_at.as_path()])
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _not_mounted = self.unmount();
    }
}

#[test]
fn what_was_answered_is_there_after_the_power_went() {
    let dir = tempfile::tempdir().unwrap();
    let disk = match Disk::make(dir.path()) {
        Ok(disk) => disk,
        Err(why) => return skip("power cut", &why),
    };
    let data = disk.mounted_at.join("data");
    for cut in 0..CUTS {
        let mut service = Process::start(&data);
        let whereabouts: Whereabouts = Arc::new(Mutex::new(Some(service.address)));
        let shift = Shift::default();
        let memory = std::thread::scope(|scope| {
            let teller = scope.spawn(|| teller::work(100 + cut, &whereabouts, &shift));
            shift.until_answered(ENOUGH);
            // From here on no answer gets out: the machine that would send it has no power.
            *whereabouts.lock().unwrap() = None;
            disk.cut_power().unwrap();
            service.kill();
            disk.unmount().unwrap();
            disk.mount().unwrap();
            service = Process::start(&data);
            *whereabouts.lock().unwrap() = Some(service.address);
            shift.over.store(true, Ordering::Relaxed);
            teller.join().unwrap()
        });
        assert!(
            memory.answered.len() >= ENOUGH,
            "too little happened to prove anything: {}",
            memory.answered.len()
        );
        for first in &memory.answered {
            teller::ask_again(first, &whereabouts);
        }
        assert_eq!(service.stop(), Some(0));
    }
}
