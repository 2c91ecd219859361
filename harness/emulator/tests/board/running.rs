//! Power, resets, stops, snapshots: the board as a machine that runs.

use az3166_emulator::cpu::Register;
use az3166_emulator::{DebugError, DevKit, Power, ProgramError, Stop, UnmodelledPolicy};
use az3166_event::{MachineEvent, Payload, VirtualTime};
use az3166_stsafe::{Effect, Fault};

use crate::master::{power_secure_element, set_up, write};
use crate::script::*;

const CSR: u32 = 0x4002_3874;
const AT: u32 = 0x0800_0000;

/// A board whose flash holds this code at 0x08000008, under a stack and a reset vector.
fn with_code(code: &[u16]) -> DevKit {
    let mut image = vec![0x00, 0x10, 0x00, 0x20, 0x09, 0x00, 0x00, 0x08];
    image.extend(code.iter().flat_map(|half| half.to_le_bytes()));
    let mut devkit = DevKit::new(az3166_emulator::DevKitConfig {
        unmodelled: UnmodelledPolicy::Stop,
        ..config()
    });
    devkit.program(AT, &image).unwrap();
    devkit.set_power(Power::On);
    devkit
}

fn causes(devkit: &mut DevKit) -> Vec<String> {
    devkit
        .drain_events()
        .into_iter()
        .filter_map(|(_, event)| match event {
            Payload::Machine(MachineEvent::Reset { cause }) => Some(cause),
            _ => None,
        })
        .collect()
}

#[test]
fn power_off_loses_ram_and_time_goes_on() {
    let mut bench = Bench::new();
    bench
        .devkit
        .write_memory(0x2000_0000, b"remember me")
        .unwrap();
    bench.devkit.reset_pin();
    let mut found = [0; 11];
    bench.devkit.read_memory(0x2000_0000, &mut found).unwrap();
    assert_eq!(&found, b"remember me");
    bench.devkit.set_power(Power::Off);
    let off = bench.devkit.now();
    assert_eq!(
        bench.devkit.read_memory(0x2000_0000, &mut found),
        Err(DebugError::NoPower)
    );
    let later = VirtualTime::from_millis(5000);
    assert_eq!(bench.devkit.run_until(later), Stop::Deadline);
    assert!(bench.devkit.now() == later && off < later);
    bench.devkit.set_power(Power::On);
    bench.devkit.read_memory(0x2000_0000, &mut found).unwrap();
    assert_ne!(&found, b"remember me");
    let mut half = vec![0; 0x4_0000];
    bench.devkit.read_memory(0x2000_0000, &mut half).unwrap();
    let ones: u32 = half.iter().map(|byte| byte.count_ones()).sum();
    assert!(
        ones.abs_diff(0x4_0000 * 4) < 10_000,
        "RAM after power-on is noise"
    );
    assert_eq!(causes(&mut bench.devkit), ["por", "pin", "por"]);
}

#[test]
fn a_board_without_power_hears_nothing() {
    let mut bench = Bench::new();
    bench.devkit.set_power(Power::Off);
    bench.devkit.console_send(b"lost");
    bench.devkit.set_power(Power::On);
    bench.wait(MILLISECOND);
    assert!(bench.devkit.is_asleep_for_ever());
}

#[test]
fn an_exchanged_secure_element_has_power_at_once() {
    let mut bench = Bench::new();
    set_up(&mut bench);
    power_secure_element(&mut bench);
    let fresh = config().secure_element;
    bench.devkit.replace_secure_element(fresh);
    bench.wait(50 * MILLISECOND);
    write(&mut bench, 0x20, &with_crc(&[0x14, 0x08])).unwrap();
}

#[test]
fn reset_flags_tell_the_cause() {
    let mut bench = Bench::new();
    bench.run(&[Write(CSR, 1 << 24)]);
    bench.devkit.reset_pin();
    bench.run(&[Read(CSR, 0xFE00_0000, 1 << 26), Write(CSR, 1 << 24)]);
    // SYSRESETREQ.
    bench.write(0xE000_ED0C, 0x05FA_0004);
    bench.wait(MICROSECOND);
    bench.run(&[Read(CSR, 0xFE00_0000, 1 << 28 | 1 << 26)]);
    assert_eq!(causes(&mut bench.devkit), ["por", "pin", "sft"]);
}

#[test]
fn a_register_without_a_model_stops_the_run_at_its_instruction() {
    // ldr r0, [pc, #8]; movs r1, #7; str r1, [r0, #4]; b .; nop; .word SPI5
    let mut devkit = with_code(&[
        0x4802, 0x2107, 0x6041, 0xE7FE, 0xBF00, 0xBF00, 0x5000, 0x4001,
    ]);
    let Stop::UnmodelledAccess(event) = devkit.run_until(VirtualTime::from_millis(1)) else {
        panic!("it went on");
    };
    assert_eq!(
        event,
        MachineEvent::UnmodelledAccess {
            address: 0x4001_5004,
            access: "write".into(),
            width: 4,
            value: Some(7),
            pc: AT + 12,
            function: None,
            register: Some("SPI5+0x04".into()),
        }
    );
    assert_eq!(devkit.cpu().register(Register::Pc), AT + 14);
    assert!(
        devkit
            .drain_events()
            .contains(&(devkit_time(2), Payload::Machine(event)))
    );
    // It can go on after it.
    assert_eq!(
        devkit.run_until(VirtualTime::from_millis(1)),
        Stop::Deadline
    );
}

/// The instant of a cycle at 16 MHz, rounded down.
fn devkit_time(cycle: u64) -> VirtualTime {
    VirtualTime::from_nanos(cycle * 1000 / 16)
}

#[test]
fn an_access_without_a_clock_is_reported_once_since_a_reset() {
    let mut bench = Bench::new();
    bench.devkit.drain_events();
    bench.run(&[
        Write(0x4002_0014, 1),
        Read(0x4002_0014, 1, 0),
        Read(0x4000_5400, 1, 0),
    ]);
    let names = |bench: &mut Bench| -> Vec<String> {
        let events = bench.devkit.drain_events().into_iter();
        events
            .filter_map(|(_, event)| match event {
                Payload::Machine(MachineEvent::UnclockedAccess { peripheral }) => Some(peripheral),
                _ => None,
            })
            .collect()
    };
    assert_eq!(names(&mut bench), ["GPIOA", "I2C1"]);
    bench.devkit.reset_pin();
    bench.run(&[Read(0x4002_0014, 1, 0)]);
    assert_eq!(names(&mut bench), ["GPIOA"]);
}

#[test]
fn sleep_is_told_once_and_sleep_for_ever_is_known() {
    let mut bench = Bench::new();
    assert!(bench.devkit.is_asleep_for_ever());
    assert_eq!(
        bench.devkit.run_until(VirtualTime::from_millis(7)),
        Stop::Deadline
    );
    assert_eq!(bench.devkit.now(), VirtualTime::from_millis(7));
    // A byte on the line is something that can wake it.
    bench.devkit.console_send(b"x");
    assert!(!bench.devkit.is_asleep_for_ever());
    bench.wait(MILLISECOND);
    assert!(bench.devkit.is_asleep_for_ever());
    assert_eq!(
        bench.devkit.run_until(VirtualTime::MAX),
        Stop::AsleepForEver
    );
    // So is a timer.
    bench.run(&[
        Write(0x4002_3840, 1),
        Write(0x4000_000C, 1),
        Write(0x4000_0000, 1),
    ]);
    assert!(!bench.devkit.is_asleep_for_ever());
}

#[test]
fn sleep_costs_no_instructions() {
    let mut bench = Bench::new();
    let before = bench.devkit.instructions();
    bench.wait(1000 * MILLISECOND);
    assert_eq!(bench.devkit.instructions(), before);
}

#[test]
fn lockup_is_told_and_the_watchdog_gets_out_of_it() {
    // ldr r0, [pc, #12]; movw r1, #0xCCCC; str r1, [r0]; udf; the HardFault vector is some of this code
    // and leads nowhere.
    let mut devkit = with_code(&[
        0x4803, 0xF64C, 0x41CC, 0x6001, 0xDE00, 0xBF00, 0xBF00, 0xBF00, 0x3000, 0x4000,
    ]);
    let stop = devkit.run_until(VirtualTime::from_millis(600));
    assert!(matches!(stop, Stop::Lockup { .. }), "{stop:?}");
    devkit.run_until(VirtualTime::from_millis(600));
    assert_eq!(causes(&mut devkit), ["por", "iwdg"]);
}

#[test]
fn a_snapshot_is_a_clone() {
    let mut bench = Bench::new();
    set_up(&mut bench);
    let mut twin = Bench {
        devkit: bench.devkit.clone(),
    };
    for each in [&mut bench, &mut twin] {
        write(each, 0x3C, &[0x00, 0xAF]).unwrap();
        each.wait(MILLISECOND);
    }
    assert_eq!(bench.devkit.now(), twin.devkit.now());
    assert_eq!(bench.devkit.drain_events(), twin.devkit.drain_events());
    write(&mut bench, 0x3C, &[0x40, 0xAA]).unwrap();
    let memory = |bench: &Bench| *bench.devkit.display().unwrap().gddram();
    assert_ne!(memory(&bench), memory(&twin));
}

#[test]
fn an_image_outside_flash_is_refused() {
    let mut devkit = DevKit::new(config());
    for (address, length) in [
        (0x0, 4),
        (0x0810_0000, 1),
        (0x080F_FFFF, 2),
        (0x2000_0000, 4),
    ] {
        let error = devkit.program(address, &vec![0; length]).unwrap_err();
        assert_eq!(error, ProgramError::OutsideFlash { address, length });
        assert!(
            error.to_string().contains("link the image there"),
            "{error}"
        );
    }
}

#[test]
fn a_power_cut_in_a_secure_element_write_takes_the_whole_board() {
    let mut bench = Bench::new();
    set_up(&mut bench);
    power_secure_element(&mut bench);
    bench
        .devkit
        .secure_element_mut()
        .inject(Fault::once(Effect::PowerCut {
            zone: 6,
            after_bytes: 2,
        }));
    // Update zone 6 at 0 with four bytes.
    let frame = [0x06, 0x00, 0x06, 0x00, 0x00, 0x11, 0x22, 0x33, 0x44];
    write(&mut bench, 0x20, &with_crc(&frame)).unwrap();
    let stop = loop {
        match bench.devkit.run_until(VirtualTime::from_millis(10_000)) {
            Stop::Asleep => {}
            stop => break stop,
        }
    };
    assert_eq!(stop, Stop::PowerCut);
    assert!(!bench.devkit.is_powered());
}

fn with_crc(frame: &[u8]) -> Vec<u8> {
    let crc = frame.iter().fold(0xFFFFu16, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte), |crc, _| {
            crc >> 1 ^ if crc & 1 == 1 { 0x8408 } else { 0 }
        })
    });
    [frame, &(!crc).to_be_bytes()].concat()
}

#[test]
fn the_bootloaders_leftovers() {
    let mut bench = Bench::new();
    // wfi; b .-2 at the application's place.
    let mut application = vec![0x00, 0x80, 0x00, 0x20, 0x09, 0xC0, 0x00, 0x08];
    application.extend([0x30, 0xBF, 0xFD, 0xE7]);
    bench.devkit.program(0x0800_C000, &application).unwrap();
    bench.devkit.start_from_bootloader_leftovers().unwrap();
    bench.run(&[
        Read(0x4002_3804, u32::MAX, 0x2841_300D),
        Read(0x4002_3808, 0x1C0F, 0x100A),
        Read(0x4002_3800, 0x0303_0003, 0x0303_0003),
        Read(0xE000_ED08, u32::MAX, 0x2000_0000),
        Read(0xE000_E010, 0b111, 0b111),
    ]);
    assert_eq!(bench.devkit.cpu().register(Register::Pc), 0x0800_C008);
    assert_eq!(bench.devkit.cpu().register(Register::Sp), 0x2000_8000);
    // 96 MHz: SysTick fires after a millisecond, into the dirty RAM's vectors.
    bench
        .devkit
        .write_memory(0x2000_003C, &0x0800_0009u32.to_le_bytes())
        .unwrap();
    let start = bench.devkit.now();
    while bench.devkit.cpu().register(Register::Pc) >= 0x0800_C000 {
        bench.wait(MICROSECOND);
    }
    let took = (bench.devkit.now() - start).as_micros();
    assert!(took.abs_diff(1000) <= 2, "{took} us");
}

#[test]
fn a_debugger_reads_and_writes_at_any_alignment() {
    let mut bench = Bench::new();
    bench
        .devkit
        .write_memory(0x2000_0001, &[1, 2, 3, 4, 5])
        .unwrap();
    let mut bytes = [0; 7];
    bench.devkit.read_memory(0x2000_0000, &mut bytes).unwrap();
    assert_eq!(bytes[1..6], [1, 2, 3, 4, 5]);
    let mut uid = [0; 6];
    bench.devkit.read_memory(0x1FFF_7A13, &mut uid).unwrap();
    assert_eq!(uid, UID[3..9]);
    let missing = bench.devkit.read_memory(0x3000_0000, &mut uid);
    assert_eq!(
        missing,
        Err(DebugError::Fault {
            address: 0x3000_0000
        })
    );
}
