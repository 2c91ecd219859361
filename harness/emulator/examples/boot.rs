//! Boots an ELF on the emulated DevKit and shows what it prints: the tool to debug both with.
//!
//! `cargo run --release -p az3166-emulator --example boot -- firmware.elf [options]`

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Instant;

use az3166_emulator::{
    Button, DevKit, DevKitConfig, Display, Power, Stop, UnmodelledPolicy, cpu::Register,
};
use az3166_event::{MachineEvent, Payload, VirtualTime};
use az3166_stsafe::{Configuration, NvmImage, SecureElement};
use object::{Object as _, ObjectSymbol as _, SymbolKind};

const USAGE: &str = "usage: boot ELF... [--seconds N] [--hold A|B] [--type TEXT] [--at SECONDS] \
[--record] [--leftovers] [--events] [--no-display] [--screen]
  ELF...       images to load; the chip starts at 0x08000000, or at 0x0800C000 if nothing is there
  --seconds N  virtual seconds to run (10)
  --hold A|B   hold a button for the first second
  --type TEXT  type TEXT and Enter into the console; again for more lines
  --at S       virtual second at which the next line is typed (2, then one more for each line)
  --record     go on after an access to a register that is not modelled
  --leftovers  start the application as the vendor's bootloader does
  --events     print all events
  --screen     print the display at the end";

struct Options {
    images: Vec<String>,
    seconds: f64,
    hold: Option<Button>,
    lines: Vec<(f64, String)>,
    policy: UnmodelledPolicy,
    leftovers: bool,
    events: bool,
    display: Display,
    screen: bool,
}

fn options() -> Result<Options, String> {
    let mut options = Options {
        images: Vec::new(),
        seconds: 10.0,
        hold: None,
        lines: Vec::new(),
        policy: UnmodelledPolicy::Stop,
        leftovers: false,
        events: false,
        display: Display::Present,
        screen: false,
    };
    let mut type_at = 2.0;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
        match argument.as_str() {
            "--seconds" => options.seconds = number(&value()?)?,
            "--hold" => {
                options.hold = Some(match value()?.as_str() {
                    "A" => Button::A,
                    "B" => Button::B,
                    other => return Err(format!("no button {other}")),
                });
            }
            "--at" => type_at = number(&value()?)?,
            "--type" => {
                options.lines.push((type_at, value()?));
                type_at += 1.0;
            }
            "--record" => options.policy = UnmodelledPolicy::Record,
            "--leftovers" => options.leftovers = true,
            "--events" => options.events = true,
            "--no-display" => options.display = Display::Absent,
            "--screen" => options.screen = true,
            unknown if unknown.starts_with('-') => return Err(format!("no option {unknown}")),
            image => options.images.push(image.into()),
        }
    }
    if options.images.is_empty() {
        return Err("no ELF given".into());
    }
    Ok(options)
}

fn number(text: &str) -> Result<f64, String> {
    text.parse().map_err(|_| format!("{text} is no number"))
}

/// Functions by address.
type Symbols = BTreeMap<u32, String>;

fn load(devkit: &mut DevKit, path: &str, symbols: &mut Symbols) -> Result<(), String> {
    let bytes = std::fs::read(path).map_err(|error| format!("{path}: {error}"))?;
    let elf = object::read::elf::ElfFile32::<object::Endianness>::parse(&*bytes)
        .map_err(|error| format!("{path}: {error}"))?;
    for segment in elf.elf_program_headers() {
        use object::read::elf::ProgramHeader as _;
        let endian = object::Endianness::Little;
        if segment.p_type(endian) != object::elf::PT_LOAD || segment.p_filesz(endian) == 0 {
            continue;
        }
        let data = segment
            .data(endian, &*bytes)
            .map_err(|()| format!("{path}: a segment lies outside the file"))?;
        devkit
            .program(segment.p_paddr(endian), data)
            .map_err(|error| format!("{path}: {error}"))?;
    }
    for symbol in elf
        .symbols()
        .filter(|symbol| symbol.kind() == SymbolKind::Text)
    {
        let name = symbol.name().unwrap_or("?").to_owned();
        symbols.insert(symbol.address() as u32 & !1, name);
    }
    Ok(())
}

fn name(symbols: &Symbols, address: u32) -> String {
    symbols
        .range(..=address)
        .next_back()
        .map_or("?".into(), |(start, name)| {
            format!("{name}+{:#x}", address - start)
        })
}

fn show_registers(devkit: &DevKit, symbols: &Symbols) {
    for (index, register) in Register::GENERAL.into_iter().enumerate() {
        let value = devkit.cpu().register(register);
        let name = if index >= 14 {
            name(symbols, value)
        } else {
            String::new()
        };
        eprintln!("  r{index:<2} = {value:08x} {name}");
    }
    eprintln!("  xpsr = {:08x}", devkit.cpu().register(Register::Xpsr));
}

fn show(devkit: &mut DevKit, symbols: &Symbols, all: bool) {
    use std::io::Write as _;
    let bytes = devkit.console_take();
    let _ = std::io::stdout().write_all(&bytes);
    let _ = std::io::stdout().flush();
    for (at, payload) in devkit.drain_events() {
        match &payload {
            Payload::Machine(MachineEvent::UnmodelledAccess { pc, .. }) => {
                eprintln!("[{at}] {payload:?} in {}", name(symbols, *pc));
            }
            Payload::Machine(MachineEvent::Led { .. }) if !all => {}
            Payload::Machine(_) => eprintln!("[{at}] {payload:?}"),
            _ if all => eprintln!("[{at}] {payload:?}"),
            _ => {}
        }
    }
}

fn show_screen(devkit: &DevKit) {
    let Some(display) = devkit.display() else {
        eprintln!("no display");
        return;
    };
    eprintln!("display on: {}", display.is_on());
    for rows in display.pixels().chunks(2) {
        let line: String = (0..rows[0].len())
            .map(|x| match (rows[0][x], rows[1][x]) {
                (false, false) => ' ',
                (true, false) => '▀',
                (false, true) => '▄',
                (true, true) => '█',
            })
            .collect();
        eprintln!("|{line}|");
    }
}

fn run(options: &Options) -> Result<bool, String> {
    let element = SecureElement::new(Configuration::default(), NvmImage::default());
    let mut devkit = DevKit::new(DevKitConfig {
        uid: *b"\x29\x00\x3a\x00\x0c\x47\x31\x33\x34\x38\x38\x35",
        seed: 1,
        secure_element: element,
        display: options.display,
        unmodelled: options.policy,
    });
    let mut symbols = Symbols::new();
    for image in &options.images {
        load(&mut devkit, image, &mut symbols)?;
    }
    if let Some(button) = options.hold {
        devkit.press(button);
    }
    devkit.set_power(Power::On);
    let mut vector = [0; 4];
    let no_boot_stub = devkit.read_memory(0x0800_0000, &mut vector).is_ok() && vector == [0xFF; 4];
    if options.leftovers || no_boot_stub {
        devkit
            .start_from_bootloader_leftovers()
            .map_err(|error| error.to_string())?;
    }
    let mut held = options.hold;
    let started = Instant::now();
    let end = seconds(options.seconds);
    let mut lines = options.lines.iter().peekable();
    let mut sound = true;
    while devkit.now() < end {
        if let Some(button) = held.take_if(|_| devkit.now() >= seconds(1.0)) {
            devkit.release(button);
        }
        let next = lines.peek().map_or(end, |(at, _)| seconds(*at));
        let let_go = if held.is_some() { seconds(1.0) } else { end };
        let stop = devkit.run_until(next.min(end).min(let_go));
        show(&mut devkit, &symbols, options.events);
        match stop {
            Stop::Asleep => {}
            Stop::Deadline => {
                if let Some((at, line)) = lines.next_if(|(at, _)| seconds(*at) <= devkit.now()) {
                    eprintln!("[{at} s] typing {line:?}");
                    devkit.console_send(format!("{line}\r").as_bytes());
                }
            }
            other => {
                eprintln!("stopped: {other:?}");
                show_registers(&devkit, &symbols);
                sound = false;
                break;
            }
        }
    }
    let wall = started.elapsed().as_secs_f64();
    let instructions = devkit.instructions();
    eprintln!(
        "\n{} virtual, {instructions} instructions, {wall:.3} s, {:.0} MIPS; pc {} {}",
        devkit.now(),
        instructions as f64 / wall / 1e6,
        name(&symbols, devkit.cpu().register(Register::Pc)),
        if devkit.is_asleep() { "asleep" } else { "" },
    );
    if options.screen {
        show_screen(&devkit);
    }
    Ok(sound)
}

fn seconds(seconds: f64) -> VirtualTime {
    VirtualTime::from_nanos((seconds * 1e9) as u64)
}

fn main() -> ExitCode {
    match options().and_then(|options| run(&options)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(message) => {
            eprintln!("{message}\n{USAGE}");
            ExitCode::from(2)
        }
    }
}
