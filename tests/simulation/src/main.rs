//! The program runs one seed and shows it, or many seeds on several threads.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use clap::Parser;
use parking_lot::Mutex;
use simulation::marks::{LEAST, Marks, wanted};
use simulation::run::{Ended, run};

/// Runs whole ledgers, with all that happens to them drawn from a seed.
#[derive(Parser)]
struct Args {
    /// Runs this one seed, and prints the hash of its steps.
    #[arg(long)]
    seed: Option<u64>,
    /// Prints each step of the seed.
    #[arg(long, requires = "seed")]
    steps: bool,
    /// Runs this many seeds.
    #[arg(long, default_value_t = 10_000)]
    seeds: u64,
    /// Begins with this seed.
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// Runs seeds on this many threads.
    #[arg(long, default_value_t = 2)]
    threads: u64,
    /// Prints the hash of each seed.
    #[arg(long)]
    hashes: bool,
    /// Does not fail when a rare state was met too seldom.
    #[arg(long)]
    few: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    if std::env::var_os("SIMULATION_BACKTRACES").is_none() {
        // A panic in a run is told as what is wrong with it.
        std::panic::set_hook(Box::new(|_| {}));
    }
    match args.seed {
        Some(seed) => one(seed, args.steps),
        None => many(&args),
    }
}

fn one(seed: u64, steps: bool) -> ExitCode {
    let ended = run(seed, steps);
    println!(
        "seed {seed}: hash {:016x}, {} events, {:.1} s",
        ended.hash,
        ended.events,
        ended.time.as_secs_f64()
    );
    match ended.wrong {
        None => ExitCode::SUCCESS,
        Some(wrong) => {
            println!("{wrong}");
            ExitCode::FAILURE
        }
    }
}

/// `Sum` is what all runs together came to.
#[derive(Default)]
struct Sum {
    marks: Marks,
    events: u64,
    hashes: BTreeMap<u64, u64>,
    wrong: Option<(u64, String)>,
}

fn many(args: &Args) -> ExitCode {
    let begun = Instant::now();
    let (next, failed) = (AtomicU64::new(args.from), AtomicBool::new(false));
    let sum = Mutex::new(Sum::default());
    std::thread::scope(|scope| {
        for _ in 0..args.threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= args.from + args.seeds || failed.load(Ordering::Relaxed) {
                        return;
                    }
                    let ended = run(seed, false);
                    failed.fetch_or(ended.wrong.is_some(), Ordering::Relaxed);
                    add(&mut sum.lock(), seed, ended);
                }
            });
        }
    });
    let sum = sum.into_inner();
    if args.hashes {
        sum.hashes.iter().for_each(|(seed, hash)| println!("{seed} {hash:016x}"));
    }
    if let Some((seed, wrong)) = sum.wrong {
        println!("seed {seed}: {wrong}\ncargo run --release -p simulation -- --seed {seed}");
        return ExitCode::FAILURE;
    }
    eprintln!("{} seeds, {} events, {:.1} s", args.seeds, sum.events, begun.elapsed().as_secs_f64());
    for state in wanted() {
        eprintln!("{:>7}  {state}", sum.marks.0.get(state).copied().unwrap_or_default());
    }
    let rare = sum.marks.too_rare();
    if !rare.is_empty() && !args.few {
        println!("these states were met by fewer than {LEAST} seeds: {rare:?}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn add(sum: &mut Sum, seed: u64, ended: Ended) {
    sum.marks.add(&ended.marks);
    sum.events += ended.events as u64;
    sum.hashes.insert(seed, ended.hash);
    if let Some(wrong) = ended.wrong
        && sum.wrong.as_ref().is_none_or(|(first, _)| seed < *first)
    {
        sum.wrong = Some((seed, wrong));
    }
}
