//! `cargo xtask callgrind`: instructions of hot paths, which are the same on a busy machine.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

/// What is counted; subjects of the program `instructions`.
const SUBJECTS: [&str; 6] = ["encode", "decode", "view", "call", "pipeline", "transaction"];

/// Where the counts are that a change is compared with.
const COMMITTED: &str = "bench/instructions/committed.txt";

/// Rises of more than this part fail.
const TOLERANCE: f64 = 0.05;

/// What to do with the counts.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Fail when one is more than 5 % above the committed count
    #[arg(long)]
    check: bool,
    /// Write them as the committed counts
    #[arg(long, conflicts_with = "check")]
    update: bool,
}

/// Counts, and tells the counts beside those that are committed.
pub(crate) fn run(root: &Path, arguments: &Arguments) -> Result<()> {
    let mut out = std::io::stdout().lock();
    if Command::new("valgrind").arg("--version").output().is_err() {
        ensure!(!arguments.update, "there is no valgrind");
        writeln!(out, "skipped: callgrind: there is no valgrind")?;
        return Ok(());
    }
    let committed = Committed::read(&root.join(COMMITTED))?;
    let compiler = compiler(root)?;
    if arguments.check && committed.compiler != compiler {
        // Another compiler makes other instructions of the same source.
        writeln!(
            out,
            "skipped: callgrind: the committed counts are of {}, this is {compiler}; cargo xtask callgrind --update",
            committed.compiler
        )?;
        return Ok(());
    }
    let program = build(root)?;
    let mut counts = BTreeMap::new();
    let mut risen = Vec::new();
    for subject in SUBJECTS {
        let count = count(root, &program, subject)?;
        let before = committed.counts.get(subject).copied();
        // A subject without a committed count would never fail.
        ensure!(!arguments.check || before.is_some(), "{COMMITTED} has no count of {subject}");
        let change = before.map_or(0.0, |before| count as f64 / before as f64 - 1.0);
        let before = before.map_or_else(|| "none".to_owned(), |before| before.to_string());
        writeln!(
            out,
            "{subject:<11} {count:>12} instructions, committed {before:>12}, {:+.2} %",
            change * 100.0
        )?;
        if change > TOLERANCE {
            risen.push(subject);
        }
        counts.insert(subject.to_owned(), count);
    }
    if arguments.update {
        Committed { compiler, counts }.write(&root.join(COMMITTED))?;
    } else if arguments.check && !risen.is_empty() {
        bail!("{} became dearer; if it has to be: cargo xtask callgrind --update", risen.join(", "));
    }
    Ok(())
}

fn build(root: &Path) -> Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .current_dir(root)
        .args(["build", "--quiet", "--profile", "counted", "--package", "vppkit-instructions"])
        .status()
        .context("cannot run cargo")?;
    ensure!(status.success(), "building failed: {status}");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    Ok(target.join("counted/instructions"))
}

/// The compiler and its target: `rustc 1.95.0 (59807616e 2026-04-14) x86_64-unknown-linux-gnu`.
fn compiler(root: &Path) -> Result<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let told = Command::new(rustc).current_dir(root).arg("-vV").output().context("cannot run rustc")?;
    let told = String::from_utf8_lossy(&told.stdout);
    let host = told.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc told no host")?;
    let version = told.lines().next().context("rustc told no version")?;
    Ok(format!("{version} {host}"))
}

fn count(root: &Path, program: &Path, subject: &str) -> Result<u64> {
    let counted = Command::new("valgrind")
        .current_dir(root)
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--collect-atstart=no"])
        .arg("--toggle-collect=instructions::measured*")
        .arg(program)
        .arg(subject)
        .output()
        .context("cannot run valgrind")?;
    let said = String::from_utf8_lossy(&counted.stderr);
    ensure!(counted.status.success(), "{subject} failed: {said}");
    let collected = said.lines().find_map(|line| line.split_once("Collected :"));
    let (_, collected) = collected.with_context(|| format!("callgrind told no count: {said}"))?;
    let count = collected.trim().parse().with_context(|| format!("callgrind told no number: {collected}"))?;
    ensure!(count > 0, "{subject} was not seen at work");
    Ok(count)
}

/// The counts that a change is compared with.
#[derive(Debug, Default, PartialEq)]
struct Committed {
    /// What they were made with.
    compiler: String,
    counts: BTreeMap<String, u64>,
}

impl Committed {
    fn read(file: &Path) -> Result<Self> {
        match std::fs::read_to_string(file) {
            Ok(text) => Self::parse(&text).with_context(|| format!("cannot read {}", file.display())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", file.display())),
        }
    }

    /// The compiler in the first line; then each subject and its count.
    fn parse(text: &str) -> Result<Self> {
        let (compiler, counts) = text.split_once('\n').context("there are no counts")?;
        let counts = counts.lines().map(|line| {
            let (subject, count) = line.split_once(' ').with_context(|| format!("no count: {line}"))?;
            Ok((subject.to_owned(), count.parse().with_context(|| format!("no number: {line}"))?))
        });
        Ok(Self { compiler: compiler.to_owned(), counts: counts.collect::<Result<_>>()? })
    }

    fn write(&self, file: &Path) -> Result<()> {
        std::fs::write(file, self.to_string()).with_context(|| format!("cannot write {}", file.display()))
    }
}

impl std::fmt::Display for Committed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", self.compiler)?;
        self.counts.iter().try_for_each(|(subject, count)| writeln!(f, "{subject} {count}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_as_they_were_written() {
        let counts = BTreeMap::from([("call".to_owned(), 1), ("view".to_owned(), u64::MAX)]);
        let committed = Committed { compiler: "rustc 1.0 (a b)".to_owned(), counts };
        assert_eq!(Committed::parse(&committed.to_string()).unwrap(), committed);
        assert!(Committed::parse("rustc 1.0\ncall many\n").is_err());
    }
}
