/// What a server announced in its reply to EHLO (RFC 5321 section 4.1.1.1).
struct SMTPCapabilities: Sendable, Equatable {
    /// RFC 2920.
    var pipelining = false
    /// RFC 6152.
    var eightBitMIME = false
    /// RFC 6531.
    var smtpUTF8 = false
    /// RFC 3207.
    var startTLS = false
    /// RFC 1870: `MAIL` takes the size.
    var size = false
    /// Bytes of a message at most; nil where the server names no limit.
    var maximumSize: Int?
    /// The mechanisms of AUTH (RFC 4954) that we know and the server offers, as we would try them.
    var mechanisms: [Mechanism] { Mechanism.allCases.filter(offered.contains) }
    private var offered: Set<Mechanism> = []

    /// Both show the password to whoever reads along.
    enum Mechanism: String, CaseIterable, Sendable {
        /// RFC 4616.
        case plain = "PLAIN"
        case login = "LOGIN"
    }

    init() {}

    /// Reads the reply's text, its lines parted by LF; the first is the greeting. What is unknown or malformed is
    /// skipped.
    init(reply: borrowing Span<UInt8>) {
        let lines = SMTPReplyText.string(reply).split(separator: "\n", omittingEmptySubsequences: false)
        for line in lines.dropFirst() {
            var words = line.uppercased().split(separator: " ")
            guard let keyword = words.first else { continue }
            words.removeFirst()
            switch keyword {
            case "PIPELINING": pipelining = true
            case "8BITMIME": eightBitMIME = true
            case "SMTPUTF8": smtpUTF8 = true
            case "STARTTLS": startTLS = true
            case "SIZE":
                size = true
                // 0 says that there is no limit.
                if let limit = words.first.flatMap({ Int($0) }), limit > 0 { maximumSize = limit }
            case "AUTH": takeMechanisms(words)
            // Servers of before RFC 2554 wrote it so.
            case _ where keyword.hasPrefix("AUTH="): takeMechanisms([keyword.dropFirst(5)] + words)
            default: break
            }
        }
    }

    private mutating func takeMechanisms(_ names: [Substring]) {
        offered.formUnion(names.compactMap { Mechanism(rawValue: String($0)) })
    }

    var provider: ProviderCapabilities {
        ProviderCapabilities(eightBitMIME: eightBitMIME, smtpUTF8: smtpUTF8, maximumSize: maximumSize)
    }
}
