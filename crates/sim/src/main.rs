//! `script/simulate`.

#![allow(clippy::print_stdout, reason = "what it finds is its output")]

use clap::{Parser, value_parser};
use portcullis_sim::{Report, simulate_told};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Run the production processes under a seeded scheduler, with faults and with thieves.
#[derive(Parser)]
struct Arguments {
    /// The seed, or several; the same seed is the same run.
    #[arg(long, num_args = 1.., default_values_t = [1])]
    seed: Vec<u64>,
    /// How many turns before the faults cease; those in which everything settles come on top.
    #[arg(long, default_value_t = 5000)]
    steps: u64,
    /// How many seeds, from each one on.
    #[arg(long, default_value_t = 1, value_parser = value_parser!(u64).range(1..))]
    seeds: u64,
    /// How many runs at once. Each is a run of its own, whatever runs beside it.
    #[arg(long, default_value_t = 1)]
    jobs: usize,
    /// Begin no further run once an invariant did not hold.
    #[arg(long)]
    until_violated: bool,
    #[command(flatten)]
    printed: Printed,
}

/// What is printed.
#[derive(clap::Args)]
struct Printed {
    /// Show what the processes say.
    #[arg(long)]
    log: bool,
    /// Print every event as it comes.
    #[arg(long)]
    trace: bool,
    /// Only one line for each seed.
    #[arg(long)]
    brief: bool,
}

impl Arguments {
    fn all_seeds(&self) -> Vec<u64> {
        let from_each = |first: &u64| {
            let first = *first;
            (0..self.seeds).map(move |further| first.wrapping_add(further))
        };
        self.seed.iter().flat_map(from_each).collect()
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.printed.log {
        tracing_subscriber::fmt().without_time().init();
    }
    if run_all(&arguments) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Whether all invariants held. Each job takes the next seed that nobody has taken.
fn run_all(arguments: &Arguments) -> bool {
    let (seeds, next) = (arguments.all_seeds(), AtomicUsize::new(0));
    let all_hold = AtomicBool::new(true);
    let work = || {
        while let Some(seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed)) {
            if arguments.until_violated && !all_hold.load(Ordering::Relaxed) {
                return;
            }
            let report = simulate_told(*seed, arguments.steps, arguments.printed.trace);
            if report.violation.is_some() {
                all_hold.store(false, Ordering::Relaxed);
            }
            show(&report, arguments.printed.brief);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..arguments.jobs.max(1) {
            scope.spawn(work);
        }
    });
    all_hold.into_inner()
}

/// In one piece, whoever else has something to show. Last comes the line with the verdict and the root.
fn show(report: &Report, brief: bool) {
    let _whole = std::io::stdout().lock();
    if !brief {
        for (kind, count) in &report.counts {
            println!("  {count:>7}  {kind}");
        }
    }
    if let Some(violation) = &report.violation {
        println!("  in step {}: {}", violation.step, violation.seen);
        for event in &violation.events {
            println!("  {event}");
        }
    }
    let verdict = match &report.violation {
        None => "all invariants hold".to_owned(),
        Some(violation) => format!("VIOLATED: {}", violation.invariant),
    };
    println!(
        "seed {} ({}): {} steps with faults and {} to settle, {} s simulated, {} signatures, root {}: {verdict}",
        report.seed,
        report.profile,
        report.faulty_steps,
        report.settling_steps,
        report.simulated_ms / 1000,
        report.signatures,
        report.root,
    );
}
