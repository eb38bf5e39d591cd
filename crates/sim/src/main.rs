//! `script/simulate`.

#![allow(clippy::print_stdout, reason = "what it finds is its output")]

use clap::Parser;
use portcullis_sim::{Report, simulate_told};
use std::process::ExitCode;

/// Run the production processes under a seeded scheduler, with faults and with thieves.
#[derive(Parser)]
struct Arguments {
    /// The seed; the same seed is the same run.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many turns before the faults cease.
    #[arg(long, default_value_t = 5000)]
    steps: u64,
    /// How many seeds, from this one on.
    #[arg(long, default_value_t = 1)]
    seeds: u64,
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

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.log {
        tracing_subscriber::fmt().without_time().init();
    }
    let mut all_hold = true;
    for seed in arguments.seed..arguments.seed.saturating_add(arguments.seeds) {
        let report = simulate_told(seed, arguments.steps, arguments.trace);
        show(&report, arguments.brief);
        all_hold &= report.violation.is_none();
    }
    if all_hold {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn show(report: &Report, brief: bool) {
    let verdict = match &report.violation {
        None => "all invariants hold".to_owned(),
        Some(violation) => format!("VIOLATED: {}", violation.invariant),
    };
    println!(
        "seed {} ({}): {} steps, {} s simulated, {} signatures, root {}: {verdict}",
        report.seed,
        report.profile,
        report.steps,
        report.simulated_ms / 1000,
        report.signatures,
        report.root,
    );
    if let Some(violation) = &report.violation {
        println!("  in step {}: {}", violation.step, violation.seen);
        for event in &violation.events {
            println!("  {event}");
        }
    }
    if !brief {
        for (kind, count) in &report.counts {
            println!("  {count:>7}  {kind}");
        }
    }
}
