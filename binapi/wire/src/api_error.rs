//! VPP's return codes.

use std::fmt;

/// The return code of a request that VPP refused.
///
/// Any value is legal: handlers also return codes of their own, the negative `errno` of a failed system call, or codes
/// that came after this table. [`ApiError::name`] and [`ApiError::meaning`] tell the known ones. The codes come from
/// VPP's C headers (the names without `VNET_API_ERROR_`) and are no part of the API definitions; numbers are never
/// used again for something else but for three exceptions before VPP 20.05.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ApiError(pub i32);

impl ApiError {
    /// The error of a `retval`: VPP refuses with a negative one.
    #[must_use]
    pub const fn from_retval(retval: i32) -> Option<Self> {
        if retval < 0 { Some(Self(retval)) } else { None }
    }

    /// VPP's name of the code.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        self.entry().map(|(_, name, _)| *name)
    }

    /// What the code says, in a few words.
    #[must_use]
    pub fn meaning(self) -> Option<&'static str> {
        self.entry().map(|(_, _, meaning)| *meaning)
    }

    /// The code of a name, with or without `VNET_API_ERROR_`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let name = name.strip_prefix("VNET_API_ERROR_").unwrap_or(name);
        CODES.iter().find(|(_, known, _)| *known == name).map(|(code, _, _)| Self(*code))
    }

    fn entry(self) -> Option<&'static (i32, &'static str, &'static str)> {
        CODES.binary_search_by(|(code, _, _)| self.0.cmp(code)).ok().map(|index| &CODES[index])
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.entry() {
            Some((code, name, meaning)) => write!(f, "{name} ({code}), {meaning}"),
            None => write!(f, "return code {}", self.0),
        }
    }
}

impl fmt::Debug for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.entry() {
            Some((code, name, _)) => write!(f, "ApiError({code} {name})"),
            None => write!(f, "ApiError({})", self.0),
        }
    }
}

impl std::error::Error for ApiError {}

macro_rules! codes {
    ($($code:literal $name:ident $meaning:literal)*) => {
        impl ApiError {
            $(
                #[doc = concat!($meaning, ".")]
                pub const $name: Self = Self($code);
            )*
        }

        /// All known codes, from −1 down.
        static CODES: &[(i32, &str, &str)] = &[$(($code, stringify!($name), $meaning)),*];
    };
}

codes! {
    -1 UNSPECIFIED "failure without further detail"
    -2 INVALID_SW_IF_INDEX "interface index does not exist"
    -3 NO_SUCH_FIB "unknown table / VRF"
    -4 NO_SUCH_INNER_FIB "unknown inner table / VRF"
    -5 NO_SUCH_LABEL "unknown label"
    -6 NO_SUCH_ENTRY "object not found"
    -7 INVALID_VALUE "a parameter is not acceptable"
    -8 INVALID_VALUE_2 "second parameter not acceptable"
    -9 UNIMPLEMENTED "function not implemented"
    -10 INVALID_SW_IF_INDEX_2 "second interface index does not exist"
    -11 SYSCALL_ERROR_1 "operating-system call failed (place 1)"
    -12 SYSCALL_ERROR_2 "operating-system call failed (place 2)"
    -13 SYSCALL_ERROR_3 "operating-system call failed (place 3)"
    -14 SYSCALL_ERROR_4 "operating-system call failed (place 4)"
    -15 SYSCALL_ERROR_5 "operating-system call failed (place 5)"
    -16 SYSCALL_ERROR_6 "operating-system call failed (place 6)"
    -17 SYSCALL_ERROR_7 "operating-system call failed (place 7)"
    -18 SYSCALL_ERROR_8 "operating-system call failed (place 8)"
    -19 SYSCALL_ERROR_9 "operating-system call failed (place 9)"
    -20 SYSCALL_ERROR_10 "operating-system call failed (place 10)"
    -30 FEATURE_DISABLED "feature switched off in the configuration"
    -31 INVALID_REGISTRATION "event subscription exists already / does not exist"
    -50 NEXT_HOP_NOT_IN_FIB "next hop not resolvable in the table"
    -51 UNKNOWN_DESTINATION "destination not known"
    -52 NO_PATHS_IN_ROUTE "route given without paths"
    -53 NEXT_HOP_NOT_FOUND_MP "path to delete is not part of the multipath route"
    -54 NO_MATCHING_INTERFACE "no interface suits the probe"
    -55 INVALID_VLAN "VLAN id not acceptable"
    -56 VLAN_ALREADY_EXISTS "VLAN sub-interface exists"
    -57 INVALID_SRC_ADDRESS "source address not acceptable"
    -58 INVALID_DST_ADDRESS "destination address not acceptable"
    -59 ADDRESS_LENGTH_MISMATCH "address or prefix length differs from the expected one"
    -60 ADDRESS_NOT_FOUND_FOR_INTERFACE "interface does not have this address"
    -61 ADDRESS_NOT_DELETABLE "address may not be removed"
    -62 IP6_NOT_ENABLED "IPv6 is off on the interface"
    -63 NO_SUCH_NODE "graph node not found"
    -64 NO_SUCH_NODE2 "second graph node not found"
    -65 NO_SUCH_TABLE "table not found"
    -66 NO_SUCH_TABLE2 "second table not found"
    -67 NO_SUCH_TABLE3 "third table not found"
    -68 SUBIF_ALREADY_EXISTS "sub-interface exists"
    -69 SUBIF_CREATE_FAILED "sub-interface could not be made"
    -70 INVALID_MEMORY_SIZE "memory size not acceptable"
    -71 INVALID_INTERFACE "interface unusable for this"
    -72 INVALID_VLAN_TAG_COUNT "wrong number of tags for the operation"
    -73 INVALID_ARGUMENT "argument not acceptable"
    -74 UNEXPECTED_INTF_STATE "interface is in the wrong state"
    -75 TUNNEL_EXIST "tunnel exists"
    -76 INVALID_DECAP_NEXT "decapsulation next node not acceptable"
    -77 RESPONSE_NOT_READY "answer not available yet"
    -78 NOT_CONNECTED "client is not connected"
    -79 IF_ALREADY_EXISTS "interface exists"
    -80 BOND_SLAVE_NOT_ALLOWED "not permitted on a bond member"
    -81 VALUE_EXIST "value present already"
    -82 SAME_SRC_DST "source equals destination"
    -83 IP6_MULTICAST_ADDRESS_NOT_PRESENT "an IPv6 multicast address is needed"
    -84 SR_POLICY_NAME_NOT_PRESENT "segment-routing policy name missing"
    -85 NOT_RUNNING_AS_ROOT "needs root"
    -86 ALREADY_CONNECTED "client is connected already"
    -87 UNSUPPORTED_JNI_VERSION "Java binding version unsupported (historic)"
    -88 IP_PREFIX_INVALID "host bits set in prefix"
    -89 INVALID_WORKER "worker thread number not acceptable"
    -90 LISP_DISABLED "LISP is off"
    -91 CLASSIFY_TABLE_NOT_FOUND "classifier table not found"
    -92 INVALID_EID_TYPE "LISP endpoint type not supported"
    -93 CANNOT_CREATE_PCAP_FILE "capture file could not be created"
    -94 INCORRECT_ADJACENCY_TYPE "adjacency type unsuitable"
    -95 EXCEEDED_NUMBER_OF_RANGES_CAPACITY "too many ranges"
    -96 EXCEEDED_NUMBER_OF_PORTS_CAPACITY "too many ports"
    -97 INVALID_ADDRESS_FAMILY "address family not acceptable"
    -98 INVALID_SUB_SW_IF_INDEX "sub-interface index does not exist"
    -99 TABLE_TOO_BIG "result or table does not fit (also: reply could not be allocated)"
    -100 CANNOT_ENABLE_DISABLE_FEATURE "feature could not be switched"
    -101 BFD_EEXIST "BFD object exists"
    -102 BFD_ENOENT "BFD object not found"
    -103 BFD_EINUSE "BFD object is in use"
    -104 BFD_NOTSUPP "BFD function unsupported"
    -105 ADDRESS_IN_USE "address is in use"
    -106 ADDRESS_NOT_IN_USE "address is not in use"
    -107 QUEUE_FULL "queue is full"
    -108 APP_UNSUPPORTED_CFG "application options unsupported"
    -109 URI_FIFO_CREATE_FAILED "session buffer segment failed"
    -110 LISP_RLOC_LOCAL "locator is local"
    -111 BFD_EAGAIN "BFD object busy, retry"
    -112 INVALID_GPE_MODE "GPE mode not acceptable"
    -113 LISP_GPE_ENTRIES_PRESENT "GPE entries still exist"
    -114 ADDRESS_FOUND_FOR_INTERFACE "interface has the address"
    -115 SESSION_CONNECT "session connect failed"
    -116 ENTRY_ALREADY_EXISTS "entry exists"
    -117 SVM_SEGMENT_CREATE_FAIL "shared segment could not be created"
    -118 APPLICATION_NOT_ATTACHED "application not attached"
    -119 BD_ALREADY_EXISTS "bridge domain exists"
    -120 BD_IN_USE "bridge domain has members"
    -121 BD_NOT_MODIFIABLE "bridge domain 0 is fixed"
    -122 BD_ID_EXCEED_MAX "bridge domain id above 2^24"
    -123 SUBIF_DOESNT_EXIST "sub-interface does not exist"
    -124 L2_MACS_EVENT_CLINET_PRESENT "another client has the MAC event subscription"
    -125 INVALID_QUEUE "queue number not acceptable"
    -126 UNSUPPORTED "not supported"
    -127 DUPLICATE_IF_ADDRESS "address exists on another interface"
    -128 APP_INVALID_NS "application namespace unknown"
    -129 APP_WRONG_NS_SECRET "namespace secret wrong"
    -130 APP_CONNECT_SCOPE "connect scope problem"
    -131 APP_ALREADY_ATTACHED "application attached already"
    -132 SESSION_REDIRECT "redirect failed"
    -133 ILLEGAL_NAME "name not acceptable"
    -134 NO_NAME_SERVERS "no name servers configured"
    -135 NAME_SERVER_NOT_FOUND "name server not found"
    -136 NAME_RESOLUTION_NOT_ENABLED "name resolution is off"
    -137 NAME_SERVER_FORMAT_ERROR "name server reported a format error"
    -138 NAME_SERVER_NO_SUCH_NAME "name does not exist"
    -139 NAME_SERVER_NO_ADDRESSES "name has no addresses"
    -140 NAME_SERVER_NEXT_SERVER "try another server"
    -141 APP_CONNECT_FILTERED "connect was filtered"
    -142 ACL_IN_USE_INBOUND "ACL applied inbound"
    -143 ACL_IN_USE_OUTBOUND "ACL applied outbound"
    -144 INIT_FAILED "initialisation failed"
    -145 NETLINK_ERROR "netlink failed"
    -146 BIER_BSL_UNSUP "BIER bit-string length unsupported"
    -147 INSTANCE_IN_USE "instance number taken"
    -148 INVALID_SESSION_ID "session id out of range"
    -149 ACL_IN_USE_BY_LOOKUP_CONTEXT "ACL used by a lookup context"
    -150 INVALID_VALUE_3 "third parameter not acceptable"
    -151 NON_ETHERNET "interface is not Ethernet"
    -152 BD_ALREADY_HAS_BVI "bridge domain has a BVI already"
    -153 INVALID_PROTOCOL "protocol not acceptable"
    -154 INVALID_ALGORITHM "algorithm not acceptable"
    -155 RSRC_IN_USE "resource is in use"
    -156 KEY_LENGTH "key has the wrong length"
    -157 FIB_PATH_UNSUPPORTED_NH_PROTO "path protocol unsupported"
    -159 API_ENDIAN_FAILED "f64 byte order test failed"
    -160 NO_CHANGE "nothing changed"
    -161 MISSING_CERT_KEY "certificate or key missing"
    -162 LIMIT_EXCEEDED "limit exceeded"
    -163 IKE_NO_PORT "port not managed by IKE"
    -164 UDP_PORT_TAKEN "UDP port taken"
    -165 EAGAIN "stream incomplete, repeat with cursor"
    -166 INVALID_VALUE_4 "fourth parameter not acceptable"
    -167 BUSY "busy"
    -168 BUG "internal inconsistency"
    -169 FEATURE_ALREADY_DISABLED "feature is off already"
    -170 FEATURE_ALREADY_ENABLED "feature is on already"
    -171 INVALID_PREFIX_LENGTH "prefix length not acceptable"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_codes_have_name_and_meaning_unknown_ones_are_kept() {
        assert_eq!(ApiError::NO_SUCH_ENTRY, ApiError(-6));
        assert_eq!(
            ApiError(-127).to_string(),
            "DUPLICATE_IF_ADDRESS (-127), address exists on another interface"
        );
        assert_eq!(ApiError(-999).to_string(), "return code -999");
        assert_eq!(ApiError::from_name("VNET_API_ERROR_EAGAIN"), Some(ApiError(-165)));
        assert_eq!(ApiError::from_retval(0), None);
        assert_eq!(ApiError::from_retval(5), None);
    }

    #[test]
    fn every_code_is_found_by_number_and_by_name() {
        for (code, name, meaning) in CODES {
            assert_eq!(ApiError(*code).name(), Some(*name));
            assert_eq!(ApiError::from_name(name), Some(ApiError(*code)));
            assert!(!meaning.is_empty());
        }
    }
}
