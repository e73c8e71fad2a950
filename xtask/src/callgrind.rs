//! `cargo xtask callgrind`: instructions of hot paths, which are the same on a busy machine.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

/// What is counted; subjects of the program `instructions`.
const SUBJECTS: [&str; 5] = ["encode", "decode", "view", "call", "pipeline"];

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
    let program = build(root)?;
    let committed = read(&root.join("bench/instructions.txt"))?;
    let mut counts = BTreeMap::new();
    let mut risen = Vec::new();
    for subject in SUBJECTS {
        let count = count(root, &program, subject)?;
        let before = committed.get(subject).copied();
        let change = before.map_or(0.0, |before| count as f64 / before as f64 - 1.0);
        let before = before.map_or_else(|| "none".to_owned(), |before| before.to_string());
        writeln!(
            out,
            "{subject:<10} {count:>12} instructions, committed {before:>12}, {:+.2} %",
            change * 100.0
        )?;
        if change > TOLERANCE {
            risen.push(subject);
        }
        counts.insert(subject.to_owned(), count);
    }
    if arguments.update {
        let lines: String = counts.iter().map(|(subject, count)| format!("{subject} {count}\n")).collect();
        std::fs::write(root.join("bench/instructions.txt"), lines)?;
    } else if arguments.check && !risen.is_empty() {
        bail!("{} became dearer; if it has to be: cargo xtask callgrind --update", risen.join(", "));
    }
    Ok(())
}

fn build(root: &Path) -> Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .current_dir(root)
        .args(["build", "--quiet", "--release", "--package", "vppkit-bench", "--bin", "instructions"])
        .status()
        .context("cannot run cargo")?;
    ensure!(status.success(), "building failed: {status}");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    Ok(target.join("release/instructions"))
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

fn read(file: &Path) -> Result<BTreeMap<String, u64>> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", file.display())),
    };
    text.lines()
        .map(|line| {
            let (subject, count) = line.split_once(' ').with_context(|| format!("no count: {line}"))?;
            Ok((subject.to_owned(), count.parse().with_context(|| format!("no number: {line}"))?))
        })
        .collect()
}
