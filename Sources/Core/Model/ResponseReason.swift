/// Why a provider answered as it did: what a report counts, and what decides about the next step. Rule files, ledgers and reports have
/// the raw values.
package enum ResponseReason: String, Codable, Sendable, CaseIterable {
    /// The provider took the message.
    case accepted
    /// There is no such mailbox, number, chat or device.
    case unknownUser = "unknown_user"
    /// There is no such domain, or it takes no mail.
    case unknownHost = "unknown_host"
    /// The recipient has another address now.
    case moved
    /// The mailbox or the account is closed, or its owner does not want messages.
    case inactive
    /// The mailbox is full.
    case full
    /// A rule of the receiving side that is none of the others.
    case policy
    /// The address or domain that we send from is on a blocklist or known for bad mail.
    case reputation
    /// The message is taken for spam.
    case spam
    /// SPF, DKIM or DMARC of our domain failed.
    case authentication
    /// Too many, or too fast.
    case rate
    /// Refused at the first attempt on purpose (RFC 6647).
    case greylisted
    /// The form of the message, or something in it.
    case content
    case tooLarge = "too_large"
    /// The receiving side is broken.
    case system
    /// No connection, no response, or no route.
    case network
    /// A server gave up trying.
    case expired
    /// The person called the message spam.
    case complaint
    /// A machine answered for the person.
    case autoReply = "auto_reply"
    /// Our credentials, our sender, our permission to relay, the URL.
    case setUp = "set_up"
    /// The response does not tell.
    case unknown

    /// The reason that a name stands for: one of today, or a class of a ledger or worker of before 0.3. A name of a later release is
    /// `unknown`, so that what it came with can be read.
    package init(name: String) {
        self = ResponseReason(rawValue: name) ?? Self.oldNames[name] ?? .unknown
    }

    /// All names that stand for it: its own, and those of before 0.3.
    package var names: [String] { [rawValue] + Self.oldNames.filter { $0.value == self }.keys.sorted() }

    private static let oldNames: [String: ResponseReason] = [
        "throttled": .rate, "domain_throttled": .rate, "unreachable": .network, "bad_recipient": .unknownUser, "rejected": .policy,
        "misconfigured": .setUp,
    ]
}
