//! `vppkit top`.
//!
//! `source` reads statistics into a [`Snapshot`], `view` is what the user chose to see of it, `draw` puts both on a
//! screen, and this runs them.

mod draw;
mod source;
#[cfg(test)]
mod tests;
mod view;

use std::collections::VecDeque;
use std::io::{IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use crossterm::event::{self, Event, KeyEventKind};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::Widget;
use ratatui::{DefaultTerminal, Frame};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use vpp_conn::{Connection, RawMessage, State, Supervisor};
use vpp_wire::Header;

use self::draw::Screen;
use self::source::{Client, Snapshot, Source};
use self::view::{Outcome, View};
use crate::cli::TopArgs;
use crate::interrupt::Interrupt;
use crate::output::{Format, Output};
use crate::place::stats_beside;
use crate::recording;

/// The name that `show api clients` shows.
const CLIENT_NAME: &str = "vppkit top";
/// Columns of a frame that is printed where there is no terminal, nor `COLUMNS` in the environment.
const WIDTH: u16 = 80;
/// Lines of a frame that are no rows.
const CHROME: u16 = 4;
/// Round trips that are kept.
const PINGS: usize = 120;

/// Shows VPP at work until it is told to end.
pub(crate) async fn run(arguments: &TopArgs, output: &mut Output) -> anyhow::Result<()> {
    ensure!(output.format == Format::Text, "top is for people; use: vppkit stats --watch --json");
    ensure!(
        arguments.once || (output.width.is_some() && std::io::stdin().is_terminal()),
        "top needs a terminal; --once prints what it would show, and vppkit stats is for programs"
    );
    let stats = arguments.stats_socket.clone().unwrap_or_else(|| stats_beside(&arguments.socket.socket));
    let mut builder = Connection::builder().name(CLIENT_NAME);
    if let Some(room) = recording::room() {
        builder = builder.trace(room);
    }
    let supervisor = builder.supervise().start(&arguments.socket.socket);
    let recorded = supervisor.clone();
    recording::follow(move || recorded.connection().ok(), None);
    let pings = Pings::default();
    let pinging = tokio::spawn(ping(supervisor.clone(), pings.clone(), arguments.interval));
    let top = Top {
        source: Some(Source::new(&stats)),
        shown: Snapshot::default(),
        spare: Some(Snapshot::default()),
        view: View::new(arguments.view, arguments.filter.as_deref()),
        supervisor: supervisor.clone(),
        pings,
    };
    let result = match arguments.once {
        true => top.once(arguments.interval, output).await,
        false => top.run(arguments.interval).await,
    };
    pinging.abort();
    if let Ok(connection) = supervisor.connection() {
        recording::write(&connection, None);
    }
    // What was to be seen was seen.
    if let Err(error) = supervisor.close().await {
        tracing::debug!(%error, "closing");
    }
    result
}

/// The view, and where it comes from.
struct Top {
    /// Away while it is being read from.
    source: Option<Source>,
    shown: Snapshot,
    /// What is read into; away while it is.
    spare: Option<Snapshot>,
    view: View,
    supervisor: Supervisor,
    pings: Pings,
}

impl Top {
    /// Shows it on the terminal.
    async fn run(mut self, interval: Duration) -> anyhow::Result<()> {
        let mut interrupt = Interrupt::new()?;
        let mut hangup = signal(SignalKind::hangup()).context("cannot wait for signals")?;
        let mut terminal = Terminal::new()?;
        let mut events = events();
        let mut ticks = tokio::time::interval(interval);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut reading: Option<JoinHandle<(Source, Snapshot)>> = None;
        loop {
            terminal.0.draw(|frame| self.draw(frame)).context("cannot draw on the terminal")?;
            tokio::select! {
                biased;
                () = interrupt.wait() => return Ok(()),
                _ = hangup.recv() => return Ok(()),
                event = events.recv() => match event {
                    // The terminal is gone.
                    None => return Ok(()),
                    Some(Event::Key(key)) if key.kind != KeyEventKind::Release => {
                        if self.view.key(key) == Outcome::Quit {
                            return Ok(());
                        }
                    }
                    // The next frame finds the new size itself.
                    Some(_) => {}
                },
                // Off this thread: it may wait for a VPP that is stuck, and keys shall not.
                _ = ticks.tick(), if reading.is_none() && !self.view.is_paused() => {
                    if let (Some(mut source), Some(mut spare)) = (self.source.take(), self.spare.take()) {
                        reading = Some(tokio::task::spawn_blocking(move || {
                            source.read(&mut spare);
                            (source, spare)
                        }));
                    }
                }
                read = async { reading.as_mut()?.await.ok() }, if reading.is_some() => {
                    reading = None;
                    let (source, spare) = read.context("reading VPP's statistics failed")?;
                    self.source = Some(source);
                    self.spare = Some(std::mem::replace(&mut self.shown, spare));
                    self.look_at_client();
                }
            }
        }
    }

    fn draw(&mut self, frame: &mut Frame<'_>) {
        let area = frame.area();
        self.view.prepare(&self.shown, area.height.saturating_sub(CHROME));
        frame.render_widget(Screen { view: &self.view, snapshot: &self.shown }, area);
    }

    /// Prints one frame, as long as it takes to show everything.
    async fn once(mut self, interval: Duration, output: &mut Output) -> anyhow::Result<()> {
        let Some(mut source) = self.source.take() else { return Ok(()) };
        // Without VPP there is nothing to show, and the exit code says so.
        source.connect()?;
        // Rates are between two looks. Meanwhile the connection is made.
        source.read(&mut self.shown);
        let mut interrupt = Interrupt::new()?;
        tokio::select! {
            () = interrupt.wait() => return Ok(()),
            () = tokio::time::sleep(interval) => {}
        }
        // Without a connection it says why there is none.
        let _connection = self.supervisor.ready(interval).await;
        source.read(&mut self.shown);
        self.look_at_client();
        let rows = self.view.rows(&self.shown);
        let height = u16::try_from(rows).unwrap_or(u16::MAX).saturating_add(CHROME).min(u16::MAX / 2);
        let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        let width = output.width.and_then(|width| u16::try_from(width).ok()).or(columns).unwrap_or(WIDTH);
        let area = Rect::new(0, 0, width.clamp(40, 1000), height);
        let mut buffer = Buffer::empty(area);
        self.view.prepare(&self.shown, height - CHROME);
        Screen { view: &self.view, snapshot: &self.shown }.render(area, &mut buffer);
        for line in text(&buffer).lines().take(usize::from(height) - 1) {
            writeln!(output, "{line}")?;
        }
        output.flush()?;
        Ok(())
    }

    /// Notes how this client fares.
    fn look_at_client(&mut self) {
        let client = &mut self.shown.client;
        client.path.clear();
        client.path.push_str(&self.supervisor.path().to_string_lossy());
        match (self.supervisor.state(), self.supervisor.connection()) {
            (State::Connected(connected), Ok(connection)) => {
                client.version = connected.version;
                client.generation = connected.generation;
                client.counters = Some(connection.counters());
                client.trouble = None;
            }
            (_, Err(error)) => {
                client.counters = None;
                client.trouble = Some(error.to_string());
            }
            _ => {}
        }
        self.pings.copy(client);
    }
}

/// What stands on a screen, without colours.
fn text(buffer: &Buffer) -> String {
    let mut text = String::new();
    for y in buffer.area.top()..buffer.area.bottom() {
        let mut line: String = (buffer.area.left()..buffer.area.right())
            .filter_map(|x| buffer.cell((x, y)).map(|cell| cell.symbol()))
            .collect();
        line.truncate(line.trim_end().len());
        text += &line;
        text.push('\n');
    }
    text
}

/// The terminal while it is ours. Given back on drop, and by ratatui's hook on a panic.
struct Terminal(DefaultTerminal);

impl Terminal {
    fn new() -> anyhow::Result<Self> {
        // What failed half-way is undone, too.
        let terminal = ratatui::try_init().inspect_err(|_| ratatui::restore());
        Ok(Self(terminal.context("cannot use the terminal")?))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        ratatui::restore();
    }
}

/// What happens at the terminal, from a thread that waits for it. The thread ends with the program.
fn events() -> mpsc::UnboundedReceiver<Event> {
    let (sender, receiver) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        while let Ok(event) = event::read() {
            if sender.send(event).is_err() {
                return;
            }
        }
    });
    receiver
}

/// The last round trips.
#[derive(Clone, Default)]
struct Pings(Arc<Mutex<VecDeque<Duration>>>);

impl Pings {
    fn add(&self, took: Duration) {
        let mut pings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if pings.len() == PINGS {
            pings.pop_front();
        }
        pings.push_back(took);
    }

    fn copy(&self, client: &mut Client) {
        let pings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        client.pings.clear();
        client.pings.extend(pings.iter().map(|ping| u64::try_from(ping.as_micros()).unwrap_or(u64::MAX)));
    }
}

/// Asks VPP for a sign of life, again and again: latency is measured with what this program itself does.
async fn ping(supervisor: Supervisor, pings: Pings, interval: Duration) {
    // The same in every release, 20.09 to 26.06.
    let request = RawMessage { name: "control_ping", crc: 0x5107_7d14, header: Header::ClientContext };
    let reply = RawMessage { name: "control_ping_reply", crc: 0xf6b0_b8ca, header: Header::Context };
    let mut ticks = tokio::time::interval(interval.min(Duration::from_secs(1)));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let Ok(connection) = supervisor.ready(interval).await else { continue };
        let began = Instant::now();
        // A failure is counted by the connection, and seen there.
        if connection.raw().call(request, &[], reply).await.is_ok() {
            pings.add(began.elapsed());
        }
    }
}
