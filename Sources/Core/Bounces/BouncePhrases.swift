import Model

/// Words of bounces that are not a server's reply: those that a mail system writes for the person who sent. They stand beside
/// `ResponseTable`, which knows what servers reply, and are asked where it finds nothing in the words.
enum BouncePhrases {
    /// Asked before the table of replies, which takes a word of these for another reason.
    private static let first: [(reason: ResponseReason, texts: [String])] = [
        (.setUp, ["reverse dns", "ptr record", "dns ptr", "no ptr", "ptr lookup", "reverse lookup", "rdns", "no reverse"]),
        (
            .policy,
            [
                "sender address rejected", "domain of sender", "sender rejected", "from: domain", "valid from", "policy violation",
                "security policy",
                "addresses rejected : access denied", "addresses rejected: access denied",
            ]
        ),
        (
            .network,
            [
                "host not found, try again", "dns query failed", "hop count", "too many hops", "routing loop", "loops back to",
                "mail forwarding loop", "host name lookup failure",
            ]
        ),
        (.full, ["mailbox exceeds allowed", "mailbox exceeds the", "mailbox size exceeds"]),
        (.system, ["procmail:", "pipe to |", "child process", "command died"]),
        (.unknownHost, ["domain may not exist"]),
        // Exchange, Notes and Domino, and Exim: their own words, not those of a server that they asked.
        (
            .unknownUser,
            [
                "recipient name is not recognized", "not listed in public", "not listed in domino", "not listed in the address",
                "unrouteable address",
                "address couldn't be found", "address could not be found", "wasn't found at", "mts-id of the original message",
            ]
        ),
    ]

    /// The domain says itself that it takes no mail (RFC 7505); that is no failure to find it.
    static let refusingDomains = [
        "doesn't receive email", "does not accept mail", "does not accept email", "doesn't accept email", "null mx", "no mx found",
    ]

    /// In the order in which they are asked: what is about us or the message stands before what is about the recipient, and a server that
    /// gave up stands last, as it says so beside the reason.
    private static let phrases: [(reason: ResponseReason, texts: [String])] = [
        (
            .network,
            [
                "hop count", "too many hops", "routing loop", "mail loop", "loops back to", "mail forwarding loop", "loop detected",
                "too many received headers",
                "establish an smtp connection", "host not found, try again", "temporary name resolution", "temporary lookup failure",
                "temporary dns",
                "name server: temporary", "no route to host", "network is unreachable", "host name lookup failure",
            ]
        ),
        (
            .tooLarge,
            [
                "message size exceeds", "message is too large", "message too large", "message too big", "larger than the limit",
                "exceeds the maximum message size",
                "message size limit", "exceeds size limit",
            ]
        ),
        (
            .full,
            [
                "mailbox is full", "mailbox full", "over quota", "quota exceeded", "exceeded storage", "disk quota", "mailbox size limit",
                "storage limit",
                "mailbox exceeds", "exceed mailbox", "over its quota", "over the quota", "quota violation", "mail quota",
                "mailbox has exceeded", "inbox is full", "account is full",
                "not enough storage", "insufficient disk space on the recipient", "user has exhausted", "exceeded the allocated",
                "mailbox quota", "quota full", "folder is full",
                "exceeded their quota",
            ]
        ),
        (
            .moved,
            [
                "has moved to", "user has moved", "has been replaced by", "address has changed", "new address is", "no longer valid; use",
                "not our user",
            ]
        ),
        (
            .inactive,
            [
                "account is disabled", "account has been disabled", "mailbox is disabled", "account is suspended",
                "account has been suspended", "mailbox is inactive", "account is not active",
                "account is inactive", "mailbox currently suspended", "user is inactive", "account has been deactivated",
                "no longer on the server", "account was closed",
                "mailbox unavailable or access denied", "no longer employed", "no longer with the company",
            ]
        ),
        (
            .unknownHost,
            [
                "host not found", "host * not found", "host unknown", "unknown host", "no such host", "domain not found",
                "domain name not found", "no such domain", "nxdomain",
                "domain does not exist", "name or service not known", "couldn't find any host", "can't find any host",
                "could not find any host", "no mx record", "no mx found",
                "no mail exchanger", "unrouteable mail domain", "unroutable mail domain", "unrouteable domain",
                "host or domain name not found", "domain could not be found",
                "doesn't receive email according", "does not accept mail", "does not accept email", "doesn't accept email",
                "all relevant mx records point to",
                "no answer from dns", "had no relevant answers", "name service error", "invalid domain", "unable to resolve host",
                "cannot resolve", "domain name is invalid",
                "null mx", "no valid mail server", "bad destination system", "bad destination host", "can't find the host",
                "because the domain", "account or domain may not exist",
            ]
        ),
        (
            .unknownUser,
            [
                "unknown user", "user unknown", "no such user", "user not found", "unknown recipient", "recipient unknown",
                "not recognized", "no such recipient", "not listed in",
                "does not exist", "doesn't exist", "invalid user", "invalid address", "invalid recipient", "unknown address",
                "address not found", "no such account", "couldn't be found",
                "could not be found", "wasn't found at", "was not found", "not found by smtp address", "no such mailbox", "no mailbox",
                "mailbox not found", "mailbox unavailable",
                "no such local user", "unknown local", "not a registered", "no such address", "undeliverable address",
                "bad destination mailbox", "address rejected", "unable to deliver message to <", "not a known user",
                "doesn't have a", "address is unknown", "user not known", "not known at this", "addressee unknown", "no such person",
                "delivery to this address is restricted",
            ]
        ),
        (
            .policy,
            [
                "permission to post", "support.google.com/a/bin/topic.py?topic=25838", "groups.google.com/support", "google groups",
                "not a member of this", "not member",
                "you are not allowed to post", "message rejected by recipient", "blocked by the recipient", "message was rejected by",
                "rejected by the moderator",
                "administrative prohibition", "not authorized to send to", "delivery not authorized", "sending to this address",
                "to/from an address", "policy",
            ]
        ),
        (
            .system,
            [
                "unable to contact ldap", "couldn't create", "can't create", "cannot create", "local configuration error",
                "system config error", "local delivery failed", "pipe to |", "child process", "command died", "unexpected failure",
                "error writing message", "input/output error", "internal error", "temporary failure in", "out of memory", "no space left",
                "generated by",
                "unable to open mailbox", "mail system is down", "delivery agent",
            ]
        ),
        (.spam, ["as spam", "spam message", "is spam", "spam detected"]),
        (
            .expired,
            [
                "retry timeout exceeded", "long failure period", "message expired", "envelope expired", "could not be delivered for",
                "in the queue too long", "maximum time in queue",
                "delivery time expired", "after multiple retries", "will keep trying", "not delivered within", "delivery expired",
                "will be deleted from queue", "too long in queue", "did not accept our requests to connect",
                "delivery failed * attempts", "connection timed out", "host not reachable", "not reachable", "timed out", "did not respond",
                "giving up", "gave up", "has been delayed", "will be retried", "will continue to be attempted",
                "in the queue for", "could not be delivered within", "undelivered for",
            ]
        ),
        (
            .network,
            [
                "connection refused", "connection reset", "connection lost", "lost connection", "can't connect", "cannot connect",
                "could not connect", "unable to connect",
            ]
        ),
    ]

    /// What the words say that stand before the table of replies.
    static func firstReason(of text: String) -> ResponseReason? { reason(of: text, in: first) }

    /// What the words say where the table of replies finds nothing in them.
    static func reason(of text: String) -> ResponseReason? { reason(of: text, in: phrases) }

    private static func reason(of text: String, in table: [(reason: ResponseReason, texts: [String])]) -> ResponseReason? {
        let text = text.lowercased().replacing("\u{2019}", with: "'")
        return table.first { $0.texts.contains { holds(text, $0) } }?.reason
    }

    /// ` * ` in a phrase stands for any words.
    private static func holds(_ text: String, _ phrase: String) -> Bool {
        var rest = text[...]
        for piece in phrase.split(separator: "*") {
            guard let found = rest.firstRange(of: piece) else { return false }
            rest = rest[found.upperBound...]
        }
        return true
    }

    /// RFC 3463 sections 3.2 to 3.8, and the registry of RFC 5248.
    static func reason(ofStatus status: String) -> ResponseReason? {
        let parts = status.split(separator: ".").compactMap { Int($0) }
        guard parts.count == 3 else { return nil }
        switch (parts[1], parts[2]) {
        case (1, 1), (1, 3): return .unknownUser
        case (1, 2), (4, 4), (1, 10): return .unknownHost
        case (1, 6): return .moved
        case (2, 1): return .inactive
        case (2, 2): return .full
        case (2, 3), (3, 4): return .tooLarge
        case (4, 7): return .expired
        case (3, _): return .system
        case (4, _): return .network
        case (5, _): return .setUp
        case (6, _): return .content
        case (7, _): return .policy
        default: return nil
        }
    }
}
