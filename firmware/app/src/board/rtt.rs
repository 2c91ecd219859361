//! The network's pipe to a debugger: SEGGER's RTT control block with one channel, `hil-link`, in
//! each direction. The host finds it by the symbol `_SEGGER_RTT` and pends interrupt 85 (SPI5,
//! which nobody uses) after it has written.

use core::{
    cell::UnsafeCell,
    ffi::CStr,
    sync::atomic::{AtomicU32, Ordering, compiler_fence},
};

use cortex_m::peripheral::NVIC;
use stm32f4::stm32f412::{Interrupt, interrupt};

const CHANNEL_BYTES: usize = 4096;
const NAME: &CStr = c"hil-link";
/// What does not fit is not written.
const FLAGS_SKIP: u32 = 0;

/// One direction's descriptor.
#[repr(C)]
struct Channel {
    name: *const core::ffi::c_char,
    buffer: *mut u8,
    size: u32,
    write: AtomicU32,
    read: AtomicU32,
    flags: u32,
}

#[repr(C)]
struct ControlBlock {
    id: [u8; 16],
    max_up_channels: u32,
    max_down_channels: u32,
    up: Channel,
    down: Channel,
}

// SAFETY: the offsets are atomic, all else is constant.
unsafe impl Sync for ControlBlock {}

#[repr(transparent)]
struct Buffer(UnsafeCell<[u8; CHANNEL_BYTES]>);

// SAFETY: a byte of a buffer belongs to the side that the offsets give it to.
unsafe impl Sync for Buffer {}

static UP: Buffer = Buffer(UnsafeCell::new([0; CHANNEL_BYTES]));
static DOWN: Buffer = Buffer(UnsafeCell::new([0; CHANNEL_BYTES]));

const fn channel(buffer: &'static Buffer) -> Channel {
    Channel {
        name: NAME.as_ptr(),
        buffer: buffer.0.get().cast(),
        size: CHANNEL_BYTES as u32,
        write: AtomicU32::new(0),
        read: AtomicU32::new(0),
        flags: FLAGS_SKIP,
    }
}

#[unsafe(no_mangle)]
#[used]
static _SEGGER_RTT: ControlBlock = ControlBlock {
    id: *b"SEGGER RTT\0\0\0\0\0\0",
    max_up_channels: 1,
    max_down_channels: 1,
    up: channel(&UP),
    down: channel(&DOWN),
};

/// Lets the host wake the processor.
pub fn start() {
    // SAFETY: the handler does nothing but end a WFI.
    unsafe { NVIC::unmask(Interrupt::SPI5) };
}

#[interrupt]
fn SPI5() {
    // Whoever waits looks at the channel; entering here has cleared the pending bit.
}

/// How many bytes fit into the channel to the host.
pub fn room() -> usize {
    let (write, read) = offsets(&_SEGGER_RTT.up);
    (read + CHANNEL_BYTES - write - 1) % CHANNEL_BYTES
}

/// Whether the host has taken all bytes.
pub fn is_drained() -> bool {
    let (write, read) = offsets(&_SEGGER_RTT.up);
    write == read
}

/// Whether bytes from the host wait.
pub fn has_input() -> bool {
    let (write, read) = offsets(&_SEGGER_RTT.down);
    write != read
}

/// Writes to the host. What does not fit is lost.
pub fn write(bytes: &[u8]) {
    let (start, _) = offsets(&_SEGGER_RTT.up);
    let count = bytes.len().min(room());
    for (index, &byte) in bytes[..count].iter().enumerate() {
        let target =
            UP.0.get()
                .cast::<u8>()
                .wrapping_add((start + index) % CHANNEL_BYTES);
        // SAFETY: within the buffer; the host reads these bytes after the offset has moved.
        unsafe { target.write_volatile(byte) };
    }
    compiler_fence(Ordering::Release);
    _SEGGER_RTT
        .up
        .write
        .store(((start + count) % CHANNEL_BYTES) as u32, Ordering::Release);
}

/// Reads from the host; returns how many bytes.
pub fn read(bytes: &mut [u8]) -> usize {
    let (write, start) = offsets(&_SEGGER_RTT.down);
    compiler_fence(Ordering::Acquire);
    let count = bytes
        .len()
        .min((write + CHANNEL_BYTES - start) % CHANNEL_BYTES);
    for (index, byte) in bytes[..count].iter_mut().enumerate() {
        let source = DOWN
            .0
            .get()
            .cast::<u8>()
            .wrapping_add((start + index) % CHANNEL_BYTES);
        // SAFETY: within the buffer; the host has written these bytes before it moved the offset.
        *byte = unsafe { source.read_volatile() };
    }
    _SEGGER_RTT
        .down
        .read
        .store(((start + count) % CHANNEL_BYTES) as u32, Ordering::Release);
    count
}

/// Write and read offset. The host writes one of them, so neither is trusted to be in range.
fn offsets(channel: &Channel) -> (usize, usize) {
    let offset = |value: &AtomicU32| value.load(Ordering::Acquire) as usize % CHANNEL_BYTES;
    (offset(&channel.write), offset(&channel.read))
}
