import Model
import Policy
import Text

/// Judges a mailing's document, gathering every problem on the way.
struct MailingCheck {
    let document: MailingDocument
    let overrides: MailingFile.Overrides
    var problems: [MailingFileError.Problem] = []
    /// The parts that the document is wrong in are not judged by what would follow from them.
    var channel: Channel?

    init(document: MailingDocument, overrides: MailingFile.Overrides) {
        self.document = document
        self.overrides = overrides
    }

    typealias Entry = MailingDocument.Entry

    static let common = [
        "name", "key", "channel", "recipients", "provider", "speed", "batch_size", "attempts", "lifetime", "uncertain",
        "start", "late", "max_delay", "category",
    ]
    static let content = [
        "from", "reply_to", "headers", "subject", "preheader", "html", "text", "body", "attachments", "inline", "calendar",
        "tracking", "utm",
    ]

    /// The keys of the content that a channel takes.
    static func content(of channel: Channel) -> [String] {
        switch channel {
        case .email: content.filter { $0 != "body" }
        case .sms, .messenger: ["from", "text", "tracking", "utm"]
        case .webhook: ["body"]
        }
    }

    mutating func run() throws(MailingFileError) -> MailingFile {
        guard let file = examine(), problems.isEmpty else { throw MailingFileError(problems: problems) }
        return file
    }

    /// Gathers the problems, in the order of their places.
    /// - Returns: the mailing as far as it can be told, with empty values where something is wrong; nil where channel or recipients cannot.
    mutating func examine() -> MailingFile? {
        checkKeys()
        let name = required("name", "what the mailing is called") ?? ""
        if name.utf8.count > 200 { report(entry("name"), "is longer than 200 bytes") }
        channel = required("channel", "one of \(Self.list(Channel.allCases))").flatMap { choice("channel", $0) }
        let fallback = channel ?? .email
        var mailing = Mailing(name: name, channel: fallback, provider: provider() ?? "")
        content(&mailing)
        setDelivery(&mailing)
        mailing.category = category()
        let start = schedule(&mailing)
        let tracking = tracking()
        let identity = identity()
        let source = recipients()
        problems.sort { ($0.line ?? 0, $0.column ?? 0) < ($1.line ?? 0, $1.column ?? 0) }
        guard let source, channel != nil else { return nil }
        var file = MailingFile(mailing: mailing, recipients: source, start: start, identity: identity)
        if overrides.provider == nil { file.providerPlace = place("provider") }
        file.categoryPlace = place("category")
        file.tracking = tracking
        return file
    }

    /// Where the value of a key stands, as `mailing.yaml:3:11`.
    func place(_ key: String) -> String? {
        entry(key).map { "\(document.path):\($0.place.line):\($0.place.column)" }
    }

    private mutating func checkKeys() {
        let known = Self.common + Self.content
        for entry in document.entries where !known.contains(entry.key) {
            report(
                entry, at: entry.keyPlace, "is no key of a mailing; \(suggestion(entry.key, known, "the keys are"))")
        }
    }

    private mutating func content(_ mailing: inout Mailing) {
        guard let channel else { return }
        let allowed = Self.content(of: channel)
        for entry in document.entries where Self.content.contains(entry.key) && !allowed.contains(entry.key) {
            report(
                entry, at: entry.keyPlace,
                "is not used by the channel \(channel.rawValue), which takes \(allowed.joined(separator: ", ")); leave it out"
            )
        }
        switch channel {
        case .email:
            mailing.from = mailbox("from", required("from", "the sender: \"Example Shop <news@example.com>\""))
            mailing.replyTo = replyTo()
            mailing.headers = headers()
            mailing.subject = template("subject", needed: "the subject line") ?? .empty
            if mailing.subject.source.contains(where: \.isNewline) {
                report(entry("subject"), "has a line break in it; a subject is one line")
            }
            mailing.html = template("html") ?? .empty
            mailing.text = template("text") ?? .empty
            mailing.preheader = preheader()
            mailing.files = files(html: mailing.html)
            if entry("html") == nil, entry("text") == nil {
                report(missing: "html", "is missing; an e-mail needs html or text, inline or as a file's name")
            }
        case .sms, .messenger:
            mailing.from = text("from") ?? ""
            if mailing.from.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
                report(entry("from"), "has a line break or another control character in it")
            }
            mailing.text = template("text", needed: "the message") ?? .empty
        case .webhook:
            mailing.body = template("body", needed: "the JSON that is posted, inline or as a file's name") ?? .empty
        }
    }

    private mutating func setDelivery(_ mailing: inout Mailing) {
        if let speed = text("speed") {
            do {
                mailing.speed = try RateLimit(speed).description
            } catch {
                report(entry("speed"), error.description)
            }
        }
        mailing.batchSize = number("batch_size", in: 1...10_000) ?? mailing.batchSize
        mailing.attempts = number("attempts", in: 1...100) ?? mailing.attempts
        mailing.lifetime = span("lifetime") ?? mailing.lifetime
        if let uncertain = text("uncertain") {
            mailing.uncertain = choice("uncertain", uncertain) ?? mailing.uncertain
        }
    }

    /// A sender in full, or an empty text.
    mutating func mailbox(_ key: String, _ text: String?) -> String {
        guard let text else { return "" }
        if text.contains("{{") {
            report(entry(key), "has merge fields in it; it is the same for all recipients")
            return ""
        }
        do {
            _ = try Mailbox(text)
        } catch {
            report(entry(key), "'\(text)' \(error.description)")
        }
        return text
    }
}
