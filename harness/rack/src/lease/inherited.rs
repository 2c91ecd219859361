//! A lease that this process has from its parent: `hil rack lease x -- hil run --target board:x`.

use std::path::Path;

/// Whether this process holds the lock on the file at `path` through a handle that it inherited.
///
/// No variable is trusted: a handle counts if it is open on that very file, if this process did not
/// open it itself (it outlives exec), and if the kernel says that the lock belongs to it
/// (proc_pid_fdinfo(5)). One whose owner gave the lock back has none any more.
#[cfg(target_os = "linux")]
pub fn is_held(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let (Ok(file), Ok(handles)) = (
        std::fs::symlink_metadata(path),
        std::fs::read_dir("/proc/self/fd"),
    ) else {
        return false;
    };
    handles.flatten().any(|handle| {
        // The link leads to the open file, whatever its name is by now.
        let opened = std::fs::metadata(handle.path());
        let is_this = opened.is_ok_and(|it| (it.dev(), it.ino()) == (file.dev(), file.ino()));
        let info = Path::new("/proc/self/fdinfo").join(handle.file_name());
        is_this && std::fs::read_to_string(info).is_ok_and(|info| holds_inherited_lock(&info))
    })
}

/// Other kernels do not tell.
#[cfg(not(target_os = "linux"))]
pub fn is_held(_: &Path) -> bool {
    false
}

/// Reads a file of /proc/self/fdinfo.
#[cfg(target_os = "linux")]
fn holds_inherited_lock(info: &str) -> bool {
    /// O_CLOEXEC of every architecture but Alpha, PA-RISC and SPARC.
    const CLOEXEC: u32 = 0o2_000_000;
    let field = |name: &str| info.lines().find_map(|line| line.strip_prefix(name));
    let flags = field("flags:").and_then(|flags| u32::from_str_radix(flags.trim(), 8).ok());
    let is_inherited = flags.is_some_and(|flags| flags & CLOEXEC == 0);
    let is_locked = info.lines().any(|line| {
        let mut words = line.split_whitespace();
        words.next() == Some("lock:")
            && words.any(|word| word == "FLOCK")
            && words.any(|word| word == "WRITE")
    });
    is_inherited && is_locked
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use rstest::rstest;

    const LOCK: &str = "lock:\t1: FLOCK  ADVISORY  WRITE 4711 00:2b:98 0 EOF\n";

    #[rstest]
    #[case::inherited("flags:\t0100002\n", LOCK, true)]
    #[case::its_own("flags:\t02100002\n", LOCK, false)]
    #[case::without_a_lock("flags:\t0100002\n", "", false)]
    #[case::shared(
        "flags:\t0100002\n",
        "lock:\t1: FLOCK  ADVISORY  READ 1 00:2b:98 0 EOF\n",
        false
    )]
    #[case::of_another_kind(
        "flags:\t0100002\n",
        "lock:\t1: POSIX  ADVISORY  WRITE 1 0 EOF\n",
        false
    )]
    #[case::nonsense("flags:\tno\n", LOCK, false)]
    fn a_handle_counts(#[case] flags: &str, #[case] lock: &str, #[case] holds: bool) {
        let info = format!("pos:\t0\n{flags}mnt_id:\t33\nino:\t98\n{lock}");
        assert_eq!(holds_inherited_lock(&info), holds);
    }

    #[test]
    fn a_lock_of_this_process_is_not_inherited() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.lock");
        let file = std::fs::File::create(&path).unwrap();
        file.lock().unwrap();
        assert!(!is_held(&path));
        // A handle that outlives exec is what a child gets.
        let child = rustix::io::dup(&file).unwrap();
        assert!(is_held(&path));
        file.unlock().unwrap();
        assert!(!is_held(&path), "given back");
        drop(child);
    }
}
