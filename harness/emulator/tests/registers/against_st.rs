//! Names, offsets, clock gates, interrupts and pins against the description that ST publishes, as
//! `stm32-metapac` carries it: no typo of ours checks itself.

use az3166_emulator::board::{self, Led, Pin};
use az3166_emulator::chip::{BLOCKS, Block, interrupt};
use az3166_emulator::peripheral::rcc::ClockBus;
use az3166_emulator::peripheral::rtc;
use stm32_metapac::metadata::ir::{Array, BitOffset, Block as IrBlock, BlockItemInner, IR};
use stm32_metapac::metadata::{METADATA, Peripheral};

fn peripheral(name: &str) -> &'static Peripheral {
    METADATA
        .peripherals
        .iter()
        .find(|peripheral| peripheral.name == name)
        .unwrap_or_else(|| panic!("ST knows no {name}"))
}

fn ir(name: &str) -> &'static IR {
    peripheral(name).registers.as_ref().unwrap().ir
}

fn same(a: &str, b: &str) -> bool {
    let plain = |name: &str| name.replace('_', "").to_lowercase();
    plain(a) == plain(b)
}

/// All registers of a block and of what it extends: name and offset, arrays taken apart.
fn items(ir: &'static IR, block: &'static IrBlock) -> Vec<(String, u32)> {
    let mut all = block.extends.map_or(Vec::new(), |base| {
        let base = ir.blocks.iter().find(|block| same(block.name, base));
        items(ir, base.unwrap())
    });
    for item in block.items {
        if !matches!(item.inner, BlockItemInner::Register(_)) {
            continue;
        }
        match &item.array {
            Some(Array::Regular(array)) => all.extend((0..array.len).map(|index| {
                let name = format!("{}{}", item.name, index + 1);
                (name, item.byte_offset + index * array.stride)
            })),
            Some(Array::Cursed(_)) => panic!("{} has no regular array", item.name),
            None => all.push((item.name.into(), item.byte_offset)),
        }
    }
    all
}

/// What ST's description calls differently from the reference manual.
const RENAMED: &[(&str, &str, &str)] = &[
    ("RTC", "ALRMAR", "ALRMR1"),
    ("RTC", "ALRMBR", "ALRMR2"),
    ("RTC", "ALRMASSR", "ALRMSSR1"),
    ("RTC", "ALRMBSSR", "ALRMSSR2"),
    ("GPIO", "AFRL", "AFR1"),
    ("GPIO", "AFRH", "AFR2"),
    ("PWR", "CR", "CR1"),
    ("PWR", "CSR", "CSR1"),
    ("SYSCFG", "MEMRMP", "MEMRM"),
    ("EXTI", "IMR", "IMR1"),
    ("EXTI", "EMR", "EMR1"),
    ("EXTI", "RTSR", "RTSR1"),
    ("EXTI", "FTSR", "FTSR1"),
    ("EXTI", "SWIER", "SWIER1"),
    ("EXTI", "PR", "PR1"),
    ("DBGMCU", "APB1_FZ", "APB1FZR"),
    ("DBGMCU", "APB2_FZ", "APB2FZR"),
];

/// What it leaves out: there the SVD file, whose offsets `stm32f4` has, is the only witness.
const LEFT_OUT: &[(&str, &str)] = &[("SYSCFG", "CFGR2"), ("SYSCFG", "CFGR")];

fn st_name(block: &str, register: &'static str) -> &'static str {
    RENAMED
        .iter()
        .find(|(of, ours, _)| block.starts_with(of) && *ours == register)
        .map_or(register, |(_, _, theirs)| theirs)
}

fn st_registers(block: &Block) -> Vec<(String, u32)> {
    let registers = peripheral(block.name).registers.as_ref().unwrap();
    let ir_block = registers
        .ir
        .blocks
        .iter()
        .find(|candidate| same(candidate.name, registers.block));
    items(registers.ir, ir_block.unwrap())
}

#[test]
fn offsets_and_names() {
    let mut wrong = Vec::new();
    for block in BLOCKS {
        let theirs = st_registers(block);
        for register in block.registers {
            if LEFT_OUT.contains(&(block.name, register.name)) {
                continue;
            }
            let name = st_name(block.name, register.name);
            let at = |(candidate, offset): &(String, u32)| {
                *offset == register.offset && same(&candidate.replace("_output", ""), name)
            };
            if !theirs.iter().any(at) {
                let there: Vec<_> = theirs
                    .iter()
                    .filter(|(_, offset)| *offset == register.offset)
                    .collect();
                wrong.push(format!(
                    "{}_{} at {:#x}: ST has {there:?}",
                    block.name, register.name, register.offset
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn base_addresses() {
    for block in BLOCKS {
        assert_eq!(
            u64::from(block.base),
            peripheral(block.name).address,
            "{}",
            block.name
        );
    }
    let backup = st_registers(BLOCKS.iter().find(|block| block.name == "RTC").unwrap());
    let backup = backup.iter().filter(|(name, _)| name.starts_with("bkp"));
    let offsets: Vec<u32> = backup.map(|(_, offset)| *offset).collect();
    assert_eq!(offsets, rtc::BACKUP.step_by(4).collect::<Vec<_>>());
}

/// Checks bits that scripts use against ST's names for them.
#[track_caller]
pub fn check_bits(peripheral_name: &str, register: &str, bits: &[(&str, u32)]) {
    let all = st_fields(peripheral_name, register);
    for (name, mask) in bits {
        let field = all
            .iter()
            .find(|(field, _)| field.eq_ignore_ascii_case(name));
        let found = field.map(|(_, mask)| *mask);
        assert_eq!(
            found,
            Some(*mask),
            "{peripheral_name}_{register}.{name}, of {all:x?}"
        );
    }
}

/// The fields of a register, with their masks.
fn st_fields(peripheral_name: &str, register: &str) -> Vec<(String, u32)> {
    let registers = peripheral(peripheral_name).registers.as_ref().unwrap();
    let sets = registers.ir.fieldsets;
    let mut wanted = Some(register);
    let mut all = Vec::new();
    while let Some(name) = wanted {
        let set = sets.iter().find(|set| same(set.name, name));
        let set = set.unwrap_or_else(|| panic!("ST knows no {peripheral_name}_{register}"));
        for field in set.fields {
            let BitOffset::Regular(ref at) = field.bit_offset else {
                continue;
            };
            let one = u32::MAX >> (32 - field.bit_size);
            match &field.array {
                Some(Array::Regular(array)) => all.extend((0..array.len).map(|index| {
                    let shift = at.offset + index * array.stride;
                    (format!("{}{index}", field.name), one << shift)
                })),
                _ => all.push((field.name.to_owned(), one << at.offset)),
            }
        }
        wanted = set.extends;
    }
    all
}

/// The bit of a field of an RCC register.
fn rcc_bit(register: &str, field: &str) -> u32 {
    let rcc = ir("RCC");
    let set = rcc.fieldsets.iter().find(|set| same(set.name, register));
    let field = set
        .unwrap()
        .fields
        .iter()
        .find(|candidate| same(candidate.name, field));
    match field.unwrap().bit_offset {
        BitOffset::Regular(ref bit) => bit.offset,
        BitOffset::Cursed(_) => panic!("an enable bit is one bit"),
    }
}

#[test]
fn clock_gates_and_resets() {
    for block in BLOCKS {
        let Some(gate) = block.gate else { continue };
        let rcc = peripheral(block.name).rcc.as_ref().unwrap();
        let bus = match gate.bus {
            ClockBus::Ahb1 => "AHB1",
            ClockBus::Ahb2 => "AHB2",
            ClockBus::Apb1 => "APB1",
            ClockBus::Apb2 => "APB2",
        };
        let enable = rcc.enable.as_ref().unwrap();
        assert_eq!(enable.register, format!("{bus}ENR"), "{}", block.name);
        let bit = u32::from(gate.bit);
        assert_eq!(
            rcc_bit(enable.register, enable.field),
            bit,
            "{}",
            block.name
        );
        if let Some(reset) = &rcc.reset {
            assert_eq!(reset.register, format!("{bus}RSTR"), "{}", block.name);
            assert_eq!(rcc_bit(reset.register, reset.field), bit, "{}", block.name);
        }
    }
}

fn irq(name: &str) -> u32 {
    let found = METADATA.interrupts.iter().find(|irq| irq.name == name);
    found
        .unwrap_or_else(|| panic!("ST knows no interrupt {name}"))
        .number
}

#[test]
fn interrupt_numbers() {
    use interrupt::*;
    assert_eq!(FLASH, irq("FLASH"));
    assert_eq!(RCC, irq("RCC"));
    assert_eq!(RNG, irq("RNG"));
    assert_eq!(USART, ["USART1", "USART2", "USART6"].map(irq));
    assert_eq!(I2C_EVENT, ["I2C1_EV", "I2C2_EV", "I2C3_EV"].map(irq));
    assert_eq!(I2C_ERROR, ["I2C1_ER", "I2C2_ER", "I2C3_ER"].map(irq));
    let timers = [
        "TIM2",
        "TIM3",
        "TIM4",
        "TIM5",
        "TIM1_BRK_TIM9",
        "TIM1_UP_TIM10",
        "TIM1_TRG_COM_TIM11",
    ];
    assert_eq!(TIMER, timers.map(irq));
    let exti = [
        "EXTI0",
        "EXTI1",
        "EXTI2",
        "EXTI3",
        "EXTI4",
        "EXTI9_5",
        "EXTI15_10",
        "PVD",
        "RTC_ALARM",
        "OTG_FS_WKUP",
        "TAMP_STAMP",
        "RTC_WKUP",
    ];
    assert_eq!(EXTI.map(|(_, number)| number), exti.map(irq));
}

fn alternate(peripheral_name: &str, signal: &str, pin: Pin) -> Option<u8> {
    let name = format!("P{:?}{}", pin.port, pin.number);
    peripheral(peripheral_name)
        .pins
        .iter()
        .find(|candidate| candidate.signal == signal && candidate.pin == name)
        .and_then(|candidate| candidate.af)
}

#[test]
fn pins() {
    assert_eq!(
        alternate("USART6", "TX", board::CONSOLE_TX),
        Some(board::CONSOLE_AF)
    );
    assert_eq!(
        alternate("USART6", "RX", board::CONSOLE_RX),
        Some(board::CONSOLE_AF)
    );
    assert_eq!(alternate("I2C1", "SCL", board::SCL), Some(board::I2C_AF));
    for led in Led::ALL {
        let Some((timer, channel, function)) = led.dimmer() else {
            continue;
        };
        let found = alternate(&format!("TIM{timer}"), &format!("CH{channel}"), led.pin());
        assert_eq!(found, Some(function), "{led:?}");
    }
    assert_eq!(alternate("I2C1", "SDA", board::SDA), Some(board::I2C_AF));
}
