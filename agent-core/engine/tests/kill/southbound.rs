//! The southbound: things by key, on a socket. It outlives the agents.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::{Arc, Mutex, MutexGuard};

use serde::{Deserialize, Serialize};

use crate::wishes::Thing;

/// One line to the southbound, which answers with one.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Request {
    Observe(String),
    Operate(Vec<Operation>),
    /// All that was sent before has been done.
    Drain,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Operation {
    pub(crate) action: String,
    pub(crate) key: String,
    pub(crate) thing: Thing,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Answer {
    Observed(Vec<Thing>),
    Operated(Vec<Result<(), String>>),
    Drained,
}

struct Kill {
    after: u32,
    with_effect: bool,
    victim: Arc<Mutex<Child>>,
}

#[derive(Default)]
struct World {
    things: BTreeMap<String, Thing>,
    mutations: u32,
    kill: Option<Kill>,
}

#[derive(Clone)]
pub(crate) struct Southbound {
    world: Arc<Mutex<World>>,
    path: PathBuf,
}

/// When it returns the victim does nothing any more.
pub(crate) fn kill(victim: &Mutex<Child>) {
    let mut victim = victim.lock().expect("the child");
    // It may have been killed already.
    let _ = victim.kill();
    victim.wait().expect("its end");
}

impl Southbound {
    pub(crate) fn host(path: &Path) -> Self {
        let listener = UnixListener::bind(path).expect("a socket");
        let southbound = Self { world: Arc::default(), path: path.to_owned() };
        let host = southbound.clone();
        // One connection after the other, in the order in which they came.
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                // The end of an agent that was killed in the middle of a line.
                let _ = host.answer(&stream);
            }
        });
        southbound
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().expect("the world")
    }

    fn answer(&self, stream: &UnixStream) -> std::io::Result<()> {
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line)?;
        let answer = match serde_json::from_str(&line)? {
            Request::Observe(kind) => {
                let prefix = format!("{kind}/");
                let world = self.world();
                let of_kind = world.things.iter().filter(|(key, _)| key.starts_with(&prefix));
                Answer::Observed(of_kind.map(|(_, thing)| thing.clone()).collect())
            }
            Request::Operate(operations) => Answer::Operated(
                operations.into_iter().map(|operation| self.world().operate(operation)).collect(),
            ),
            Request::Drain => Answer::Drained,
        };
        let mut stream = stream;
        stream.write_all(&serde_json::to_vec(&answer)?)
    }

    /// Kills an agent when it has done so many operations: before or after the effect of the last one.
    pub(crate) fn kill_at(&self, after: u32, with_effect: bool, victim: Arc<Mutex<Child>>) {
        self.world().kill = Some(Kill { after, with_effect, victim });
    }

    /// Waits until what an agent sent before its end is done.
    pub(crate) fn drain(&self) {
        let mut stream = UnixStream::connect(&self.path).expect("the southbound");
        stream.write_all(&serde_json::to_vec(&Request::Drain).expect("a line")).expect("the southbound");
        stream.write_all(b"\n").expect("the southbound");
        let mut answer = String::new();
        BufReader::new(stream).read_line(&mut answer).expect("an answer");
        self.world().kill = None;
    }

    pub(crate) fn content(&self) -> BTreeMap<String, Thing> {
        self.world().things.clone()
    }

    pub(crate) fn mutations(&self) -> u32 {
        self.world().mutations
    }
}

impl World {
    fn operate(&mut self, operation: Operation) -> Result<(), String> {
        let Operation { action, key, thing } = operation;
        let kill_now = self.kill.as_mut().is_some_and(|kill| {
            kill.after -= 1;
            kill.after == 0
        });
        let due = if kill_now { self.kill.take() } else { None };
        if let Some(due) = due.as_ref().filter(|due| !due.with_effect) {
            kill(&due.victim);
            return Err("killed".to_owned());
        }
        let done = self.apply(&action, key, thing);
        if let Some(due) = due {
            kill(&due.victim);
        }
        done
    }

    fn apply(&mut self, action: &str, key: String, thing: Thing) -> Result<(), String> {
        self.mutations += 1;
        let there = self.things.contains_key(&key);
        let stood = |port: &String| self.things.contains_key(&format!("port/{port}"));
        match action {
            _ if thing.bad && action != "delete" => return Err("refused".to_owned()),
            "create" | "update" if (action == "update") == there => {
                assert!(thing.port.as_ref().is_none_or(stood), "{action} {key}: without its port");
                self.things.insert(key, thing);
            }
            "delete" if there => {
                self.things.remove(&key);
            }
            // What a killed agent asked may be done when the next one asks the same; here it never is.
            _ => panic!("{action} {key}: it is {}there", if there { "" } else { "not " }),
        }
        Ok(())
    }
}
