//! The command line: the few `show` commands that tests look at.

use serde_json::json;

use super::{Call, Handler, cli_fib, core};
use crate::answer::Answer;
use crate::state::Vpp;
use crate::state::interfaces::Interface;
use crate::state::prefix::Family;

pub(super) const HANDLERS: &[(&str, Handler)] = &[("cli_inband", cli_inband)];

/// What VPP's command line returns for input it does not understand.
const FAILED: i32 = -1;

/// The shortest form of a word that is understood. VPP takes any that is not ambiguous among its hundreds of commands.
const SHORTEST: usize = 2;

/// What a command prints, and whether it went well.
struct Output {
    text: String,
    retval: i32,
}

impl Output {
    fn of(text: String) -> Self {
        Self { text, retval: 0 }
    }

    /// Complains about the words that were not understood, behind what was printed already.
    fn unknown(mut text: String, command: &str, words: &[&str]) -> Self {
        if !command.is_empty() {
            text += &format!("{command}: ");
        }
        text += &format!("unknown input `{}'\n", words.join(" "));
        Self { text, retval: FAILED }
    }
}

fn cli_inband(call: &mut Call<'_>) -> Answer {
    let words: Vec<&str> = call.request.text("cmd").split_whitespace().collect();
    let output = match words.as_slice() {
        [show, rest @ ..] if is_word(show, "show") => show_command(call, rest),
        words => Output::unknown(String::new(), "", words),
    };
    Answer::Reply(json!({"retval": output.retval, "reply": output.text}))
}

fn show_command(call: &Call<'_>, words: &[&str]) -> Output {
    match words {
        [version] if is_word(version, "version") => Output::of(core::version_line(call)),
        [interface, rest @ ..] if is_word(interface, "interface") => show_interface(call.vpp, rest),
        ["ip", fib, rest @ ..] if is_word(fib, "fib") => show_fib(call.vpp, Family::V4, rest),
        ["ip6", fib, rest @ ..] if is_word(fib, "fib") => show_fib(call.vpp, Family::V6, rest),
        words => Output::unknown(String::new(), "show", words),
    }
}

fn show_interface(vpp: &Vpp, words: &[&str]) -> Output {
    let mut chosen = Vec::new();
    let mut with_addresses = false;
    for (position, word) in words.iter().enumerate() {
        if let Some(found) = vpp.interfaces.iter().find(|(_, interface)| interface.name == *word) {
            chosen.push(found);
        } else if ["address", "addr"].contains(word) {
            with_addresses = true;
        } else {
            return Output::unknown(String::new(), "show interface", &words[position..]);
        }
    }
    if chosen.is_empty() {
        chosen = vpp.interfaces.iter().collect();
        chosen.sort_by_key(|(_, interface)| &interface.name);
    }
    let lines = chosen.into_iter().map(|(index, interface)| match with_addresses {
        true => addresses(vpp, index, interface),
        false => line(index, interface),
    });
    let header = if with_addresses { String::new() } else { HEADER.to_owned() };
    Output::of(header + &lines.collect::<String>())
}

const HEADER: &str =
    "              Name               Idx    State  MTU (L3/IP4/IP6/MPLS)     Counter          Count     \n";

/// A line of `show interface`. There is no traffic, so no counters follow.
fn line(index: u32, interface: &Interface) -> String {
    let state = if interface.admin_up { "up" } else { "down" };
    let [l3, ip4, ip6, mpls] = interface.mtu;
    format!(
        "{:<32}{}{}{}\n",
        interface.name,
        centred(&index.to_string(), 5),
        centred(state, 10),
        centred(&format!("{l3}/{ip4}/{ip6}/{mpls}"), 21),
    )
}

/// VPP puts the odd blank in front.
fn centred(text: &str, width: usize) -> String {
    let blanks = width.saturating_sub(text.len());
    format!("{}{text}{}", " ".repeat(blanks.div_ceil(2)), " ".repeat(blanks / 2))
}

/// The lines of one interface in `show interface address`.
fn addresses(vpp: &Vpp, index: u32, interface: &Interface) -> String {
    let state = if interface.admin_up { "up" } else { "dn" };
    let mut text = format!("{} ({state}):\n", interface.name);
    if let Some((number, domain, port)) = vpp.bridge_domains.of_port(index) {
        let bvi = if domain.bvi == Some(index) { "bvi" } else { " " };
        text += &format!("  L2 bridge bd-id {} idx {number} shg {} {bvi}\n", domain.id, port.shg);
    }
    for family in [Family::V4, Family::V6] {
        let place = place(vpp, family, interface.table(family));
        for address in interface.addresses.iter().filter(|address| address.family() == family) {
            text += &format!("  L3 {address}{place}\n");
        }
    }
    text
}

/// Which table the addresses are in, unless it is table 0.
fn place(vpp: &Vpp, family: Family, id: u32) -> String {
    let version = if family.is_ip6() { "ip6" } else { "ip4" };
    match vpp.fib.tables(family).find(|(_, table)| table.id == id) {
        Some((index, _)) if id != 0 => format!(" {version} table-id {id} fib-idx {index}"),
        _ => String::new(),
    }
}

fn show_fib(vpp: &Vpp, family: Family, words: &[&str]) -> Output {
    let (only, rest) = match words {
        ["table", id, rest @ ..] => match id.parse::<u32>() {
            Ok(id) => (Some(id), rest),
            Err(_) => (None, words),
        },
        words => (None, words),
    };
    let tables = vpp.fib.tables(family).filter(|(_, table)| only.is_none_or(|id| table.id == id));
    let text: String = tables.map(|(index, table)| cli_fib::table(vpp, index, table)).collect();
    if rest.is_empty() { Output::of(text) } else { Output::unknown(text, "", rest) }
}

/// Whether a word is a command's, perhaps shortened.
fn is_word(word: &str, full: &str) -> bool {
    word.len() >= SHORTEST && full.starts_with(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_is_one_line_in_vpps_columns() {
        // As VPP 26.06 printed it.
        assert_eq!(
            line(0, &Interface::local()),
            "local0                            0     down          0/0/0/0       \n"
        );
        let mut vpp = Vpp::new();
        let index = vpp.create_loopback(Default::default(), Some(2)).unwrap();
        let loopback = vpp.interface_mut(index).unwrap();
        loopback.mtu[0] = 1500;
        assert_eq!(
            line(3, loopback),
            "loop2                             3     down         1500/0/0/0     \n"
        );
    }
}
