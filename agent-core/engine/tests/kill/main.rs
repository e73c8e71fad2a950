//! Kill -9 at any moment, 200 times: no acknowledged change is lost, and nothing is left that nobody accounts for.
//!
//! The parent hosts the southbound on a socket and says what is wanted; the child is an agent with a journal in a file.
//! The child is killed at a random moment: while it starts, after so many operations of the southbound, before or after
//! the effect of the last one, after so many reports, or after some microseconds. Then the parent reads the journal:
//!
//! * of each change that was reported the effect is there, of one that was not, all or nothing;
//! * each object of the southbound is recorded as made by the agent.
//!
//! The next child starts on what the one before has left. Now and then it is given the time to come to rest; then the
//! southbound is what is wanted and can be, and another start does nothing.
//!
//! `KILL_SEED` repeats a course of events, as far as the machine lets it; `KILLS` is how many.

#![allow(clippy::print_stdout)]

mod child;
mod southbound;
mod wishes;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use fastrand::Rng;
use serde::{Deserialize, Serialize};
use vpp_agent_engine::{Journal, RedbJournal};

use southbound::Southbound;
use wishes::{Change, Wishes};

/// One line to the child.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Order {
    number: u32,
    changes: Vec<Change>,
    revert: bool,
    /// The changes are all that is wanted.
    whole: bool,
}

/// One line of the child.
#[derive(Debug, Serialize, Deserialize)]
enum Told {
    /// It has started and come to rest.
    Rests,
    Reported(u32, String),
}

/// A child that runs.
struct Agent {
    process: Arc<Mutex<std::process::Child>>,
    orders: ChildStdin,
    told: Receiver<Told>,
    reader: JoinHandle<()>,
}

impl Agent {
    fn start(folder: &Path) -> Self {
        let mut process = Command::new(std::env::current_exe().expect("this program"))
            .env(child::FOLDER, folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a child");
        let orders = process.stdin.take().expect("its input");
        let output = BufReader::new(process.stdout.take().expect("its output"));
        let (tell, told) = channel();
        let reader = std::thread::spawn(move || {
            // A line that was cut short was not told.
            for line in output.lines().map_while(Result::ok) {
                if let Ok(line) = serde_json::from_str(&line) {
                    let _ = tell.send(line);
                }
            }
        });
        Self { process: Arc::new(Mutex::new(process)), orders, told, reader }
    }

    fn kill(&self) {
        southbound::kill(&self.process);
    }

    /// After its end: what it told and nobody has read yet.
    fn last_words(self) -> Vec<Told> {
        self.process.lock().expect("the child").wait().expect("its end");
        self.reader.join().expect("its reader");
        self.told.try_iter().collect()
    }
}

/// When a child is killed.
#[derive(Clone, Copy, Debug)]
enum Moment {
    Starting(Duration),
    Operation { after: u32, with_effect: bool },
    Report(u32),
    Time(Duration),
}

impl Moment {
    fn any(random: &mut Rng) -> Self {
        match random.u32(..10) {
            0 => Self::Starting(Duration::from_micros(random.u64(..40_000))),
            1..5 => Self::Operation { after: random.u32(1..25), with_effect: random.bool() },
            5 | 6 => Self::Report(random.u32(1..8)),
            _ => Self::Time(Duration::from_micros(random.u64(..12_000))),
        }
    }
}

#[derive(Default)]
struct Tally {
    reported: usize,
    taken_back: usize,
    unreported_whole: usize,
    unreported_nothing: usize,
    rests: usize,
}

struct Course {
    random: Rng,
    folder: tempfile::TempDir,
    southbound: Southbound,
    wishes: Wishes,
    number: u32,
    tally: Tally,
}

impl Course {
    /// A child under load until it is killed.
    fn kill(&mut self) {
        let moment = Moment::any(&mut self.random);
        let agent = Agent::start(self.folder.path());
        match moment {
            Moment::Operation { after, with_effect } => {
                self.southbound.kill_at(after, with_effect, agent.process.clone());
            }
            Moment::Starting(after) => {
                std::thread::sleep(after);
                agent.kill();
            }
            _ => {}
        }
        let mut open: Vec<Order> = Vec::new();
        let (mut reports, mut begun) = (0, None);
        let mut agent = agent;
        loop {
            // Changes that are under way at the same time touch different items.
            if begun.is_some() && open.len() < 3 {
                match self.wishes.order(&mut self.random, self.number, &open) {
                    Some(order) => {
                        self.number += 1;
                        let line = serde_json::to_string(&order).expect("a line") + "\n";
                        open.push(order);
                        if agent.orders.write_all(line.as_bytes()).is_err() {
                            break;
                        }
                        continue;
                    }
                    None if open.is_empty() => continue,
                    None => {}
                }
            }
            let left = match (moment, begun) {
                (Moment::Time(after), Some(begun)) => after.saturating_sub(Instant::elapsed(&begun)),
                _ => Duration::from_secs(20),
            };
            match agent.told.recv_timeout(left) {
                Ok(Told::Rests) => begun = Some(Instant::now()),
                Ok(Told::Reported(number, ending)) => {
                    self.reported(&mut open, number, &ending);
                    reports += 1;
                    if matches!(moment, Moment::Report(most) if reports >= most) {
                        agent.kill();
                    }
                }
                Err(RecvTimeoutError::Timeout) if matches!(moment, Moment::Time(_)) && begun.is_some() => {
                    agent.kill()
                }
                Err(RecvTimeoutError::Timeout) => panic!("the child hangs: {moment:?}, open: {open:?}"),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        for told in agent.last_words() {
            if let Told::Reported(number, ending) = told {
                self.reported(&mut open, number, &ending);
            }
        }
        self.southbound.drain();
        self.compare(moment, &open);
    }

    fn reported(&mut self, open: &mut Vec<Order>, number: u32, ending: &str) {
        let at = open.iter().position(|order| order.number == number).expect("a change that is under way");
        let order = open.remove(at);
        self.tally.reported += 1;
        if order.revert && order.changes.iter().any(|change| change.is_bad()) {
            assert_eq!(ending, "Reverted", "{order:?}");
            self.tally.taken_back += 1;
        } else {
            assert_eq!(ending, "Applied", "{order:?}");
            self.wishes.apply(&order);
        }
    }

    /// What the journal says after an end.
    fn compare(&mut self, moment: Moment, open: &[Order]) {
        let remembered = RedbJournal::open(self.folder.path().join("state"))
            .map(|mut journal| journal.load().expect("what was recorded"))
            .unwrap_or_else(|error| panic!("after {moment:?}: {error}"));
        let wanted: BTreeMap<String, serde_json::Value> =
            remembered.wanted.into_iter().map(|of| (of.key.to_string(), of.value)).collect();
        for order in open {
            // Of what was not reported, all or nothing: the others touch other items.
            let with = self.wishes.with(order);
            let touched: Vec<&String> = self.wishes.touched(order);
            let same = |as_in: &BTreeMap<String, serde_json::Value>| {
                touched.iter().all(|key| as_in.get(*key) == wanted.get(*key))
            };
            if same(&with.json()) {
                assert!(!order.changes.iter().any(|change| change.is_bad()), "{order:?}");
                self.tally.unreported_whole += 1;
                self.wishes = with;
            } else {
                assert!(
                    same(&self.wishes.json()),
                    "{moment:?}: half of it is wanted: {order:?}: {wanted:#?}"
                );
                self.tally.unreported_nothing += 1;
            }
        }
        assert_eq!(wanted, self.wishes.json(), "{moment:?}: what was reported is wanted, and nothing else");
        let owned: Vec<String> = remembered.owned.into_iter().map(|(key, _)| key.to_string()).collect();
        for key in self.southbound.content().keys() {
            assert!(owned.contains(key), "{moment:?}: {key} is there and nobody has recorded it");
        }
    }

    /// A child that comes to rest.
    fn rest(&mut self) {
        let agent = Agent::start(self.folder.path());
        let rests = agent.told.recv_timeout(Duration::from_secs(20));
        assert!(matches!(rests, Ok(Told::Rests)), "{rests:?}");
        agent.kill();
        agent.last_words();
        self.southbound.drain();
        assert_eq!(
            self.southbound.content(),
            self.wishes.possible(),
            "what is there is what is wanted and can be"
        );
        self.tally.rests += 1;
    }
}

fn course(place: &Path, kills: u64, random: Rng, tally: Tally) -> Tally {
    let folder = tempfile::tempdir_in(place).expect("a folder");
    let southbound = Southbound::host(&folder.path().join("southbound"));
    let mut course = Course { random, folder, southbound, wishes: Wishes::default(), number: 1, tally };
    for round in 0..kills {
        course.kill();
        if round % 10 == 9 {
            course.rest();
            let mutations = course.southbound.mutations();
            course.rest();
            assert_eq!(course.southbound.mutations(), mutations, "a start on what is right does nothing");
        }
    }
    course.tally
}

fn main() {
    if let Some(folder) = std::env::var_os(child::FOLDER) {
        return child::run(Path::new(&folder));
    }
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let seed = number("KILL_SEED").unwrap_or_else(|| fastrand::u64(..));
    let kills = number("KILLS").unwrap_or(200);
    println!("{kills} kills, seed {seed}");
    // Most of them in memory, where nothing waits for a disk; the others where the journal of an agent is.
    let memory = Path::new("/dev/shm");
    let on_disk = if memory.is_dir() { kills / 4 } else { kills };
    let mut tally = Tally::default();
    for (place, kills) in [(memory, kills - on_disk), (&std::env::temp_dir(), on_disk)] {
        if kills > 0 {
            tally = course(place, kills, Rng::with_seed(seed), tally);
        }
    }
    let Tally { reported, taken_back, unreported_whole, unreported_nothing, rests } = tally;
    println!(
        "{reported} changes reported, {taken_back} of them taken back; cut short: {unreported_whole} in force, \
         {unreported_nothing} not; {rests} times at rest"
    );
    // The test has seen what it is about.
    if kills >= 200 {
        assert!(reported > 200 && taken_back > 5 && unreported_whole > 5 && unreported_nothing > 5);
    }
}
