//! A stand-in for Renode: its Robot Framework and External Control servers around a machine that
//! only remembers what was written to it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, ExitCode, exit};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What cannot be typed.
pub const REFUSED: u8 = 0;

#[derive(Default)]
struct Machine {
    manner: String,
    /// Whether the log is written before time goes on.
    logs_at_once: bool,
    time: u64,
    memory: BTreeMap<u64, u8>,
    console: Option<PathBuf>,
    bridge: u16,
    chip: Option<TcpStream>,
    commands: Vec<String>,
}

pub fn run(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let manner = arguments.next().unwrap().into_string().unwrap();
    let arguments: Vec<OsString> = arguments.collect();
    if arguments.iter().any(|it| it == "--version") {
        println!("Renode v1.16.1.1\n  runtime: Mono 6");
        return ExitCode::SUCCESS;
    }
    let config = arguments.iter().position(|it| it == "--config").unwrap();
    let config = fs::read_to_string(&arguments[config + 1]).unwrap();
    let logs_at_once = config == "[general]\nuse-synchronous-logging = true\n";
    println!("stand-in: {manner}");
    match &*manner {
        "dies" => {
            println!("it goes wrong");
            return ExitCode::from(7);
        }
        "hangs" => forever(),
        // As a launcher does that does not hand its process over.
        "launches" => {
            // Its id outside of a process namespace, which only the file system knows.
            let script =
                "read id rest < /proc/self/stat && echo $id > grandchild && exec sleep 1000";
            Command::new("sh").args(["-c", script]).status().unwrap();
        }
        _ => {}
    }
    let folder = PathBuf::from(std::env::var_os("TMPDIR").unwrap());
    let folder = folder.join(format!("renode-{}", std::process::id()));
    fs::create_dir(&folder).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    fs::write(folder.join("robot_port"), port.to_string()).unwrap();
    let machine = Arc::new(Mutex::new(Machine {
        manner,
        logs_at_once,
        ..Machine::default()
    }));
    for stream in listener.incoming() {
        robot(stream.unwrap(), &machine);
    }
    ExitCode::SUCCESS
}

fn forever() -> ! {
    loop {
        thread::sleep(Duration::from_secs(1));
    }
}

fn robot(mut stream: TcpStream, machine: &Arc<Mutex<Machine>>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let manner = machine.lock().unwrap().manner.clone();
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            if let Some(text) = line.strip_prefix("Content-Length: ") {
                length = text.trim().parse().unwrap();
            }
            if line == "\r\n" {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        if manner == "garbage" {
            let _ = stream.write_all(b"SSH-2.0-OpenSSH_9\r\n");
            return;
        }
        let body = String::from_utf8(body).unwrap();
        let call = roxmltree::Document::parse(&body).unwrap();
        let strings: Vec<String> = call
            .descendants()
            .filter(|node| node.has_tag_name("string"))
            .map(|node| node.text().unwrap_or_default().to_owned())
            .collect();
        let members = match obey(&strings[0], strings.get(1).map_or("", |it| it), machine) {
            Ok(text) => member("status", "PASS") + &member("return", &text),
            Err(text) => member("status", "FAIL") + &member("error", &text),
        };
        let answer = format!(
            "<?xml version=\"1.0\"?><methodResponse><params><param><value><struct>{members}\
             </struct></value></param></params></methodResponse>"
        );
        // Every other connection is closed, as a server may do.
        let closing = machine.lock().unwrap().commands.len().is_multiple_of(2);
        let connection = if closing { "close" } else { "keep-alive" };
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: {connection}\r\n\r\n",
            answer.len()
        );
        if stream.write_all((head + &answer).as_bytes()).is_err() || closing {
            return;
        }
    }
}

fn member(name: &str, text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    format!("<member><name>{name}</name><value><string>{text}</string></value></member>")
}

fn obey(keyword: &str, argument: &str, shared: &Arc<Mutex<Machine>>) -> Result<String, String> {
    let mut machine = shared.lock().unwrap();
    machine.commands.push(argument.into());
    // A blank after a backslash does not end a word.
    let argument = argument.replace("\\ ", "\u{a0}");
    let words: Vec<String> = argument
        .split(' ')
        .map(|word| word.replace('\u{a0}', " "))
        .collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match (keyword, &*words) {
        ("ResetEmulation", _) => {
            let manner = core::mem::take(&mut machine.manner);
            *machine = Machine {
                manner,
                logs_at_once: machine.logs_at_once,
                ..Machine::default()
            };
        }
        ("ExecuteScript", _) if machine.manner == "refuses" => {
            println!("it compiles");
            return Err("error CS1002: ; expected".into());
        }
        ("ExecuteScript", [path])
            if machine.manner == "compiles one by one" && path.ends_with("/peripherals.resc") =>
        {
            return Err("Bad parameters for command include".into());
        }
        ("ExecuteCommand", ["emulation", "CreateExternalControlServer", _, port]) => {
            let listener = TcpListener::bind(("127.0.0.1", port.parse::<u16>().unwrap())).unwrap();
            let shared = Arc::clone(shared);
            thread::spawn(move || control(listener.accept().unwrap().0, &shared));
        }
        ("ExecuteCommand", ["sysbus.i2c.stsafe", "Port", port]) => {
            machine.bridge = port.parse().unwrap();
        }
        ("ExecuteCommand", ["sysbus.i2c.stsafe", "Failure"]) => {
            return Ok(match &*machine.manner {
                "gives the chip up" => "the server does not answer\n".into(),
                "does not find the chip" => "nothing listens\n".into(),
                _ => "\n".into(),
            });
        }
        ("ExecuteCommand", ["sysbus.usart6", "CreateFileBackend", path, "true"]) => {
            machine.console = Some(path.trim_start_matches('@').into());
        }
        ("ExecuteCommand", ["sysbus.usart6", "WriteChar", ..]) => {
            let typed: Vec<u8> = argument
                .split(';')
                .filter_map(|it| it.trim().strip_prefix("sysbus.usart6 WriteChar 0x"))
                .map(|digits| u8::from_str_radix(digits, 16).unwrap())
                .collect();
            if typed == [REFUSED] {
                return Err("no such character".into());
            }
            machine.print(&typed);
        }
        ("ExecuteCommand", ["sysbus.i2c.display", "Picture"]) => {
            return Ok("8".to_owned() + &"0".repeat(2047));
        }
        ("ExecuteCommand", ["sysbus.cpu", "ExecutedInstructions"]) => {
            return Ok("0x00000000000001F4\n".into());
        }
        ("ExecuteCommand", ["sysbus", "LoadBinary", path, address]) => {
            let bytes = fs::read(path.trim_start_matches('@')).unwrap();
            let address = u64::from_str_radix(address.trim_start_matches("0x"), 16).unwrap();
            machine.memory.extend((address..).zip(bytes));
        }
        _ => {}
    }
    Ok(String::new())
}

impl Machine {
    /// By the watchdog at first, later not.
    fn reset_itself(&mut self) {
        self.memory.extend((0x1FFF_0000..).zip([1, 0, 0, 0]));
        match (self.time == 0, self.logs_at_once) {
            (true, true) => println!("[WARNING] iwdg: Watchdog reset triggered!"),
            (true, false) => {
                thread::spawn(|| {
                    thread::sleep(Duration::from_millis(300));
                    println!("[WARNING] iwdg: Watchdog reset triggered!");
                });
            }
            (false, _) => {}
        }
    }

    fn print(&self, bytes: &[u8]) {
        let mut options = OpenOptions::new();
        let mut file = options
            .append(true)
            .create(true)
            .open(self.console.as_ref().unwrap())
            .unwrap();
        file.write_all(bytes).unwrap();
    }
}

fn control(mut stream: TcpStream, shared: &Mutex<Machine>) {
    let manner = shared.lock().unwrap().manner.clone();
    let count = usize::from(u16::from_le_bytes(read(&mut stream)));
    for _ in 0..count {
        let _: [u8; 2] = read(&mut stream);
    }
    match &*manner {
        "other version" => {
            let text = b"Encountered invalid version (0x0) for RunFor, expected 0x1";
            let length = (text.len() as u32).to_le_bytes();
            stream
                .write_all(&[&[1], &length[..], text].concat())
                .unwrap();
            return;
        }
        "garbage later" => return stream.write_all(b"HTTP").unwrap(),
        _ => stream.write_all(&[5]).unwrap(),
    }
    loop {
        let head: [u8; 7] = read(&mut stream);
        assert_eq!(&head[..2], b"RE");
        let length = u32::from_le_bytes(head[3..].try_into().unwrap());
        let mut payload = vec![0; length as usize];
        stream.read_exact(&mut payload).unwrap();
        let data = match head[2] {
            1 => {
                match &*manner {
                    "dies later" => exit(9),
                    "stops" => forever(),
                    _ => {}
                }
                let mut machine = shared.lock().unwrap();
                let before = machine.time;
                if manner == "resets itself" {
                    machine.reset_itself();
                }
                machine.time += u64::from_le_bytes(payload.try_into().unwrap());
                if before == 0 {
                    machine.print(b"hello\r\n");
                    machine.chip = match &*manner {
                        "does not find the chip" => None,
                        _ => Some(talk_to_chip(machine.bridge, &manner)),
                    };
                } else if manner == "gives the chip up" {
                    machine.chip = None;
                }
                vec![]
            }
            2 => shared.lock().unwrap().time.to_le_bytes().to_vec(),
            3 => 0i32.to_le_bytes().to_vec(),
            6 if payload[..4] == (-1i32).to_le_bytes() => 7i32.to_le_bytes().to_vec(),
            6 => transfer(&mut shared.lock().unwrap(), &payload),
            other => panic!("command {other}"),
        };
        let mut answer = vec![if data.is_empty() { 4 } else { 3 }, head[2]];
        if !data.is_empty() {
            answer.extend((data.len() as u32).to_le_bytes());
            answer.extend(data);
        }
        if stream.write_all(&answer).is_err() {
            return;
        }
    }
}

fn transfer(machine: &mut Machine, payload: &[u8]) -> Vec<u8> {
    let unit = u64::from(payload[5].max(1));
    let address = u64::from_le_bytes(payload[6..14].try_into().unwrap());
    let count = u64::from(u32::from_le_bytes(payload[14..18].try_into().unwrap())) * unit;
    if payload[4] == 1 {
        assert_eq!(count as usize, payload.len() - 18);
        machine
            .memory
            .extend((address..).zip(payload[18..].iter().copied()));
        return Vec::new();
    }
    (address..address + count)
        .map(|at| machine.memory.get(&at).copied().unwrap_or(0xEE))
        .collect()
}

/// Switches the chip on while time passes.
fn talk_to_chip(port: u16, manner: &str) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let mut ask = |kind: u8, payload: &[u8]| {
        let length = ((9 + payload.len()) as u16).to_le_bytes();
        let time = 250_000u64.to_le_bytes();
        stream
            .write_all(&[&length[..], &[kind], &time, payload].concat())
            .unwrap();
        let length = usize::from(u16::from_le_bytes(read(&mut stream)));
        let mut answer = vec![0; length];
        stream.read_exact(&mut answer).unwrap();
        answer
    };
    if manner == "breaks the bridge" {
        ask(6, &[]);
    } else {
        assert_eq!(ask(1, b"HILSTSFE\x01\0")[0], 0x81);
        assert_eq!(ask(2, &[1])[0], 0x82);
    }
    stream
}

fn read<const N: usize>(stream: &mut TcpStream) -> [u8; N] {
    let mut bytes = [0; N];
    if stream.read_exact(&mut bytes).is_err() {
        // The harness is done with it.
        forever();
    }
    bytes
}
