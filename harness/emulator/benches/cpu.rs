//! How many million instructions a second the processor executes: `cargo bench --bench cpu`.
//!
//! The programs of `benches/programs` are built with rustc for `thumbv7em-none-eabi`; where that
//! target is missing the benchmark says so. Time is this thread's time on a processor where the
//! system tells it, so that other processes count less.

#[path = "../tests/support/compiled.rs"]
mod compiled;

use az3166_emulator::bus::{Access, Bus, BusFault, Cycle, InterruptLines, Width};
use az3166_emulator::cpu::{Cpu, Exit, Register};
use az3166_emulator::memory::Memory;
use std::path::Path;
use std::time::{Duration, Instant};

const RUNS: usize = 5;
const DHCSR: u32 = 0xE000_EDF0;

/// The programs, and what R0 holds at their end.
const PROGRAMS: [(&str, u32); 2] = [("sha256", SHA256_RESULT), ("p256", P256_RESULT)];
const SHA256_RESULT: u32 = 0x6045_9802;
const P256_RESULT: u32 = 0xD6A5_4A9F;

struct NoBus;

impl Bus for NoBus {
    fn read(&mut self, _: &mut Memory, _: Access) -> Result<u32, BusFault> {
        Err(BusFault)
    }

    fn write(&mut self, _: &mut Memory, _: Access, _: u32) -> Result<(), BusFault> {
        Err(BusFault)
    }

    fn next_event(&self) -> Cycle {
        Cycle::MAX
    }

    fn service(&mut self, _: &mut Memory, _: Cycle) {}

    fn interrupt_lines(&self) -> InterruptLines {
        0
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for (name, result) in PROGRAMS {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let Some(image) = compiled::build(name, folder)? else {
            println!("{name}: skipped, {}", compiled::MISSING);
            continue;
        };
        let mut memory = Memory::new();
        memory.replace_flash(0, &image);
        let mut best = 0.0f64;
        let mut instructions = 0;
        for _ in 0..RUNS {
            let (count, time) = run(memory.clone(), result)?;
            instructions = count;
            best = best.max(count as f64 / time.as_secs_f64() / 1e6);
        }
        println!("{name}: {best:.0} MIPS ({instructions} instructions, best of {RUNS} runs)");
    }
    Ok(())
}

/// Runs to BKPT: how many instructions, in what time.
fn run(mut memory: Memory, result: u32) -> Result<(u64, Duration), Box<dyn std::error::Error>> {
    let mut cpu = Cpu::new();
    cpu.reset(&mut memory);
    cpu.debug_write(DHCSR, Width::Word, 0xA05F_0001)
        .map_err(|_| "DHCSR does not answer")?;
    let start = thread_time();
    let exit = cpu.run(&mut memory, &mut NoBus, 1_000_000_000);
    let time = thread_time() - start;
    let r0 = cpu.register(Register::R0);
    if !matches!(exit, Exit::Breakpoint { .. }) || r0 != result {
        return Err(format!("the program ended with {exit:?} and {r0:#010x}").into());
    }
    Ok((cpu.instructions(), time))
}

/// This thread's time on a processor; wall time where the system does not tell.
fn thread_time() -> Duration {
    static START: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
    std::fs::read_to_string("/proc/thread-self/schedstat")
        .ok()
        .and_then(|text| text.split(' ').next()?.parse().ok())
        .map_or_else(|| START.elapsed(), Duration::from_nanos)
}
