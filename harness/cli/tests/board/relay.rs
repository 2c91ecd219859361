//! Buttons that relays press.

use std::fs;
use std::time::Duration;

use az3166_emulator::Button;
use rstest::rstest;

use crate::rack::{Rack, Watched, watch};

/// Writes down what it is asked for and whether the board is leased meanwhile, and waits until that
/// was done. It talks, as such programs do.
const SCRIPT: &str = r#"
flock --nonblock "$1"/locks/*.lock true && lease=free || lease=held
mkdir -p "$1/done"
echo "$2 $3 $lease" >> "$1/asked"
echo "relay $2 is $3"
until rmdir "$1/done/$2-$3" 2>/dev/null; do sleep 0.01; done
"#;

/// A rack whose board has relays that `script` works.
fn rack(script: &str) -> Rack {
    let rack = Rack::of(&["desk"]);
    let folder = rack.path("");
    fs::write(rack.path("relay.sh"), script).unwrap();
    rack.add_to_file(&format!(
        "    buttons: {{relay: {{command: [sh, {0}/relay.sh, {0}, '{{pin}}', '{{state}}']}}}}\n",
        folder.display()
    ));
    rack
}

fn run(rack: &Rack, steps: &str) -> Watched {
    let text = format!("needs: [console, buttons]\nsteps:\n{steps}");
    let mut command = rack.command("desk", &["--take-over", "--json"]);
    command.arg(rack.scenario("pressing", &text));
    watch(command, |_| {})
}

/// Does to the board what its relays are asked for, until `rack` is `over`.
fn serve(rack: &Rack, over: impl Fn() -> bool) {
    let mut served = 0;
    while !over() {
        std::thread::sleep(Duration::from_millis(5));
        let asked = fs::read_to_string(rack.path("asked")).unwrap_or_default();
        for line in asked.lines().skip(served) {
            let mut words = line.split(' ');
            let (pin, state) = (words.next().unwrap(), words.next().unwrap());
            let button = match pin {
                "4" => Button::A,
                _ => Button::B,
            };
            rack.board().with(|kit| match state {
                "pressed" => kit.press(button),
                _ => kit.release(button),
            });
            fs::create_dir(rack.path(&format!("done/{pin}-{state}"))).unwrap();
            served += 1;
        }
    }
}

/// The last step leaves B pressed: whoever has the board next must not find it so.
#[rstest]
#[case::one("  - reset: {hold: A}\n  - console: {expect: \"Configuration console:\"}\n",
    &["4 pressed held", "4 released held"])]
#[case::left_pressed("  - reset: {}\n  - console: {expect: \"MAC: \"}\n  - hold: B\n",
    &["10 pressed held", "10 released held"])]
fn a_relay_presses_the_button(#[case] steps: &str, #[case] asked: &[&str]) {
    let rack = rack(SCRIPT);
    let watched = std::thread::scope(|scope| {
        let running = scope.spawn(|| run(&rack, steps));
        serve(&rack, || running.is_finished());
        running.join().unwrap()
    });
    assert_eq!(watched.code, Some(0), "{watched:#?}");
    assert_eq!(rack.text("asked").lines().collect::<Vec<_>>(), asked);
}

#[test]
fn a_relay_that_fails_is_infrastructure_trouble() {
    let rack = rack("echo \"no relay $2\" >&2; exit 3");
    let watched = run(&rack, "  - reset: {hold: A}\n");
    assert_eq!(watched.code, Some(3), "{watched:#?}");
    let finished = watched.news.iter().rev().nth(1).unwrap();
    let what = finished["error"]["what"].as_str().unwrap();
    let told = "the button's relay did not work: sh: no relay 4 (exit status: 3)";
    assert!(what.contains(told), "{what}");
    assert!(what.contains("check `buttons` in the rack file"), "{what}");
}
