//! Who a route comes from.

/// A source of routes: VPP's number of it, as in `ip_route_v2.src`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Source(pub(crate) u8);

/// Priority of each source of VPP 26.06 by its number, as `show fib source` prints it (both parts in one number). The
/// lowest wins.
const PRIORITIES: [u16; 27] = [
    2550, 0, 10, 20, 30, 160, 320, 480, 1280, 1290, 1440, 1600, 1760, 1920, 1930, 2080, 2240, 2400, 2510,
    2520, 2530, 2540, 161, 21, 162, 2081, 163,
];

/// The names of the sources of VPP 26.06 with all its plugins, as `fib_source_dump` tells them.
const NAMES: [&str; 27] = [
    "invalid",
    "special",
    "classify",
    "proxy",
    "interface",
    "SR",
    "BIER",
    "6RD",
    "API",
    "CLI",
    "LISP",
    "MAP",
    "DHCP",
    "IPv6-proxy-nd",
    "IPv6-nd",
    "adjacency",
    "mpls",
    "attached_export",
    "recursive-resolution",
    "urpf-exempt",
    "default-route",
    "interpose",
    "path-mtu",
    "cnat",
    "lb",
    "nat-low",
    "nat-hi",
];

impl Source {
    /// Every source with its name.
    pub(crate) fn all() -> impl Iterator<Item = (Self, &'static str)> {
        NAMES.into_iter().zip(0..).map(|(name, number)| (Self(number), name))
    }

    /// The first part of its priority, which clients are told.
    pub(crate) fn class(self) -> u16 {
        self.priority() / 10
    }

    pub(crate) const SPECIAL: Self = Self(1);
    pub(crate) const INTERFACE: Self = Self(4);
    pub(crate) const API: Self = Self(8);
    pub(crate) const DEFAULT_ROUTE: Self = Self(20);

    /// The lowest wins. Sources that do not exist come last.
    pub(crate) fn priority(self) -> u16 {
        PRIORITIES.get(usize::from(self.0)).copied().unwrap_or(u16::MAX)
    }
}
