//! Counts the instructions that a process executes in user space: the counter of `perf stat -e instructions:u -p`, read
//! from here, so that it goes with the clock of every block.

use std::ffi::{c_int, c_long, c_ulong};
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::FromRawFd;

pub struct Counter(File);

/// `struct perf_event_attr` in its first published size, which every kernel takes.
#[repr(C)]
#[derive(Default)]
struct Attributes {
    kind: u32,
    size: u32,
    config: u64,
    sample_period: u64,
    sample_type: u64,
    read_format: u64,
    flags: u64,
    wakeup_events: u32,
    bp_type: u32,
    bp_addr: u64,
}

const PERF_TYPE_HARDWARE: u32 = 0;
const PERF_COUNT_HW_INSTRUCTIONS: u64 = 1;
const EXCLUDE_KERNEL: u64 = 1 << 5;
const EXCLUDE_HYPERVISOR: u64 = 1 << 6;
const PERF_FLAG_FD_CLOEXEC: c_ulong = 1 << 3;

unsafe extern "C" {
    fn syscall(number: c_long, ...) -> c_long;
}

impl Counter {
    /// An error where the machine has no such counter, or the kernel does not let us.
    pub fn of(process: i32) -> io::Result<Counter> {
        let number: c_long = match std::env::consts::ARCH {
            "x86_64" => 298,
            "aarch64" => 241,
            _ => return Err(io::ErrorKind::Unsupported.into()),
        };
        let attributes = Attributes {
            kind: PERF_TYPE_HARDWARE,
            size: size_of::<Attributes>() as u32,
            config: PERF_COUNT_HW_INSTRUCTIONS,
            flags: EXCLUDE_KERNEL | EXCLUDE_HYPERVISOR,
            ..Attributes::default()
        };
        let (any_cpu, no_group): (c_int, c_int) = (-1, -1);
        // SAFETY: perf_event_open(2) with its five arguments; it reads the attributes, as long as they say they are.
        let descriptor =
            unsafe { syscall(number, &raw const attributes, process, any_cpu, no_group, PERF_FLAG_FD_CLOEXEC) };
        if descriptor < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: a descriptor of our own, just opened.
        Ok(Counter(unsafe { File::from_raw_fd(descriptor as c_int) }))
    }

    pub fn read(&self) -> u64 {
        let mut count = [0; 8];
        (&self.0).read_exact(&mut count).expect("the counter");
        u64::from_ne_bytes(count)
    }
}
