//! Screens, on a terminal that is none.

use std::time::{Duration, UNIX_EPOCH};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::CHROME;
use super::draw::{Screen, number, time};
use super::source::{Away, Snapshot};
use super::view::{Outcome, Unit, View};
use crate::cli::TopView;

fn snapshot() -> Snapshot {
    let mut snapshot = Snapshot {
        uptime: Some(Duration::from_secs(3 * 86400 + 5 * 3600)),
        workers: Some(2),
        vector_rate: Some(12),
        input_rate: Some(1_234_567),
        ..Snapshot::default()
    };
    snapshot.client.version = Some("26.06-release".into());
    snapshot.client.path = "/run/vpp/api.sock".to_owned();
    snapshot.client.trouble = Some("not connected to VPP at /run/vpp/api.sock; connecting now".to_owned());
    let interfaces = &mut snapshot.interfaces;
    interfaces.push("local0", "", &[0.0; 10]);
    interfaces.push(
        "GigabitEthernet0/8/0.100",
        "",
        &[1.5e6, 1.2e10, 900.0, 7e5, 3.0, 0.0, 1e9, 2e8, 40.0, 0.0],
    );
    interfaces.push("loop0", "", &[20.0, 12_800.0, 0.0, 0.0, 0.0, 0.5, 5000.0, 0.0, 0.0, 7.0]);
    let nodes = &mut snapshot.nodes;
    nodes.push("ip4-lookup", "", &[40.0, 1e6, 1e4, 100.0, 31.5, 0.0]);
    nodes.push("ip6-lookup", "", &[0.0; 6]);
    nodes.push("dpdk-input", "", &[60.0, 1e6, 5e5, 2.0, 80.0, 0.0]);
    let errors = &mut snapshot.errors;
    errors.push("ip4-input", "ip4 ttl <= 1", &[0.0, 12.0]);
    errors.push("ip4-local", "unknown ip protocol", &[17.25, 40_000.0]);
    snapshot
}

fn screen(view: &mut View, snapshot: &Snapshot, width: u16, height: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    view.prepare(snapshot, height.saturating_sub(CHROME));
    terminal.draw(|frame| frame.render_widget(Screen { view, snapshot }, frame.area())).unwrap();
    super::text(terminal.backend().buffer())
}

fn press(view: &mut View, keys: &str) -> Outcome {
    let mut outcome = Outcome::Draw;
    for key in keys.chars() {
        let code = match key {
            '\n' => KeyCode::Enter,
            '\x1b' => KeyCode::Esc,
            '\t' => KeyCode::Tab,
            key => KeyCode::Char(key),
        };
        outcome = view.key(KeyEvent::new(code, KeyModifiers::NONE));
    }
    outcome
}

#[test]
fn each_view_fits_80_by_24() {
    let snapshot = snapshot();
    let mut view = View::new(TopView::Interfaces, None);
    insta::assert_snapshot!("interfaces", screen(&mut view, &snapshot, 80, 10));
    press(&mut view, "\t");
    insta::assert_snapshot!("nodes", screen(&mut view, &snapshot, 80, 10));
    press(&mut view, "3");
    insta::assert_snapshot!("errors", screen(&mut view, &snapshot, 80, 10));
    press(&mut view, "4");
    insta::assert_snapshot!("client", screen(&mut view, &snapshot, 80, 10));
    press(&mut view, "1?");
    insta::assert_snapshot!("help", screen(&mut view, &snapshot, 80, 24));
}

#[test]
fn a_wide_terminal_has_more_columns_and_a_tiny_one_is_no_harm() {
    let snapshot = snapshot();
    let mut view = View::new(TopView::Interfaces, None);
    insta::assert_snapshot!("wide", screen(&mut view, &snapshot, 130, 8));
    for view in TopView::ALL {
        let mut view = View::new(view, None);
        for (width, height) in [(1, 1), (5, 2), (20, 5), (38, 3), (300, 2)] {
            screen(&mut view, &snapshot, width, height);
        }
    }
}

#[test]
fn a_vpp_that_is_away_is_said_with_what_it_was() {
    let mut snapshot = snapshot();
    let since = UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    let why = "cannot read VPP's statistics at /run/vpp/stats.sock: there is no socket".to_owned();
    snapshot.away = Some(Away { since, time: Duration::from_secs(75), why });
    let text = screen(&mut View::new(TopView::Interfaces, None), &snapshot, 120, 10);
    let first = text.lines().next().unwrap();
    assert_eq!(
        first,
        " VPP away since 08:00:00 UTC (1 min 15 s): cannot read VPP's statistics at /run/vpp/stats.sock: there is no socket"
    );
    assert!(text.contains("loop0"), "{text}");
}

/// Names in the order they are shown in.
fn names(view: &mut View, snapshot: &Snapshot) -> Vec<String> {
    let text = screen(view, snapshot, 80, 24);
    let rows = text.lines().skip(3).take_while(|line| !line.is_empty() && !line.starts_with(" q quit"));
    rows.map(|line| line.split_whitespace().next().unwrap().to_owned()).collect()
}

#[test]
fn keys_sort_filter_and_end() {
    let snapshot = snapshot();
    let mut view = View::new(TopView::Interfaces, None);
    assert_eq!(names(&mut view, &snapshot), ["local0", "GigabitEthernet0/8/0.100", "loop0"]);
    press(&mut view, "s");
    assert_eq!(names(&mut view, &snapshot), ["GigabitEthernet0/8/0.100", "loop0", "local0"]);
    press(&mut view, "r");
    assert_eq!(names(&mut view, &snapshot), ["local0", "loop0", "GigabitEthernet0/8/0.100"]);
    press(&mut view, "S");
    assert_eq!(names(&mut view, &snapshot), ["GigabitEthernet0/8/0.100", "local0", "loop0"], "by name");
    assert_eq!(press(&mut view, "/LOq"), Outcome::Draw, "a letter of the filter");
    assert!(screen(&mut view, &snapshot, 80, 24).ends_with(" /LOq_\n"));
    assert!(screen(&mut view, &snapshot, 80, 24).contains("no name contains"));
    view.key(KeyEvent::new(KeyCode::Backspace, KeyModifiers::NONE));
    press(&mut view, "\n");
    assert_eq!(names(&mut view, &snapshot), ["local0", "loop0"]);
    press(&mut view, "\x1b");
    assert_eq!(names(&mut view, &snapshot).len(), 3);
    press(&mut view, "2");
    assert_eq!(names(&mut view, &snapshot), ["dpdk-input", "ip4-lookup"], "by clocks, without the idle");
    press(&mut view, "z");
    assert_eq!(names(&mut view, &snapshot).len(), 3);
    press(&mut view, "p");
    assert!(view.is_paused() && screen(&mut view, &snapshot, 80, 24).contains("paused"));
    assert_eq!(view.key(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL)), Outcome::Quit);
    assert_eq!(press(&mut view, "q"), Outcome::Quit);
}

#[test]
fn long_tables_scroll_and_stop_at_their_ends() {
    let mut snapshot = Snapshot::default();
    for index in 0..50 {
        snapshot.interfaces.push(&format!("loop{index}"), "", &[]);
    }
    let mut view = View::new(TopView::Interfaces, None);
    let first = |view: &mut View| names(view, &snapshot)[0].clone();
    assert_eq!(first(&mut view), "loop0");
    press(&mut view, "jj");
    assert_eq!(first(&mut view), "loop2");
    press(&mut view, "G");
    assert_eq!(first(&mut view), "loop30", "20 rows fit");
    assert!(screen(&mut view, &snapshot, 80, 24).contains("31-50 of 50"));
    press(&mut view, "jjjk");
    assert_eq!(first(&mut view), "loop30", "beyond the end is nothing");
    press(&mut view, "g");
    assert_eq!(first(&mut view), "loop0");
}

#[test]
fn numbers_take_few_letters() {
    for (value, text) in [
        (0.0, "0"),
        (0.25, "0.2"),
        (17.0, "17"),
        (999.94, "1000"),
        (999.96, "1.00k"),
        (12_345.0, "12.3k"),
        (1e6, "1.00M"),
        (1.84e19, "18E"),
    ] {
        assert_eq!(number(value, Unit::Plain), text, "{value}");
    }
    assert_eq!(number(12.345, Unit::Percent), "12.3%");
    assert_eq!(
        [59, 60, 3600, 90_000].map(|seconds| time(Duration::from_secs(seconds))),
        ["59 s", "1 min 0 s", "1 h 0 min", "1 d 1 h"]
    );
}
